//! Cells of CSV, appended to a buffer.

use crate::model::short::{append_short, put_short, up_to_seven};

/// Appends a cell, in quotes only where it needs them.
#[inline]
pub fn put_cell(out: &mut Vec<u8>, cell: &[u8], delimiter: u8) {
    if needs_no_look(cell, delimiter) || !needs_quotes(cell, delimiter) {
        put_short(out, cell);
    } else {
        put_quoted(out, cell);
    }
}

/// Whether all characters come after those that may need quotes, as those of most cells do.
#[inline]
fn needs_no_look(cell: &[u8], delimiter: u8) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let limit = u64::from(delimiter.max(b',') + 1) * ONES;
    // The high bit of a byte that is below the limit, and of some that are not.
    let below = |characters: u64| characters.wrapping_sub(limit) & !characters & (ONES << 7);
    let found = match (cell.first_chunk(), cell.last_chunk()) {
        (Some(start), Some(end)) if cell.len() <= 16 => {
            below(u64::from_le_bytes(*start)) | below(u64::from_le_bytes(*end))
        }
        (Some(_), Some(end)) => {
            let (eights, _) = cell.as_chunks::<8>();
            let join = |found, eight: &[u8; 8]| found | below(u64::from_le_bytes(*eight));
            eights.iter().fold(below(u64::from_le_bytes(*end)), join)
        }
        _ => {
            // What stands behind the cell is no character.
            let behind = u64::MAX << (8 * cell.len());
            return cell.is_empty() || below(up_to_seven(cell) | behind) == 0;
        }
    };
    found == 0
}

#[inline(never)]
fn needs_quotes(cell: &[u8], delimiter: u8) -> bool {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if blank(cell.first()) || blank(cell.last()) {
        return true;
    }
    let marks = Marks::new(delimiter);
    let (eights, rest) = cell.as_chunks::<8>();
    // A mark is no zero.
    eights.iter().any(|eight| marks.any_in(eight)) || marks.any_in(&up_to_seven(rest).to_le_bytes())
}

/// The characters that a cell without quotes cannot have, each in all eight bytes.
struct Marks([u64; 4]);

impl Marks {
    #[inline]
    fn new(delimiter: u8) -> Marks {
        Marks([delimiter, b'"', b'\n', b'\r'].map(|mark| u64::from_le_bytes([mark; 8])))
    }

    /// Whether one of them is among eight characters.
    #[inline]
    fn any_in(&self, characters: &[u8; 8]) -> bool {
        const ONES: u64 = u64::from_le_bytes([1; 8]);
        let characters = u64::from_le_bytes(*characters);
        // Where a byte is nothing, taking one away sets the high bit that it did not have.
        let found = self.0.map(|mark| {
            let differing = characters ^ mark;
            differing.wrapping_sub(ONES) & !differing
        });
        (found[0] | found[1] | found[2] | found[3]) & (ONES << 7) != 0
    }
}

#[cold]
fn put_quoted(out: &mut Vec<u8>, cell: &[u8]) {
    out.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// Appends a whole number.
#[inline]
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; 24];
    let mut at = 20;
    while number >= 100 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&pair(number % 100));
        number /= 100;
    }
    at -= 2;
    digits[at..at + 2].copy_from_slice(&pair(number));
    at += usize::from(number < 10);
    append_short(out, &digits, at, 20 - at);
}

/// Two digits.
#[inline]
fn pair(number: u64) -> [u8; 2] {
    PAIRS[number as usize]
}

/// `00`, `01`, … `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < pairs.len() {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// Appends an event's id: 16 hex digits.
#[inline]
pub fn put_id(out: &mut Vec<u8>, id: u64) {
    let (high, low) = (hex_digits((id >> 32) as u32), hex_digits(id as u32));
    out.extend_from_slice(&(u128::from(low) << 64 | u128::from(high)).to_le_bytes());
}

/// Eight hex digits, the first in the lowest byte.
#[inline]
fn hex_digits(number: u32) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // Halves are moved apart until each half of a byte has its own byte.
    let mut nibbles = u64::from(number);
    nibbles = (nibbles | nibbles << 16) & 0x0000_FFFF_0000_FFFF;
    nibbles = (nibbles | nibbles << 8) & 0x00FF_00FF_00FF_00FF;
    nibbles = (nibbles | nibbles << 4) & (15 * ONES);
    let over_nine = ((nibbles + 6 * ONES) >> 4) & ONES;
    let from_nine_to_a = u64::from(b'a' - b'9' - 1);
    (nibbles + u64::from(b'0') * ONES + over_nine * from_nine_to_a).swap_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_are_quoted_only_where_they_must_be() {
        let cell = |text: &str| {
            let mut out = Vec::new();
            put_cell(&mut out, text.as_bytes(), b',');
            String::from_utf8(out).unwrap()
        };
        assert_eq!(cell("plain; text"), "plain; text");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"x\""), "\"say \"\"x\"\"\"");
        assert_eq!(cell("two\nlines"), "\"two\nlines\"");
    }

    proptest! {
        #[test]
        fn a_cell_is_quoted_as_byte_by_byte(
            cell in "([a-z0-9:.é]{0,6}[ ,\"\n\r\t;a-z]?){0,6}", delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
        ) {
            let special = |byte: u8| byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r');
            let edged = cell.starts_with([' ', '\t']) || cell.ends_with([' ', '\t']);
            let expected = if edged || cell.bytes().any(special) {
                format!("x\"{}\"", cell.replace('"', "\"\""))
            } else {
                format!("x{cell}")
            };
            let mut out = b"x".to_vec();
            put_cell(&mut out, cell.as_bytes(), delimiter);
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }

        #[test]
        fn what_is_appended_is_what_stands_there(source in proptest::collection::vec(any::<u8>(), 0..80), start in 0_usize..80, length in 0_usize..60) {
            let start = start.min(source.len());
            let length = length.min(source.len() - start);
            let expected = [b"x".as_slice(), &source[start..start + length]].concat();
            let mut out = b"x".to_vec();
            append_short(&mut out, &source, start, length);
            prop_assert_eq!(&out, &expected);
            let mut out = b"x".to_vec();
            put_short(&mut out, &source[start..start + length]);
            prop_assert_eq!(&out, &expected);
        }

        #[test]
        fn numbers_and_ids_are_written_as_the_language_writes_them(number in any::<u64>(), shift in 0_u32..64) {
            let number = number >> shift;
            let mut out = b"x".to_vec();
            put_number(&mut out, number);
            out.push(b' ');
            put_id(&mut out, number);
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("x{number} {number:016x}"));
        }
    }

    #[test]
    fn numbers_and_ids_are_written_plainly() {
        let mut out = Vec::new();
        put_number(&mut out, u64::MAX);
        out.push(b' ');
        put_number(&mut out, 0);
        out.push(b' ');
        put_id(&mut out, 0x0123_4567_89ab_cdef);
        assert_eq!(out, b"18446744073709551615 0 0123456789abcdef");
    }
}
