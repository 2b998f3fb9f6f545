//! Runs programs over records: bytes → rows → events, in parallel, with one outcome for every row.
//!
//! Comes in: sources and a library of mappings. Goes out: for each source what it was recognised as, and its rows in
//! batches, in the order of the file. This is where `input` and `mapping` meet.

mod aside;
mod batch;
mod detect;
mod evaluate;
mod file;
mod memo;
mod options;
mod row_hash;
mod row_view;
mod show;
mod sums;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::in_order::in_order;
use crate::input::{Chunk, Chunks, CutMode, Document, InputError, RecordReader, Source, limits};
use crate::mapping::{Library, Unrecognised};

pub use aside::{AsideFile, Extent};
use aside::{Memory, Shelves};
pub use batch::{
    BalanceRecord, Batch, Event as EventRecord, EventRef, Key, Leg, LegText, Legs, Outcome, Reject,
    Row, SkipReason, UniqueRecord, events,
};
#[cfg(test)]
pub(crate) use batch::{EventHead, NewLeg};
pub use detect::{Detected, Detection, Detector, Opened, detect, open};
pub use evaluate::{Evaluate, Evaluated, RowError, Value, trim};
pub use file::{Facts, FileContext};
pub use options::{Options, PathRule};
pub use row_view::RowView;
pub use show::show_cell;
pub use sums::Sums;
pub use worker::{Candidate, RunNames, Worker};

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
    pub context: Arc<FileContext>,
    pub encoding: &'static str,
    /// Line on which the header stands, 1-based; none if there is none.
    pub header_line: Option<u64>,
    pub batches: Vec<Batch>,
    /// Times and places of all events, in the order of the rows; the batches are numbered within the file.
    pub keys: Vec<Key>,
    /// What the rows moved, summed as they were read: the near end of the proof.
    pub sums: Sums,
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
    let shelves = Memory::shelves(memory.as_ref(), total);
    let run = Run {
        detector: &Detector::new(library, options),
        options,
        names,
        memory: memory.as_ref(),
        shelves: shelves.as_ref(),
        progress,
    };
    sources
        .par_iter()
        .map_init(Kept::default, |kept, source| {
            run.read(source, kept).unwrap_or_else(Reading::Failed)
        })
        .collect()
}

/// What all sources of a run are read with.
#[derive(Clone, Copy)]
struct Run<'r> {
    detector: &'r Detector<'r>,
    options: &'r Options,
    names: &'r RunNames,
    memory: Option<&'r Memory>,
    shelves: Option<&'r Shelves>,
    progress: &'r (dyn Fn(Advance) + Sync),
}

impl<'r> Run<'r> {
    fn read(self, source: &Source, kept: &mut Kept<'r>) -> Result<Reading, InputError> {
        let memory = std::mem::take(&mut kept.memory);
        let opened = match self.detector.open(source, memory)? {
            Ok(opened) => opened,
            Err(other) => return Ok(not_read(other)),
        };
        let Opened {
            document,
            detected,
            context,
        } = opened;
        let chunk_bytes = self.options.chunk_bytes.unwrap_or(limits::CHUNK_BYTES);
        let cut = |document: Document, mode| {
            document.into_chunks_of(detected.start, context.delimiter, mode, chunk_bytes)
        };
        let rows = RowsOf {
            source,
            context: &context,
            run: self,
        };
        let guessed = if source.can_reopen() {
            rows.read(cut(document, CutMode::Guess), kept)?
        } else {
            rows.read(cut(document, CutMode::Exact), kept)?
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
                    .read(cut(document, CutMode::Exact), kept)?
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
struct RowsOf<'s, 'r> {
    source: &'s Source,
    context: &'s FileContext,
    run: Run<'r>,
}

/// What a thread keeps from file to file.
#[derive(Default)]
struct Kept<'r> {
    /// The hand that read the last file, for another that is read with the same context.
    hand: Option<(&'r FileContext, Hand<'r>)>,
    /// Memory for text.
    memory: Vec<u8>,
}

impl<'r> Kept<'r> {
    /// The hand for a context: the one that is kept, or a new one that may be kept. None for a context of one file.
    fn take(&mut self, context: &FileContext, run: Run<'r>) -> Option<(&'r FileContext, Hand<'r>)> {
        let context = run.detector.lasting(context)?;
        let kept = self.hand.take();
        let same = kept.filter(|(of, _)| std::ptr::eq(*of, context));
        Some(same.unwrap_or_else(|| (context, Hand::new(context, run))))
    }
}

/// What a thread keeps from chunk to chunk.
struct Hand<'w> {
    worker: Worker<'w>,
    reader: RecordReader,
    /// Whether the last text ended where a record ended.
    is_between_records: bool,
    /// Memory in which events are made.
    arena: Vec<u8>,
}

impl<'w> Hand<'w> {
    fn new(context: &'w FileContext, run: Run<'w>) -> Hand<'w> {
        Hand {
            worker: Worker::new(context, run.names),
            reader: RecordReader::new(context.delimiter),
            is_between_records: true,
            arena: Vec::new(),
        }
    }
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

impl<'r> RowsOf<'_, 'r> {
    /// The rows of a document in batches, or nothing if a cut was wrong.
    fn read(self, chunks: Chunks, kept: &mut Kept<'r>) -> Result<Option<Rows>, InputError> {
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
        let begin = || Hand::new(self.context, self.run);
        let work = |hand: &mut Hand<'_>, number, chunk: Chunk| {
            let mut batch = self.read_chunk(hand, number, &chunk)?;
            lock().0.recycle(chunk.text);
            (self.run.progress)(Advance::Rows(batch.records_read));
            let failed = |error| Stop::Failed(InputError::from_io(self.source.name(), &error));
            hand.arena = batch
                .keep(self.run.memory, self.run.shelves)
                .map_err(failed)?;
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
            Some(Ok(chunk)) if chunk.is_last => match kept.take(self.context, self.run) {
                Some((context, mut hand)) => {
                    let done = work(&mut hand, 0, chunk);
                    // What stopped inside a record begins anew.
                    if done.is_err() || !hand.is_between_records {
                        hand.reader = RecordReader::new(context.delimiter);
                    }
                    kept.hand = Some((context, hand));
                    done.and_then(put)
                }
                None => work(&mut begin(), 0, chunk).and_then(put),
            },
            started => {
                let mut started = Some(started);
                let pieces = || started.take().unwrap_or_else(next);
                in_order(pieces, begin, work, put)
            }
        };
        let (chunks, _) = chunks.into_inner().unwrap_or_else(PoisonError::into_inner);
        kept.memory = chunks.into_memory();
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
        hand.is_between_records = records.ended_clean();
        if hand.is_between_records || chunk.is_last {
            Ok(batch)
        } else {
            Err(Stop::WrongCut)
        }
    }
}
