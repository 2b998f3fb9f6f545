//! What came of a run of rows: compact, without pointers, in the order of the rows.
//!
//! The events of a batch lie in one byte arena, one after the other, each with all that was read of it: its time, the hash
//! of its row, its legs and texts. An amount lies there as it is written, so that a writer copies it. A million rows cost a
//! few allocations, and an arena can be put aside in a file as it is.

mod draft;
mod event;
mod layout;

use std::borrow::Cow;
use std::io;

use rustc_hash::FxHashMap;

use super::aside::{Aside, Held, Memory, Shelves};
use super::evaluate::trim;
use super::sums::Sums;
use crate::input::CellText;
use crate::model::{Amount, Kind, NameId};

use draft::Draft;
pub use draft::{EventHead, NewAmount, NewLeg};
pub use event::{Event, Leg, LegText, Legs, events};

/// The rows of one chunk of a file.
#[derive(Default)]
pub struct Batch {
    /// Lines of the file before this chunk.
    pub lines_before: u64,
    /// How many records the reader gave, counted apart from what became of them.
    pub records_read: u64,
    /// How many rows made events.
    pub rows_with_events: u64,
    /// Rows that made none, in their order.
    pub other_rows: Vec<Row>,
    pub rejects: Vec<Reject>,
    pub balances: Vec<BalanceRecord>,
    pub uniques: Vec<UniqueRecord>,
    /// What the rows moved, until that is put together with the other batches.
    pub sums: Sums,
    /// Rows that may yet be rejected with others, as they stand in a stream that cannot be read again: by number of the row.
    pub kept: FxHashMap<u32, Box<[u8]>>,
    /// Events that have their id already, in their order: place, and id.
    pub given_ids: Vec<(u32, u64)>,
    /// Places of the events that were left unclassified.
    pub unclassified: Vec<u32>,
    /// Groups of which a row could not be read.
    pub broken: Vec<BrokenGroup>,
    /// Times and places of the events, until they are put together with those of the other batches.
    pub keys: Vec<Key>,
    /// Number of this batch within its file.
    number: u32,
    /// How many rows the batch has so far.
    row_count: u32,
    /// Whether the row that is being read has an event already.
    row_has_event: bool,
    draft: Draft,
    lying: Lying,
}

/// Where the events of a batch lie.
#[derive(Default)]
enum Lying {
    /// In the arena in which they were made.
    #[default]
    Made,
    Held(Held),
    Aside(Aside),
}

/// Where an event lies: its batch, and its place in the batch's arena. Ordered as the rows stand in the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventRef {
    pub batch: u32,
    /// In bytes.
    pub event: u32,
}

/// A place in the order of time, then of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub time_ns: i64,
    pub at: EventRef,
}

/// A group of which a row could not be read: it is not complete.
#[derive(Clone, Copy, Debug)]
pub struct BrokenGroup {
    pub key: u128,
    /// None if the row's time could not be read either.
    pub time_ns: Option<i64>,
    /// 0-based line within the chunk.
    pub line: u32,
}

/// One row and what became of it when it was read.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Number within the batch.
    pub row: u32,
    /// 0-based line within the chunk.
    pub line: u32,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its events, of which the first lies here in the arena.
    Events { first: u32 },
    /// The skip rule of the mapping, or one of the language's own reasons.
    Skipped(SkipReason),
    /// Index in `Batch::rejects`.
    Rejected(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    Rule(u32),
    HeaderAgain,
    BlankRow,
}

/// A row that could not be understood.
#[derive(Clone, Debug)]
pub struct Reject {
    /// The column at fault, as the mapping calls it.
    pub column: Option<usize>,
    pub reason: String,
    /// The record as it stands in the file, without its line end.
    pub record: Box<[u8]>,
}

/// The balance that the source states after a row.
#[derive(Clone, Copy, Debug)]
pub struct BalanceRecord {
    /// Place of the event.
    pub event: u32,
    pub account: NameId,
    pub asset: NameId,
    pub amount: Amount,
}

