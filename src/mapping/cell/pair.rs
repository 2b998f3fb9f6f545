//! Pair cells: two assets in one text.

use std::fmt;

use memchr::{memchr, memmem};

use super::{CellError, trim};

/// Reads the cells of a pair column: `BTC-USD`, `BTCUSDT`, `tBTCUSD`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairReader {
    /// What stands between the two; the first of the list that occurs.
    pub separators: Vec<String>,
    /// What the text ends with if no separator occurs, longest first; made so by [`PairReader::new`].
    pub quotes: Vec<String>,
    /// Whole texts, and what they mean: `PAXGUSD` is `PAXG/USD`, base first.
    pub exceptions: Vec<(String, String)>,
    /// The quote stands first.
    pub reversed: bool,
    /// Cut off where it stands: the `t` of `tBTCUSD`.
    pub prefix: Option<String>,
}

/// Two texts of one cell, in the order they stand.
type Sides<'a> = (&'a [u8], &'a [u8]);

/// Why a cell is not a pair.
enum Fault<'a> {
    Repeated(&'a str),
    OneSided(&'a str),
    NoSeparator,
    NoQuote { reversed: bool },
    Exception(&'a str),
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Repeated(separator) => {
                write!(f, "`{separator}` stands more than once in a pair")
            }
            Fault::OneSided(separator) => write!(f, "nothing stands on one side of `{separator}`"),
            Fault::NoSeparator => f.write_str("no separator of a pair"),
            Fault::NoQuote { reversed: false } => {
                f.write_str("a pair that ends with no known quote")
            }
            Fault::NoQuote { reversed: true } => {
                f.write_str("a pair that begins with no known quote")
            }
            Fault::Exception(meaning) => write!(f, "the exception `{meaning}` is not BASE/QUOTE"),
        }
    }
}

impl PairReader {
    /// A reader of these parts; sorts the quotes.
    ///
    /// # Errors
    /// One clause if there is neither a separator nor a quote, if one of them is empty, or if the meaning of an
    /// exception is not two texts with one `/` between them.
    pub fn new(
        separators: Vec<String>,
        mut quotes: Vec<String>,
        exceptions: Vec<(String, String)>,
        reversed: bool,
        prefix: Option<String>,
    ) -> Result<PairReader, String> {
        if separators.is_empty() && quotes.is_empty() && exceptions.is_empty() {
            return Err("a pair needs a separator, quotes or exceptions".to_string());
        }
        if separators.iter().chain(&quotes).any(String::is_empty) {
            return Err("a separator or quote is empty".to_string());
        }
        for (_, meaning) in &exceptions {
            if split_exception(meaning).is_none() {
                return Err(Fault::Exception(meaning).to_string());
            }
        }
        quotes.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        quotes.dedup();
        Ok(PairReader {
            separators,
            quotes,
            exceptions,
            reversed,
            prefix,
        })
    }

    /// Reads a cell: base and quote, without blanks around them.
    ///
    /// # Errors
    /// If no separator occurs and the text ends with no quote; if the separator occurs twice; or if a side is empty.
    pub fn read<'a>(&'a self, cell: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), CellError> {
        self.split(trim(cell))
            .map_err(|fault| CellError::new(fault, cell))
    }

    fn split<'a>(&'a self, cell: &'a [u8]) -> Result<Sides<'a>, Fault<'a>> {
        if let Some((_, meaning)) = self
            .exceptions
            .iter()
            .find(|(text, _)| text.as_bytes() == cell)
        {
            return split_exception(meaning).ok_or(Fault::Exception(meaning));
        }
        let text = match &self.prefix {
            Some(prefix) => cell.strip_prefix(prefix.as_bytes()).unwrap_or(cell),
            None => cell,
        };
        let (first, second) = match self.split_at_separator(text)? {
            Some(sides) => sides,
            None => self.split_at_quote(text)?,
        };
        Ok(if self.reversed {
            (second, first)
        } else {
            (first, second)
        })
    }

    fn split_at_separator<'a>(&'a self, text: &'a [u8]) -> Result<Option<Sides<'a>>, Fault<'a>> {
        for separator in &self.separators {
            let mark = separator.as_bytes();
            let Some(place) = find(text, mark) else {
                continue;
            };
            let (left, right) = (&text[..place], &text[place + mark.len()..]);
            if find(right, mark).is_some() {
                return Err(Fault::Repeated(separator));
            }
            let (left, right) = (trim(left), trim(right));
            if left.is_empty() || right.is_empty() {
                return Err(Fault::OneSided(separator));
            }
            return Ok(Some((left, right)));
        }
        Ok(None)
    }

    fn split_at_quote<'a>(&'a self, text: &'a [u8]) -> Result<Sides<'a>, Fault<'a>> {
        if self.quotes.is_empty() {
            return Err(Fault::NoSeparator);
        }
        for quote in self.quotes.iter().map(String::as_bytes) {
            if text.len() <= quote.len() {
                continue;
            }
            if self.reversed && text.starts_with(quote) {
                return Ok(text.split_at(quote.len()));
            }
            if !self.reversed && text.ends_with(quote) {
                return Ok(text.split_at(text.len() - quote.len()));
            }
        }
        Err(Fault::NoQuote {
            reversed: self.reversed,
        })
    }
}

