//! Which of many keys may stand there more than once, without sorting them or keeping them in a table.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

/// Bits for each key: of the keys that stand there once, one in as many is taken for a repeated one.
const BITS_OF_KEY: usize = 16;

/// The keys that may stand in several places: all that do, and a few others.
pub struct Repeated {
    /// A bit for all keys with some lowest bits.
    bits: Vec<u64>,
}

impl Repeated {
    /// `most`: how many keys there are at most.
    pub fn among(keys: impl Iterator<Item = u128>, most: usize) -> Repeated {
        let words = words(most);
        let mut once = vec![0_u64; words];
        let mut bits = vec![0_u64; words];
        keys.for_each(|key| {
            let (word, bit) = place(key, words);
            bits[word] |= once[word] & bit;
            once[word] |= bit;
        });
        Repeated { bits }
    }

    /// As [`Repeated::among`], on all threads.
    pub fn among_many(keys: impl ParallelIterator<Item = u128>, most: usize) -> Repeated {
        let words = words(most);
        let none = || -> Vec<AtomicU64> { (0..words).map(|_| AtomicU64::new(0)).collect() };
        let (once, bits) = (none(), none());
        // Which of two equal keys comes first does not matter: the other one finds its bit.
        keys.for_each(|key| {
            let (word, bit) = place(key, words);
            if once[word].fetch_or(bit, Ordering::Relaxed) & bit != 0 {
                bits[word].fetch_or(bit, Ordering::Relaxed);
            }
        });
        let bits = bits.into_iter().map(AtomicU64::into_inner).collect();
        Repeated { bits }
    }

    #[inline]
    pub fn may_hold(&self, key: u128) -> bool {
        let (word, bit) = place(key, self.bits.len());
        self.bits[word] & bit != 0
    }
}

/// How many words of bits are for so many keys.
fn words(most: usize) -> usize {
    (most * BITS_OF_KEY / 64).next_power_of_two()
}

/// Where the bit of a key stands: its word, of a power of two of them, and the bit alone.
#[inline]
fn place(key: u128, words: usize) -> (usize, u64) {
    let low = key as u64;
    ((low >> 6) as usize & (words - 1), 1 << (low & 63))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_128;

    use super::*;

    proptest! {
        #[test]
        fn what_stands_there_twice_is_found(keys in prop::collection::vec(0..300u128, 0..300)) {
            let repeated = Repeated::among(keys.iter().copied(), keys.len());
            for (nth, key) in keys.iter().enumerate() {
                prop_assert!(!keys[..nth].contains(key) || repeated.may_hold(*key));
            }
            prop_assert_eq!(Repeated::among_many(keys.par_iter().copied(), keys.len()).bits, repeated.bits);
        }
    }

    #[test]
    fn of_what_stands_there_once_few_are_taken_for_repeated() {
        let keys: Vec<u128> = (0..1000_u32).map(|n| xxh3_128(&n.to_le_bytes())).collect();
        let repeated = Repeated::among(keys.iter().copied(), keys.len());
        let taken = keys.iter().filter(|key| repeated.may_hold(**key)).count();
        assert!(taken < 150, "{taken}");
    }
}
