//! From records to events: runs a program over the rows of one chunk.

mod plan;

use std::borrow::Cow;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_128;

use self::plan::{AccountPlan, AssetPlan, EventPlan, LegPlan, RulePlan, TextPlan};
use super::batch::{
    BalanceRecord, Batch, BrokenGroup, EventHead, NewAmount, NewLeg, Outcome, Reject, SkipReason,
    UniqueRecord,
};
use super::evaluate::{Evaluate, RowError, Value, trim};
use super::file::FileContext;
use super::row_view::RowView;
use crate::input::Record;
use crate::mapping::{
    Cell, Direction, EventTemplate, Expr, Group, KindFrom, LegTemplate, MAX_CODE_BYTES, Meaning,
    Program, Rule, TEXT_COUNT, Test,
};
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
    candidates: FxHashMap<u64, Rc<[Candidate]>>,
    /// The same, for the words met last.
    near_candidates: Box<[NearCandidates; NEAR]>,
    /// The rules or skips that hold for them whatever else the row says.
    near_choices: Box<[Option<(u64, Candidate)>; NEAR]>,
    /// The words met last in each choice column with their numbers, each in the place that its letters give.
    near_words: Box<[[(Short, u32); NEAR_WORDS]]>,
    /// Whether the word numbers of all choice columns fit one key.
    exact_key: bool,
    /// The rules as they are for this file, made when the first row needs them.
    plans: Box<[Option<Rc<RulePlan<'f>>>]>,
    unique_columns: Vec<usize>,
    hash_scratch: Vec<u8>,
    text_scratch: Vec<u8>,
}

