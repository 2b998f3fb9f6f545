//! From records to events: runs a program over the rows of one chunk.

mod choose;
mod general;
mod names;
mod plan;
mod planned;

use std::rc::Rc;

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128, xxh3_128_with_seed};

use self::choose::{Choice, empty_word};
use self::names::NamesOfCells;
use self::plan::RulePlan;
use super::batch::{BalanceRecord, Batch, BrokenGroup, Outcome, Reject, SkipReason, UniqueRecord};
use super::evaluate::{Evaluate, RowError, Value, trim};
use super::file::FileContext;
use super::row_view::RowView;
use crate::input::Record;
use crate::mapping::{Direction, EventTemplate, Expr, Group, KindFrom, LegTemplate, Rule};
use crate::model::{Amount, Kind, NameId, Names, Role, Short, Time};

/// The names of a run.
#[derive(Default)]
pub struct RunNames {
    pub assets: Names,
    pub accounts: Names,
}

/// Longest name of an account, in bytes.
const MAX_ACCOUNT_BYTES: usize = 256;

/// Most texts that a row's caches hold before they are emptied: a column of all different codes must not fill the memory.
const MAX_CACHED: usize = 1 << 16;

/// How many of the codes and words met last are found without hashing. A power of two.
const NEAR: usize = 256;

/// The same, for the words of one choice column. A power of two.
const NEAR_WORDS: usize = 64;

/// Reads rows of one file, on one thread. Holds what is worth remembering from row to row.
pub struct Worker<'f> {
    file: &'f FileContext,
    names: &'f RunNames,
    /// Whether the rows that come are known to be UTF-8.
    is_utf_8: bool,
    assets: FxHashMap<Box<[u8]>, Resolved>,
    /// The codes met last, each in the place that its letters give.
    near_assets: Box<[(Short, bool, NameId); NEAR]>,
    /// The same, of codes that fit one number.
    near_codes: Box<[(u64, NameId); NEAR]>,
    accounts: FxHashMap<Box<[u8]>, NameId>,
    /// Names that stand in the mapping itself, by the place of their text in memory.
    constants: Vec<(usize, NameId)>,
    /// Word numbers of the choice columns → the tests that may hold, skips first.
    candidates: FxHashMap<u64, Rc<[Choice<'f>]>>,
    /// The same, for the words met last.
    near_candidates: Box<[NearCandidates<'f>; NEAR]>,
    /// The rules or skips that hold for them whatever else the row says.
    near_choices: Box<[Option<(u64, Candidate)>; NEAR]>,
    /// The words met last in each choice column with their numbers, each in the place that its letters give.
    near_words: Box<[[(Short, u32); NEAR_WORDS]]>,
    /// Whether the word numbers of all choice columns fit one key.
    exact_key: bool,
    /// Names that follow from a few cells.
    names_of_cells: Vec<NamesOfCells<'f>>,
    /// The rules as they are for this file, made when the first row needs them.
    plans: Box<[Option<Rc<RulePlan<'f>>>]>,
    unique_columns: Vec<usize>,
    /// What the hashes of unique ids begin with: another for files whose rows may not be the same rows.
    unique_seed: u64,
    text_scratch: Vec<u8>,
}

/// Word numbers as one, and the tests that may hold for them.
type NearCandidates<'f> = Option<(u64, Rc<[Choice<'f>]>)>;

#[derive(Clone, Debug)]
enum Resolved {
    Always(NameId),
    /// What the code means depends on the time.
    Dated(Box<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    Skip(usize),
    Rule(usize),
}

impl<'f> Worker<'f> {
    pub fn new(file: &'f FileContext, names: &'f RunNames) -> Worker<'f> {
        let columns = file.program.columns.iter().enumerate();
        let words = file.program.dispatch.columns.iter();
        let exact_key = words.clone().try_fold(1u64, |product, column| {
            product.checked_mul(column.words.len() as u64 + 1)
        });
        Worker {
            file,
            names,
            is_utf_8: false,
            assets: FxHashMap::default(),
            near_assets: Box::new([(Short::default(), false, NameId(0)); NEAR]),
            near_codes: Box::new([(0, NameId(0)); NEAR]),
            accounts: FxHashMap::default(),
            constants: Vec::new(),
            candidates: FxHashMap::default(),
            near_candidates: Box::new([const { None }; NEAR]),
            near_choices: Box::new([None; NEAR]),
            near_words: (0..words.len())
                .map(|nth| [empty_word(&file.program, nth); NEAR_WORDS])
                .collect(),
            names_of_cells: Vec::new(),
            plans: file.program.rules.iter().map(|_| None).collect(),
            exact_key: exact_key.is_some(),
            unique_columns: columns
                .filter(|(_, column)| column.unique)
                .map(|(index, _)| index)
                .collect(),
            unique_seed: xxh3_64(file.scope()),
            text_scratch: Vec::new(),
        }
    }

    /// Says whether the rows that come are known to be UTF-8.
    pub fn expect_utf_8(&mut self, is_utf_8: bool) {
        self.is_utf_8 = is_utf_8;
    }

