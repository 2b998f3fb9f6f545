//! Time cells: formats, compiled once, and read without allocation.

mod places;

use std::borrow::Cow;

use chrono_tz::Tz;

use self::places::{
    End, Fixed, Places, fraction_between, instant_by_place, read_iso_places, with_century,
};
use super::zone::{self, NotOneInstant};
use super::{CellError, Zone, after_blanks, trim};
use crate::model::amount::Amount;
use crate::model::time::{
    NS_PER_SECOND, POW10, SECONDS_PER_DAY, Time, checked_days, days_from_civil, days_in_month,
    seconds_of_day, two_digits,
};

/// 2262-01-01T00:00:00Z, the first instant that is too late: the range of 64 bits ends in April of that year.
const END_SECONDS: i64 = 9_214_646_400;
/// The serial number of 1970-01-01 in a spreadsheet. Source: the "1900 date system" of Excel, which counts 1900 as a
/// leap year; so it holds from March 1900 on.
const EXCEL_EPOCH_DAYS: i64 = 25_569;
const MS_PER_DAY: i64 = 86_400_000;

/// Reads the cells of a time column.
#[derive(Clone, Debug)]
pub struct TimeReader {
    formats: Vec<Format>,
    has_zone: bool,
    /// Where formats leave it open whether the day or the month comes first: the reader for either, by what is said.
    by_order: Option<Box<[TimeReader; 2]>>,
}

/// Whether the day or the month comes first in dates of numbers, where an export does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    DayFirst,
    MonthFirst,
}

