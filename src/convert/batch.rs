//! What came of a run of rows: compact, without pointers, in the order of the rows.
//!
//! The events of a batch lie in one byte arena, one after the other, each with all that was read of it: its time, the hash
//! of its row, its legs and texts. An amount lies there as it is written, so that a writer copies it. A million rows cost a
//! few allocations, and an arena can be put aside in a file as it is.

use std::borrow::Cow;
use std::io;

use rustc_hash::FxHashMap;

use super::aside::{Aside, Held, Memory};
use super::sums::Sums;
use crate::mapping::TEXT_COUNT;
use crate::model::short::{Within, up_to_seven};
use crate::model::{Amount, Kind, NameId, Role, Time};

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
    arena: Vec<u8>,
    lying: Lying,
    /// The event that is being made.
    draft: Draft,
    /// Legs of the event that is being made: what they add to the sums.
    moved: Vec<(NameId, NameId, Amount)>,
    /// Whether the only leg of the event that is being made is of zero.
    only_zero: bool,
    last_account: Option<NameId>,
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

/// One leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    pub account: NameId,
    pub asset: NameId,
    pub amount: Amount,
    pub role: Role,
    /// What the source says the leg was worth, and in what. Never below zero.
    pub value: Option<(Amount, NameId)>,
}

/// One leg as it lies in the arena: its amounts as they are written.
#[derive(Clone, Copy, Debug)]
pub struct LegText<'b> {
    pub account: NameId,
    pub asset: NameId,
    /// Whether the amount is below zero.
    pub negative: bool,
    pub role: Role,
    has_value: bool,
    currency: NameId,
    amount: Place,
    value: Place,
    /// From the head of its event on.
    bytes: &'b [u8],
}

/// Where a text lies, from the head of its event on.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    at: u32,
    length: u32,
}

impl<'b> LegText<'b> {
    /// The amount without its sign.
    #[inline(always)]
    pub fn amount(&self) -> Within<'b> {
        self.within(self.amount)
    }

    /// What it was worth, and in what.
    #[inline(always)]
    pub fn value(&self) -> Option<(Within<'b>, NameId)> {
        self.has_value
            .then(|| (self.within(self.value), self.currency))
    }

    #[inline(always)]
    fn within(&self, place: Place) -> Within<'b> {
        Within::new(self.bytes, place.at as usize, place.length as usize)
    }

    /// The leg with its amounts read.
    pub fn read(&self) -> Leg {
        let amount =
            |text: Within<'_>| Amount::parse(text.bytes()).expect("the arena was written by us");
        let magnitude = amount(self.amount());
        Leg {
            account: self.account,
            asset: self.asset,
            amount: if self.negative {
                magnitude.neg()
            } else {
                magnitude
            },
            role: self.role,
            value: self
                .value()
                .map(|(text, currency)| (amount(text), currency)),
        }
    }
}

/// An amount that is put into the arena: with its text as its source wrote it, where that is how it is written here.
#[derive(Clone, Copy, Debug)]
pub struct NewAmount<'a> {
    pub amount: Amount,
    /// The canonical text without the sign; empty if there is none.
    pub(super) text: &'a [u8],
    /// It and what follows it, where it is so short and so much follows.
    pub(super) block: Option<&'a [u8; 16]>,
}

