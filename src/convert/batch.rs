//! What came of a run of rows: compact, without pointers, in the order of the rows.
//!
//! Legs and texts of an event lie in one byte arena, so that a million rows cost a few allocations and could be written
//! to disk as they are.

use rustc_hash::FxHashMap;

use crate::mapping::TEXT_COUNT;
use crate::model::{Amount, Kind, NameId, Role, Sum, Time};

/// The rows of one chunk of a file.
#[derive(Default)]
pub struct Batch {
    /// Lines of the file before this chunk.
    pub lines_before: u64,
    /// How many records the reader gave, counted apart from what became of them.
    pub records_read: u64,
    pub rows: Vec<Row>,
    pub events: Vec<EventRecord>,
    pub rejects: Vec<Reject>,
    pub balances: Vec<BalanceRecord>,
    pub uniques: Vec<UniqueRecord>,
    /// What the rows moved, summed as they were read: the near end of the proof.
    pub sums: FxHashMap<(NameId, NameId), Sum>,
    /// An account and asset whose sum no longer fits.
    pub overflow: Option<(NameId, NameId)>,
    /// Rows that may yet be rejected with others, as they stand in a stream that cannot be read again: by number of the row.
    pub kept: FxHashMap<u32, Box<[u8]>>,
    /// Events that have their id already, in their order: index, and id.
    pub given_ids: Vec<(u32, u64)>,
    /// Groups of which a row could not be read.
    pub broken: Vec<BrokenGroup>,
    pub(super) body: Vec<u8>,
}

/// A group of which a row could not be read: it is not complete.
#[derive(Clone, Copy, Debug)]
pub struct BrokenGroup {
    pub key: u128,
    /// None if the row's time could not be read either.
    pub time_ns: Option<i64>,
    /// Index in `Batch::rows`.
    pub row: u32,
}

/// One row and what became of it when it was read.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// 0-based line within the chunk.
    pub line: u32,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its events, from the first, in `Batch::events`.
    Events { first: u32, count: u32 },
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

/// An event made from one row, or one row's part in a group.
#[derive(Clone, Copy, Debug)]
pub struct EventRecord {
    time_ns: i64,
    hash: [u64; 2],
    /// Key of the group that it is a part of, two zeros for none.
    group: [u64; 2],
    /// Index in `Batch::rows`.
    pub row: u32,
    body: u32,
    pub rule: u16,
    digits: u8,
    kind: Kind,
    /// Which of the row's events it is.
    pub nth: u8,
}

impl EventRecord {
    pub fn time(&self) -> Time {
        Time::new(self.time_ns, self.digits)
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Hash of the row's cells: equal for equal rows of the same report and account.
    pub fn hash(&self) -> u128 {
        join(self.hash)
    }

    pub fn group(&self) -> Option<u128> {
        Some(join(self.group)).filter(|key| *key != 0)
    }
}

fn split(hash: u128) -> [u64; 2] {
    [(hash >> 64) as u64, hash as u64]
}

fn join(halves: [u64; 2]) -> u128 {
    (u128::from(halves[0]) << 64) | u128::from(halves[1])
}

/// The balance that the source states after a row.
#[derive(Clone, Copy, Debug)]
pub struct BalanceRecord {
    /// Index in `Batch::events`.
    pub event: u32,
    pub account: NameId,
    pub asset: NameId,
    pub amount: Amount,
}

/// A row's id of which the mapping says that no two rows share it.
#[derive(Clone, Copy, Debug)]
pub struct UniqueRecord {
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
    /// What the source says the leg was worth, and in what.
    pub value: Option<(Amount, NameId)>,
}

/// What a new event is made of.
pub struct NewEvent<'a> {
    pub time: Time,
    pub kind: Kind,
    pub rule: u16,
    pub hash: u128,
    pub group: u128,
    pub nth: u8,
    pub legs: &'a [Leg],
    pub texts: [&'a [u8]; TEXT_COUNT],
}

impl Batch {
    /// An empty batch with room for the rows of a text.
    pub fn for_text(lines_before: u64, text: &[u8]) -> Batch {
        let lines = memchr::memchr_iter(b'\n', text).count() + 1;
        Batch {
            lines_before,
            rows: Vec::with_capacity(lines),
            events: Vec::with_capacity(lines),
            body: Vec::with_capacity(text.len() * 3 / 4),
            ..Batch::default()
        }
    }

