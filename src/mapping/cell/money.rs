//! Money cells: an amount and its asset in one.

use std::fmt;

use super::amount::{Fault, Sign};
use super::{AmountReader, CellError, after_blanks, blank_at, minus_at};
use crate::model::amount::Amount;

/// Reads the cells of a money column: `0.00012BNB`, `0.5 BTC`, `$1.49`, `-$1,000.00`, `(0.5 BTC)`, `USD 5.00`.
///
/// The asset is a symbol, a unit, or the code that is left over beside the number. A code may hold letters, digits and
/// marks but no blank. After the number an `e` with digits is an exponent (`8E-08BNB`), any other begins a code (`5E`,
/// `1.5EGLD`). Parentheses are a minus here, whatever `amount` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoneyReader {
    /// How the number is written; what it strips is not taken for an asset.
    pub amount: AmountReader,
    /// Symbols and what they mean: `$` is `USD`. Where several fit, the longest.
    pub symbols: Vec<(String, String)>,
    /// Codes that begin with a digit and are written right behind the number, such as `1INCH`. Where several fit, the
    /// longest.
    pub units: Vec<String>,
}

/// Why a cell is not money.
enum Trouble {
    Number(Fault),
    TwoAssets,
    NotACode,
    NoAmount,
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        Trouble::Number(fault)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Number(fault) => fault.fmt(f),
            Trouble::TwoAssets => f.write_str("two assets stand beside one amount"),
            Trouble::NotACode => {
                f.write_str("what stands beside the number is not the code of an asset")
            }
            Trouble::NoAmount => f.write_str("an asset without an amount"),
        }
    }
}

impl MoneyReader {
    /// A reader of these parts, in any order.
    pub fn new(
        amount: AmountReader,
        symbols: Vec<(String, String)>,
        units: Vec<String>,
    ) -> MoneyReader {
        MoneyReader {
            amount,
            symbols,
            units,
        }
    }