/// The first place of `mark` in `text`; an empty mark stands nowhere.
fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    match mark {
        [] => None,
        [byte] => memchr(*byte, text),
        _ => memmem::find(text, mark),
    }
}

/// Base and quote of the meaning of an exception.
fn split_exception(meaning: &str) -> Option<(&[u8], &[u8])> {
    let (base, quote) = meaning.split_once('/')?;
    let whole = !base.is_empty() && !quote.is_empty() && !quote.contains('/');
    whole.then_some((base.as_bytes(), quote.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    fn reader(
        separators: &[&str],
        quotes: &[&str],
        reversed: bool,
        prefix: Option<&str>,
    ) -> PairReader {
        let exceptions = vec![("PAXGUSD".to_string(), "PAXG/USD".to_string())];
        PairReader::new(
            texts(separators),
            texts(quotes),
            exceptions,
            reversed,
            prefix.map(str::to_string),
        )
        .unwrap()
    }

    /// `base quote`, or the clause of the error.
    fn read(reader: &PairReader, cell: &str) -> String {
        match reader.read(cell.as_bytes()) {
            Ok((base, quote)) => format!(
                "{} {}",
                String::from_utf8_lossy(base),
                String::from_utf8_lossy(quote)
            ),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_first_separator_of_the_list_that_occurs_splits() {
        let pairs = reader(&["/", "-", " to "], &[], false, None);
        assert_eq!(read(&pairs, "BTC-USD"), "BTC USD");
        assert_eq!(read(&pairs, "A-B/USD"), "A-B USD");
        assert_eq!(read(&pairs, "BTC / USD"), "BTC USD");
        assert_eq!(read(&pairs, "BTC to USD"), "BTC USD");
        assert_eq!(read(&pairs, "PAXGUSD"), "PAXG USD");
        assert_eq!(read(&pairs, "BTCUSD"), "no separator of a pair: `BTCUSD`");
        assert_eq!(
            read(&pairs, "BTC-USD-PERP"),
            "`-` stands more than once in a pair: `BTC-USD-PERP`"
        );
        assert_eq!(
            read(&pairs, "-USD"),
            "nothing stands on one side of `-`: `-USD`"
        );
        assert_eq!(
            read(&pairs, "BTC/ "),
            "nothing stands on one side of `/`: `BTC/ `"
        );
    }

    #[test]
    fn the_longest_quote_that_leaves_a_base_is_taken() {
        let pairs = reader(&["_"], &["USD", "BTC", "BUSD"], false, Some("t"));
        assert_eq!(read(&pairs, "tBTCUSD"), "BTC USD");
        assert_eq!(read(&pairs, "BTCUSD"), "BTC USD");
        assert_eq!(read(&pairs, "ETHBUSD"), "ETH BUSD");
        assert_eq!(read(&pairs, "BUSD"), "B USD");
        assert_eq!(read(&pairs, "BTC_DOGE"), "BTC DOGE");
        assert_eq!(read(&pairs, "PAXGUSD"), "PAXG USD");
        assert_eq!(
            read(&pairs, "USD"),
            "a pair that ends with no known quote: `USD`"
        );
        assert_eq!(
            read(&pairs, "ETHXYZ"),
            "a pair that ends with no known quote: `ETHXYZ`"
        );
    }

    #[test]
    fn a_reversed_pair_has_its_quote_first() {
        let pairs = reader(&["_"], &["USD", "USDT"], true, None);
        assert_eq!(read(&pairs, "BTC_DOGE"), "DOGE BTC");
        assert_eq!(read(&pairs, "USDTETH"), "ETH USDT");
        assert_eq!(read(&pairs, "PAXGUSD"), "PAXG USD");
        assert_eq!(
            read(&pairs, "ETHUSD"),
            "a pair that begins with no known quote: `ETHUSD`"
        );
    }

    #[test]
    fn parts_that_cannot_split_are_refused() {
        let new = |separators: &[&str], quotes: &[&str], meaning: &str| {
            let exceptions = vec![("X".to_string(), meaning.to_string())];
            PairReader::new(texts(separators), texts(quotes), exceptions, false, None)
        };
        assert!(new(&["-"], &[], "A/B").is_ok());
        assert!(new(&[""], &[], "A/B").is_err());
        assert!(new(&[], &[""], "A/B").is_err());
        for meaning in ["", "A", "A/", "/B", "A/B/C"] {
            assert!(new(&["-"], &[], meaning).is_err(), "{meaning}");
        }
        assert!(PairReader::new(vec![], vec![], vec![], false, None).is_err());
    }

    proptest! {
        #[test]
        fn no_cell_makes_a_reader_panic(
            cell in proptest::collection::vec(any::<u8>(), 0..20),
            dressed in "[-/_t USD]{0,12}",
            reversed in any::<bool>(),
        ) {
            let pairs = reader(&["-", "/", "--"], &["USD", "D"], reversed, Some("t"));
            let _ = pairs.read(&cell);
            let _ = pairs.read(dressed.as_bytes());
            let _ = PairReader::default().read(&cell);
        }

        #[test]
        fn a_joined_pair_comes_apart_again(base in "[A-Z]{1,6}", quote in "[A-Z]{1,6}") {
            let cell = format!("{base}-{quote}");
            let pairs = reader(&["-"], &[], false, None);
            prop_assert_eq!(pairs.read(cell.as_bytes()), Ok((base.as_bytes(), quote.as_bytes())));
        }
    }
}
