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

/// The sum of what its parts give, whichever comes first: of each, the product of its two halves with keys that belong
/// to its place, as in UMAC. At the end, both halves of the sum are mixed by multiplications to 128 bits whose halves
/// are folded, as in wyhash.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowHash {
    sum: u128,
}

/// Where a text stands, as two numbers without a pattern.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    one: u64,
    other: u64,
}

impl Slot {
    /// The place of this name.
    pub fn of(name: &[u8]) -> Slot {
        let hash = xxh3_128(name);
        Slot {
            one: hash as u64,
            other: (hash >> 64) as u64,
        }
    }

    /// The place that is both of these.
    pub fn and(self, slot: Slot) -> Slot {
        Slot {
            one: self.one.wrapping_add(slot.one),
            other: self.other.wrapping_add(slot.other),
        }
    }
}

impl RowHash {
    /// The hash of a text, to begin with.
    pub fn of(text: &[u8]) -> RowHash {
        RowHash {
            sum: xxh3_128(text),
        }
    }

    /// Takes in an instant.
    #[inline]
    pub fn add_time(&mut self, time_ns: i64) {
        self.add(time_ns as u64 ^ KEYS[0], KEYS[1]);
    }

    /// Takes in a text of at most 16 bytes that stands in a slot.
    #[inline(always)]
    pub fn add_short(&mut self, slot: &Slot, text: Short) {
        let [first, last, length] = text.numbers();
        self.add_numbers(slot, first, last, length);
    }

    /// As [`RowHash::add_short`], of a longer text.
    #[inline(never)]
    pub fn add_long(&mut self, slot: &Slot, text: &[u8]) {
        let hash = xxh3_128(text);
        self.add_numbers(slot, hash as u64, (hash >> 64) as u64, 17);
    }

    #[inline(always)]
    fn add_numbers(&mut self, slot: &Slot, first: u64, last: u64, length: u64) {
        let last = last.wrapping_add(length.wrapping_mul(KEYS[4]));
        self.add(first ^ slot.one, last ^ slot.other);
    }

    #[inline(always)]
    fn add(&mut self, one: u64, other: u64) {
        self.sum = (self.sum).wrapping_add(u128::from(one) * u128::from(other));
    }

    #[inline]
    pub fn value(self) -> u128 {
        let (low, high) = (self.sum as u64, (self.sum >> 64) as u64);
        let one = folded(low ^ KEYS[0], high ^ KEYS[1]);
        let other = folded(low.rotate_left(32) ^ KEYS[2], high ^ KEYS[3]);
        u128::from(one) << 64 | u128::from(other)
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
        let mut hash = RowHash::of(b"exchange/trades");
        hash.add_time(1_600_000_000_000_000_000);
        for (slot, cell) in cells {
            let slot = Slot::of(&slot.to_le_bytes());
            match Short::of(cell.as_bytes()) {
                Some(short) => hash.add_short(&slot, short),
                None => hash.add_long(&slot, cell.as_bytes()),
            }
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
