//! An event of the ledger, and how it is looked at: its legs with their rows, its ids, its note.

use xxhash_rust::xxh3::xxh3_64;

use super::{EventRef, Ledger};
use crate::convert::{Batch, EventRecord, Key, Leg, LegText, Legs};
use crate::mapping::TEXT_COUNT;
use crate::model::{Kind, Time};

/// An event in the ledger's order: by time, then as the rows stand in the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    time_ns: i64,
    /// The one row that it is made of; or [`A_GROUP`] with the number of a piece, and the number of the group in it.
    at: EventRef,
}

/// Most groups have no more rows.
const FEW: usize = 8;

/// Where an event is a group, this is set in the number of the batch; the rest is the number of the group's piece.
const A_GROUP: u32 = 1 << 31;

impl From<Key> for Event {
    /// The event of one row.
    fn from(key: Key) -> Event {
        Event {
            time_ns: key.time_ns,
            at: key.at,
        }
    }
}

impl Event {
    /// What stands for a group in the place of a row: the nth group of a piece.
    pub(super) fn group(piece: usize, nth: u32) -> EventRef {
        EventRef {
            batch: A_GROUP | super::number(piece),
            event: nth,
        }
    }

    pub fn time_ns(&self) -> i64 {
        self.time_ns
    }

    #[cfg(test)]
    pub(super) fn at(&self) -> EventRef {
        self.at
    }

    /// Whether it is one row, not a group.
    #[inline]
    pub fn is_one_row(&self) -> bool {
        self.at.batch & A_GROUP == 0
    }
}

/// What is to be said of an event.
#[derive(Clone, Copy)]
pub struct EventView<'l> {
    pub ledger: &'l Ledger,
    /// Stable id: 16 hex digits when written.
    pub id: u64,
    pub time: Time,
    pub kind: Kind,
    /// The rows, in the order of the files.
    pub members: &'l [EventRef],
    /// The first row.
    first: EventRecord<'l>,
}

/// Looks at many events.
pub struct Views<'l> {
    ledger: &'l Ledger,
    /// What each batch has in memory; nothing if it was put aside.
    arenas: Vec<&'l [u8]>,
}

impl<'l> Views<'l> {
    pub fn of(ledger: &'l Ledger) -> Views<'l> {
        let held = |batch: &'l Batch| batch.held().unwrap_or_default();
        Views {
            ledger,
            arenas: ledger.batches.iter().map(held).collect(),
        }
    }

    /// As [`Ledger::view`].
    #[inline(always)]
    pub fn view(&self, event: &'l Event) -> EventView<'l> {
        let members = self.ledger.members(event);
        let at = members[0];
        let first = EventRecord::at(self.arenas[at.batch as usize], at.event);
        let first = first.unwrap_or_else(|| self.ledger.record(at));
        self.ledger.view_of(members, first)
    }
}

/// Where a row stands, and who read it.
#[derive(Clone, Copy, Debug)]
pub struct RowPlace<'l> {
    /// Id of the mapping.
    pub format: &'l str,
    pub file: &'l str,
    /// 1-based.
    pub line: u64,
}

impl<'l> EventView<'l> {
    /// order_id, trade_id, tx_hash, address, note.
    #[inline]
    pub fn texts(&self) -> [&'l [u8]; TEXT_COUNT] {
        self.ledger.texts(self.members, self.first)
    }

    /// Those of [`EventView::texts`] that are not empty, each with its place among them, in their order; `None` if they
    /// must be gathered from several rows.
    #[inline(always)]
    pub fn texts_there(&self) -> Option<impl Iterator<Item = (usize, &'l [u8])>> {
        (self.members.len() == 1).then(|| self.first.texts_there())
    }

    /// Calls back with each leg and the row that it came from.
    pub fn for_each_leg(&self, mut each: impl FnMut(&Leg, EventRef)) {
        self.for_each_leg_text(|leg, at| each(&leg.read(), at));
    }

    /// Calls back with each leg as it is written, and the row that it came from.
    #[inline(always)]
    pub fn for_each_leg_text(&self, mut each: impl FnMut(&LegText<'l>, EventRef)) {
        self.leg_texts().for_each(|(leg, at)| each(&leg, at));
    }

    /// The legs of the first row as they are written: all of them where it is the only one.
    #[inline(always)]
    pub fn leg_texts_of_first_row(&self) -> Legs<'l> {
        self.first.legs()
    }

    /// The legs as they are written, each with the row that it came from.
    pub fn leg_texts(&self) -> impl Iterator<Item = (LegText<'l>, EventRef)> {
        // In a group, a main leg of zero says nothing beside another leg.
        let is_group = self.members.len() > 1;
        let says_more = is_group && self.moves_something();
        let mut legs = self.first.legs();
        let mut at = self.members[0];
        let mut others = self.members[1..].iter();
        let of_rows = std::iter::from_fn(move || {
            loop {
                if let Some(leg) = legs.next() {
                    return Some((leg, at));
                }
                at = *others.next()?;
                legs = self.ledger.record(at).legs();
            }
        });
        let most = if is_group && !says_more {
            1
        } else {
            usize::MAX
        };
        of_rows
            .filter(move |(leg, _)| !says_more || !leg.amount().is(b"0"))
            .take(most)
    }

    /// Whether a leg is of more than zero.
    #[inline(never)]
    fn moves_something(&self) -> bool {
        self.members.iter().any(|at| {
            let mut legs = self.ledger.record(*at).legs();
            legs.any(|leg| !leg.amount().is(b"0"))
        })
    }

