//! An event of the ledger, and how it is looked at: its legs with their rows, its ids, its note.

use xxhash_rust::xxh3::xxh3_64;

use super::{EventRef, Ledger};
use crate::convert::{Batch, EventRecord, Key, Leg, LegText};
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
}

/// What is to be said of an event.
pub struct EventView<'l> {
    pub ledger: &'l Ledger,
    /// Stable id: 16 hex digits when written.
    pub id: u64,
    pub time: Time,
    pub kind: Kind,
    /// order_id, trade_id, tx_hash, address, note.
    pub texts: [&'l [u8]; TEXT_COUNT],
    /// The rows, in the order of the files.
    pub members: &'l [EventRef],
    /// The first row, and its batch.
    first: EventRecord<'l>,
    batch: &'l Batch,
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
    /// Calls back with each leg and the row that it came from.
    pub fn for_each_leg(&self, mut each: impl FnMut(&Leg, EventRef)) {
        self.for_each_leg_text(|leg, at| each(&leg.read(), at));
    }

    /// Calls back with each leg as it is written, and the row that it came from.
    #[inline(always)]
    pub fn for_each_leg_text(&self, mut each: impl FnMut(&LegText<'l>, EventRef)) {
        // In a group, a main leg of zero says nothing beside another leg.
        let is_group = self.members.len() > 1;
        let says_more = is_group && self.moves_something();
        let mut legs = self.first.legs();
        let mut at = self.members[0];
        let mut others = self.members[1..].iter();
        // One place that calls back, so that the call is none.
        loop {
            let Some(leg) = legs.next() else {
                let Some(next) = others.next() else { break };
                at = *next;
                legs = self.ledger.record(at).legs();
                continue;
            };
            if !says_more || !leg.amount().is(b"0") {
                each(&leg, at);
            }
            if is_group && !says_more {
                break;
            }
        }
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
            self.batch.line(self.first.line())
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
    pub fn members<'l>(&'l self, event: &'l Event) -> &'l [EventRef] {
        if event.at.batch & A_GROUP != 0 {
            let piece = (event.at.batch & !A_GROUP) as usize;
            self.groups[piece].rows_of(event.at.event)
        } else {
            std::slice::from_ref(&event.at)
        }
    }

    /// Everything there is to say of an event.
    pub fn view<'l>(&'l self, event: &'l Event) -> EventView<'l> {
        let members = self.members(event);
        let batch = self.batch(members[0]);
        let first = self.record(members[0]);
        let mut texts = first.texts();
        let mut time = first.time();
        if let [_, others @ ..] = members
            && !others.is_empty()
        {
            self.look_at_others(others, &mut texts, &mut time);
        }
        EventView {
            ledger: self,
            id: self.id(members, &first),
            time,
            kind: first.kind(),
            texts,
            members,
            first,
            batch,
        }
    }

    /// Takes the earliest time, and what the texts lack, from the other rows of a group.
    #[inline(never)]
    fn look_at_others<'l>(
        &'l self,
        others: &[EventRef],
        texts: &mut [&'l [u8]; TEXT_COUNT],
        time: &mut Time,
    ) {
        for at in others {
            let record = self.record(*at);
            if record.time().ns() < time.ns() {
                *time = record.time();
            }
            if texts.iter().any(|text| text.is_empty()) {
                for (text, other) in texts.iter_mut().zip(record.texts()) {
                    if text.is_empty() {
                        *text = other;
                    }
                }
            }
        }
    }

    /// The id of an event, from the hashes of its rows and their occurrence numbers; the order of the rows does not matter.
    fn id(&self, members: &[EventRef], first: &EventRecord<'_>) -> u64 {
        if let [only] = members {
            return self.id_of_row(*only, first);
        }
        self.id_of_rows(members, |at| self.record(at))
    }

    /// The id of an event that is one row.
    pub(super) fn id_of_row(&self, at: EventRef, record: &EventRecord<'_>) -> u64 {
        match self.batch(at).given_id(at.event) {
            Some(id) => id,
            None => self.row_id(at, record),
        }
    }

    /// The id of an event that is several rows.
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
