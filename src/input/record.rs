//! From text to records of cells, without an allocation per record.
//!
//! Almost every record is read the fast way: separators are found 64 bytes at a time for many records together, those
//! between quotes are left out, and the cells are slices of the text. This is right if every quote of the record
//! is the first or the last byte of a cell that has no other quotes, which the same masks show: then
//! `csv-core`, whose rules are the ones that count, would find the same. So it would if no cell begins with
//! a quote, and all quotes are part of cells. Any other record (most of them have an escaped quote) is read
//! again by `csv-core` itself, which unescapes it into a buffer.

use csv_core::ReadRecordResult;
use memchr::{memchr_iter, memchr2};

use super::document::Position;
use super::error::{InputError, InputErrorKind};
use super::limits::{RECORD_BYTES, RECORD_CELLS};
use super::marks::{BLOCK, Marks, odd_so_far};
use super::quoting::CoreReader;
use crate::model::Short;

/// Reads the records of one text after another; made once per worker, its buffers are reused.
#[derive(Debug)]
pub struct RecordReader {
    delimiter: u8,
    /// Made when the first record needs it.
    quoted: Option<QuotedReader>,
    /// Where the cells of the records that were found together are, and room for more.
    spans: Box<[Span; SPANS]>,
    /// Where those records end, and room for more.
    ends: Box<[End; ENDS]>,
    /// The longest record in bytes: a field so that tests can make it small.
    record_bytes: usize,
}

/// Where a cell begins and ends, in bytes from where the cells of its record, or of those found with it, are.
type Span = (u32, u32);

/// Where a record ends.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    /// Its line end, in bytes from the first of the records that were found together.
    line_end: u32,
    /// How many cells it and those before it have.
    cells: u32,
}

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
            quoted: None,
            spans: zeroed(),
            ends: zeroed(),
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
            base: text,
            found: Found::default(),
            given: 0,
            given_cells: 0,
            state: State::Between,
        }
    }

    /// Finds the cells and the end of the record that `text` begins with, if none of its cells begins with a quote: then
    /// all its quotes are part of cells. Gives their number and its length; `None` if one does, or it passes a limit.
    fn read_unquoted(&mut self, text: &[u8]) -> Option<(usize, usize)> {
        // One byte more than a record may have: the line end after it.
        let window = &text[..text.len().min(self.record_bytes.saturating_add(1))];
        let length = memchr2(b'\n', b'\r', window).unwrap_or(window.len());
        let record = &window[..length];
        let mut cells = 0;
        let mut cell = 0;
        for end in memchr_iter(self.delimiter, record).chain([length]) {
            if record.get(cell) == Some(&b'"') || cells == RECORD_CELLS {
                return None;
            }
            self.spans[cells] = (cell as u32, end as u32);
            cells += 1;
            cell = end + 1;
        }
        (length <= self.record_bytes).then_some((cells, length))
    }

    /// Reads the record that `text` begins with by `csv-core`; where it ends, and how many cells it has.
    fn read_quoted(&mut self, text: &[u8]) -> Result<(usize, usize), TooLarge> {
        let quoted = (self.quoted).get_or_insert_with(|| QuotedReader::new(self.delimiter));
        let end = quoted.read(text, self.record_bytes)?;
        let ends = &quoted.ends[..quoted.count];
        let mut begin = 0;
        for (span, &end) in self.spans.iter_mut().zip(ends) {
            *span = (begin, end as u32);
            begin = end as u32;
        }
        Ok((end, ends.len()))
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
    /// The text from the first of the records on that were found together.
    base: &'a [u8],
    found: Found,
    /// How many of them were given out, and how many cells those had.
    given: u32,
    given_cells: u32,
    state: State,
}

/// Records that were found together.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// How many there are. A blank line counts as one.
    records: u32,
    /// There are line ends between quotes.
    has_lines: bool,
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

/// What a block of text is to those behind it.
#[derive(Clone, Copy, Debug)]
struct Before {
    /// All ones if it ends between quotes, else zero.
    inside: u64,
    /// Its last byte separates; it closes quotes (bit 0 each).
    separated: u64,
    closing: u64,
}

