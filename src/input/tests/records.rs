//! Whatever the bytes and the delimiter, the records are those that the `csv` crate finds.

use proptest::prelude::*;

use crate::input::RecordReader;
use crate::input::limits::RECORD_CELLS;

const DELIMITERS: [u8; 8] = [b',', b';', b'\t', b'|', b' ', b'a', 0, 0xFF];

fn by_us(text: &[u8], delimiter: u8, reader: &mut RecordReader) -> Vec<Vec<Vec<u8>>> {
    let mut rows = Vec::new();
    let mut records = reader.start(text);
    while let Some(record) = records.next().expect("within the limits") {
        assert!(
            text.windows(record.bytes().len())
                .any(|bytes| bytes == record.bytes())
        );
        let cells: Vec<Vec<u8>> = record.iter().map(<[u8]>::to_vec).collect();
        for (index, cell) in cells.iter().enumerate() {
            assert_eq!(record.get(index), Some(cell.as_slice()), "{delimiter}");
        }
        assert_eq!((record.len(), record.get(cells.len())), (cells.len(), None));
        rows.push(cells);
    }
    rows
}

fn by_csv(text: &[u8], delimiter: u8) -> Vec<Vec<Vec<u8>>> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .delimiter(delimiter)
        .from_reader(text);
    let cells = |record: csv::ByteRecord| record.iter().map(<[u8]>::to_vec).collect();
    reader
        .byte_records()
        .map(|record| cells(record.expect("memory")))
        .collect()
}

/// A cell as a program writes it.
fn written_cell() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => Just(b"\"\"".to_vec()),
        2 => Just(Vec::new()),
        4 => "[0-9b.]{1,9}".prop_map(String::into_bytes),
        2 => "\"[ ,;b\n\r]{0,70}\"".prop_map(String::into_bytes),
        1 => "[b0]{50,140}".prop_map(String::into_bytes),
    ]
}

/// Records as a program writes them, now and then with a quote that stands wrong.
fn written(delimiter: u8) -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![
        40 => Just(vec![delimiter]),
        6 => Just(b"\n".to_vec()),
        4 => Just(b"\r\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => Just(b"\n\n".to_vec()),
        1 => Just(b"\"".to_vec()),
        1 => Just(b" \"b".to_vec()),
    ];
    prop::collection::vec((written_cell(), end), 0..60).prop_map(|cells| {
        cells
            .into_iter()
            .flat_map(|(cell, end)| [cell, end].concat())
            .collect()
    })
}

/// Any bytes, most of which mean something.
fn any_text(delimiter: u8) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => Just(b'"'),
        3 => Just(delimiter),
        1 => Just(b'\n'),
        1 => Just(b'\r'),
        4 => Just(b'b'),
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..300)
}

fn text_and_delimiter() -> impl Strategy<Value = (Vec<u8>, u8)> {
    prop::sample::select(&DELIMITERS[..]).prop_flat_map(|delimiter| {
        let text = prop_oneof![written(delimiter), any_text(delimiter)];
        (text, Just(delimiter))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn records_are_those_of_the_csv_crate((text, delimiter) in text_and_delimiter()) {
        // The csv crate takes a byte order mark away, which is the document's work here.
        prop_assume!(!text.starts_with(b"\xEF\xBB\xBF"));
        let mut reader = RecordReader::new(delimiter);
        let expected = by_csv(&text, delimiter);
        prop_assert_eq!(&by_us(&text, delimiter, &mut reader), &expected);
        // The reader's buffers keep nothing of the first time.
        prop_assert_eq!(by_us(&text, delimiter, &mut reader), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// More text than is looked through at once.
    #[test]
    fn records_of_long_texts_are_those_of_the_csv_crate(
        parts in prop::collection::vec(written(b','), 1..40), times in 1_usize..20, long in 0_usize..20_000,
    ) {
        let mut text = parts.concat().repeat(times);
        text.extend(std::iter::repeat_n(b"1,\"\",\"2\n,3 of a long cell, and more of it\",".as_slice(), long / 41).flatten());
        text.extend(parts.concat());
        let mut reader = RecordReader::new(b',');
        prop_assert_eq!(by_us(&text, b',', &mut reader), by_csv(&text, b','));
    }
}

#[test]
fn lines_are_counted_whatever_stands_in_them() {
    let text = "a,\"b\nc\"\r\n\r\n\nd\n\"x\"\"\ny\"\n".repeat(900) + "e\n\n";
    let mut reader = RecordReader::new(b',');
    let mut records = reader.start(text.as_bytes());
    let mut lines = Vec::new();
    while let Some(record) = records.next().unwrap() {
        lines.push(record.line());
    }
    let expected = (0..900).flat_map(|nth| [0, 4, 5].map(|line| 7 * nth + line));
    assert_eq!(lines, expected.chain([6300]).collect::<Vec<u32>>());
    assert!(records.ended_clean());
    assert_eq!(records.lines(), 6302);
}

#[test]
fn records_are_the_same_wherever_the_blocks_begin() {
    let record = "1,\"\",\"a,b\",\"\"\r\n\"\",,\"\n\",x\n\"\"\n";
    for before in 0..130 {
        for after in 0..70 {
            let text = format!(
                "{}\n{record}\"{}\",{record}",
                "y".repeat(before),
                "z".repeat(after)
            );
            let mut reader = RecordReader::new(b',');
            let rows = by_us(text.as_bytes(), b',', &mut reader);
            assert_eq!(rows, by_csv(text.as_bytes(), b','), "{before} {after}");
        }
    }
}

#[test]
fn a_record_with_stray_quotes_keeps_to_the_limits() {
    for line_end in ["", "\n", "\r\n1,2\n"] {
        for (bytes, fits) in [(100, true), (101, false)] {
            let text = format!("\nx\"{}{line_end}", "y".repeat(bytes - 2));
            let mut reader = RecordReader::with_record_bytes(b',', 100);
            let mut records = reader.start(text.as_bytes());
            let record = records.next();
            assert_eq!(record.is_ok(), fits, "{bytes} {line_end:?}");
            assert!(record.err().is_none_or(|error| error.line() == Some(2)));
        }
        for (cells, fits) in [(RECORD_CELLS, true), (RECORD_CELLS + 1, false)] {
            let text = format!("{}{line_end}", vec!["x\""; cells].join(","));
            let mut reader = RecordReader::new(b',');
            let mut records = reader.start(text.as_bytes());
            let record = records.next();
            assert_eq!(record.is_ok(), fits, "{cells} {line_end:?}");
            if let Ok(record) = record {
                let record = record.expect("one");
                assert_eq!((record.len(), record.get(7)), (cells, Some(&b"x\""[..])));
            }
        }
    }
}
