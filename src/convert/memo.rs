//! What derived columns said of the cells met before: most are of a few words only, and say the same for the same words.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::evaluate::{Evaluated, Value};
use crate::mapping::{Cell, Expr, Program};
use crate::model::Short;

/// Places of one memo. A power of two.
const PLACES: usize = 256;

/// How many places are looked at for some cells.
const TRIES: usize = 4;

/// Longest cells that are remembered, in bytes.
const MAX_CELLS_BYTES: usize = 128;

/// Most columns that a remembered value depends on.
const MAX_COLUMNS: usize = 2;

/// A memo for each derived column that has one.
pub(super) struct Memos {
    of_derived: Box<[Option<Memo>]>,
}

/// Values of one derived column, by the cells that they follow from. Once a place is taken it stays so; what finds none is
/// found anew each time. Shared by all threads that read the file.
pub(super) struct Memo {
    /// The columns that the value depends on, besides what is the same for the whole file.
    pub columns: Box<[usize]>,
    places: OnceLock<Box<[OnceLock<Box<Remembered>>]>>,
}

struct Remembered {
    /// The cells, if all are short: nearly all are, and are compared without a look at their bytes.
    short: Option<[Short; MAX_COLUMNS]>,
    cells: [Box<[u8]>; MAX_COLUMNS],
    value: Value<'static>,
}

impl Remembered {
    #[inline]
    fn is_of(&self, short: Option<[Short; MAX_COLUMNS]>, cells: [&[u8]; MAX_COLUMNS]) -> bool {
        match (self.short, short) {
            (Some(mine), Some(wanted)) => mine == wanted,
            (None, None) => *self.cells[0] == *cells[0] && *self.cells[1] == *cells[1],
            _ => false,
        }
    }
}

impl Memos {
    pub fn of(program: &Program) -> Memos {
        let of_derived = program
            .derived
            .iter()
            .map(|expr| Memo::of(program, expr))
            .collect();
        Memos { of_derived }
    }

    #[inline]
    pub fn get(&self, derived: usize) -> Option<&Memo> {
        self.of_derived[derived].as_ref()
    }
}

impl Memo {
    /// `None` for what depends on more than a few texts, and for what is found as quickly as remembered.
    fn of(program: &Program, expr: &Expr) -> Option<Memo> {
        if matches!(
            expr,
            Expr::Text(_)
                | Expr::Number(_)
                | Expr::Cell(_)
                | Expr::Capture(_)
                | Expr::FileName
                | Expr::GivenAsset
                | Expr::Sheet
                | Expr::Present(_)
        ) {
            return None;
        }
        let columns = columns_of(program, std::slice::from_ref(expr))?;
        (columns.len() <= MAX_COLUMNS).then(|| Memo {
            columns: columns.into(),
            places: OnceLock::new(),
        })
    }

    /// The value for some cells, one for each column: as it was found before, or as it is found now. Errors are not
    /// remembered.
    ///
    /// # Errors
    /// Those of finding it.
    #[inline]
    pub fn value<'r>(
        &'r self,
        cells: [&[u8]; MAX_COLUMNS],
        find: impl FnOnce() -> Evaluated<Value<'r>>,
    ) -> Evaluated<Value<'r>> {
        if cells[0].len() + cells[1].len() > MAX_CELLS_BYTES {
            return find();
        }
        let places = self
            .places
            .get_or_init(|| (0..PLACES).map(|_| OnceLock::new()).collect());
        let short = match cells.map(Short::of) {
            [Some(one), Some(other)] => Some([one, other]),
            _ => None,
        };
        let first = match short {
            Some([one, other]) => one.mixed() ^ other.mixed().rotate_left(32),
            None => mixed(cells[0]) ^ mixed(cells[1]).rotate_left(32),
        };
        for nth in 0..TRIES {
            let place = &places[((first >> 56) as usize + nth) % PLACES];
            let Some(remembered) = place.get() else {
                let value = find()?;
                // Where another thread was first, its value stays.
                let _ = place.set(Box::new(Remembered {
                    short,
                    cells: cells.map(Box::from),
                    value: owned(&value),
                }));
                return Ok(value);
            };
            if remembered.is_of(short, cells) {
                return Ok(borrowed(&remembered.value));
            }
        }
        find()
    }
}