impl<'a> NewAmount<'a> {
    /// An amount with its canonical text without the sign.
    #[inline(always)]
    pub fn written(amount: Amount, text: &'a [u8]) -> NewAmount<'a> {
        NewAmount {
            amount,
            text,
            block: None,
        }
    }

    /// As [`NewAmount::written`], with the text that a block begins with.
    #[inline(always)]
    pub fn in_block(amount: Amount, block: &'a [u8; 16], length: usize) -> NewAmount<'a> {
        NewAmount {
            amount,
            text: &block[..length],
            block: Some(block),
        }
    }

    /// Puts its text to a place, if that has at most 16 bytes. The bytes behind it are overwritten.
    #[inline(always)]
    fn put_into(&self, room: &mut [u8; 64], at: usize) {
        match self.block {
            Some(block) => room[at..at + 16].copy_from_slice(block),
            None => put_block(room, at, self.text),
        }
    }
}

impl From<Amount> for NewAmount<'_> {
    fn from(amount: Amount) -> Self {
        NewAmount::written(amount, b"")
    }
}

/// A leg of the event that is being made.
pub struct NewLeg<'a> {
    pub account: NameId,
    pub asset: NameId,
    /// With its sign.
    pub amount: NewAmount<'a>,
    pub role: Role,
    pub value: Option<(NewAmount<'a>, NameId)>,
}

/// What stands at the head of an event.
pub struct EventHead {
    pub time: Time,
    pub kind: Kind,
    pub rule: u16,
    pub hash: u128,
    /// Key of the group that it is a part of; 0: none.
    pub group: u128,
    /// Which of the row's events it is.
    pub nth: u8,
    /// 0-based line within the chunk.
    pub line: u32,
}

/// Where the parts of an event's head lie, in bytes from where the event begins. Numbers are little-endian.
mod head {
    use std::ops::Range;

    /// Length of the event in the arena.
    pub const LENGTH: Range<usize> = 0..4;
    pub const ROW: Range<usize> = 4..8;
    pub const LINE: Range<usize> = 8..12;
    pub const TIME: Range<usize> = 12..20;
    pub const HASH: Range<usize> = 20..36;
    pub const GROUP: Range<usize> = 36..52;
    pub const RULE: Range<usize> = 52..54;
    pub const KIND: usize = 54;
    pub const DIGITS: usize = 55;
    pub const NTH: usize = 56;
    pub const LEGS: usize = 57;
    /// Where the texts begin.
    pub const TEXTS: Range<usize> = 58..62;
    pub const BYTES: usize = 62;
}

impl Batch {
    /// An empty batch, the nth of its file, with room for the rows of a text of this length. `memory` is used again.
    pub fn for_text(
        number: u32,
        lines_before: u64,
        text_bytes: usize,
        mut memory: Vec<u8>,
    ) -> Batch {
        memory.clear();
        memory.reserve(text_bytes);
        Batch {
            number,
            lines_before,
            arena: memory,
            ..Batch::default()
        }
    }

