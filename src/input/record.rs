//! From text to records of cells, without an allocation per record.
//!
//! Almost every record is read the fast way: separators are found 64 bytes at a time, those between
//! quotes are left out, and the cells are slices of the text. This is right if every quote of the record
//! is the first or the last byte of a cell that has no other quotes, which is seen by counting: then
//! `csv-core`, whose rules are the ones that count, would find the same. Any other record (an escaped
//! quote, a stray one) is read again by `csv-core` itself, which unescapes it into a buffer.

use csv_core::ReadRecordResult;
use memchr::memchr_iter;

use super::document::Position;
use super::error::{InputError, InputErrorKind};
use super::limits::{RECORD_BYTES, RECORD_CELLS};
use super::marks::{BLOCK, Marks, odd_so_far};

/// Reads the records of one text after another; made once per worker, its buffers are reused.
#[derive(Debug)]
pub struct RecordReader {
    delimiter: u8,
    quoted: QuotedReader,
    /// Where the cells of the current record are: as many as a record may have.
    spans: Box<[Span]>,
    /// The longest record in bytes: a field so that tests can make it small.
    record_bytes: usize,
}

/// Where a cell begins and ends, in bytes from where its record's cells are.
type Span = (u32, u32);

impl RecordReader {
    /// A reader of records whose cells are separated by `delimiter`.
    ///
    /// # Panics
    /// If the delimiter is a quote or a line end, which no text can be read with.
    pub fn new(delimiter: u8) -> RecordReader {
        assert!(
            !matches!(delimiter, b'"' | b'\n' | b'\r'),
            "a quote or a line end cannot separate cells"
        );
        RecordReader {
            delimiter,
            quoted: QuotedReader::new(delimiter),
            spans: vec![(0, 0); RECORD_CELLS].into(),
            record_bytes: RECORD_BYTES,
        }
    }

    #[cfg(test)]
    pub(crate) fn with_record_bytes(delimiter: u8, record_bytes: usize) -> RecordReader {
        RecordReader {
            record_bytes,
            ..RecordReader::new(delimiter)
        }
    }

    /// The records of a text that begins where a record begins.
    pub fn start<'a>(&'a mut self, text: &'a [u8]) -> Records<'a> {
        Records {
            reader: self,
            text,
            at: 0,
            line: 0,
            window: Window::from(0),
            state: State::Between,
        }
    }
}

/// The records of one text, in order.
#[derive(Debug)]
pub struct Records<'a> {
    reader: &'a mut RecordReader,
    text: &'a [u8],
    /// Where the next record, or a blank line before it, begins.
    at: usize,
    /// Lines before `at`.
    line: u32,
    window: Window,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A record may follow.
    Between,
    /// The text ended where a record had ended.
    EndedClean,
    /// The text ended inside a record, which was given out as the last.
    EndedInside,
    /// A record was too large to be given out.
    Failed,
}

/// The marks of the block of text that is being read, without those that were passed.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// Where the block begins, and where the next one does.
    block: usize,
    next: usize,
    /// Separators outside of quotes, and between quotes.
    ends: u64,
    quoted_separators: u64,
    quotes: u64,
    /// All ones if the block ends between quotes, else zero.
    inside: u64,
}

impl Window {
    /// Before the first block, which is to begin at `next`, outside of quotes.
    fn from(next: usize) -> Window {
        Window {
            block: next,
            next,
            ends: 0,
            quoted_separators: 0,
            quotes: 0,
            inside: 0,
        }
    }

    /// Moves to the next block; `false` at the end of the text.
    #[inline]
    fn advance(&mut self, text: &[u8], delimiter: u8) -> bool {
        let Some(left @ [_, ..]) = text.get(self.next..) else {
            return false;
        };
        let marks = Marks::of(left, delimiter);
        let between_quotes = odd_so_far(marks.quotes) ^ self.inside;
        *self = Window {
            block: self.next,
            next: self.next + BLOCK,
            ends: marks.separators & !between_quotes,
            quoted_separators: marks.separators & between_quotes,
            quotes: marks.quotes,
            inside: 0_u64.wrapping_sub(between_quotes >> 63),
        };
        true
    }
}

/// What was found out about the record that is being read.
#[derive(Clone, Copy, Debug)]
struct Reading {
    cells: usize,
    /// Quotes in it, and those that are around its cells.
    quotes: u32,
    outer_quotes: u32,
    /// Separators between quotes, which may be line ends.
    quoted_separators: u64,
    end: usize,
}