    /// Reads one record into the batch: every record becomes exactly one row with one outcome.
    #[inline]
    pub fn read_row(&mut self, record: Record<'_>, batch: &mut Batch) {
        batch.records_read += 1;
        if self.read_planned(record, batch).is_none() {
            self.read_any(record, batch);
        }
    }

    /// Reads a record the general way, with whatever comes of it.
    #[inline(never)]
    fn read_any(&mut self, record: Record<'_>, batch: &mut Batch) {
        let first = batch.place();
        match self.outcome(record, batch) {
            Ok(Outcome::Events { .. }) => batch.end_row(),
            Ok(outcome) => batch.end_other_row(record.line(), outcome),
            Err(error) => {
                batch.drop_events_from(first);
                let index =
                    u32::try_from(batch.rejects.len()).expect("a chunk has fewer rows than 2^32");
                batch.rejects.push(Reject {
                    column: error.column,
                    reason: error.message,
                    record: record.bytes().into(),
                });
                batch.end_other_row(record.line(), Outcome::Rejected(index));
            }
        }
    }

    fn outcome(&mut self, record: Record<'_>, batch: &mut Batch) -> Result<Outcome, RowError> {
        let file = self.file;
        if !self.is_utf_8 && std::str::from_utf8(record.bytes()).is_err() {
            return Err(RowError::new(
                "the row holds bytes that are not UTF-8 text: is the file in another encoding, or damaged?",
            ));
        }
        let header = &file.binding.header;
        if is_blank(record) {
            return Ok(Outcome::Skipped(SkipReason::BlankRow));
        }
        if file.program.has_header && is_header(header, record) {
            return Ok(Outcome::Skipped(SkipReason::HeaderAgain));
        }
        if file.program.has_header && has_stray_cells(file, record) {
            return Err(RowError::new(format!(
                "the row has {} cells and the header {}: a text with a delimiter that is not quoted?",
                record.len(),
                header.len()
            )));
        }
        let view = RowView { file, record };
        match self.choose(&view)? {
            None => Err(RowError::new(self.no_rule_message(&view))),
            Some(Candidate::Skip(index)) => Ok(skipped_by(index)),
            Some(Candidate::Rule(index)) => {
                let first = batch.place();
                if let Err(error) = self.apply(&view, index, batch) {
                    self.note_broken(&view, index, batch);
                    return Err(error);
                }
                Ok(Outcome::Events { first })
            }
        }
    }

    /// A row that cannot be read takes its group with it, as far as it can be told which that is.
    fn note_broken(&mut self, view: &RowView<'_>, rule_index: usize, batch: &mut Batch) {
        let file = self.file;
        let rule = &file.program.rules[rule_index];
        let Some(group) = &rule.group else { return };
        let Ok(key) = self.group_key(view, rule_index, group, None) else {
            return;
        };
        let time = rule.events.first().map(|event| view.evaluate(&event.time));
        let time_ns = match time {
            Some(Ok(Value::Time(time))) => Some(time.ns()),
            _ => None,
        };
        let line = view.record.line();
        batch.broken.push(BrokenGroup { key, time_ns, line });
    }

    /// Keeps what later steps ask of a row that made events, of which the first is given.
    #[inline]
    fn keep(&mut self, view: &RowView<'_>, rule: &Rule, first: u32, batch: &mut Batch) {
        let file = self.file;
        if file.read_once && (rule.group.is_some() || !self.unique_columns.is_empty()) {
            batch.kept.insert(batch.row(), view.record.bytes().into());
        }
        for column in &self.unique_columns {
            let cell = view.cell(*column);
            if !cell.is_empty() {
                let column = u32::try_from(*column).expect("few columns");
                batch.uniques.push(UniqueRecord {
                    event: first,
                    column,
                    id: xxh3_128_with_seed(&cell, self.unique_seed),
                });
            }
        }
    }

    /// What the rows of one group share. Of one expression the instant may be known already.
    fn group_key(
        &self,
        view: &RowView<'_>,
        rule: usize,
        group: &Group,
        known: Option<(&Expr, Time)>,
    ) -> Result<u128, RowError> {
        let mut key = GroupKey::of(self.file, rule);
        for expr in &group.key {
            match known {
                Some((of, time)) if are_one_column(of, expr) => key.add_time(time),
                _ => key.add(&view.evaluate(expr)?),
            }
        }
        key.hash(group).ok_or_else(|| {
            RowError::new("nothing tells which rows it belongs to: what they should share is blank")
        })
    }

    fn balance(
        &mut self,
        view: &RowView<'_>,
        template: &EventTemplate,
        account: NameId,
        time: Time,
        event: u32,
        batch: &mut Batch,
    ) -> Result<(), RowError> {
        let Some((amount, asset)) = &template.balance else {
            return Ok(());
        };
        let Some(amount) = view.amount(amount)? else {
            return Ok(());
        };
        let asset = self.asset(view, asset, time)?;
        batch.balances.push(BalanceRecord {
            event,
            account,
            asset,
            amount,
        });
        Ok(())
    }
}

