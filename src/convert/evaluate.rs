//! Runs checked expressions over a row, whatever has its facts.

use std::borrow::Cow;

use crate::mapping::{Expr, Function, Operator, Part};
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

/// A value, or why the row has none.
pub type Evaluated<T> = Result<T, RowError>;

/// Without the blanks around it, no-break spaces and a byte order mark too.
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
        // No-break spaces, and the byte order mark that some exports put before every cell.
        text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        text = text.strip_prefix(b"\xc2\xa0").unwrap_or(text);
        text = text.strip_suffix(b"\xc2\xa0").unwrap_or(text);
        if text.len() == before {
            return text;
        }
    }
}

/// Runs expressions over something that has the facts they ask for: a row of an export, or a row of a target.
pub trait Evaluate<'r> {
    /// What does not follow from other expressions: a cell, a part of one, a derived column, what stands outside the row.
    ///
    /// # Errors
    /// When a cell cannot be read as its column's type says.
    fn fact(&self, expr: &'r Expr) -> Evaluated<Value<'r>>;

    /// Whether a cell is empty, whether it can be read or not.
    fn is_empty(&self, column: usize) -> bool;

    /// An asset's canonical code.
    fn canonical(&self, code: Cow<'r, [u8]>) -> Value<'r>;

    /// The amount that an expression gives; `None` for a blank.
    ///
    /// # Errors
    /// As [`evaluate`](Evaluate::evaluate).
    fn amount(&self, expr: &'r Expr) -> Evaluated<Option<Amount>> {
        match self.evaluate(expr)? {
            Value::Amount(amount) => Ok(Some(amount)),
            _ => Ok(None),
        }
    }

    /// The text that an expression gives; empty for a blank.
    ///
    /// # Errors
    /// As [`evaluate`](Evaluate::evaluate).
    fn text(&self, expr: &'r Expr) -> Evaluated<Cow<'r, [u8]>> {
        match self.evaluate(expr)? {
            Value::Text(text) => Ok(text),
            _ => Ok(Cow::Borrowed(b"")),
        }
    }

    /// Whether a condition holds.
    ///
    /// # Errors
    /// As [`evaluate`](Evaluate::evaluate).
    fn truth(&self, expr: &'r Expr) -> Evaluated<bool> {
        Ok(self.evaluate(expr)? == Value::Truth(true))
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// When a text is not the number that it is taken for, at a division by zero, and where an exact result does not fit.
    fn evaluate(&self, expr: &'r Expr) -> Evaluated<Value<'r>> {
        Ok(match expr {
            Expr::Text(text) => Value::Text(Cow::Borrowed(text)),
            Expr::Number(amount) => Value::Amount(*amount),
            Expr::Cell(_)
            | Expr::CellPart(..)
            | Expr::Derived(_)
            | Expr::Capture(_)
            | Expr::FileName
            | Expr::GivenAsset
            | Expr::Sheet
            | Expr::Family(..)
            | Expr::Own(_)
            | Expr::Present(_) => self.fact(expr)?,
            Expr::Compare(operator, left, right) => Value::Truth(compare(
                *operator,
                &self.evaluate(left)?,
                &self.evaluate(right)?,
            )),
            Expr::OneOf(subject, texts, negated) => {
                let among = match &**subject {
                    Expr::Call(Function::Lower, arguments) => {
                        let subject = self.text(&arguments[0])?;
                        if subject.is_ascii() {
                            texts.iter().any(|text| is_lower_of(text, &subject))
                        } else {
                            let lower = String::from_utf8_lossy(&subject).to_lowercase();
                            texts.iter().any(|text| **text == *lower.as_bytes())
                        }
                    }
                    subject => {
                        let subject = self.text(subject)?;
                        texts.iter().any(|text| **text == *subject)
                    }
                };
                Value::Truth(among != *negated)
            }
            Expr::OneOfAmounts(subject, amounts, negated) => Value::Truth(
                self.amount(subject)?
                    .is_some_and(|amount| amounts.contains(&amount) != *negated),
            ),
            Expr::IsBlank(subject, negated) => {
                let blank = match &**subject {
                    // Whether a cell is empty does not depend on whether it can be read.
                    Expr::Cell(column) | Expr::CellPart(column, Part::Amount | Part::Base) => {
                        self.is_empty(*column)
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
            Expr::Call(function, arguments) => call(self, *function, arguments)?,
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
        })
    }
}

fn call<'r, E: Evaluate<'r> + ?Sized>(
    on: &E,
    function: Function,
    arguments: &'r [Expr],
) -> Evaluated<Value<'r>> {
    match function {
        Function::Join => {
            let mut joined = Vec::new();
            for argument in arguments {
                joined.extend_from_slice(&on.text(argument)?);
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
        | Function::After => text_function(on, function, arguments),
        Function::Contains | Function::Starts | Function::Ends => {
            let text = on.text(&arguments[0])?;
            let part = on.text(&arguments[1])?;
            Ok(Value::Truth(match function {
                Function::Contains => memchr::memmem::find(&text, &part).is_some(),
                Function::Starts => text.starts_with(&part),
                _ => text.ends_with(&part),
            }))
        }
        Function::Length => {
            let text = on.text(&arguments[0])?;
            let length =
                i64::try_from(String::from_utf8_lossy(&text).chars().count()).unwrap_or(i64::MAX);
            Ok(Value::Amount(Amount::from(length)))
        }
        Function::Text => Ok(match on.amount(&arguments[0])? {
            Some(amount) => Value::Text(Cow::Owned(amount.to_string().into_bytes())),
            None => Value::Blank,
        }),
        _ => arithmetic(on, function, arguments),
    }
}

/// Whether a text is another of ASCII letters only in lower case.
fn is_lower_of(text: &[u8], of: &[u8]) -> bool {
    text.len() == of.len()
        && text
            .iter()
            .zip(of)
            .all(|(text, of)| *text == of.to_ascii_lowercase())
}

fn text_function<'r, E: Evaluate<'r> + ?Sized>(
    on: &E,
    function: Function,
    arguments: &'r [Expr],
) -> Evaluated<Value<'r>> {
    let text = on.text(&arguments[0])?;
    if matches!(function, Function::Lower | Function::Upper) && text.is_ascii() {
        return Ok(if text.is_empty() {
            Value::Blank
        } else if function == Function::Lower && !text.iter().any(u8::is_ascii_uppercase)
            || function == Function::Upper && !text.iter().any(u8::is_ascii_lowercase)
        {
            Value::Text(text)
        } else if function == Function::Lower {
            Value::Text(Cow::Owned(text.to_ascii_lowercase()))
        } else {
            Value::Text(Cow::Owned(text.to_ascii_uppercase()))
        });
    }
    let text = String::from_utf8_lossy(&text);
    let argument = |nth: usize| on.text(&arguments[nth]);
    let result = match function {
        Function::Trim => text.trim().to_owned(),
        Function::Upper => text.to_uppercase(),
        Function::Lower => text.to_lowercase(),
        Function::Replace => {
            let from = argument(1)?;
            match &*String::from_utf8_lossy(&from) {
                "" => text.into_owned(),
                from => text.replace(from, &String::from_utf8_lossy(&argument(2)?)),
            }
        }
        Function::Before => match text.split_once(&*String::from_utf8_lossy(&argument(1)?)) {
            Some((before, _)) => before.trim().to_owned(),
            None => text.into_owned(),
        },
        _ => text
            .split_once(&*String::from_utf8_lossy(&argument(1)?))
            .map_or(String::new(), |(_, after)| after.trim().to_owned()),
    };
    Ok(if result.is_empty() {
        Value::Blank
    } else {
        Value::Text(Cow::Owned(result.into_bytes()))
    })
}

fn arithmetic<'r, E: Evaluate<'r> + ?Sized>(
    on: &E,
    function: Function,
    arguments: &'r [Expr],
) -> Evaluated<Value<'r>> {
    let Some(first) = on.amount(&arguments[0])? else {
        return Ok(Value::Blank);
    };
    let digits = |expr: &Expr| match expr {
        Expr::Number(number) => u8::try_from(number.mantissa()).unwrap_or(0),
        _ => 0,
    };
    let second = match arguments.get(1) {
        None => first,
        Some(expr) => match on.amount(expr)? {
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

pub fn text_or_blank(text: &[u8]) -> Value<'_> {
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
    // Most texts that are compared differ in their length already.
    if let (Value::Text(left), Value::Text(right)) = (left, right) {
        match operator {
            Operator::Equal => return left == right,
            Operator::NotEqual => return left != right,
            _ => {}
        }
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// It has no facts.
    struct Nothing;

    impl<'r> Evaluate<'r> for Nothing {
        fn fact(&self, _: &'r Expr) -> Evaluated<Value<'r>> {
            Ok(Value::Blank)
        }

        fn is_empty(&self, _: usize) -> bool {
            true
        }

        fn canonical(&self, code: Cow<'r, [u8]>) -> Value<'r> {
            Value::Text(code)
        }
    }

    proptest! {
        #[test]
        fn letters_are_written_large_and_small_in_all_alphabets(text in "[ -~]{0,20}|.{0,20}") {
            let of = |function| Expr::Call(function, vec![Expr::Text(text.as_bytes().into())]);
            for (function, expected) in [(Function::Lower, text.to_lowercase()), (Function::Upper, text.to_uppercase())] {
                let expr = of(function);
                let value = Nothing.evaluate(&expr).unwrap();
                prop_assert_eq!(value == Value::Blank, text.is_empty());
                prop_assert_eq!(Nothing.text(&expr).unwrap(), expected.as_bytes());
            }
            let lower = text.to_lowercase();
            for (among, is_there) in [(lower.clone(), true), (format!("{lower}."), false)] {
                let expr = Expr::OneOf(Box::new(of(Function::Lower)), vec![among.as_bytes().into()], false);
                prop_assert_eq!(Nothing.truth(&expr).unwrap(), is_there);
            }
        }
    }
}