/// A row's id of which the mapping says that no two rows share it.
#[derive(Clone, Copy, Debug)]
pub struct UniqueRecord {
    /// Place of the row's first event.
    pub event: u32,
    pub column: u32,
    pub id: u128,
}

impl Batch {
    /// An empty batch, the nth of its file, with room for the rows of a text of this length. `memory` is used again.
    pub fn for_text(number: u32, lines_before: u64, text_bytes: usize, memory: Vec<u8>) -> Batch {
        Batch {
            number,
            lines_before,
            draft: Draft::in_memory(memory, text_bytes),
            ..Batch::default()
        }
    }

    /// The events as they lie, unless they were put aside.
    #[inline]
    pub fn held(&self) -> Option<&[u8]> {
        match &self.lying {
            Lying::Held(held) => Some(held),
            Lying::Made => Some(self.draft.made()),
            Lying::Aside(_) => None,
        }
    }

    /// The events as they lie, read again if they were put aside.
    ///
    /// # Panics
    /// If they cannot be read again: the disk fails.
    pub fn arena(&self) -> Cow<'_, [u8]> {
        if let Some(arena) = self.held() {
            return Cow::Borrowed(arena);
        }
        let mut arena = Vec::new();
        self.read_aside(&mut arena)
            .expect("rows that were put aside in a temporary file can be read again");
        Cow::Owned(arena)
    }

    /// Where the events lie that were put aside.
    pub fn aside(&self) -> Option<&Aside> {
        match &self.lying {
            Lying::Aside(aside) => Some(aside),
            _ => None,
        }
    }

    /// Reads the events that were put aside.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_aside(&self, into: &mut Vec<u8>) -> io::Result<()> {
        match &self.lying {
            Lying::Aside(aside) => aside.read(into),
            _ => Ok(()),
        }
    }

    /// Puts the events where they stay: in memory if there is room. Gives back the memory in which they were made.
    ///
    /// # Errors
    /// When they cannot be put aside.
    pub(super) fn keep(
        &mut self,
        memory: Option<&Memory>,
        shelves: Option<&Shelves>,
    ) -> io::Result<Vec<u8>> {
        let draft = std::mem::take(&mut self.draft);
        let arena = draft.made();
        let aside = match memory {
            Some(memory) => memory.place(arena, self.keys.len())?,
            None => None,
        };
        self.lying = match (aside, shelves) {
            (Some(aside), _) => Lying::Aside(aside),
            (None, Some(shelves)) => Lying::Held(shelves.hold(arena)),
            (None, None) => Lying::Held(Held::Bytes(arena.into())),
        };
        Ok(draft.into_memory())
    }

    /// The id that an event has already, if it has one.
    pub fn given_id(&self, event: u32) -> Option<u64> {
        if self.given_ids.is_empty() {
            return None;
        }
        let place = self
            .given_ids
            .binary_search_by_key(&event, |(event, _)| *event);
        place.ok().map(|place| self.given_ids[place].1)
    }

    /// Number of the row that is being read.
    pub fn row(&self) -> u32 {
        self.row_count
    }

    /// Where the next event will lie.
    pub fn place(&self) -> u32 {
        self.draft.place()
    }

    /// Ends a row that made events.
    pub fn end_row(&mut self) {
        self.rows_with_events += 1;
        self.row_count += 1;
        self.row_has_event = false;
    }

    /// Ends a row that made none.
    pub fn end_other_row(&mut self, line: u32, outcome: Outcome) {
        self.other_rows.push(Row {
            row: self.row_count,
            line,
            outcome,
        });
        self.row_count += 1;
        self.row_has_event = false;
    }

    /// Begins an event of the row that is being read; where it will lie. Its legs come first.
    #[inline(always)]
    pub fn begin_event(&mut self) -> u32 {
        self.draft.begin();
        self.place()
    }

    /// Adds a leg to the event that was begun. Of several legs, those of zero say nothing and are left out.
    #[inline(always)]
    pub fn add_leg(&mut self, leg: &NewLeg<'_>) {
        self.draft.add_leg(leg);
    }

    /// How many legs the event has that was begun, and whether all of them are of zero.
    #[inline]
    pub fn legs_so_far(&self) -> (usize, bool) {
        (self.draft.moved().len(), self.draft.is_only_zero())
    }

    /// Begins the texts of the event that was begun. They follow its legs, each once at most, by their numbers.
    #[inline(always)]
    pub fn begin_texts(&mut self) {
        self.draft.begin_texts();
    }

    /// Adds a text, unless it is empty.
    #[inline(always)]
    pub fn add_text(&mut self, nth: usize, text: &[u8]) {
        self.draft.put_text_nth(nth, text);
    }

    /// Adds a text that is a cell, without the blanks around it.
    #[inline(always)]
    pub fn add_cell(&mut self, nth: usize, cell: CellText<'_>) {
        let length = cell.length();
        let is_letter = |byte: u8| byte > b' ' && byte < 0x7f;
        match cell.block() {
            _ if length == 0 => {}
            Some(block)
                if length <= 16 && is_letter(block[0]) && is_letter(block[(length - 1) % 16]) =>
            {
                self.draft.put_block_nth(nth, block, length);
            }
            _ => self.add_any_cell(nth, cell),
        }
    }

    #[inline(never)]
    fn add_any_cell(&mut self, nth: usize, cell: CellText<'_>) {
        self.add_text(nth, trim(cell.bytes()));
    }

    /// Ends the event that was begun at `at`, behind its texts.
    #[inline]
    pub fn end_event(&mut self, at: u32, event: &EventHead) {
        let is_first_of_row = !std::mem::replace(&mut self.row_has_event, true);
        self.draft.finish(self.row_count, is_first_of_row, event);
        for (account, asset, amount) in self.draft.moved() {
            self.sums.add(*account, *asset, *amount);
        }
        if event.kind == Kind::Unclassified {
            self.unclassified.push(at);
        }
        self.keys.push(Key {
            time_ns: event.time.ns(),
            at: EventRef {
                batch: self.number,
                event: at,
            },
        });
    }

    /// Forgets the events of the row that is being read, and what they added to the sums.
    pub fn drop_events_from(&mut self, first: u32) {
        let dropped = events(&self.draft.made()[first as usize..]);
        for leg in dropped.flat_map(|(_, event)| event.legs()) {
            let leg = leg.read();
            self.sums.sub(leg.account, leg.asset, leg.amount);
        }
        self.row_has_event = false;
        self.draft.truncate(first);
        self.keys.retain(|key| key.at.event < first);
        self.given_ids.retain(|(event, _)| *event < first);
        self.unclassified.retain(|event| *event < first);
        self.balances.retain(|balance| balance.event < first);
        self.uniques.retain(|unique| unique.event < first);
    }

    /// All rows in their order, from the batch's arena wherever that is kept.
    pub fn rows<'b>(&'b self, arena: &'b [u8]) -> impl Iterator<Item = Row> + 'b {
        let mut others = self.other_rows.iter().copied().peekable();
        let mut events = events(arena).peekable();
        std::iter::from_fn(move || {
            let next = events.peek().map(|(at, event)| (*at, *event));
            let other =
                others.next_if(|other| next.is_none_or(|(_, event)| other.row < event.row()));
            if other.is_some() {
                return other;
            }
            let (first, event) = next?;
            while events
                .next_if(|(_, other)| other.row() == event.row())
                .is_some()
            {}
            Some(Row {
                row: event.row(),
                line: event.line(),
                outcome: Outcome::Events { first },
            })
        })
    }

    /// Line of a row in the file as the person sees it, 1-based.
    pub fn line(&self, in_chunk: u32) -> u64 {
        self.lines_before + 1 + u64::from(in_chunk)
    }
}

#[cfg(test)]
impl Batch {
    /// A batch of one event for each note, in memory or put aside.
    pub fn of_notes(notes: &[String], is_aside: bool) -> Batch {
        let mut batch = Batch::default();
        for note in notes {
            tests::put(&mut batch, &[], note.as_bytes());
            batch.end_row();
        }
        let memory = Memory::new(0, std::env::temp_dir(), 0);
        batch.keep(is_aside.then_some(&memory), None).unwrap();
        batch
    }
}

#[cfg(test)]
mod tests;
