//! One record of a file whose report is known: its cells, typed, and what expressions ask of it.

use std::borrow::Cow;

use super::batch::NewAmount;
use super::evaluate::{Evaluate, Evaluated, RowError, Value, text_or_blank, trim};
use super::file::FileContext;
use crate::input::Record;
use crate::mapping::cell::{TimeReader, Zone};
use crate::mapping::{Cell, Expr, Meaning, Part, Place, ZoneFrom};
use crate::model::{Amount, Time};

/// One record of a file whose report is known.
#[derive(Clone, Copy)]
pub struct RowView<'r> {
    pub file: &'r FileContext,
    pub record: Record<'r>,
}

impl<'r> RowView<'r> {
    /// A cell without the blanks around it; empty if it counts as empty.
    #[inline]
    pub fn cell(&self, column: usize) -> Cow<'r, [u8]> {
        match self.file.plain(column) {
            Some(at) => Cow::Borrowed(self.at(at)),
            None => self.put_together(column),
        }
    }

    fn put_together(&self, column: usize) -> Cow<'r, [u8]> {
        let cell = match &self.file.binding.places[column] {
            Place::At(at) => Cow::Borrowed(self.at(*at)),
            Place::Missing | Place::Family(_) => Cow::Borrowed(&b""[..]),
            Place::Joined(places) => {
                let parts: Vec<&[u8]> = places
                    .iter()
                    .map(|at| self.at(*at))
                    .filter(|part| !part.is_empty())
                    .collect();
                Cow::Owned(parts.join(&b' '))
            }
        };
        self.unless_blank(column, cell)
    }

    #[inline]
    fn at(&self, at: usize) -> &'r [u8] {
        trim(self.record.get(at).unwrap_or_default())
    }

    #[inline]
    fn unless_blank(&self, column: usize, cell: Cow<'r, [u8]>) -> Cow<'r, [u8]> {
        let blanks = &self.file.program.columns[column].blanks;
        if !blanks.is_empty() && blanks.iter().any(|blank| **blank == *cell) {
            Cow::Borrowed(b"")
        } else {
            cell
        }
    }

    /// The cell of a family's column that a key names; empty if there is none.
    fn family_cell(&self, column: usize, key: &[u8]) -> Cow<'r, [u8]> {
        match &self.file.binding.places[column] {
            Place::Family(members) => {
                let cell = members.get(key).map_or(&b""[..], |at| self.at(*at));
                self.unless_blank(column, Cow::Borrowed(cell))
            }
            _ => Cow::Borrowed(b""),
        }
    }

    /// Reads a cell as its column's type says.
    pub fn typed_cell(&self, column: usize, cell: Cow<'r, [u8]>) -> Evaluated<Value<'r>> {
        if cell.is_empty() {
            return Ok(Value::Blank);
        }
        let wrong = |error: crate::mapping::cell::CellError| {
            RowError::in_column(column, error.into_message())
        };
        match &self.file.program.columns[column].cell {
            Cell::Text => Ok(Value::Text(cell)),
            Cell::Asset { upper } => {
                Ok(self.canonical_asset(if *upper { upper_case(cell) } else { cell }))
            }
            Cell::Amount(reader) => reader.read(&cell).map(Value::Amount).map_err(wrong),
            Cell::Time(reader, zone) => {
                let reader = reader.in_order(self.file.dates);
                if matches!(zone, ZoneFrom::Local)
                    && self.file.zone.is_none()
                    && let Some(time) = without_zone(reader, &cell)
                {
                    return Ok(Value::Time(time));
                }
                let zone = self.zone(column, zone)?;
                let read = reader.read(&cell, &zone);
                let read = match (&read, &self.file.workbook_times) {
                    (Err(_), Some(typed)) => typed.read(&cell, &zone).or(read),
                    _ => read,
                };
                read.map(Value::Time).map_err(wrong)
            }
            Cell::Money(_) | Cell::Pair(_) => Ok(Value::Text(cell)),
        }
    }

    /// The value of a derived column.
    fn derived(&self, index: usize) -> Evaluated<Value<'r>> {
        let file = self.file;
        let find = || self.evaluate(&file.program.derived[index]);
        let Some(memo) = file.memos.get(index) else {
            return find();
        };
        match *memo.columns {
            [] => memo.value([b"", b""], find),
            [only] => memo.value([&self.cell(only), b""], find),
            [one, other] => memo.value([&self.cell(one), &self.cell(other)], find),
            _ => find(),
        }
    }

    /// The instant that an expression gives; `None` for a blank.
    #[inline]
    pub fn time(&self, expr: &'r Expr) -> Evaluated<Option<Time>> {
        // Most times are just cells.
        if let Expr::Cell(column) = expr
            && let Cell::Time(reader, ZoneFrom::Stated(zone)) =
                &self.file.program.columns[*column].cell
            && let Some(at) = self.file.plain(*column)
            && let cell = self.at(at)
            && !cell.is_empty()
            && let Ok(time) = reader.in_order(self.file.dates).read(cell, zone)
        {
            return Ok(Some(time));
        }
        match expr {
            Expr::Derived(index) => return self.time(&self.file.program.derived[*index]),
            Expr::Coalesce(left, right) if self.is_time(left) => {
                return match self.time(left)? {
                    None => self.time(right),
                    found => Ok(found),
                };
            }
            _ => {}
        }
        Ok(match self.evaluate(expr)? {
            Value::Time(time) => Some(time),
            _ => None,
        })
    }

    /// The text that an expression gives, if that is just a cell of text.
    #[inline]
    pub fn text_cell(&self, expr: &Expr) -> Option<&'r [u8]> {
        match expr {
            Expr::Cell(column) if matches!(self.file.program.columns[*column].cell, Cell::Text) => {
                Some(self.at(self.file.plain(*column)?))
            }
            _ => None,
        }
    }

    /// The code of an asset as it stands in a cell, if an expression is just that; and whether it is to be written large.
    #[inline]
    pub fn code(&self, expr: &Expr) -> Option<(&'r [u8], bool)> {
        match expr {
            Expr::Cell(column) => match self.file.program.columns[*column].cell {
                Cell::Asset { upper } => Some((self.at(self.file.plain(*column)?), upper)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The amount that an expression gives, with its text where it stands as it is written.
    #[inline]
    pub fn amount_text(&self, expr: &'r Expr) -> Evaluated<Option<NewAmount<'r>>> {
        match expr {
            Expr::Cell(column) => {
                if let Cell::Amount(reader) = &self.file.program.columns[*column].cell
                    && let Some(at) = self.file.plain(*column)
                {
                    let cell = self.at(at);
                    if cell.is_empty() {
                        return Ok(None);
                    }
                    let (amount, canonical) = reader
                        .read_canonical(cell)
                        .map_err(|error| RowError::in_column(*column, error.into_message()))?;
                    let text = canonical.range().map_or(&b""[..], |range| &cell[range]);
                    return Ok(Some(NewAmount::written(amount, text)));
                }
            }
            Expr::Derived(index) => return self.amount_text(&self.file.program.derived[*index]),
            Expr::Coalesce(left, right) if self.is_amount(left) => {
                return match self.amount_text(left)? {
                    None => self.amount_text(right),
                    found => Ok(found),
                };
            }
            _ => {}
        }
        Ok(self.amount(expr)?.map(NewAmount::from))
    }

    /// Whether what an expression gives is an amount, or blank.
    fn is_amount(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Cell(column) if matches!(self.file.program.columns[*column].cell, Cell::Amount(_)))
    }

    /// Whether what an expression gives is a time, or blank.
    fn is_time(&self, expr: &Expr) -> bool {
        matches!(expr, Expr::Cell(column) if matches!(self.file.program.columns[*column].cell, Cell::Time(..)))
    }

    fn zone(&self, column: usize, from: &ZoneFrom) -> Evaluated<Cow<'r, Zone>> {
        match from {
            ZoneFrom::Stated(zone) => Ok(Cow::Owned(*zone)),
            ZoneFrom::Local => match &self.file.zone {
                Some(zone) => Ok(Cow::Borrowed(zone)),
                None => Err(RowError::in_column(
                    column,
                    "this export is in local time, and nobody said where: add `--zone Europe/Paris` (or your zone)",
                )),
            },
            ZoneFrom::Capture(capture) => {
                let text = &self.file.binding.captures[*capture];
                Zone::parse(text).map(Cow::Owned).ok_or_else(|| {
                    RowError::in_column(column, format!("`{text}` in the header is no zone"))
                })
            }
            ZoneFrom::Column(other) => {
                let cell = self.cell(*other);
                let text = String::from_utf8_lossy(&cell);
                if text.is_empty() {
                    return Err(RowError::in_column(*other, "no zone stands here"));
                }
                Zone::parse(&text)
                    .map(Cow::Owned)
                    .ok_or_else(|| RowError::in_column(*other, format!("`{text}` is no zone")))
            }
            ZoneFrom::Derived(index) => {
                let found = match self.derived(*index)? {
                    Value::Text(text) => text,
                    _ => Cow::Borrowed(&b""[..]),
                };
                let text = String::from_utf8_lossy(&found);
                if text.is_empty() {
                    return Err(RowError::in_column(column, "its zone is blank"));
                }
                Zone::parse(&text)
                    .map(Cow::Owned)
                    .ok_or_else(|| RowError::in_column(column, format!("`{text}` is no zone")))
            }
        }
    }

    /// An asset's canonical code, as far as it does not depend on the time.
    fn canonical_asset(&self, code: Cow<'r, [u8]>) -> Value<'r> {
        if self.file.program.aliases.is_empty() {
            return Value::Text(code);
        }
        match std::str::from_utf8(&code).map(|code| self.file.program.aliases.meaning(code)) {
            Ok(Meaning::Always(text) | Meaning::Dated(text)) => {
                Value::Text(Cow::Owned(text.into_bytes()))
            }
            Err(_) => Value::Text(code),
        }
    }

    /// One half of a money or pair cell, as it stands.
    fn part(&self, column: usize, part: Part) -> Evaluated<Value<'r>> {
        let cell = self.cell(column);
        if cell.is_empty() {
            return Ok(Value::Blank);
        }
        let wrong = |error: crate::mapping::cell::CellError| {
            RowError::in_column(column, error.into_message())
        };
        match &self.file.program.columns[column].cell {
            Cell::Money(reader) => {
                let (amount, asset) = reader.read(&cell).map_err(wrong)?;
                Ok(match part {
                    Part::Amount => Value::Amount(amount),
                    _ => asset.map_or(Value::Blank, |asset| {
                        Value::Text(Cow::Owned(asset.to_vec()))
                    }),
                })
            }
            Cell::Pair(reader) => {
                let (base, quote) = reader.read(&cell).map_err(wrong)?;
                Ok(Value::Text(Cow::Owned(if part == Part::Base {
                    base.to_vec()
                } else {
                    quote.to_vec()
                })))
            }
            _ => Err(RowError::in_column(column, "this column has no parts")),
        }
    }

    /// The text of an asset in a leg: as it stands in the cell, before the alias tables.
    pub fn asset_text(&self, expr: &'r Expr) -> Evaluated<Cow<'r, [u8]>> {
        let value = match expr {
            Expr::Text(text) => return Ok(Cow::Borrowed(text)),
            Expr::Cell(column) => match &self.file.program.columns[*column].cell {
                Cell::Asset { upper: true } => return Ok(upper_case(self.cell(*column))),
                _ => return Ok(self.cell(*column)),
            },
            Expr::CellPart(column, part) => self.part(*column, *part)?,
            other => self.evaluate(other)?,
        };
        match value {
            Value::Text(text) => Ok(text),
            _ => Ok(Cow::Borrowed(b"")),
        }
    }
}

impl<'r> Evaluate<'r> for RowView<'r> {
    fn fact(&self, expr: &'r Expr) -> Evaluated<Value<'r>> {
        Ok(match expr {
            Expr::Cell(column) => self.typed_cell(*column, self.cell(*column))?,
            Expr::CellPart(column, part) => match self.part(*column, *part)? {
                Value::Text(code) => self.canonical(code),
                other => other,
            },
            Expr::Derived(index) => self.derived(*index)?,
            Expr::Capture(index) => text_or_blank(self.file.binding.captures[*index].as_bytes()),
            Expr::FileName => text_or_blank(self.file.file_name.as_bytes()),
            Expr::GivenAsset => text_or_blank(self.file.asset.as_bytes()),
            Expr::Sheet => text_or_blank(self.file.sheet.as_bytes()),
            Expr::Family(column, key) => {
                let key = self.text(key)?;
                self.typed_cell(*column, self.family_cell(*column, &key))?
            }
            Expr::Own(subject) => {
                if self.file.own.is_empty() {
                    return Err(RowError::new(
                        "it is not known whose history this is: add `--address`, with the address or the name that is yours in it",
                    ));
                }
                let address = self.text(subject)?;
                Value::Truth(
                    self.file
                        .own
                        .iter()
                        .any(|own| own.as_bytes().eq_ignore_ascii_case(&address)),
                )
            }
            Expr::Present(column) => Value::Truth(match &self.file.binding.places[*column] {
                Place::Missing => false,
                Place::Family(members) => !members.is_empty(),
                Place::At(_) | Place::Joined(_) => true,
            }),
            _ => Value::Blank,
        })
    }

    fn is_empty(&self, column: usize) -> bool {
        self.cell(column).is_empty()
    }

    fn canonical(&self, code: Cow<'r, [u8]>) -> Value<'r> {
        self.canonical_asset(code)
    }

    fn amount(&self, expr: &'r Expr) -> Evaluated<Option<Amount>> {
        // Most amounts are just cells.
        if let Expr::Cell(column) = expr
            && let Cell::Amount(reader) = &self.file.program.columns[*column].cell
        {
            let cell = self.cell(*column);
            if cell.is_empty() {
                return Ok(None);
            }
            return reader
                .read(&cell)
                .map(Some)
                .map_err(|error| RowError::in_column(*column, error.into_message()));
        }
        match self.evaluate(expr)? {
            Value::Amount(amount) => Ok(Some(amount)),
            _ => Ok(None),
        }
    }
}

/// A time whose cell brings its own zone: it is the same instant wherever it is read.
fn without_zone(reader: &TimeReader, cell: &[u8]) -> Option<Time> {
    let here = reader.read(cell, &Zone::Utc).ok()?;
    let there = reader.read(cell, &Zone::parse("+01:00")?).ok()?;
    (here == there).then_some(here)
}

fn upper_case(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if text.iter().any(u8::is_ascii_lowercase) {
        Cow::Owned(text.to_ascii_uppercase())
    } else {
        text
    }
}
