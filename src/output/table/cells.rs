//! The cells of a row: expressions worked out and written as the tool wants them.

use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;

use super::facts::Facts;
use crate::convert::{Evaluate, RowError, Value};
use crate::model::time::NS_PER_SECOND;
use crate::model::{Amount, Time};
use crate::target::{Column, Fill, Part, TimeForm};

/// A cell, ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    /// A plain number that may be written as one where the file knows numbers.
    pub number: bool,
    /// Whether it is an amount, which no spreadsheet takes for a formula.
    pub amount: bool,
}

/// What was lost in writing the times of a row. What one column does not say, another may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// Whether no column has all of the fraction; none: no column has a time of day.
    pub fraction: Option<bool>,
    /// The same of the seconds.
    pub seconds: Option<bool>,
    /// A local time that occurs twice, where nothing says which.
    pub twice: bool,
}

impl Cut {
    fn meet(&mut self, fraction: bool, seconds: bool) {
        let and = |known: Option<bool>, now: bool| Some(known.unwrap_or(true) && now);
        self.fraction = and(self.fraction, fraction);
        self.seconds = and(self.seconds, seconds);
    }
}

/// Works out a column. `zone` is that of its times.
///
/// # Errors
/// When the expression has no value for this row, such as a division by zero.
pub fn cell(
    column: &Column,
    zone: Tz,
    facts: &Facts,
    part: &Part,
    cut: &mut Cut,
) -> Result<Cell, RowError> {
    let blank = || Cell {
        text: column.blank.clone(),
        // A zero for nothing is a number too.
        number: column.number,
        amount: false,
    };
    Ok(match &column.fill {
        Fill::Text(expr) => {
            let text = facts.text(expr)?;
            if text.is_empty() {
                blank()
            } else {
                Cell {
                    text: String::from_utf8_lossy(&text).into_owned(),
                    number: column.number,
                    amount: false,
                }
            }
        }
        Fill::Amount(expr) => match facts.amount(expr)? {
            None => blank(),
            Some(amount) => {
                let amount = column
                    .max_decimals
                    .map_or(amount, |digits| amount.round(digits));
                Cell {
                    text: written(amount, part.decimal_mark),
                    number: column.number,
                    amount: true,
                }
            }
        },
        Fill::Time(expr, form, _) => match facts.evaluate(expr)? {
            Value::Time(time) => Cell {
                text: time_text(time, form, zone, cut),
                number: column.number,
                amount: false,
            },
            _ => blank(),
        },
    })
}

fn written(amount: Amount, decimal_mark: u8) -> String {
    let text = amount.to_string();
    if decimal_mark == b'.' {
        text
    } else {
        text.replace('.', ",")
    }
}

fn time_text(time: Time, form: &TimeForm, zone: Tz, cut: &mut Cut) -> String {
    let ns = time.ns();
    let seconds = ns.div_euclid(NS_PER_SECOND);
    let rest = ns.rem_euclid(NS_PER_SECOND);
    match form {
        TimeForm::EpochSeconds => {
            cut.meet(rest != 0, false);
            seconds.to_string()
        }
        TimeForm::EpochMilliseconds => {
            cut.meet(rest % 1_000_000 != 0, false);
            (seconds * 1000 + rest / 1_000_000).to_string()
        }
        TimeForm::Pattern {
            text,
            fraction_digits,
            seconds: has_seconds,
            offset,
        } => {
            let kept = 10i64.pow(9 - u32::from(*fraction_digits).min(9));
            cut.meet(
                rest % kept != 0,
                seconds.rem_euclid(60) != 0 && !has_seconds,
            );
            // Every instant that a ledger holds fits: 64 bits of nanoseconds.
            let instant = DateTime::from_timestamp(seconds, u32::try_from(rest).unwrap_or(0))
                .unwrap_or_default();
            let local = zone.from_utc_datetime(&instant.naive_utc());
            let again = zone.from_local_datetime(&local.naive_local());
            cut.twice |= !offset && matches!(again, chrono::LocalResult::Ambiguous(..));
            local.format(text).to_string()
        }
    }
}

/// A text that a spreadsheet would run gets a mark before it. Gives back whether it did.
pub fn neutralise(cell: &mut Cell) -> bool {
    let runs = !cell.amount && cell.text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if runs {
        cell.text.insert(0, '\'');
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(time: &str, form: &TimeForm, zone: &str) -> (String, Cut) {
        let mut cut = Cut::default();
        let time = Time::parse_rfc3339(time).unwrap();
        (time_text(time, form, zone.parse().unwrap(), &mut cut), cut)
    }

    fn pattern(text: &str, fraction_digits: u8, seconds: bool) -> TimeForm {
        TimeForm::Pattern {
            text: text.to_owned(),
            fraction_digits,
            seconds,
            offset: text.contains("%z"),
        }
    }

    #[test]
    fn times_are_written_in_the_form_and_zone_that_the_target_says() {
        let utc = pattern("%Y-%m-%d %H:%M:%S %z", 0, true);
        let (text, cut) = said("2024-07-01T22:30:05.25Z", &utc, "UTC");
        assert_eq!(text, "2024-07-01 22:30:05 +0000");
        assert_eq!((cut.fraction, cut.seconds), (Some(true), Some(false)));
        let day = pattern("%d.%m.%Y", 0, false);
        assert_eq!(
            said("2024-07-01T23:30:00Z", &day, "Europe/London").0,
            "02.07.2024"
        );
        assert_eq!(
            said(
                "2024-07-01T23:30:00.250Z",
                &TimeForm::EpochMilliseconds,
                "UTC"
            )
            .0,
            "1719876600250"
        );
        assert_eq!(
            said(
                "1969-12-31T23:59:59.5Z",
                &TimeForm::EpochMilliseconds,
                "UTC"
            )
            .0,
            "-500"
        );
        let milliseconds = pattern("%Y-%m-%dT%H:%M:%S.%3fZ", 3, true);
        assert_eq!(
            said("2024-07-01T00:00:00Z", &milliseconds, "UTC").0,
            "2024-07-01T00:00:00.000Z"
        );
    }

    #[test]
    fn what_a_form_does_not_say_is_known() {
        let plain = pattern("%Y-%m-%d %H:%M:%S", 0, true);
        assert!(
            said("2024-10-27T00:30:00Z", &plain, "Europe/Berlin")
                .1
                .twice
        );
        assert!(
            !said("2024-10-27T02:30:00Z", &plain, "Europe/Berlin")
                .1
                .twice
        );
        let milliseconds = pattern("%S.%3f", 3, true);
        assert_eq!(
            said("2024-07-01T00:00:00.123Z", &milliseconds, "UTC")
                .1
                .fraction,
            Some(false)
        );
        assert_eq!(
            said("2024-07-01T00:00:00.1234Z", &milliseconds, "UTC")
                .1
                .fraction,
            Some(true)
        );
    }

    #[test]
    fn only_texts_that_a_spreadsheet_would_run_are_marked() {
        let mut cell = Cell {
            text: "=1+1".to_owned(),
            number: false,
            amount: false,
        };
        assert!(neutralise(&mut cell));
        assert_eq!(cell.text, "'=1+1");
        let mut amount = Cell {
            text: "-5".to_owned(),
            number: false,
            amount: true,
        };
        assert!(!neutralise(&mut amount));
        let mut plain = Cell {
            text: "a=b".to_owned(),
            number: false,
            amount: false,
        };
        assert!(!neutralise(&mut plain));
    }
}
