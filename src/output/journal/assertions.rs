//! Where the balances that exports state can be asserted in a journal.
//!
//! A journal starts from nothing, and its order is that of the ledger; an export may start in the middle of a history, and
//! its order within one instant may be another. So a balance is asserted at the end of a day only, only where the rows of
//! the last instant state just what the journal comes to there, and what is written is what the journal comes to: an
//! assertion cannot be wrong, it can only be missing.

use rustc_hash::FxHashMap;

use crate::ledger::{EventRef, Ledger};
use crate::model::time::{NS_PER_SECOND, SECONDS_PER_DAY};
use crate::model::{Amount, NameId};

pub const NS_PER_DAY: i64 = NS_PER_SECOND * SECONDS_PER_DAY;

/// The balance of an account and asset after an event, the last of its day there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    pub account: NameId,
    pub asset: NameId,
    pub balance: Amount,
}

/// A day at whose end an export states another balance than the journal comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    pub time_ns: i64,
    pub account: NameId,
    pub asset: NameId,
    pub stated: Amount,
    pub reached: Amount,
}

#[derive(Default)]
pub struct Assertions {
    /// By the first row of the event.
    pub after: FxHashMap<EventRef, Vec<Assertion>>,
    pub unreached: Vec<Unreached>,
}

/// What is known of an account and asset so far.
struct Running {
    /// `None`: it did not fit once.
    balance: Option<Amount>,
    /// The last event that moved it.
    last: EventRef,
    time_ns: i64,
    /// What rows of that instant state.
    stated: Vec<Amount>,
}

/// Walks all events once.
pub fn find(ledger: &Ledger) -> Assertions {
    let mut found = Assertions::default();
    let mut batches = (0..ledger.files.len()).flat_map(|file| ledger.batches_of(file));
    if batches.all(|batch| batch.balances.is_empty()) {
        return found;
    }
    let mut places: FxHashMap<(NameId, NameId), Running> = FxHashMap::default();
    let mut stated: Vec<((NameId, NameId), Amount)> = Vec::new();
    for event in &ledger.events {
        let view = ledger.view(event);
        let first = view.members[0];
        let time_ns = event.time_ns();
        view.for_each_leg(|leg, _| {
            let place = (leg.account, leg.asset);
            let running = places.entry(place).or_insert_with(|| Running {
                balance: Some(Amount::ZERO),
                last: first,
                time_ns,
                stated: Vec::new(),
            });
            if running.time_ns.div_euclid(NS_PER_DAY) != time_ns.div_euclid(NS_PER_DAY) {
                found.end_of_day(place, running);
            }
            if running.time_ns != time_ns {
                running.stated.clear();
            }
            running.balance = running
                .balance
                .and_then(|balance| balance.checked_add(leg.amount));
            running.last = first;
            running.time_ns = time_ns;
        });
        stated.clear();
        for at in view.members {
            let balances = &ledger.batch(*at).balances;
            let start = balances.partition_point(|balance| balance.event < at.event);
            let of_row = balances[start..]
                .iter()
                .take_while(|balance| balance.event == at.event);
            stated.extend(of_row.map(|balance| ((balance.account, balance.asset), balance.amount)));
        }
        for (place, amount) in &stated {
            if let Some(running) = places
                .get_mut(place)
                .filter(|running| running.last == first)
            {
                running.stated.push(*amount);
            }
        }
    }
    for (place, running) in &places {
        found.end_of_day(*place, running);
    }
    found
}

impl Assertions {
    fn end_of_day(&mut self, (account, asset): (NameId, NameId), running: &Running) {
        let (Some(balance), Some(last)) = (running.balance, running.stated.last()) else {
            return;
        };
        if running.stated.contains(&balance) {
            self.after.entry(running.last).or_default().push(Assertion {
                account,
                asset,
                balance,
            });
        } else {
            self.unreached.push(Unreached {
                time_ns: running.time_ns,
                account,
                asset,
                stated: *last,
                reached: balance,
            });
        }
    }

    /// Assertions after an event.
    pub fn after(&self, event: EventRef) -> &[Assertion] {
        self.after.get(&event).map_or(&[], Vec::as_slice)
    }
}