    /// The id that an event has already, if it has one.
    pub fn given_id(&self, event: u32) -> Option<u64> {
        let place = self
            .given_ids
            .binary_search_by_key(&event, |(event, _)| *event);
        place.ok().map(|place| self.given_ids[place].1)
    }

    /// Adds an event of the row that is being read.
    pub fn push_event(&mut self, event: &NewEvent) -> u32 {
        let index = u32::try_from(self.events.len()).expect("a chunk has fewer rows than 2^32");
        self.events.push(EventRecord {
            time_ns: event.time.ns(),
            digits: event.time.digits(),
            hash: split(event.hash),
            group: split(event.group),
            row: u32::try_from(self.rows.len()).expect("a chunk has fewer rows than 2^32"),
            body: u32::try_from(self.body.len()).expect("what a chunk says fits 4 GiB"),
            rule: event.rule,
            kind: event.kind,
            nth: event.nth,
        });
        // The texts come first: who wants them need not pass over the legs.
        for text in event.texts {
            put_number(&mut self.body, text.len());
            self.body.extend_from_slice(text);
        }
        put_number(&mut self.body, event.legs.len());
        for leg in event.legs {
            put_leg(&mut self.body, leg);
            let sum = self.sums.entry((leg.account, leg.asset)).or_default();
            if sum.add(leg.amount).is_err() {
                self.overflow = Some((leg.account, leg.asset));
            }
        }
        index
    }

    /// Forgets the events of the row that is being read, and what they added to the sums.
    pub fn drop_events_from(&mut self, first: usize) {
        self.given_ids
            .retain(|(event, _)| (*event as usize) < first);
        for index in first..self.events.len() {
            let mut reader = self.body(index);
            let legs: Vec<Leg> = std::iter::from_fn(|| reader.next_leg()).collect();
            for leg in legs {
                if let Some(sum) = self.sums.get_mut(&(leg.account, leg.asset))
                    && sum.sub(leg.amount).is_err()
                {
                    self.overflow = Some((leg.account, leg.asset));
                }
            }
        }
        if let Some(event) = self.events.get(first) {
            self.body.truncate(event.body as usize);
        }
        self.balances
            .retain(|balance| (balance.event as usize) < first);
        self.uniques
            .retain(|unique| (unique.event as usize) < first);
        self.events.truncate(first);
    }

    /// The texts of an event, and a reader of its legs.
    pub fn body(&self, event: usize) -> Body<'_> {
        let mut body = Body {
            bytes: &self.body[self.events[event].body as usize..],
            texts: [b""; TEXT_COUNT],
            legs_left: 0,
        };
        for index in 0..TEXT_COUNT {
            let length = body.number();
            body.texts[index] = body.take(length);
        }
        body.legs_left = body.number();
        body
    }

    /// Line of an event's row, 1-based, in the file as the person sees it.
    pub fn line_of(&self, event: usize) -> u64 {
        self.line(self.events[event].row as usize)
    }

    /// Line of a row, 1-based.
    pub fn line(&self, row: usize) -> u64 {
        self.lines_before + 1 + u64::from(self.rows[row].line)
    }
}

/// Reads an event back from the arena.
pub struct Body<'b> {
    bytes: &'b [u8],
    texts: [&'b [u8]; TEXT_COUNT],
    legs_left: usize,
}

impl<'b> Body<'b> {
    pub fn legs_left(&self) -> usize {
        self.legs_left
    }

    /// The texts of the event.
    pub fn texts(&self) -> [&'b [u8]; TEXT_COUNT] {
        self.texts
    }

    pub fn next_leg(&mut self) -> Option<Leg> {
        if self.legs_left == 0 {
            return None;
        }
        self.legs_left -= 1;
        let flags = self.byte();
        let amount = self.amount(flags & WIDE_AMOUNT != 0);
        let account = self.name();
        let asset = self.name();
        let value =
            (flags & HAS_VALUE != 0).then(|| (self.amount(flags & WIDE_VALUE != 0), self.name()));
        let role = if flags & IS_FEE != 0 {
            Role::Fee
        } else {
            Role::Main
        };
        Some(Leg {
            account,
            asset,
            amount,
            role,
            value,
        })
    }

