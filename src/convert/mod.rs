//! Runs programs over records: bytes → rows → events, in parallel, with one outcome for every row.
//!
//! Comes in: sources and a library of mappings. Goes out: for each source what it was recognised as, and its rows in
//! batches, in the order of the file. This is where `input` and `mapping` meet.

mod aside;
mod batch;
mod evaluate;
mod file;
mod memo;
mod options;
mod row_hash;
mod row_view;
mod show;
mod sums;
mod worker;

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::in_order::in_order;
use crate::input::{
    Chunk, Chunks, CutMode, Document, InputError, Position, RecordReader, Source, head_records,
    limits,
};
use crate::mapping::{
    Binding, HeaderLine, Library, Program, Recognised, Unrecognised, bind, recognise,
};

use crate::model::headers;

use aside::Memory;
pub use batch::{
    BalanceRecord, Batch, Event as EventRecord, EventRef, Key, Leg, LegText, Legs, Outcome, Reject,
    Row, SkipReason, UniqueRecord, events,
};
#[cfg(test)]
pub(crate) use batch::{EventHead, NewLeg};
pub use evaluate::{Evaluate, Evaluated, RowError, Value, trim};
pub use file::{Facts, FileContext};
pub use options::{Options, PathRule};
pub use row_view::RowView;
pub use show::show_cell;
pub use sums::Sums;
pub use worker::{Candidate, RunNames, Worker};

/// The header line stands within this many lines.
const HEADER_LINES: usize = 50;

/// Delimiters that are tried.
const DELIMITERS: &[u8] = b",;\t|";

/// How far reading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// So many more bytes of the sources were read.
    Bytes(u64),
    /// So many more rows were read.
    Rows(u64),
}

/// What a source turned out to be.
pub enum Reading {
    /// An export whose rows were read.
    Read(Box<FileRows>),
    /// The report is not known, or not certain.
    Unrecognised(Unrecognised, Vec<String>),
    /// Written by this program: a ledger, a list of fates.
    Own,
    /// There is nothing in it.
    Empty,
    /// It could not be read to its end: nothing of it is used.
    Failed(InputError),
}

/// The rows of a file whose report is known.
pub struct FileRows {
    pub context: FileContext,
    pub encoding: &'static str,
    /// Line on which the header stands, 1-based; none if there is none.
    pub header_line: Option<u64>,
    pub batches: Vec<Batch>,
    /// Times and places of all events, in the order of the rows; the batches are numbered within the file.
    pub keys: Vec<Key>,
    /// What the rows moved, summed as they were read: the near end of the proof.
    pub sums: Sums,
}

/// What a file is, before its rows are read.
pub struct Detected {
    pub recognised: Recognised,
    pub encoding: &'static str,
    pub header_line: Option<u64>,
    pub start: Position,
}

/// What detection says of a source.
pub enum Detection {
    Known(Box<Detected>),
    /// With the first lines of the file as they were seen.
    Unknown(Unrecognised, Vec<String>),
    Own,
    Empty,
}

/// Reads all sources. The results are in the order of the sources. `progress` is told the bytes and rows as they are
/// read.
pub fn convert(
    sources: &[Source],
    library: &Library,
    options: &Options,
    names: &RunNames,
    progress: &(dyn Fn(Advance) + Sync),
) -> Vec<Reading> {
    let total = sources.iter().filter_map(Source::size_bytes).sum();
    let memory = options.memory_bytes.map(|limit| {
        let folder = options.aside_folder.clone();
        Memory::new(limit, folder.unwrap_or_else(std::env::temp_dir), total)
    });
    let run = Run {
        library,
        options,
        names,
        memory: memory.as_ref(),
        progress,
    };
    let read = |source: &Source| run.read(source).unwrap_or_else(Reading::Failed);
    sources.par_iter().map(read).collect()
}

/// Tells which report a source is.
pub fn detect(
    source: &Source,
    library: &Library,
    options: &Options,
) -> Result<Detection, InputError> {
    let document = Document::open(source, None)?;
    Ok(detect_document(&document, source, library, options))
}