    /// The events as they lie, unless they were put aside.
    #[inline]
    pub fn held(&self) -> Option<&[u8]> {
        match &self.lying {
            Lying::Held(held) => Some(held),
            Lying::Made => Some(&self.arena),
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
    pub(super) fn keep(&mut self, memory: Option<&Memory>) -> io::Result<Vec<u8>> {
        let arena = std::mem::take(&mut self.arena);
        let aside = match memory {
            Some(memory) => memory.place(&arena, self.keys.len())?,
            None => None,
        };
        self.lying = aside.map_or_else(|| Lying::Held(Held::new(&arena)), Lying::Aside);
        Ok(arena)
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
        u32::try_from(self.arena.len()).expect("what a chunk says fits 4 GiB")
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
    #[inline]
    pub fn begin_event(&mut self) -> u32 {
        self.draft.end = head::BYTES;
        self.moved.clear();
        self.only_zero = false;
        self.last_account = None;
        self.place()
    }

    /// Adds a leg to the event that was begun. Of several legs, those of zero say nothing and are left out.
    #[inline(always)]
    pub fn add_leg(&mut self, leg: &NewLeg<'_>) {
        let is_zero = leg.amount.amount.is_zero();
        if is_zero && !self.moved.is_empty() {
            return;
        }
        if self.only_zero {
            self.draft.end = head::BYTES;
            self.moved.clear();
            self.last_account = None;
        }
        self.only_zero = is_zero;
        self.put_leg(leg);
        self.moved.push((leg.account, leg.asset, leg.amount.amount));
    }

    /// How many legs the event has that was begun, and whether all of them are of zero.
    #[inline]
    pub fn legs_so_far(&self) -> (usize, bool) {
        (self.moved.len(), self.only_zero)
    }

    /// Ends the event that was begun at `at`.
    #[inline]
    pub fn end_event(&mut self, at: u32, event: &EventHead, texts: &[&[u8]; TEXT_COUNT]) {
        let draft = &mut self.draft;
        let texts_at = draft.end;
        draft.put_byte(0);
        let mut mask = 0u8;
        for (nth, text) in texts.iter().enumerate() {
            if !text.is_empty() {
                mask |= 1 << nth;
                draft.put_number(text.len());
                draft.put_text(text);
            }
        }
        draft.bytes[texts_at] = mask;
        let mut digits = event.time.digits();
        if !std::mem::replace(&mut self.row_has_event, true) {
            digits |= FIRST_OF_ROW;
        }
        let place = draft.bytes.first_chunk_mut::<{ head::BYTES }>();
        let place = place.expect("it was begun");
        place[head::LENGTH].copy_from_slice(&number(draft.end).to_le_bytes());
        place[head::ROW].copy_from_slice(&self.row_count.to_le_bytes());
        place[head::LINE].copy_from_slice(&event.line.to_le_bytes());
        place[head::TIME].copy_from_slice(&event.time.ns().to_le_bytes());
        place[head::HASH].copy_from_slice(&event.hash.to_le_bytes());
        place[head::GROUP].copy_from_slice(&event.group.to_le_bytes());
        place[head::RULE].copy_from_slice(&event.rule.to_le_bytes());
        place[head::KIND] = event.kind as u8;
        place[head::DIGITS] = digits;
        place[head::NTH] = event.nth;
        place[head::LEGS] = u8::try_from(self.moved.len()).expect("a rule has fewer legs than 256");
        place[head::TEXTS].copy_from_slice(&number(texts_at).to_le_bytes());
        self.arena.extend_from_slice(&draft.bytes[..draft.end]);
        for (account, asset, amount) in &self.moved {
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
        let mut at = first;
        while let Some(event) = Event::at(&self.arena, at).filter(|event| event.length() > 0) {
            let legs: Vec<Leg> = event.legs().map(|leg| leg.read()).collect();
            for leg in legs {
                self.sums.sub(leg.account, leg.asset, leg.amount);
            }
            at += event_length(&self.arena, at);
        }
        self.row_has_event = false;
        self.arena.truncate(first as usize);
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

    #[inline(always)]
    fn put_leg(&mut self, leg: &NewLeg<'_>) {
        let draft = &mut self.draft;
        let mut flags = 0;
        if leg.role == Role::Fee {
            flags |= IS_FEE;
        }
        if leg.amount.amount.is_negative() {
            flags |= NEGATIVE;
        }
        if leg.value.is_some() {
            flags |= HAS_VALUE;
        }
        if self.last_account == Some(leg.account) {
            flags |= SAME_ACCOUNT;
        }
        self.last_account = Some(leg.account);
        if draft.put_short_leg(flags, leg).is_some() {
            return;
        }
        draft.put_byte(flags);
        if flags & SAME_ACCOUNT == 0 {
            draft.put_name(leg.account);
        }
        draft.put_name(leg.asset);
        draft.put_amount(&leg.amount);
        if let Some((value, currency)) = &leg.value {
            draft.put_amount(value);
            draft.put_name(*currency);
        }
    }
}

/// An event in the making: with room behind what is there, so that short texts are copied in pieces of a fixed size.
#[derive(Default)]
struct Draft {
    bytes: Vec<u8>,
    /// Where the next part goes. What is behind it means nothing.
    end: usize,
}

impl Draft {
    /// The next `N` bytes, of which the caller says how many it took.
    #[inline(always)]
    fn room<const N: usize>(&mut self) -> &mut [u8; N] {
        if self.bytes.len() < self.end + N {
            self.grow(N);
        }
        let room = self.bytes[self.end..].first_chunk_mut();
        room.expect("it was made")
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        self.bytes
            .resize((self.end + more).next_power_of_two().max(512), 0);
    }

    #[inline(always)]
    fn put_byte(&mut self, byte: u8) {
        self.room::<1>()[0] = byte;
        self.end += 1;
    }

    /// Puts a leg there, in one piece: `None`, and nothing is there, unless all its parts are short.
    #[inline(always)]
    fn put_short_leg(&mut self, flags: u8, leg: &NewLeg<'_>) -> Option<()> {
        let short_name = |name: NameId| u8::try_from(name.0).ok().filter(|name| *name < LONG);
        let short_text = |text: &[u8]| (1..=16).contains(&text.len());
        let (account, asset) = (short_name(leg.account)?, short_name(leg.asset)?);
        let text = leg.amount.text;
        if !short_text(text) {
            return None;
        }
        let room = self.room::<64>();
        room[0] = flags;
        room[1] = account;
        let mut at = if flags & SAME_ACCOUNT == 0 { 2 } else { 1 };
        room[at] = asset;
        room[at + 1] = text.len() as u8;
        leg.amount.put_into(room, at + 2);
        at += 2 + text.len();
        if let Some((value, currency)) = &leg.value {
            let text = value.text;
            let currency = short_name(*currency)?;
            if !short_text(text) {
                return None;
            }
            room[at] = text.len() as u8;
            value.put_into(room, at + 1);
            at += 1 + text.len();
            room[at] = currency;
            at += 1;
        }
        self.end += at;
        Some(())
    }

    /// Puts a text there, without a call where it has at most 16 bytes.
    #[inline(always)]
    fn put_text(&mut self, text: &[u8]) {
        let length = text.len();
        match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(start), Some(end)) if length <= 16 => {
                let room = self.room::<16>();
                room[..8].copy_from_slice(start);
                room[length - 8..][..8].copy_from_slice(end);
            }
            (Some(_), _) => return self.put_long_text(text),
            _ => *self.room() = up_to_seven(text).to_le_bytes(),
        }
        self.end += length;
    }

    #[inline(never)]
    fn put_long_text(&mut self, text: &[u8]) {
        if self.bytes.len() < self.end + text.len() {
            self.grow(text.len());
        }
        self.bytes[self.end..][..text.len()].copy_from_slice(text);
        self.end += text.len();
    }

    #[inline(always)]
    fn put_amount(&mut self, new: &NewAmount<'_>) {
        if new.text.is_empty() {
            return self.put_written(new.amount.abs());
        }
        // The longest amount has 41 bytes.
        self.put_byte(new.text.len() as u8);
        self.put_text(new.text);
    }

    /// Puts an amount there whose text is nowhere yet.
    #[inline(never)]
    fn put_written(&mut self, amount: Amount) {
        let mut text = Vec::with_capacity(64);
        amount.write_to(&mut text);
        self.put_byte(text.len() as u8);
        self.put_text(&text);
    }

    #[inline(always)]
    fn put_number(&mut self, number: usize) {
        match u8::try_from(number) {
            Ok(short) if short < LONG => self.put_byte(short),
            _ => {
                self.put_byte(LONG);
                *self.room() = (number as u64).to_le_bytes();
                self.end += 8;
            }
        }
    }

    #[inline(always)]
    fn put_name(&mut self, name: NameId) {
        match u8::try_from(name.0) {
            Ok(short) if short < LONG => self.put_byte(short),
            _ => {
                self.put_byte(LONG);
                *self.room() = name.0.to_le_bytes();
                self.end += 4;
            }
        }
    }
}

/// An event made from one row, or one row's part in a group, as it lies in an arena.
#[derive(Clone, Copy)]
pub struct Event<'b> {
    /// From its head on.
    bytes: &'b [u8],
    head: &'b [u8; head::BYTES],
}

impl<'b> Event<'b> {
    /// The event that lies at a place of an arena.
    #[inline]
    pub fn at(arena: &'b [u8], at: u32) -> Option<Event<'b>> {
        let bytes = arena.get(at as usize..)?;
        let head = bytes.first_chunk()?;
        Some(Event { bytes, head })
    }

    pub fn time(&self) -> Time {
        let digits = self.head[head::DIGITS] & !FIRST_OF_ROW;
        Time::with_enough_digits(i64::from_le_bytes(self.part(head::TIME)), digits)
    }

    pub fn time_ns(&self) -> i64 {
        i64::from_le_bytes(self.part(head::TIME))
    }

    pub fn kind(&self) -> Kind {
        Kind::ALL[usize::from(self.head[head::KIND])]
    }

    /// Hash of the row's cells: equal for equal rows of the same report and account.
    pub fn hash(&self) -> u128 {
        u128::from_le_bytes(self.part(head::HASH))
    }

    /// Key of the group that it is a part of.
    pub fn group(&self) -> Option<u128> {
        Some(u128::from_le_bytes(self.part(head::GROUP))).filter(|key| *key != 0)
    }

    /// Whether no event of its row stands before it.
    pub fn is_first_of_row(&self) -> bool {
        self.head[head::DIGITS] & FIRST_OF_ROW != 0
    }

    /// Which of the row's events it is.
    pub fn nth(&self) -> u8 {
        self.head[head::NTH]
    }

    /// Number of the rule that made it.
    pub fn rule(&self) -> u16 {
        u16::from_le_bytes(self.part(head::RULE))
    }

    /// Number of its row within the batch.
    pub fn row(&self) -> u32 {
        u32::from_le_bytes(self.part(head::ROW))
    }

    /// 0-based line of its row within the chunk.
    pub fn line(&self) -> u32 {
        u32::from_le_bytes(self.part(head::LINE))
    }

    /// order_id, trade_id, tx_hash, address, note.
    #[inline(always)]
    pub fn texts(&self) -> [&'b [u8]; TEXT_COUNT] {
        let at = u32::from_le_bytes(self.part(head::TEXTS)) as usize;
        let mut reader = Reader {
            bytes: self.bytes,
            at,
        };
        let mut texts: [&[u8]; TEXT_COUNT] = Default::default();
        let mut mask = reader.byte();
        while mask != 0 {
            let length = reader.number();
            let text = reader.take(length);
            if let Some(place) = texts.get_mut(mask.trailing_zeros() as usize) {
                *place = text;
            }
            mask &= mask - 1;
        }
        texts
    }

    /// The legs as they are written.
    #[inline]
    pub fn legs(&self) -> Legs<'b> {
        Legs {
            reader: Reader {
                bytes: self.bytes,
                at: head::BYTES,
            },
            account: NameId(0),
            left: self.head[head::LEGS],
        }
    }

    /// All of it as it lies.
    pub fn bytes(&self) -> &'b [u8] {
        &self.bytes[..self.length() as usize]
    }

    fn length(&self) -> u32 {
        u32::from_le_bytes(self.part(head::LENGTH))
    }

    fn part<const N: usize>(&self, range: std::ops::Range<usize>) -> [u8; N] {
        self.head[range].try_into().expect("a part of the head")
    }
}

/// All events of an arena with their places, in order.
pub fn events(arena: &[u8]) -> impl Iterator<Item = (u32, Event<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let event = Event::at(arena, at)?;
        let here = at;
        at += event.length();
        Some((here, event))
    })
}

