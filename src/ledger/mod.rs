//! Over all rows of all files: what overlaps, what belongs together, in which order; and the proof that nothing was lost.
//!
//! Comes in: the files' rows in batches. Goes out: a [`Ledger`]: events in their order with their legs and ids, a fate for
//! every row, and what the proof has to say. Nothing here reads or writes a file.

mod balances;
mod event;
mod groups;
mod loaded;
mod order;
mod overlap;
mod proof;
mod repeated;

use std::io;
use std::ops::Range;

use rustc_hash::FxHashMap;

use self::groups::Groups;
use self::loaded::{Loaded, Way};

use crate::convert::{
    Batch, EventRecord, FileContext, FileRows, Key, Outcome, RunNames, SkipReason, events,
};
use crate::mapping::Program;
use crate::model::{Fate, Time};

pub use crate::convert::EventRef;

pub use balances::{BalanceBreak, BalanceCheck};
pub use event::{Event, EventView, RowPlace, Views};
pub use proof::{NameTexts, Totals};

/// A file whose rows were read.
pub struct LedgerFile {
    pub name: String,
    pub rows: FileRows,
    /// Which of all batches are its own.
    batches: Range<usize>,
}

/// From when and until when events are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period {
    /// Earliest instant, included.
    pub since: Option<Time>,
    /// First instant that is too late.
    pub until: Option<Time>,
}

impl Period {
    fn holds(self, time_ns: i64) -> bool {
        self.since.is_none_or(|since| since.ns() <= time_ns)
            && self.until.is_none_or(|until| time_ns < until.ns())
    }
}

/// How many rows are brought back at a time at most, where rows were put aside.
const ROWS_AT_ONCE: usize = 1 << 16;

/// Of so many bytes that rows may take, one row is brought back at a time: some 200 bytes of them.
const MEMORY_FOR_A_ROW: u64 = 1 << 12;

/// What became of an event after it was read, if it is not simply in the ledger.
#[derive(Clone, Debug)]
pub(crate) enum Dropped {
    /// The same occurrence of the same row stands in another file.
    DuplicateOf(EventRef),
    /// A group of another shape, or an id that two different rows claim.
    Rejected(std::sync::Arc<str>),
    /// Outside the period that was asked for.
    OutsidePeriod,
}

/// Everything that was read, in its final order.
pub struct Ledger {
    pub files: Vec<LedgerFile>,
    pub names: RunNames,
    /// In the order of time, then of the files.
    pub events: Vec<Event>,
    pub balances: BalanceCheck,
    dropped: FxHashMap<EventRef, Dropped>,
    /// How many equal rows stand before this one, where there are any.
    occurrences: FxHashMap<EventRef, u32>,
    /// The rows of all groups, piece by piece.
    groups: Vec<Groups>,
    /// The rows of all files, in their order.
    batches: Vec<Batch>,
    /// File of each batch.
    file_of: Vec<u32>,
    /// Rows of the file before each batch.
    rows_before: Vec<u64>,
    /// Of the rows that were put aside, those that are wanted now.
    loaded: Loaded,
    /// Whether rows were put aside.
    has_aside: bool,
    /// How many of them are brought back at a time.
    rows_at_once: usize,
}

/// A row's fate, and the why.
#[derive(Clone, Debug)]
pub struct RowFate {
    pub fate: Fate,
    /// Which event it is in (the first, if it makes several).
    pub event: Option<EventRef>,
    /// Why it is not in the ledger.
    pub reason: String,
    /// The column at fault, as the mapping calls it.
    pub column: Option<usize>,
}

impl RowFate {
    /// The reason with the column at fault, by the mapping that read the row.
    pub fn told(self, program: &Program) -> String {
        match self.column.map(|column| &program.columns[column]) {
            Some(column) => format!("{}: {}", column.name, self.reason),
            None => self.reason,
        }
    }
}

/// How the rows of a file ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Counted by the reader of records.
    pub read: u64,
    pub used: u64,
    pub skipped: u64,
    pub duplicate: u64,
    pub rejected: u64,
}

