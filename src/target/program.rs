//! What a target is when it is ready to be run.

use chrono::format::{Item, StrftimeItems};
use regex::Regex;

use super::document::{AssetOptions, Confidence, Encoding, FeePlace, FileFormat, TransferRows};
use crate::mapping::Expr;

pub use super::document::{Rebate, Several, Shape, Way};

/// A target, ready to be run.
pub struct Target {
    pub id: String,
    pub tool: String,
    pub layout: String,
    pub how_to_upload: String,
    pub again: Option<String>,
    pub confidence: Confidence,
    /// Name, default, what it is about.
    pub options: Vec<(String, String, String)>,
    pub assets: AssetOptions,
    pub asset_pattern: Option<Regex>,
    /// Names of all fields that expressions may use: those of every row, then words, then options.
    pub field_count: usize,
    /// Number of the field of each option.
    pub option_fields: Vec<usize>,
    pub parts: Vec<Part>,
    /// A journal instead of rows and columns, as it is written.
    pub journal: Option<serde_json::Value>,
    pub extension: String,
}

/// One of the files that a target writes.
pub struct Part {
    /// Empty where there is only one.
    pub name: String,
    pub when: Option<Expr>,
    pub file: Container,
    pub rows: RowRules,
    pub columns: Vec<Column>,
    pub adds_up: Vec<AddsUp>,
    pub checks: Vec<Check>,
    /// Columns by which the tool takes equal rows for one; empty if it keeps them.
    pub alike: Vec<usize>,
    /// Cases of each kind, in the order of [`Kind::ALL`].
    pub kinds: Vec<Vec<Case>>,
    pub otherwise: Vec<Case>,
    pub max_decimals: Option<u8>,
    pub decimal_mark: u8,
    /// Whether any column has what a source says that something was worth.
    pub says_values: bool,
}

/// What the file is made of.
pub struct Container {
    pub format: FileFormat,
    pub extension: String,
    pub delimiter: u8,
    pub quote_always: bool,
    pub header: bool,
    pub before: Vec<String>,
    pub encoding: Encoding,
    pub line_end: &'static str,
    pub spreadsheet: bool,
    pub one_per_account: bool,
    pub max_rows: Option<u64>,
    pub max_bytes: Option<u64>,
    pub newest_first: bool,
    pub sheet: String,
    pub list: Option<String>,
    pub around: serde_json::Map<String, serde_json::Value>,
}

/// How an event becomes rows.
pub struct RowRules {
    pub shape: Shape,
    pub several: Several,
    pub slots: usize,
    pub fee: FeeRule,
    pub fee_when: Option<Expr>,
    pub rebate: Rebate,
    pub transfer: Transfer,
    pub carries: Option<Expr>,
}

pub type FeeRule = FeePlace;
pub type Transfer = TransferRows;

pub struct Column {
    /// With options in braces.
    pub header: String,
    pub fill: Fill,
    pub blank: String,
    pub number: bool,
    /// Whether the cell has the amount of a leg: rounded with the leg, and by no other rule.
    pub max_decimals: Option<u8>,
}

/// What a column's cells are.
pub enum Fill {
    Text(Expr),
    Amount(Expr),
    Time(Expr, TimeForm, Zoned),
}

/// How a time is written.
pub enum TimeForm {
    EpochSeconds,
    EpochMilliseconds,
    /// As `chrono` writes it, and what it says.
    Pattern {
        text: String,
        /// Digits of the fraction of a second.
        fraction_digits: u8,
        seconds: bool,
        /// Whether it says the offset from UTC.
        offset: bool,
    },
}

/// In which zone: a name, or an option in braces.
pub type Zoned = String;

pub struct AddsUp {
    /// Number of the column.
    pub amount: usize,
    pub asset: AssetText,
    pub way: Way,
    /// Columns, and the texts that they must have one of.
    pub when: Vec<(usize, Vec<String>)>,
    pub times: Option<usize>,
    pub digits: Option<u8>,
    /// With options in braces.
    pub suffix: String,
}

/// Where the asset of an amount that is read back stands.
pub enum AssetText {
    Column(usize),
    /// A text, with options in braces.
    Said(String),
}

pub struct Check {
    pub when: Option<Expr>,
    pub filled: Vec<usize>,
    pub blank: Vec<usize>,
    pub because: String,
}

/// The sides that a row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    In,
    Out,
    Both,
    None,
}

impl Side {
    /// As `[kinds]` writes it.
    pub fn word(self) -> &'static str {
        match self {
            Side::In => "in",
            Side::Out => "out",
            Side::Both => "both",
            Side::None => "none",
        }
    }
}

/// Words for rows of a kind.
#[derive(Clone)]
pub struct Case {
    pub side: Option<Side>,
    pub when: Vec<Expr>,
    /// Number of the field, and its text.
    pub words: Vec<(usize, String)>,
    pub lossy: Option<String>,
    pub unconfirmed: bool,
    pub outcome: Outcome,
}

#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    Write,
    LeaveOut(String),
    Refuse(String),
}

impl Case {
    /// Of any side, without words.
    pub(super) fn plain() -> Case {
        Case {
            side: None,
            when: Vec::new(),
            words: Vec::new(),
            lossy: None,
            unconfirmed: false,
            outcome: Outcome::Write,
        }
    }
}

impl TimeForm {
    /// A time's form, as `[time] format` writes it.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<TimeForm, String> {
        match text {
            "epoch_s" => return Ok(TimeForm::EpochSeconds),
            "epoch_ms" => return Ok(TimeForm::EpochMilliseconds),
            _ => {}
        }
        if StrftimeItems::new(text).any(|item| matches!(item, Item::Error)) {
            return Err(format!("`{text}` is no form of a time"));
        }
        let has = |items: &[&str]| items.iter().any(|item| text.contains(item));
        let fraction_digits = if has(&["%f", "%.f", "%+", "%9f", "%.9f"]) {
            9
        } else if has(&["%6f", "%.6f"]) {
            6
        } else if has(&["%3f", "%.3f"]) {
            3
        } else {
            0
        };
        Ok(TimeForm::Pattern {
            fraction_digits,
            seconds: has(&["%S", "%T", "%+", "%s", "%X", "%c"]),
            offset: has(&["%z", "%:z", "%+", "%s"]),
            text: text.to_owned(),
        })
    }
}