/// Word numbers as one, and the tests that may hold for them.
type NearCandidates = Option<(u64, Rc<[Candidate]>)>;

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
            plans: file.program.rules.iter().map(|_| None).collect(),
            exact_key: exact_key.is_some(),
            unique_columns: columns
                .filter(|(_, column)| column.unique)
                .map(|(index, _)| index)
                .collect(),
            hash_scratch: Vec::new(),
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
        if self.read_planned(record, batch).is_some() {
            return batch.end_row();
        }
        self.read_any(record, batch);
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

    /// Reads a record by the plan of its rule. `None`, with nothing left of it in the batch, for one that makes no events
    /// or cannot be read.
    fn read_planned(&mut self, record: Record<'_>, batch: &mut Batch) -> Option<()> {
        let file = self.file;
        if !self.is_utf_8
            || is_blank(record)
            || (file.program.has_header
                && (is_header(&file.binding.header, record) || has_stray_cells(file, record)))
        {
            return None;
        }
        let view = RowView { file, record };
        let Candidate::Rule(rule) = self.choose_near(&view)? else {
            return None;
        };
        let plan = match &self.plans[rule] {
            Some(plan) => plan.clone(),
            None => {
                let plan = Rc::new(RulePlan::of(&file.program.rules[rule], file));
                self.plans[rule].insert(plan).clone()
            }
        };
        let first = batch.place();
        let read = self.apply_plan(&view, rule, &plan, batch);
        if read.is_none() && batch.place() > first {
            batch.drop_events_from(first);
        }
        read
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
            Some(Candidate::Skip(index)) => Ok(Outcome::Skipped(SkipReason::Rule(
                u32::try_from(index).expect("few rules"),
            ))),
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

    /// The first skip or rule that holds.
    pub fn choose(&mut self, view: &RowView<'_>) -> Result<Option<Candidate>, RowError> {
        let key = self.word_key(view);
        let candidates = self.candidates_for(view, key);
        self.first_of(view, &candidates)
    }

    /// The first of some skips and rules whose conditions hold.
    fn first_of(
        &self,
        view: &RowView<'_>,
        candidates: &[Candidate],
    ) -> Result<Option<Candidate>, RowError> {
        for candidate in candidates {
            let mut holds = true;
            for condition in &test_of(self.file, *candidate).conditions {
                if !view.truth(condition)? {
                    holds = false;
                    break;
                }
            }
            if holds {
                return Ok(Some(*candidate));
            }
        }
        Ok(None)
    }

    /// As [`Worker::choose`], at once where the words of the row alone decide and were met before. `None` as well where it
    /// cannot be told.
    #[inline(always)]
    fn choose_near(&mut self, view: &RowView<'_>) -> Option<Candidate> {
        let key = self.word_key(view);
        if self.exact_key
            && let Some((of_key, found)) = self.near_choices[key as usize % NEAR]
            && of_key == key
        {
            return Some(found);
        }
        let candidates = self.candidates_for(view, key);
        if self.exact_key
            && let Some(first) = candidates.first()
            && test_of(self.file, *first).conditions.is_empty()
        {
            self.near_choices[key as usize % NEAR] = Some((key, *first));
        }
        self.first_of(view, &candidates).ok()?
    }

    /// The numbers of the row's words as one, which is another for other words if it can be.
    #[inline(always)]
    fn word_key(&mut self, view: &RowView<'_>) -> u64 {
        let dispatch = &self.file.program.dispatch;
        let mut key = 0u64;
        for (nth, (column, near)) in dispatch
            .columns
            .iter()
            .zip(&mut self.near_words)
            .enumerate()
        {
            let number = match self.file.plain(column.column) {
                Some(at) => {
                    let cell = || trim(view.record.get(at).unwrap_or_default());
                    match view.record.short(at) {
                        Some(short) => {
                            let near = &mut near[(short.mixed() >> 58) as usize % NEAR_WORDS];
                            if near.0 != short {
                                *near = (short, dispatch.word_number(nth, cell()));
                            }
                            near.1
                        }
                        None => dispatch.word_number(nth, cell()),
                    }
                }
                None => dispatch.word_number(nth, &view.cell(column.column)),
            };
            key = key
                .wrapping_mul(column.words.len() as u64 + 1)
                .wrapping_add(u64::from(number));
        }
        key
    }

    /// The tests whose words fit the row. Rows with the same words share the list.
    fn candidates_for(&mut self, view: &RowView<'_>, key: u64) -> Rc<[Candidate]> {
        if !self.exact_key {
            return self.candidates_of_words(view);
        }
        let near = &self.near_candidates[key as usize % NEAR];
        if let Some((of_key, found)) = near
            && *of_key == key
        {
            return found.clone();
        }
        let found = match self.candidates.get(&key) {
            Some(found) => found.clone(),
            None => {
                let found = self.candidates_of_words(view);
                if self.candidates.len() < MAX_CACHED {
                    self.candidates.insert(key, found.clone());
                }
                found
            }
        };
        self.near_candidates[key as usize % NEAR] = Some((key, found.clone()));
        found
    }

    /// The tests that may hold for the words that were found.
    fn candidates_of_words(&self, view: &RowView<'_>) -> Rc<[Candidate]> {
        let program = &self.file.program;
        let columns = program.dispatch.columns.iter().enumerate();
        let numbers: Vec<u32> = columns
            .map(|(nth, column)| program.dispatch.word_number(nth, &view.cell(column.column)))
            .collect();
        let fits = |test: &Test| program.dispatch.may_hold(test, &numbers);
        let skips = program
            .skips
            .iter()
            .enumerate()
            .filter(|(_, skip)| fits(&skip.test))
            .map(|(index, _)| Candidate::Skip(index));
        let rules = program
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| fits(&rule.test))
            .map(|(index, _)| Candidate::Rule(index));
        skips.chain(rules).collect()
    }

    fn no_rule_message(&self, view: &RowView<'_>) -> String {
        let program = &self.file.program;
        let words: Vec<String> = program
            .dispatch
            .columns
            .iter()
            .filter(|column| !program.columns[column.column].private)
            .map(|column| {
                format!(
                    "{} = '{}'",
                    program.columns[column.column].name,
                    String::from_utf8_lossy(&view.cell(column.column))
                )
            })
            .collect();
        if words.is_empty() {
            "no rule of the mapping fits this row".to_owned()
        } else {
            format!("no rule of the mapping fits {}", words.join(", "))
        }
    }

    /// Makes the events of a rule from a row.
    fn apply(
        &mut self,
        view: &RowView<'_>,
        rule_index: usize,
        batch: &mut Batch,
    ) -> Result<(), RowError> {
        let file = self.file;
        let rule = &file.program.rules[rule_index];
        let mut hash = None;
        let first = batch.place();
        for (nth, template) in rule.events.iter().enumerate() {
            let Some(time) = view.time(&template.time)? else {
                return Err(RowError {
                    column: column_of(&template.time),
                    message: "the row has no time".to_owned(),
                });
            };
            let hash = *hash.get_or_insert_with(|| file.row_hash(time.ns(), view.record));
            let account = self.account(view, &template.account)?;
            let fee_row = match rule
                .group
                .as_ref()
                .and_then(|group| group.fee_rows.as_ref())
            {
                Some(test) => view.truth(test)?,
                None => false,
            };
            let at = batch.begin_event();
            for leg in &template.legs {
                self.leg(view, leg, account, time, fee_row, batch)?;
            }
            let (legs, all_zero) = batch.legs_so_far();
            if legs == 0 || (rule.events.len() > 1 && all_zero) {
                continue;
            }
            let known = Some((&template.time, time));
            let group = match &rule.group {
                Some(group) => self.group_key(view, rule_index, group, known)?,
                None => 0,
            };
            let mut made: [Cow<[u8]>; TEXT_COUNT] = Default::default();
            let mut texts: [&[u8]; TEXT_COUNT] = Default::default();
            for ((slot, made), expr) in texts.iter_mut().zip(&mut made).zip(&template.texts) {
                let Some(expr) = expr else { continue };
                *slot = match view.text_cell(expr) {
                    Some(cell) => cell,
                    None => {
                        *made = view.text(expr)?;
                        made
                    }
                };
            }
            let head = EventHead {
                time,
                kind: kind(view, template)?,
                rule: u16::try_from(rule_index).expect("few rules"),
                hash,
                group,
                nth: u8::try_from(nth).expect("few events of one row"),
                line: view.record.line(),
            };
            batch.end_event(at, &head, &texts);
            if let Some(expr) = &template.event_id
                && let Some(id) = event_id(&view.text(expr)?)
            {
                batch.given_ids.push((at, id));
            }
            self.balance(view, template, account, time, at, batch)?;
        }
        if batch.place() == first {
            return Err(RowError::new(
                "all amounts of the row are blank: nothing was moved",
            ));
        }
        self.keep(view, rule, first, batch);
        Ok(())
    }

    /// Makes the events of a rule from a row, as its plan says. `None` for a row that it cannot be said of.
    #[inline]
    fn apply_plan(
        &mut self,
        view: &RowView<'_>,
        rule_index: usize,
        plan: &RulePlan<'_>,
        batch: &mut Batch,
    ) -> Option<()> {
        let file = self.file;
        let rule = &file.program.rules[rule_index];
        let mut hash = None;
        let first = batch.place();
        for (nth, event) in plan.events.iter().enumerate() {
            let time = event.time.read(view)?;
            let hash = *hash.get_or_insert_with(|| file.row_hash(time.ns(), view.record));
            let account = self.planned_account(view, &event.account)?;
            let fee_row = match &rule.group {
                Some(Group {
                    fee_rows: Some(test),
                    ..
                }) => view.truth(test).ok()?,
                _ => false,
            };
            let at = batch.begin_event();
            for leg in &event.legs {
                self.planned_leg(view, leg, account, time, fee_row, batch)?;
            }
            let (legs, all_zero) = batch.legs_so_far();
            if legs == 0 || (plan.events.len() > 1 && all_zero) {
                continue;
            }
            let known = Some((&event.template.time, time));
            let group = match &rule.group {
                Some(group) => self.group_key(view, rule_index, group, known).ok()?,
                None => 0,
            };
            let head = EventHead {
                time,
                kind: match &event.template.kind {
                    KindFrom::Stated(kind) => *kind,
                    KindFrom::Text(_) => kind(view, event.template).ok()?,
                },
                rule: rule_index as u16,
                hash,
                group,
                nth: nth as u8,
                line: view.record.line(),
            };
            let mut texts: [&[u8]; TEXT_COUNT] = Default::default();
            if event.has_only_cells {
                for (nth, text) in &event.texts {
                    if let TextPlan::Cell(at) = text {
                        texts[*nth] = trim(view.record.get(*at).unwrap_or_default());
                    }
                }
                batch.end_event(at, &head, &texts);
            } else {
                end_with_any_texts(view, event, at, &head, batch)?;
            }
            if let Some(expr) = &event.template.event_id
                && let Some(id) = event_id(&view.text(expr).ok()?)
            {
                batch.given_ids.push((at, id));
            }
            if event.template.balance.is_some() {
                self.balance(view, event.template, account, time, at, batch)
                    .ok()?;
            }
        }
        if batch.place() == first {
            return None;
        }
        self.keep(view, rule, first, batch);
        Some(())
    }

    /// As [`Worker::leg`].
    #[inline(always)]
    fn planned_leg(
        &mut self,
        view: &RowView<'_>,
        plan: &LegPlan<'_>,
        account: NameId,
        time: Time,
        fee_row: bool,
        batch: &mut Batch,
    ) -> Option<()> {
        let leg = plan.template;
        let Some(found) = plan.amount.read(view)? else {
            return leg.optional.then_some(());
        };
        let amount = match moved(leg, found.amount) {
            Moved::Wrong => return None,
            Moved::Nothing => return Some(()),
            Moved::By(amount) => amount,
        };
        let asset = self.planned_asset(view, &plan.asset, time)?;
        let value = match &plan.value {
            None => None,
            Some((worth, currency)) => match worth.read_magnitude(view)? {
                None => None,
                Some(worth) => Some((worth, self.planned_asset(view, currency, time)?)),
            },
        };
        let account = match &plan.account {
            Some(account) => self.planned_account(view, account)?,
            None => account,
        };
        batch.add_leg(&NewLeg {
            account,
            asset,
            amount: NewAmount { amount, ..found },
            role: role(leg, fee_row),
            value,
        });
        Some(())
    }

    /// As [`Worker::asset`].
    #[inline(always)]
    fn planned_asset(
        &mut self,
        view: &RowView<'_>,
        plan: &AssetPlan<'_>,
        time: Time,
    ) -> Option<NameId> {
        match plan {
            AssetPlan::Cell { at, upper, expr } => {
                let code = view.record.short(*at);
                if let Some(key) = code_key(code, *upper)
                    && let (near, id) = self.near_codes[code_place(key)]
                    && near == key
                {
                    return Some(id);
                }
                self.new_code(view, code, *upper, expr, time)
            }
            AssetPlan::Stated(expr, kept) => match kept.get() {
                Some(id) => Some(id),
                None => {
                    let id = self.asset_of_any(view, expr, time).ok()?;
                    kept.set(self.constant(address_of(expr)));
                    Some(id)
                }
            },
            AssetPlan::Other(expr) => self.asset(view, expr, time).ok(),
        }
    }

    /// The asset of a code that is not among those met last.
    #[inline(never)]
    fn new_code(
        &mut self,
        view: &RowView<'_>,
        code: Option<Short>,
        upper: bool,
        expr: &Expr,
        time: Time,
    ) -> Option<NameId> {
        let id = self.asset(view, expr, time).ok()?;
        if let Some(key) = code_key(code, upper)
            && let Some(short) = code
            // What is near by its letters does not depend on the time.
            && self.near_assets[near_place(short)] == (short, upper, id)
        {
            self.near_codes[code_place(key)] = (key, id);
        }
        Some(id)
    }

    /// As [`Worker::account`].
    #[inline]
    fn planned_account(&mut self, view: &RowView<'_>, plan: &AccountPlan<'_>) -> Option<NameId> {
        match plan {
            AccountPlan::Stated(parts, kept) => {
                if let Some(id) = kept.get() {
                    return Some(id);
                }
                let id = self.account(view, parts).ok()?;
                kept.set(Some(id));
                Some(id)
            }
            AccountPlan::Other(parts) => self.account(view, parts).ok(),
        }
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
                self.text_scratch.clear();
                self.text_scratch.extend_from_slice(file.scope());
                self.text_scratch.push(0xff);
                self.text_scratch.extend_from_slice(&cell);
                let column = u32::try_from(*column).expect("few columns");
                batch.uniques.push(UniqueRecord {
                    event: first,
                    column,
                    id: xxh3_128(&self.text_scratch),
                });
            }
        }
    }

    /// Adds the leg that a template makes of a row, if it makes one.
    fn leg(
        &mut self,
        view: &RowView<'_>,
        leg: &LegTemplate,
        account: NameId,
        time: Time,
        fee_row: bool,
        batch: &mut Batch,
    ) -> Result<(), RowError> {
        let Some(found) = view.amount_text(&leg.amount)? else {
            if leg.optional {
                return Ok(());
            }
            return Err(RowError {
                column: column_of(&leg.amount),
                message: "the amount is blank".to_owned(),
            });
        };
        let amount = match moved(leg, found.amount) {
            Moved::Wrong => {
                let what = match leg.direction {
                    Direction::In => "what comes in",
                    Direction::Out => "what goes out",
                    _ => "a fee",
                };
                return Err(RowError {
                    column: column_of(&leg.amount),
                    message: format!("{what} must not be negative, and is {}", found.amount),
                });
            }
            Moved::Nothing => return Ok(()),
            Moved::By(amount) => amount,
        };
        let asset = self.asset(view, &leg.asset, time)?;
        let value = match &leg.value {
            None => None,
            Some((worth, currency)) => match view.amount_text(worth)? {
                None => None,
                Some(worth) => {
                    let magnitude = NewAmount {
                        amount: worth.amount.abs(),
                        ..worth
                    };
                    Some((magnitude, self.asset(view, currency, time)?))
                }
            },
        };
        let account = match &leg.account {
            Some(parts) => self.account(view, parts)?,
            None => account,
        };
        batch.add_leg(&NewLeg {
            account,
            asset,
            amount: NewAmount { amount, ..found },
            role: role(leg, fee_row),
            value,
        });
        Ok(())
    }

    /// What a name that stands in the mapping was resolved to, if it was met before.
    #[inline]
    fn constant(&self, stated: Option<usize>) -> Option<NameId> {
        let stated = stated?;
        self.constants
            .iter()
            .find(|(address, _)| *address == stated)
            .map(|(_, id)| *id)
    }

    /// The canonical asset that an expression means for this row.
    #[inline]
    fn asset(&mut self, view: &RowView<'_>, expr: &Expr, time: Time) -> Result<NameId, RowError> {
        // Most codes are just cells, and were met a moment ago.
        let Some((cell, upper)) = view.code(expr) else {
            return self.asset_of_any(view, expr, time);
        };
        let near = Short::of(cell).map(|short| (short, near_place(short)));
        if let Some((short, place)) = near
            && self.near_assets[place].0 == short
            && self.near_assets[place].1 == upper
            && !cell.is_empty()
        {
            return Ok(self.near_assets[place].2);
        }
        let id = self.asset_of_any(view, expr, time)?;
        if let Some((short, place)) = near
            && matches!(
                self.assets.get(&*view.asset_text(expr)?),
                Some(Resolved::Always(_))
            )
        {
            self.near_assets[place] = (short, upper, id);
        }
        Ok(id)
    }

    fn asset_of_any(
        &mut self,
        view: &RowView<'_>,
        expr: &Expr,
        time: Time,
    ) -> Result<NameId, RowError> {
        let stated = address_of(expr);
        if let Some(id) = self.constant(stated) {
            return Ok(id);
        }
        let code = view.asset_text(expr)?;
        if code.is_empty() && matches!(expr, Expr::GivenAsset) {
            return Err(RowError::new(
                "this export does not say which asset it is about, and nobody else did: add `--asset BTC` (or its code)",
            ));
        }
        if let Some(Resolved::Always(id)) = self.assets.get(&*code) {
            self.constants.extend(stated.map(|stated| (stated, *id)));
            return Ok(*id);
        }
        let resolved = match self.assets.get(&*code) {
            Some(resolved) => resolved.clone(),
            None => {
                let resolved = self.resolve(&code).map_err(|message| RowError {
                    column: column_of(expr),
                    message,
                })?;
                if self.assets.len() >= MAX_CACHED {
                    self.assets.clear();
                }
                self.assets.insert(code.to_vec().into(), resolved.clone());
                resolved
            }
        };
        Ok(match resolved {
            Resolved::Always(id) => id,
            Resolved::Dated(code) => {
                self.names
                    .assets
                    .id(self.file.program.aliases.at(&code, time))
            }
        })
    }

    fn resolve(&self, code: &[u8]) -> Result<Resolved, String> {
        let text = String::from_utf8_lossy(code);
        let text = text.trim();
        if text.is_empty() {
            return Err("the asset is blank".to_owned());
        }
        if text.len() > MAX_CODE_BYTES || text.chars().any(char::is_control) {
            return Err("this is no code of an asset".to_owned());
        }
        Ok(match self.file.program.aliases.meaning(text) {
            Meaning::Always(code) => Resolved::Always(self.names.assets.id(&code)),
            Meaning::Dated(code) => Resolved::Dated(code.into()),
        })
    }

    /// The account that a template means for this row: a blank part goes with its slash, and the name that the person gave
    /// stands for the first part.
    fn account(&mut self, view: &RowView<'_>, parts: &[Expr]) -> Result<NameId, RowError> {
        let stated = match parts {
            [only] => address_of(only),
            _ => None,
        };
        if let Some(id) = self.constant(stated) {
            return Ok(id);
        }
        let mut name = std::mem::take(&mut self.text_scratch);
        name.clear();
        let mut built = Ok(());
        for part in parts {
            match view.text(part) {
                Ok(text) if text.is_empty() => {
                    if name.last() == Some(&b'/') {
                        name.pop();
                    }
                }
                Ok(text) => name.extend_from_slice(&text),
                Err(error) => built = Err(error),
            }
        }
        let found = built.and_then(|()| {
            if let Some(id) = self.accounts.get(name.as_slice()) {
                self.constants.extend(stated.map(|stated| (stated, *id)));
                return Ok(*id);
            }
            let text = String::from_utf8_lossy(&name);
            let text = text.trim().trim_matches('/');
            let whole = match (&self.file.account, text.split_once('/')) {
                (Some(given), Some((_, rest))) => format!("{given}/{rest}"),
                (Some(given), None) => given.clone(),
                (None, _) => text.to_owned(),
            };
            if whole.is_empty()
                || whole.len() > MAX_ACCOUNT_BYTES
                || whole.chars().any(char::is_control)
            {
                return Err(RowError::new("this row gives no name of an account"));
            }
            let id = self.names.accounts.id(&whole);
            if self.accounts.len() >= MAX_CACHED {
                self.accounts.clear();
            }
            self.accounts.insert(name.as_slice().into(), id);
            Ok(id)
        });
        self.text_scratch = name;
        found
    }

    /// What the rows of one group share. Of one expression the instant may be known already.
    fn group_key(
        &mut self,
        view: &RowView<'_>,
        rule: usize,
        group: &Group,
        known: Option<(&Expr, Time)>,
    ) -> Result<u128, RowError> {
        let mut bytes = std::mem::take(&mut self.hash_scratch);
        bytes.clear();
        bytes.extend_from_slice(self.file.scope());
        bytes.extend_from_slice(&rule.to_le_bytes());
        let mut built = Ok(());
        let mut blank = true;
        for expr in &group.key {
            bytes.push(0xff);
            let value = match known {
                Some((of, time)) if are_one_column(of, expr) => Ok(Value::Time(time)),
                _ => view.evaluate(expr),
            };
            blank &= match &value {
                Ok(Value::Blank) => true,
                Ok(Value::Text(text)) => text.is_empty(),
                _ => false,
            };
            match value {
                Ok(Value::Blank) => {}
                Ok(Value::Text(text)) => bytes.extend_from_slice(&text),
                Ok(Value::Amount(amount)) => amount.write_to(&mut bytes),
                Ok(Value::Time(time)) => bytes.extend_from_slice(&time.ns().to_le_bytes()),
                Ok(Value::Truth(truth)) => bytes.push(u8::from(truth)),
                Err(error) => built = Err(error),
            }
        }
        let hash = xxh3_128(&bytes).max(1);
        self.hash_scratch = bytes;
        built?;
        // Rows that say nothing have nothing in common.
        if blank && !group.key.is_empty() && !group.adjacent {
            return Err(RowError::new(
                "nothing tells which rows it belongs to: what they should share is blank",
            ));
        }
        Ok(hash)
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

/// Where a code is kept among those met last.
#[inline]
fn near_place(code: Short) -> usize {
    (code.mixed() >> 56) as usize % NEAR
}

/// A code of one to seven bytes and whether it is to be written large as a number: another for any other, and never 0.
#[inline(always)]
fn code_key(code: Option<Short>, upper: bool) -> Option<u64> {
    let [first, _, length] = code?.numbers();
    (1..=7)
        .contains(&length)
        .then(|| first | length << 56 | u64::from(upper) << 63)
}

/// Where a code is kept among those that fit one number.
#[inline(always)]
fn code_place(key: u64) -> usize {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % NEAR
}

/// Ends an event whose texts are not all just cells. `None` where one of them cannot be told.
#[inline(never)]
fn end_with_any_texts(
    view: &RowView<'_>,
    event: &EventPlan<'_>,
    at: u32,
    head: &EventHead,
    batch: &mut Batch,
) -> Option<()> {
    let mut texts: [Cow<[u8]>; TEXT_COUNT] = Default::default();
    for (nth, text) in &event.texts {
        texts[*nth] = match text {
            TextPlan::Cell(at) => Cow::Borrowed(trim(view.record.get(*at).unwrap_or_default())),
            TextPlan::Other(expr) => view.text(expr).ok()?,
        };
    }
    batch.end_event(at, head, &texts.each_ref().map(|text| &**text));
    Some(())
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

fn test_of(file: &FileContext, candidate: Candidate) -> &Test {
    match candidate {
        Candidate::Skip(index) => &file.program.skips[index].test,
        Candidate::Rule(index) => &file.program.rules[index].test,
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

/// Where the text of a literal stands: it tells one literal of the program from all others.
fn address_of(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Text(text) if !text.is_empty() => Some(text.as_ptr().addr()),
        _ => None,
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

/// The empty cell, and its number in a choice column.
fn empty_word(program: &Program, nth: usize) -> (Short, u32) {
    (Short::default(), program.dispatch.word_number(nth, b""))
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

/// How explain shows a typed cell.
pub fn show_cell(view: &RowView<'_>, column: usize) -> String {
    let cell = view.cell(column);
    match (
        &view.file.program.columns[column].cell,
        view.typed_cell(column, cell.clone()),
    ) {
        (_, Err(error)) => format!("error: {}", error.message),
        (Cell::Money(reader), _) if !cell.is_empty() => match reader.read(&cell) {
            Ok((amount, asset)) => format!(
                "{amount} {}",
                asset.map_or(String::new(), |asset| String::from_utf8_lossy(asset)
                    .into_owned())
            ),
            Err(error) => format!("error: {error}"),
        },
        (Cell::Pair(reader), _) if !cell.is_empty() => match reader.read(&cell) {
            Ok((base, quote)) => format!(
                "{} for {}",
                String::from_utf8_lossy(base),
                String::from_utf8_lossy(quote)
            ),
            Err(error) => format!("error: {error}"),
        },
        (_, Ok(value)) => show_value(&value),
    }
}

fn show_value(value: &Value<'_>) -> String {
    match value {
        Value::Blank => "(blank)".to_owned(),
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Amount(amount) => Amount::to_string(amount),
        Value::Time(time) => time.to_string(),
        Value::Truth(truth) => truth.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{Opened, Options, PathRule, open};
    use crate::input::{CutMode, RecordReader, discover};
    use crate::mapping::Library;
    use crate::mapping::cell::Zone;

    /// All that a batch says.
    fn said(batch: &Batch) -> String {
        let outcomes = |row: super::super::batch::Row| (row.row, row.line, row.outcome);
        format!(
            "{:?}",
            (
                batch.arena(),
                batch.rows(&batch.arena()).map(outcomes).collect::<Vec<_>>(),
                &batch.rejects,
                &batch.keys,
                (&batch.balances, &batch.uniques, &batch.unclassified),
                (&batch.given_ids, &batch.broken),
                batch
                    .sums
                    .iter()
                    .filter(|(.., sum)| !sum.is_zero())
                    .collect::<Vec<_>>(),
                batch
                    .kept
                    .iter()
                    .collect::<std::collections::BTreeMap<_, _>>(),
                batch.records_read,
            )
        )
    }

    fn add_line(text: &mut Vec<u8>, cells: &[&[u8]]) {
        for (nth, cell) in cells.iter().enumerate() {
            let quoted = String::from_utf8_lossy(cell).replace('"', "\"\"");
            text.extend_from_slice(if nth > 0 { b",\"" } else { b"\"" });
            text.extend_from_slice(quoted.as_bytes());
            text.push(b'"');
        }
        text.push(b'\n');
    }

    /// The samples' rows as they are, and each with other texts in its cells, one after the other.
    #[test]
    fn a_plan_says_the_same_as_its_rule() {
        const OTHERS: [&[u8]; 8] = [b"", b"0", b"-1", b" 2.50 ", b"x", b"0.0", b"1,000", b"USD"];
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
        let library = Library::built_in();
        let zone = Zone::parse("Europe/Paris").unwrap();
        let everywhere = PathRule {
            value: zone,
            path: None,
            folder: None,
        };
        let options = Options {
            zones: vec![everywhere],
            ..Options::default()
        };
        let (mut rows, mut events) = (0, 0);
        for source in discover(&[folder.to_owned()]).unwrap().sources {
            let Ok(Ok(Opened {
                document,
                detected,
                context,
            })) = open(&source, &library, &options)
            else {
                continue;
            };
            let mut text = Vec::new();
            let mut reader = RecordReader::new(context.delimiter);
            let mut chunks =
                document.into_chunks(detected.start, context.delimiter, CutMode::Exact);
            while let Ok(Some(chunk)) = chunks.next() {
                let mut records = reader.start(&chunk.text);
                while let Ok(Some(record)) = records.next() {
                    let cells: Vec<&[u8]> = record.iter().collect();
                    add_line(&mut text, &cells);
                    for nth in 0..cells.len() {
                        let mut others = cells.clone();
                        others[nth] = OTHERS[(rows + nth) % OTHERS.len()];
                        add_line(&mut text, &others);
                    }
                    rows += 1;
                }
            }
            let names = [RunNames::default(), RunNames::default()];
            let [mut by_plan, mut by_rule] = [0, 1].map(|nth| Worker::new(&context, &names[nth]));
            let [mut planned, mut ruled] = [Batch::default(), Batch::default()];
            by_plan.expect_utf_8(true);
            by_rule.expect_utf_8(true);
            let mut reader = RecordReader::new(b',');
            let mut records = reader.start(&text);
            while let Ok(Some(record)) = records.next() {
                by_plan.read_row(record, &mut planned);
                ruled.records_read += 1;
                by_rule.read_any(record, &mut ruled);
            }
            events += planned.keys.len();
            let equal = said(&planned) == said(&ruled);
            assert!(equal, "{}", source.name());
            assert_eq!(names[0].assets.texts(), names[1].assets.texts());
            assert_eq!(names[0].accounts.texts(), names[1].accounts.texts());
        }
        assert!(
            rows > 1000 && events > 5 * rows,
            "{rows} rows, {events} events"
        );
    }
}