    /// Where its first row stands.
    pub fn place(&self) -> RowPlace<'l> {
        let at = self.members[0];
        let file = self.ledger.file_index(at);
        RowPlace {
            format: &self.ledger.context(file).program.id,
            file: &self.ledger.files[file].name,
            line: self.ledger.line(at),
        }
    }

    /// Line of one of its rows, 1-based.
    #[inline]
    pub fn line(&self, at: EventRef) -> u64 {
        if at == self.members[0] {
            self.ledger.batch(at).line(self.first.line())
        } else {
            self.ledger.line(at)
        }
    }

    pub fn legs(&self) -> Vec<(Leg, EventRef)> {
        let mut legs = Vec::new();
        self.for_each_leg(|leg, at| legs.push((*leg, at)));
        legs
    }
}

impl Ledger {
    /// The rows of an event.
    #[inline]
    pub fn members<'l>(&'l self, event: &'l Event) -> &'l [EventRef] {
        if event.is_one_row() {
            std::slice::from_ref(&event.at)
        } else {
            let piece = (event.at.batch & !A_GROUP) as usize;
            self.groups[piece].rows_of(event.at.event)
        }
    }

    /// Everything there is to say of an event.
    pub fn view<'l>(&'l self, event: &'l Event) -> EventView<'l> {
        let members = self.members(event);
        self.view_of(members, self.record(members[0]))
    }

    /// The texts of an event, each from the first of its rows that has it.
    #[inline(never)]
    fn texts<'l>(&'l self, members: &[EventRef], first: EventRecord<'l>) -> [&'l [u8]; TEXT_COUNT] {
        let mut texts = first.texts();
        for at in &members[1..] {
            if texts.iter().all(|text| !text.is_empty()) {
                break;
            }
            for (text, other) in texts.iter_mut().zip(self.record(*at).texts()) {
                if text.is_empty() {
                    *text = other;
                }
            }
        }
        texts
    }

    /// The event that rows are, of which the first is given.
    #[inline(always)]
    fn view_of<'l>(&'l self, members: &'l [EventRef], first: EventRecord<'l>) -> EventView<'l> {
        let (id, time) = match members {
            [only] => (self.id_of_row(*only, &first), first.time()),
            _ => self.id_and_time(members),
        };
        EventView {
            ledger: self,
            id,
            time,
            kind: first.kind(),
            members,
            first,
        }
    }

    /// The id of an event that is several rows, and the earliest time of these.
    #[inline(never)]
    fn id_and_time(&self, members: &[EventRef]) -> (u64, Time) {
        let id = self.id_of_rows(members, |at| self.record(at));
        let times = members.iter().map(|at| self.record(*at).time());
        let earliest = times.min_by_key(|time| time.ns());
        (id, earliest.expect("an event has a row"))
    }

    /// The id of an event that is one row.
    #[inline]
    pub(super) fn id_of_row(&self, at: EventRef, record: &EventRecord<'_>) -> u64 {
        match self.batch(at).given_id(at.event) {
            Some(id) => id,
            None => self.row_id(at, record),
        }
    }

    /// The id of an event that is several rows, from their hashes and occurrence numbers; their order does not matter.
    pub(super) fn id_of_rows<'e>(
        &self,
        members: &[EventRef],
        record: impl Fn(EventRef) -> EventRecord<'e>,
    ) -> u64 {
        if let Some(id) = self.batch(members[0]).given_id(members[0].event) {
            return id;
        }
        let mut few = [0; FEW];
        let mut many = Vec::new();
        let ids: &mut [u64] = match few.get_mut(..members.len()) {
            Some(ids) => ids,
            None => {
                many.resize(members.len(), 0);
                &mut many
            }
        };
        for (id, at) in ids.iter_mut().zip(members) {
            *id = self.row_id(*at, &record(*at));
        }
        ids.sort_unstable();
        id_of_ids(ids)
    }

    fn row_id(&self, at: EventRef, record: &EventRecord<'_>) -> u64 {
        let occurrence = if self.occurrences.is_empty() {
            0
        } else {
            self.occurrences.get(&at).copied().unwrap_or(0)
        };
        let mut bytes = [0u8; 21];
        bytes[..16].copy_from_slice(&record.hash().to_le_bytes());
        bytes[16..20].copy_from_slice(&occurrence.to_le_bytes());
        bytes[20] = record.nth();
        xxh3_64(&bytes)
    }

    /// The id of the event that holds a row, if the row is used.
    pub fn event_of(&self, at: EventRef) -> Option<&Event> {
        self.events
            .iter()
            .find(|event| self.members(event).contains(&at))
    }
}

/// The id that several ids make, in their order.
fn id_of_ids(ids: &[u64]) -> u64 {
    let mut few = [0; 8 * FEW];
    let Some(bytes) = few.get_mut(..8 * ids.len()) else {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        return xxh3_64(&bytes);
    };
    for (place, id) in bytes.chunks_exact_mut(8).zip(ids) {
        place.copy_from_slice(&id.to_le_bytes());
    }
    xxh3_64(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_ids_and_many_are_put_together_in_one_way() {
        for count in [1, FEW, FEW + 1, 40] {
            let ids: Vec<u64> = (0..count as u64)
                .map(|n| n.wrapping_mul(1 << 57 | 3))
                .collect();
            let mut hasher = xxhash_rust::xxh3::Xxh3::new();
            ids.iter().for_each(|id| hasher.update(&id.to_le_bytes()));
            assert_eq!(id_of_ids(&ids), hasher.digest());
        }
    }
}
