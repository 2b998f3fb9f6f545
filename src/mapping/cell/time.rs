//! Time cells: formats, compiled once, and read without allocation.

use std::borrow::Cow;

use chrono_tz::Tz;

use super::zone::{self, NotOneInstant};
use super::{CellError, Zone, after_blanks, trim};
use crate::model::amount::{Amount, eight, joined, over_nine};
use crate::model::time::{
    NS_PER_SECOND, POW10, SECONDS_PER_DAY, Time, checked_days, days_from_civil, days_in_month,
    days_since_1970, seconds_of_day, two_digits,
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

/// The items at the start of a layout whose places are known if every number has all its digits. Cells that are written
/// so, nearly all, are read by place; the others item by item, with the same result.
#[derive(Clone, Debug, Default)]
struct Fixed {
    items: usize,
    length: usize,
    literals: Vec<(usize, u8)>,
    year_digits: usize,
    year: Option<usize>,
    month: Option<usize>,
    day: Option<usize>,
    hour: Option<usize>,
    minute: Option<usize>,
    second: Option<usize>,
}

/// A date of ten characters and a time of day, each digit at its place: `2021-02-03 04:05:06` or `02/03/2021 04:05`, with
/// any marks between. Cells that are written so, and exist, are read eight characters at a time; all others in the other
/// ways, with the same result.
#[derive(Clone, Copy, Debug)]
struct Places {
    order: PlacesOrder,
    with_seconds: bool,
    /// How many items of a layout these are.
    items: usize,
    end: End,
    /// The characters 0 to 7, 8 to 15 and 11 to 18 with `0` for each digit.
    marks: [u64; 3],
    /// What brings a byte to 128 that is neither a digit (without its `0`) nor the mark that must stand there.
    limits: [u64; 3],
}

/// What stands behind the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Clock,
    /// A fraction, or nothing.
    Fraction,
    /// The other items of a layout, which have no say in the date and the time of day.
    Items,
}

/// What the first, the second and the last number of a date are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PlacesOrder {
    YearMonthDay,
    MonthDayYear,
    DayMonthYear,
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

impl Fixed {
    fn new(items: &[Item]) -> Fixed {
        let mut fixed = Fixed::default();
        for item in items {
            let at = fixed.length;
            fixed.length += match item {
                Item::Literal(text) => {
                    fixed.literals.extend((at..).zip(text.iter().copied()));
                    text.len()
                }
                Item::Blanks => {
                    fixed.literals.push((at, b' '));
                    1
                }
                Item::Year => {
                    (fixed.year, fixed.year_digits) = (Some(at), 4);
                    4
                }
                Item::YearOfCentury => {
                    (fixed.year, fixed.year_digits) = (Some(at), 2);
                    2
                }
                other => {
                    *match other {
                        Item::Month => &mut fixed.month,
                        Item::Day => &mut fixed.day,
                        Item::Hour => &mut fixed.hour,
                        Item::Minute => &mut fixed.minute,
                        Item::Second => &mut fixed.second,
                        _ => break,
                    } = Some(at);
                    2
                }
            };
            fixed.items += 1;
        }
        fixed
    }

    /// What stands at the known places; `None` if a cell is not written so.
    #[inline]
    fn read(&self, cell: &[u8]) -> Option<Clock> {
        let head = cell.get(..self.length)?;
        for (at, byte) in &self.literals {
            if head[*at] != *byte {
                return None;
            }
        }
        let field = |place: Option<usize>| match place {
            Some(at) => two_digits(head, at),
            None => Some(0),
        };
        let year = match self.year {
            Some(at) if self.year_digits == 4 => {
                two_digits(head, at)? * 100 + two_digits(head, at + 2)?
            }
            Some(at) => with_century(two_digits(head, at)?),
            None => 0,
        };
        Some(Clock {
            year,
            month: field(self.month)?,
            day: field(self.day)?,
            hour: field(self.hour)?,
            minute: field(self.minute)?,
            second: field(self.second)?,
            ..Clock::default()
        })
    }
}

/// `2021-02-03 04:05:06`.
const ISO_PLACES: Places = Places::of(
    PlacesOrder::YearMonthDay,
    *b"0000-00-00 00:00:00",
    *b"0000.00.00.00.00.00",
    true,
    End::Fraction,
);

impl Places {
    /// `text` has `0` for each digit, `digits` as well, and another character for each mark.
    const fn of(
        order: PlacesOrder,
        text: [u8; 19],
        digits: [u8; 19],
        with_seconds: bool,
        end: End,
    ) -> Places {
        let (mut marks, mut limits) = ([0; 3], [0; 3]);
        let starts = [0, 8, 11];
        let mut word = 0;
        while word < 3 {
            let mut byte = 0;
            while byte < 8 {
                let at = starts[word] + byte;
                let limit = if digits[at] == b'0' {
                    128 - 10
                } else {
                    128 - 1
                };
                marks[word] |= (text[at] as u64) << (8 * byte);
                limits[word] |= limit << (8 * byte);
                byte += 1;
            }
            word += 1;
        }
        Places {
            order,
            with_seconds,
            items: 0,
            end,
            marks,
            limits,
        }
    }

