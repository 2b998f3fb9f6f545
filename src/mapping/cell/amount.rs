//! Amount cells: digits, and what people put around and between them.

use std::fmt;

use super::{CellError, after_blanks, blank_at, minus_at};
use crate::model::amount::{Amount, AmountError, Canonical};

/// Numbers up to this length are put together on the stack.
const STACK_BYTES: usize = 64;

/// Reads the cells of an amount column. [`AmountReader::default`] reads plain numbers: digits with a point, a sign, an
/// exponent. Whatever the fields say, a cell is read exactly or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmountReader {
    /// The decimal mark, `.` or `,`.
    pub decimal: u8,
    /// The thousands mark. A blank stands for every kind of blank, and `'` for `’` too. Marks may be missing, but one
    /// that stands there must stand right: every three digits, or as in India (`12,34,567`), and not after a leading
    /// zero, because `0,123` is no way to write 123.
    pub group: Option<char>,
    /// Texts that may stand before and after the number and mean nothing; where several fit, the longest.
    pub strip: Vec<String>,
    /// `(1.5)` is negative.
    pub parentheses: bool,
    /// `1.5-` is negative.
    pub trailing_minus: bool,
    /// The cell counts units of 10^-scale: 8 for satoshi.
    pub scale: u8,
}

impl Default for AmountReader {
    fn default() -> AmountReader {
        AmountReader {
            decimal: b'.',
            group: None,
            strip: Vec::new(),
            parentheses: false,
            trailing_minus: false,
            scale: 0,
        }
    }
}

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NotANumber,
    TooLarge,
    Marks,
    Signs,
    Parentheses,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::NotANumber => "not a number",
            Fault::TooLarge => "more digits than can be held exactly",
            Fault::Marks => "thousands marks in the wrong place",
            Fault::Signs => "more than one sign",
            Fault::Parentheses => "a parenthesis without its other half",
        })
    }
}

/// The signs that were seen around a number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sign {
    seen: bool,
    negative: bool,
    open: bool,
}

impl Sign {
    /// The length of the sign or opening parenthesis at `at`, 0 if none stands there.
    pub(super) fn before(
        &mut self,
        cell: &[u8],
        at: usize,
        parentheses: bool,
    ) -> Result<usize, Fault> {
        let (length, negative) = match (cell.get(at), minus_at(cell, at)) {
            (Some(b'('), _) if parentheses => {
                self.open = true;
                (1, true)
            }
            (Some(b'+'), _) => (1, false),
            (_, 0) => return Ok(0),
            (_, minus) => (minus, true),
        };
        self.say(negative)?;
        Ok(length)
    }

    /// The length of the closing parenthesis or trailing minus at `at`, 0 if none stands there.
    pub(super) fn after(
        &mut self,
        cell: &[u8],
        at: usize,
        trailing_minus: bool,
    ) -> Result<usize, Fault> {
        if self.open && cell.get(at) == Some(&b')') {
            self.open = false;
            return Ok(1);
        }
        let length = if trailing_minus {
            minus_at(cell, at)
        } else {
            0
        };
        if length > 0 {
            self.say(true)?;
        }
        Ok(length)
    }

    /// The amount with its sign, at the end of the cell.
    pub(super) fn put(self, amount: Amount) -> Result<Amount, Fault> {
        match self {
            Sign { open: true, .. } => Err(Fault::Parentheses),
            Sign { negative: true, .. } => Ok(amount.neg()),
            _ => Ok(amount),
        }
    }

    fn say(&mut self, negative: bool) -> Result<(), Fault> {
        if self.seen {
            return Err(Fault::Signs);
        }
        (self.seen, self.negative) = (true, negative);
        Ok(())
    }
}

impl AmountReader {
    /// Whether the fields agree with each other; to be asked once, before reading.
    ///
    /// # Errors
    /// One clause that says what does not: a decimal mark other than `.` and `,`, a thousands mark that means something
    /// else in a number, an empty text to strip, or a scale over 38.
    pub fn check(&self) -> Result<(), String> {
        if !matches!(self.decimal, b'.' | b',') {
            return Err("the decimal mark is neither `.` nor `,`".to_string());
        }
        if let Some(group) = self.group
            && (group == char::from(self.decimal)
                || group.is_alphanumeric()
                || "+-−()".contains(group))
        {
            return Err(format!("`{group}` cannot be the thousands mark here"));
        }
        if self.strip.iter().any(String::is_empty) {
            return Err("a text to strip is empty".to_string());
        }
        if self.scale > 38 {
            return Err(format!("a scale of {} is more than 38 digits", self.scale));
        }
        Ok(())
    }

