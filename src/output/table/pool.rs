//! An event's legs put together: one amount for each account, side and asset, from which rows are made.

use crate::ledger::EventView;
use crate::model::{Amount, NameId, Role};

/// Which way an amount moves, and what it is to the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Sent,
    Received,
    /// A fee that was paid.
    Fee,
    /// A fee that came back.
    Rebate,
}

impl Stream {
    /// 1 for what comes in, -1 for what goes out.
    pub fn sign(self) -> i8 {
        match self {
            Stream::Sent | Stream::Fee => -1,
            Stream::Received | Stream::Rebate => 1,
        }
    }
}

/// A stated worth, and in what.
pub type Worth = Option<(Amount, NameId)>;

/// An amount that moved: never negative, the stream says which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    pub account: NameId,
    pub asset: NameId,
    pub stream: Stream,
    pub amount: Amount,
    pub value: Worth,
}

impl Flow {
    /// With its sign.
    pub fn signed(&self) -> Amount {
        if self.stream.sign() < 0 {
            self.amount.neg()
        } else {
            self.amount
        }
    }
}

/// Puts an event's legs together, in the order in which each first appears. Legs of nothing are left out. `None` if a sum
/// needs more than 38 digits.
pub fn flows(view: &EventView<'_>) -> Option<Vec<Flow>> {
    let mut flows: Vec<Flow> = Vec::new();
    let mut fits = true;
    view.for_each_leg(|leg, _| {
        if leg.amount.is_zero() {
            return;
        }
        let stream = match (leg.role, leg.amount.is_negative()) {
            (Role::Main, true) => Stream::Sent,
            (Role::Main, false) => Stream::Received,
            (Role::Fee, true) => Stream::Fee,
            (Role::Fee, false) => Stream::Rebate,
        };
        let flow = Flow {
            account: leg.account,
            asset: leg.asset,
            stream,
            amount: leg.amount.abs(),
            value: leg.value.map(|(value, currency)| (value.abs(), currency)),
        };
        let same = flows.iter_mut().find(|known| {
            (known.account, known.asset, known.stream) == (flow.account, flow.asset, flow.stream)
        });
        match same {
            None => flows.push(flow),
            Some(known) => {
                known.value = match (known.value, flow.value) {
                    (Some((one, currency)), Some((other, same))) if currency == same => {
                        one.checked_add(other).map(|sum| (sum, currency))
                    }
                    _ => None,
                };
                match known.amount.checked_add(flow.amount) {
                    Some(sum) => known.amount = sum,
                    None => fits = false,
                }
            }
        }
    });
    fits.then_some(flows)
}

/// Takes what a row stands for out of what is left of an event. What is used up goes.
pub fn take(left: &mut Vec<Flow>, taken: &[Flow]) {
    for flow in taken {
        if let Some(place) = left.iter().position(|known| {
            (known.account, known.asset, known.stream) == (flow.account, flow.asset, flow.stream)
        }) {
            match left[place].amount.checked_sub(flow.amount) {
                Some(rest) if rest.is_positive() => left[place].amount = rest,
                _ => {
                    left.remove(place);
                }
            }
        }
    }
}
