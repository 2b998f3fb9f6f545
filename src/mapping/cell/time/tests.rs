use crate::model::time::days_since_1970;
use chrono::{Datelike, NaiveDate};
use proptest::prelude::*;

use super::*;

/// The time as it is written, or the clause of the error.
fn read_in(zone: &str, formats: &[&str], cell: &str) -> String {
    let reader = TimeReader::new(formats).unwrap_or_else(|(_, why)| panic!("{formats:?}: {why}"));
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