fn event_length(arena: &[u8], at: u32) -> u32 {
    Event::at(arena, at).map_or(0, |event| event.length())
}

/// The legs of an event.
#[derive(Clone)]
pub struct Legs<'b> {
    reader: Reader<'b>,
    account: NameId,
    left: u8,
}

impl<'b> Legs<'b> {
    /// No legs.
    #[inline]
    pub fn none() -> Legs<'b> {
        Legs {
            reader: Reader { bytes: &[], at: 0 },
            account: NameId(0),
            left: 0,
        }
    }

    /// The leg that begins here, if its names have numbers of one byte.
    #[inline(always)]
    fn next_of_short_names(&mut self) -> Option<LegText<'b>> {
        let Reader { bytes, mut at } = self.reader;
        let byte = |at: usize| bytes.get(at).copied();
        // A leg has four bytes at least.
        let start = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
        let flags = start as u8;
        let (account, [asset, length, ..]) = if flags & SAME_ACCOUNT == 0 {
            at += 4;
            ((start >> 8) as u8, (start >> 16).to_le_bytes())
        } else {
            at += 3;
            (0, (start >> 8).to_le_bytes())
        };
        let amount = Place {
            at: at as u32,
            length: u32::from(length),
        };
        at += usize::from(length);
        let (mut value, mut currency) = (Place::default(), 0);
        if flags & HAS_VALUE != 0 {
            let length = byte(at)?;
            value = Place {
                at: at as u32 + 1,
                length: u32::from(length),
            };
            at += usize::from(length) + 1;
            currency = byte(at)?;
            at += 1;
        }
        if account == LONG || asset == LONG || currency == LONG {
            return None;
        }
        if flags & SAME_ACCOUNT == 0 {
            self.account = NameId(u32::from(account));
        }
        self.reader.at = at;
        Some(self.leg(
            flags,
            NameId(asset.into()),
            amount,
            value,
            NameId(currency.into()),
        ))
    }

    #[cold]
    fn next_of_any_names(&mut self) -> LegText<'b> {
        let flags = self.reader.byte();
        if flags & SAME_ACCOUNT == 0 {
            self.account = self.reader.name();
        }
        let asset = self.reader.name();
        let amount = self.reader.text();
        let (mut value, mut currency) = (Place::default(), NameId(0));
        if flags & HAS_VALUE != 0 {
            value = self.reader.text();
            currency = self.reader.name();
        }
        self.leg(flags, asset, amount, value, currency)
    }

    #[inline(always)]
    fn leg(
        &self,
        flags: u8,
        asset: NameId,
        amount: Place,
        value: Place,
        currency: NameId,
    ) -> LegText<'b> {
        LegText {
            account: self.account,
            asset,
            negative: flags & NEGATIVE != 0,
            role: if flags & IS_FEE != 0 {
                Role::Fee
            } else {
                Role::Main
            },
            has_value: flags & HAS_VALUE != 0,
            currency,
            amount,
            value,
            bytes: self.reader.bytes,
        }
    }
}

