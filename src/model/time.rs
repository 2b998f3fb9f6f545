//! An instant, with as much of a fraction as its source wrote.

use std::fmt;

use super::amount::two_digits_of;

/// Nanoseconds in a second.
pub const NS_PER_SECOND: i64 = 1_000_000_000;
/// Seconds in a day.
pub const SECONDS_PER_DAY: i64 = 86_400;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_FROM_MARCH_0: i64 = 719_468;
/// Days in 400 years.
const DAYS_PER_ERA: u32 = 146_097;

/// An instant in UTC. Ordered by the instant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Since 1970-01-01T00:00:00Z.
    ns: i64,
    /// 0..=9, and enough for `ns`.
    digits: u8,
}

impl Time {
    /// `ns`: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted (the years 1677 to 2262). `digits`: how
    /// many digits of the fraction the source wrote, 0 to 9; more are taken if `ns` needs them, so that nothing is cut.
    pub fn new(ns: i64, digits: u8) -> Time {
        let mut digits = digits.min(9);
        while ns % POW10[usize::from(9 - digits)] != 0 {
            digits += 1;
        }
        Time { ns, digits }
    }

    /// As [`Time::new`], where `digits` are known to be enough for `ns`, and 9 at most.
    #[inline]
    pub(crate) fn with_enough_digits(ns: i64, digits: u8) -> Time {
        debug_assert_eq!(Time::new(ns, digits), Time { ns, digits });
        Time { ns, digits }
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub const fn ns(self) -> i64 {
        self.ns
    }

    /// How many digits the fraction of the second has, 0 to 9.
    pub const fn digits(self) -> u8 {
        self.digits
    }

    /// Appends `2021-02-03T04:05:06.700Z`, with exactly [`Time::digits`] digits in the fraction and no point without.
    pub fn write_to(self, out: &mut Vec<u8>) {
        let (text, length) = self.text();
        out.extend_from_slice(&text[..length]);
    }

    /// Reads `2021-02-03T04:05:06.700+01:00`: RFC 3339, with a blank or `t` for the `T` and `z` for the `Z` as it
    /// allows. `None` for another form, a date or time of day that does not exist (a leap second too), a fraction
    /// finer than nanoseconds, or an instant outside the years 1677 to 2262.
    pub fn parse_rfc3339(text: &str) -> Option<Time> {
        let text = text.as_bytes();
        let (head, mut tail) = text.split_at_checked(19)?;
        let marks = [head[4], head[7], head[13], head[16]];
        if marks != *b"--::" || !matches!(head[10], b'T' | b't' | b' ') {
            return None;
        }
        let field = |at| two_digits(head, at);
        let year = field(0)? * 100 + field(2)?;
        let days = checked_days(year, field(5)?, field(8)?)?;
        let seconds = seconds_of_day(field(11)?, field(14)?, field(17)?)?;
        let (mut fraction_ns, mut digits) = (0, 0_usize);
        if let [b'.', rest @ ..] = tail {
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if count == 0 || rest[..count].iter().skip(9).any(|byte| *byte != b'0') {
                return None;
            }
            digits = count.min(9);
            for byte in &rest[..digits] {
                fraction_ns = fraction_ns * 10 + i64::from(byte - b'0');
            }
            fraction_ns *= POW10[9 - digits];
            tail = &rest[count..];
        }
        let offset_seconds = match tail {
            b"Z" | b"z" => 0,
            [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
                let (hours, minutes) = (two_digits(tail, 1)?, two_digits(tail, 4)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let east = i64::from(hours * 3600 + minutes * 60);
                if *sign == b'-' { -east } else { east }
            }
            _ => return None,
        };
        let whole = days * SECONDS_PER_DAY + i64::from(seconds) - offset_seconds;
        // In 128 bits: the first seconds of the range fit only together with their fraction.
        let ns = i128::from(whole) * i128::from(NS_PER_SECOND) + i128::from(fraction_ns);
        Some(Time {
            ns: i64::try_from(ns).ok()?,
            digits: digits as u8,
        })
    }

    fn text(self) -> ([u8; 30], usize) {
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        let mut two = |at: usize, value: u32| {
            text[at..at + 2].copy_from_slice(&two_digits_of(u64::from(value)));
        };
        let seconds = self.ns.div_euclid(NS_PER_SECOND);
        let fraction_ns = self.ns.rem_euclid(NS_PER_SECOND) as u32;
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
        let of_day = seconds.rem_euclid(SECONDS_PER_DAY) as u32;
        two(0, year / 100);
        two(2, year % 100);
        two(5, month);
        two(8, day);
        two(11, of_day / 3600);
        two(14, of_day / 60 % 60);
        two(17, of_day % 60);
        if self.digits == 0 {
            text[19] = b'Z';
            return (text, 20);
        }
        if fraction_ns != 0 {
            text[20] = b'0' + (fraction_ns / 100_000_000) as u8;
            let rest = fraction_ns % 100_000_000;
            let (high, low) = (rest / 10_000, rest % 10_000);
            for (at, value) in [
                (21, high / 100),
                (23, high % 100),
                (25, low / 100),
                (27, low % 100),
            ] {
                text[at..at + 2].copy_from_slice(&two_digits_of(u64::from(value)));
            }
        }
        let end = 20 + usize::from(self.digits);
        text[end] = b'Z';
        (text, end + 1)
    }
}

/// Writes times as [`Time::write_to`] does. It remembers the text of the last, so that times of the same day, one after the
/// other, cost no calendar.
#[derive(Clone, Debug)]
pub struct TimeWriter {
    /// Midnight before the last time, in nanoseconds since 1970-01-01T00:00:00Z.
    day_ns: i64,
    /// The last time, perhaps with characters of others behind its `Z`.
    text: [u8; TIME_BYTES],
}

/// Room for the longest text of a time, 30 bytes, and what makes a copy of fixed size the cheapest.
const TIME_BYTES: usize = 32;

impl Default for TimeWriter {
    fn default() -> TimeWriter {
        TimeWriter {
            day_ns: 0,
            text: *b"1970-01-01T00:00:00.000000000Z  ",
        }
    }
}

impl TimeWriter {
    /// Appends what [`Time::write_to`] appends.
    pub fn write(&mut self, time: Time, out: &mut Vec<u8>) {
        let (text, length) = self.text(time);
        out.extend_from_slice(&text[..length]);
    }

    /// What [`Time::write_to`] appends, with something behind it; and how long it is.
    #[inline]
    pub fn text(&mut self, time: Time) -> (&[u8; TIME_BYTES], usize) {
        const DAY_NS: u64 = (SECONDS_PER_DAY * NS_PER_SECOND) as u64;
        let mut of_day_ns = time.ns.wrapping_sub(self.day_ns) as u64;
        if of_day_ns >= DAY_NS {
            of_day_ns = self.turn_to(time);
        }
        let of_day = (of_day_ns / NS_PER_SECOND as u64) as u32;
        let fraction_ns = (of_day_ns % NS_PER_SECOND as u64) as u32;
        let minutes = of_day / 60;
        let mut two = |at: usize, value: u32| {
            self.text[at..at + 2].copy_from_slice(&two_digits_of(u64::from(value)));
        };
        two(11, minutes / 60);
        two(14, minutes % 60);
        two(17, of_day % 60);
        let digits = usize::from(time.digits);
        match digits {
            0 => {}
            1..=3 => {
                let ms = fraction_ns / 1_000_000;
                two(20, ms / 10);
                self.text[22] = b'0' + (ms % 10) as u8;
            }
            _ => {
                let (high, low) = (fraction_ns / 100_000, fraction_ns % 100_000);
                two(20, high / 100);
                two(22, high % 100);
                two(24, low / 1000);
                two(26, low / 10 % 100);
                self.text[28] = b'0' + (low % 10) as u8;
            }
        }
        let end = if digits == 0 { 19 } else { 20 + digits };
        self.text[19] = b'.';
        self.text[end % TIME_BYTES] = b'Z';
        (&self.text, end + 1)
    }

    /// Goes over to the day of a time; gives the nanoseconds since its midnight.
    #[inline(never)]
    fn turn_to(&mut self, time: Time) -> u64 {
        let (text, _) = time.text();
        self.text[..10].copy_from_slice(&text[..10]);
        let of_day_ns = time.ns.rem_euclid(SECONDS_PER_DAY * NS_PER_SECOND);
        // The first midnight in range is too early for 64 bits, and is right nevertheless: it is only subtracted.
        self.day_ns = time.ns.wrapping_sub(of_day_ns);
        of_day_ns as u64
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, length) = self.text();
        f.pad(str::from_utf8(&text[..length]).map_err(|_| fmt::Error)?)
    }
}

/// `POW10[n]` is 10^n.
pub(crate) const POW10: [i64; 10] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
];