impl DateOrder {
    /// The order that a word of the command line means.
    pub fn from_word(word: &str) -> Option<DateOrder> {
        match word {
            "day-first" => Some(DateOrder::DayFirst),
            "month-first" => Some(DateOrder::MonthFirst),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
enum Format {
    Written(Box<Layout>),
    Iso,
    /// Seconds × 10^-power since 1970: 0, 3 or 6.
    Unix(u8),
    Excel,
}

/// A format of items, in the order they stand.
#[derive(Clone, Debug)]
struct Layout {
    pattern: String,
    items: Vec<Item>,
    fixed: Fixed,
    places: Option<Places>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Literal(Vec<u8>),
    Blanks,
    Year,
    YearOfCentury,
    Month,
    /// `dot_follows`: the format itself goes on with a dot, so one dot does not belong to the name.
    MonthName {
        dot_follows: bool,
    },
    Day,
    DayAfterBlanks,
    Hour,
    HourOfHalfDay,
    Minute,
    Second,
    Fraction,
    HalfDay,
    Offset,
    ZoneWord,
    /// A word that says nothing new.
    Weekday,
}

/// What a cell says, not checked yet.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    fraction_ns: u32,
    fraction_digits: u8,
    /// The hour is 1 to 12, and `afternoon` must say of which half.
    twelve: bool,
    afternoon: Option<bool>,
    /// Seconds east of UTC.
    offset: Option<i32>,
}

/// Why a cell is not a time; becomes a message only if no format fits.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It does not look like the format.
    Form,
    /// It does, but what it says cannot be.
    Sense(&'static str),
    /// The month has fewer days.
    Day {
        year: u32,
        month: u32,
    },
    Skipped(Tz),
    Repeated(Tz),
}

impl TimeReader {
    /// Compiles the formats of a column; they are tried in this order. Items: `%Y` (four digits), `%y` (70 to 99 are
    /// 19xx), `%m`, `%d`, `%e` (may be padded with blanks), `%b` and `%B` (English month, short or full), `%a` (English day of the week, short or full), `%H`, `%I`,
    /// `%M`, `%S`, `%.f` (`.` or `,` and digits, or nothing), `%p` (AM, p.m.), `%z` (offset or `Z`), `%Z` (UTC, EST, …),
    /// `%1` and `%2` (the day and the month, in the order that the person says), `%%`; a blank matches one or more blanks, anything else itself. Whole formats: `iso`, `unix`, `unix_ms`,
    /// `unix_us`, `excel`.
    ///
    /// # Errors
    /// The index of the first format that is wrong, and one clause that says why.
    pub fn new(formats: &[impl AsRef<str>]) -> Result<TimeReader, (usize, String)> {
        if formats.is_empty() {
            return Err((0, "a time column needs a format".to_string()));
        }
        let open = |format: &str| format.contains("%1") || format.contains("%2");
        let by_order = if formats.iter().any(|format| open(format.as_ref())) {
            let ordered = |first: &str, second: &str| {
                let said: Vec<String> = formats
                    .iter()
                    .map(|format| format.as_ref().replace("%1", first).replace("%2", second))
                    .collect();
                TimeReader::new(&said)
            };
            Some(Box::new([ordered("%d", "%m")?, ordered("%m", "%d")?]))
        } else {
            None
        };
        let mut reader = TimeReader {
            formats: Vec::with_capacity(formats.len()),
            has_zone: true,
            by_order,
        };
        if let Some(by_order) = &reader.by_order {
            reader.has_zone = by_order[0].has_zone;
        }
        for (index, format) in formats.iter().enumerate() {
            if open(format.as_ref()) {
                continue;
            }
            let format = match format.as_ref() {
                "iso" => Format::Iso,
                "unix" => Format::Unix(0),
                "unix_ms" => Format::Unix(3),
                "unix_us" => Format::Unix(6),
                "excel" => Format::Excel,
                pattern => {
                    let layout = Layout::new(pattern).map_err(|why| (index, why))?;
                    Format::Written(Box::new(layout))
                }
            };
            reader.has_zone &= match &format {
                Format::Written(layout) => layout
                    .items
                    .iter()
                    .any(|item| matches!(item, Item::Offset | Item::ZoneWord)),
                Format::Unix(_) => true,
                Format::Iso | Format::Excel => false,
            };
            reader.formats.push(format);
        }
        Ok(reader)
    }

    /// The reader for what the person says of the order of day and month.
    #[inline]
    pub fn in_order(&self, order: Option<DateOrder>) -> &TimeReader {
        match (&self.by_order, order) {
            (Some(readers), Some(order)) => &readers[order as usize],
            _ => self,
        }
    }

    /// Whether every format carries its own zone (`%z`, `%Z`) or is an epoch (`unix` and its kin): the column needs no
    /// zone then. `iso` may leave its zone out, and `excel` never has one.
    pub fn has_zone(&self) -> bool {
        self.has_zone
    }

    /// Reads a cell; `zone` is where a time without a zone of its own belongs.
    ///
    /// # Errors
    /// If no format fits; if the date or time of day does not exist (30 February, 24:00, a leap second); if it is before
    /// 1970 or after 2261 in UTC; if the fraction is finer than nanoseconds; or if daylight saving skips or repeats the
    /// hour in `zone`.
    #[inline]
    pub fn read(&self, cell: &[u8], zone: &Zone) -> Result<Time, CellError> {
        let by_place = match self.formats.first() {
            Some(Format::Written(layout)) => layout.read_places(cell, zone),
            Some(Format::Iso) => read_iso_places(cell, zone),
            _ => None,
        };
        match by_place {
            Some(time) => Ok(time),
            None => self.read_any(cell, zone),
        }
    }

    #[inline(never)]
    fn read_any(&self, cell: &[u8], zone: &Zone) -> Result<Time, CellError> {
        let text = trim(cell);
        let mut first = Fault::Form;
        for format in &self.formats {
            let read = match format {
                Format::Written(layout) => layout.read(text, zone),
                Format::Iso => match read_iso_places(text, zone) {
                    Some(time) => Ok(time),
                    None => read_iso(text, zone),
                },
                Format::Unix(power) => read_unix(text, *power),
                Format::Excel => read_excel(text, zone),
            };
            match read {
                Ok(time) => return Ok(time),
                // What looks right and cannot be tells more than what looks wrong.
                Err(fault) if matches!(first, Fault::Form) => first = fault,
                Err(_) => {}
            }
        }
        if let Some(readers) = &self.by_order
            && readers.iter().any(|reader| reader.read(cell, zone).is_ok())
        {
            return Err(CellError::new(
                "nobody said whether the day or the month comes first: add `--dates day-first` or `--dates month-first`",
                text,
            ));
        }
        Err(self.error(first, text))
    }

    #[cold]
    fn error(&self, fault: Fault, cell: &[u8]) -> CellError {
        let clause: Cow<'static, str> = match fault {
            Fault::Form => match &self.formats[..] {
                [Format::Written(layout)] => {
                    format!("not a time of the form `{}`", layout.pattern).into()
                }
                [Format::Iso] => "not a time like 2021-02-03T04:05:06Z".into(),
                [Format::Unix(0)] => "not a number of seconds since 1970".into(),
                [Format::Unix(3)] => "not a number of milliseconds since 1970".into(),
                [Format::Unix(_)] => "not a number of microseconds since 1970".into(),
                [Format::Excel] => "not a spreadsheet's number of days".into(),
                several => format!("not a time of any of {} forms", several.len()).into(),
            },
            Fault::Sense(clause) => clause.into(),
            Fault::Day { year, month } => format!(
                "there is no such day, {year:04}-{month:02} has {} days",
                days_in_month(year, month)
            )
            .into(),
            Fault::Skipped(zone) => {
                format!("this hour does not exist in {zone}: clocks went forward").into()
            }
            Fault::Repeated(zone) => {
                format!("this hour happens twice in {zone}: clocks went back").into()
            }
        };
        CellError::new(clause, cell)
    }
}

impl Layout {
    fn new(pattern: &str) -> Result<Layout, String> {
        let mut items = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            if character != '%' {
                push_literal(&mut items, character);
                continue;
            }
            items.push(match characters.next() {
                Some('%') => {
                    push_literal(&mut items, '%');
                    continue;
                }
                Some('Y') => Item::Year,
                Some('y') => Item::YearOfCentury,
                Some('m') => Item::Month,
                Some('b' | 'B') => Item::MonthName { dot_follows: false },
                Some('d') => Item::Day,
                Some('e') => Item::DayAfterBlanks,
                Some('H') => Item::Hour,
                Some('I') => Item::HourOfHalfDay,
                Some('M') => Item::Minute,
                Some('S') => Item::Second,
                Some('p') => Item::HalfDay,
                Some('z') => Item::Offset,
                Some('Z') => Item::ZoneWord,
                Some('a') => Item::Weekday,
                Some('.') if characters.next() == Some('f') => Item::Fraction,
                Some('.') => return Err("after `%.` an `f` is missing".to_string()),
                Some(other) => return Err(format!("`%{other}` is not known")),
                None => return Err("a `%` stands at the end; `%%` is a percent sign".to_string()),
            });
        }
        for index in 1..items.len() {
            let (before, after) = items.split_at_mut(index);
            if let (Some(Item::MonthName { dot_follows }), Some(Item::Literal(text))) =
                (before.last_mut(), after.first())
            {
                *dot_follows = text.starts_with(b".");
            }
        }
        check_items(&items)?;
        Ok(Layout {
            pattern: pattern.to_string(),
            places: Places::new(&items),
            fixed: Fixed::new(&items),
            items,
        })
    }

