//! Over all rows of all files: what overlaps, what belongs together, in which order; and the proof that nothing was lost.
//!
//! Comes in: the files' rows in batches. Goes out: a [`Ledger`]: events in their order with their legs and ids, a fate for
//! every row, and what the proof has to say. Nothing here reads or writes a file.

mod balances;
mod event;
mod groups;
mod overlap;
mod proof;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::convert::{Batch, FileContext, FileRows, Outcome, RunNames, SkipReason};
use crate::model::{Fate, Time};

pub use balances::{BalanceBreak, BalanceCheck};
pub use event::{Event, EventView, RowPlace};
pub use proof::{NameTexts, Totals};

/// One event of one batch. Ordered as the rows stand in the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventRef {
    pub batch: u32,
    pub event: u32,
}

/// A file whose rows were read.
pub struct LedgerFile {
    pub name: String,
    pub rows: FileRows,
    /// Number of its first batch among all.
    first_batch: u32,
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
    /// Rows of each group, in the order of the files.
    groups: Vec<Box<[EventRef]>>,
    /// File of each batch, and its number within the file.
    places: Vec<(u32, u32)>,
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

/// A place in the order of time, then of the files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time_ns: i64,
    at: EventRef,
}

impl Ledger {
    /// Puts the rows of all files together. The order in which the files come does not matter: they are taken by name.
    pub fn build(files: Vec<(String, FileRows)>, names: RunNames, period: Period) -> Ledger {
        let mut files: Vec<LedgerFile> = files
            .into_iter()
            .map(|(name, rows)| LedgerFile {
                name,
                rows,
                first_batch: 0,
            })
            .collect();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        let mut places = Vec::new();
        for (index, file) in files.iter_mut().enumerate() {
            file.first_batch = number(places.len());
            places.extend((0..file.rows.batches.len()).map(|nth| (number(index), number(nth))));
        }
        let balances = balances::check(&files);
        let mut ledger = Ledger {
            files,
            names,
            events: Vec::new(),
            balances,
            dropped: FxHashMap::default(),
            occurrences: FxHashMap::default(),
            groups: Vec::new(),
            places,
        };
        let keys = ledger.sorted_keys();
        overlap::find(&mut ledger, &keys);
        overlap::reject_conflicts(&mut ledger);
        let mut events: Vec<Event> = Vec::with_capacity(keys.len());
        let mut grouped: Vec<EventRef> = Vec::new();
        for key in keys {
            if !ledger.dropped.is_empty() && ledger.dropped.contains_key(&key.at) {
                continue;
            }
            if ledger.record(key.at).group().is_some() {
                grouped.push(key.at);
            } else {
                events.push(Event::single(key.time_ns, key.at));
            }
        }
        if !grouped.is_empty() {
            events.extend(groups::form(&mut ledger, &grouped));
            events.par_sort_unstable();
        }
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
        ledger
    }

