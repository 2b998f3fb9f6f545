//! Runs checked expressions over one row.

use std::borrow::Cow;

use super::file::FileContext;
use crate::input::Record;
use crate::mapping::cell::Zone;
use crate::mapping::{Cell, Expr, Function, Meaning, Operator, Part, Place, ZoneFrom};
use crate::model::{Amount, Time};

/// A value of a row; a blank is a value too.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'r> {
    Blank,
    Text(Cow<'r, [u8]>),
    Amount(Amount),
    Time(Time),
    Truth(bool),
}

/// Why a row cannot be understood, and the column at fault where one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    pub column: Option<usize>,
    pub message: String,
}

impl RowError {
    pub fn new(message: impl Into<String>) -> RowError {
        RowError {
            column: None,
            message: message.into(),
        }
    }

    pub fn in_column(column: usize, message: impl Into<String>) -> RowError {
        RowError {
            column: Some(column),
            message: message.into(),
        }
    }
}

type Evaluated<T> = Result<T, RowError>;

/// One record of a file whose report is known.
#[derive(Clone, Copy)]
pub struct RowView<'r> {
    pub file: &'r FileContext,
    pub record: Record<'r>,
}

/// Without the blanks around it, no-break spaces too.
#[inline]
pub fn trim(text: &[u8]) -> &[u8] {
    // Most cells have no blanks around them, and are told by their ends.
    match (text.first(), text.last()) {
        (Some(first), Some(last)) if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        (None, _) => text,
        _ => trim_blanks(text),
    }
}

fn trim_blanks(mut text: &[u8]) -> &[u8] {
    loop {
        let before = text.len();
        text = text.trim_ascii();
        text = text.strip_prefix(b"\xc2\xa0").unwrap_or(text);
        text = text.strip_suffix(b"\xc2\xa0").unwrap_or(text);
        if text.len() == before {
            return text;
        }
    }
}