impl Counts {
    /// Whether every row has one fate.
    pub fn all_accounted_for(self) -> bool {
        self.read == self.used + self.skipped + self.duplicate + self.rejected
    }

    pub fn add(&mut self, other: Counts) {
        self.read += other.read;
        self.used += other.used;
        self.skipped += other.skipped;
        self.duplicate += other.duplicate;
        self.rejected += other.rejected;
    }
}

/// A row of a file.
#[derive(Clone, Copy, Debug)]
pub struct FileRow {
    /// Number of its batch among all.
    batch: usize,
    row: crate::convert::Row,
    /// 1-based, in the file as the person sees it.
    pub line: u64,
    /// The id of the row's first event, if that is the row's alone; 0 if it has none.
    pub id: u64,
}

impl Ledger {
    /// Puts the rows of all files together. The order in which the files come does not matter: they are taken by name.
    ///
    /// `memory_bytes`: what rows may take, if that was said.
    ///
    /// # Errors
    /// When rows that were put aside cannot be read again.
    pub fn build(
        mut files: Vec<(String, FileRows)>,
        names: RunNames,
        period: Period,
        memory_bytes: Option<u64>,
    ) -> io::Result<Ledger> {
        files.sort_by(|one, other| one.0.cmp(&other.0));
        let mut ledger = Ledger {
            files: Vec::with_capacity(files.len()),
            names,
            events: Vec::new(),
            balances: BalanceCheck::default(),
            dropped: FxHashMap::default(),
            occurrences: FxHashMap::default(),
            groups: Vec::new(),
            batches: Vec::new(),
            file_of: Vec::new(),
            rows_before: Vec::new(),
            loaded: Loaded::default(),
            has_aside: false,
            rows_at_once: memory_bytes.map_or(ROWS_AT_ONCE, |bytes| {
                let rows = usize::try_from(bytes / MEMORY_FOR_A_ROW).unwrap_or(ROWS_AT_ONCE);
                rows.clamp(16, ROWS_AT_ONCE)
            }),
        };
        for (name, rows) in files {
            ledger.add_file(name, rows);
        }
        ledger.has_aside = ledger.batches.iter().any(|batch| batch.held().is_none());
        let (balances, claims) = rayon::join(
            || balances::check(&ledger),
            || overlap::repeated_claims(&ledger),
        );
        ledger.balances = balances;
        let mut keys = ledger.take_keys();
        order::sort(&mut keys, rayon::current_num_threads());
        overlap::find(&mut ledger, &keys)?;
        overlap::reject_conflicts(&mut ledger, claims);
        if !ledger.dropped.is_empty() {
            keys.retain(|key| !ledger.dropped.contains_key(&key.at));
        }
        let mut events = groups::form(&mut ledger, keys)?;
        if period.since.is_some() || period.until.is_some() {
            let (wanted, outside): (Vec<Event>, Vec<Event>) = events
                .into_iter()
                .partition(|event| period.holds(event.time_ns()));
            for event in outside {
                for member in ledger.members(&event).to_vec() {
                    ledger.dropped.insert(member, Dropped::OutsidePeriod);
                }
            }
            events = wanted;
        }
        ledger.events = events;
        Ok(ledger)
    }

    fn add_file(&mut self, name: String, mut rows: FileRows) {
        let first = self.batches.len();
        let file = number(self.files.len());
        let mut before = 0;
        for batch in std::mem::take(&mut rows.batches) {
            self.file_of.push(file);
            self.rows_before.push(before);
            before += u64::from(batch.row());
            self.batches.push(batch);
        }
        self.files.push(LedgerFile {
            name,
            rows,
            batches: first..self.batches.len(),
        });
    }

    /// Looks at events part by part: those of a part that were put aside are in memory while it is looked at.
    ///
    /// # Errors
    /// When rows cannot be read again, or the looking fails.
    pub fn in_parts(
        &mut self,
        events: &[Event],
        look: impl FnMut(&mut Ledger, &&[Event]) -> io::Result<()>,
    ) -> io::Result<()> {
        let at_once = self.at_once(self.rows_at_once, events.len());
        let parts: Vec<&[Event]> = events.chunks(at_once).collect();
        self.rows_in_parts(&parts, |ledger, part| ledger.members_of(part), look)
    }

