//! What is too large ends in a sentence, and memory stays flat.

use std::io::{self, Read};

use crate::input::chunk::{Chunks, Uncut};
use crate::input::decode::TextReader;
use crate::input::limits::{CHUNK_BYTES, RECORD_BYTES, RECORD_CELLS};
use crate::input::unpack::Raw;
use crate::input::{CutMode, InputError, InputErrorKind, Position, RecordReader};

/// A text that is made while it is read: `pattern` over and over, `bytes` long.
struct Made {
    pattern: &'static [u8],
    at: usize,
    left: usize,
}

impl Read for Made {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(self.left);
        for byte in &mut into[..count] {
            *byte = self.pattern[self.at % self.pattern.len()];
            self.at += 1;
        }
        self.left -= count;
        Ok(count)
    }
}

fn made(prefix: &[u8], pattern: &'static [u8], bytes: usize, mode: CutMode) -> Chunks {
    let made = Made {
        pattern,
        at: 0,
        left: bytes,
    };
    let uncut = Uncut {
        source_name: "made.csv".to_owned(),
        reader: TextReader::new(Raw::from_reader(made), None),
        text: prefix.to_vec(),
    };
    Chunks::new(uncut, Position::START, b',', mode, CHUNK_BYTES)
}

/// Reads on until an error, and returns it with the largest chunk before it.
fn first_error(mut chunks: Chunks) -> (Option<InputError>, usize) {
    let mut largest = 0;
    loop {
        match chunks.next() {
            Ok(Some(chunk)) => {
                largest = largest.max(chunk.text.len());
                chunks.recycle(chunk.text);
            }
            Ok(None) => return (None, largest),
            Err(error) => {
                assert!(chunks.next().expect("nothing more").is_none());
                return (Some(error), largest);
            }
        }
    }
}

#[test]
fn a_line_of_a_gigabyte_is_an_error_that_names_its_line() {
    for mode in [CutMode::Guess, CutMode::Exact] {
        let (error, _) = first_error(made(b"a,b\n1,2\n", b"x", 1 << 30, mode));
        let error = error.expect("too long");
        let limit_bytes = RECORD_BYTES;
        assert_eq!(error.kind(), &InputErrorKind::RecordTooLong { limit_bytes });
        assert_eq!((error.line(), error.source_name()), (Some(3), "made.csv"));
        assert_eq!(
            error.to_string(),
            "made.csv: the record that begins on line 3 is longer than 16 MiB: \
             a quote that is never closed?"
        );
    }
}

#[test]
fn a_quote_that_is_never_closed_is_an_error_that_names_where_it_begins() {
    let prefix = b"a,b\n\n1,\"oh\n";
    let (error, _) = first_error(made(prefix, b"1,2\n", 64 << 20, CutMode::Exact));
    assert_eq!(error.expect("too long").line(), Some(3));
}

#[test]
fn many_blank_lines_are_no_record() {
    for pattern in [&b"\n"[..], b"\r\n", b"\r"] {
        for mode in [CutMode::Guess, CutMode::Exact] {
            let (error, largest) = first_error(made(b"", pattern, 40 << 20, mode));
            assert_eq!(error, None);
            assert!(largest <= CHUNK_BYTES);
        }
    }
}

#[test]
fn chunks_do_not_grow_with_the_document() {
    for mode in [CutMode::Guess, CutMode::Exact] {
        let (error, largest) = first_error(made(b"\"x\ny\"\n", b"1,\"2\n3\"\n", 64 << 20, mode));
        assert_eq!(error, None);
        assert!(largest <= CHUNK_BYTES, "{largest}");
    }
}

#[test]
fn a_record_of_just_the_limit_is_read_and_one_byte_more_is_not() {
    for quote in ["", "\""] {
        for line_end in ["\n", "\r\n", ""] {
            for (extra, fits) in [(0, true), (1, false)] {
                let cell = "x".repeat(100 + extra - 2 * quote.len());
                let text = format!("\n{quote}{cell}{quote}{line_end}");
                let error = first_error(chunks_of(&text, 10, 100)).0;
                // A last chunk is given out whole: its reader sees how long the record is.
                let error = error.or_else(|| {
                    let mut reader = RecordReader::with_record_bytes(b',', 100);
                    reader.start(text.as_bytes()).next().err()
                });
                assert_eq!(error.is_none(), fits, "{text:?}");
                assert!(error.is_none_or(|error| error.line() == Some(2)));
            }
        }
    }
}

fn chunks_of(text: &str, chunk_bytes: usize, record_bytes: usize) -> Chunks {
    let uncut = Uncut {
        source_name: "small.csv".to_owned(),
        reader: TextReader::new(Raw::from_memory(text.as_bytes().to_vec()), None),
        text: Vec::new(),
    };
    let mut chunks = Chunks::new(uncut, Position::START, b',', CutMode::Exact, chunk_bytes);
    chunks.set_record_bytes(record_bytes);
    chunks
}

#[test]
fn a_million_columns_are_an_error_and_the_limit_itself_is_not() {
    let mut reader = RecordReader::new(b',');
    for (quoted, cell) in [(false, "x"), (true, "\"x\"")] {
        for (cells, fits) in [
            (RECORD_CELLS, true),
            (RECORD_CELLS + 1, false),
            (1_000_000, false),
        ] {
            for line_end in ["\n", ""] {
                let text = format!("a,b\n{}{line_end}", vec![cell; cells].join(","));
                let mut records = reader.start(text.as_bytes());
                assert_eq!(
                    records.next().expect("short").map(|record| record.len()),
                    Some(2)
                );
                match records.next() {
                    Ok(record) => {
                        assert!(fits, "{cells} {quoted}");
                        assert_eq!(record.expect("one").len(), cells);
                    }
                    Err(error) => {
                        assert!(!fits, "{cells} {quoted}");
                        let limit = RECORD_CELLS;
                        assert_eq!(error.kind(), &InputErrorKind::TooManyColumns { limit });
                        let error = error.in_source("wide.csv", 10);
                        assert_eq!(
                            error.to_string(),
                            "wide.csv: the record that begins on line 12 has more than 4096 columns"
                        );
                        assert!(records.next().expect("nothing more").is_none());
                        assert!(!records.ended_clean());
                    }
                }
            }
        }
    }
    // After an error the reader is as good as new.
    let mut records = reader.start(b"\"a\"\"\",b\n");
    let record = records.next().expect("short").expect("one");
    assert_eq!(record.iter().collect::<Vec<_>>(), [&b"a\""[..], b"b"]);
}
