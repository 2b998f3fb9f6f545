//! Where the separators and quotes of a text are, 64 bytes at a time.
//!
//! A mask has one bit for each byte of a block. On x86-64 the comparisons are written as SSE2, which every
//! such machine has; elsewhere they are written so that the compiler makes vector instructions of them.

/// How many bytes are looked at together: as many as a mask has bits.
pub(crate) const BLOCK: usize = 64;

/// Of 64 bytes, which are what: bit `i` stands for byte `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) delimiters: u64,
    /// `\n` and `\r`.
    pub(crate) line_ends: u64,
    /// Double quotes.
    pub(crate) quotes: u64,
}

impl Marks {
    /// The marks of a block.
    #[inline(always)]
    pub(crate) fn of(block: &[u8; BLOCK], delimiter: u8) -> Marks {
        #[cfg(target_arch = "x86_64")]
        return sse2::marks(block, delimiter);
        #[cfg(not(target_arch = "x86_64"))]
        return portable::marks(block, delimiter);
    }
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use safe_arch::{cmp_eq_mask_i8_m128i, m128i, move_mask_i8_m128i, set_splat_i8_m128i};

    use super::{BLOCK, Marks};

    /// Bytes of a vector.
    const LANE: usize = 16;

    #[inline(always)]
    pub(super) fn marks(block: &[u8; BLOCK], delimiter: u8) -> Marks {
        let all = |byte: u8| set_splat_i8_m128i(byte.cast_signed());
        let (delimiter, quote) = (all(delimiter), all(b'"'));
        let (line_feed, carriage_return) = (all(b'\n'), all(b'\r'));
        let mut marks = Marks {
            delimiters: 0,
            line_ends: 0,
            quotes: 0,
        };
        for (index, bytes) in block.as_chunks::<LANE>().0.iter().enumerate() {
            let bytes = m128i::from(*bytes);
            let are = |wanted| cmp_eq_mask_i8_m128i(bytes, wanted);
            let bits =
                |found| u64::from(move_mask_i8_m128i(found).cast_unsigned()) << (LANE * index);
            marks.delimiters |= bits(are(delimiter));
            marks.line_ends |= bits(are(line_feed) | are(carriage_return));
            marks.quotes |= bits(are(quote));
        }
        marks
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use super::{BLOCK, Marks};

    #[inline]
    pub(super) fn marks(block: &[u8; BLOCK], delimiter: u8) -> Marks {
        Marks {
            delimiters: mask(block, |byte| byte == delimiter),
            // Not `||`: a branch for each byte would keep the vectors away.
            line_ends: mask(block, |byte| (byte == b'\n') | (byte == b'\r')),
            quotes: mask(block, |byte| byte == b'"'),
        }
    }

    /// The bytes that `is` is true for, as bits. Of each eight bytes (0 or 1), one multiplication brings
    /// the bits side by side into the highest byte.
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
        for _ in 0..200 {
            let block: [u8; BLOCK] = std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                b",\"\n\r;a\0\xFF"[(state >> 24) as usize % 8]
            });
            for delimiter in [b',', b';', b'\t', 0, 0xFF] {
                let marks = Marks::of(&block, delimiter);
                assert_eq!(marks, portable::marks(&block, delimiter));
                for (index, &byte) in block.iter().enumerate() {
                    let has = |mask: u64| mask >> index & 1 == 1;
                    assert_eq!(has(marks.delimiters), byte == delimiter);
                    assert_eq!(has(marks.line_ends), matches!(byte, b'\n' | b'\r'));
                    assert_eq!(has(marks.quotes), byte == b'"');
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
