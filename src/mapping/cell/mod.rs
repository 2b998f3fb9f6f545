//! Readers of one cell each: amounts, money, times, pairs.
//!
//! In: what a mapping says about a column, once, and then the bytes of its cells. Out: a value that carries its proof, or a
//! [`CellError`] that says in one clause why not. A reader borrows the cell and allocates nothing unless the cell is bad.

mod amount;
mod money;
mod pair;
mod time;
mod zone;

pub use amount::AmountReader;
pub use money::MoneyReader;
pub use pair::PairReader;
pub use time::{DateOrder, TimeReader};
pub use zone::Zone;

use std::fmt;

/// How many characters of a cell a message shows.
const SHOWN_CHARACTERS: usize = 40;

/// Why a cell could not be read: one clause in lower case, with the cell's text, shortened. It does not know its column
/// and line: who asked does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellError {
    message: String,
}

impl CellError {
    /// A clause, and the cell it is about: ``not a number: `abc` ``.
    #[cold]
    pub fn new(clause: impl fmt::Display, cell: &[u8]) -> CellError {
        CellError {
            message: format!("{clause}: `{}`", shown(cell)),
        }
    }

    /// The clause.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The clause, to be kept.
    pub fn into_message(self) -> String {
        self.message
    }
}

impl fmt::Display for CellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CellError {}

/// The cell's text on one line, at most about 40 characters of it.
fn shown(cell: &[u8]) -> String {
    // A character has at most four bytes: what is longer needs no decoding.
    let start = &cell[..cell.len().min(4 * SHOWN_CHARACTERS + 4)];
    let text = String::from_utf8_lossy(start);
    let mut characters = text.chars().map(|character| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    });
    let mut shown: String = characters.by_ref().take(SHOWN_CHARACTERS).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// The length in bytes of the blank that stands at `at`: a space, a tab, a no-break space, or one of the narrow spaces
/// that spreadsheets and browsers write. 0 if no blank stands there.
#[inline]
fn blank_at(cell: &[u8], at: usize) -> usize {
    match cell.get(at) {
        Some(b' ' | b'\t') => 1,
        Some(0xC2) if cell.get(at + 1) == Some(&0xA0) => 2, // U+00A0
        // U+2009, U+202F
        Some(0xE2) => match cell.get(at + 1..at + 3) {
            Some([0x80, 0x89 | 0xAF]) => 3,
            _ => 0,
        },
        _ => 0,
    }
}

/// The first place from `at` on where no blank stands.
#[inline]
fn after_blanks(cell: &[u8], mut at: usize) -> usize {
    loop {
        match blank_at(cell, at) {
            0 => return at,
            length => at += length,
        }
    }
}

/// The cell without the blanks at its ends.
#[inline]
fn trim(cell: &[u8]) -> &[u8] {
    let mut rest = &cell[after_blanks(cell, 0)..];
    loop {
        rest = match rest {
            [head @ .., b' ' | b'\t'] => head,
            [head @ .., 0xC2, 0xA0] => head,
            [head @ .., 0xE2, 0x80, 0x89 | 0xAF] => head,
            _ => return rest,
        };
    }
}

/// The length in bytes of the minus that stands at `at`: `-` or the minus of mathematics, U+2212. 0 if none.
#[inline]
fn minus_at(cell: &[u8], at: usize) -> usize {
    match cell.get(at) {
        Some(b'-') => 1,
        Some(0xE2) if cell.get(at + 1..at + 3) == Some(&[0x88, 0x92]) => 3,
        _ => 0,
    }
}