    /// Reads a cell. Blanks may stand between the number, its sign and the texts of `strip`; the minus may be U+2212.
    ///
    /// # Errors
    /// If the cell is not one number in this dress, if it has two signs or misplaced thousands marks, or if the number
    /// cannot be held exactly.
    #[inline]
    pub fn read(&self, cell: &[u8]) -> Result<Amount, CellError> {
        // A plain number means the same in every dress that has this decimal mark.
        if self.decimal == b'.'
            && let Ok(amount) = Amount::parse(cell)
        {
            if self.scale == 0 {
                return Ok(amount);
            }
            return self
                .scaled(amount)
                .map_err(|fault| CellError::new(fault, cell));
        }
        self.read_dressed(cell)
            .map_err(|fault| CellError::new(fault, cell))
    }

    /// As [`AmountReader::read`]; says as well where in the cell the canonical text of the amount's magnitude stands. Of
    /// cells in a dress, and of units, it stands nowhere.
    ///
    /// # Errors
    /// As [`AmountReader::read`].
    #[inline]
    pub fn read_canonical(&self, cell: &[u8]) -> Result<(Amount, Canonical), CellError> {
        if self.reads_plain()
            && let Ok(read) = Amount::parse_canonical(cell)
        {
            return Ok(read);
        }
        self.read(cell).map(|amount| (amount, Canonical::NONE))
    }

    /// Whether a plain number is the amount that it says.
    pub fn reads_plain(&self) -> bool {
        self.decimal == b'.' && self.scale == 0
    }

    #[inline]
    pub(super) fn scaled(&self, amount: Amount) -> Result<Amount, Fault> {
        if self.scale == 0 {
            return Ok(amount);
        }
        amount.scale_down(self.scale).ok_or(Fault::TooLarge)
    }

    fn read_dressed(&self, cell: &[u8]) -> Result<Amount, Fault> {
        let mut sign = Sign::default();
        let mut at = 0;
        loop {
            at = self.skip(cell, at);
            match sign.before(cell, at, self.parentheses)? {
                0 => break,
                length => at += length,
            }
        }
        let (amount, mut at) = self.number_at(cell, at)?;
        loop {
            at = self.skip(cell, at);
            match sign.after(cell, at, self.trailing_minus)? {
                0 => break,
                length => at += length,
            }
        }
        if at < cell.len() {
            return Err(Fault::NotANumber);
        }
        self.scaled(sign.put(amount)?)
    }

    /// The first place from `at` on where neither a blank nor a text to strip stands.
    fn skip(&self, cell: &[u8], mut at: usize) -> usize {
        loop {
            at = after_blanks(cell, at);
            match self.stripped_at(cell, at) {
                0 => return at,
                length => at += length,
            }
        }
    }

    /// The length of the longest text to strip that stands at `at`, 0 if none does.
    pub(super) fn stripped_at(&self, cell: &[u8], at: usize) -> usize {
        let rest = cell.get(at..).unwrap_or_default();
        let fitting = self
            .strip
            .iter()
            .filter(|text| rest.starts_with(text.as_bytes()));
        fitting.map(String::len).max().unwrap_or(0)
    }

    /// The number without sign that starts at `at`, and where it ends. An `e` belongs to it only with digits behind it.
    pub(super) fn number_at(&self, cell: &[u8], start: usize) -> Result<(Amount, usize), Fault> {
        let (whole_end, marks) = self.whole_at(cell, start)?;
        let mut end = whole_end;
        let mut any_digit = end > start;
        if cell.get(end) == Some(&self.decimal) {
            let digits = digits_from(cell, end + 1);
            any_digit |= digits > 0;
            end += 1 + digits;
        }
        if !any_digit {
            return Err(Fault::NotANumber);
        }
        if let Some(b'e' | b'E') = cell.get(end) {
            let sign = usize::from(matches!(cell.get(end + 1), Some(b'+' | b'-')));
            match digits_from(cell, end + 1 + sign) {
                0 => {}
                digits => end += 1 + sign + digits,
            }
        }
        let number = &cell[start..end];
        let amount = if marks == 0 && self.decimal == b'.' {
            Amount::parse(number)
        } else if number.len() <= STACK_BYTES {
            let mut plain = [0; STACK_BYTES];
            let mut length = 0;
            for byte in self.undressed(number, whole_end - start) {
                plain[length] = byte;
                length += 1;
            }
            Amount::parse(&plain[..length])
        } else {
            let plain: Vec<u8> = self.undressed(number, whole_end - start).collect();
            Amount::parse(&plain)
        };
        match amount {
            Ok(amount) => Ok((amount, end)),
            Err(AmountError::TooLarge) => Err(Fault::TooLarge),
            Err(_) => Err(Fault::NotANumber),
        }
    }

