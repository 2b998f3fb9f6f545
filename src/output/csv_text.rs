//! Cells of CSV, appended to a buffer, and the lines that they stand in.

use std::ops::Range;

use crate::model::short::{Within, append_short, put_short, up_to_seven};

/// How many bytes of lines are put together before they go to their buffer.
const LINE_BYTES: usize = 4096;
/// Whatever is put into a line finds that many bytes free.
const FREE_BYTES: usize = 128;

/// Where lines are put together, and wait until there are many.
pub struct LineBytes {
    bytes: Box<[u8; LINE_BYTES]>,
    /// How many bytes wait.
    length: usize,
}

impl Default for LineBytes {
    fn default() -> LineBytes {
        LineBytes {
            bytes: Box::new([0; LINE_BYTES]),
            length: 0,
        }
    }
}

impl LineBytes {
    /// Appends what waits to its buffer.
    pub fn move_to(&mut self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(&self.bytes[..self.length]);
        self.length = 0;
    }
}

/// Lines that are put together in a place of fixed size, where every short text is a copy of fixed size. What does not fit
/// goes to their buffer before they are complete.
pub struct Lines<'p> {
    buffer: &'p mut Vec<u8>,
    bytes: &'p mut [u8; LINE_BYTES],
    /// How many bytes wait after these lines.
    waiting: &'p mut usize,
    /// How many bytes are there.
    length: usize,
    /// How often the bytes were moved to the buffer.
    moves: u32,
}

/// A place in lines that were not yet moved to their buffer.
#[derive(Clone, Copy)]
pub struct Mark {
    at: u32,
    /// How often lines had been moved then.
    moves: u32,
}

