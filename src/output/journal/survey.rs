//! What a journal will use, seen before anything is written: accounts, commodities, since when, with how many digits.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::JournalError;
use super::dialect::Counter;
use super::entry::{Posting, To, TradePolicy, digits, postings};
use crate::convert::Leg;
use crate::ledger::{Event, EventView, Ledger, NameTexts};
use crate::model::{Kind, NameId};

/// Events that one thread looks at in one go.
const EVENTS_AT_ONCE: usize = 8192;

#[derive(Default)]
pub struct Survey {
    /// By account and asset: the instant of the first use.
    pub own: FxHashMap<(NameId, NameId), i64>,
    /// By what their names are made of: the instant of the first use.
    pub counters: FxHashMap<(Counter, Kind, NameId, NameId), i64>,
    /// By asset: the instant of the first use, and the most digits behind the point.
    pub assets: FxHashMap<NameId, (i64, u8)>,
    /// Assets of which an amount has more digits than the program keeps, and how many do.
    pub rounded: FxHashMap<NameId, u64>,
}

/// The postings of an event.
///
/// # Errors
/// See [`postings`].
pub fn postings_of(
    view: &EventView<'_>,
    names: &NameTexts,
    policy: &TradePolicy,
) -> Result<Vec<Posting>, JournalError> {
    let mut legs: Vec<Leg> = Vec::new();
    view.for_each_leg(|leg, _| legs.push(*leg));
    postings(view.kind, &legs, policy).map_err(|error| JournalError::entry(view.id, error, names))
}

/// Looks at all events.
///
/// # Errors
/// The first event, in their order, that cannot be written.
pub fn survey(
    ledger: &Ledger,
    names: &NameTexts,
    policy: &TradePolicy,
    most_digits: Option<u8>,
) -> Result<Survey, JournalError> {
    let look = |events: &[Event]| {
        let mut survey = Survey::default();
        for event in events {
            let view = ledger.view(event);
            for posting in postings_of(&view, names, policy)? {
                survey.posting(&posting, view.kind, event.time_ns(), most_digits);
            }
        }
        Ok(survey)
    };
    let parts: Vec<Result<Survey, JournalError>> =
        ledger.events.par_chunks(EVENTS_AT_ONCE).map(look).collect();
    let mut all = Survey::default();
    for part in parts {
        all.merge(part?);
    }
    Ok(all)
}

impl Survey {
    /// Events come in the order of time, so the first use is the earliest.
    fn posting(&mut self, posting: &Posting, kind: Kind, time_ns: i64, most_digits: Option<u8>) {
        match posting.to {
            To::Own => {
                self.own
                    .entry((posting.account, posting.asset))
                    .or_insert(time_ns);
            }
            To::Counter(counter) => {
                let place = (counter, kind, posting.account, posting.asset);
                self.counters.entry(place).or_insert(time_ns);
            }
        }
        let amounts = [Some((posting.amount, posting.asset)), posting.cost];
        for (amount, asset) in amounts.into_iter().flatten() {
            let (_, scale) = self.assets.entry(asset).or_insert((time_ns, 0));
            *scale = (*scale).max(amount.scale());
            if most_digits.is_some_and(|most| digits(amount, 0) > u32::from(most)) {
                *self.rounded.entry(asset).or_default() += 1;
            }
        }
    }

    /// Puts what was seen of later events to it.
    fn merge(&mut self, later: Survey) {
        for (place, time_ns) in later.own {
            self.own.entry(place).or_insert(time_ns);
        }
        for (place, time_ns) in later.counters {
            self.counters.entry(place).or_insert(time_ns);
        }
        for (asset, (time_ns, scale)) in later.assets {
            let (_, most) = self.assets.entry(asset).or_insert((time_ns, 0));
            *most = (*most).max(scale);
        }
        for (asset, count) in later.rounded {
            *self.rounded.entry(asset).or_default() += count;
        }
    }
}