    #[inline(never)]
    fn read(&self, cell: &[u8], zone: &Zone) -> Result<Time, Fault> {
        match self.read_places(cell, zone) {
            Some(time) => Ok(time),
            None => self.read_items(cell, zone),
        }
    }

    /// [`Layout::read`] of cells that are written by place and not trimmed; `None` for others and for what is no time.
    #[inline]
    fn read_places(&self, cell: &[u8], zone: &Zone) -> Option<Time> {
        let places = self.places.as_ref()?;
        let local_seconds = places.read(cell, 0)?;
        match places.end {
            End::Clock if cell.len() == places.length() => {
                instant_by_place(local_seconds, None, zone, (0, 0))
            }
            End::Clock => None,
            End::Fraction => {
                let fraction = fraction_between(cell, cell.len())?;
                instant_by_place(local_seconds, None, zone, fraction)
            }
            End::Items => self.read_end(local_seconds, cell, zone),
        }
    }

    /// Reads the items behind the time of day.
    fn read_end(&self, local_seconds: i64, cell: &[u8], zone: &Zone) -> Option<Time> {
        let mut clock = Clock::default();
        let places = self.places.as_ref()?;
        let items = &self.items[places.items..];
        let end = read_items(items, cell, places.length(), &mut clock).ok()?;
        let fraction = (clock.fraction_ns, clock.fraction_digits);
        (end == cell.len()).then_some(())?;
        instant_by_place(local_seconds, clock.offset, zone, fraction)
    }

