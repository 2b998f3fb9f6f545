//! The hash of a row: of its cells as they lie, without joining them first.

use xxhash_rust::xxh3::xxh3_128;

use crate::model::Short;

/// Odd numbers without a pattern: the fractions of the golden ratio, of the square roots of 2, 3 and 5, and of pi.
const KEYS: [u64; 5] = [
    0x9e37_79b9_7f4a_7c15,
    0x6a09_e667_f3bc_c909,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0x243f_6a88_85a3_08d3,
];

/// Two halves of 64 bits, each of which takes in every part by a multiplication to 128 bits whose halves are folded, as
/// wyhash does.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowHash {
    one: u64,
    other: u64,
}

impl RowHash {
    /// The hash of a text, to begin with.
    pub fn of(text: &[u8]) -> RowHash {
        let hash = xxh3_128(text);
        RowHash {
            one: hash as u64,
            other: (hash >> 64) as u64,
        }
    }

    /// Takes in three numbers.
    #[inline]
    pub fn add(&mut self, first: u64, last: u64, third: u64) {
        let mixed = third.wrapping_mul(KEYS[4]);
        self.one = folded(
            first ^ mixed ^ KEYS[0],
            last ^ self.one.wrapping_add(KEYS[1]),
        );
        self.other = folded(
            last ^ mixed ^ KEYS[2],
            first ^ self.other.wrapping_add(KEYS[3]),
        );
    }

    /// Takes in a text, and where it stands.
    #[inline]
    pub fn add_text(&mut self, slot: u64, text: &[u8]) {
        match Short::of(text) {
            Some(short) => {
                let [first, last, length] = short.numbers();
                self.add(first, last, slot.wrapping_add(length));
            }
            None => {
                let hash = xxh3_128(text);
                self.add(hash as u64, (hash >> 64) as u64, !slot);
            }
        }
    }

    #[inline]
    pub fn value(self) -> u128 {
        u128::from(self.one) << 64 | u128::from(self.other)
    }
}

#[inline]
fn folded(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn hash(cells: &[(u64, &str)]) -> u128 {
        let mut hash = RowHash::of(b"binance/trades");
        hash.add(1_600_000_000_000_000_000, 0, 0);
        for (slot, cell) in cells {
            hash.add_text(*slot, cell.as_bytes());
        }
        hash.value()
    }

    #[test]
    fn rows_that_differ_anywhere_have_other_hashes() {
        let mut seen = HashSet::new();
        let mut rows = 0;
        for number in 0..20_000_u64 {
            let (short, long) = (
                number.to_string(),
                format!("a note of more than 16 bytes, {number}"),
            );
            for row in [
                vec![(1, short.as_str())],
                vec![(2, short.as_str())],
                vec![(1, "1"), (2, short.as_str())],
                vec![(1, short.as_str()), (2, "x")],
                vec![(1, long.as_str())],
                vec![(1, "0"), (3, long.as_str())],
            ] {
                rows += 1;
                seen.insert(hash(&row));
            }
        }
        assert_eq!(seen.len(), rows);
        // Each half alone tells them apart as well.
        let halves = |half: fn(&u128) -> u64| seen.iter().map(half).collect::<HashSet<_>>().len();
        assert_eq!(halves(|hash| *hash as u64), rows);
        assert_eq!(halves(|hash| (*hash >> 64) as u64), rows);
    }

    #[test]
    fn one_bit_of_a_cell_turns_about_half_of_the_bits() {
        let text = b"0.12345678";
        let whole = hash(&[(7, std::str::from_utf8(text).unwrap())]);
        for byte in 0..text.len() {
            for bit in 0..7 {
                let mut other = *text;
                other[byte] ^= 1 << bit;
                let Ok(other) = std::str::from_utf8(&other) else {
                    continue;
                };
                let turned = (whole ^ hash(&[(7, other), (8, "1")])).count_ones();
                assert!((32..=96).contains(&turned), "{other}: {turned}");
            }
        }
    }
}