impl<'p> Lines<'p> {
    /// New lines, that go behind those that wait, and with them to the end of the buffer.
    #[inline]
    pub fn new(bytes: &'p mut LineBytes, buffer: &'p mut Vec<u8>) -> Lines<'p> {
        Lines {
            buffer,
            bytes: &mut bytes.bytes,
            length: bytes.length,
            waiting: &mut bytes.length,
            moves: 0,
        }
    }

    /// Leaves the lines to wait: [`LineBytes::move_to`] must follow.
    #[inline]
    pub fn finish(self) {
        *self.waiting = self.length;
    }

    /// Where [`FREE_BYTES`] are free.
    #[inline(always)]
    fn end(&mut self) -> usize {
        if self.length > LINE_BYTES - FREE_BYTES {
            append(self.buffer, &self.bytes[..self.length]);
            self.length = 0;
            self.moves += 1;
        }
        self.length
    }

    /// Puts the first bytes of a block.
    #[inline(always)]
    pub fn put_block<const N: usize>(&mut self, block: &[u8; N], length: usize) {
        const { assert!(N <= FREE_BYTES) };
        let at = self.end();
        self.bytes[at..at + N].copy_from_slice(block);
        self.length = at + length;
    }

    #[inline(always)]
    pub fn put_byte(&mut self, byte: u8) {
        self.put_block(&[byte], 1);
    }

    /// Puts some bytes of fixed number.
    #[inline(always)]
    pub fn put_bytes<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.put_block(bytes, N);
    }

    /// Puts a text.
    #[inline(always)]
    pub fn put(&mut self, text: &[u8]) {
        let at = self.end();
        let length = text.len();
        match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (Some(start), Some(end)) if length <= 16 => {
                self.bytes[at..at + 8].copy_from_slice(start);
                self.bytes[at + length - 8..at + length].copy_from_slice(end);
                self.length = at + length;
            }
            (Some(_), _) => self.put_long(at, text),
            _ => {
                self.bytes[at..at + 8].copy_from_slice(&up_to_seven(text).to_le_bytes());
                self.length = at + length;
            }
        }
    }

    #[inline(always)]
    fn put_long(&mut self, at: usize, text: &[u8]) {
        match put_long(self.buffer, self.bytes, at, text) {
            Some(end) => self.length = end,
            None => {
                self.length = 0;
                self.moves += 1;
            }
        }
    }

    /// Puts a text of which a copy can take more.
    #[inline(always)]
    pub fn put_within(&mut self, text: Within<'_>) {
        match text.block::<32>() {
            Some(block) => self.put_block(block, text.length()),
            None => {
                let at = self.end();
                self.put_long(at, text.bytes());
            }
        }
    }

    /// Puts an amount, with a minus before it if it is negative, and gives its place in [`Lines::written`].
    #[inline(always)]
    pub fn put_amount(&mut self, negative: bool, amount: Within<'_>) -> Range<usize> {
        let start = self.end();
        self.bytes[start] = b'-';
        let at = start + usize::from(negative);
        match amount.block::<32>() {
            Some(block) => self.bytes[at..at + 32].copy_from_slice(block),
            // The longest amount has 41 bytes.
            None => copy(self.bytes, at, amount.bytes()),
        }
        self.length = at + amount.length();
        start..self.length
    }

    /// Puts a cell that is written as it should be.
    #[inline(always)]
    pub fn put_ready<const N: usize>(&mut self, cell: &ReadyCell<N>) {
        if cell.length <= N {
            self.put_block(&cell.block, cell.length);
        } else {
            let at = self.end();
            self.put_long(at, &cell.text);
        }
    }

    /// Puts a cell, in quotes only where it needs them. An empty one is nothing.
    #[inline(always)]
    pub fn put_cell(&mut self, cell: &[u8]) {
        if cell.is_empty() {
            return;
        }
        if is_plain(cell, b',') {
            self.put(cell);
        } else {
            let at = self.end();
            self.put_long(at, &quoted(cell));
        }
    }

    /// Puts at most three texts, with blanks between those that are not empty, as one cell; false if one of them has more
    /// than 16 bytes or may need quotes: then nothing was put.
    #[inline(always)]
    pub fn put_joined<'t>(&mut self, texts: impl Iterator<Item = &'t [u8]>) -> bool {
        let start = self.end();
        let (mut end, mut found) = (start, 0);
        for text in texts {
            if text.is_empty() {
                continue;
            }
            // Before the first one it is overwritten.
            self.bytes[end] = b' ';
            let at = end + usize::from(end > start);
            let Some(may_need_quotes) = put_short_text(self.bytes, at, text) else {
                return false;
            };
            found |= may_need_quotes;
            end = at + text.len();
        }
        if found == 0 {
            self.length = end;
        }
        found == 0
    }

    /// Puts an event's id: 16 hex digits.
    #[inline(always)]
    pub fn put_id(&mut self, id: u64) {
        self.put_bytes(&id_text(id));
    }

    /// Puts a whole number.
    #[inline(always)]
    pub fn put_number(&mut self, number: u64) {
        match u32::try_from(number) {
            Ok(number) if number < 100_000_000 => {
                let digits = eight_digits(number);
                let zeros = (digits.trailing_zeros() / 8).min(7);
                let text = (digits | u64::from_le_bytes([b'0'; 8])) >> (8 * zeros);
                self.put_block(&text.to_le_bytes(), 8 - zeros as usize);
            }
            _ => {
                let (digits, start) = digits(number);
                let at = self.end();
                self.put_long(at, &digits[start..]);
            }
        }
    }

    /// The end of the lines as they are now.
    #[inline(always)]
    pub fn mark(&self) -> Mark {
        Mark {
            at: self.length as u32,
            moves: self.moves,
        }
    }

    /// Puts once more what stands between two marks. False if that is no longer there: then nothing was put.
    #[inline(always)]
    pub fn repeat(&mut self, from: Mark, to: Mark) -> bool {
        let at = self.end();
        if from.moves != self.moves || to.moves != self.moves {
            return false;
        }
        let (from, to) = (from.at as usize, to.at as usize);
        let rest = &self.bytes[from..];
        // One size only: of two, a call is made.
        if let Some(block) = rest.first_chunk::<128>().filter(|_| to - from <= 128) {
            let block = *block;
            self.bytes[at..at + 128].copy_from_slice(&block);
        } else if to - from <= LINE_BYTES - at {
            self.bytes.copy_within(from..to, at);
        } else {
            return false;
        }
        self.length = at + (to - from);
        true
    }

    /// What was put since the lines were last moved to their buffer.
    #[inline(always)]
    pub fn written(&self) -> &[u8] {
        &self.bytes[..]
    }
}

