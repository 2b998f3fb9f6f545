//! Running balances of a file, batch by batch: each batch is walked without what came before it, and what it leaves open is
//! settled when the batches are joined.
//!
//! Amounts are whole numbers of 10^-18 here. All magnitudes of a file are added up: as long as that sum fits, each sum of
//! some of them does.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::{BalanceBreak, BalanceCheck};
use crate::convert::{Batch, EventRecord, LegText, Outcome, events};
use crate::model::{Amount, NameId};

/// Digits behind the point.
const SCALE: u8 = 18;

/// `POW10[n]` is 10^n.
const POW10: [i64; SCALE as usize + 1] = {
    let mut table = [1; SCALE as usize + 1];
    let mut n = 1;
    while n < table.len() {
        table[n] = table[n - 1] * 10;
        n += 1;
    }
    table
};

/// How many balances are found without hashing. A power of two.
const NEAR: usize = 256;

/// An account and an asset of it.
type Pocket = (NameId, NameId);

/// What a batch knows of a balance, in units of 10^-[`SCALE`].
#[derive(Clone, Copy)]
enum Balance {
    /// What it was before the batch, and so much more.
    Since(i128),
    Is(i128),
    Unknown,
}

/// The first balance that a batch states of a pocket, where that says something of the rows before the batch.
struct First {
    step: Step,
    /// What was moved in the batch until then.
    moved: i128,
}

/// A balance that is stated.
#[derive(Clone, Copy)]
struct Step {
    /// Which of the stated balances of the batch it is, in the order of the walk.
    nth: usize,
    /// In the file, 1-based.
    line: u64,
    stated: i128,
}

/// A step that is wrong: what was expected, and what is stated.
struct Wrong {
    step: Step,
    pocket: Pocket,
    expected: i128,
}

/// What one batch says.
struct Part {
    pockets: Vec<(Pocket, Balance, Option<First>)>,
    /// Whether a row was rejected: what was known before the batch is not known behind it.
    forgets: bool,
    steps: u64,
    wrong: Vec<Wrong>,
    /// The sum of all magnitudes.
    weight: u128,
}

/// The steps of a file; `None` where its amounts are too large or too fine to be added up here.
pub fn check(index: usize, batches: &[Batch], newest_first: bool) -> Option<BalanceCheck> {
    let parts: Option<Vec<Part>> = batches
        .par_iter()
        .map(|batch| Walk::of(batch, newest_first))
        .collect();
    let mut parts = parts?;
    let weight = parts
        .iter()
        .try_fold(0_u128, |sum, part| sum.checked_add(part.weight))?;
    if weight > i128::MAX as u128 {
        return None;
    }
    if newest_first {
        parts.reverse();
    }
    let mut check = BalanceCheck::default();
    let mut known: FxHashMap<Pocket, i128> = FxHashMap::default();
    for part in parts {
        let mut wrong = part.wrong;
        check.steps += part.steps;
        for (pocket, _, first) in &part.pockets {
            let (Some(before), Some(first)) = (known.get(pocket), first) else {
                continue;
            };
            check.steps += 1;
            let expected = before + first.moved;
            if expected != first.step.stated {
                wrong.push(Wrong {
                    step: first.step,
                    pocket: *pocket,
                    expected,
                });
            }
        }
        if part.forgets {
            known.clear();
        }
        for (pocket, balance, _) in part.pockets {
            match balance {
                Balance::Since(moved) => {
                    known.entry(pocket).and_modify(|known| *known += moved);
                }
                Balance::Is(balance) => {
                    known.insert(pocket, balance);
                }
                Balance::Unknown => {
                    known.remove(&pocket);
                }
            }
        }
        wrong.sort_unstable_by_key(|wrong| wrong.step.nth);
        for wrong in wrong {
            check.breaks.push(BalanceBreak {
                file: index,
                line: wrong.step.line,
                account: wrong.pocket.0,
                asset: wrong.pocket.1,
                expected: Amount::from_parts(wrong.expected, SCALE.into())?,
                stated: Amount::from_parts(wrong.step.stated, SCALE.into())?,
            });
        }
    }
    Some(check)
}

/// An amount in units of 10^-[`SCALE`]; `None` if it has more digits behind the point, or more than fit.
#[inline]
fn whole(amount: Amount) -> Option<i128> {
    let power = *POW10.get(usize::from(SCALE.checked_sub(amount.scale())?))?;
    match i64::try_from(amount.mantissa()) {
        Ok(mantissa) => Some(i128::from(mantissa) * i128::from(power)),
        Err(_) => amount.mantissa().checked_mul(power.into()),
    }
}