    /// As [`Ledger::in_parts`], for parts of any kind. `rows`: those of a part.
    fn rows_in_parts<P>(
        &mut self,
        parts: &[P],
        rows: impl Fn(&Ledger, &P) -> Vec<EventRef>,
        mut look: impl FnMut(&mut Ledger, &P) -> io::Result<()>,
    ) -> io::Result<()> {
        if !self.has_aside {
            return parts.iter().try_for_each(|part| look(self, part));
        }
        let way = Way::to(&self.batches, parts.len(), |nth| rows(self, &parts[nth]))?;
        for (nth, part) in parts.iter().enumerate() {
            let wanted = rows(self, part);
            self.loaded.load(&self.batches, &way, nth, wanted)?;
            look(self, part)?;
        }
        Ok(())
    }

    /// How many things are looked at together: so few if rows were put aside, else all.
    fn at_once(&self, few: usize, all: usize) -> usize {
        if self.has_aside { few } else { all.max(1) }
    }

    /// The rows that some events are made of.
    fn members_of(&self, events: &[Event]) -> Vec<EventRef> {
        let members = events.iter().flat_map(|event| self.members(event));
        members.copied().collect()
    }

    /// The times and places of all events, in the order of the files.
    fn take_keys(&mut self) -> Vec<Key> {
        let mut all = Vec::new();
        let count: usize = self.files.iter().map(|file| file.rows.keys.len()).sum();
        for file in &mut self.files {
            let mut keys = std::mem::take(&mut file.rows.keys);
            let first = number(file.batches.start);
            if first > 0 {
                keys.iter_mut().for_each(|key| key.at.batch += first);
            }
            if all.is_empty() {
                all = keys;
                all.reserve_exact(count - all.len());
            } else {
                all.append(&mut keys);
            }
        }
        all
    }

    /// All batches with their numbers, in the order of the files.
    fn batches(&self) -> impl Iterator<Item = (u32, &Batch)> {
        (0..).zip(&self.batches)
    }

    /// Gives back the memory of all events and rows, of which nothing can be asked any more.
    pub fn forget(&mut self) {
        self.events = Vec::new();
        self.batches = Vec::new();
        self.files = Vec::new();
    }

    /// The batches of a file.
    pub fn batches_of(&self, file: usize) -> &[Batch] {
        &self.batches[self.files[file].batches.clone()]
    }

    #[inline]
    pub fn batch(&self, at: EventRef) -> &Batch {
        &self.batches[at.batch as usize]
    }

    pub fn file_index(&self, at: EventRef) -> usize {
        self.file_of[at.batch as usize] as usize
    }

    pub fn file(&self, at: EventRef) -> &LedgerFile {
        &self.files[self.file_index(at)]
    }

