//! Running balances: where an export states the balance after each row, every step is checked.

mod parts;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::Ledger;
use crate::convert::{Batch, Outcome, Row, events};
use crate::mapping::Order;
use crate::model::{Amount, NameId};

/// A step that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceBreak {
    /// Index of the file.
    pub file: usize,
    pub line: u64,
    pub account: NameId,
    pub asset: NameId,
    /// What the balance before and the row give.
    pub expected: Amount,
    /// What the row says.
    pub stated: Amount,
}

/// What the check found, over all files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BalanceCheck {
    /// Steps that could be checked.
    pub steps: u64,
    pub breaks: Vec<BalanceBreak>,
}

pub fn check(ledger: &Ledger) -> BalanceCheck {
    let of_file = |index: usize| check_file(ledger, index);
    let files = 0..ledger.files.len();
    let checks: Vec<BalanceCheck> = files.into_par_iter().map(of_file).collect();
    let mut all = BalanceCheck::default();
    for check in checks {
        all.steps += check.steps;
        all.breaks.extend(check.breaks);
    }
    all
}

fn check_file(ledger: &Ledger, index: usize) -> BalanceCheck {
    let rows = &ledger.files[index].rows;
    let batches = ledger.batches_of(index);
    if batches.iter().all(|batch| batch.balances.is_empty()) {
        return BalanceCheck::default();
    }
    let first = rows.keys.first().map(|key| key.time_ns);
    let last = rows.keys.last().map(|key| key.time_ns);
    match rows.context.program.order {
        Some(Order::OldestFirst) => walk(index, batches, false),
        Some(Order::NewestFirst) => walk(index, batches, true),
        None if first < last => walk(index, batches, false),
        None if first > last => walk(index, batches, true),
        // All rows of one instant: whichever way has no break is the way they were written.
        None => {
            let forward = walk(index, batches, false);
            let backward = walk(index, batches, true);
            if backward.breaks.len() < forward.breaks.len() {
                backward
            } else {
                forward
            }
        }
    }
}

/// The steps of a file: all batches at once, or where amounts are too large for that, row by row.
fn walk(index: usize, batches: &[Batch], newest_first: bool) -> BalanceCheck {
    parts::check(index, batches, newest_first)
        .unwrap_or_else(|| row_by_row(index, batches, newest_first))
}

fn row_by_row(index: usize, batches: &[Batch], newest_first: bool) -> BalanceCheck {
    let mut walker = Walker {
        index,
        running: Running::default(),
        check: BalanceCheck::default(),
    };
    if newest_first {
        for batch in batches.iter().rev() {
            let arena = batch.arena();
            let rows: Vec<Row> = batch.rows(&arena).collect();
            rows.into_iter()
                .rev()
                .for_each(|row| walker.row(batch, &arena, row));
        }
    } else {
        for batch in batches {
            let arena = batch.arena();
            batch
                .rows(&arena)
                .for_each(|row| walker.row(batch, &arena, row));
        }
    }
    walker.check
}

struct Walker {
    index: usize,
    running: Running,
    check: BalanceCheck,
}

/// The balances as they are known, of accounts and assets.
#[derive(Default)]
struct Running {
    /// Which of the balances it is.
    places: FxHashMap<(NameId, NameId), usize>,
    /// `None` where it is not known.
    balances: Vec<Option<Amount>>,
    /// The place that was asked for last: a row's legs and its balance are mostly of one.
    last: Option<((NameId, NameId), usize)>,
}

impl Running {
    #[inline]
    fn balance(&mut self, account: NameId, asset: NameId) -> &mut Option<Amount> {
        let place = (account, asset);
        let at = match self.last {
            Some((last, at)) if last == place => at,
            _ => {
                let next = self.balances.len();
                let at = *self.places.entry(place).or_insert(next);
                if at == next {
                    self.balances.push(None);
                }
                self.last = Some((place, at));
                at
            }
        };
        &mut self.balances[at]
    }

    fn forget(&mut self) {
        self.balances.fill(None);
    }
}

impl Walker {
    fn row(&mut self, batch: &Batch, arena: &[u8], row: Row) {
        let first = match row.outcome {
            Outcome::Events { first } => first,
            Outcome::Skipped(_) => return,
            // What a rejected row moved is not known: the next balances start anew.
            Outcome::Rejected(_) => {
                self.running.forget();
                return;
            }
        };
        let mut end = first;
        for (at, event) in events(&arena[first as usize..]) {
            if event.row() != row.row {
                break;
            }
            end = first + at;
            for leg in event.legs() {
                let running = self.running.balance(leg.account, leg.asset);
                if let Some(balance) = *running {
                    let magnitude = Amount::parse(leg.amount().bytes());
                    let magnitude = magnitude.expect("the arena was written by us");
                    *running = balance.checked_add(if leg.negative {
                        magnitude.neg()
                    } else {
                        magnitude
                    });
                }
            }
        }
        let start = batch
            .balances
            .partition_point(|balance| balance.event < first);
        for balance in batch.balances[start..]
            .iter()
            .take_while(|balance| balance.event <= end)
        {
            let running = self.running.balance(balance.account, balance.asset);
            if let Some(expected) = running.replace(balance.amount) {
                self.check.steps += 1;
                if expected != balance.amount {
                    self.check.breaks.push(BalanceBreak {
                        file: self.index,
                        line: batch.line(row.line),
                        account: balance.account,
                        asset: balance.asset,
                        expected,
                        stated: balance.amount,
                    });
                }
            }
        }
    }
}
