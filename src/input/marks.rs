//! Where the separators and quotes of a text are, 64 bytes at a time.
//!
//! Written so that the compiler makes vector instructions of it: comparing 64 bytes costs about as
//! much as looking at four of them one by one.

/// How many bytes are looked at together: as many as a mask has bits.
pub(crate) const BLOCK: usize = 64;

/// Of 64 bytes, which are what: bit `i` stands for byte `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Delimiters and line ends (`\n` and `\r`).
    pub(crate) separators: u64,
    /// Double quotes.
    pub(crate) quotes: u64,
}

impl Marks {
    /// The marks of the block that `text` begins with, which may be shorter.
    #[inline]
    pub(crate) fn of(text: &[u8], delimiter: u8) -> Marks {
        if let Some(block) = text.first_chunk() {
            return Marks::of_block(block, delimiter);
        }
        let mut block = [0; BLOCK];
        block[..text.len()].copy_from_slice(text);
        let marks = Marks::of_block(&block, delimiter);
        let there = (1 << text.len()) - 1;
        Marks {
            separators: marks.separators & there,
            quotes: marks.quotes & there,
        }
    }

    #[inline]
    fn of_block(block: &[u8; BLOCK], delimiter: u8) -> Marks {
        Marks {
            // Not `||`: a branch for each byte would keep the vectors away.
            separators: mask(block, |byte| {
                (byte == delimiter) | (byte == b'\n') | (byte == b'\r')
            }),
            quotes: mask(block, |byte| byte == b'"'),
        }
    }
}

/// The bytes that `is` is true for, as bits. Of each eight bytes (0 or 1), one multiplication brings the bits side by
/// side into the highest byte.
#[inline(always)]
fn mask(block: &[u8; BLOCK], is: impl Fn(u8) -> bool) -> u64 {
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut found = [0; BLOCK];
    for (found, &byte) in found.iter_mut().zip(block) {
        *found = u8::from(is(byte));
    }
    let mut bytes = [0; BLOCK / 8];
    for (byte, eight) in bytes.iter_mut().zip(found.as_chunks::<8>().0) {
        *byte = u64::from_le_bytes(*eight)
            .wrapping_mul(GATHER)
            .to_le_bytes()[7];
    }
    u64::from_le_bytes(bytes)
}

/// For each bit, whether the bits up to and including it are odd in number.
#[inline]
pub(crate) fn odd_so_far(bits: u64) -> u64 {
    let mut odd = bits;
    for shift in [1, 2, 4, 8, 16, 32] {
        odd ^= odd << shift;
    }
    odd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_where_the_bytes_are() {
        let mut state = 1_u32;
        for length in 0..200 {
            let text: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b",\"\n\r;a\0\xFF"[(state >> 24) as usize % 8]
                })
                .collect();
            for delimiter in [b',', b';', b'\t', 0, 0xFF] {
                let marks = Marks::of(&text, delimiter);
                for index in 0..BLOCK {
                    let byte = text.get(index);
                    let has = |mask: u64| mask >> index & 1 == 1;
                    let separates = |&byte: &u8| [delimiter, b'\n', b'\r'].contains(&byte);
                    assert_eq!(has(marks.separators), byte.is_some_and(separates));
                    assert_eq!(has(marks.quotes), byte == Some(&b'"'));
                }
            }
        }
    }

    #[test]
    fn odd_so_far_counts_each_bit_once() {
        for bits in [0, 1, 0b1010, u64::MAX, 1 << 63, 0x1234_5678_9ABC_DEF0] {
            for index in 0..64 {
                let so_far = bits & (u64::MAX >> (63 - index));
                assert_eq!(
                    odd_so_far(bits) >> index & 1,
                    u64::from(so_far.count_ones() % 2)
                );
            }
        }
    }
}
