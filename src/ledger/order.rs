//! The order of time. Exports are nearly in it as they stand: what is in order already is not sorted again.

use rayon::prelude::*;

use crate::convert::Key;

/// Of keys that are not in order, one in this many may be out of it and be put in its place; with more, all are sorted.
const FEW: usize = 4;

/// Sorts keys, in so many pieces at once.
pub fn sort(keys: &mut [Key], pieces: usize) {
    // Newest first is an order too.
    if let [first, .., last] = &*keys
        && first.time_ns > last.time_ns
        && keys.is_sorted_by_key(|key| std::cmp::Reverse(key.time_ns))
    {
        keys.reverse();
    }
    let length = keys.len().div_ceil(pieces.max(1)).max(1);
    let is_nearly_sorted: Vec<bool> = keys
        .par_chunks_mut(length)
        .map(sort_nearly_sorted)
        .collect();
    if !is_nearly_sorted.into_iter().all(|done| done) {
        return keys.par_sort_unstable();
    }
    for start in (length..keys.len()).step_by(length) {
        let end = (start + length).min(keys.len());
        join(&mut keys[..end], start);
    }
}

/// Joins two pieces that are in order, of which the second begins at `start`: only keys that belong among those of the other
/// piece are sorted.
fn join(keys: &mut [Key], start: usize) {
    let (one, other) = keys.split_at(start);
    let (Some(last), Some(first)) = (one.last(), other.first()) else {
        return;
    };
    if last < first {
        return;
    }
    let from = one.partition_point(|key| key < first);
    let to = start + other.partition_point(|key| key < last);
    keys[from..to].par_sort_unstable();
}

/// Sorts keys if only a few of them are out of order; else they are as they were, and it is not done.
fn sort_nearly_sorted(keys: &mut [Key]) -> bool {
    let Some(mut highest) = keys.first().copied() else {
        return true;
    };
    let mut count = 0;
    for key in keys.iter() {
        if *key < highest {
            count += 1;
        } else {
            highest = *key;
        }
    }
    if count > keys.len() / FEW {
        return false;
    }
    if count > 0 {
        let late = take_late(keys, count);
        merge(keys, late);
    }
    true
}

/// Takes out the keys that come after a later one, in their order; the others stand at the beginning then, in order.
fn take_late(keys: &mut [Key], count: usize) -> Vec<Key> {
    let mut late = Vec::with_capacity(count);
    let mut highest = keys[0];
    let mut to = 0;
    for from in 0..keys.len() {
        let key = keys[from];
        if key < highest {
            late.push(key);
        } else {
            highest = key;
            keys[to] = key;
            to += 1;
        }
    }
    late.sort_unstable();
    late
}

/// Puts keys among others, which stand at the beginning; both are in order.
fn merge(keys: &mut [Key], mut late: Vec<Key>) {
    // From the end, so that no key is written over before it has moved.
    let mut from = keys.len() - late.len();
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
            ],
            pieces in 1usize..6,
        ) {
            let mut sorted = keys(&times);
            let mut expected = sorted.clone();
            sort(&mut sorted, pieces);
            expected.sort();
            prop_assert_eq!(sorted, expected);
        }
    }
}