#[cold]
fn append(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.extend_from_slice(bytes);
}

/// Puts a text at the end of lines and gives the end then; or `None` if all was moved to the buffer.
#[inline(never)]
fn put_long(
    buffer: &mut Vec<u8>,
    bytes: &mut [u8; LINE_BYTES],
    at: usize,
    text: &[u8],
) -> Option<usize> {
    if text.len() <= LINE_BYTES - at {
        copy(bytes, at, text);
        return Some(at + text.len());
    }
    buffer.extend_from_slice(&bytes[..at]);
    buffer.extend_from_slice(text);
    None
}

/// Puts a text of at most 16 bytes at a place. Gives a number that is not zero if it may need quotes.
#[inline(always)]
fn put_short_text(bytes: &mut [u8; LINE_BYTES], at: usize, text: &[u8]) -> Option<u64> {
    let length = text.len();
    match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) if length <= 16 => {
            bytes[at..at + 8].copy_from_slice(first);
            bytes[at + length - 8..at + length].copy_from_slice(last);
            let found = below(u64::from_le_bytes(*first), b',');
            Some(found | below(u64::from_le_bytes(*last), b','))
        }
        (Some(_), _) => None,
        _ => {
            let characters = up_to_seven(text);
            bytes[at..at + 8].copy_from_slice(&characters.to_le_bytes());
            // What stands behind the text is no character.
            Some(below(characters | u64::MAX << (8 * length), b','))
        }
    }
}

#[inline(never)]
fn copy(bytes: &mut [u8; LINE_BYTES], at: usize, text: &[u8]) {
    bytes[at..][..text.len()].copy_from_slice(text);
}

/// A text that is written as it stands here, often.
pub struct ReadyCell<const N: usize> {
    /// The text, if it has at most `N` bytes.
    block: [u8; N],
    length: usize,
    text: Box<[u8]>,
}

impl<const N: usize> ReadyCell<N> {
    pub fn new(text: Vec<u8>) -> ReadyCell<N> {
        let mut block = [0; N];
        if let Some(start) = block.get_mut(..text.len()) {
            start.copy_from_slice(&text);
        }
        ReadyCell {
            block,
            length: text.len(),
            text: text.into(),
        }
    }
}

/// Appends a cell, in quotes only where it needs them.
#[inline]
pub fn put_cell(out: &mut Vec<u8>, cell: &[u8], delimiter: u8) {
    if is_plain(cell, delimiter) {
        put_short(out, cell);
    } else {
        put_quoted(out, cell);
    }
}

/// Whether a cell is written without quotes.
#[inline]
pub fn is_plain(cell: &[u8], delimiter: u8) -> bool {
    needs_no_look(cell, delimiter) || !needs_quotes(cell, delimiter)
}

/// Whether all characters come after those that may need quotes, as those of most cells do.
#[inline]
fn needs_no_look(cell: &[u8], delimiter: u8) -> bool {
    let below = |characters: u64| below(characters, delimiter);
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

/// The high bit of each of eight characters that does not come after those that may need quotes, and of some that do.
#[inline(always)]
fn below(characters: u64, delimiter: u8) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let limit = u64::from(delimiter.max(b',') + 1) * ONES;
    characters.wrapping_sub(limit) & !characters & (ONES << 7)
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

/// A cell in quotes.
#[cold]
pub fn quoted(cell: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(cell.len() + 2);
    put_quoted(&mut out, cell);
    out
}

/// Appends a whole number.
#[inline]
pub fn put_number(out: &mut Vec<u8>, number: u64) {
    let (digits, at) = digits(number);
    append_short(out, &digits, at, MOST_DIGITS - at);
}

/// How many digits the greatest number has.
const MOST_DIGITS: usize = 20;

/// The values of the eight digits of a number below 100,000,000, the first in the lowest byte.
#[inline]
fn eight_digits(number: u32) -> u64 {
    // Halves of four digits, of these two, of these one: each in its own part of the word.
    let number = u64::from(number);
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let high = ((fours * 10_486) >> 20) & 0x7F_0000_007F;
    let twos = high | ((fours - 100 * high) << 16);
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    tens | ((twos - 10 * tens) << 8)
}

/// A number's digits, and where they begin.
#[inline]
fn digits(mut number: u64) -> ([u8; MOST_DIGITS], usize) {
    let mut digits = [b'0'; MOST_DIGITS];
    let mut at = MOST_DIGITS;
    while number >= 100 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&pair(number % 100));
        number /= 100;
    }
    at -= 2;
    digits[at..at + 2].copy_from_slice(&pair(number));
    at += usize::from(number < 10);
    (digits, at)
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
    out.extend_from_slice(&id_text(id));
}