/// The number of the two digits at `at`; `None` if they are not digits or not there.
#[inline]
pub(crate) fn two_digits(text: &[u8], at: usize) -> Option<u32> {
    let pair = text.get(at..at + 2)?;
    let (tens, ones) = (pair[0].wrapping_sub(b'0'), pair[1].wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// How many days a month (1 to 12) of the Gregorian calendar has.
#[inline]
pub(crate) const fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date that exists, years 0 to 9999 of the Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years that begin in March put the leap day
/// last.
#[inline]
pub(crate) const fn days_from_civil(year: u32, month: u32, day: u32) -> i64 {
    // 400 years on, so that January of the year 0 stays above zero.
    let year = year + 400 - (month <= 2) as u32;
    let of_era = year % 400;
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let days = year / 400 * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    days as i64 - DAYS_PER_ERA as i64 - EPOCH_FROM_MARCH_0
}

/// The first and the last year that [`days_since_1970`] knows.
const YEARS: (u32, u32) = (1970, 2261);

/// For each of [`YEARS`]: twice the days from 1970-01-01 to its first, and one more if it is a leap year.
const YEAR_STARTS: [u32; (YEARS.1 - YEARS.0 + 1) as usize] = {
    let mut table = [0; (YEARS.1 - YEARS.0 + 1) as usize];
    let mut year = YEARS.0;
    while year <= YEARS.1 {
        let leap = days_in_month(year, 2) == 29;
        table[(year - YEARS.0) as usize] = 2 * days_from_civil(year, 1, 1) as u32 + leap as u32;
        year += 1;
    }
    table
};

/// At twice the month, and one more in a leap year: the days of the year before it, and its own days; none for months that
/// do not exist.
const MONTH_STARTS: [(u16, u16); 32] = {
    let mut table = [(0, 0); 32];
    let mut index = 2;
    while index <= 25 {
        let (year, month) = (2003 + index % 2, index / 2);
        let before = days_from_civil(year, month, 1) - days_from_civil(year, 1, 1);
        table[index as usize] = (before as u16, days_in_month(year, month) as u16);
        index += 1;
    }
    table
};

/// [`checked_days`] by tables; `None` as well for years before 1970 or after 2261.
#[inline]
pub(crate) fn days_since_1970(year: u32, month: u32, day: u32) -> Option<u32> {
    let start = *YEAR_STARTS.get(year.wrapping_sub(YEARS.0) as usize)?;
    let (before, length) = *MONTH_STARTS.get((2 * month + (start & 1)) as usize)?;
    let of_month = day.wrapping_sub(1);
    (of_month < u32::from(length)).then(|| start / 2 + u32::from(before) + of_month)
}

/// Days since 1970-01-01; `None` for a date that does not exist.
#[inline]
pub(crate) fn checked_days(year: u32, month: u32, day: u32) -> Option<i64> {
    let exists =
        (1..=12).contains(&month) && day >= 1 && (day <= 28 || day <= days_in_month(year, month));
    exists.then(|| days_from_civil(year, month, day))
}

/// Seconds since midnight; `None` for a time of day that does not exist (24:00, a leap second).
#[inline]
pub(crate) const fn seconds_of_day(hour: u32, minute: u32, second: u32) -> Option<u32> {
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(hour * 3600 + minute * 60 + second)
}

/// Year, month and day of a day since 1970-01-01 that an `i64` of nanoseconds reaches. Source: as
/// [`days_from_civil`].
fn civil_from_days(days: i64) -> (u32, u32, u32) {
    let days = (days + EPOCH_FROM_MARCH_0) as u32; // from 1677: never below zero
    let (era, of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    (era * 400 + year + u32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat};
    use proptest::prelude::*;

    use super::*;

    fn instants() -> impl Strategy<Value = Time> {
        let ns = prop_oneof![
            any::<i64>(),
            0..7_258_118_400_000_000_000_i64,
            prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0), Just(-1)]
        ];
        (ns, 0_u8..=9, 0_usize..=9)
            .prop_map(|(ns, digits, zeros)| Time::new(ns / POW10[zeros] * POW10[zeros], digits))
    }

    #[test]
    fn a_time_is_written_with_the_digits_of_its_source() {
        let ns = 1_612_325_106_700_000_000;
        assert_eq!(Time::new(ns, 3).to_string(), "2021-02-03T04:05:06.700Z");
        assert_eq!(
            Time::new(ns, 9).to_string(),
            "2021-02-03T04:05:06.700000000Z"
        );
        // None is cut.
        assert_eq!(Time::new(ns, 0).to_string(), "2021-02-03T04:05:06.7Z");
        assert_eq!(Time::new(ns, 200).digits(), 9);
        assert_eq!(Time::new(0, 0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(
            Time::new(-1, 0).to_string(),
            "1969-12-31T23:59:59.999999999Z"
        );
        assert_eq!(
            Time::new(i64::MIN, 0).to_string(),
            "1677-09-21T00:12:43.145224192Z"
        );
        assert_eq!(
            Time::new(i64::MAX, 0).to_string(),
            "2262-04-11T23:47:16.854775807Z"
        );
        let mut out = b"x".to_vec();
        Time::new(1, 9).write_to(&mut out);
        assert_eq!(out, b"x1970-01-01T00:00:00.000000001Z");
    }

    #[test]
    fn rfc_3339_is_read_with_its_offset_and_digits() {
        for (text, expected) in [
            ("2021-02-03T04:05:06Z", "2021-02-03T04:05:06Z"),
            ("2021-02-03 04:05:06z", "2021-02-03T04:05:06Z"),
            ("2021-02-03t04:05:06.70+01:00", "2021-02-03T03:05:06.70Z"),
            ("2021-02-03T04:05:06.70-00:30", "2021-02-03T04:35:06.70Z"),
            (
                "2020-02-29T23:59:59.123456789000-23:59",
                "2020-03-01T23:58:59.123456789Z",
            ),
        ] {
            let time = Time::parse_rfc3339(text).map(|time| time.to_string());
            assert_eq!(time.as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "2021-02-03",
            "2021-02-03T04:05:06",
            "2021-02-03T04:05:06.Z",
            "2021-02-03T04:05:06.1234567891Z",
            "2021-02-03T04:05:06+24:00",
            "2021-02-03T04:05:06+01:60",
            "2021-02-03T04:05:06+0100",
            "2021-02-03T04:05:06ZZ",
            "2021-02-29T04:05:06Z",
            "2021-13-01T04:05:06Z",
            "2021-00-01T04:05:06Z",
            "2021-01-00T04:05:06Z",
            "2021-01-01T24:00:00Z",
            "2021-01-01T23:60:00Z",
            "2016-12-31T23:59:60Z",
            "1677-09-21T00:12:43Z",
            "2262-04-11T23:47:17Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2021-02-03T04:05:0é",
            "é021-02-03T04:05:06Z",
        ] {
            assert_eq!(Time::parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_from_1600_to_2400_agrees_with_chrono() {
        let mut day = NaiveDate::from_ymd_opt(1600, 1, 1).unwrap();
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        while day.year() < 2400 {
            let days = days_from_civil(day.year() as u32, day.month(), day.day());
            assert_eq!(days, (day - epoch).num_days(), "{day}");
            let (year, month) = (day.year() as u32, day.month());
            let next = day.succ_opt().unwrap();
            assert_eq!(
                days_in_month(year, month) == day.day(),
                next.month() != month,
                "{day}"
            );
            if (1678..2262).contains(&day.year()) {
                let time = Time::new(days * SECONDS_PER_DAY * NS_PER_SECOND, 0);
                assert_eq!(time.to_string(), format!("{day}T00:00:00Z"));
            }
            day = next;
        }
        assert_eq!(days_from_civil(0, 1, 1), -719_528);
        assert_eq!(days_from_civil(9999, 12, 31), 2_932_896);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_written_time_is_read_back_as_itself(time in instants()) {
            prop_assert_eq!(Time::parse_rfc3339(&time.to_string()), Some(time));
        }

        #[test]
        fn a_writer_writes_what_each_time_is(times in proptest::collection::vec((instants(), -3_000_000_000_i64..90_000_000_000_000, 0_u8..=9), 1..12)) {
            let mut writer = TimeWriter::default();
            for (time, later, digits) in times {
                for time in [time, Time::new(time.ns().saturating_add(later), digits), Time::new(later, 0), Time::new(later / 1_000_000 * 1_000_000, 3)] {
                    let mut out = b"x".to_vec();
                    writer.write(time, &mut out);
                    prop_assert_eq!(out, format!("x{time}").into_bytes());
                }
            }
        }

        #[test]
        fn a_time_is_written_as_chrono_writes_it(ns in any::<i64>()) {
            let expected = DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::Nanos, true);
            prop_assert_eq!(Time::new(ns, 9).to_string(), expected);
        }

        #[test]
        fn reading_any_text_does_not_panic(text in any::<String>(), like in "[0-9TtZz:. +-]{19,32}") {
            let _ = Time::parse_rfc3339(&text);
            let _ = Time::parse_rfc3339(&like);
        }

        #[test]
        fn times_are_ordered_by_their_instants(a in instants(), b in instants()) {
            prop_assert!(a.ns() == b.ns() || a.cmp(&b) == a.ns().cmp(&b.ns()));
        }
    }
}
