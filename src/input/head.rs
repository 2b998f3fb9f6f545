//! The first records of a document, to tell what it is and where its rows begin.

use super::document::Position;
use super::limits::HEAD_BYTES;
use super::record::RecordReader;

/// One of the first records of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadRecord {
    /// Its cells without their quotes; bytes that are not UTF-8 become U+FFFD.
    pub cells: Vec<String>,
    /// The line it begins on, 1-based.
    pub line: u64,
    /// Where the text after it begins: the next record, or blank lines before that.
    pub end: Position,
}

/// The first records of a [head](super::Document::head), at most `limit`. Blank lines are no records.
/// A record that the head cuts off is left out, and so is all after a record that passes the
/// [limits](super::limits).
pub fn head_records(head: &[u8], delimiter: u8, limit: usize) -> Vec<HeadRecord> {
    let mut found = Vec::new();
    let mut reader = RecordReader::new(delimiter);
    let mut records = reader.start(head);
    while found.len() < limit {
        let Ok(Some(record)) = records.next() else {
            break;
        };
        let cells = record
            .iter()
            .map(|cell| match str::from_utf8(cell) {
                Ok(text) => text.to_owned(),
                Err(_) => String::from_utf8_lossy(cell).into_owned(),
            })
            .collect();
        let line = u64::from(record.line()) + 1;
        let end = records.position();
        found.push(HeadRecord { cells, line, end });
    }
    // A head is the whole document, or whole lines of it, or (full) the beginning of its first line.
    let whole = head.len() < HEAD_BYTES && !head.ends_with(b"\n");
    if records.ended_inside() && !whole {
        found.pop();
    }
    found
}
