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

/// What was lost in writing a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    pub fraction: bool,
    pub seconds: bool,
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
            cut.fraction |= rest != 0;
            seconds.to_string()
        }
        TimeForm::EpochMilliseconds => {
            cut.fraction |= rest % 1_000_000 != 0;
            (seconds * 1000 + rest / 1_000_000).to_string()
        }
        TimeForm::Pattern {
            text,
            fraction,
            seconds: has_seconds,
        } => {
            cut.fraction |= rest != 0 && !fraction;
            cut.seconds |= seconds.rem_euclid(60) != 0 && !has_seconds;
            // Every instant that a ledger holds fits: 64 bits of nanoseconds.
            let instant = DateTime::from_timestamp(seconds, u32::try_from(rest).unwrap_or(0))
                .unwrap_or_default();
            zone.from_utc_datetime(&instant.naive_utc())
                .format(text)
                .to_string()
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

    fn pattern(text: &str, fraction: bool, seconds: bool) -> TimeForm {
        TimeForm::Pattern {
            text: text.to_owned(),
            fraction,
            seconds,
        }
    }

    #[test]
    fn times_are_written_in_the_form_and_zone_that_the_target_says() {
        let utc = pattern("%Y-%m-%d %H:%M:%S %z", false, true);
        let (text, cut) = said("2024-07-01T22:30:05.25Z", &utc, "UTC");
        assert_eq!(text, "2024-07-01 22:30:05 +0000");
        assert_eq!(
            cut,
            Cut {
                fraction: true,
                seconds: false
            }
        );
        let day = pattern("%d.%m.%Y", false, false);
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
        let milliseconds = pattern("%Y-%m-%dT%H:%M:%S.%3fZ", true, true);
        assert_eq!(
            said("2024-07-01T00:00:00Z", &milliseconds, "UTC").0,
            "2024-07-01T00:00:00.000Z"
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
