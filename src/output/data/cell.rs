//! What cells of data layouts share: the run's names by their text, and texts that a spreadsheet would run.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::ledger::NameTexts;
use crate::output::readback::WrittenSums;

/// The names of a run by their letters: what is read back from a file are copies, and the sums tell names apart by their
/// place in memory.
pub(super) struct RunTexts<'n> {
    accounts: FxHashMap<&'n [u8], &'n str>,
    assets: FxHashMap<&'n [u8], &'n str>,
}

impl<'n> RunTexts<'n> {
    pub(super) fn new(names: &'n NameTexts) -> RunTexts<'n> {
        RunTexts {
            accounts: names
                .accounts
                .iter()
                .map(|name| (name.as_bytes(), &**name))
                .collect(),
            assets: names
                .assets
                .iter()
                .map(|name| (name.as_bytes(), &**name))
                .collect(),
        }
    }

    /// Adds an amount that was read back. A name that the run does not have is a failure of the proof.
    pub(super) fn add(&self, sums: &mut WrittenSums, account: &[u8], asset: &[u8], amount: &[u8]) {
        match (self.accounts.get(account), self.assets.get(asset)) {
            (Some(account), Some(asset)) => sums.add(account, asset, amount, 1),
            _ => {
                sums.failure = Some(format!(
                    "`{}` in `{}` was never read",
                    String::from_utf8_lossy(asset),
                    String::from_utf8_lossy(account)
                ));
            }
        }
    }
}

/// A text as it can stand in a spreadsheet: with a `'` before it if it begins with what makes a formula of it once the
/// sheet is saved as CSV and opened again. `None`: it can stay as it is.
///
/// Source: OWASP, "CSV Injection".
pub(super) fn neutralised(text: &str) -> Option<String> {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
        .then(|| format!("'{text}"))
}

/// A text cut to as many UTF-16 units as a cell holds. `None`: it fits.
pub(super) fn cut(text: &str, units: usize) -> Option<&str> {
    // Most texts are short: no UTF-8 text has fewer bytes than UTF-16 units.
    if text.len() <= units {
        return None;
    }
    let mut left = units;
    for (index, letter) in text.char_indices() {
        match left.checked_sub(letter.len_utf16()) {
            Some(rest) => left = rest,
            None => return Some(&text[..index]),
        }
    }
    None
}

/// Bytes of a source as text.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_begins_with_an_apostrophe() {
        for dangerous in [
            "=1+1",
            "+cmd",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "=HYPERLINK(\"x\")",
        ] {
            assert_eq!(neutralised(dangerous), Some(format!("'{dangerous}")));
        }
        for harmless in ["", "a=1", " =1", "0x12", "'=1", "1-2"] {
            assert_eq!(neutralised(harmless), None);
        }
    }

    #[test]
    fn a_text_is_cut_between_letters_where_a_cell_ends() {
        assert_eq!(cut("abc", 3), None);
        assert_eq!(cut("abcd", 3), Some("abc"));
        assert_eq!(cut("äöü", 3), None);
        // Two units each.
        assert_eq!(cut("🦀🦀", 3), Some("🦀"));
    }

    #[test]
    fn an_unknown_name_fails_the_proof() {
        let names = NameTexts {
            assets: vec!["BTC".into()],
            accounts: vec!["Here".into()],
        };
        let texts = RunTexts::new(&names);
        let mut sums = WrittenSums::default();
        texts.add(&mut sums, b"Here", b"BTC", b"1.5");
        assert_eq!(sums.failure, None);
        texts.add(&mut sums, b"Here", b"ETH", b"1.5");
        assert!(sums.failure.is_some());
    }
}
