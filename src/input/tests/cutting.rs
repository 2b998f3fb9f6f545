//! Whatever the bytes and wherever the cuts, the records are those of the whole text.

use proptest::prelude::*;

use crate::input::chunk::{Chunks, Uncut};
use crate::input::decode::TextReader;
use crate::input::unpack::Raw;
use crate::input::{CutMode, Position, RecordReader, head_records};

/// A record as a test compares it: its line (1-based) and its cells.
type Row = (u64, Vec<Vec<u8>>);

fn rows_of(text: &[u8], lines_before: u64, reader: &mut RecordReader) -> (Vec<Row>, bool) {
    let mut rows = Vec::new();
    let mut records = reader.start(text);
    while let Some(record) = records.next().expect("within the limits") {
        let cells: Vec<Vec<u8>> = record.iter().map(<[u8]>::to_vec).collect();
        assert_eq!(cells.len(), record.len());
        for (index, cell) in cells.iter().enumerate() {
            assert_eq!(record.get(index), Some(cell.as_slice()));
        }
        assert_eq!(record.get(cells.len()), None);
        rows.push((lines_before + 1 + u64::from(record.line()), cells));
    }
    let lines = text.iter().filter(|&&byte| byte == b'\n').count();
    assert_eq!(records.lines() as usize, lines);
    (rows, records.ended_clean())
}

fn whole(text: &[u8]) -> Vec<Row> {
    rows_of(text, 0, &mut RecordReader::new(b',')).0
}

/// What the `csv` crate makes of it. Its line numbers are of where it began to look for the record,
/// before blank lines.
fn by_csv(text: &[u8]) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(text);
    let mut record = csv::ByteRecord::new();
    let mut rows = Vec::new();
    while reader.read_byte_record(&mut record).expect("memory") {
        let mut at = record.position().expect("a position").byte() as usize;
        while matches!(text.get(at), Some(b'\n' | b'\r')) {
            at += 1;
        }
        let line = text[..at].iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
        rows.push((line, record.iter().map(<[u8]>::to_vec).collect()));
    }
    rows
}

fn chunks_of(text: &[u8], start: Position, mode: CutMode, size: usize) -> Chunks {
    // A part of the text is read already, as by a document's head.
    let (read, left) = text.split_at(text.len() / 3);
    let uncut = Uncut {
        source_name: "test.csv".to_owned(),
        reader: TextReader::new(Raw::from_memory(left.to_vec()), None),
        text: read.to_vec(),
    };
    Chunks::new(uncut, start, b',', mode, size)
}

/// The records of all chunks, and whether all but the last ended clean.
fn cut(text: &[u8], mode: CutMode, size: usize) -> (Vec<Row>, bool) {
    let mut chunks = chunks_of(text, Position::START, mode, size);
    let mut reader = RecordReader::new(b',');
    let (mut rows, mut all_clean, mut glued) = (Vec::new(), true, Vec::new());
    let mut ended = false;
    while let Some(chunk) = chunks.next().expect("memory") {
        assert!(!ended, "a chunk after the last");
        assert!(!chunk.text.is_empty());
        assert_eq!(chunk.is_utf8(), std::str::from_utf8(&chunk.text).is_ok());
        ended = chunk.is_last;
        let (more, clean) = rows_of(&chunk.text, chunk.lines_before, &mut reader);
        rows.extend(more);
        all_clean &= clean || chunk.is_last;
        glued.extend_from_slice(&chunk.text);
        chunks.recycle(chunk.text);
    }
    assert_eq!(glued, text);
    assert_eq!(ended, !text.is_empty());
    (rows, all_clean)
}

fn check(text: &[u8], size: usize) {
    let expected = whole(text);
    // The csv crate takes a byte order mark away, which is the document's work here.
    if !text.starts_with(b"\xEF\xBB\xBF") {
        assert_eq!(expected, by_csv(text), "as the csv crate");
    }
    let (exact, clean) = cut(text, CutMode::Exact, size);
    assert!(clean, "an exact cut is a cut between records");
    assert_eq!(exact, expected, "exact, {size}");
    let (guessed, clean) = cut(text, CutMode::Guess, size);
    if clean {
        assert_eq!(guessed, expected, "guessed, {size}");
    }
}

/// A text over many chunks, and whether all of its guessed cuts are right.
fn guesses(record: &str, times: usize) -> bool {
    let text = record.repeat(times);
    let (rows, clean) = cut(text.as_bytes(), CutMode::Guess, 256);
    assert!(!clean || rows == whole(text.as_bytes()));
    check(text.as_bytes(), 256);
    clean
}

#[test]
fn quoted_line_breaks_and_stray_quotes_are_guessed_right() {
    assert!(guesses("1,2,3\n", 500));
    assert!(guesses("1,2,3\r\n", 500));
    assert!(guesses("1,\"two\nlines\",3\n", 500));
    assert!(guesses("1,\"two\r\nlines\",\"\",3\r\n", 500));
    assert!(guesses("1,\"an \"\"escaped\"\" one\",3\n", 500));
    assert!(guesses("1,a 5\" disk,3\n", 500), "stray quotes, two by two");
}

#[test]
fn a_wrong_guess_is_seen() {
    // After one stray quote, the even line ends are those inside of cells.
    let text = format!("1,a 5\" disk\n{}", "1,\"two\nlines\"\n".repeat(500));
    assert!(!cut(text.as_bytes(), CutMode::Guess, 256).1);
    check(text.as_bytes(), 256);
}

#[test]
fn chunks_and_sources_can_be_sent_to_another_thread() {
    fn can_be_sent<T: Send>() {}
    fn can_be_shared<T: Send + Sync>() {}
    can_be_sent::<Chunks>();
    can_be_sent::<crate::input::Document>();
    can_be_sent::<RecordReader>();
    can_be_shared::<crate::input::Source>();
    can_be_shared::<crate::input::InputError>();
}

fn text_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => Just(&b"\""[..]),
        3 => Just(&b","[..]),
        3 => Just(&b"\n"[..]),
        2 => Just(&b"\r\n"[..]),
        1 => Just(&b"\r"[..]),
        4 => Just(&b"a"[..]),
        2 => Just(&b"bc d"[..]),
        1 => Just(&b"\"\""[..]),
        1 => Just(&b"\"x\ny\""[..]),
        1 => Just(&b"\xEF\xBB\xBF"[..]),
        1 => Just(&b"\xBF"[..]),
        1 => Just(&b"a cell that is longer than a block of the bytes that are looked at together"[..]),
        1 => Just(&b"\"\",\"\",\"\",\"\",\"quoted, with a separator\",0.1\n"[..]),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_of_any_bytes_gives_the_records_of_the_whole(text in text_like(), size in 1usize..80) {
        check(&text, size);
    }

    #[test]
    fn the_records_after_a_head_record_are_the_rest(text in text_like(), size in 1usize..80) {
        let rows = whole(&text);
        for (index, head) in head_records(&text, b',', usize::MAX).iter().enumerate() {
            prop_assert_eq!(head.line, rows[index].0);
            let mut chunks = chunks_of(&text, head.end, CutMode::Exact, size);
            let mut reader = RecordReader::new(b',');
            let mut rest = Vec::new();
            while let Some(chunk) = chunks.next().expect("memory") {
                rest.extend(rows_of(&chunk.text, chunk.lines_before, &mut reader).0);
            }
            prop_assert_eq!(&rest, &rows[index + 1..]);
        }
    }
}