    fn byte(&mut self) -> u8 {
        let (first, rest) = self
            .bytes
            .split_first()
            .expect("the arena was written by us");
        self.bytes = rest;
        *first
    }

    fn take(&mut self, length: usize) -> &'b [u8] {
        let (taken, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self
            .bytes
            .split_first_chunk::<N>()
            .expect("the arena was written by us");
        self.bytes = rest;
        *taken
    }

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

    fn amount(&mut self, wide: bool) -> Amount {
        let scale = self.byte();
        let mantissa = if wide {
            i128::from_le_bytes(self.array())
        } else {
            i128::from(i64::from_le_bytes(self.array()))
        };
        Amount::from_own_parts(mantissa, scale)
    }
}

/// Flags of a leg in the arena.
const IS_FEE: u8 = 1;
const HAS_VALUE: u8 = 2;
const WIDE_AMOUNT: u8 = 4;
const WIDE_VALUE: u8 = 8;

/// A number below this is one byte; this byte says that it stands behind it in full.
const LONG: u8 = 255;

fn put_leg(body: &mut Vec<u8>, leg: &Leg) {
    let flags_at = body.len();
    let mut flags = if leg.role == Role::Fee { IS_FEE } else { 0 };
    body.push(0);
    if put_amount(body, leg.amount) {
        flags |= WIDE_AMOUNT;
    }
    put_name(body, leg.account);
    put_name(body, leg.asset);
    if let Some((amount, asset)) = leg.value {
        flags |= HAS_VALUE;
        if put_amount(body, amount) {
            flags |= WIDE_VALUE;
        }
        put_name(body, asset);
    }
    body[flags_at] = flags;
}

/// Says whether it took the wide form.
fn put_amount(body: &mut Vec<u8>, amount: Amount) -> bool {
    body.push(amount.scale());
    match i64::try_from(amount.mantissa()) {
        Ok(small) => {
            body.extend_from_slice(&small.to_le_bytes());
            false
        }
        Err(_) => {
            body.extend_from_slice(&amount.mantissa().to_le_bytes());
            true
        }
    }
}

fn put_number(body: &mut Vec<u8>, number: usize) {
    match u8::try_from(number) {
        Ok(short) if short < LONG => body.push(short),
        _ => {
            body.push(LONG);
            body.extend_from_slice(&(number as u64).to_le_bytes());
        }
    }
}

fn put_name(body: &mut Vec<u8>, name: NameId) {
    match u8::try_from(name.0) {
        Ok(short) if short < LONG => body.push(short),
        _ => {
            body.push(LONG);
            body.extend_from_slice(&name.0.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_event_is_read_back_as_it_was_written(
            parts in proptest::collection::vec((any::<i128>(), 0u32..=38, any::<u32>(), any::<bool>(), any::<bool>()), 0..5),
            note in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let legs: Vec<Leg> = parts.iter().filter_map(|(mantissa, scale, name, fee, valued)| {
                let amount = Amount::from_parts(*mantissa, *scale)?;
                let role = if *fee { Role::Fee } else { Role::Main };
                let value = valued.then_some((amount, NameId(7)));
                Some(Leg { account: NameId(name / 2), asset: NameId(*name), amount, role, value })
            }).collect();
            let mut batch = Batch::default();
            let event = NewEvent {
                time: Time::new(5, 0), kind: Kind::Trade, rule: 3, hash: 1 << 90, group: 0, nth: 0,
                legs: &legs, texts: [b"a", b"", b"", b"", &note],
            };
            batch.push_event(&event);
            batch.push_event(&event);
            let mut body = batch.body(1);
            let read: Vec<Leg> = std::iter::from_fn(|| body.next_leg()).collect();
            prop_assert_eq!(&read, &legs);
            prop_assert_eq!(body.texts()[4], &note[..]);
            prop_assert_eq!(batch.events[0].hash(), 1 << 90);
            prop_assert_eq!(batch.events[0].group(), None);
        }
    }
}