    /// The number without thousands marks and with a point.
    fn undressed(&self, number: &[u8], whole: usize) -> impl Iterator<Item = u8> {
        number.iter().enumerate().filter_map(move |(index, byte)| {
            if index < whole {
                byte.is_ascii_digit().then_some(*byte)
            } else if index == whole && *byte == self.decimal {
                Some(b'.')
            } else {
                Some(*byte)
            }
        })
    }

    /// The end of the digits and thousands marks from `start` on, and how many marks there are.
    fn whole_at(&self, cell: &[u8], start: usize) -> Result<(usize, usize), Fault> {
        let mut digits = digits_from(cell, start);
        let mut at = start + digits;
        let first = digits;
        let (mut marks, mut threes, mut twos) = (0, true, true);
        loop {
            let mark = self.mark_at(cell, at);
            if mark == 0 {
                break;
            }
            if marks > 0 {
                threes &= digits == 3;
                twos &= digits == 2;
            }
            marks += 1;
            at += mark;
            digits = digits_from(cell, at);
            at += digits;
        }
        let right = match (first, digits) {
            _ if marks == 0 => true,
            _ if cell[start] == b'0' => false,
            (1..=3, 3) if threes => true,
            (1..=2, 3) => twos,
            _ => false,
        };
        if right {
            Ok((at, marks))
        } else {
            Err(Fault::Marks)
        }
    }

    /// The length of the thousands mark at `at`, 0 if none stands there.
    fn mark_at(&self, cell: &[u8], at: usize) -> usize {
        match self.group {
            None => 0,
            // A blank may also end the number: it is a mark only before digits that can be a group.
            Some(group) if group.is_whitespace() => {
                let length = blank_at(cell, at);
                let digits = digits_from(cell, at + length);
                let goes_on = digits == 3 || (digits == 2 && blank_at(cell, at + length + 2) > 0);
                if goes_on { length } else { 0 }
            }
            Some(group) => {
                let rest = cell.get(at..).unwrap_or_default();
                let mut utf8 = [0; 4];
                let text = group.encode_utf8(&mut utf8).as_bytes();
                if rest.starts_with(text) {
                    text.len()
                } else if group == '\'' && rest.starts_with("’".as_bytes()) {
                    "’".len()
                } else {
                    0
                }
            }
        }
    }
}