    /// How many characters date and time of day have.
    fn length(&self) -> usize {
        if self.with_seconds { 19 } else { 16 }
    }

    /// `None` for layouts whose digits stand elsewhere, or that go on with what has a say in the time of day.
    fn new(items: &[Item]) -> Option<Places> {
        let is_clock = |item: &Item| matches!(item, Item::Minute | Item::Second);
        let (clock, rest) = items.split_at(items.iter().rposition(is_clock)? + 1);
        let fixed = Fixed::new(clock);
        let order = match (fixed.year?, fixed.month?, fixed.day?) {
            (0, 5, 8) => PlacesOrder::YearMonthDay,
            (6, 0, 3) => PlacesOrder::MonthDayYear,
            (6, 3, 0) => PlacesOrder::DayMonthYear,
            _ => return None,
        };
        let with_seconds = match (fixed.hour, fixed.minute, fixed.second) {
            (Some(11), Some(14), Some(17)) if fixed.length == 19 => true,
            (Some(11), Some(14), None) if fixed.length == 16 => false,
            _ => return None,
        };
        let end = match rest {
            [] => End::Clock,
            [Item::Fraction] => End::Fraction,
            // A cell loses the blanks at its end.
            [.., Item::Blanks] => return None,
            _ => End::Items,
        };
        let beside_the_clock = |item: &Item| {
            matches!(
                item,
                Item::Fraction | Item::Offset | Item::ZoneWord | Item::Blanks | Item::Literal(_)
            )
        };
        if fixed.items < clock.len() || fixed.year_digits != 4 || !rest.iter().all(beside_the_clock)
        {
            return None;
        }
        let (mut text, mut digits) = ([b'0'; 19], [b'0'; 19]);
        for (at, mark) in &fixed.literals {
            (text[*at], digits[*at]) = (*mark, b'.');
        }
        Some(Places {
            items: clock.len(),
            ..Places::of(order, text, digits, with_seconds, end)
        })
    }

    /// Local seconds since 1970, for the years 1970 to 2261; `flipped` are bits of the characters 8 to 15 to be turned
    /// before they are compared with the marks.
    #[inline(always)]
    fn read(&self, cell: &[u8], flipped: u64) -> Option<i64> {
        let word = |characters: &[u8; 8]| u64::from_le_bytes(*characters);
        let start = cell.first_chunk::<16>()?;
        let date = word(start.first_chunk()?) ^ self.marks[0];
        let clock = word(start.last_chunk()?) ^ self.marks[1] ^ flipped;
        let mut wrong = date | date.wrapping_add(self.limits[0]);
        wrong |= clock | clock.wrapping_add(self.limits[1]);
        let mut second = 0;
        if self.with_seconds {
            let clock = word(cell.first_chunk::<19>()?.last_chunk()?) ^ self.marks[2];
            wrong |= clock | clock.wrapping_add(self.limits[2]);
            second = ((clock >> 48) & 0xFF) * 10 + (clock >> 56);
        }
        if wrong & 0x8080_8080_8080_8080 != 0 {
            return None;
        }
        // In each byte a digit and ten times the one before: the numbers of two digits stand in their first bytes then.
        let pairs = |digits: u64| digits.wrapping_mul(10 << 8 | 1) >> 8;
        let (date, clock) = (pairs(date), pairs(clock));
        let two = |pairs: u64, at: u32| (pairs >> (8 * at)) & 0xFF;
        let (year, month, day) = match self.order {
            PlacesOrder::YearMonthDay => (
                two(date, 0) * 100 + two(date, 2),
                two(date, 5),
                two(clock, 0),
            ),
            PlacesOrder::MonthDayYear => (
                two(date, 6) * 100 + two(clock, 0),
                two(date, 0),
                two(date, 3),
            ),
            PlacesOrder::DayMonthYear => (
                two(date, 6) * 100 + two(clock, 0),
                two(date, 3),
                two(date, 0),
            ),
        };
        let (hour, minute) = (two(clock, 3), two(clock, 6));
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_since_1970(year as u32, month as u32, day as u32)?;
        Some(i64::from(days) * SECONDS_PER_DAY + (hour * 3600 + minute * 60 + second) as i64)
    }
}