/// The amount of a leg, with its sign.
#[inline]
fn moved(leg: &LegText<'_>) -> Option<i128> {
    let text = leg.amount();
    let plain = text
        .block()
        .and_then(|block| Amount::parse_block(block, text.length()));
    let magnitude = whole(match plain {
        Some((amount, _)) => amount,
        None => Amount::parse(text.bytes()).expect("the arena was written by us"),
    })?;
    Some(if leg.negative { -magnitude } else { magnitude })
}

/// A walk over a batch.
struct Walk<'b> {
    batch: &'b Batch,
    part: Part,
    /// How many balances were stated so far.
    stated: usize,
    places: FxHashMap<Pocket, usize>,
    /// Places of pockets, from 1; 0: none. Found by account and asset, and checked there.
    near: [u32; NEAR],
}

impl Walk<'_> {
    fn of(batch: &Batch, newest_first: bool) -> Option<Part> {
        let arena = batch.arena();
        let events: Vec<(u32, EventRecord)> = events(&arena).collect();
        let rows = events.chunk_by(|one, other| one.1.row() == other.1.row());
        let mut walk = Walk {
            batch,
            part: Part {
                pockets: Vec::new(),
                forgets: false,
                steps: 0,
                wrong: Vec::new(),
                weight: 0,
            },
            stated: 0,
            places: FxHashMap::default(),
            near: [0; NEAR],
        };
        // What a rejected row moved is not known: the next balances start anew.
        let rejected = (batch.other_rows.iter())
            .filter(|row| matches!(row.outcome, Outcome::Rejected(_)))
            .map(|row| row.row);
        if newest_first {
            let mut rejected = rejected.rev().peekable();
            let mut left = batch.balances.len();
            for row in rows.rev() {
                let (first, event) = row[0];
                while rejected
                    .next_if(|rejected| *rejected > event.row())
                    .is_some()
                {
                    walk.forget();
                }
                let end = left;
                while left > 0 && batch.balances[left - 1].event >= first {
                    left -= 1;
                }
                walk.row(row, left..end)?;
            }
            rejected.for_each(|_| walk.forget());
        } else {
            let mut rejected = rejected.peekable();
            let mut done = 0;
            for row in rows {
                let (_, event) = row[0];
                while rejected
                    .next_if(|rejected| *rejected < event.row())
                    .is_some()
                {
                    walk.forget();
                }
                let start = done;
                let (last, _) = row[row.len() - 1];
                while (batch.balances.get(done)).is_some_and(|balance| balance.event <= last) {
                    done += 1;
                }
                walk.row(row, start..done)?;
            }
            rejected.for_each(|_| walk.forget());
        }
        Some(walk.part)
    }

    /// The events of one row, and which of the batch's balances it states.
    #[inline]
    fn row(&mut self, events: &[(u32, EventRecord)], stated: std::ops::Range<usize>) -> Option<()> {
        for (_, event) in events {
            for leg in event.legs() {
                let moved = moved(&leg)?;
                self.part.weight = self.part.weight.checked_add(moved.unsigned_abs())?;
                match self.balance((leg.account, leg.asset)) {
                    (Balance::Since(sum) | Balance::Is(sum), _) => *sum = sum.checked_add(moved)?,
                    (Balance::Unknown, _) => {}
                }
            }
        }
        for balance in &self.batch.balances[stated] {
            let stated = whole(balance.amount)?;
            self.part.weight = self.part.weight.checked_add(stated.unsigned_abs())?;
            let step = Step {
                nth: self.stated,
                line: self.batch.line(events[0].1.line()),
                stated,
            };
            self.stated += 1;
            let pocket = (balance.account, balance.asset);
            let (known, first) = self.balance(pocket);
            match std::mem::replace(known, Balance::Is(stated)) {
                Balance::Since(moved) => *first = Some(First { step, moved }),
                Balance::Is(expected) => {
                    self.part.steps += 1;
                    if expected != stated {
                        self.part.wrong.push(Wrong {
                            step,
                            pocket,
                            expected,
                        });
                    }
                }
                Balance::Unknown => {}
            }
        }
        Some(())
    }

    fn forget(&mut self) {
        self.part.forgets = true;
        for (_, balance, _) in &mut self.part.pockets {
            *balance = Balance::Unknown;
        }
    }

    #[inline]
    fn balance(&mut self, pocket: Pocket) -> (&mut Balance, &mut Option<First>) {
        let near = (pocket.1.0.wrapping_mul(7) ^ pocket.0.0) as usize % NEAR;
        let mut at = (self.near[near] as usize).wrapping_sub(1);
        if (self.part.pockets.get(at)).is_none_or(|(of, ..)| *of != pocket) {
            at = self.look_up(pocket);
            self.near[near] = at as u32 + 1;
        }
        let (_, balance, first) = &mut self.part.pockets[at];
        (balance, first)
    }

    #[inline(never)]
    fn look_up(&mut self, pocket: Pocket) -> usize {
        let next = self.part.pockets.len();
        let at = *self.places.entry(pocket).or_insert(next);
        if at == next {
            let balance = if self.part.forgets {
                Balance::Unknown
            } else {
                Balance::Since(0)
            };
            self.part.pockets.push((pocket, balance, None));
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::row_by_row;
    use super::*;
    use crate::convert::{BalanceRecord, EventHead, NewLeg};
    use crate::model::{Kind, Role, Time};

    /// What a row says: whether it is rejected, and of each event the asset, what is moved, and the balance if it is stated.
    type RowSaid = (bool, Vec<(u32, i64, Option<i64>)>);

    fn batch(number: u32, rows: &[RowSaid], amount: impl Fn(i64) -> Amount) -> Batch {
        let mut batch = Batch::for_text(number, 100 * u64::from(number), 0, Vec::new());
        for (line, (is_rejected, events)) in (0..).zip(rows) {
            if *is_rejected {
                batch.end_other_row(line, Outcome::Rejected(0));
                continue;
            }
            for (nth, (asset, moved, balance)) in (0..).zip(events) {
                let (account, asset) = (NameId(asset % 2), NameId(asset / 2));
                let event = batch.begin_event();
                batch.add_leg(&NewLeg {
                    account,
                    asset,
                    amount: amount(*moved).into(),
                    role: Role::Main,
                    value: None,
                });
                let head = EventHead {
                    time: Time::new(5, 0),
                    kind: Kind::Trade,
                    rule: 0,
                    hash: 1,
                    group: 0,
                    nth,
                    line,
                };
                batch.begin_texts();
                batch.end_event(event, &head);
                batch.balances.extend(balance.map(|balance| BalanceRecord {
                    event,
                    account,
                    asset,
                    amount: amount(balance),
                }));
            }
            batch.end_row();
        }
        batch
    }

    fn rows() -> impl Strategy<Value = Vec<RowSaid>> {
        let event = (0..4_u32, -3..4_i64, prop::option::weighted(0.8, -3..4_i64));
        let row = (
            prop::bool::weighted(0.1),
            prop::collection::vec(event, 1..3),
        );
        prop::collection::vec(row, 0..12)
    }

    proptest! {
        #[test]
        fn parts_say_what_rows_one_by_one_say(
            all in prop::collection::vec(rows(), 0..5), newest_first: bool, scale in 0..=SCALE,
        ) {
            let amount = |units| Amount::from_parts(i128::from(units), scale.into()).unwrap();
            let batches: Vec<Batch> = (0..).zip(&all).map(|(nth, rows)| batch(nth, rows, amount)).collect();
            let expected = row_by_row(3, &batches, newest_first);
            prop_assert_eq!(check(3, &batches, newest_first), Some(expected));
        }
    }

    #[test]
    fn what_is_too_large_or_too_fine_is_left_to_the_rows_one_by_one() {
        let rows = [
            (false, vec![(0, 1, Some(1))]),
            (false, vec![(0, 1, Some(2))]),
        ];
        for (amount, is_checked) in [
            ("10000000000000000000", true),
            ("100000000000000000000", false),
            ("0.000000000000000001", true),
            ("0.0000000000000000001", false),
        ] {
            let amount: Amount = amount.parse().unwrap();
            let units = |units: i64| amount.checked_mul(Amount::from(units)).unwrap();
            let batches = [batch(0, &rows, units)];
            assert_eq!(check(0, &batches, false).is_some(), is_checked, "{amount}");
            assert_eq!(super::super::walk(0, &batches, false).steps, 1);
        }
    }
}
