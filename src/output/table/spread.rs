//! Legs beyond one a side, spread over rows so that the parts add up to the last digit.

use super::pool::{Flow, Worth};
use crate::model::{Amount, NameId};

/// Digits that a divided amount gets at least: where amounts are whole numbers, parts still say something.
const DIGITS: u8 = 8;

/// Digits that a divided worth gets at least.
const VALUE_DIGITS: u8 = 2;

/// What stands on the two sides of a row.
pub type Pair = (Option<Flow>, Option<Flow>);

/// Side by side, in their order.
pub fn in_order(sent: &[Flow], received: &[Flow]) -> Vec<Pair> {
    (0..sent.len().max(received.len()))
        .map(|nth| (sent.get(nth).copied(), received.get(nth).copied()))
        .collect()
}

/// Each side divided where the other has a boundary: by value where all legs of a side have one in one currency, else evenly. Amounts get at
/// most `max_digits` decimals more than they have. `None` if the numbers do not fit.
pub fn pro_rata(sent: &[Flow], received: &[Flow], max_digits: Option<u8>) -> Option<Vec<Pair>> {
    if sent.is_empty() || received.is_empty() {
        return Some(in_order(sent, received));
    }
    let (sent_ends, sent_total) = ends(sent)?;
    let (received_ends, received_total) = ends(received)?;
    // Both sides on one scale: where a leg ends, from 0 to the product of the totals.
    let scaled = |ends: &[Amount], by: Amount| -> Option<Vec<Amount>> {
        ends.iter().map(|end| end.checked_mul(by)).collect()
    };
    let sent_ends = scaled(&sent_ends, received_total)?;
    let received_ends = scaled(&received_ends, sent_total)?;
    let (mut at_sent, mut at_received) = (0, 0);
    let mut sent_cut = Cut::new(Amount::ZERO);
    let mut received_cut = Cut::new(Amount::ZERO);
    let mut pairs = Vec::new();
    while at_sent < sent.len() && at_received < received.len() {
        let end = sent_ends[at_sent].min(received_ends[at_received]);
        let sent_part = sent_cut.up_to(&sent[at_sent], end, sent_ends[at_sent], max_digits)?;
        let received_part = received_cut.up_to(
            &received[at_received],
            end,
            received_ends[at_received],
            max_digits,
        )?;
        let some = |part: Flow| (!part.amount.is_zero()).then_some(part);
        pairs.push((some(sent_part), some(received_part)));
        if sent_ends[at_sent] == end {
            at_sent += 1;
            sent_cut = Cut::new(end);
        }
        if received_ends[at_received] == end {
            at_received += 1;
            received_cut = Cut::new(end);
        }
    }
    pairs.retain(|(sent, received)| sent.is_some() || received.is_some());
    Some(pairs)
}

/// Where each leg of a side ends by its weight, and where the last one does.
fn ends(side: &[Flow]) -> Option<(Vec<Amount>, Amount)> {
    let currency = side[0].value.map(|(_, currency)| currency);
    let by_value = currency.is_some()
        && side.iter().all(|flow| {
            flow.value
                .is_some_and(|(value, own)| Some(own) == currency && value.is_positive())
        });
    let mut total = Amount::ZERO;
    let mut ends = Vec::with_capacity(side.len());
    for flow in side {
        let weight = match flow.value {
            Some((value, _)) if by_value => value,
            _ => Amount::from(1),
        };
        total = total.checked_add(weight)?;
        ends.push(total);
    }
    Some((ends, total))
}

/// How much of a leg went to rows already.
struct Cut {
    start: Amount,
    amount: Amount,
    value: Amount,
}

impl Cut {
    fn new(start: Amount) -> Cut {
        Cut {
            start,
            amount: Amount::ZERO,
            value: Amount::ZERO,
        }
    }