impl<'b> Iterator for Legs<'b> {
    type Item = LegText<'b>;

    #[inline(always)]
    fn next(&mut self) -> Option<LegText<'b>> {
        self.left = self.left.checked_sub(1)?;
        match self.next_of_short_names() {
            Some(leg) => Some(leg),
            None => Some(self.next_of_any_names()),
        }
    }
}

/// Reads an arena.
#[derive(Clone, Copy)]
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    #[inline]
    fn byte(&mut self) -> u8 {
        let byte = self.bytes[self.at];
        self.at += 1;
        byte
    }

    #[inline]
    fn take(&mut self, length: usize) -> &'b [u8] {
        let taken = &self.bytes[self.at..self.at + length];
        self.at += length;
        taken
    }

    fn text(&mut self) -> Place {
        let length = u32::from(self.byte());
        let at = self.at as u32;
        self.at += length as usize;
        Place { at, length }
    }

    #[cold]
    fn array<const N: usize>(&mut self) -> [u8; N] {
        let rest = self.bytes[self.at..].first_chunk();
        self.at += N;
        *rest.expect("the arena was written by us")
    }

    #[inline]
    fn number(&mut self) -> usize {
        match self.byte() {
            LONG => u64::from_le_bytes(self.array()) as usize,
            short => usize::from(short),
        }
    }

    fn name(&mut self) -> NameId {
        match self.byte() {
            LONG => NameId(u32::from_le_bytes(self.array())),
            short => NameId(u32::from(short)),
        }
    }
}

