//! No bytes make the program panic: they are read, or an error says why not.

use proptest::prelude::*;

use super::archives::{tar, zip};
use super::workbooks::workbook;
use super::{Folder, gzip};
use crate::input::{CutMode, Document, Position, RecordReader, head_records};

/// Reads everything that can be found in a file with these bytes.
fn read_all(bytes: &[u8]) {
    let folder = Folder::new();
    folder.write("any", bytes);
    let found = folder.discover(&["any"]).expect("it exists");
    for source in &found.sources {
        for label in [None, Some("utf-16le"), Some("shift_jis")] {
            let Ok(document) = Document::open(source, label) else {
                continue;
            };
            let _ = head_records(document.head(), b';', 10);
            let mut chunks = document.into_chunks_of(Position::START, b',', CutMode::Guess, 100);
            let mut reader = RecordReader::new(b',');
            while let Ok(Some(chunk)) = chunks.next() {
                let mut records = reader.start(&chunk.text);
                while let Ok(Some(record)) = records.next() {
                    assert_eq!(record.iter().count(), record.len());
                }
            }
        }
    }
}

/// A file of each kind that is taken apart.
fn files() -> Vec<Vec<u8>> {
    let text = b"a,b\n1,\"2\"\n".repeat(50);
    vec![
        gzip(&text),
        zip(&[("a.csv", &text), ("b.csv.gz", &gzip(&text))]),
        gzip(&tar(&[("a.csv", &text)])),
        tar(&[("a.csv", &text)]),
        workbook(),
        zip(&[("b.xlsx", &workbook())]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read_all(&bytes);
    }

    #[test]
    fn any_damage_to_an_archive_is_read_or_refused(
        which in 0usize..6,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = files().swap_remove(which);
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_all(&bytes);
    }
}