/// An event's id: 16 hex digits.
#[inline]
pub fn id_text(id: u64) -> [u8; 16] {
    let (high, low) = (hex_digits((id >> 32) as u32), hex_digits(id as u32));
    (u128::from(low) << 64 | u128::from(high)).to_le_bytes()
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
        fn lines_hold_what_was_put_into_them(
            texts in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..60), 0_usize..60, 0_u32..8, any::<bool>()), 0..60),
            long in 0_usize..9000, numbers in proptest::collection::vec((any::<u64>(), 0_u32..64), 60),
        ) {
            let mut buffer = b"before".to_vec();
            let mut expected = buffer.clone();
            let mut bytes = LineBytes::default();
            let mut lines = Lines::new(&mut bytes, &mut buffer);
            let mut start: Option<(Mark, usize)> = None;
            for (nth, ((text, length, how, flag), (number, shift))) in texts.iter().zip(numbers).enumerate() {
                if nth % 7 == 6 {
                    // Other lines, behind those that wait.
                    start = None;
                    lines.finish();
                    lines = Lines::new(&mut bytes, &mut buffer);
                }
                let part = &text[..(*length).min(text.len())];
                let within = Within::new(text, 0, part.len());
                match how {
                    0 => {
                        lines.put(text);
                        expected.extend(text);
                    }
                    1 => {
                        lines.put_within(within);
                        expected.extend(part);
                    }
                    2 => {
                        let sign = if *flag { &b"-"[..] } else { b"" };
                        let place = lines.put_amount(*flag, within);
                        let amount = [sign, part].concat();
                        prop_assert_eq!(&lines.written()[place], &amount);
                        expected.extend(amount);
                    }
                    3 => {
                        lines.put_cell(text);
                        put_cell(&mut expected, text, b',');
                    }
                    4 => {
                        lines.put_ready(&ReadyCell::<16>::new(text.clone()));
                        expected.extend(text);
                    }
                    5 => {
                        lines.put_number(number >> shift);
                        put_number(&mut expected, number >> shift);
                    }
                    6 if *flag => {
                        lines.put(&vec![b'x'; long]);
                        expected.extend(vec![b'x'; long]);
                    }
                    6 => start = Some((lines.mark(), expected.len())),
                    _ => {
                        if let Some((mark, at)) = start {
                            let end = lines.mark();
                            if lines.repeat(mark, end) {
                                expected.extend_from_within(at..);
                            }
                        }
                    }
                }
            }
            lines.finish();
            bytes.move_to(&mut buffer);
            bytes.move_to(&mut buffer);
            prop_assert!(buffer == expected);
        }

        #[test]
        fn joined_texts_are_one_cell_or_nothing(
            before in 0_usize..4200,
            texts in proptest::array::uniform3("[-A-Za-z0-9_.:]{0,18}|[ -~]{0,10}|[\"\n\r,é~]{0,5}"),
        ) {
            let texts = texts.each_ref().map(|text| text.as_bytes());
            let joined = texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(&b' ');
            let (mut bytes, mut buffer) = (LineBytes::default(), Vec::new());
            let mut lines = Lines::new(&mut bytes, &mut buffer);
            (0..before).for_each(|_| lines.put_byte(b'x'));
            let is_put = lines.put_joined(texts.into_iter());
            lines.finish();
            bytes.move_to(&mut buffer);
            let mut expected = vec![b'x'; before];
            if is_put {
                put_cell(&mut expected, &joined, b',');
            } else {
                prop_assert!(texts.iter().any(|text| text.len() > 16 || text.iter().any(|byte| *byte <= b',' || *byte > b'~')));
            }
            prop_assert!(buffer == expected);
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
