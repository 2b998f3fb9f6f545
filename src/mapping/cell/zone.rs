//! Time zones: of a column, as a mapping names them, and inside a cell, as exchanges write them.

use chrono::{DateTime, MappedLocalTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::minus_at;

/// Where the local times of a column belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Coordinated universal time.
    Utc,
    /// A fixed offset: seconds east of UTC.
    Fixed(i32),
    /// A zone of the IANA database, with its daylight saving.
    Named(Tz),
}

/// Why a local time is not one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotOneInstant {
    /// Clocks went forward over it.
    Skipped(Tz),
    /// Clocks went back to it.
    Repeated(Tz),
}

impl Zone {
    /// Reads a zone: `UTC`, `GMT` or `Z` in any case, or nothing (all UTC); an offset, `+2`, `+08:00`, `+0800`, alone or
    /// after `UTC` or `GMT`; `null`, as exports of people without a setting write it, alone or after `UTC` (UTC); an
    /// IANA name such as `Europe/Paris`, in its own case. `None` for anything else.
    pub fn parse(text: &str) -> Option<Zone> {
        let text = text.trim();
        let word = text.get(..3).unwrap_or_default();
        let rest = if word.eq_ignore_ascii_case("UTC") || word.eq_ignore_ascii_case("GMT") {
            text[3..].trim_start()
        } else {
            text
        };
        if rest.is_empty() || rest == "null" || rest.eq_ignore_ascii_case("Z") {
            return Some(Zone::Utc);
        }
        match offset_at(rest.as_bytes(), 0) {
            Some((0, end)) if end == rest.len() => Some(Zone::Utc),
            Some((east, end)) if end == rest.len() => Some(Zone::Fixed(east)),
            _ => text.parse().ok().map(Zone::Named),
        }
    }

    /// Turns a local time, in seconds since 1970-01-01T00:00:00 local, into seconds since that hour in UTC.
    #[inline]
    pub(super) fn to_utc(self, local_seconds: i64) -> Result<i64, NotOneInstant> {
        match self {
            Zone::Utc => Ok(local_seconds),
            Zone::Fixed(east) => Ok(local_seconds - i64::from(east)),
            Zone::Named(zone) => named_to_utc(zone, local_seconds),
        }
    }
}

fn named_to_utc(zone: Tz, local_seconds: i64) -> Result<i64, NotOneInstant> {
    // Calendar years have four digits here: chrono's range is never left.
    let local = DateTime::from_timestamp(local_seconds, 0)
        .unwrap_or_default()
        .naive_utc();
    match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) => {
            Ok(local_seconds - i64::from(offset.fix().local_minus_utc()))
        }
        MappedLocalTime::Ambiguous(..) => Err(NotOneInstant::Repeated(zone)),
        MappedLocalTime::None => Err(NotOneInstant::Skipped(zone)),
    }
}

