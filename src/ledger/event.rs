//! An event of the ledger, and how it is looked at: its legs with their rows, its ids, its note.

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{EventRef, Ledger};
use crate::convert::Leg;
use crate::mapping::TEXT_COUNT;
use crate::model::{Kind, Time};

/// An event in the ledger's order: by time, then as the rows stand in the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    time_ns: i64,
    first: EventRef,
    /// Number of its group from 1; 0: it is one row's.
    group: u32,
}

impl Event {
    pub(super) fn single(time_ns: i64, first: EventRef) -> Event {
        Event {
            time_ns,
            first,
            group: 0,
        }
    }

    pub(super) fn group(time_ns: i64, first: EventRef, group: u32) -> Event {
        Event {
            time_ns,
            first,
            group: group + 1,
        }
    }

    pub fn time_ns(&self) -> i64 {
        self.time_ns
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

impl EventView<'_> {
    /// Calls back with each leg and the row that it came from.
    pub fn for_each_leg(&self, mut each: impl FnMut(&Leg, EventRef)) {
        let many = self.members.len() > 1;
        // In a group, a main leg of zero says nothing beside another leg.
        let mut any = false;
        for at in self.members {
            let mut body = self.ledger.batch(*at).body(at.event as usize);
            while let Some(leg) = body.next_leg() {
                if !(many && leg.amount.is_zero()) {
                    any = true;
                    each(&leg, *at);
                }
            }
        }
        if !any
            && let Some(leg) = self
                .ledger
                .batch(self.members[0])
                .body(self.members[0].event as usize)
                .next_leg()
        {
            each(&leg, self.members[0]);
        }
    }

    /// Where its first row stands.
    pub fn place(&self) -> RowPlace<'_> {
        let at = self.members[0];
        let file = self.ledger.file_index(at);
        RowPlace {
            format: &self.ledger.context(file).program.id,
            file: &self.ledger.files[file].name,
            line: self.ledger.line(at),
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
        match event.group {
            0 => std::slice::from_ref(&event.first),
            group => &self.groups[group as usize - 1],
        }
    }

    /// Everything there is to say of an event.
    pub fn view<'l>(&'l self, event: &'l Event) -> EventView<'l> {
        let members = self.members(event);
        let first = self.record(members[0]);
        let mut texts = self
            .batch(members[0])
            .body(members[0].event as usize)
            .texts();
        let mut time = first.time();
        for at in &members[1..] {
            let record = self.record(*at);
            if record.time().ns() < time.ns() {
                time = record.time();
            }
            if texts.iter().any(|text| text.is_empty()) {
                let others = self.batch(*at).body(at.event as usize).texts();
                for (text, other) in texts.iter_mut().zip(others) {
                    if text.is_empty() {
                        *text = other;
                    }
                }
            }
        }
        EventView {
            ledger: self,
            id: self.id(members),
            time,
            kind: first.kind(),
            texts,
            members,
        }
    }

    /// The id of an event, from the hashes of its rows and their occurrence numbers; the order of the rows does not matter.
    fn id(&self, members: &[EventRef]) -> u64 {
        if let Some(id) = self.batch(members[0]).given_id(members[0].event) {
            return id;
        }
        let row_id = |at: &EventRef| {
            let record = self.record(*at);
            let occurrence = if self.occurrences.is_empty() {
                0
            } else {
                self.occurrences.get(at).copied().unwrap_or(0)
            };
            let mut bytes = [0u8; 21];
            bytes[..16].copy_from_slice(&record.hash().to_le_bytes());
            bytes[16..20].copy_from_slice(&occurrence.to_le_bytes());
            bytes[20] = record.nth;
            xxh3_64(&bytes)
        };
        if let [only] = members {
            return row_id(only);
        }
        let mut ids: Vec<u64> = members.iter().map(row_id).collect();
        ids.sort_unstable();
        let mut hasher = Xxh3::new();
        ids.iter().for_each(|id| hasher.update(&id.to_le_bytes()));
        hasher.digest()
    }

    /// The id of the event that holds a row, if the row is used.
    pub fn event_of(&self, at: EventRef) -> Option<&Event> {
        self.events
            .iter()
            .find(|event| self.members(event).contains(&at))
    }
}