impl<'r> RowView<'r> {
    /// A cell without the blanks around it; empty if it counts as empty.
    #[inline]
    pub fn cell(&self, column: usize) -> Cow<'r, [u8]> {
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
                Ok(self.canonical(if *upper { upper_case(cell) } else { cell }))
            }
            Cell::Amount(reader) => reader.read(&cell).map(Value::Amount).map_err(wrong),
            Cell::Time(reader, zone) => {
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
                Zone::parse(&text)
                    .map(Cow::Owned)
                    .ok_or_else(|| RowError::in_column(*other, format!("`{text}` is no zone")))
            }
            ZoneFrom::Derived(index) => {
                let found = self.text(&self.file.program.derived[*index])?;
                let text = String::from_utf8_lossy(&found);
                Zone::parse(&text)
                    .map(Cow::Owned)
                    .ok_or_else(|| RowError::in_column(column, format!("`{text}` is no zone")))
            }
        }
    }

    /// An asset's canonical code, as far as it does not depend on the time.
    fn canonical(&self, code: Cow<'r, [u8]>) -> Value<'r> {
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

    pub fn amount(&self, expr: &'r Expr) -> Evaluated<Option<Amount>> {
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

    pub fn text(&self, expr: &'r Expr) -> Evaluated<Cow<'r, [u8]>> {
        match self.evaluate(expr)? {
            Value::Text(text) => Ok(text),
            _ => Ok(Cow::Borrowed(b"")),
        }
    }

    pub fn truth(&self, expr: &'r Expr) -> Evaluated<bool> {
        Ok(self.evaluate(expr)? == Value::Truth(true))
    }

    pub fn evaluate(&self, expr: &'r Expr) -> Evaluated<Value<'r>> {
        Ok(match expr {
            Expr::Text(text) => Value::Text(Cow::Borrowed(text)),
            Expr::Number(amount) => Value::Amount(*amount),
            Expr::Cell(column) => self.typed_cell(*column, self.cell(*column))?,
            Expr::CellPart(column, part) => match self.part(*column, *part)? {
                Value::Text(code) => self.canonical(code),
                other => other,
            },
            Expr::Derived(index) => self.evaluate(&self.file.program.derived[*index])?,
            Expr::Capture(index) => text_or_blank(self.file.binding.captures[*index].as_bytes()),
            Expr::FileName => text_or_blank(self.file.file_name.as_bytes()),
            Expr::Sheet => text_or_blank(self.file.sheet.as_bytes()),
            Expr::Family(column, key) => {
                let key = self.text(key)?;
                self.typed_cell(*column, self.family_cell(*column, &key))?
            }
            Expr::Compare(operator, left, right) => Value::Truth(compare(
                *operator,
                &self.evaluate(left)?,
                &self.evaluate(right)?,
            )),
            Expr::OneOf(subject, texts, negated) => {
                let subject = self.text(subject)?;
                Value::Truth(texts.iter().any(|text| **text == *subject) != *negated)
            }
            Expr::OneOfAmounts(subject, amounts, negated) => Value::Truth(
                self.amount(subject)?
                    .is_some_and(|amount| amounts.contains(&amount) != *negated),
            ),
            Expr::IsBlank(subject, negated) => {
                let blank = match &**subject {
                    // Whether a cell is empty does not depend on whether it can be read.
                    Expr::Cell(column) | Expr::CellPart(column, Part::Amount | Part::Base) => {
                        self.cell(*column).is_empty()
                    }
                    Expr::Matches(..) => !self.truth(subject)?,
                    other => match self.evaluate(other)? {
                        Value::Blank => true,
                        Value::Text(text) => text.is_empty(),
                        _ => false,
                    },
                };
                Value::Truth(blank != *negated)
            }
            Expr::And(left, right) => Value::Truth(self.truth(left)? && self.truth(right)?),
            Expr::Or(left, right) => Value::Truth(self.truth(left)? || self.truth(right)?),
            Expr::Not(inner) => Value::Truth(!self.truth(inner)?),
            Expr::If(condition, then, otherwise) => match (self.truth(condition)?, otherwise) {
                (true, _) => self.evaluate(then)?,
                (false, Some(otherwise)) => self.evaluate(otherwise)?,
                (false, None) => Value::Blank,
            },
            Expr::Coalesce(left, right) => match self.evaluate(left)? {
                Value::Blank => self.evaluate(right)?,
                Value::Text(text) if text.is_empty() => self.evaluate(right)?,
                value => value,
            },
            Expr::Call(function, arguments) => self.call(*function, arguments)?,
            Expr::Matches(subject, regex) => Value::Truth(regex.is_match(&self.text(subject)?)),
            Expr::Group(subject, regex, group) => {
                let subject = self.text(subject)?;
                let found = regex
                    .captures(&subject)
                    .and_then(|captures| captures.get(*group));
                found.map_or(Value::Blank, |found| {
                    text_or_blank_owned(trim(found.as_bytes()))
                })
            }
            Expr::ReadAmount(subject, reader) => {
                let text = self.text(subject)?;
                match trim(&text) {
                    b"" => Value::Blank,
                    text => Value::Amount(
                        reader
                            .read(text)
                            .map_err(|error| RowError::new(error.into_message()))?,
                    ),
                }
            }
            Expr::ReadMoney(subject, reader, part) => {
                let text = self.text(subject)?;
                match trim(&text) {
                    b"" => Value::Blank,
                    text => {
                        let (amount, asset) = reader
                            .read(text)
                            .map_err(|error| RowError::new(error.into_message()))?;
                        match (part, asset) {
                            (Part::Amount, _) => Value::Amount(amount),
                            (_, Some(asset)) => self.canonical(Cow::Owned(asset.to_vec())),
                            _ => Value::Blank,
                        }
                    }
                }
            }
            Expr::ReadPair(subject, reader, part) => {
                let text = self.text(subject)?;
                match trim(&text) {
                    b"" => Value::Blank,
                    text => {
                        let (base, quote) = reader
                            .read(text)
                            .map_err(|error| RowError::new(error.into_message()))?;
                        self.canonical(Cow::Owned(if *part == Part::Base {
                            base.to_vec()
                        } else {
                            quote.to_vec()
                        }))
                    }
                }
            }
            Expr::ReadAsset(subject) => match self.evaluate(subject)? {
                Value::Text(code) => self.canonical(code),
                other => other,
            },
            Expr::Own(subject) => {
                if self.file.own.is_empty() {
                    return Err(RowError::new(
                        "it is not known whose address this history is of: add `--address 0x…`",
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
        })
    }

    fn call(&self, function: Function, arguments: &'r [Expr]) -> Evaluated<Value<'r>> {
        match function {
            Function::Join => {
                let mut joined = Vec::new();
                for argument in arguments {
                    joined.extend_from_slice(&self.text(argument)?);
                }
                Ok(if joined.is_empty() {
                    Value::Blank
                } else {
                    Value::Text(Cow::Owned(joined))
                })
            }
            Function::Trim
            | Function::Upper
            | Function::Lower
            | Function::Replace
            | Function::Before
            | Function::After => self.text_function(function, arguments),
            Function::Contains | Function::Starts | Function::Ends => {
                let text = self.text(&arguments[0])?;
                let part = self.text(&arguments[1])?;
                Ok(Value::Truth(match function {
                    Function::Contains => memchr::memmem::find(&text, &part).is_some(),
                    Function::Starts => text.starts_with(&part),
                    _ => text.ends_with(&part),
                }))
            }
            Function::Length => {
                let text = self.text(&arguments[0])?;
                let length = i64::try_from(String::from_utf8_lossy(&text).chars().count())
                    .unwrap_or(i64::MAX);
                Ok(Value::Amount(Amount::from(length)))
            }
            _ => self.arithmetic(function, arguments),
        }
    }

    fn text_function(&self, function: Function, arguments: &'r [Expr]) -> Evaluated<Value<'r>> {
        let text = self.text(&arguments[0])?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let argument = |nth: usize| {
            self.text(&arguments[nth])
                .map(|text| String::from_utf8_lossy(&text).into_owned())
        };
        let result = match function {
            Function::Trim => text.trim().to_owned(),
            Function::Upper => text.to_uppercase(),
            Function::Lower => text.to_lowercase(),
            Function::Replace => match argument(1)? {
                from if from.is_empty() => text,
                from => text.replace(&from, &argument(2)?),
            },
            Function::Before => match text.split_once(argument(1)?.as_str()) {
                Some((before, _)) => before.trim().to_owned(),
                None => text,
            },
            _ => text
                .split_once(argument(1)?.as_str())
                .map_or(String::new(), |(_, after)| after.trim().to_owned()),
        };
        Ok(if result.is_empty() {
            Value::Blank
        } else {
            Value::Text(Cow::Owned(result.into_bytes()))
        })
    }

    fn arithmetic(&self, function: Function, arguments: &'r [Expr]) -> Evaluated<Value<'r>> {
        let Some(first) = self.amount(&arguments[0])? else {
            return Ok(Value::Blank);
        };
        let digits = |expr: &Expr| match expr {
            Expr::Number(number) => u8::try_from(number.mantissa()).unwrap_or(0),
            _ => 0,
        };
        let second = match arguments.get(1) {
            None => first,
            Some(expr) => match self.amount(expr)? {
                Some(second) => second,
                None => return Ok(Value::Blank),
            },
        };
        let result = match function {
            Function::Abs => Some(first.abs()),
            Function::Negate => Some(first.neg()),
            Function::Min => Some(first.min(second)),
            Function::Max => Some(first.max(second)),
            Function::Add => first.checked_add(second),
            Function::Subtract => first.checked_sub(second),
            Function::Multiply => first.checked_mul(second),
            Function::Divide if second.is_zero() => return Err(RowError::new("division by zero")),
            Function::Divide => first.checked_div(second, digits(&arguments[2])),
            _ => Some(first.round(digits(&arguments[1]))),
        };
        result.map(Value::Amount).ok_or_else(|| {
            RowError::new("the result has more digits than an exact amount can hold (38)")
        })
    }
}

fn upper_case(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if text.iter().any(u8::is_ascii_lowercase) {
        Cow::Owned(text.to_ascii_uppercase())
    } else {
        text
    }
}

fn text_or_blank(text: &[u8]) -> Value<'_> {
    if text.is_empty() {
        Value::Blank
    } else {
        Value::Text(Cow::Borrowed(text))
    }
}

fn text_or_blank_owned<'r>(text: &[u8]) -> Value<'r> {
    if text.is_empty() {
        Value::Blank
    } else {
        Value::Text(Cow::Owned(text.to_vec()))
    }
}

fn compare(operator: Operator, left: &Value, right: &Value) -> bool {
    let order = match (left, right) {
        (Value::Amount(left), Value::Amount(right)) => left.cmp(right),
        (Value::Time(left), Value::Time(right)) => left.ns().cmp(&right.ns()),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        // A blank text is the empty text; a blank amount or time compares as false.
        (Value::Blank, Value::Text(right)) => b""[..].cmp(right),
        (Value::Text(left), Value::Blank) => left[..].cmp(b""),
        _ => return false,
    };
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
    }
}
