//! Times whose digits all stand at known places: read by place, eight characters at a time.

use super::super::Zone;
use super::{Clock, Item, instant};
use crate::model::amount::{eight, joined, over_nine};
use crate::model::time::{NS_PER_SECOND, SECONDS_PER_DAY, Time, days_since_1970, two_digits};

/// The items at the start of a layout whose places are known if every number has all its digits. Cells that are written
/// so, nearly all, are read by place; the others item by item, with the same result.
#[derive(Clone, Debug, Default)]
pub(super) struct Fixed {
    pub items: usize,
    pub length: usize,
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
pub(super) struct Places {
    order: PlacesOrder,
    with_seconds: bool,
    /// How many items of a layout these are.
    pub items: usize,
    pub end: End,
    /// The characters 0 to 7, 8 to 15 and 11 to 18 with `0` for each digit.
    marks: [u64; 3],
    /// What brings a byte to 128 that is neither a digit (without its `0`) nor the mark that must stand there.
    limits: [u64; 3],
}

/// What stands behind the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Clock,
    /// A fraction, or nothing.
    Fraction,
    /// The other items of a layout, which have no say in the date and the time of day.
    Items,
}

/// What the first, the second and the last number of a date are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlacesOrder {
    YearMonthDay,
    MonthDayYear,
    DayMonthYear,
}

impl Fixed {
    pub fn new(items: &[Item]) -> Fixed {
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
    pub fn read(&self, cell: &[u8]) -> Option<Clock> {
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
pub(super) const ISO_PLACES: Places = Places::of(
    PlacesOrder::YearMonthDay,
    *b"0000-00-00 00:00:00",
    *b"0000.00.00.00.00.00",
    true,
    End::Fraction,
);

impl Places {
    /// `text` has `0` for each digit, `digits` as well, and another character for each mark.
    pub const fn of(
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
    pub fn length(&self) -> usize {
        if self.with_seconds { 19 } else { 16 }
    }

    /// `None` for layouts whose digits stand elsewhere, or that go on with what has a say in the time of day.
    pub fn new(items: &[Item]) -> Option<Places> {
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
    pub fn read(&self, cell: &[u8], flipped: u64) -> Option<i64> {
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
pub(super) fn fraction_between(cell: &[u8], end: usize) -> Option<(u32, u8)> {
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
pub(super) fn instant_by_place(
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

pub(super) const fn with_century(year: u32) -> u32 {
    if year >= 70 { 1900 + year } else { 2000 + year }
}

/// [`read_iso`] of cells that have all digits of date and time, one `T` or blank between, and then perhaps a fraction of
/// up to eight digits, and `Z` or an offset like `+01:00`; `None` for others and for what is no time.
#[inline]
pub(super) fn read_iso_places(cell: &[u8], zone: &Zone) -> Option<Time> {
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
            let (offset, end) = super::zone::offset_at(cell, at)?;
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