/// A flag beside the number of digits.
const FIRST_OF_ROW: u8 = 0x80;

/// Flags of a leg in the arena.
const IS_FEE: u8 = 1;
const HAS_VALUE: u8 = 2;
const NEGATIVE: u8 = 4;
/// Its account is that of the leg before.
const SAME_ACCOUNT: u8 = 8;

/// A number below this is one byte; this byte says that it stands behind it in full.
const LONG: u8 = 255;

/// Copies a text of at most 16 bytes to a place. The bytes behind it are overwritten.
#[inline(always)]
fn put_block(room: &mut [u8; 64], at: usize, text: &[u8]) {
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(start), Some(end)) => {
            room[at..at + 8].copy_from_slice(start);
            room[at + text.len() - 8..at + text.len()].copy_from_slice(end);
        }
        _ => room[at..at + 8].copy_from_slice(&up_to_seven(text).to_le_bytes()),
    }
}

#[inline]
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("what a chunk says fits 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(time_ns: i64) -> EventHead {
        EventHead {
            time: Time::new(time_ns, 0),
            kind: Kind::Trade,
            rule: 3,
            hash: 1 << 90,
            group: 0,
            nth: 0,
            line: 7,
        }
    }

    fn put(batch: &mut Batch, legs: &[Leg], note: &[u8]) -> u32 {
        let at = batch.begin_event();
        for leg in legs {
            batch.add_leg(&NewLeg {
                account: leg.account,
                asset: leg.asset,
                amount: leg.amount.into(),
                role: leg.role,
                value: leg.value.map(|(value, currency)| (value.into(), currency)),
            });
        }
        batch.end_event(at, &head(5), &[b"a", b"", b"", b"", note]);
        at
    }

    proptest! {
        #[test]
        fn an_event_is_read_back_as_it_was_written(
            parts in proptest::collection::vec((any::<i128>(), 0u32..=38, prop_oneof![0u32..600, any::<u32>()], any::<bool>(), any::<bool>()), 0..5),
            note in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let legs: Vec<Leg> = parts.iter().filter_map(|(mantissa, scale, name, fee, valued)| {
                let amount = Amount::from_parts(*mantissa, *scale).filter(|amount| !amount.is_zero())?;
                let role = if *fee { Role::Fee } else { Role::Main };
                let value = valued.then_some((amount.abs(), NameId(name / 3)));
                Some(Leg { account: NameId(name / 2), asset: NameId(*name), amount, role, value })
            }).collect();
            let mut batch = Batch::default();
            let first = put(&mut batch, &legs, &note);
            batch.end_row();
            let second = put(&mut batch, &legs, &note);
            batch.end_row();
            prop_assert_eq!(events(&batch.arena()).map(|(at, _)| at).collect::<Vec<_>>(), [first, second]);
            let event = Event::at(&batch.arena, second).unwrap();
            let read: Vec<Leg> = event.legs().map(|leg| leg.read()).collect();
            prop_assert_eq!(&read, &legs);
            prop_assert_eq!(event.texts()[4], &note[..]);
            prop_assert_eq!(event.texts()[0], b"a");
            prop_assert_eq!(event.hash(), 1 << 90);
            prop_assert_eq!(event.group(), None);
            prop_assert_eq!((event.time(), event.kind(), event.rule(), event.line()), (Time::new(5, 0), Kind::Trade, 3, 7));
            batch.drop_events_from(second);
            prop_assert_eq!(events(&batch.arena()).count(), 1);
            prop_assert_eq!(batch.keys.len(), 1);
        }
    }

    #[test]
    fn of_several_legs_those_of_zero_are_left_out() {
        let leg = |amount: i64| Leg {
            account: NameId(0),
            asset: NameId(1),
            amount: Amount::from(amount),
            role: Role::Main,
            value: None,
        };
        for (amounts, kept) in [
            (vec![0], vec![0]),
            (vec![0, 0], vec![0]),
            (vec![0, 3, 0], vec![3]),
            (vec![-2, 0, 3], vec![-2, 3]),
        ] {
            let mut batch = Batch::default();
            let legs: Vec<Leg> = amounts.iter().map(|amount| leg(*amount)).collect();
            let at = put(&mut batch, &legs, b"");
            let event = Event::at(&batch.arena, at).unwrap();
            let read: Vec<Amount> = event.legs().map(|leg| leg.read().amount).collect();
            let kept: Vec<Amount> = kept.into_iter().map(Amount::from).collect();
            assert_eq!(read, kept, "{amounts:?}");
        }
    }

    #[test]
    fn rows_come_in_their_order_whatever_became_of_them() {
        let mut batch = Batch::default();
        let leg = Leg {
            account: NameId(0),
            asset: NameId(1),
            amount: Amount::from(1),
            role: Role::Main,
            value: None,
        };
        batch.end_other_row(0, Outcome::Skipped(SkipReason::BlankRow));
        put(&mut batch, &[leg], b"");
        let second = put(&mut batch, &[leg], b"");
        batch.end_row();
        batch.end_other_row(9, Outcome::Rejected(0));
        put(&mut batch, &[leg], b"");
        batch.end_row();
        let rows: Vec<(u32, bool)> = batch
            .rows(&batch.arena)
            .map(|row| (row.row, matches!(row.outcome, Outcome::Events { .. })))
            .collect();
        assert_eq!(rows, [(0, false), (1, true), (2, false), (3, true)]);
        assert!(second > 0);
    }
}