    /// The next part of a leg, up to a place on the scale.
    fn up_to(
        &mut self,
        flow: &Flow,
        end: Amount,
        flow_end: Amount,
        max_digits: Option<u8>,
    ) -> Option<Flow> {
        let digits = DIGITS.max(flow.amount.scale());
        let digits = max_digits.map_or(digits, |max| digits.min(max.max(flow.amount.scale())));
        let whole = flow_end.checked_sub(self.start)?;
        let done = end.checked_sub(self.start)?;
        let share = |of: Amount, digits: u8| {
            if end == flow_end {
                Some(of)
            } else {
                of.checked_mul(done)?.checked_div(whole, digits)
            }
        };
        let amount_up_to = share(flow.amount, digits)?;
        let amount = amount_up_to.checked_sub(self.amount)?;
        self.amount = amount_up_to;
        let value: Worth = match flow.value {
            None => None,
            Some((value, currency)) => {
                let up_to = share(value, VALUE_DIGITS.max(value.scale()))?;
                let part: (Amount, NameId) = (up_to.checked_sub(self.value)?, currency);
                self.value = up_to;
                Some(part)
            }
        };
        Some(Flow {
            amount,
            value,
            ..*flow
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::pool::Stream;
    use super::*;
    use proptest::prelude::*;

    fn flow(stream: Stream, asset: u32, amount: &str, value: Option<&str>) -> Flow {
        Flow {
            account: NameId(0),
            asset: NameId(asset),
            stream,
            amount: amount.parse().unwrap(),
            value: value.map(|value| (value.parse().unwrap(), NameId(9))),
        }
    }

    fn said(pairs: &[Pair]) -> Vec<String> {
        let side = |flow: &Option<Flow>| {
            flow.map_or("-".to_owned(), |flow| {
                format!("{} of {}", flow.amount, flow.asset.0)
            })
        };
        pairs
            .iter()
            .map(|(sent, received)| format!("{} for {}", side(sent), side(received)))
            .collect()
    }

    #[test]
    fn one_leg_is_divided_by_the_value_of_the_others() {
        let sent = [
            flow(Stream::Sent, 1, "10", Some("30")),
            flow(Stream::Sent, 2, "15", Some("10")),
        ];
        let received = [flow(Stream::Received, 3, "0.1", Some("40"))];
        let pairs = pro_rata(&sent, &received, None).unwrap();
        assert_eq!(
            said(&pairs),
            ["10 of 1 for 0.075 of 3", "15 of 2 for 0.025 of 3"]
        );
        assert_eq!(pairs[0].1.unwrap().value.unwrap().0, "30".parse().unwrap());
    }

    #[test]
    fn without_values_it_is_divided_evenly_and_the_last_part_takes_the_rest() {
        let sent: Vec<Flow> = (1..=3)
            .map(|asset| flow(Stream::Sent, asset, "1", None))
            .collect();
        let received = [flow(Stream::Received, 4, "0.1", None)];
        let pairs = pro_rata(&sent, &received, None).unwrap();
        assert_eq!(
            said(&pairs),
            [
                "1 of 1 for 0.03333333 of 4",
                "1 of 2 for 0.03333334 of 4",
                "1 of 3 for 0.03333333 of 4"
            ]
        );
    }

    #[test]
    fn two_against_three_are_cut_where_either_ends() {
        let sent = [
            flow(Stream::Sent, 1, "6", None),
            flow(Stream::Sent, 2, "6", None),
        ];
        let received: Vec<Flow> = (3..=5)
            .map(|asset| flow(Stream::Received, asset, "3", None))
            .collect();
        assert_eq!(
            said(&pro_rata(&sent, &received, None).unwrap()),
            [
                "4 of 1 for 3 of 3",
                "2 of 1 for 1.5 of 4",
                "2 of 2 for 1.5 of 4",
                "4 of 2 for 3 of 5"
            ]
        );
    }

    fn side(stream: Stream) -> impl Strategy<Value = Vec<Flow>> {
        let leg = (
            1u64..1_000_000_000_000,
            0u32..=18,
            proptest::option::of(1u64..1_000_000),
        );
        proptest::collection::vec(leg, 1..5).prop_map(move |legs| {
            legs.into_iter()
                .enumerate()
                .map(|(nth, (mantissa, scale, value))| Flow {
                    account: NameId(0),
                    asset: NameId(u32::try_from(nth).unwrap()),
                    stream,
                    amount: Amount::from_parts(i128::from(mantissa), scale).unwrap(),
                    value: value.map(|value| {
                        (Amount::from_parts(i128::from(value), 2).unwrap(), NameId(9))
                    }),
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_parts_of_every_leg_add_up_to_it(sent in side(Stream::Sent), received in side(Stream::Received), most in proptest::option::of(0u8..10)) {
            if let Some(pairs) = pro_rata(&sent, &received, most) {
                prop_assert!(pairs.len() < sent.len() + received.len());
                for (legs, of) in [(&sent, 0), (&received, 1)] {
                    for leg in legs {
                        let parts = pairs.iter().filter_map(|pair| if of == 0 { pair.0 } else { pair.1 });
                        let parts: Vec<Flow> = parts.filter(|part| part.asset == leg.asset).collect();
                        let sum = parts.iter().fold(Amount::ZERO, |sum, part| sum.checked_add(part.amount).unwrap());
                        prop_assert_eq!(sum, leg.amount);
                        prop_assert!(parts.iter().all(|part| part.amount.is_positive()));
                    }
                }
            }
        }
    }
}