/// A block of text as masks of [`BLOCK`] bits. The quotes of the records in it count as right if each stands at the
/// beginning of a cell, or before its end.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// What separates cells outside of quotes: delimiters and line ends. The end of the text counts as a line end.
    separators: u64,
    /// Line ends outside of quotes.
    line_ends: u64,
    /// For each separator: the byte before the first one of the next cell without its quotes, and the byte after the last
    /// one of the cell before it. If the latter is not in the block any more, the mask has no bit for it.
    begins: u64,
    ends: u64,
    /// The first byte is a quote that opens (bit 0).
    opened: u64,
    /// Where a quote is not right; there, and where a line end is between quotes.
    wrong: u64,
    unusual: u64,
}

impl Before {
    /// Before a block where a record begins.
    const RECORD: Before = Before {
        inside: 0,
        separated: 1,
        closing: 0,
    };

    /// The window of a block, and what it is to the next one.
    #[inline(always)]
    fn window(self, marks: Marks) -> (Window, Before) {
        let separators = marks.delimiters | marks.line_ends;
        if marks.quotes | self.inside | self.closing == 0 {
            let window = Window {
                separators,
                line_ends: marks.line_ends,
                begins: separators,
                ends: separators << 1,
                opened: 0,
                wrong: 0,
                unusual: 0,
            };
            let before = Before {
                inside: 0,
                separated: separators >> (BLOCK - 1),
                closing: 0,
            };
            return (window, before);
        }
        let between = odd_so_far(marks.quotes) ^ self.inside;
        let opening = marks.quotes & between;
        let closing = marks.quotes & !between;
        let closed = closing << 1 | self.closing;
        let separators = separators & !between;
        let after_separator = separators << 1 | self.separated;
        let wrong = opening & !after_separator | closed & !separators;
        let window = Window {
            separators,
            line_ends: marks.line_ends & !between,
            // Added to itself, a bit moves to the next place.
            begins: separators.wrapping_add(separators & opening >> 1),
            ends: separators.wrapping_add(separators & !closed),
            opened: opening & 1,
            wrong,
            unusual: wrong | marks.line_ends & between,
        };
        let before = Before {
            inside: 0_u64.wrapping_sub(between >> (BLOCK - 1)),
            separated: separators >> (BLOCK - 1),
            closing: closing >> (BLOCK - 1),
        };
        (window, before)
    }
}

impl RecordReader {
    /// Finds the cells and ends of records in `text`, which begins where one begins: of some, up to one that needs
    /// `csv-core` or passes a limit.
    #[inline(never)]
    fn find(&mut self, text: &[u8]) -> Found {
        let limit = self.record_bytes;
        let mut has_lines = false;
        let mut before = Before::RECORD;
        let (mut cells, mut records) = (0, 0);
        // Cells of the records that were found, and where the next one begins.
        let (mut cells_of_found, mut record) = (0, 0);
        let mut cell = 0_u32;
        let mut block = 0;
        // What does not fit into 32 bits is longer than the limit.
        let mut last_block = limit;
        'blocks: while block <= last_block
            && cells <= RECORD_CELLS
            && records <= ENDS - BLOCK
            && let Some(left) = text.get(block..)
        {
            let marks = match left.first_chunk() {
                Some(bytes) => Marks::of(bytes, self.delimiter),
                None => marks_of_end(left, self.delimiter),
            };
            let (mut window, next) = before.window(marks);
            before = next;
            let at = block as u32;
            cell += window.opened as u32;
            let room = self.spans[cells..].first_chunk_mut().expect("room");
            let placed = place_cells(room, &window, at, &mut cell);
            if window.unusual != 0 {
                has_lines = true;
                last_block = leave_out_wrong(&mut window).unwrap_or(last_block);
            }
            while window.line_ends != 0 {
                let line_ends = window.line_ends;
                let up_to = line_ends ^ line_ends.wrapping_sub(1);
                let line_end = at + line_ends.trailing_zeros();
                let all_cells = cells as u32 + (window.separators & up_to).count_ones();
                if all_cells - cells_of_found > RECORD_CELLS as u32
                    || (line_end - record) as usize > limit
                {
                    break 'blocks;
                }
                self.ends[records] = End {
                    line_end,
                    cells: all_cells,
                };
                records += 1;
                cells_of_found = all_cells;
                record = line_end + 1;
                window.line_ends &= line_ends.wrapping_sub(1);
                last_block = last_block.min(FOUND_BYTES);
            }
            cells += placed;
            block += BLOCK;
        }
        Found {
            records: records as u32,
            has_lines,
        }
    }
}