    /// A row's part in an event.
    ///
    /// # Panics
    /// If it was put aside and is not loaded.
    pub fn record(&self, at: EventRef) -> EventRecord<'_> {
        let record = match self.batch(at).held() {
            Some(arena) => EventRecord::at(arena, at.event),
            None => self.loaded.get(at),
        };
        record.expect("a place of the arena")
    }

    /// Line of the row that an event was made from, 1-based.
    pub fn line(&self, at: EventRef) -> u64 {
        let batch = self.batch(at);
        let of_chunk = |arena: &[u8]| EventRecord::at(arena, at.event).map(|event| event.line());
        let line = match self.loaded.get(at) {
            Some(event) => Some(event.line()),
            None => of_chunk(&batch.arena()),
        };
        batch.line(line.expect("a place of the arena"))
    }

    /// All events of a row, of which the first is given.
    fn events_of_row(&self, first: EventRef) -> Vec<EventRef> {
        let arena = self.batch(first).arena();
        let events: Vec<_> = events(&arena[first.event as usize..])
            .map(|(at, event)| (first.event + at, event.row()))
            .collect();
        let row = events[0].1;
        events
            .into_iter()
            .take_while(|(_, of_row)| *of_row == row)
            .map(|(event, _)| EventRef { event, ..first })
            .collect()
    }

    /// All rows of a file, in their order.
    pub fn rows(&self, file: usize) -> impl Iterator<Item = FileRow> {
        let range = self.files[file].batches.clone();
        range.flat_map(|number| {
            let batch = &self.batches[number];
            let arena = batch.arena();
            let rows: Vec<FileRow> = batch
                .rows(&arena)
                .map(|row| FileRow {
                    batch: number,
                    row,
                    line: batch.line(row.line),
                    id: self.id_of_outcome(number, row.outcome, &arena),
                })
                .collect();
            rows
        })
    }

    fn id_of_outcome(&self, batch: usize, outcome: Outcome, arena: &[u8]) -> u64 {
        let Outcome::Events { first } = outcome else {
            return 0;
        };
        let at = EventRef {
            batch: number(batch),
            event: first,
        };
        EventRecord::at(arena, first).map_or(0, |event| self.id_of_row(at, &event))
    }

    /// The ids of the events that are made of several rows, by row.
    ///
    /// # Errors
    /// When rows that were put aside cannot be read again.
    pub fn ids_of_groups(&self) -> io::Result<FxHashMap<EventRef, u64>> {
        let mut ids = FxHashMap::default();
        let at_once = self.at_once(self.rows_at_once, self.events.len());
        let parts: Vec<&[Event]> = self.events.chunks(at_once).collect();
        let groups = |nth: usize| {
            let members = parts[nth].iter().map(|event| self.members(event));
            members.filter(|members| members.len() > 1)
        };
        let wanted = |nth: usize| groups(nth).flatten().copied().collect();
        let way = Way::to(&self.batches, parts.len(), wanted)?;
        let mut loaded = Loaded::default();
        for nth in 0..parts.len() {
            loaded.load(&self.batches, &way, nth, wanted(nth))?;
            for members in groups(nth) {
                let record = |at: EventRef| {
                    let held = self.batch(at).held();
                    held.map_or_else(|| loaded.get(at), |arena| EventRecord::at(arena, at.event))
                        .expect("a place of the arena")
                };
                let id = self.id_of_rows(members, record);
                ids.extend(members.iter().map(|at| (*at, id)));
            }
        }
        Ok(ids)
    }

    /// The fate of a row.
    pub fn fate(&self, file: usize, row: &FileRow) -> RowFate {
        let ledger_file = &self.files[file];
        let batch = &self.batches[row.batch];
        let program = &ledger_file.rows.context.program;
        let plain = |fate, reason: String| RowFate {
            fate,
            event: None,
            reason,
            column: None,
        };
        match row.row.outcome {
            Outcome::Skipped(SkipReason::Rule(rule)) => {
                plain(Fate::Skipped, program.skips[rule as usize].because.clone())
            }
            Outcome::Skipped(SkipReason::HeaderAgain) => {
                plain(Fate::Skipped, "the header line again".to_owned())
            }
            Outcome::Skipped(SkipReason::BlankRow) => {
                plain(Fate::Skipped, "all cells are empty".to_owned())
            }
            Outcome::Rejected(index) => {
                let reject = &batch.rejects[index as usize];
                RowFate {
                    column: reject.column,
                    ..plain(Fate::Rejected, reject.reason.clone())
                }
            }
            Outcome::Events { first } => {
                let at = EventRef {
                    batch: number(row.batch),
                    event: first,
                };
                let with_event = |fate, reason: String| RowFate {
                    fate,
                    event: Some(at),
                    reason,
                    column: None,
                };
                match self.dropped.get(&at) {
                    None => with_event(Fate::Used, String::new()),
                    Some(Dropped::DuplicateOf(other)) => with_event(
                        Fate::Duplicate,
                        format!("{}:{}", self.file(*other).name, self.line(*other)),
                    ),
                    Some(Dropped::Rejected(reason)) => plain(Fate::Rejected, reason.to_string()),
                    Some(Dropped::OutsidePeriod) => {
                        plain(Fate::Skipped, "outside --since and --until".to_owned())
                    }
                }
            }
        }
    }

    /// The events that were left unclassified, by their first rows, in their order.
    pub fn unclassified(&self) -> Vec<EventRef> {
        let any = |(_, batch): (u32, &Batch)| !batch.unclassified.is_empty();
        if !self.batches().any(any) {
            return Vec::new();
        }
        let firsts = self.events.iter().map(|event| self.members(event)[0]);
        firsts
            .filter(|first| {
                let unclassified = &self.batch(*first).unclassified;
                unclassified.binary_search(&first.event).is_ok()
            })
            .collect()
    }

    /// How the rows of each file ended.
    pub fn counts(&self) -> Vec<Counts> {
        let of_batch = |counts: &mut Counts, batch: &Batch| {
            counts.read += batch.records_read;
            counts.used += batch.rows_with_events;
            for row in &batch.other_rows {
                match row.outcome {
                    Outcome::Rejected(_) => counts.rejected += 1,
                    _ => counts.skipped += 1,
                }
            }
        };
        let mut all: Vec<Counts> = self
            .files
            .iter()
            .map(|file| {
                let mut counts = Counts::default();
                self.batches[file.batches.clone()]
                    .iter()
                    .for_each(|batch| of_batch(&mut counts, batch));
                counts
            })
            .collect();
        // Of a row's events, the first tells what became of the row.
        let mut dropped: Vec<(&EventRef, &Dropped)> = self.dropped.iter().collect();
        dropped.sort_unstable_by_key(|(at, _)| **at);
        for of_batch in dropped.chunk_by(|one, other| one.0.batch == other.0.batch) {
            let batch = self.batch(*of_batch[0].0);
            let arena = batch.arena();
            let counts = &mut all[self.file_index(*of_batch[0].0)];
            for (at, dropped) in of_batch {
                let event = event_in(&arena, **at);
                if !event.is_first_of_row() {
                    continue;
                }
                counts.used -= 1;
                match dropped {
                    Dropped::DuplicateOf(_) => counts.duplicate += 1,
                    Dropped::Rejected(_) => counts.rejected += 1,
                    Dropped::OutsidePeriod => counts.skipped += 1,
                }
            }
        }
        all
    }

    /// The events that another file tells too, with their times.
    pub fn duplicates(&self) -> impl Iterator<Item = (EventRef, Time)> {
        let is_duplicate =
            |(_, dropped): &(&EventRef, &Dropped)| matches!(dropped, Dropped::DuplicateOf(_));
        let mut duplicates: Vec<EventRef> = self
            .dropped
            .iter()
            .filter(is_duplicate)
            .map(|(at, _)| *at)
            .collect();
        duplicates.sort_unstable();
        let of_batches = duplicates.chunk_by(|one, other| one.batch == other.batch);
        let timed: Vec<(EventRef, Time)> = of_batches
            .flat_map(|of_batch| {
                let arena = self.batch(of_batch[0]).arena();
                let time = |at: &EventRef| {
                    let event = event_in(&arena, *at);
                    (*at, event.time())
                };
                of_batch.iter().map(time).collect::<Vec<_>>()
            })
            .collect();
        timed.into_iter()
    }

    /// The record of a rejected row as it stands in its file, where it is kept (rows that were rejected when they were
    /// read); the others must be read again.
    pub fn rejected_record(&self, row: &FileRow) -> Option<&[u8]> {
        let batch = &self.batches[row.batch];
        match row.row.outcome {
            Outcome::Rejected(index) => Some(&batch.rejects[index as usize].record),
            _ => batch.kept.get(&row.row.row).map(|record| &**record),
        }
    }

    pub fn context(&self, file: usize) -> &FileContext {
        &self.files[file].rows.context
    }
}

/// The event that lies at a place of its batch's arena.
fn event_in(arena: &[u8], at: EventRef) -> EventRecord<'_> {
    EventRecord::at(arena, at.event).expect("a place of the arena")
}

/// Counts of batches, events and rows fit 32 bits: a batch is a chunk of a file, and a chunk is small.
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2^32")
}