fn skipped_by(skip: usize) -> Outcome {
    Outcome::Skipped(SkipReason::Rule(u32::try_from(skip).expect("few rules")))
}

/// The key of a group in the making.
#[derive(Clone, Copy)]
struct GroupKey {
    hash: u128,
    /// Whether nothing was said so far.
    is_blank: bool,
}

impl GroupKey {
    /// The key of the groups of a rule, without what their rows share.
    fn of(file: &FileContext, rule: usize) -> GroupKey {
        let rule_of_scope = [file.scope(), &rule.to_le_bytes()].concat();
        GroupKey {
            hash: xxh3_128(&rule_of_scope),
            is_blank: true,
        }
    }

    /// Adds what the rows of a group share.
    fn add(&mut self, value: &Value<'_>) {
        match value {
            Value::Blank => self.add_text(b""),
            Value::Text(text) => self.add_text(text),
            Value::Amount(amount) => self.add_text(amount.to_string().as_bytes()),
            Value::Time(time) => self.add_time(*time),
            Value::Truth(truth) => self.add_text(&[u8::from(*truth)]),
        }
    }

    #[inline]
    fn add_time(&mut self, time: Time) {
        self.add_text(&time.ns().to_le_bytes());
    }

    #[inline]
    fn add_text(&mut self, text: &[u8]) {
        self.is_blank &= text.is_empty();
        // All bits of what was added before stay in it.
        self.hash = self.hash.rotate_left(64) ^ xxh3_128_with_seed(text, self.hash as u64);
    }

    /// `None` for rows that say nothing: they have nothing in common.
    #[inline]
    fn hash(&self, group: &Group) -> Option<u128> {
        if self.is_blank && !group.key.is_empty() && !group.adjacent {
            return None;
        }
        Some(self.hash.max(1))
    }
}

/// What an amount of a row means for its leg.
enum Moved {
    /// It must not be below zero.
    Wrong,
    /// There is no leg.
    Nothing,
    /// With the leg's sign.
    By(Amount),
}

#[inline(always)]
fn moved(leg: &LegTemplate, amount: Amount) -> Moved {
    let may_be_negative = match leg.direction {
        Direction::In | Direction::Out => false,
        Direction::Fee => leg.signed,
        Direction::Move => true,
    };
    if amount.is_negative() && !may_be_negative {
        return Moved::Wrong;
    }
    if amount.is_zero() && (leg.direction == Direction::Fee || leg.optional) {
        return Moved::Nothing;
    }
    Moved::By(match leg.direction {
        Direction::In | Direction::Move => amount,
        Direction::Out | Direction::Fee => amount.neg(),
    })
}

/// `fee_row`: what the row moves is a fee.
#[inline(always)]
fn role(leg: &LegTemplate, fee_row: bool) -> Role {
    match leg.direction {
        Direction::Fee => Role::Fee,
        Direction::Move if fee_row => Role::Fee,
        _ => Role::Main,
    }
}

/// An event's id as a ledger writes it; anything else is none.
fn event_id(text: &[u8]) -> Option<u64> {
    let digits = text.len() == 16 && text.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
    u64::from_str_radix(text, 16).ok()
}

fn kind(view: &RowView<'_>, template: &EventTemplate) -> Result<Kind, RowError> {
    match &template.kind {
        KindFrom::Stated(kind) => Ok(*kind),
        KindFrom::Text(expr) => {
            let text = view.text(expr)?;
            let word = String::from_utf8_lossy(&text);
            Kind::from_word(&word).ok_or_else(|| RowError {
                column: column_of(expr),
                message: format!("`{word}` is no kind of event"),
            })
        }
    }
}

/// Whether two expressions are just the same column, or the same derived one.
fn are_one_column(one: &Expr, other: &Expr) -> bool {
    match (one, other) {
        (Expr::Cell(one), Expr::Cell(other)) | (Expr::Derived(one), Expr::Derived(other)) => {
            one == other
        }
        _ => false,
    }
}

/// The column that an expression reads, if it is just that.
fn column_of(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Cell(column) | Expr::CellPart(column, _) | Expr::Family(column, _) => Some(*column),
        _ => None,
    }
}

/// Whether no cell of a record says anything.
#[inline]
fn is_blank(record: Record<'_>) -> bool {
    record.iter().all(|cell| trim(cell).is_empty())
}

/// Whether a record says something in cells that the header does not have.
#[inline]
fn has_stray_cells(file: &FileContext, record: Record<'_>) -> bool {
    record.len() > file.known_cells
        && record
            .iter()
            .skip(file.known_cells)
            .any(|cell| !trim(cell).is_empty())
}

/// Whether a record is the header line once more.
#[inline]
fn is_header(header: &[String], record: Record<'_>) -> bool {
    let Some(first) = record.get(0) else {
        return false;
    };
    if first != header.first().map_or(&b""[..], |text| text.as_bytes()) {
        return false;
    }
    record.len() == header.len()
        && record
            .iter()
            .zip(header)
            .all(|(cell, text)| cell == text.as_bytes())
}

#[cfg(test)]
mod tests;
