//! A short text as two numbers, to be compared and looked up without its bytes.

/// A text of at most 16 bytes. Equal texts are equal, and no others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Short {
    first: u64,
    last: u64,
    length: u64,
}

impl Short {
    /// `None` for a longer text.
    #[inline]
    pub fn of(text: &[u8]) -> Option<Short> {
        // The first and the last bytes of a text of known length, where they overlap too, are all of it.
        let (first, last) = match text.len() {
            8..=16 => (
                u64::from_le_bytes(*text.first_chunk()?),
                u64::from_le_bytes(*text.last_chunk()?),
            ),
            4..8 => (
                u64::from(u32::from_le_bytes(*text.first_chunk()?)),
                u64::from(u32::from_le_bytes(*text.last_chunk()?)),
            ),
            1..4 => (
                u64::from(text[0]) | u64::from(text[text.len() / 2]) << 8,
                u64::from(text[text.len() - 1]),
            ),
            0 => (0, 0),
            _ => return None,
        };
        Some(Short {
            first,
            last,
            length: text.len() as u64,
        })
    }

    /// Its first and last bytes, and its length: equal for equal texts, and no others.
    #[inline]
    pub fn numbers(self) -> [u64; 3] {
        [self.first, self.last, self.length]
    }

    /// A number that is another for most other texts.
    #[inline]
    pub fn mixed(self) -> u64 {
        (self.first ^ self.last.rotate_left(29) ^ self.length << 57)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equal_texts_and_no_others_are_equal(one in "[ab\0]{0,18}", other in "[ab\0]{0,18}") {
            let (short, short_other) = (Short::of(one.as_bytes()), Short::of(other.as_bytes()));
            prop_assert_eq!(short.is_some(), one.len() <= 16);
            if let (Some(short), Some(short_other)) = (short, short_other) {
                prop_assert_eq!(short == short_other, one == other);
            }
        }
    }
}