/// The fraction that stands from place 19 to `end`: nanoseconds, and how many digits were written. `None` for one of more
/// than eight digits, or if something else stands there.
#[inline(always)]
fn fraction_between(cell: &[u8], end: usize) -> Option<(u32, u8)> {
    if end == 19 {
        return Some((0, 0));
    }
    let digits = end.wrapping_sub(20);
    if !(1..=8).contains(&digits) || !matches!(cell[19], b'.' | b',') {
        return None;
    }
    // The first in the lowest byte, with zeros behind the last.
    let fraction = eight(cell[..end].last_chunk()?) >> (64 - 8 * digits);
    (over_nine(fraction) == 0).then(|| (joined(fraction) as u32 * 10, digits as u8))
}

/// [`instant`] of local seconds in the years 1970 to 2261, which are so in UTC.
#[inline(always)]
fn instant_by_place(
    local_seconds: i64,
    offset: Option<i32>,
    zone: &Zone,
    (fraction_ns, digits): (u32, u8),
) -> Option<Time> {
    match (offset, zone) {
        (None, Zone::Utc) | (Some(0), _) => {
            let ns = local_seconds * NS_PER_SECOND + i64::from(fraction_ns);
            Some(Time::with_enough_digits(ns, digits))
        }
        _ => instant(local_seconds, offset, zone, fraction_ns, digits).ok(),
    }
}

