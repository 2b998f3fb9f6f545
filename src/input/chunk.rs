//! Cutting a document into chunks of whole records, so that many can be read at once.
//!
//! Where a record ends cannot be told from the middle of a text: a line end inside quotes is part of a
//! cell. [`CutMode::Guess`] cuts at a line end with an even number of quotes before it, which costs one
//! fast pass, and lets the reader of each chunk check the guess with
//! [`Records::ended_clean`](super::Records::ended_clean). If every chunk but the last ended clean, every
//! cut was right: the first chunk begins where a record begins; a chunk that begins so and ends clean
//! was read as the whole text would be, and leaves the next one to begin where a record begins. This
//! holds whatever the quotes are, balanced or stray: they only make a wrong guess more likely. If a
//! chunk did not end clean, the document is cut again with [`CutMode::Exact`].

use memchr::{memchr, memrchr, memrchr2};

use super::decode::{Block, TextReader};
use super::document::{CutMode, Position};
use super::error::InputError;
use super::limits::RECORD_BYTES;
use super::quoting::CoreReader;
use super::record::{count_lines, too_long_record};

/// Some whole records of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The records as they stand. Give it back with [`Chunks::recycle`] when it has been read.
    pub text: Vec<u8>,
    /// Lines of the document before this chunk: a record's line, as the person counts, is
    /// `lines_before + 1 + record.line()`.
    pub lines_before: u64,
    /// Nothing follows. Only the last chunk may end without a line end.
    pub is_last: bool,
}

impl Chunk {
    /// Is all of it UTF-8? Then so is every record of it. It takes one fast pass over the text.
    pub fn is_utf8(&self) -> bool {
        self.text.is_ascii() || std::str::from_utf8(&self.text).is_ok()
    }
}

/// The chunks of a document, in order.
pub struct Chunks {
    source_name: String,
    reader: TextReader,
    /// Text that was read and not given out yet: `rest[rest_at..]`.
    rest: Vec<u8>,
    rest_at: usize,
    /// Bytes to leave out before the first chunk.
    skip_bytes: u64,
    lines: u64,
    delimiter: u8,
    /// Made when the first exact cut is needed.
    cutter: Option<ExactCutter>,
    mode: CutMode,
    chunk_bytes: usize,
    record_bytes: usize,
    spare: Vec<Vec<u8>>,
    done: bool,
}

/// How a document's text is handed over to be cut.
pub(crate) struct Uncut {
    pub(crate) source_name: String,
    pub(crate) reader: TextReader,
    /// The text that was read already.
    pub(crate) text: Vec<u8>,
}

impl Chunks {
    pub(crate) fn new(
        uncut: Uncut,
        start: Position,
        delimiter: u8,
        mode: CutMode,
        chunk_bytes: usize,
    ) -> Chunks {
        let in_text = start.byte.min(uncut.text.len() as u64);
        Chunks {
            source_name: uncut.source_name,
            reader: uncut.reader,
            rest_at: usize::try_from(in_text).unwrap_or(usize::MAX),
            rest: uncut.text,
            skip_bytes: start.byte - in_text,
            lines: start.line.saturating_sub(1),
            delimiter,
            cutter: None,
            mode,
            chunk_bytes: chunk_bytes.max(1),
            record_bytes: RECORD_BYTES,
            spare: Vec::new(),
            done: false,
        }
    }

    #[cfg(test)]
    pub(crate) fn set_record_bytes(&mut self, record_bytes: usize) {
        self.record_bytes = record_bytes;
    }

    /// The next chunk, or `None` after the last one. A document without records after its start may
    /// have no chunk.
    ///
    /// # Errors
    /// When the source cannot be read on, or a record is longer than
    /// [`limits::RECORD_BYTES`](super::limits::RECORD_BYTES). No chunk follows an error.
    #[allow(clippy::should_implement_trait)] // `recycle` is called between two of them
    pub fn next(&mut self) -> Result<Option<Chunk>, InputError> {
        if self.done {
            return Ok(None);
        }
        let chunk = self.cut_next();
        self.done = !matches!(&chunk, Ok(Some(chunk)) if !chunk.is_last);
        chunk
    }