impl<'a> Records<'a> {
    /// The next record, or `None` at the end of the text. Blank lines are no records.
    ///
    /// # Errors
    /// A record that passes a [limit](super::limits). It counts lines within this text and does not
    /// know its source: [`InputError::in_source`] puts both right. No record follows it.
    #[allow(clippy::should_implement_trait)] // the record borrows the reader's buffers
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, InputError> {
        if self.state != State::Between {
            return Ok(None);
        }
        loop {
            let begin = self.at;
            if begin >= self.text.len() {
                self.state = State::EndedClean;
                return Ok(None);
            }
            let Some(reading) = self.read_plain(begin) else {
                return self.next_quoted(begin);
            };
            let line = self.line;
            self.step_over_line_end(reading.end);
            if reading.end == begin {
                continue; // a blank line
            }
            let bytes = &self.text[begin..reading.end];
            if reading.quoted_separators != 0 {
                self.line += count_lines(bytes);
            }
            return Ok(Some(Record {
                base: bytes,
                spans: &self.reader.spans[..reading.cells],
                line,
                bytes,
            }));
        }
    }

    /// Finds the cells and the end of the record at `begin`; `None` if it needs `csv-core`, or passes
    /// a limit. An empty record is a blank line.
    #[inline]
    fn read_plain(&mut self, begin: usize) -> Option<Reading> {
        let text = self.text;
        let delimiter = self.reader.delimiter;
        let limit = self.reader.record_bytes;
        let spans = &mut *self.reader.spans;
        let mut window = self.window;
        let mut cell = begin;
        let mut reading = Reading {
            cells: 0,
            quotes: 0,
            outer_quotes: 0,
            quoted_separators: 0,
            end: text.len(),
        };
        loop {
            while window.ends == 0 {
                reading.quotes += window.quotes.count_ones();
                reading.quoted_separators |= window.quoted_separators;
                if window.next.saturating_sub(begin) > limit || !window.advance(text, delimiter) {
                    window.quotes = 0;
                    window.quoted_separators = 0;
                    break;
                }
            }
            let bit = window.ends.trailing_zeros();
            let end = if bit < 64 {
                window.block + bit as usize
            } else {
                text.len()
            };
            window.ends &= window.ends.wrapping_sub(1);
            let quoted = is_quoted(text, cell, end);
            let span = spans.get_mut(reading.cells)?;
            // What does not fit is longer than the limit, which is seen below.
            *span = (
                (cell - begin) as u32 + u32::from(quoted),
                ((end - begin) as u32).wrapping_sub(u32::from(quoted)),
            );
            reading.cells += 1;
            reading.outer_quotes += 2 * u32::from(quoted);
            cell = end + 1;
            if text.get(end) == Some(&delimiter) {
                continue;
            }
            reading.end = end;
            if bit < 64 {
                let before = (1 << bit) - 1;
                reading.quotes += (window.quotes & before).count_ones();
                reading.quoted_separators |= window.quoted_separators & before;
                window.quotes &= !before;
                window.quoted_separators &= !before;
            }
            self.window = window;
            let right = reading.quotes == reading.outer_quotes && end - begin <= limit;
            return right.then_some(reading);
        }
    }

    /// Did the text end where a record ends? Known when [`next`](Self::next) has returned `None`.
    /// If a chunk did not, it was not cut between records, unless it is the last one.
    pub fn ended_clean(&self) -> bool {
        self.state == State::EndedClean
    }

    /// The last record was ended by the end of the text, not by a line end.
    pub(crate) fn ended_inside(&self) -> bool {
        self.state == State::EndedInside
    }

    /// Where the text after the last record and its line end begins.
    pub(crate) fn position(&self) -> Position {
        let before = &self.text[..self.at.min(self.text.len())];
        let half = before.ends_with(b"\r") && self.text.get(self.at) == Some(&b'\n');
        Position {
            byte: before.len() as u64 + u64::from(half),
            line: u64::from(self.line) + 1 + u64::from(half),
        }
    }

    /// Line ends in the whole text.
    pub fn lines(&self) -> u32 {
        self.line + count_lines(self.text.get(self.at..).unwrap_or_default())
    }

    /// The record at `begin`, which is not a blank line, as `csv-core` reads it.
    #[cold]
    fn next_quoted(&mut self, begin: usize) -> Result<Option<Record<'_>>, InputError> {
        let text = self.text;
        let limit = self.reader.record_bytes;
        let end = match self.reader.quoted.read(&text[begin..], limit) {
            Ok(end) => begin + end,
            Err(TooLarge::Bytes) => return Err(self.too_long()),
            Err(TooLarge::Cells) => return Err(self.too_many_cells()),
        };
        let bytes = &text[begin..end];
        let line = self.line;
        self.line += count_lines(bytes);
        self.step_over_line_end(end);
        self.window = Window::from(self.at);
        let mut cell = 0;
        let quoted = &self.reader.quoted;
        for (span, &end) in self
            .reader
            .spans
            .iter_mut()
            .zip(&quoted.ends[..quoted.count])
        {
            *span = (cell, end as u32);
            cell = end as u32;
        }
        Ok(Some(Record {
            base: &quoted.cells,
            spans: &self.reader.spans[..quoted.count],
            line,
            bytes,
        }))
    }

    /// Moves past the line end at `end`, where a record has ended. The second byte of a `\r\n` is
    /// left to be a blank line.
    #[inline]
    fn step_over_line_end(&mut self, end: usize) {
        match self.text.get(end) {
            None => self.state = State::EndedInside,
            Some(byte) => self.line += u32::from(*byte == b'\n'),
        }
        self.at = end + 1;
    }

    #[cold]
    fn too_long(&mut self) -> InputError {
        self.fail(too_long_record(
            u64::from(self.line) + 1,
            self.reader.record_bytes,
        ))
    }

    #[cold]
    fn too_many_cells(&mut self) -> InputError {
        let kind = InputErrorKind::TooManyColumns {
            limit: RECORD_CELLS,
        };
        self.fail(InputError::new("", kind).at_line(u64::from(self.line) + 1))
    }

    fn fail(&mut self, error: InputError) -> InputError {
        self.state = State::Failed;
        error
    }
}