fn detect_document(
    document: &Document,
    source: &Source,
    library: &Library,
    options: &Options,
) -> Detection {
    let head = document.head();
    if head.iter().all(u8::is_ascii_whitespace) {
        return Detection::Empty;
    }
    let named = options.named.iter().any(|path| path == source.name());
    if headers::is_own(head) && !(named && headers::is_ledger(head)) {
        return Detection::Own;
    }
    let wanted = options.report_of(source);
    let delimiters: &[u8] = if source.is_workbook() {
        b","
    } else {
        DELIMITERS
    };
    let mut lines = Vec::new();
    let mut ends = Vec::new();
    for delimiter in delimiters.iter().copied() {
        // What does not occur separates no cells.
        if delimiter != b',' && memchr::memchr(delimiter, head).is_none() {
            continue;
        }
        for record in head_records(head, delimiter, HEADER_LINES) {
            // One cell alone is no header under any delimiter, unless a mapping asks for just that.
            if record.line <= HEADER_LINES as u64 && (record.cells.len() > 1 || delimiter == b',') {
                let index = usize::try_from(record.line).unwrap_or(usize::MAX);
                lines.push(HeaderLine {
                    delimiter,
                    cells: record.cells,
                    index,
                });
                ends.push((delimiter, index, record.end));
            }
        }
    }
    if let Some(headless) = wanted.and_then(|id| headless(library, id, &lines)) {
        let encoding = document.encoding();
        return Detection::Known(Box::new(Detected {
            recognised: headless,
            encoding,
            header_line: None,
            start: Position::START,
        }));
    }
    match recognise(library, &lines, source.sheet(), wanted) {
        Ok(recognised) if is_own_output(&recognised, head) && !named => Detection::Own,
        Ok(recognised) => {
            let line = &recognised.line;
            let end = ends
                .iter()
                .find(|(delimiter, index, _)| *delimiter == line.delimiter && *index == line.index);
            let start = end.map_or(Position::START, |(.., end)| *end);
            let header_line = Some(line.index as u64);
            Detection::Known(Box::new(Detected {
                recognised,
                encoding: document.encoding(),
                header_line,
                start,
            }))
        }
        Err(unrecognised) => {
            let text = String::from_utf8_lossy(head);
            let first = text.lines().filter(|line| !line.trim().is_empty()).take(3);
            Detection::Unknown(unrecognised, first.map(str::to_owned).collect())
        }
    }
}

/// Whether a file holds rows that an earlier run rejected, or transactions that it wrote (whose last cell is an event's
/// id, which nobody makes by hand).
fn is_own_output(recognised: &Recognised, head: &[u8]) -> bool {
    if head.starts_with(headers::TRANSACTIONS.as_bytes()) {
        let first = head_records(head, b',', 2).into_iter().nth(1);
        let event = first.and_then(|record| record.cells.into_iter().next_back());
        return event.is_some_and(|event| {
            event.len() == 16 && event.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
    }
    recognised
        .binding
        .header
        .iter()
        .any(|header| header == "coinfold_reason")
}

/// A mapping without header that the person asked for.
fn headless(library: &Library, id: &str, lines: &[HeaderLine]) -> Option<Recognised> {
    let program = library
        .program(library.get(id)?)
        .ok()
        .filter(|program| !program.has_header)?;
    let delimiter = program.delimiter.or_else(|| {
        lines
            .iter()
            .max_by_key(|line| line.cells.len())
            .map(|line| line.delimiter)
    })?;
    let width = lines
        .iter()
        .find(|line| line.delimiter == delimiter)
        .map_or(0, |line| line.cells.len());
    let binding: Binding = bind(&program, &vec![String::new(); width])?;
    let line = HeaderLine {
        delimiter,
        cells: Vec::new(),
        index: 0,
    };
    Some(Recognised {
        program,
        binding,
        line,
    })
}

/// A source whose report is known, ready to be read.
pub struct Opened {
    pub document: Document,
    pub detected: Detected,
    pub context: FileContext,
}

/// Opens a source as the report that it is, with all facts about it that do not come from its rows.
pub fn open(
    source: &Source,
    library: &Library,
    options: &Options,
) -> Result<Result<Opened, Detection>, InputError> {
    let mut document = Document::open(source, None)?;
    let mut detected = match detect_document(&document, source, library, options) {
        Detection::Known(detected) => detected,
        other => return Ok(Err(other)),
    };
    let program = detected.recognised.program.clone();
    if program.encoding.is_some() && source.can_reopen() {
        // What the mapping states goes before what was guessed, for the header line too.
        document = Document::open(source, program.encoding.as_deref())?;
        detected = match detect_document(&document, source, library, options) {
            Detection::Known(detected) => detected,
            other => return Ok(Err(other)),
        };
    }
    let program = detected.recognised.program.clone();
    let facts = Facts {
        file_name: source.file_name().to_owned(),
        sheet: source.sheet().unwrap_or_default().to_owned(),
        zone: options.zone_of(source),
        dates: options.dates_of(source),
        asset: options.asset_of(source),
        account: options.account_of(source),
        own: own_addresses(source, &program, &detected, options)?,
        is_workbook: source.is_workbook(),
        read_once: !source.can_reopen(),
    };
    let recognised = &detected.recognised;
    let delimiter = recognised.line.delimiter;
    let context = FileContext::new(program, recognised.binding.clone(), delimiter, facts);
    Ok(Ok(Opened {
        document,
        detected: *detected,
        context,
    }))
}

/// What all sources of a run are read with.
#[derive(Clone, Copy)]
struct Run<'r> {
    library: &'r Library,
    options: &'r Options,
    names: &'r RunNames,
    memory: Option<&'r Memory>,
    progress: &'r (dyn Fn(Advance) + Sync),
}

impl Run<'_> {
    fn read(self, source: &Source) -> Result<Reading, InputError> {
        let opened = match open(source, self.library, self.options)? {
            Ok(opened) => opened,
            Err(other) => return Ok(not_read(other)),
        };
        let Opened {
            document,
            detected,
            context,
        } = opened;
        let chunk_bytes = self.options.chunk_bytes.unwrap_or_else(|| {
            let of_large = limits::LARGE_CHUNK_BYTES;
            let is_large = source.size_bytes() >= Some(16 * of_large as u64);
            if is_large && self.memory.is_none_or(Memory::is_plenty) {
                of_large
            } else {
                limits::CHUNK_BYTES
            }
        });
        let cut = |document: Document, mode| {
            document.into_chunks_of(detected.start, context.delimiter, mode, chunk_bytes)
        };
        let rows = RowsOf {
            source,
            context: &context,
            run: self,
        };
        let guessed = if source.can_reopen() {
            rows.read(cut(document, CutMode::Guess))?
        } else {
            rows.read(cut(document, CutMode::Exact))?
        };
        let Rows {
            batches,
            keys,
            sums,
        } = match guessed {
            Some(read) => read,
            None => {
                // A cut was wrong: cut again, slowly and always right.
                let document = Document::open(source, context.program.encoding.as_deref())?;
                let again = RowsOf {
                    run: Run {
                        progress: &|_| (),
                        ..self
                    },
                    ..rows
                };
                again
                    .read(cut(document, CutMode::Exact))?
                    .unwrap_or_default()
            }
        };
        Ok(Reading::Read(Box::new(FileRows {
            encoding: detected.encoding,
            header_line: detected.header_line,
            context,
            batches,
            keys,
            sums,
        })))
    }
}

