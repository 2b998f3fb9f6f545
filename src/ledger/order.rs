//! The order of time. Exports are nearly in it as they stand: what is in order already is not sorted again.

use rayon::prelude::*;

use crate::convert::Key;

/// Of keys that are not in order, one in this many may be out of it and be put in its place; with more, all are sorted.
const FEW: usize = 4;

/// Sorts keys.
pub fn sort(keys: &mut Vec<Key>) {
    // Newest first is an order too.
    if let [first, .., last] = keys.as_slice()
        && first.time_ns > last.time_ns
        && keys.is_sorted_by_key(|key| std::cmp::Reverse(key.time_ns))
    {
        keys.reverse();
    }
    let Some(late) = take_late(keys) else {
        keys.par_sort_unstable();
        return;
    };
    merge(keys, late);
}

/// Takes out the keys that come after a later one, in their order; the others are in order then. `None`, and the keys are as
/// they were, if these are too many.
fn take_late(keys: &mut Vec<Key>) -> Option<Vec<Key>> {
    let mut highest = keys.first().copied()?;
    let mut count = 0;
    for key in keys.iter() {
        if *key < highest {
            count += 1;
        } else {
            highest = *key;
        }
    }
    if count > keys.len() / FEW {
        return None;
    }
    let mut late = Vec::with_capacity(count);
    if count > 0 {
        highest = keys[0];
        keys.retain(|key| {
            let in_order = *key >= highest;
            if in_order {
                highest = *key;
            } else {
                late.push(*key);
            }
            in_order
        });
        late.par_sort_unstable();
    }
    Some(late)
}

/// Puts keys among others; both are in order.
fn merge(keys: &mut Vec<Key>, mut late: Vec<Key>) {
    let Some(filler) = late.last().copied() else {
        return;
    };
    // From the end, so that no key is written over before it has moved.
    let mut from = keys.len();
    keys.resize(from + late.len(), filler);
    let mut to = keys.len();
    while let Some(last) = late.last() {
        to -= 1;
        if from > 0 && keys[from - 1] > *last {
            from -= 1;
            keys[to] = keys[from];
        } else {
            keys[to] = *last;
            late.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::EventRef;
    use proptest::prelude::*;

    fn keys(times: &[i64]) -> Vec<Key> {
        let key = |(nth, time_ns): (usize, &i64)| Key {
            time_ns: *time_ns,
            at: EventRef {
                batch: nth as u32 / 7,
                event: nth as u32,
            },
        };
        times.iter().enumerate().map(key).collect()
    }

    proptest! {
        #[test]
        fn keys_are_sorted_however_they_stand(
            times in prop_oneof![
                // All over the place; nearly in order; newest first, with equal times.
                proptest::collection::vec(0i64..40, 0..200),
                proptest::collection::vec((0i64..3, proptest::bool::weighted(0.1)), 0..300).prop_map(|steps| {
                    let mut now = 0;
                    steps.into_iter().map(|(step, is_late)| { now += step; if is_late { now - 20 } else { now } }).collect()
                }),
                proptest::collection::vec(0i64..40, 0..200).prop_map(|mut times| { times.sort_by_key(|time| -time); times }),
            ]
        ) {
            let mut sorted = keys(&times);
            let mut expected = sorted.clone();
            sort(&mut sorted);
            expected.sort();
            prop_assert_eq!(sorted, expected);
        }
    }
}
