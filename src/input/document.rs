//! An opened source, decoded to UTF-8 as it is read.

use super::chunk::{Chunks, Uncut};
use super::decode::{Block, TextReader};
use super::error::{InputError, InputErrorKind};
use super::limits::{CHUNK_BYTES, HEAD_BYTES};
use super::sniff;
use super::source::{Place, Source};
use super::unpack::{GZIP, Raw, open_packed};
use super::workbook;

/// An opened source: UTF-8 with `\n` or `\r\n` line ends and no byte order mark, whatever it was
/// before. Bytes that cannot be decoded are there as bytes that are not UTF-8, for whoever reads the
/// cell to reject.
pub struct Document {
    source: Source,
    encoding: &'static str,
    text: Vec<u8>,
    head_bytes: usize,
    reader: TextReader,
}

/// A place in a document's decoded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Bytes of decoded text before it.
    pub byte: u64,
    /// The line it is on, 1-based.
    pub line: u64,
}

impl Position {
    /// Where a document begins.
    pub const START: Position = Position { byte: 0, line: 1 };
}

/// How a document is cut into chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutMode {
    /// Fast, and almost always right: every chunk must be checked with
    /// [`Records::ended_clean`](super::Records::ended_clean), and the document opened and cut again
    /// with [`CutMode::Exact`] if one but the last did not.
    Guess,
    /// Always right, and slower where there are many quotes.
    Exact,
}

impl Document {
    /// Opens a source. `encoding` is the label that a mapping states; without it the encoding is that
    /// of the byte order mark, or UTF-16 if the zeros lie so, or UTF-8 if the head is, or guessed.
    ///
    /// # Errors
    /// When it cannot be read or is not text, or the label is not known.
    pub fn open(source: &Source, encoding: Option<&str>) -> Result<Document, InputError> {
        Document::open_in(source, encoding, Vec::new())
    }

    /// [`open`](Self::open) with memory that held another text: [`Chunks::into_memory`] gives it back.
    pub(crate) fn open_in(
        source: &Source,
        encoding: Option<&str>,
        memory: Vec<u8>,
    ) -> Result<Document, InputError> {
        let from_io = |error| InputError::from_io(source.name(), &error);
        if let Place::Sheet { sheet, .. } = source.place() {
            let text = workbook::sheet_text(source, sheet)?;
            let expected = Some(text.len() as u64);
            let mut raw = Raw::from_memory(text);
            let first = raw.read_first(HEAD_BYTES, expected).map_err(from_io)?;
            return Document::decode(source.clone(), first, raw, Some("utf-8"));
        }
        let mut raw = open_packed(source)?;
        let mut first = raw
            .read_first_in(memory, HEAD_BYTES, source.size_bytes())
            .map_err(from_io)?;
        if first.starts_with(&GZIP) {
            raw = raw.preceded_by(first).gunzip();
            first = raw.read_first(HEAD_BYTES, None).map_err(from_io)?;
        }
        Document::decode(source.clone(), first, raw, encoding)
    }

    /// Decodes a source that begins with the bytes `first` (all of it, if they are fewer than
    /// [`HEAD_BYTES`]) and goes on with those of `raw`.
    fn decode(
        source: Source,
        mut first: Vec<u8>,
        raw: Raw,
        label: Option<&str>,
    ) -> Result<Document, InputError> {
        let from_io = |error| InputError::from_io(source.name(), &error);
        let is_all = first.len() < HEAD_BYTES;
        let encoding = sniff::text_encoding(&first, is_all, label)
            .map_err(|kind| match kind {
                InputErrorKind::NestedArchive if !source.can_reopen() => {
                    InputErrorKind::ArchiveInStream
                }
                kind => kind,
            })
            .map_err(|kind| InputError::new(source.name(), kind))?;
        first.drain(..sniff::bom_bytes(&first, encoding));
        let (mut reader, mut block) = if encoding == encoding_rs::UTF_8 {
            (TextReader::after(raw, is_all), Block::holding(first))
        } else {
            let decoder = encoding.new_decoder_without_bom_handling();
            let reader = TextReader::new(raw.preceded_by(first), Some(decoder));
            (reader, Block::default())
        };
        reader.fill(&mut block, HEAD_BYTES).map_err(from_io)?;
        if sniff::lines_end_with_cr(block.text()) {
            reader.translate_lone_cr(&mut block);
        }
        let length = block.text().len();
        let text = block.into_text(length);
        Ok(Document {
            encoding: encoding.name(),
            head_bytes: head_bytes(&text),
            source,
            text,
            reader,
        })
    }

    /// The source that it is.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The name of the encoding that it was decoded from, as the WHATWG Encoding Standard writes it.
    pub fn encoding(&self) -> &'static str {
        self.encoding
    }

    /// The first [`limits::HEAD_BYTES`](super::limits::HEAD_BYTES) of decoded text or less: whole
    /// lines, unless there is not even one. Empty for an empty file.
    pub fn head(&self) -> &[u8] {
        &self.text[..self.head_bytes]
    }

    /// Cuts the document into chunks of whole records, from `start` on: where a record begins.
    /// What can be read only once is always cut with [`CutMode::Exact`].
    pub fn into_chunks(self, start: Position, delimiter: u8, mode: CutMode) -> Chunks {
        self.into_chunks_of(start, delimiter, mode, CHUNK_BYTES)
    }

    /// [`into_chunks`](Self::into_chunks) with chunks of about `chunk_bytes`; a record that is longer
    /// makes a longer chunk.
    pub fn into_chunks_of(
        self,
        start: Position,
        delimiter: u8,
        mode: CutMode,
        chunk_bytes: usize,
    ) -> Chunks {
        let mode = if self.source.can_reopen() {
            mode
        } else {
            CutMode::Exact
        };
        let uncut = Uncut {
            source_name: self.source.name().to_owned(),
            reader: self.reader,
            text: self.text,
        };
        Chunks::new(uncut, start, delimiter, mode, chunk_bytes)
    }
}

/// Length of the whole lines in the first [`HEAD_BYTES`] of a text.
fn head_bytes(text: &[u8]) -> usize {
    if text.len() < HEAD_BYTES {
        return text.len();
    }
    memchr::memrchr(b'\n', &text[..HEAD_BYTES]).map_or(HEAD_BYTES, |line_end| line_end + 1)
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("source", &self.source)
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}