    fn read_items(&self, cell: &[u8], zone: &Zone) -> Result<Time, Fault> {
        match self.fixed.read(cell) {
            Some(mut clock) => {
                let rest = &self.items[self.fixed.items..];
                let end = read_items(rest, cell, self.fixed.length, &mut clock)?;
                finish(cell, end, &clock, zone)
            }
            None => {
                let mut clock = Clock::default();
                let end = read_items(&self.items, cell, 0, &mut clock)?;
                finish(cell, end, &clock, zone)
            }
        }
    }
}

fn push_literal(items: &mut Vec<Item>, character: char) {
    if character.is_whitespace() {
        if items.last() != Some(&Item::Blanks) {
            items.push(Item::Blanks);
        }
        return;
    }
    let mut utf8 = [0; 4];
    let bytes = character.encode_utf8(&mut utf8).as_bytes();
    match items.last_mut() {
        Some(Item::Literal(text)) => text.extend_from_slice(bytes),
        _ => items.push(Item::Literal(bytes.to_vec())),
    }
}

/// A format must say one whole date, and nothing twice.
fn check_items(items: &[Item]) -> Result<(), String> {
    let count = |wanted: fn(&Item) -> bool| items.iter().filter(|item| wanted(item)).count();
    let years = count(|item| matches!(item, Item::Year | Item::YearOfCentury));
    let months = count(|item| matches!(item, Item::Month | Item::MonthName { .. }));
    let days = count(|item| matches!(item, Item::Day | Item::DayAfterBlanks));
    let hours = count(|item| matches!(item, Item::Hour | Item::HourOfHalfDay));
    let minutes = count(|item| matches!(item, Item::Minute));
    let seconds = count(|item| matches!(item, Item::Second));
    let fractions = count(|item| matches!(item, Item::Fraction));
    let halves = count(|item| matches!(item, Item::HalfDay));
    let zones = count(|item| matches!(item, Item::Offset | Item::ZoneWord));
    let twelve = count(|item| matches!(item, Item::HourOfHalfDay));
    for (what, times, needed) in [
        ("year (`%Y` or `%y`)", years, true),
        ("month (`%m`, `%b` or `%B`)", months, true),
        ("day (`%d` or `%e`)", days, true),
        ("hour (`%H` or `%I`)", hours, minutes > 0 || halves > 0),
        ("minute (`%M`)", minutes, seconds > 0),
        ("second (`%S`)", seconds, fractions > 0),
        ("fraction (`%.f`)", fractions, false),
        ("half of the day (`%p`)", halves, twelve > 0),
        ("zone (`%z` or `%Z`)", zones, false),
    ] {
        if times > 1 {
            return Err(format!("the {what} stands {times} times"));
        }
        if needed && times == 0 {
            return Err(format!("the {what} is missing"));
        }
    }
    Ok(())
}