    fn sorted_keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> =
            Vec::with_capacity(self.batches().map(|(_, batch)| batch.events.len()).sum());
        for (index, batch) in self.batches() {
            let key = |(event, record): (usize, &crate::convert::EventRecord)| Key {
                time_ns: record.time().ns(),
                at: EventRef {
                    batch: index,
                    event: number(event),
                },
            };
            keys.extend(batch.events.iter().enumerate().map(key));
        }
        keys.par_sort_unstable();
        keys
    }

    /// All batches with their numbers, in the order of the files.
    fn batches(&self) -> impl Iterator<Item = (u32, &Batch)> {
        self.files
            .iter()
            .flat_map(|file| (file.first_batch..).zip(&file.rows.batches))
    }

    pub fn batch(&self, at: EventRef) -> &Batch {
        let (file, nth) = self.places[at.batch as usize];
        &self.files[file as usize].rows.batches[nth as usize]
    }

    pub fn file_index(&self, at: EventRef) -> usize {
        self.places[at.batch as usize].0 as usize
    }

    pub fn file(&self, at: EventRef) -> &LedgerFile {
        &self.files[self.file_index(at)]
    }

    pub fn record(&self, at: EventRef) -> &crate::convert::EventRecord {
        &self.batch(at).events[at.event as usize]
    }

    /// Line of the row that an event was made from, 1-based.
    pub fn line(&self, at: EventRef) -> u64 {
        self.batch(at).line_of(at.event as usize)
    }

    /// All events of the row that an event was made from.
    fn events_of_row(&self, at: EventRef) -> Vec<EventRef> {
        let batch = self.batch(at);
        match batch.rows[batch.events[at.event as usize].row as usize].outcome {
            Outcome::Events { first, count } => (first..first + count)
                .map(|event| EventRef {
                    batch: at.batch,
                    event,
                })
                .collect(),
            _ => vec![at],
        }
    }

    /// The fate of a row: `batch` counts within the file.
    pub fn fate(&self, file: usize, batch: usize, row: usize) -> RowFate {
        let ledger_file = &self.files[file];
        let of_file = &ledger_file.rows.batches[batch];
        let program = &ledger_file.rows.context.program;
        let plain = |fate, reason: String| RowFate {
            fate,
            event: None,
            reason,
            column: None,
        };
        match of_file.rows[row].outcome {
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
                let reject = &of_file.rejects[index as usize];
                RowFate {
                    column: reject.column,
                    ..plain(Fate::Rejected, reject.reason.clone())
                }
            }
            Outcome::Events { first, .. } => {
                let at = EventRef {
                    batch: ledger_file.first_batch + number(batch),
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

    /// How the rows of a file ended.
    pub fn counts(&self, file: usize) -> Counts {
        let mut counts = Counts::default();
        let ledger_file = &self.files[file];
        for (nth, batch) in ledger_file.rows.batches.iter().enumerate() {
            counts.read += batch.records_read;
            for row in &batch.rows {
                match row.outcome {
                    Outcome::Skipped(_) => counts.skipped += 1,
                    Outcome::Rejected(_) => counts.rejected += 1,
                    Outcome::Events { first, .. } => {
                        let at = EventRef {
                            batch: ledger_file.first_batch + number(nth),
                            event: first,
                        };
                        match if self.dropped.is_empty() {
                            None
                        } else {
                            self.dropped.get(&at)
                        } {
                            None => counts.used += 1,
                            Some(Dropped::DuplicateOf(_)) => counts.duplicate += 1,
                            Some(Dropped::Rejected(_)) => counts.rejected += 1,
                            Some(Dropped::OutsidePeriod) => counts.skipped += 1,
                        }
                    }
                }
            }
        }
        counts
    }

    /// The events that another file tells too, with their times.
    pub fn duplicates(&self) -> impl Iterator<Item = (EventRef, Time)> {
        let is_duplicate =
            |(_, dropped): &(&EventRef, &Dropped)| matches!(dropped, Dropped::DuplicateOf(_));
        self.dropped
            .iter()
            .filter(is_duplicate)
            .map(|(at, _)| (*at, self.record(*at).time()))
    }

    /// The record of a rejected row as it stands in its file, where it is kept (rows that were rejected when they were
    /// read); the others must be read again.
    pub fn rejected_record(&self, file: usize, batch: usize, row: usize) -> Option<&[u8]> {
        let of_file = &self.files[file].rows.batches[batch];
        match of_file.rows[row].outcome {
            Outcome::Rejected(index) => Some(&of_file.rejects[index as usize].record),
            _ => of_file.kept.get(&number(row)).map(|record| &**record),
        }
    }

    pub fn context(&self, file: usize) -> &FileContext {
        &self.files[file].rows.context
    }
}

/// Counts of batches, events and rows fit 32 bits: a batch is a chunk of a file, and a chunk is small.
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2^32")
}