    /// Reads a cell: the amount, and the asset as the cell writes it or as its symbol means it; `None` if the cell
    /// names no asset.
    ///
    /// # Errors
    /// As [`AmountReader::read`]; if two different assets stand there; or if the text beside the number cannot be a code.
    pub fn read<'a>(&'a self, cell: &'a [u8]) -> Result<(Amount, Option<&'a [u8]>), CellError> {
        self.read_parts(cell)
            .map_err(|trouble| CellError::new(trouble, cell))
    }

    fn read_parts<'a>(&'a self, cell: &'a [u8]) -> Result<(Amount, Option<&'a [u8]>), Trouble> {
        let mut sign = Sign::default();
        let mut asset = None;
        let at = self.before(cell, &mut sign, &mut asset)?;
        // A unit begins with a digit: without cutting it off first, the number would swallow that.
        let (number, unit) = self.split_unit(cell, at)?;
        let (amount, mut at) = self.amount.number_at(number, at)?;
        if let Some(unit) = unit {
            if after_blanks(number, at) < number.len() {
                return Err(Trouble::Number(Fault::NotANumber));
            }
            name(&mut asset, unit)?;
            at = number.len() + unit.len();
        }
        self.after(cell, at, &mut sign, &mut asset)?;
        let amount = self.amount.scaled(sign.put(amount)?)?;
        Ok((amount, asset))
    }

    /// What stands before the number; gives where that starts.
    fn before<'a>(
        &'a self,
        cell: &'a [u8],
        sign: &mut Sign,
        asset: &mut Option<&'a [u8]>,
    ) -> Result<usize, Trouble> {
        let mut at = 0;
        loop {
            at = after_blanks(cell, at);
            let rest = &cell[at..];
            let strip = self.strip_at(cell, at);
            if let Some((symbol, meaning)) = self.symbol_at(cell, at)
                && symbol >= strip
            {
                name(asset, meaning)?;
                at += symbol;
                continue;
            }
            if strip > 0 {
                at += strip;
                continue;
            }
            match sign.before(cell, at, true)? {
                0 => {}
                length => {
                    at += length;
                    continue;
                }
            }
            // A unit before its amount: `1INCH 5.00`.
            if let Some(unit) = longest(&self.units, |unit| {
                rest.starts_with(unit) && begins_number(cell, at + unit.len())
            }) {
                name(asset, unit)?;
                at += unit.len();
                continue;
            }
            match rest.first() {
                None => return Err(Trouble::NoAmount),
                Some(byte) if byte.is_ascii_digit() || *byte == self.amount.decimal => {
                    return Ok(at);
                }
                Some(byte) if is_letter(*byte) => {
                    let length = code_before(cell, at);
                    name(asset, &rest[..length])?;
                    at += length;
                }
                Some(_) => return Err(Trouble::Number(Fault::NotANumber)),
            }
        }
    }

    /// What stands after the number, to the end of the cell.
    fn after<'a>(
        &'a self,
        cell: &'a [u8],
        mut at: usize,
        sign: &mut Sign,
        asset: &mut Option<&'a [u8]>,
    ) -> Result<(), Trouble> {
        loop {
            at = after_blanks(cell, at);
            if at == cell.len() {
                return Ok(());
            }
            let strip = self.strip_at(cell, at);
            if let Some((symbol, meaning)) = self.symbol_at(cell, at)
                && symbol >= strip
            {
                name(asset, meaning)?;
                at += symbol;
                continue;
            }
            if strip > 0 {
                at += strip;
                continue;
            }
            match sign.after(cell, at, self.amount.trailing_minus)? {
                0 => {}
                length => {
                    at += length;
                    continue;
                }
            }
            let code = code_after(cell, at, self.amount.trailing_minus);
            if code.is_empty() {
                return Err(Trouble::Number(Fault::NotANumber));
            }
            // A mark there is a slip (`1.2.3`), and a digit may be a group of the number (`1 000BTC`).
            if !code.iter().any(|byte| is_letter(*byte)) || !is_code_start(code[0]) {
                return Err(Trouble::NotACode);
            }
            name(asset, code)?;
            at += code.len();
        }
    }

    /// The length and meaning of the longest symbol at `at`.
    fn symbol_at<'a>(&'a self, cell: &[u8], at: usize) -> Option<(usize, &'a [u8])> {
        let rest = &cell[at..];
        self.symbols
            .iter()
            .filter(|(symbol, _)| is_word(rest, symbol.as_bytes()))
            .max_by_key(|(symbol, _)| symbol.len())
            .map(|(symbol, meaning)| (symbol.len(), meaning.as_bytes()))
    }

    /// The length of the longest text to strip at `at`, 0 if none stands there; as a word, not as the start of a code.
    fn strip_at(&self, cell: &[u8], at: usize) -> usize {
        let rest = &cell[at..];
        let fitting = self
            .amount
            .strip
            .iter()
            .filter(|text| is_word(rest, text.as_bytes()));
        fitting.map(String::len).max().unwrap_or(0)
    }

    /// Cuts a unit off that is written right behind the number: what is before it, and the unit.
    fn split_unit<'a>(
        &self,
        cell: &'a [u8],
        start: usize,
    ) -> Result<(&'a [u8], Option<&'a [u8]>), Trouble> {
        if self.units.is_empty() {
            return Ok((cell, None));
        }
        let body = match cell {
            [body @ .., b')'] => body,
            body => body,
        };
        let found = longest(&self.units, |unit| {
            // Behind a letter it is the end of a longer code.
            body.get(start..)
                .and_then(|text| text.strip_suffix(unit))
                .is_some_and(|number| !number.last().is_some_and(u8::is_ascii_alphabetic))
        });
        let Some(unit) = found else {
            return Ok((cell, None));
        };
        let number = body.len() - unit.len();
        if number == start {
            return Err(Trouble::NoAmount);
        }
        Ok((&cell[..number], Some(&cell[number..body.len()])))
    }
}

/// The longest of the texts for which `fits` holds.
fn longest(texts: &[String], fits: impl Fn(&[u8]) -> bool) -> Option<&[u8]> {
    let fitting = texts
        .iter()
        .map(String::as_bytes)
        .filter(|text| !text.is_empty() && fits(text));
    fitting.max_by_key(|text| text.len())
}