/// Reads items from `at` on; gives where they end.
fn read_items(
    items: &[Item],
    cell: &[u8],
    mut at: usize,
    clock: &mut Clock,
) -> Result<usize, Fault> {
    for item in items {
        match item {
            Item::Literal(text) => {
                let rest = cell.get(at..).unwrap_or_default();
                if !rest.starts_with(text) {
                    return Err(Fault::Form);
                }
                at += text.len();
            }
            Item::Blanks => {
                let end = after_blanks(cell, at);
                if end == at {
                    return Err(Fault::Form);
                }
                at = end;
            }
            Item::Year => {
                let high = two_digits(cell, at).ok_or(Fault::Form)?;
                clock.year = high * 100 + two_digits(cell, at + 2).ok_or(Fault::Form)?;
                at += 4;
            }
            Item::YearOfCentury => {
                clock.year = with_century(two_digits(cell, at).ok_or(Fault::Form)?);
                at += 2;
            }
            Item::Month => (clock.month, at) = number_at(cell, at)?,
            Item::MonthName { dot_follows } => {
                (clock.month, at) = month_at(cell, at, *dot_follows)?
            }
            Item::Day => (clock.day, at) = number_at(cell, at)?,
            Item::DayAfterBlanks => (clock.day, at) = number_at(cell, after_blanks(cell, at))?,
            Item::Hour => (clock.hour, at) = number_at(cell, at)?,
            Item::HourOfHalfDay => {
                (clock.hour, at) = number_at(cell, at)?;
                clock.twelve = true;
            }
            Item::Minute => (clock.minute, at) = number_at(cell, at)?,
            Item::Second => (clock.second, at) = number_at(cell, at)?,
            Item::Fraction => at = read_fraction(cell, at, clock)?,
            Item::HalfDay => {
                let (afternoon, end) = half_day_at(cell, at)?;
                clock.afternoon = Some(afternoon);
                at = end;
            }
            Item::Offset => {
                let (offset, end) = match cell.get(at) {
                    Some(b'Z' | b'z') => (0, at + 1),
                    _ => zone::offset_at(cell, at).ok_or(Fault::Form)?,
                };
                clock.offset = Some(offset);
                at = end;
            }
            Item::Weekday => {
                let word = cell.get(at..).unwrap_or_default();
                let length = word
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphabetic())
                    .count();
                if !is_weekday(&word[..length]) {
                    return Err(Fault::Form);
                }
                at += length;
            }
            Item::ZoneWord => {
                let (offset, end) = zone::word_at(cell, at).ok_or(Fault::Form)?;
                clock.offset = Some(offset);
                at = end;
            }
        }
    }
    Ok(at)
}

/// Whether a word is the English name of a day of the week, short or full.
fn is_weekday(word: &[u8]) -> bool {
    const DAYS: [&[u8]; 7] = [
        b"monday",
        b"tuesday",
        b"wednesday",
        b"thursday",
        b"friday",
        b"saturday",
        b"sunday",
    ];
    let is = |day: &&[u8]| {
        (word.len() == 3 || word.len() == day.len()) && day[..word.len()].eq_ignore_ascii_case(word)
    };
    DAYS.iter().any(is)
}

