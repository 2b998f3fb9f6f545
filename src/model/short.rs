//! Short texts: as two numbers, to be compared and looked up without their bytes; and copied without a call.

/// A text of at most 16 bytes. Equal texts are equal, and no others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Short {
    /// Its bytes, the first in the lowest byte, with zeros behind the last.
    first: u64,
    last: u64,
    length: u64,
}

/// `KEPT[n]` has ones where the first n bytes of 16 are.
const KEPT: [[u64; 2]; 17] = {
    let mut table = [[0; 2]; 17];
    let mut n = 1;
    while n < table.len() {
        table[n] = table[n - 1];
        table[n][(n - 1) / 8] |= 0xFF << (8 * ((n - 1) % 8));
        n += 1;
    }
    table
};

impl Short {
    /// `None` for a longer text.
    #[inline]
    pub fn of(text: &[u8]) -> Option<Short> {
        let length = text.len();
        let (first, last) = match (text.first_chunk(), text.last_chunk()) {
            (Some(first), Some(last)) if length <= 16 => {
                // The last eight bytes, without those that are among the first eight.
                let last = u64::from_le_bytes(*last).checked_shr(8 * (16 - length as u32));
                (u64::from_le_bytes(*first), last.unwrap_or(0))
            }
            (Some(_), _) => return None,
            _ => (up_to_seven(text), 0),
        };
        Some(Short {
            first,
            last,
            length: length as u64,
        })
    }

    /// As [`Short::of`], of the first `length` bytes of a block.
    #[inline(always)]
    pub fn in_block(block: &[u8; 16], length: usize) -> Option<Short> {
        let kept = KEPT.get(length)?;
        let (first, last) = block.split_at(8);
        let eight = |bytes: &[u8]| {
            bytes
                .first_chunk()
                .map_or(0, |eight| u64::from_le_bytes(*eight))
        };
        Some(Short {
            first: eight(first) & kept[0],
            last: eight(last) & kept[1],
            length: length as u64,
        })
    }

    /// Its first and last eight bytes, and its length: equal for equal texts, and no others.
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

/// Up to seven characters, the first in the lowest byte, with zeros behind the last.
#[inline]
pub(crate) fn up_to_seven(text: &[u8]) -> u64 {
    if let (Some(start), Some(end)) = (text.first_chunk(), text.last_chunk()) {
        let four = |text: &[u8; 4]| u64::from(u32::from_le_bytes(*text));
        return four(start) | four(end) << (8 * (text.len() - 4));
    }
    match *text {
        [] => 0,
        [one] => u64::from(one),
        [one, two] => u64::from(one) | u64::from(two) << 8,
        [one, two, three, ..] => u64::from(one) | u64::from(two) << 8 | u64::from(three) << 16,
    }
}

/// A text within a longer one: it can be copied with some of what follows it.
#[derive(Clone, Copy, Debug)]
pub struct Within<'t> {
    whole: &'t [u8],
    at: usize,
    length: usize,
}

impl<'t> Within<'t> {
    /// `whole[at..at + length]`; that this is there is looked at when the bytes are wanted.
    #[inline]
    pub fn new(whole: &'t [u8], at: usize, length: usize) -> Within<'t> {
        Within { whole, at, length }
    }

    /// Its length in bytes.
    #[inline]
    pub fn length(self) -> usize {
        self.length
    }

    /// Whether it is this one character.
    #[inline]
    pub fn is(self, character: &[u8; 1]) -> bool {
        self.length == 1 && self.whole[self.at] == character[0]
    }

    /// Its bytes.
    ///
    /// # Panics
    /// If the longer text ends before.
    #[inline]
    pub fn bytes(self) -> &'t [u8] {
        &self.whole[self.at..][..self.length]
    }

    /// Its bytes and what follows them, where it has at most `N` bytes and so many are there.
    #[inline]
    pub fn block<const N: usize>(self) -> Option<&'t [u8; N]> {
        if self.length > N {
            return None;
        }
        self.whole
            .get(self.at..self.at.wrapping_add(N))?
            .first_chunk()
    }
}

/// Appends a text that is short as a rule: without a call where it has at most 16 bytes.
#[inline]
pub(crate) fn put_short(out: &mut Vec<u8>, text: &[u8]) {
    let length = out.len() + text.len();
    match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(start), Some(end)) if text.len() <= 16 => {
            out.extend_from_slice(start);
            out.truncate(length - 8);
            out.extend_from_slice(end);
        }
        (Some(_), _) => out.extend_from_slice(text),
        _ => {
            out.extend_from_slice(&up_to_seven(text).to_le_bytes());
            out.truncate(length);
        }
    }
}

/// Appends `source[start..start + length]`. That is a copy of 16 or 32 bytes, of which the end is dropped again, where
/// `source` goes on long enough behind what is wanted.
///
/// # Panics
/// If `source` ends before.
#[inline]
pub(crate) fn append_short(out: &mut Vec<u8>, source: &[u8], start: usize, length: usize) {
    let rest = &source[start..];
    let end = out.len() + length;
    if length <= 16
        && let Some(block) = rest.first_chunk::<16>()
    {
        out.extend_from_slice(block);
        out.truncate(end);
    } else if length <= 32
        && let Some(block) = rest.first_chunk::<32>()
    {
        out.extend_from_slice(block);
        out.truncate(end);
    } else {
        out.extend_from_slice(&rest[..length]);
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

        #[test]
        fn a_block_gives_the_same_whatever_follows_the_text(
            block in any::<[u8; 16]>(), length in 0_usize..18,
        ) {
            let expected = block.get(..length).and_then(Short::of);
            prop_assert_eq!(Short::in_block(&block, length), expected);
        }
    }
}
