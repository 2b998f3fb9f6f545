//! Writes all events in a layout: formatted in parallel, written in order, the sums read back on the way.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;

use rayon::prelude::*;

use super::csv_text::{LineBytes, ReadyCell, put_cell};
use super::readback::WrittenSums;
use crate::ledger::{Event, EventView, Ledger, NameTexts};
use crate::model::Kind;
use crate::model::time::TimeWriter;

/// How many events one buffer holds.
const EVENTS_PER_BUFFER: usize = 2048;

/// Lines of a file that has one or several for each event.
pub trait Layout: Sync {
    /// What stands before the first event.
    fn header(&self) -> &'static str;

    /// Appends an event's lines, adds each amount that was written to the sums by reading it back from the buffer, and
    /// says how many lines it wrote.
    fn event(&self, view: &EventView<'_>, names: &Written<'_>, page: &mut Page) -> u64;
}

/// What is written of some events, and what that adds up to.
#[derive(Default)]
pub struct Page {
    pub text: Vec<u8>,
    pub sums: WrittenSums,
    pub times: TimeWriter,
    /// Where lines are put together before they come to the text.
    pub lines: LineBytes,
}

/// Texts that every line needs, ready to be copied.
pub struct Written<'l> {
    pub names: &'l NameTexts,
    /// By kind: its word between commas.
    pub kinds: Vec<ReadyCell<16>>,
    /// By account: its name as a cell.
    pub accounts: Vec<ReadyCell<32>>,
    /// By asset: its name as a cell between commas.
    pub assets: Vec<ReadyCell<16>>,
    /// By file: its format and its name, each as a cell with a comma behind it.
    pub files: Vec<ReadyCell<64>>,
}

impl<'l> Written<'l> {
    pub(super) fn new(ledger: &Ledger, names: &'l NameTexts) -> Written<'l> {
        let cell = |before: &str, name: &str, after: &str| {
            let mut cell = before.as_bytes().to_vec();
            put_cell(&mut cell, name.as_bytes(), b',');
            cell.extend_from_slice(after.as_bytes());
            cell
        };
        let names_of_files = ledger.files.iter().map(|file| {
            let format = format!("{},", file.rows.context.program.id);
            ReadyCell::new(cell(&format, &file.name, ","))
        });
        Written {
            names,
            kinds: Kind::ALL
                .iter()
                .map(|kind| ReadyCell::new(cell(",", kind.word(), ",")))
                .collect(),
            accounts: names
                .accounts
                .iter()
                .map(|name| ReadyCell::new(cell("", name, "")))
                .collect(),
            assets: names
                .assets
                .iter()
                .map(|name| ReadyCell::new(cell(",", name, ",")))
                .collect(),
            files: names_of_files.collect(),
        }
    }
}

/// Writes a ledger. Gives back the number of lines after the header, and the sums as they stand in the file.
///
/// # Errors
/// When the output cannot be written.
pub fn write_ledger(
    ledger: &Ledger,
    names: &NameTexts,
    layout: &dyn Layout,
    out: &mut (dyn Write + Send),
) -> io::Result<(u64, WrittenSums)> {
    let written = Written::new(ledger, names);
    out.write_all(layout.header().as_bytes())?;
    let threads = rayon::current_num_threads().max(1);
    let mut lines = 0;
    let mut sums = WrittenSums::default();
    // Written buffers are used again: memory that was never touched before is the dearest.
    let pool: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    let format = |events: &[Event]| {
        let text = pool
            .lock()
            .ok()
            .and_then(|mut pool| pool.pop())
            .unwrap_or_default();
        let mut page = Page {
            text,
            ..Page::default()
        };
        let lines: u64 = events
            .iter()
            .map(|event| layout.event(&ledger.view(event), &written, &mut page))
            .sum();
        (page.text, lines, page.sums)
    };
    let wave = EVENTS_PER_BUFFER * threads * 2;
    std::thread::scope(|scope| {
        // One wave is written while the next is formatted.
        let (send, receive) = sync_channel::<Vec<Vec<u8>>>(1);
        let pool = &pool;
        let writer = scope.spawn(move || {
            for buffers in receive {
                for mut buffer in buffers {
                    out.write_all(&buffer)?;
                    buffer.clear();
                    if let Ok(mut pool) = pool.lock() {
                        pool.push(buffer);
                    }
                }
            }
            out.flush()
        });
        for events in ledger.events.chunks(wave) {
            let formatted: Vec<_> = events.par_chunks(EVENTS_PER_BUFFER).map(format).collect();
            let mut buffers = Vec::with_capacity(formatted.len());
            for (buffer, count, of_buffer) in formatted {
                lines += count;
                sums.merge(of_buffer);
                buffers.push(buffer);
            }
            // A closed channel means that writing failed: its error comes from the thread.
            if send.send(buffers).is_err() {
                break;
            }
        }
        drop(send);
        writer
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the writing thread stopped")))
    })?;
    sums.name(
        |account| &names.accounts[account as usize],
        |asset| &names.assets[asset as usize],
    );
    Ok((lines, sums))
}