/// Leaves only the records of a block before the first quote that is not right. If there is one, gives where the last block
/// begins: this one is.
#[cold]
#[inline(never)]
fn leave_out_wrong(window: &mut Window) -> Option<usize> {
    let first = window.wrong & window.wrong.wrapping_neg();
    window.line_ends &= first.wrapping_sub(1);
    (first != 0).then_some(0)
}

/// Writes the cells that end in a block which begins at `at`; says how many there are. `cell` is where the first of them
/// begins, and then where the next one does.
#[inline(always)]
fn place_cells(room: &mut [Span; BLOCK], window: &Window, at: u32, cell: &mut u32) -> usize {
    let mut begins = window.begins;
    let mut ends = window.ends;
    let (before, behind) = (at.wrapping_sub(1), at.wrapping_add(1));
    let mut placed = 0;
    for eight in room.as_chunks_mut::<8>().0 {
        for (index, span) in eight.iter_mut().enumerate() {
            if begins == 0 {
                return placed + index;
            }
            let end = before.wrapping_add(ends.trailing_zeros());
            *span = (*cell, end);
            *cell = behind.wrapping_add(begins.trailing_zeros());
            begins &= begins.wrapping_sub(1);
            ends &= ends.wrapping_sub(1);
        }
        placed += 8;
    }
    placed
}

/// The marks of the last bytes of a text, fewer than a block, with a line end after them.
#[cold]
#[inline(never)]
fn marks_of_end(left: &[u8], delimiter: u8) -> Marks {
    let mut block = [0; BLOCK];
    block[..left.len()].copy_from_slice(left);
    block[left.len()] = b'\n';
    Marks::of(&block, delimiter)
}