/// How many digits stand from `at` on.
fn digits_from(cell: &[u8], at: usize) -> usize {
    let rest = cell.get(at..).unwrap_or_default();
    rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The amount, or the clause of the error.
    fn read(reader: &AmountReader, cell: &str) -> String {
        assert_eq!(reader.check(), Ok(()));
        match reader.read(cell.as_bytes()) {
            Ok(amount) => amount.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn dressed() -> AmountReader {
        AmountReader {
            group: Some(','),
            strip: ["$", "US$", "EUR", "USD"].map(str::to_string).to_vec(),
            parentheses: true,
            trailing_minus: true,
            ..AmountReader::default()
        }
    }

    #[test]
    fn plain_numbers_are_read_as_they_stand() {
        let plain = AmountReader::default();
        for (cell, expected) in [
            ("12.50", "12.5"),
            ("+5", "5"),
            ("-5", "-5"),
            ("- 5", "-5"),
            ("−5", "-5"),
            ("8E-08", "0.00000008"),
            ("-0.0", "0"),
            ("1,000", "not a number: `1,000`"),
            ("$5", "not a number: `$5`"),
            ("(5)", "not a number: `(5)`"),
            ("5-", "not a number: `5-`"),
            ("", "not a number: ``"),
            ("abc", "not a number: `abc`"),
            ("NaN", "not a number: `NaN`"),
            ("1e", "not a number: `1e`"),
            ("1 000", "not a number: `1 000`"),
            ("1e99", "more digits than can be held exactly: `1e99`"),
        ] {
            assert_eq!(read(&plain, cell), expected, "{cell}");
        }
    }

    #[test]
    fn what_stands_around_a_number_is_taken_off() {
        let reader = dressed();
        for (cell, expected) in [
            ("$ 1,000.00", "1000"),
            ("-$12.34", "-12.34"),
            ("$-12.34", "-12.34"),
            ("US$12.34", "12.34"),
            ("($1,850.00)", "-1850"),
            ("$(1,850.00)", "-1850"),
            ("( 5 EUR )", "-5"),
            ("5EUR", "5"),
            ("5 EUR", "5"),
            ("EUR 5e-3 EUR", "0.005"),
            ("5-", "-5"),
            ("5 -", "-5"),
            ("5 EUR−", "-5"),
            ("--5", "more than one sign: `--5`"),
            ("+-5", "more than one sign: `+-5`"),
            ("-5-", "more than one sign: `-5-`"),
            ("(-5)", "more than one sign: `(-5)`"),
            ("-(5)", "more than one sign: `-(5)`"),
            ("(5", "a parenthesis without its other half: `(5`"),
            ("5)", "not a number: `5)`"),
            ("1$000", "not a number: `1$000`"),
            ("5 GBP", "not a number: `5 GBP`"),
            ("$", "not a number: `$`"),
        ] {
            assert_eq!(read(&reader, cell), expected, "{cell}");
        }
    }

    #[test]
    fn thousands_marks_stand_right_or_the_cell_is_refused() {
        let reader = dressed();
        for (cell, expected) in [
            ("1,000", "1000"),
            ("12,345,678.9", "12345678.9"),
            ("1234.5", "1234.5"),
            ("12,34,567.8", "1234567.8"),
            ("1,23,456", "123456"),
            ("1,234e2", "123400"),
        ] {
            assert_eq!(read(&reader, cell), expected, "{cell}");
        }
        for cell in [
            "1,5",
            "1,50",
            "1,0000",
            "1234,567",
            ",123",
            "1,,000",
            "1,000,",
            "0,123",
            "12,345,67",
            "1,234,56,789",
            "123,45,678",
        ] {
            let expected = format!("thousands marks in the wrong place: `{cell}`");
            assert_eq!(read(&reader, cell), expected, "{cell}");
        }
        assert_eq!(read(&reader, "1.234,5"), "not a number: `1.234,5`");
    }

    #[test]
    fn marks_may_be_points_blanks_and_quotes() {
        let with = |decimal, group| AmountReader {
            decimal,
            group,
            ..AmountReader::default()
        };
        assert_eq!(read(&with(b',', Some('.')), "1.234.567,89"), "1234567.89");
        assert_eq!(
            read(&with(b',', Some('.')), "1.5"),
            "thousands marks in the wrong place: `1.5`"
        );
        assert_eq!(read(&with(b',', None), "0,5"), "0.5");
        assert_eq!(read(&with(b',', None), "5E-2"), "0.05");
        assert_eq!(read(&with(b',', None), "5"), "5");
        assert_eq!(read(&with(b',', None), "1.5"), "not a number: `1.5`");
        assert_eq!(read(&with(b',', None), "1,5.5"), "not a number: `1,5.5`");
        for blank in [" ", "\u{a0}", "\u{202f}", "\u{2009}"] {
            let cell = format!("-1{blank}234{blank}567,5");
            assert_eq!(read(&with(b',', Some(' ')), &cell), "-1234567.5");
        }
        assert_eq!(
            read(&with(b'.', Some(' ')), "12 34"),
            "not a number: `12 34`"
        );
        assert_eq!(read(&with(b'.', Some('\'')), "1'234’567.5"), "1234567.5");
        let long = format!("1,000.{}", "0".repeat(100));
        assert_eq!(read(&dressed(), &long), "1000");
    }

    #[test]
    fn a_scaled_cell_counts_small_units() {
        let satoshi = AmountReader {
            scale: 8,
            ..AmountReader::default()
        };
        assert_eq!(read(&satoshi, "123456789"), "1.23456789");
        assert_eq!(read(&satoshi, "-100000000"), "-1");
        assert_eq!(
            read(&satoshi, "1e-31"),
            "more digits than can be held exactly: `1e-31`"
        );
    }

    #[test]
    fn fields_that_contradict_each_other_are_refused() {
        let plain = AmountReader::default;
        assert!(
            AmountReader {
                decimal: b';',
                ..plain()
            }
            .check()
            .is_err()
        );
        assert!(
            AmountReader {
                group: Some('.'),
                ..plain()
            }
            .check()
            .is_err()
        );
        assert!(
            AmountReader {
                group: Some('1'),
                ..plain()
            }
            .check()
            .is_err()
        );
        assert!(
            AmountReader {
                strip: vec![String::new()],
                ..plain()
            }
            .check()
            .is_err()
        );
        assert!(
            AmountReader {
                scale: 39,
                ..plain()
            }
            .check()
            .is_err()
        );
    }

    #[test]
    fn a_message_shows_a_long_cell_shortened() {
        let cell = "x".repeat(1000);
        let expected = format!("not a number: `{}…`", "x".repeat(40));
        assert_eq!(read(&AmountReader::default(), &cell), expected);
        assert_eq!(
            read(&AmountReader::default(), "a\nb"),
            "not a number: `a b`"
        );
    }

    proptest! {
        #[test]
        fn the_canonical_text_stands_where_it_is_said_to_stand(cell in "[-+($ ]?[0-9]{0,6}[.,]?[0-9]{0,8}[ )e%-]?[0-9]?") {
            let units = AmountReader { scale: 8, ..AmountReader::default() };
            let comma = AmountReader { decimal: b',', group: Some('.'), ..AmountReader::default() };
            for reader in [AmountReader::default(), dressed(), units, comma] {
                let read = reader.read_canonical(cell.as_bytes());
                prop_assert_eq!(read.clone().map(|(amount, _)| amount), reader.read(cell.as_bytes()));
                if reader.reads_plain() && let Some(plain) = Amount::parse_plain(cell.as_bytes()) {
                    prop_assert_eq!(&read, &Ok(plain));
                    prop_assert!(plain.1.range().is_some());
                }
                if let Ok((amount, canonical)) = read && let Some(range) = canonical.range() {
                    prop_assert_eq!(&cell[range], amount.abs().to_string());
                }
            }
        }

        #[test]
        fn what_a_block_begins_with_is_read_as_the_text_alone(
            cell in "[-+]?[0-9]{0,9}[.,e ]?[0-9]{0,10}0{0,3}", behind in "[0-9,.\"\\n]{16}",
        ) {
            let text = cell.clone() + &behind;
            let block = text.as_bytes().first_chunk().unwrap();
            let read = Amount::parse_block(block, cell.len());
            let plain = Amount::parse_plain(cell.as_bytes());
            if let Some((amount, length)) = read {
                let (expected, canonical) = plain.expect("it is plain");
                prop_assert_eq!((amount, Some(0..length)), (expected, canonical.range()));
            } else if let Some((amount, canonical)) = plain {
                // What is usual is not left out.
                let unusual = cell.len() > 7 || cell.starts_with(['-', '+']) || cell.ends_with('.') || canonical.range().unwrap().start > 0;
                prop_assert!(unusual || !behind.starts_with([',', '"']), "{amount:?}");
            }
        }

        #[test]
        fn no_cell_makes_a_reader_panic(
            cell in proptest::collection::vec(any::<u8>(), 0..120),
            dress in "[-+()$EUR 0-9.,e\u{a0}−]{0,20}",
            group in proptest::option::of(any::<char>()),
            decimal in any::<u8>(),
        ) {
            let odd = AmountReader { group, decimal, ..dressed() };
            let blanks = AmountReader { group: Some(' '), ..dressed() };
            for reader in [AmountReader::default(), dressed(), odd, blanks] {
                let _ = reader.read(&cell);
                let _ = reader.read(dress.as_bytes());
            }
        }

        #[test]
        fn a_grouped_number_is_the_number(mantissa in 0_u64.., scale in 0_usize..10, lakh in any::<bool>()) {
            let digits = format!("{mantissa:0>11}");
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            let whole = whole.trim_start_matches('0');
            prop_assume!(!whole.is_empty());
            let mut grouped = String::new();
            for (index, digit) in whole.chars().enumerate() {
                let left = whole.len() - index;
                let mark = if lakh { left == 3 || (left > 3 && left % 2 == 1) } else { left % 3 == 0 };
                if mark && index > 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            let cell = format!("{grouped}.{fraction}");
            let plain = Amount::from_parts(i128::from(mantissa), scale as u32).unwrap();
            prop_assert_eq!(dressed().read(cell.as_bytes()), Ok(plain));
        }
    }
}