/// Does the cell `text[begin..end]` begin and end with a quote?
#[inline]
fn is_quoted(text: &[u8], begin: usize, end: usize) -> bool {
    // A cell of one byte would be a quote that is its own partner.
    end - begin >= 2 && text[begin] == b'"' && text[end - 1] == b'"'
}

/// The error for a record that begins on this line (1-based) and is longer than `limit_bytes`.
pub(crate) fn too_long_record(line: u64, limit_bytes: usize) -> InputError {
    InputError::new("", InputErrorKind::RecordTooLong { limit_bytes }).at_line(line)
}

/// Line ends in a text.
pub(crate) fn count_lines(text: &[u8]) -> u32 {
    u32::try_from(memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}

/// One record: cells, and the place where they stand.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What the cells are slices of: the text, or the buffer that they were unescaped into.
    base: &'a [u8],
    spans: &'a [Span],
    line: u32,
    bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// The cell at this index, without its quotes.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        let &(begin, end) = self.spans.get(index)?;
        self.base.get(begin as usize..end as usize)
    }

    /// How many cells there are: at least one.
    #[inline]
    #[allow(clippy::len_without_is_empty)] // it never is
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// All cells in order.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let Record { base, spans, .. } = *self;
        let slice = move |&(begin, end): &Span| &base[begin as usize..end as usize];
        spans.iter().map(slice)
    }

    /// Lines of the text before the record's first line.
    #[inline]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The record as it stands in the text, quotes and all, without the line end after it.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// Which limit a record passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TooLarge {
    Bytes,
    Cells,
}

/// `csv-core` with the buffers it needs.
#[derive(Debug)]
struct QuotedReader {
    core: csv_core::Reader,
    delimiter: u8,
    /// The cells of the record, one after the other.
    cells: Vec<u8>,
    /// Where each cell ends in `cells`.
    ends: Vec<usize>,
    /// How many cells the record has.
    count: usize,
}

impl QuotedReader {
    fn new(delimiter: u8) -> QuotedReader {
        QuotedReader {
            core: core_reader(delimiter),
            delimiter,
            cells: Vec::new(),
            ends: Vec::new(),
            count: 0,
        }
    }

    /// Reads the record that `text` begins with (it does not begin with a line end) and returns
    /// where it ends: at a line end, or at the end of the text.
    fn read(&mut self, text: &[u8], limit_bytes: usize) -> Result<usize, TooLarge> {
        match self.read_limited(text, limit_bytes) {
            Ok(end) if end <= limit_bytes => Ok(end),
            too_large => {
                self.core = core_reader(self.delimiter);
                too_large.and(Err(TooLarge::Bytes))
            }
        }
    }

    fn read_limited(&mut self, text: &[u8], limit_bytes: usize) -> Result<usize, TooLarge> {
        // One byte more than a record may have: the line end after it.
        let window = &text[..text.len().min(limit_bytes.saturating_add(1))];
        if self.cells.is_empty() {
            self.cells.resize(4096, 0);
            self.ends.resize(64, 0);
        }
        let (mut read, mut written) = (0, 0);
        self.count = 0;
        loop {
            let (result, bytes_in, bytes_out, ends) = self.core.read_record(
                &window[read..],
                &mut self.cells[written..],
                &mut self.ends[self.count..],
            );
            read += bytes_in;
            written += bytes_out;
            self.count += ends;
            match result {
                // The record ended with the line end it read, or (with no input) at the end.
                ReadRecordResult::Record if bytes_in > 0 => return Ok(read - 1),
                ReadRecordResult::Record | ReadRecordResult::End => return Ok(read),
                ReadRecordResult::InputEmpty if window.len() < text.len() => {
                    return Err(TooLarge::Bytes);
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => {
                    if self.count >= RECORD_CELLS {
                        return Err(TooLarge::Cells);
                    }
                    let room = (self.ends.len() * 2).min(RECORD_CELLS);
                    self.ends.resize(room, 0);
                }
            }
        }
    }
}

/// A `csv-core` reader that is past its first read: only there it would take a byte order mark away.
pub(crate) fn core_reader(delimiter: u8) -> csv_core::Reader {
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    reader.read_record(b"\n", &mut [0], &mut [0]);
    reader
}
