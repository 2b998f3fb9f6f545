//! A target as it is written: the TOML file, one to one. `docs/target-language.md` tells what each key means.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mapping::document::{OneOrMany, When};

/// The files that one tool takes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "coinfold target")]
pub struct Document {
    /// The version of the language: 1.
    pub target: i64,
    pub tool: String,
    pub layout: String,
    /// A sentence that a person can follow.
    pub how_to_upload: String,
    /// What a second upload of the same rows does.
    pub again: Option<String>,
    /// How far these facts can be trusted.
    pub confidence: Confidence,
    /// Other names that `--to` knows it by.
    #[serde(default)]
    pub also: Vec<String>,
    #[serde(default)]
    pub notes: Vec<String>,
    #[serde(default)]
    pub sources: Vec<String>,
    /// What a person can set with `--set NAME=VALUE`.
    #[serde(default)]
    pub options: BTreeMap<String, OptionTable>,
    /// A journal of plain-text accounting instead of rows and columns.
    pub journal: Option<serde_json::Value>,
    #[serde(default)]
    pub columns: Vec<Column>,
    #[serde(default)]
    pub adds_up: Vec<AddsUp>,
    #[serde(default)]
    pub check: Vec<Check>,
    #[serde(default)]
    pub file: FileOptions,
    #[serde(default)]
    pub time: TimeOptions,
    #[serde(default)]
    pub amounts: AmountOptions,
    #[serde(default)]
    pub assets: AssetOptions,
    #[serde(default)]
    pub rows: RowOptions,
    #[serde(default)]
    pub kinds: BTreeMap<String, Entry>,
    #[serde(default)]
    pub otherwise: Otherwise,
    /// Several files from one history.
    #[serde(default)]
    pub part: Vec<Part>,
}

/// One of several files. What it does not say, the target says.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub name: String,
    pub when: Option<When>,
    pub columns: Option<Vec<Column>>,
    pub adds_up: Option<Vec<AddsUp>>,
    pub check: Option<Vec<Check>>,
    #[serde(default)]
    pub file: FileOptions,
    #[serde(default)]
    pub time: TimeOptions,
    #[serde(default)]
    pub amounts: AmountOptions,
    #[serde(default)]
    pub rows: RowOptions,
    #[serde(default)]
    pub kinds: BTreeMap<String, Entry>,
    #[serde(default)]
    pub otherwise: Otherwise,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    High,
    Medium,
    Low,
}

impl Confidence {
    pub fn word(self) -> &'static str {
        match self {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
        }
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionTable {
    #[serde(default)]
    pub default: String,
    pub about: String,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileOptions {
    pub format: Option<FileFormat>,
    pub extension: Option<String>,
    pub delimiter: Option<String>,
    pub quote: Option<Quote>,
    pub header: Option<bool>,
    pub before: Option<Vec<String>>,
    pub encoding: Option<Encoding>,
    pub line_end: Option<LineEnd>,
    pub spreadsheet: Option<bool>,
    pub one_per: Option<OnePer>,
    pub max_rows: Option<u64>,
    pub max_bytes: Option<u64>,
    pub newest_first: Option<bool>,
    pub sheet: Option<String>,
    pub list: Option<String>,
    pub around: Option<serde_json::Map<String, serde_json::Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    Csv,
    Xlsx,
    Json,
    Journal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Quote {
    Needed,
    Always,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-8-bom")]
    Utf8Bom,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LineEnd {
    Lf,
    Crlf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnePer {
    Account,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeOptions {
    pub format: Option<String>,
    pub zone: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AmountOptions {
    pub max_decimals: Option<u8>,
    pub decimal_mark: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetOptions {
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    #[serde(default)]
    pub reads_as: BTreeMap<String, String>,
    pub pattern: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowOptions {
    pub shape: Option<Shape>,
    pub several: Option<Several>,
    pub slots: Option<usize>,
    pub fee: Option<FeePlace>,
    pub fee_when: Option<String>,
    pub rebate: Option<Rebate>,
    pub transfer: Option<TransferRows>,
    pub carries: Option<String>,
    /// Columns by which the tool takes equal rows for one.
    pub alike: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    Event,
    Leg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Several {
    ProRata,
    InOrder,
    Columns,
    Refuse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeePlace {
    Column,
    Row,
    Included,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rebate {
    Row,
    Column,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransferRows {
    TwoRows,
    OneRow,
}

/// A column: its header and its cell, or a table where more is to say.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "[\"Header\", \"expression\"], or a table with header and cell"
)]
pub enum Column {
    Pair(String, String),
    Table(ColumnTable),
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnTable {
    pub header: String,
    pub cell: String,
    pub format: Option<String>,
    pub zone: Option<String>,
    #[serde(default)]
    pub blank: String,
    pub max_decimals: Option<u8>,
    #[serde(default)]
    pub number: bool,
}

/// How an amount of the file is read back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddsUp {
    pub amount: String,
    pub asset: String,
    pub way: Way,
    #[serde(default)]
    pub when: BTreeMap<String, OneOrMany>,
    pub times: Option<String>,
    /// Decimals to which a product is rounded: a price is seldom exact.
    pub digits: Option<u8>,
    /// What stands behind the asset's code in its cell.
    pub suffix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    In,
    Out,
    Signed,
}

/// What the tool would not take.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub when: Option<When>,
    #[serde(default)]
    pub filled: Vec<String>,
    #[serde(default)]
    pub blank: Vec<String>,
    pub because: Option<String>,
}

/// What is written for a kind: a word, a table of words, or the first of several whose `when` holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a word, a table of words (each a text), or a list of these"
)]
pub enum Entry {
    Word(String),
    Table(Box<EntryTable>),
    List(Vec<Entry>),
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct EntryTable {
    pub when: Option<When>,
    /// What the tool takes it for.
    pub lossy: Option<String>,
    /// The vendor does not confirm the word.
    #[serde(default)]
    pub unconfirmed: bool,
    /// No row is written.
    pub leave_out: Option<String>,
    /// The event cannot be in the file.
    pub refuse: Option<String>,
    #[serde(rename = "in")]
    pub incoming: Option<Entry>,
    pub out: Option<Entry>,
    pub both: Option<Entry>,
    pub none: Option<Entry>,
    #[serde(flatten)]
    pub words: BTreeMap<String, String>,
}

/// For kinds without entry, and sides that an entry does not name.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Otherwise {
    #[serde(rename = "in")]
    pub incoming: Option<Entry>,
    pub out: Option<Entry>,
    pub both: Option<Entry>,
    pub none: Option<Entry>,
}