const fn with_century(year: u32) -> u32 {
    if year >= 70 { 1900 + year } else { 2000 + year }
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

/// [`read_iso`] of cells that have all digits of date and time, one `T` or blank between, and then perhaps a fraction of
/// up to eight digits, and `Z` or an offset like `+01:00`; `None` for others and for what is no time.
#[inline]
fn read_iso_places(cell: &[u8], zone: &Zone) -> Option<Time> {
    let between = match cell.get(10)? {
        b' ' => 0,
        b'T' => u64::from(b'T' ^ b' '),
        _ => return None,
    };
    let local_seconds = ISO_PLACES.read(cell, between << 16)?;
    let (end, offset) = match cell {
        [.., b'Z'] => (cell.len() - 1, Some(0)),
        [.., b'+' | b'-', _, _, b':', _, _] => {
            let at = cell.len() - 6;
            let (offset, end) = zone::offset_at(cell, at)?;
            if end != cell.len() {
                return None;
            }
            (at, Some(offset))
        }
        _ => (cell.len(), None),
    };
    let fraction = fraction_between(cell, end)?;
    instant_by_place(local_seconds, offset, zone, fraction)
}

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
mod tests {
    use chrono::{Datelike, NaiveDate};
    use proptest::prelude::*;

    use super::*;

    /// The time as it is written, or the clause of the error.
    fn read_in(zone: &str, formats: &[&str], cell: &str) -> String {
        let reader =
            TimeReader::new(formats).unwrap_or_else(|(_, why)| panic!("{formats:?}: {why}"));
        match reader.read(cell.as_bytes(), &Zone::parse(zone).unwrap()) {
            Ok(time) => time.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn read(format: &str, cell: &str) -> String {
        read_in("UTC", &[format], cell)
    }

    #[test]
    fn formats_are_read_item_by_item() {
        for (format, cell, expected) in [
            (
                "%Y-%m-%d %H:%M:%S",
                "2021-02-03 04:05:06",
                "2021-02-03T04:05:06Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S",
                "2021-2-3 4:5:6",
                "2021-02-03T04:05:06Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S",
                "  2021-02-03   04:05:06 ",
                "2021-02-03T04:05:06Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S%.f",
                "2021-02-03 04:05:06.700",
                "2021-02-03T04:05:06.700Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S%.f",
                "2021-02-03 04:05:06,7",
                "2021-02-03T04:05:06.7Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S%.f",
                "2021-02-03 04:05:06",
                "2021-02-03T04:05:06Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S%.f",
                "2021-02-03 04:05:06.1234567890",
                "2021-02-03T04:05:06.123456789Z",
            ),
            (
                "%Y-%m-%dT%H:%M:%S%.fZ",
                "2021-02-03T04:05:06.7Z",
                "2021-02-03T04:05:06.7Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S%.f %z",
                "2021-02-03 04:05:06.7 +0200",
                "2021-02-03T02:05:06.7Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S%z",
                "2021-02-03 04:05:06-02:30",
                "2021-02-03T06:35:06Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S%z",
                "2021-02-03 04:05:06Z",
                "2021-02-03T04:05:06Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S %Z",
                "2021-02-03 04:05:06 UTC",
                "2021-02-03T04:05:06Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S %Z",
                "2021-02-03 04:05:06 pst",
                "2021-02-03T12:05:06Z",
            ),
            (
                "%Y-%m-%d %H:%M:%S %Z",
                "2021-02-03 04:05:06 GMT+0100",
                "2021-02-03T03:05:06Z",
            ),
            ("%m/%d/%Y", "2/3/2021", "2021-02-03T00:00:00Z"),
            ("%d.%m.%y %H:%M", "03.02.21 04:05", "2021-02-03T04:05:00Z"),
            ("%d.%m.%y %H:%M", "3.2.70 4:05", "1970-02-03T04:05:00Z"),
            ("%d.%m.%y", "03.02.69", "2069-02-03T00:00:00Z"),
            ("%Y%m%d%H%M%S", "20210203040506", "2021-02-03T04:05:06Z"),
            ("%b %e, %Y", "Feb  3, 2021", "2021-02-03T00:00:00Z"),
            ("%b %e, %Y", "february 13, 2021", "2021-02-13T00:00:00Z"),
            ("%b. %d %Y", "Sept. 03 2021", "2021-09-03T00:00:00Z"),
            ("%b %d %Y", "Sept. 03 2021", "2021-09-03T00:00:00Z"),
            ("%b %d %Y", "SEP 03 2021", "2021-09-03T00:00:00Z"),
            ("%d.%b.%Y", "3.Feb.2021", "2021-02-03T00:00:00Z"),
            ("%d.%b.%Y", "3.Feb..2021", "2021-02-03T00:00:00Z"),
            ("%d%B%Y", "3May2021", "2021-05-03T00:00:00Z"),
            (
                "%m/%d/%Y, %I:%M:%S %p",
                "2/3/2021, 4:05:06 PM",
                "2021-02-03T16:05:06Z",
            ),
            (
                "%m/%d/%Y, %I:%M:%S %p",
                "2/3/2021, 4:05:06\u{202f}p.m.",
                "2021-02-03T16:05:06Z",
            ),
            (
                "%m/%d/%Y %I:%M %p",
                "2/3/2021 12:05 am",
                "2021-02-03T00:05:00Z",
            ),
            (
                "%m/%d/%Y %I:%M %p",
                "2/3/2021 12:05 PM",
                "2021-02-03T12:05:00Z",
            ),
            (
                "%m/%d/%Y %H:%M %p",
                "2/3/2021 14:05 PM",
                "2021-02-03T14:05:00Z",
            ),
            ("%p %Y %d %m %I", "AM 2021 03 02 11", "2021-02-03T11:00:00Z"),
            ("%%%Y-%m-%d é", "%2021-02-03 é", "2021-02-03T00:00:00Z"),
            ("%Y-%m-%d", "2020-02-29", "2020-02-29T00:00:00Z"),
            ("%Y-%m-%d", "2000-02-29", "2000-02-29T00:00:00Z"),
            ("%Y-%m-%d", "2261-12-31", "2261-12-31T00:00:00Z"),
        ] {
            assert_eq!(read(format, cell), expected, "{format} {cell}");
        }
    }

    #[test]
    fn words_stand_for_whole_formats() {
        for (format, cell, expected) in [
            ("iso", "2021-02-03T04:05:06Z", "2021-02-03T04:05:06Z"),
            ("iso", "2021-02-03T04:05:06.700", "2021-02-03T04:05:06.700Z"),
            (
                "iso",
                "2021-02-03 04:05:06.7+02:00",
                "2021-02-03T02:05:06.7Z",
            ),
            ("iso", "2021-02-03 04:05:06 +0000", "2021-02-03T04:05:06Z"),
            ("iso", "2021-02-03 04:05:06 UTC", "2021-02-03T04:05:06Z"),
            ("iso", "2021-02-03 04:05", "2021-02-03T04:05:00Z"),
            ("iso", "2021-02-03T04:05Z", "2021-02-03T04:05:00Z"),
            ("iso", "2021-02-03", "2021-02-03T00:00:00Z"),
            ("unix", "1612325106", "2021-02-03T04:05:06Z"),
            ("unix", "1612325106.700", "2021-02-03T04:05:06.700Z"),
            (
                "unix",
                "1612325106.1234567890",
                "2021-02-03T04:05:06.123456789Z",
            ),
            ("unix", "1.612325106E+9", "2021-02-03T04:05:06Z"),
            ("unix", "1.6123251065E+9", "2021-02-03T04:05:06.5Z"),
            ("unix", "0", "1970-01-01T00:00:00Z"),
            ("unix_ms", "1612325106000", "2021-02-03T04:05:06.000Z"),
            ("unix_ms", "1612325106700", "2021-02-03T04:05:06.700Z"),
            ("unix_ms", "1.6123251067E+12", "2021-02-03T04:05:06.700Z"),
            ("unix_ms", "1612325106700.5", "2021-02-03T04:05:06.7005Z"),
            ("unix_us", "1612325106700000", "2021-02-03T04:05:06.700000Z"),
            ("excel", "44230", "2021-02-03T00:00:00Z"),
            ("excel", "44230.170208333335", "2021-02-03T04:05:06Z"),
            ("excel", "44230.17021643518", "2021-02-03T04:05:06.700Z"),
            ("excel", "25569", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(read(format, cell), expected, "{format} {cell}");
        }
    }

    #[test]
    fn what_cannot_be_a_time_is_refused_with_a_reason() {
        for (format, cell, expected) in [
            (
                "%Y-%m-%d",
                "2021-02-29",
                "there is no such day, 2021-02 has 28 days: `2021-02-29`",
            ),
            (
                "%Y-%m-%d",
                "1900-02-29",
                "there is no such day, 1900-02 has 28 days: `1900-02-29`",
            ),
            (
                "%Y-%m-%d",
                "2021-04-31",
                "there is no such day, 2021-04 has 30 days: `2021-04-31`",
            ),
            (
                "%Y-%m-%d",
                "2021-00-01",
                "the month is not 1 to 12: `2021-00-01`",
            ),
            (
                "%Y-%m-%d",
                "2021-13-01",
                "the month is not 1 to 12: `2021-13-01`",
            ),
            ("%Y-%m-%d", "2021-01-00", "there is no day 0: `2021-01-00`"),
            ("%Y-%m-%d", "1969-12-31", "before 1970: `1969-12-31`"),
            ("%Y-%m-%d", "0000-01-01", "before 1970: `0000-01-01`"),
            ("%Y-%m-%d", "2262-01-01", "after 2261: `2262-01-01`"),
            ("%Y-%m-%d", "9999-12-31", "after 2261: `9999-12-31`"),
            ("%Y-%m-%d", "2021-02-03 ", "2021-02-03T00:00:00Z"),
            (
                "%Y-%m-%d",
                "2021-02-03x",
                "not a time of the form `%Y-%m-%d`: `2021-02-03x`",
            ),
            (
                "%Y-%m-%d",
                "21-02-03",
                "not a time of the form `%Y-%m-%d`: `21-02-03`",
            ),
            ("%Y-%m-%d", "", "not a time of the form `%Y-%m-%d`: ``"),
            (
                "iso",
                "2021-02-03T24:00:00Z",
                "24:00 is not a time of day, it is 00:00 of the next: `2021-02-03T24:00:00Z`",
            ),
            (
                "iso",
                "2021-02-03T25:00:00Z",
                "the hour is not 0 to 23: `2021-02-03T25:00:00Z`",
            ),
            (
                "iso",
                "2021-02-03T23:60:00Z",
                "the minute is not 0 to 59: `2021-02-03T23:60:00Z`",
            ),
            (
                "iso",
                "2021-02-03T23:59:61Z",
                "the second is not 0 to 59: `2021-02-03T23:59:61Z`",
            ),
            (
                "iso",
                "2016-12-31T23:59:60Z",
                "a leap second (:60) has no place in a count of seconds since 1970: `2016-12-31T23:59:60Z`",
            ),
            (
                "iso",
                "2021-02-03T04:05:06.1234567891Z",
                "the fraction is finer than nanoseconds: `2021-02-03T04:05:06.1234567891Z`",
            ),
            (
                "iso",
                "2021-02-03T04",
                "not a time like 2021-02-03T04:05:06Z: `2021-02-03T04`",
            ),
            (
                "iso",
                "2021-02-03T04:05:06 XYZ",
                "not a time like 2021-02-03T04:05:06Z: `2021-02-03T04:05:06 XYZ`",
            ),
            (
                "%Y-%m-%d %I %p",
                "2021-02-03 13 PM",
                "the hour of a 12-hour clock is not 1 to 12: `2021-02-03 13 PM`",
            ),
            (
                "%Y-%m-%d %I %p",
                "2021-02-03 0 AM",
                "the hour of a 12-hour clock is not 1 to 12: `2021-02-03 0 AM`",
            ),
            (
                "%Y-%m-%d %H %p",
                "2021-02-03 13 AM",
                "AM or PM does not agree with the hour: `2021-02-03 13 AM`",
            ),
            (
                "%b %d %Y",
                "Foo 03 2021",
                "not a time of the form `%b %d %Y`: `Foo 03 2021`",
            ),
            (
                "%b %d %Y",
                "Febr 03 2021",
                "not a time of the form `%b %d %Y`: `Febr 03 2021`",
            ),
            ("unix", "-1", "before 1970: `-1`"),
            ("unix", "1e30", "after 2261: `1e30`"),
            ("unix", "1612325106700", "after 2261: `1612325106700`"),
            ("unix", "9214646400", "after 2261: `9214646400`"),
            (
                "unix",
                "1.0000000001",
                "the fraction is finer than nanoseconds: `1.0000000001`",
            ),
            ("unix", "abc", "not a number of seconds since 1970: `abc`"),
            (
                "unix_ms",
                "x",
                "not a number of milliseconds since 1970: `x`",
            ),
            ("excel", "25568.99", "before 1970: `25568.99`"),
            ("excel", "1e20", "after 2261: `1e20`"),
            ("excel", "x", "not a spreadsheet's number of days: `x`"),
        ] {
            assert_eq!(read(format, cell), expected, "{format} {cell}");
        }
    }

    #[test]
    fn a_day_of_the_week_is_read_over() {
        assert_eq!(
            read("%a %b %d %Y %H:%M:%S", "Fri Nov 23 2018 10:11:12"),
            "2018-11-23T10:11:12Z"
        );
        assert_eq!(
            read("%a, %d %b %Y %H:%M", "friday, 23 Nov 2018 10:11"),
            "2018-11-23T10:11:00Z"
        );
        let reader = TimeReader::new(&["%a %d %b %Y"]).unwrap();
        assert!(reader.read(b"Fry 23 Nov 2018", &Zone::Utc).is_err());
    }

    #[test]
    fn a_date_of_numbers_is_read_in_the_order_that_is_said_and_not_guessed() {
        let reader = TimeReader::new(&["iso", "%1/%2/%Y %H:%M"]).unwrap();
        let read = |cell: &str, order| {
            let read = reader.in_order(order).read(cell.as_bytes(), &Zone::Utc);
            read.map_or_else(|error| error.into_message(), |time| time.to_string())
        };
        let (day, month) = (Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst));
        assert_eq!(read("03/04/2024 10:00", day), "2024-04-03T10:00:00Z");
        assert_eq!(read("03/04/2024 10:00", month), "2024-03-04T10:00:00Z");
        assert!(read("03/04/2024 10:00", None).contains("--dates day-first"));
        // Not even where only one order makes sense: a file is read in one way.
        assert!(read("13/04/2024 10:00", None).contains("--dates day-first"));
        assert!(!read("13/04/2024 10:00", month).starts_with("2024"));
        assert_eq!(read("2024-04-03 10:00:00", None), "2024-04-03T10:00:00Z");
        assert!(TimeReader::new(&["%1/%Y"]).is_err());
    }

    #[test]
    fn formats_are_tried_in_order() {
        let formats = ["%Y-%m-%d %H:%M:%S", "%d/%m/%Y", "%m/%d/%Y", "unix_ms"];
        assert_eq!(
            read_in("UTC", &formats, "2021-02-03 04:05:06"),
            "2021-02-03T04:05:06Z"
        );
        assert_eq!(
            read_in("UTC", &formats, "03/02/2021"),
            "2021-02-03T00:00:00Z"
        );
        assert_eq!(
            read_in("UTC", &formats, "02/13/2021"),
            "2021-02-13T00:00:00Z"
        );
        assert_eq!(
            read_in("UTC", &formats, "1612325106000"),
            "2021-02-03T04:05:06.000Z"
        );
        assert_eq!(
            read_in("UTC", &formats, "soon"),
            "not a time of any of 4 forms: `soon`"
        );
        assert_eq!(
            read_in("UTC", &formats, "31/02/2021"),
            "there is no such day, 2021-02 has 28 days: `31/02/2021`"
        );
    }

    #[test]
    fn a_local_time_is_read_in_its_zone_unless_it_brings_its_own() {
        let formats = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M %z", "iso", "excel"];
        let read = |zone: &str, cell: &str| read_in(zone, &formats, cell);
        assert_eq!(read("UTC+2", "2021-02-03 04:05"), "2021-02-03T02:05:00Z");
        assert_eq!(read("-05:00", "2021-02-03 04:05"), "2021-02-03T09:05:00Z");
        assert_eq!(
            read("Europe/Paris", "2021-07-03 04:05"),
            "2021-07-03T02:05:00Z"
        );
        assert_eq!(
            read("Europe/Paris", "2021-02-03 04:05"),
            "2021-02-03T03:05:00Z"
        );
        assert_eq!(
            read("Europe/Paris", "2021-07-03 04:05 -0100"),
            "2021-07-03T05:05:00Z"
        );
        assert_eq!(
            read("Europe/Paris", "2021-07-03T04:05:06Z"),
            "2021-07-03T04:05:06Z"
        );
        assert_eq!(read("+2", "44230.5"), "2021-02-03T10:00:00Z");
        assert_eq!(
            read("+2", "1970-01-01 01:00"),
            "before 1970: `1970-01-01 01:00`"
        );
        assert_eq!(
            read("Europe/Paris", "2021-03-28 02:30"),
            "this hour does not exist in Europe/Paris: clocks went forward: `2021-03-28 02:30`"
        );
        assert_eq!(
            read("Europe/Paris", "2021-10-31 02:30"),
            "this hour happens twice in Europe/Paris: clocks went back: `2021-10-31 02:30`"
        );
    }

    #[test]
    fn a_reader_knows_whether_its_cells_bring_a_zone() {
        let has_zone = |formats: &[&str]| TimeReader::new(formats).unwrap().has_zone();
        assert!(has_zone(&[
            "unix",
            "unix_ms",
            "unix_us",
            "%Y%m%d%z",
            "%Y%m%d %Z"
        ]));
        for format in ["iso", "excel", "%Y%m%d"] {
            assert!(!has_zone(&[format]), "{format}");
            assert!(!has_zone(&["unix", format]), "{format}");
        }
    }

    #[test]
    fn wrong_formats_are_refused_by_index_and_reason() {
        for (format, why) in [
            ("", "the year (`%Y` or `%y`) is missing"),
            ("%Y-%m", "the day (`%d` or `%e`) is missing"),
            ("%Y-%m-%d %M", "the hour (`%H` or `%I`) is missing"),
            ("%Y-%m-%d %H:%S", "the minute (`%M`) is missing"),
            ("%Y-%m-%d%.f", "the second (`%S`) is missing"),
            ("%Y-%m-%d %I", "the half of the day (`%p`) is missing"),
            ("%Y-%m-%d %p", "the hour (`%H` or `%I`) is missing"),
            ("%Y-%y-%m-%d", "the year (`%Y` or `%y`) stands 2 times"),
            ("%Y-%m-%d %z %Z", "the zone (`%z` or `%Z`) stands 2 times"),
            ("%Y-%m-%d %Q", "`%Q` is not known"),
            ("%Y-%m-%d %.3f", "after `%.` an `f` is missing"),
            (
                "%Y-%m-%d%",
                "a `%` stands at the end; `%%` is a percent sign",
            ),
        ] {
            let error = TimeReader::new(&["iso", format]).unwrap_err();
            assert_eq!(error, (1, why.to_string()), "{format}");
        }
        assert!(TimeReader::new(&[] as &[&str]).is_err());
    }

    #[test]
    fn every_day_from_1970_to_2100_agrees_with_chrono_in_every_form() {
        let forms = [
            ("%Y-%m-%d", "%Y-%m-%d"),
            ("%m/%d/%Y", "%-m/%-d/%Y"),
            ("%d.%m.%y", "%d.%m.%y"),
            ("%b %e, %Y", "%b %e, %Y"),
            ("%d %B %Y", "%d %B %Y"),
            ("iso", "%Y-%m-%dT00:00:00Z"),
        ];
        let readers = forms.map(|(format, _)| TimeReader::new(&[format]).unwrap());
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        let mut day = epoch;
        while day.year() < 2101 {
            let ns = (day - epoch).num_days() * SECONDS_PER_DAY * NS_PER_SECOND;
            for ((_, form), reader) in forms.iter().zip(&readers) {
                if form.contains("%y") && day.year() >= 2070 {
                    continue;
                }
                let cell = day.format(form).to_string();
                assert_eq!(
                    reader.read(cell.as_bytes(), &Zone::Utc),
                    Ok(Time::new(ns, 0)),
                    "{cell}"
                );
            }
            day = day.succ_opt().unwrap();
        }
    }

    fn formats() -> Vec<TimeReader> {
        [
            "%Y-%m-%d %H:%M:%S%.f",
            "%m/%d/%y %I:%M:%S %p",
            "%b. %e %Y%z",
            "%d.%B.%Y %H:%M %Z",
            "%Y%m%d%H%M",
            "iso",
            "unix",
            "unix_ms",
            "unix_us",
            "excel",
        ]
        .map(|format| TimeReader::new(&[format]).unwrap())
        .to_vec()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_cell_makes_a_reader_panic(
            cell in proptest::collection::vec(any::<u8>(), 0..30),
            like in "[0-9T:. /,+-]{0,26}[APMZUTCmp. ]{0,5}",
            named in "(Feb|sept|May)[. ]{0,2}[0-9 :.+-]{0,16}[é\u{202f}Z]?",
        ) {
            for reader in formats() {
                for zone in [Zone::Utc, Zone::Fixed(-3600), Zone::Named(Tz::America__New_York)] {
                    let _ = reader.read(&cell, &zone);
                    let _ = reader.read(like.as_bytes(), &zone);
                    let _ = reader.read(named.as_bytes(), &zone);
                }
            }
        }

        #[test]
        fn a_format_of_any_text_does_not_panic(format in "(%[a-zA-Z.%]|.){0,12}", cell in any::<String>()) {
            if let Ok(reader) = TimeReader::new(&[format]) {
                let _ = reader.read(cell.as_bytes(), &Zone::Utc);
            }
        }

        #[test]
        fn a_written_time_is_read_back_as_itself(ns in 0_i64..END_SECONDS * NS_PER_SECOND, digits in 0_u8..=9) {
            let unit = POW10[usize::from(9 - digits)];
            let time = Time::new(ns / unit * unit, digits);
            let text = time.to_string();
            for format in ["iso", "%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%dT%H:%M:%S%.f%z"] {
                let reader = TimeReader::new(&[format]).unwrap();
                prop_assert_eq!(reader.read(text.as_bytes(), &Zone::Utc), Ok(time));
            }
            let seconds = Amount::from_parts(i128::from(time.ns()), 9).unwrap();
            let unix = TimeReader::new(&["unix"]).unwrap().read(seconds.to_string().as_bytes(), &Zone::Utc);
            prop_assert_eq!(unix.map(Time::ns), Ok(time.ns()));
        }

        #[test]
        fn reading_by_place_reads_what_reading_by_items_reads(
            cell in prop_oneof![
                "(19|20|22)[0-9]{2}[-/.][012][0-9][-/.][0-3][0-9][ Tt]{1,2}[0-2][0-9]:[0-6][0-9](:[0-6][0-9])?([.,][0-9]{0,10})?( ?Z| ?[-+]0[0-9]:?[0-9]{2}| UTC)?",
                "[0-3][0-9][-/.][0-3][0-9][-/.](19|20|22)[0-9]{2}[ T][0-2][0-9]:[0-6][0-9](:[0-6][0-9])?([.,][0-9]{0,10})?(Z|[-+]0[0-9]:?[0-9]{2}| UTC)?",
                "[0-9T:. /,+-]{10,28}[Z ]?",
            ],
            changed in 0_usize..40, byte in any::<u8>(), change in 0_u8..4,
            zone in prop_oneof![Just(Zone::Utc), Just(Zone::Fixed(-3600)), Just(Zone::Fixed(7200)), Just(Zone::Named(Tz::Europe__Paris))],
        ) {
            let mut cell = cell.into_bytes();
            if change == 0 && changed < cell.len() {
                cell[changed] = byte;
            }
            let shown = |read: Result<Time, Fault>| format!("{read:?}");
            let text = trim(&cell);
            let item_by_item = read_iso(text, &zone);
            if let Some(time) = read_iso_places(&cell, &zone) {
                prop_assert_eq!(shown(Ok(time)), shown(item_by_item));
            }
            for pattern in [
                "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%d %H:%M:%S%.f%z",
                "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S%.f", "%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M%z",
            ] {
                let layout = Layout::new(pattern).unwrap();
                prop_assert!(layout.places.is_some());
                let item_by_item = layout.read_items(text, &zone);
                if let Some(time) = layout.read_places(&cell, &zone) {
                    prop_assert_eq!(shown(Ok(time)), shown(item_by_item));
                }
            }
        }

        #[test]
        fn times_that_exist_are_read_by_place(seconds in 0_i64..END_SECONDS, ns in 0_u32..100_000_000, digits in 0_usize..=8) {
            use chrono::DateTime;
            let time = DateTime::from_timestamp(seconds, 0).unwrap();
            let fraction = format!("{ns:08}");
            let fraction = if digits > 0 { format!(".{}", &fraction[..digits]) } else { String::new() };
            let day = i64::from(days_since_1970(time.year() as u32, time.month(), time.day()).unwrap());
            prop_assert_eq!(day, seconds / SECONDS_PER_DAY);
            for end in ["", "Z", "+00:00", "-00:00"] {
                let cell = format!("{}{fraction}{end}", time.format("%Y-%m-%dT%H:%M:%S"));
                let read = read_iso_places(cell.as_bytes(), &Zone::Utc).map(Time::ns);
                let fraction_ns = fraction.get(1..).map_or(0, |text| text.parse::<i64>().unwrap() * POW10[9 - digits]);
                prop_assert_eq!(read, Some(seconds * NS_PER_SECOND + fraction_ns));
            }
            for (pattern, form) in [
                ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M:%S"),
                ("%d/%m/%Y %H:%M:%S%.f", "%d/%m/%Y %H:%M:%S"),
                ("%m.%d.%YT%H.%M.%S%.f", "%m.%d.%YT%H.%M.%S"),
            ] {
                let cell = format!("{}{fraction}", time.format(form));
                let layout = Layout::new(pattern).unwrap();
                prop_assert!(layout.read_places(cell.as_bytes(), &Zone::Utc).is_some());
            }
        }

        #[test]
        fn a_local_time_comes_back_from_its_zone(seconds in 0_i64..4_000_000_000, west in any::<bool>()) {
            use chrono::{DateTime, TimeZone};
            let zone = if west { Tz::America__New_York } else { Tz::Australia__Lord_Howe };
            let local = zone.from_utc_datetime(&DateTime::from_timestamp(seconds, 0).unwrap().naive_utc());
            let cell = local.format("%Y-%m-%d %H:%M:%S").to_string();
            let reader = TimeReader::new(&["%Y-%m-%d %H:%M:%S"]).unwrap();
            match reader.read(cell.as_bytes(), &Zone::Named(zone)) {
                Ok(time) => prop_assert_eq!(time.ns(), seconds * NS_PER_SECOND),
                Err(error) => prop_assert!(error.message().contains("happens twice"), "{}", error),
            }
        }
    }
}