impl<'a> Records<'a> {
    /// The next record, or `None` at the end of the text. Blank lines are no records.
    ///
    /// # Errors
    /// A record that passes a [limit](super::limits). It counts lines within this text and does not
    /// know its source: [`InputError::in_source`] puts both right. No record follows it.
    #[allow(clippy::should_implement_trait)] // the record borrows the reader's buffers
    #[inline(always)]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, InputError> {
        if self.state != State::Between {
            return Ok(None);
        }
        loop {
            if self.given == self.found.records && !self.find() {
                return self.next_unfound();
            }
            let end = self.reader.ends[self.given as usize];
            let first_cell = std::mem::replace(&mut self.given_cells, end.cells);
            self.given += 1;
            let line_end = self.text.len() - self.base.len() + end.line_end as usize;
            let begin = self.at;
            if line_end > begin {
                let line = self.line;
                self.step_over_line_end(line_end);
                let bytes = &self.text[begin..line_end];
                if self.found.has_lines {
                    self.line += count_lines(bytes);
                }
                return Ok(Some(Record {
                    base: self.base,
                    spans: &self.reader.spans[first_cell as usize..end.cells as usize],
                    line,
                    bytes,
                }));
            }
            // A blank line.
            if line_end < self.text.len() {
                self.step_over_line_end(line_end);
            }
        }
    }

    /// Finds the next records, past blank lines; false if the next one needs `csv-core` or passes a limit, or none
    /// follows.
    #[inline(never)]
    fn find(&mut self) -> bool {
        self.step_over_blank_lines();
        self.base = &self.text[self.at.min(self.text.len())..];
        self.given = 0;
        self.given_cells = 0;
        self.found = match self.base {
            [] => Found::default(),
            base => self.reader.find(base),
        };
        self.found.records > 0
    }

    #[inline]
    fn step_over_blank_lines(&mut self) {
        while let Some(byte @ (b'\n' | b'\r')) = self.text.get(self.at) {
            self.line += u32::from(*byte == b'\n');
            self.at += 1;
        }
    }

    /// The next record, which was not found with others.
    #[cold]
    #[inline(never)]
    fn next_unfound(&mut self) -> Result<Option<Record<'_>>, InputError> {
        let begin = self.at;
        if begin >= self.text.len() {
            self.state = State::EndedClean;
            return Ok(None);
        }
        let Some((cells, length)) = self.reader.read_unquoted(&self.text[begin..]) else {
            return self.next_quoted(begin);
        };
        let line = self.line;
        self.step_over_line_end(begin + length);
        Ok(Some(Record {
            base: self.base,
            spans: &self.reader.spans[..cells],
            line,
            bytes: &self.text[begin..begin + length],
        }))
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
        let (end, cells) = match self.reader.read_quoted(&text[begin..]) {
            Ok((length, cells)) => (begin + length, cells),
            Err(TooLarge::Bytes) => return Err(self.too_long()),
            Err(TooLarge::Cells) => return Err(self.too_many_cells()),
        };
        let bytes = &text[begin..end];
        let line = self.line;
        self.line += count_lines(bytes);
        self.step_over_line_end(end);
        let quoted = self.reader.quoted.as_ref();
        Ok(Some(Record {
            base: quoted.map_or(&[], |quoted| &quoted.cells),
            spans: &self.reader.spans[..cells],
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

/// No records are looked for together beyond so many bytes: their spans are to stay in the nearest cache.
const FOUND_BYTES: usize = 8 * 1024;

/// As many spans as a record may have, and room for those of a block that has more.
const SPANS: usize = RECORD_CELLS + BLOCK;

/// As many records as are found together, and room for those of a block that has more.
const ENDS: usize = 512 + BLOCK;

fn zeroed<T: Clone + Default, const N: usize>() -> Box<[T; N]> {
    let places = vec![T::default(); N].into_boxed_slice();
    let places = places.try_into().ok();
    places.expect("as many as were asked for")
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
    /// What the cells are slices of: the text from the record on, or the buffer that they were unescaped into.
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

    /// The cell at this index, without its quotes, and what follows it.
    #[inline(always)]
    pub fn cell(&self, index: usize) -> Option<CellText<'a>> {
        self.spans.get(index).map(|span| self.cell_at(span))
    }

    /// The cell at this index as a short text, if it has at most 16 bytes; one that is not there is empty.
    #[inline(always)]
    pub fn short(&self, index: usize) -> Option<Short> {
        match self.cell(index) {
            Some(cell) => cell.short(),
            None => Some(Short::default()),
        }
    }

    /// As [`Record::cell`], of all cells in order.
    #[inline(always)]
    pub fn cells(&self) -> impl ExactSizeIterator<Item = CellText<'a>> + use<'a> {
        let record = *self;
        let spans = self.spans.iter();
        spans.map(move |span| record.cell_at(span))
    }

    #[inline(always)]
    fn cell_at(&self, &(begin, end): &Span) -> CellText<'a> {
        CellText {
            base: self.base,
            begin,
            end,
        }
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
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// A cell within the text that it stands in, so that a short one is read in one piece of fixed size.
#[derive(Clone, Copy, Debug)]
pub struct CellText<'a> {
    base: &'a [u8],
    begin: u32,
    end: u32,
}

impl<'a> CellText<'a> {
    /// Its length in bytes.
    #[inline(always)]
    pub fn length(self) -> usize {
        self.end.wrapping_sub(self.begin) as usize
    }

    /// Its bytes.
    #[inline(always)]
    pub fn bytes(self) -> &'a [u8] {
        &self.base[self.begin as usize..self.end as usize]
    }

    /// The 16 bytes that begin where it does; `None` if the text ends before.
    #[inline(always)]
    pub fn block(self) -> Option<&'a [u8; 16]> {
        let begin = self.begin as usize;
        self.base.get(begin..begin + 16)?.first_chunk()
    }

    /// The cell as a short text, if it has at most 16 bytes.
    #[inline(always)]
    pub fn short(self) -> Option<Short> {
        match self.block() {
            Some(block) => Short::in_block(block, self.length()),
            None => self.short_at_end(),
        }
    }

    #[cold]
    #[inline(never)]
    fn short_at_end(self) -> Option<Short> {
        Short::of(self.bytes())
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
    core: CoreReader,
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
            core: CoreReader::new(delimiter),
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
                self.core.restart();
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cell_is_the_same_short_text_wherever_the_text_ends(text in "[ab\0\"]{0,18}(,\"?[abc]{0,18}\"?){0,4}\n?[ab,]{0,40}") {
            let mut reader = RecordReader::new(b',');
            let mut records = reader.start(text.as_bytes());
            while let Ok(Some(record)) = records.next() {
                prop_assert_eq!(record.cells().len(), record.len());
                for (nth, cell) in record.cells().enumerate() {
                    let bytes = record.get(nth).unwrap();
                    prop_assert_eq!((cell.bytes(), cell.length()), (bytes, bytes.len()));
                    prop_assert_eq!(cell.short(), Short::of(bytes));
                    prop_assert_eq!(record.short(nth), Short::of(bytes));
                    if let Some(block) = cell.block() {
                        prop_assert!(bytes.len() > 16 || block.starts_with(bytes));
                    }
                }
                prop_assert_eq!(record.short(record.len()), Short::of(b""));
            }
        }
    }
}