/// Says which asset it is; twice the same is no harm (`$5 USD`).
fn name<'a>(asset: &mut Option<&'a [u8]>, code: &'a [u8]) -> Result<(), Trouble> {
    match asset {
        Some(other) if *other != code => Err(Trouble::TwoAssets),
        _ => {
            *asset = Some(code);
            Ok(())
        }
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

/// Some codes begin with `$` and the like.
fn is_code_start(byte: u8) -> bool {
    is_letter(byte) || matches!(byte, b'$' | b'_' | b'@' | b'#')
}

/// Whether `text` starts with `word`, and no letter goes on after a letter: `R` is not the start of `RUB`.
fn is_word(text: &[u8], word: &[u8]) -> bool {
    let goes_on = |letters: &[u8]| letters.last().is_some_and(u8::is_ascii_alphabetic);
    !word.is_empty()
        && text.starts_with(word)
        && !(goes_on(word) && text.get(word.len()).is_some_and(u8::is_ascii_alphabetic))
}

/// Whether a number begins at `at`, perhaps after blanks and a sign.
fn begins_number(cell: &[u8], at: usize) -> bool {
    let mut at = after_blanks(cell, at);
    at += match cell.get(at) {
        Some(b'+' | b'(') => 1,
        _ => minus_at(cell, at),
    };
    at = after_blanks(cell, at);
    matches!(cell.get(at), Some(b'0'..=b'9' | b'.' | b','))
}

/// The length of the code that stands at `at`, before a number: up to a blank if the number follows that (`C98 5.00`),
/// else its letters (`USD5.00`).
fn code_before(cell: &[u8], at: usize) -> usize {
    let (mut end, mut letters_end) = (at, None);
    while end < cell.len() && blank_at(cell, end) == 0 {
        let minus = minus_at(cell, end) > 0;
        if letters_end.is_none() && (minus || !is_letter(cell[end])) {
            letters_end = Some(end);
        }
        if minus || matches!(cell[end], b'(' | b')' | b'+') {
            break;
        }
        end += 1;
    }
    if blank_at(cell, end) > 0 && begins_number(cell, end) {
        return end - at;
    }
    letters_end.unwrap_or(end) - at
}

/// The code that stands at `at`, after a number: up to a blank, a closing parenthesis or, if that is a sign, a minus at
/// the end.
fn code_after(cell: &[u8], at: usize, trailing_minus: bool) -> &[u8] {
    let mut end = at;
    while end < cell.len() && blank_at(cell, end) == 0 && cell[end] != b')' {
        let minus = minus_at(cell, end);
        if trailing_minus && minus > 0 && end + minus == cell.len() {
            break;
        }
        end += 1;
    }
    &cell[at..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reader() -> MoneyReader {
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let symbols = [
            ("$", "USD"),
            ("US$", "USD"),
            ("€", "EUR"),
            ("R", "ZAR"),
            ("₿", "BTC"),
        ];
        MoneyReader::new(
            AmountReader {
                group: Some(','),
                strip: texts(&["approx."]),
                ..AmountReader::default()
            },
            symbols
                .map(|(symbol, code)| (symbol.to_string(), code.to_string()))
                .to_vec(),
            texts(&["1INCH", "0X"]),
        )
    }

    /// `amount asset`, or the clause of the error.
    fn read(reader: &MoneyReader, cell: &str) -> String {
        match reader.read(cell.as_bytes()) {
            Ok((amount, Some(asset))) => format!("{amount} {}", String::from_utf8_lossy(asset)),
            Ok((amount, None)) => amount.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_amount_and_its_asset_are_told_apart() {
        let reader = reader();
        let cases = [
            ("0.00012BNB", "0.00012 BNB"),
            ("0.5 BTC", "0.5 BTC"),
            ("$1.49", "1.49 USD"),
            ("-$1,000.00", "-1000 USD"),
            ("$-12.34", "-12.34 USD"),
            ("- $ 12.34", "-12.34 USD"),
            ("($9.99)", "-9.99 USD"),
            ("$(9.99)", "-9.99 USD"),
            ("(0.5 BTC)", "-0.5 BTC"),
            ("$9,999.99 ", "9999.99 USD"),
            ("USD 5.00", "5 USD"),
            ("USD5.00", "5 USD"),
            ("USD -5.00", "-5 USD"),
            ("USD-5.00", "-5 USD"),
            ("-USD 5.00", "-5 USD"),
            ("USD (5.00)", "-5 USD"),
            ("−12 EUR", "-12 EUR"),
            ("€12", "12 EUR"),
            ("12 €", "12 EUR"),
            ("12€", "12 EUR"),
            ("₿0.1", "0.1 BTC"),
            ("US$ 5", "5 USD"),
            ("$5 USD", "5 USD"),
            ("R 5", "5 ZAR"),
            ("RUB 5", "5 RUB"),
            ("5 RUB", "5 RUB"),
            ("8E-08BNB", "0.00000008 BNB"),
            ("8e-08 BNB", "0.00000008 BNB"),
            ("5E", "5 E"),
            ("5 EUR", "5 EUR"),
            ("5EUR", "5 EUR"),
            ("1.5EGLD", "1.5 EGLD"),
            ("1.5e", "1.5 e"),
            ("2E2ETH", "200 ETH"),
            ("C98 5.00", "5 C98"),
            ("5 C98", "5 C98"),
            ("5.0LUNA2", "5 LUNA2"),
            ("USDC.e 5", "5 USDC.e"),
            ("1.5 USDC.e", "1.5 USDC.e"),
            ("51INCH", "5 1INCH"),
            ("5 1INCH", "5 1INCH"),
            ("0.51INCH", "0.5 1INCH"),
            ("(51INCH)", "-5 1INCH"),
            ("1INCH 5.00", "5 1INCH"),
            ("-1INCH 5.00", "-5 1INCH"),
            ("1E-81INCH", "0.00000001 1INCH"),
            ("1,0000X", "1000 0X"),
            ("0.5 A1INCH", "0.5 A1INCH"),
            ("approx. 5 BTC", "5 BTC"),
            ("+5", "5"),
            ("5", "5"),
            (".5BTC", "0.5 BTC"),
            ("5\u{a0}BTC", "5 BTC"),
            ("1.5 币", "1.5 币"),
        ];
        for (cell, expected) in cases {
            assert_eq!(read(&reader, cell), expected, "{cell}");
        }
        assert_eq!(read(&MoneyReader::default(), "1 $WIF"), "1 $WIF");
        assert_eq!(
            read(&reader, "1 $WIF"),
            "two assets stand beside one amount: `1 $WIF`"
        );
    }

    #[test]
    fn what_is_not_one_amount_with_one_asset_is_refused() {
        let reader = reader();
        let cases = [
            ("", "an asset without an amount: ``"),
            ("BTC", "an asset without an amount: `BTC`"),
            ("1INCH", "an asset without an amount: `1INCH`"),
            ("$", "an asset without an amount: `$`"),
            ("1,5 BTC", "thousands marks in the wrong place: `1,5 BTC`"),
            ("$5 CAD", "two assets stand beside one amount: `$5 CAD`"),
            (
                "BTC 5 ETH",
                "two assets stand beside one amount: `BTC 5 ETH`",
            ),
            (
                "5 BTC ETH",
                "two assets stand beside one amount: `5 BTC ETH`",
            ),
            ("-(5 BTC)", "more than one sign: `-(5 BTC)`"),
            ("--5 BTC", "more than one sign: `--5 BTC`"),
            ("(5 BTC", "a parenthesis without its other half: `(5 BTC`"),
            ("5 BTC)", "not a number: `5 BTC)`"),
            (
                "1.2.3 BTC",
                "what stands beside the number is not the code of an asset: `1.2.3 BTC`",
            ),
            (
                "1 000BTC",
                "what stands beside the number is not the code of an asset: `1 000BTC`",
            ),
            (
                "5 %",
                "what stands beside the number is not the code of an asset: `5 %`",
            ),
            ("#5", "not a number: `#5`"),
        ];
        for (cell, expected) in cases {
            assert_eq!(read(&reader, cell), expected, "{cell}");
        }
    }

    #[test]
    fn the_keys_of_an_amount_hold_for_money_too() {
        let reader = MoneyReader {
            amount: AmountReader {
                decimal: b',',
                group: Some('.'),
                trailing_minus: true,
                scale: 2,
                ..AmountReader::default()
            },
            ..MoneyReader::default()
        };
        assert_eq!(read(&reader, "1.234,5 EUR"), "12.345 EUR");
        assert_eq!(read(&reader, "1.234,5 EUR-"), "-12.345 EUR");
        assert_eq!(read(&reader, "1.234,5- EUR"), "-12.345 EUR");
    }

    proptest! {
        #[test]
        fn no_cell_makes_a_reader_panic(
            cell in proptest::collection::vec(any::<u8>(), 0..40),
            dressed in "[-+()$€ 1INCHXe0-9.,\u{a0}−]{0,20}",
        ) {
            for reader in [reader(), MoneyReader::default()] {
                let _ = reader.read(&cell);
                let _ = reader.read(dressed.as_bytes());
            }
        }

        #[test]
        fn a_printed_amount_with_a_code_is_read_back(
            mantissa in any::<i64>(),
            scale in 0_u32..30,
            code in "[A-DF-Z][A-Z0-9]{0,6}",
            blank in " ?",
        ) {
            let amount = Amount::from_parts(i128::from(mantissa), scale).unwrap();
            let cell = format!("{amount}{blank}{code}");
            let reader = MoneyReader::default();
            prop_assert_eq!(reader.read(cell.as_bytes()), Ok((amount, Some(code.as_bytes()))));
            let cell = format!("{code} {amount}");
            prop_assert_eq!(reader.read(cell.as_bytes()), Ok((amount, Some(code.as_bytes()))));
        }
    }
}