fn not_read(detection: Detection) -> Reading {
    match detection {
        Detection::Unknown(unrecognised, first) => Reading::Unrecognised(unrecognised, first),
        Detection::Own => Reading::Own,
        Detection::Known(_) | Detection::Empty => Reading::Empty,
    }
}

/// What the rows of a source are read with.
#[derive(Clone, Copy)]
struct RowsOf<'s> {
    source: &'s Source,
    context: &'s FileContext,
    run: Run<'s>,
}

/// What a thread keeps from chunk to chunk.
struct Hand<'w> {
    worker: Worker<'w>,
    reader: RecordReader,
    /// Memory in which events are made.
    arena: Vec<u8>,
}

/// The rows of a file, the times and places of their events, and what they moved.
#[derive(Default)]
struct Rows {
    batches: Vec<Batch>,
    keys: Vec<Key>,
    sums: Sums,
}

/// Why the reading of rows stopped.
enum Stop {
    /// A cut was wrong: a chunk that is not the last ends inside a record.
    WrongCut,
    Failed(InputError),
}

impl RowsOf<'_> {
    /// The rows of a document in batches, or nothing if a cut was wrong.
    fn read(self, chunks: Chunks) -> Result<Option<Rows>, InputError> {
        let chunks = Mutex::new((chunks, 0));
        let lock = || chunks.lock().unwrap_or_else(PoisonError::into_inner);
        let next = || {
            let (chunks, told) = &mut *lock();
            let chunk = chunks.next().map_err(Stop::Failed).transpose();
            let read = chunks.bytes_read();
            (self.run.progress)(Advance::Bytes(read - *told));
            if let Some(memory) = self.run.memory {
                memory.note_read(read - *told);
            }
            *told = read;
            chunk
        };
        let begin = || Hand {
            worker: Worker::new(self.context, self.run.names),
            reader: RecordReader::new(self.context.delimiter),
            arena: Vec::new(),
        };
        let work = |hand: &mut Hand<'_>, number, chunk: Chunk| {
            let mut batch = self.read_chunk(hand, number, &chunk)?;
            lock().0.recycle(chunk.text);
            (self.run.progress)(Advance::Rows(batch.records_read));
            let failed = |error| Stop::Failed(InputError::from_io(self.source.name(), &error));
            hand.arena = batch.keep(self.run.memory).map_err(failed)?;
            Ok(batch)
        };
        let mut batches: Vec<Batch> = Vec::new();
        let mut keys = Vec::new();
        let mut sums = Sums::default();
        let put = |mut batch: Batch| {
            // Not twice what there is: times and places may be most of what a run holds.
            if keys.capacity() - keys.len() < batch.keys.len() {
                keys.reserve_exact(batch.keys.len() + keys.len() / 16);
            }
            keys.append(&mut batch.keys);
            batch.keys = Vec::new();
            sums.merge(std::mem::take(&mut batch.sums));
            batches.push(batch);
            Ok(())
        };
        let mut first = next();
        let read = match first.take() {
            // Most files are one chunk, and need no more than one thread.
            Some(Ok(chunk)) if chunk.is_last => work(&mut begin(), 0, chunk).and_then(put),
            started => {
                let mut started = Some(started);
                let pieces = || started.take().unwrap_or_else(next);
                in_order(pieces, begin, work, put)
            }
        };
        match read {
            Ok(()) => Ok(Some(Rows {
                batches,
                keys,
                sums,
            })),
            Err(Stop::WrongCut) => Ok(None),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    fn read_chunk(self, hand: &mut Hand<'_>, number: usize, chunk: &Chunk) -> Result<Batch, Stop> {
        let number = u32::try_from(number).expect("fewer chunks than 2^32");
        let arena = std::mem::take(&mut hand.arena);
        let mut batch = Batch::for_text(number, chunk.lines_before, chunk.text.len(), arena);
        hand.worker.expect_utf_8(chunk.is_utf8());
        let mut records = hand.reader.start(&chunk.text);
        while let Some(record) = records.next().map_err(|error| {
            Stop::Failed(error.in_source(self.source.name(), chunk.lines_before))
        })? {
            hand.worker.read_row(record, &mut batch);
        }
        if records.ended_clean() || chunk.is_last {
            Ok(batch)
        } else {
            Err(Stop::WrongCut)
        }
    }
}