/// The columns of texts that the values of some expressions depend on, besides what is the same for the whole file. `None` if
/// they depend on other columns as well, or on cells that are another in each row.
pub(super) fn columns_of(program: &Program, exprs: &[Expr]) -> Option<Vec<usize>> {
    let mut columns: Vec<usize> = Vec::new();
    let mut fits = true;
    let mut waiting: Vec<&Expr> = exprs.iter().collect();
    while let Some(expr) = waiting.pop() {
        expr.walk(&mut |part| match part {
            Expr::Cell(column) | Expr::CellPart(column, _) => {
                let of = &program.columns[*column];
                fits &= !of.unique
                    && matches!(of.cell, Cell::Text | Cell::Asset { .. } | Cell::Pair(_));
                if !columns.contains(column) {
                    columns.push(*column);
                }
            }
            // Which cell it is depends on another.
            Expr::Family(..) => fits = false,
            // Derived columns use only earlier ones, so this ends.
            Expr::Derived(index) => waiting.push(&program.derived[*index]),
            _ => {}
        });
    }
    fits.then_some(columns)
}

/// A number that is another for most other texts.
#[inline]
fn mixed(text: &[u8]) -> u64 {
    let ends = Short::of(text).or_else(|| {
        let mut ends = [0; 16];
        ends[..8].copy_from_slice(text.first_chunk::<8>()?);
        ends[8..].copy_from_slice(text.last_chunk::<8>()?);
        Short::of(&ends)
    });
    ends.map_or(0, Short::mixed)
}

fn owned(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Blank => Value::Blank,
        Value::Text(text) => Value::Text(Cow::Owned(text.to_vec())),
        Value::Amount(amount) => Value::Amount(*amount),
        Value::Time(time) => Value::Time(*time),
        Value::Truth(truth) => Value::Truth(*truth),
    }
}

#[inline]
fn borrowed<'r>(value: &'r Value<'static>) -> Value<'r> {
    match value {
        Value::Blank => Value::Blank,
        Value::Text(text) => Value::Text(Cow::Borrowed(text)),
        Value::Amount(amount) => Value::Amount(*amount),
        Value::Time(time) => Value::Time(*time),
        Value::Truth(truth) => Value::Truth(*truth),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::evaluate::RowError;

    fn memo() -> Memo {
        Memo {
            columns: Box::new([0, 1]),
            places: OnceLock::new(),
        }
    }

    fn joined<'r>(one: &[u8], other: &[u8]) -> Value<'r> {
        Value::Text(Cow::Owned([one, b"|", other].concat()))
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_what_would_be_found(
            cells in prop::collection::vec(("[ab]{0,3}|[ab]{8}x?[ab]{8}|.{0,140}", "[ab]{0,2}"), 0..400)
        ) {
            let memo = memo();
            for (one, other) in &cells {
                let (one, other) = (one.as_bytes(), other.as_bytes());
                let found = memo.value([one, other], || Ok(joined(one, other)));
                prop_assert_eq!(found, Ok(joined(one, other)));
            }
        }
    }

    #[test]
    fn a_value_is_found_once_and_an_error_each_time() {
        let memo = memo();
        let wrong = || Err(RowError::new("wrong"));
        assert_eq!(memo.value([b"a", b""], wrong), wrong());
        assert_eq!(
            memo.value([b"a", b""], || Ok(Value::Truth(true))),
            Ok(Value::Truth(true))
        );
        assert_eq!(memo.value([b"a", b""], wrong), Ok(Value::Truth(true)));
        assert_eq!(memo.value([b"", b"a"], wrong), wrong());
    }
}