/// One or two digits.
fn number_at(cell: &[u8], at: usize) -> Result<(u32, usize), Fault> {
    if let Some(number) = two_digits(cell, at) {
        return Ok((number, at + 2));
    }
    match cell.get(at) {
        Some(digit @ b'0'..=b'9') => Ok((u32::from(digit - b'0'), at + 1)),
        _ => Err(Fault::Form),
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// An English month, full or its first three letters (or `Sept`), in any case, perhaps with a dot.
fn month_at(cell: &[u8], at: usize, dot_follows: bool) -> Result<(u32, usize), Fault> {
    let rest = cell.get(at..).unwrap_or_default();
    let length = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let word = &rest[..length];
    let month = (1..).zip(MONTHS).find_map(|(month, name)| {
        let name = name.as_bytes();
        let spelt = length == name.len() || length == 3 || (length == 4 && month == 9);
        (spelt && name[..length].eq_ignore_ascii_case(word)).then_some(month)
    });
    let month = month.ok_or(Fault::Form)?;
    let dots = match rest[length..] {
        [b'.', b'.', ..] => 1,
        [b'.', ..] if !dot_follows => 1,
        _ => 0,
    };
    Ok((month, at + length + dots))
}

/// `.` or `,` and digits, or nothing.
#[inline]
fn read_fraction(cell: &[u8], at: usize, clock: &mut Clock) -> Result<usize, Fault> {
    let digits = match cell.get(at..) {
        Some([b'.' | b',', digits @ ..]) => digits,
        _ => return Ok(at),
    };
    let (mut value, mut count) = (0, 0);
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        if count < 9 {
            value = value * 10 + u32::from(digit);
        } else if digit != 0 {
            return Err(Fault::Sense("the fraction is finer than nanoseconds"));
        }
        count += 1;
    }
    if count == 0 {
        return Ok(at);
    }
    let kept = count.min(9);
    clock.fraction_ns = value * POW10[9 - kept] as u32;
    clock.fraction_digits = kept as u8;
    Ok(at + 1 + count)
}

/// `AM`, `pm`, `a.m.`: whether it is the afternoon.
fn half_day_at(cell: &[u8], at: usize) -> Result<(bool, usize), Fault> {
    let rest = cell.get(at..).unwrap_or_default();
    let (letter, length) = match rest {
        [letter, b'.', b'm' | b'M', b'.', ..] => (letter, 4),
        [letter, b'm' | b'M', ..] => (letter, 2),
        _ => return Err(Fault::Form),
    };
    match letter {
        b'a' | b'A' => Ok((false, at + length)),
        b'p' | b'P' => Ok((true, at + length)),
        _ => Err(Fault::Form),
    }
}

/// Checks what was read, and that it is the whole cell.
#[inline]
fn finish(cell: &[u8], end: usize, clock: &Clock, zone: &Zone) -> Result<Time, Fault> {
    if end != cell.len() {
        return Err(Fault::Form);
    }
    let hour = match (clock.twelve, clock.afternoon) {
        (false, None) => clock.hour,
        (true, Some(afternoon)) if (1..=12).contains(&clock.hour) => {
            clock.hour % 12 + 12 * u32::from(afternoon)
        }
        (true, _) => {
            return Err(Fault::Sense("the hour of a 12-hour clock is not 1 to 12"));
        }
        // Some exports write AM and PM after the hours of a 24-hour clock.
        (false, Some(afternoon)) if afternoon == (clock.hour >= 12) => clock.hour,
        (false, Some(_)) => {
            return Err(Fault::Sense("AM or PM does not agree with the hour"));
        }
    };
    let Some(days) = checked_days(clock.year, clock.month, clock.day) else {
        return Err(match clock.month {
            1..=12 if clock.day > 0 => Fault::Day {
                year: clock.year,
                month: clock.month,
            },
            1..=12 => Fault::Sense("there is no day 0"),
            _ => Fault::Sense("the month is not 1 to 12"),
        });
    };
    let Some(seconds) = seconds_of_day(hour, clock.minute, clock.second) else {
        return Err(Fault::Sense(if hour == 24 {
            "24:00 is not a time of day, it is 00:00 of the next"
        } else if hour > 24 {
            "the hour is not 0 to 23"
        } else if clock.minute > 59 {
            "the minute is not 0 to 59"
        } else if clock.second == 60 {
            "a leap second (:60) has no place in a count of seconds since 1970"
        } else {
            "the second is not 0 to 59"
        }));
    };
    let local_seconds = days * SECONDS_PER_DAY + i64::from(seconds);
    instant(
        local_seconds,
        clock.offset,
        zone,
        clock.fraction_ns,
        clock.fraction_digits,
    )
}

/// A local time, in seconds since 1970-01-01T00:00:00 local, as an instant in range.
#[inline]
fn instant(
    local_seconds: i64,
    offset: Option<i32>,
    zone: &Zone,
    fraction_ns: u32,
    digits: u8,
) -> Result<Time, Fault> {
    let seconds = match offset {
        Some(east) => local_seconds - i64::from(east),
        None => zone.to_utc(local_seconds).map_err(|fault| match fault {
            NotOneInstant::Skipped(zone) => Fault::Skipped(zone),
            NotOneInstant::Repeated(zone) => Fault::Repeated(zone),
        })?,
    };
    if seconds < 0 {
        return Err(BEFORE_1970);
    }
    if seconds >= END_SECONDS {
        return Err(AFTER_2261);
    }
    let ns = seconds * NS_PER_SECOND + i64::from(fraction_ns);
    Ok(Time::with_enough_digits(ns, digits))
}

const BEFORE_1970: Fault = Fault::Sense("before 1970");
const AFTER_2261: Fault = Fault::Sense("after 2261");

/// `2021-02-03`, then perhaps `T` or blanks and `04:05`, perhaps `:06`, perhaps `.789`, perhaps a zone.
fn read_iso(cell: &[u8], zone: &Zone) -> Result<Time, Fault> {
    let field = |at| two_digits(cell, at).ok_or(Fault::Form);
    let mark = |at, byte| cell.get(at) == Some(&byte);
    if !mark(4, b'-') || !mark(7, b'-') {
        return Err(Fault::Form);
    }
    let mut clock = Clock {
        year: field(0)? * 100 + field(2)?,
        month: field(5)?,
        day: field(8)?,
        ..Clock::default()
    };
    if cell.len() == 10 {
        return finish(cell, 10, &clock, zone);
    }
    let mut at = match cell[10] {
        b'T' | b't' => 11,
        _ => match after_blanks(cell, 10) {
            10 => return Err(Fault::Form),
            end => end,
        },
    };
    if !mark(at + 2, b':') {
        return Err(Fault::Form);
    }
    (clock.hour, clock.minute) = (field(at)?, field(at + 3)?);
    at += 5;
    if mark(at, b':') {
        clock.second = field(at + 1)?;
        at = read_fraction(cell, at + 3, &mut clock)?;
    }
    if at < cell.len() {
        at = after_blanks(cell, at);
        let (offset, end) = zone::offset_at(cell, at)
            .or_else(|| zone::word_at(cell, at))
            .ok_or(Fault::Form)?;
        clock.offset = Some(offset);
        at = end;
    }
    finish(cell, at, &clock, zone)
}

/// A number of seconds × 10^-`power` since 1970.
fn read_unix(cell: &[u8], power: u8) -> Result<Time, Fault> {
    let amount = Amount::parse(cell).map_err(|_| Fault::Form)?;
    if amount.is_negative() {
        return Err(BEFORE_1970);
    }
    let ns_digits = 9 - power;
    if amount.scale() > ns_digits {
        return Err(Fault::Sense("the fraction is finer than nanoseconds"));
    }
    let ns = i64::try_from(amount.mantissa())
        .ok()
        .and_then(|mantissa| mantissa.checked_mul(POW10[usize::from(ns_digits - amount.scale())]))
        .filter(|ns| *ns < END_SECONDS * NS_PER_SECOND)
        .ok_or(AFTER_2261)?;
    // Seconds keep the zeros that were written, as in other forms of time.
    let written = match cell.iter().position(|byte| *byte == b'.') {
        Some(point) if power == 0 && cell[point + 1..].iter().all(u8::is_ascii_digit) => {
            (cell.len() - point - 1).min(9) as u8
        }
        _ => 0,
    };
    Ok(Time::new(ns, power + written.max(amount.scale())))
}

/// A spreadsheet's days since 1899-12-30, local, rounded to the millisecond: its floats hold no more.
fn read_excel(cell: &[u8], zone: &Zone) -> Result<Time, Fault> {
    let days = Amount::parse(cell).map_err(|_| Fault::Form)?;
    let ms = days
        .checked_mul(Amount::from(MS_PER_DAY))
        .ok_or(Fault::Form)?
        .round(0)
        .mantissa()
        - i128::from(EXCEL_EPOCH_DAYS * MS_PER_DAY);
    if ms < 0 {
        return Err(BEFORE_1970);
    }
    let ms = i64::try_from(ms)
        .ok()
        .filter(|ms| *ms < days_from_civil(9999, 1, 1) * MS_PER_DAY)
        .ok_or(AFTER_2261)?;
    let fraction_ms = (ms % 1000) as u32;
    let digits = if fraction_ms == 0 { 0 } else { 3 };
    instant(ms / 1000, None, zone, fraction_ms * 1_000_000, digits)
}

#[cfg(test)]
mod tests;