/// The offset that stands at `at`, in seconds east of UTC, and where it ends: a sign and `2`, `02`, `0200`, `200` or
/// `02:00`, less than a day.
pub(super) fn offset_at(cell: &[u8], at: usize) -> Option<(i32, usize)> {
    let (west, start) = match cell.get(at)? {
        b'+' => (false, at + 1),
        _ => match minus_at(cell, at) {
            0 => return None,
            length => (true, at + length),
        },
    };
    let digits_from = |from: usize| {
        let rest = &cell[from.min(cell.len())..];
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let number = |from: usize, to: usize| {
        cell[from..to]
            .iter()
            .fold(0, |value, byte| value * 10 + i32::from(byte - b'0'))
    };
    let count = digits_from(start);
    let mut end = start + count;
    let (hours, minutes) = match count {
        1 | 2 if cell.get(end) == Some(&b':') && digits_from(end + 1) == 2 => {
            end += 3;
            (number(start, start + count), number(end - 2, end))
        }
        1 | 2 => (number(start, end), 0),
        3 | 4 => (number(start, end - 2), number(end - 2, end)),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some((if west { -seconds } else { seconds }, end))
}

/// Abbreviations that `%Z` reads, in hours and minutes east of UTC. Each has one fixed meaning, whatever the date.
/// Where the world has several, it is the one that exports of exchanges mean: `CST` and `CDT` are North America's,
/// `BST` is British Summer Time. `IST` (India, Ireland, Israel) is left out.
const ABBREVIATIONS: [(&[u8], i32, i32); 38] = [
    (b"UTC", 0, 0),
    (b"GMT", 0, 0),
    (b"Z", 0, 0),
    (b"WET", 0, 0),
    (b"WEST", 1, 0),
    (b"BST", 1, 0),
    (b"CET", 1, 0),
    (b"CEST", 2, 0),
    (b"MEZ", 1, 0),
    (b"MESZ", 2, 0),
    (b"EET", 2, 0),
    (b"EEST", 3, 0),
    (b"MSK", 3, 0),
    (b"EST", -5, 0),
    (b"EDT", -4, 0),
    (b"CST", -6, 0),
    (b"CDT", -5, 0),
    (b"MST", -7, 0),
    (b"MDT", -6, 0),
    (b"PST", -8, 0),
    (b"PDT", -7, 0),
    (b"AKST", -9, 0),
    (b"AKDT", -8, 0),
    (b"HST", -10, 0),
    (b"BRT", -3, 0),
    (b"SAST", 2, 0),
    (b"GST", 4, 0),
    (b"ICT", 7, 0),
    (b"WIB", 7, 0),
    (b"SGT", 8, 0),
    (b"HKT", 8, 0),
    (b"AWST", 8, 0),
    (b"JST", 9, 0),
    (b"KST", 9, 0),
    (b"ACST", 9, 30),
    (b"AEST", 10, 0),
    (b"AEDT", 11, 0),
    (b"NZST", 12, 0),
];

/// The zone word that stands at `at`, in seconds east of UTC, and where it ends: an abbreviation in any case, and after
/// `UTC` and `GMT` perhaps an offset (`GMT+0200`).
pub(super) fn word_at(cell: &[u8], at: usize) -> Option<(i32, usize)> {
    let rest = cell.get(at..)?;
    let length = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let word = &rest[..length];
    let (name, hours, minutes) = ABBREVIATIONS
        .iter()
        .find(|(name, ..)| name.eq_ignore_ascii_case(word))?;
    let end = at + length;
    if matches!(*name, b"UTC" | b"GMT")
        && let Some(found) = offset_at(cell, end)
    {
        return Some(found);
    }
    Some((hours * 3600 + minutes * 60, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_in_the_forms_that_exports_write() {
        let cases = [
            ("", Zone::Utc),
            ("UTC", Zone::Utc),
            ("utc", Zone::Utc),
            ("GMT", Zone::Utc),
            ("Z", Zone::Utc),
            ("null", Zone::Utc),
            ("UTCnull", Zone::Utc),
            ("UTC+0", Zone::Utc),
            ("+00:00", Zone::Utc),
            ("UTC+2", Zone::Fixed(7200)),
            ("utc +2", Zone::Fixed(7200)),
            ("UTC-5", Zone::Fixed(-18000)),
            ("GMT+1", Zone::Fixed(3600)),
            ("+2", Zone::Fixed(7200)),
            ("+08:00", Zone::Fixed(28800)),
            ("+0800", Zone::Fixed(28800)),
            ("-03:30", Zone::Fixed(-12600)),
            ("−3", Zone::Fixed(-10800)),
            ("Europe/Paris", Zone::Named(Tz::Europe__Paris)),
            ("Etc/GMT+1", Zone::Named(Tz::Etc__GMTPlus1)),
        ];
        for (text, zone) in cases {
            assert_eq!(Zone::parse(text), Some(zone), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_zone_is_refused() {
        for text in [
            "Mars/Olympus",
            "+",
            "+24",
            "+1:60",
            "+12345",
            "+2x",
            "+8:0",
            "8",
            "UTC8",
            "€",
            "UTC€",
        ] {
            assert_eq!(Zone::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_abbreviation_stands_once() {
        for (index, (name, ..)) in ABBREVIATIONS.iter().enumerate() {
            assert!(
                ABBREVIATIONS[..index]
                    .iter()
                    .all(|(other, ..)| other != name)
            );
        }
    }

    #[test]
    fn an_hour_that_clocks_skip_or_repeat_is_not_one_instant() {
        let paris = Zone::Named(Tz::Europe__Paris);
        // 2021-03-28 02:30, 2021-10-31 02:30 and 2021-07-01 00:00, local
        assert_eq!(
            paris.to_utc(1_616_898_600),
            Err(NotOneInstant::Skipped(Tz::Europe__Paris))
        );
        assert_eq!(
            paris.to_utc(1_635_647_400),
            Err(NotOneInstant::Repeated(Tz::Europe__Paris))
        );
        assert_eq!(paris.to_utc(1_625_097_600), Ok(1_625_097_600 - 7200));
    }
}