    /// Takes back the text of a chunk, to be filled again.
    pub fn recycle(&mut self, text: Vec<u8>) {
        self.spare.push(text);
    }

    /// Memory that was taken back, for another text.
    pub(crate) fn into_memory(mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Bytes of the source read so far, to set beside
    /// [`Source::size_bytes`](super::Source::size_bytes): compressed bytes where it is compressed.
    pub fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }

    fn cut_next(&mut self) -> Result<Option<Chunk>, InputError> {
        self.skip()?;
        let left = self.rest.len() - self.rest_at;
        if self.reader.has_ended() && left <= self.chunk_bytes {
            // All that is left is one chunk: no need to copy it.
            let mut text = std::mem::take(&mut self.rest);
            text.drain(..self.rest_at);
            self.rest_at = 0;
            return Ok(self.last_chunk(Block::holding(text)));
        }
        let mut block = Block::reusing(self.spare.pop().unwrap_or_default());
        let mut limit = self.chunk_bytes;
        let mut guessing = self.mode == CutMode::Guess;
        if let Some(cutter) = &mut self.cutter {
            cutter.start();
        }
        loop {
            // One byte more than wanted, to know whether this is the last chunk.
            self.fill(&mut block, limit + 1)?;
            let text = block.text();
            if text.len() <= limit {
                return Ok(self.last_chunk(block));
            }
            let window = &text[..limit];
            let cut = if guessing {
                guess_cut(window)
            } else {
                self.cutter
                    .get_or_insert_with(|| ExactCutter::new(self.delimiter))
                    .cut(window)
            };
            if let Some(cut) = cut {
                return Ok(Some(self.chunk(block, cut)));
            }
            if guessing {
                // Not one line end: the exact way sees other ends of a record, or grows the chunk.
                guessing = false;
                continue;
            }
            let blank = blank_bytes(window);
            // A line end of two bytes may follow the longest record.
            let most = self.record_bytes.saturating_add(blank + 2);
            if limit >= most {
                let line = u64::from(count_lines(&window[..blank])) + 1;
                return Err(too_long_record(line, self.record_bytes)
                    .in_source(&self.source_name, self.lines));
            }
            limit = limit.saturating_mul(2).min(most);
        }
    }

    /// The chunk of the block's text before `cut`; what is after it stays for the next one.
    fn chunk(&mut self, block: Block, cut: usize) -> Chunk {
        let left = &block.text()[cut..];
        if self.rest.is_empty() {
            self.rest.extend_from_slice(left);
        } else {
            // All of the block was taken from the rest: it is still there.
            self.rest_at -= left.len();
        }
        let text = block.into_text(cut);
        let lines_before = self.lines;
        self.lines += u64::from(count_lines(&text));
        Chunk {
            text,
            lines_before,
            is_last: false,
        }
    }

    fn last_chunk(&mut self, block: Block) -> Option<Chunk> {
        let length = block.text().len();
        (length > 0).then(|| Chunk {
            text: block.into_text(length),
            lines_before: self.lines,
            is_last: true,
        })
    }

    /// Fills the block to at least `target` bytes, or to the end of the document.
    fn fill(&mut self, block: &mut Block, target: usize) -> Result<(), InputError> {
        let missing = target.saturating_sub(block.text().len());
        let ready = &self.rest[self.rest_at..];
        let taken = missing.min(ready.len());
        block.append(&ready[..taken]);
        self.rest_at += taken;
        if taken == missing {
            return Ok(());
        }
        self.rest.clear();
        self.rest_at = 0;
        self.reader
            .fill(block, target)
            .map_err(|error| InputError::from_io(&self.source_name, &error))
    }