/// Whose history a file is: said by the person, or by the file's name, or by the one address that every row has.
fn own_addresses(
    source: &Source,
    program: &Program,
    detected: &Detected,
    options: &Options,
) -> Result<Vec<String>, InputError> {
    let Some(own) = &program.own else {
        return Ok(Vec::new());
    };
    let given = options.addresses_of(source);
    if !given.is_empty() || !source.can_reopen() {
        return Ok(given);
    }
    if let Some(found) = own
        .file_name
        .as_ref()
        .and_then(|regex| regex.captures(source.file_name()))
    {
        let text = found
            .get(1)
            .or_else(|| found.get(0))
            .map_or("", |found| found.as_str());
        return Ok(vec![text.to_lowercase()]);
    }
    if own.columns.is_empty() {
        return Ok(Vec::new());
    }
    let document = Document::open(source, program.encoding.as_deref())?;
    let line = &detected.recognised.line;
    let facts = Facts::default();
    let context = FileContext::new(
        detected.recognised.program.clone(),
        detected.recognised.binding.clone(),
        line.delimiter,
        facts,
    );
    let mut chunks = document.into_chunks(detected.start, line.delimiter, CutMode::Exact);
    let mut shared: Option<Vec<String>> = None;
    while let Some(chunk) = chunks.next()? {
        let mut reader = RecordReader::new(line.delimiter);
        let mut records = reader.start(&chunk.text);
        while let Some(record) = records
            .next()
            .map_err(|error| error.in_source(source.name(), chunk.lines_before))?
        {
            let view = RowView {
                file: &context,
                record,
            };
            let here: Vec<String> = own
                .columns
                .iter()
                .map(|column| String::from_utf8_lossy(&view.cell(*column)).to_lowercase())
                .filter(|text| !text.is_empty())
                .collect();
            if here.is_empty() {
                continue;
            }
            match &mut shared {
                None => shared = Some(here),
                Some(shared) => shared.retain(|address| here.contains(address)),
            }
        }
        chunks.recycle(chunk.text);
    }
    let mut shared = shared.unwrap_or_default();
    shared.dedup();
    // More than one address that all rows share (a file of one row) tells nothing.
    Ok(if shared.len() == 1 {
        shared
    } else {
        Vec::new()
    })
}
