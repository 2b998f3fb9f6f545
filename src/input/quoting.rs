//! `csv-core` readers: making one costs as much as reading a hundred records, so they are used again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// A `csv-core` reader that is past its first read: only there it would take a byte order mark away.
#[derive(Debug)]
pub(crate) struct CoreReader {
    delimiter: u8,
    /// There until it is dropped.
    reader: Option<Box<Reader>>,
}

/// Readers that nobody uses, with their delimiters.
static SPARE: Mutex<Vec<(u8, Box<Reader>)>> = Mutex::new(Vec::new());

/// The most readers that are kept: some for each thread.
const MOST_SPARE: usize = 64;

fn spare() -> MutexGuard<'static, Vec<(u8, Box<Reader>)>> {
    // Whatever became of a thread, the list is whole.
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take_spare(delimiter: u8) -> Option<Box<Reader>> {
    let mut spare = spare();
    let at = spare.iter().position(|(of, _)| *of == delimiter)?;
    Some(spare.swap_remove(at).1)
}

impl CoreReader {
    pub(crate) fn new(delimiter: u8) -> CoreReader {
        let reader = take_spare(delimiter)
            .unwrap_or_else(|| Box::new(ReaderBuilder::new().delimiter(delimiter).build()));
        let mut reader = CoreReader {
            delimiter,
            reader: Some(reader),
        };
        reader.restart();
        reader
    }

    fn reader(&mut self) -> &mut Reader {
        self.reader.as_mut().expect("it is there until the drop")
    }

    /// Forgets the record that it is in: what is read next begins one.
    pub(crate) fn restart(&mut self) {
        self.reader().reset();
        self.reader().read_record(b"\n", &mut [0], &mut [0]);
    }

    /// As [`csv_core::Reader::read_record`].
    pub(crate) fn read_record(
        &mut self,
        text: &[u8],
        cells: &mut [u8],
        ends: &mut [usize],
    ) -> (ReadRecordResult, usize, usize, usize) {
        self.reader().read_record(text, cells, ends)
    }
}

impl Drop for CoreReader {
    fn drop(&mut self) {
        let mut spare = spare();
        if spare.len() < MOST_SPARE {
            spare.extend(self.reader.take().map(|reader| (self.delimiter, reader)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_was_left_inside_a_record_begins_anew() {
        let delimiter = b'^';
        for _ in 0..3 {
            let mut reader = CoreReader::new(delimiter);
            for _ in 0..2 {
                let (mut cells, mut ends) = ([0; 16], [0; 4]);
                let read = reader.read_record(b"\xEF\xBB\xBF^b\n", &mut cells, &mut ends);
                assert_eq!(read, (ReadRecordResult::Record, 6, 4, 2));
                assert_eq!(
                    (&cells[..4], &ends[..2]),
                    (&b"\xEF\xBB\xBFb"[..], &[3, 4][..])
                );
                let read = reader.read_record(b"c^\"d\n", &mut cells, &mut ends);
                assert_eq!(read.0, ReadRecordResult::InputEmpty);
                reader.restart();
            }
            reader.read_record(b"\"e", &mut [0; 16], &mut [0; 4]);
        }
        assert!(spare().iter().any(|(of, _)| *of == delimiter));
    }
}