    /// Leaves out what lies before the start and was not read yet.
    fn skip(&mut self) -> Result<(), InputError> {
        while self.skip_bytes > 0 {
            let mut block = Block::default();
            let target = self.skip_bytes.min(self.chunk_bytes as u64);
            let target = usize::try_from(target).unwrap_or(self.chunk_bytes);
            self.fill(&mut block, target)?;
            if block.text().is_empty() {
                self.skip_bytes = 0;
                break;
            }
            let skipped = target.min(block.text().len());
            self.rest = block.text()[skipped..].to_vec();
            self.rest_at = 0;
            self.skip_bytes -= skipped as u64;
        }
        Ok(())
    }
}

/// The end of the last line that has an even number of quotes before its end; else of the last line.
fn guess_cut(text: &[u8]) -> Option<usize> {
    let last = memrchr(b'\n', text)? + 1;
    let mut end = last;
    let mut quotes = count_quotes(&text[..end]);
    while !quotes.is_multiple_of(2) {
        let Some(line_end) = memrchr(b'\n', &text[..end - 1]) else {
            return Some(last);
        };
        quotes -= count_quotes(&text[line_end + 1..end]);
        end = line_end + 1;
    }
    Some(end)
}

fn count_quotes(text: &[u8]) -> usize {
    memchr::memchr_iter(b'"', text).count()
}

/// Length of the line ends that a text begins with.
fn blank_bytes(text: &[u8]) -> usize {
    text.iter()
        .position(|byte| !matches!(byte, b'\n' | b'\r'))
        .unwrap_or(text.len())
}

/// Finds where records end by running `csv-core`, from a start that is known to be right.
struct ExactCutter {
    core: CoreReader,
    /// Bytes that have been looked at.
    read: usize,
    /// Inside the record that `core` is reading.
    inside: bool,
    /// The last place found where a record has ended.
    end: Option<usize>,
    /// Where `core` writes what nobody needs.
    cells: Box<[u8]>,
    bounds: Box<[usize]>,
}

impl ExactCutter {
    fn new(delimiter: u8) -> ExactCutter {
        ExactCutter {
            core: CoreReader::new(delimiter),
            read: 0,
            inside: false,
            end: None,
            cells: vec![0; 16 * 1024].into(),
            bounds: vec![0; 256].into(),
        }
    }

    /// Begins a new text.
    fn start(&mut self) {
        if self.inside {
            self.core.restart();
        }
        self.read = 0;
        self.inside = false;
        self.end = None;
    }

    /// The last place in the text where a record has ended. The text may be given again with more
    /// after it.
    fn cut(&mut self, text: &[u8]) -> Option<usize> {
        while self.read < text.len() {
            if self.inside {
                self.read_quoted(text);
            } else if !self.skip_plain(text) {
                break;
            }
        }
        self.end
    }

    /// Moves to the record that has the next quote in it; `false` if there is none.
    fn skip_plain(&mut self, text: &[u8]) -> bool {
        let after = &text[self.read..];
        let quote = memchr(b'"', after);
        // Without quotes every line end ends a record. A `\r` at the end may be half of one.
        let plain = match (quote, after) {
            (Some(quote), _) => &after[..quote],
            (None, [before @ .., b'\r']) => before,
            (None, all) => all,
        };
        if let Some(line_end) = memrchr2(b'\n', b'\r', plain) {
            self.read += line_end + 1;
            self.end = Some(self.read);
        }
        self.inside = quote.is_some();
        self.inside
    }

    fn read_quoted(&mut self, text: &[u8]) {
        let (result, bytes, _, _) =
            self.core
                .read_record(&text[self.read..], &mut self.cells, &mut self.bounds);
        self.read += bytes;
        if result != csv_core::ReadRecordResult::Record {
            return;
        }
        self.inside = false;
        match (text[self.read - 1], text.get(self.read)) {
            (b'\r', Some(b'\n')) => self.read += 1,
            // Half of a line end, perhaps: the other half will be seen as a blank line.
            (b'\r', None) => return,
            _ => {}
        }
        self.end = Some(self.read);
    }
}

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunks")
            .field("source_name", &self.source_name)
            .field("lines", &self.lines)
            .finish_non_exhaustive()
    }
}
