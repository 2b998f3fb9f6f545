//! Writes all events in a layout: formatted in parallel, written in order, the sums read back on the way.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use super::csv_text::{LineBytes, ReadyCell, put_cell};
use super::readback::WrittenSums;
use crate::in_order::in_order;
use crate::ledger::{Event, Ledger, NameTexts, Views};
use crate::model::Kind;
use crate::model::time::TimeWriter;

/// How many events one buffer holds.
const EVENTS_PER_BUFFER: usize = 2048;

/// Lines of a file that has one or several for each event.
pub trait Layout: Sync {
    /// What stands before the first event.
    fn header(&self) -> &'static str;

    /// Appends the lines of events, adds each amount that was written to the sums by reading it back from the buffer, and
    /// says how many lines it wrote.
    fn events<'l>(
        &self,
        views: &Views<'l>,
        events: &'l [Event],
        names: &Written<'_>,
        page: &mut Page,
    ) -> u64;
}

/// What is written of some events, and what that adds up to.
#[derive(Default)]
pub struct Page {
    /// Where lines come to; [`Page::whole_text`] has all of them.
    pub(super) text: Vec<u8>,
    pub sums: WrittenSums,
    pub times: TimeWriter,
    /// Where lines are put together and wait before they come to the text.
    pub(super) lines: LineBytes,
}

impl Page {
    /// All that was written.
    pub fn whole_text(&mut self) -> &mut Vec<u8> {
        self.lines.move_to(&mut self.text);
        &mut self.text
    }
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

/// Writes a ledger. Gives back the number of lines after the header, and the sums as they stand in the file. `progress` is
/// told the events as they are written.
///
/// # Errors
/// When the output cannot be written, or rows that were put aside cannot be read again.
pub fn write_ledger(
    ledger: &mut Ledger,
    names: &NameTexts,
    layout: &dyn Layout,
    out: &mut (dyn Write + Send),
    progress: &(dyn Fn(u64) + Sync),
) -> io::Result<(u64, WrittenSums)> {
    let mut writer = LedgerWriter::begin(ledger, names, layout, out)?;
    // The events are looked at while the ledger brings back their rows.
    let events = std::mem::take(&mut ledger.events);
    let written = ledger.in_parts(&events, |ledger, part| writer.write(ledger, part, progress));
    ledger.events = events;
    written?;
    writer.finish()
}

/// Writes a ledger whose rows are all in memory, as [`write_ledger`] does.
///
/// # Errors
/// When the output cannot be written.
pub fn write_held(
    ledger: &Ledger,
    names: &NameTexts,
    layout: &dyn Layout,
    out: &mut (dyn Write + Send),
) -> io::Result<(u64, WrittenSums)> {
    let mut writer = LedgerWriter::begin(ledger, names, layout, out)?;
    writer.write(ledger, &ledger.events, &|_| ())?;
    writer.finish()
}

/// Writes events one part after the other.
struct LedgerWriter<'w> {
    layout: &'w dyn Layout,
    written: Written<'w>,
    out: &'w mut (dyn Write + Send),
    lines: u64,
    sums: WrittenSums,
    /// Written buffers are used again: memory that was never touched before is the dearest.
    pool: Mutex<Vec<Vec<u8>>>,
}

impl<'w> LedgerWriter<'w> {
    fn begin(
        ledger: &Ledger,
        names: &'w NameTexts,
        layout: &'w dyn Layout,
        out: &'w mut (dyn Write + Send),
    ) -> io::Result<LedgerWriter<'w>> {
        out.write_all(layout.header().as_bytes())?;
        Ok(LedgerWriter {
            layout,
            written: Written::new(ledger, names),
            out,
            lines: 0,
            sums: WrittenSums::default(),
            pool: Mutex::default(),
        })
    }

    /// Writes events whose rows are in memory: formatted by many threads, written in order.
    fn write(
        &mut self,
        ledger: &Ledger,
        events: &[Event],
        progress: &(dyn Fn(u64) + Sync),
    ) -> io::Result<()> {
        let LedgerWriter {
            layout,
            written,
            out,
            lines,
            sums,
            pool,
        } = self;
        let (layout, written, pool) = (&**layout, &*written, &*pool);
        let lock = || pool.lock().unwrap_or_else(PoisonError::into_inner);
        let views = Views::of(ledger);
        let mut pieces = events.chunks(EVENTS_PER_BUFFER);
        in_order(
            || pieces.next().map(Ok),
            || (),
            |(), _, events| {
                let text = lock().pop().unwrap_or_default();
                let mut page = Page {
                    text,
                    ..Page::default()
                };
                let lines = layout.events(&views, events, written, &mut page);
                progress(events.len() as u64);
                Ok((page, lines))
            },
            |(mut page, count): (Page, u64)| {
                out.write_all(page.whole_text())?;
                *lines += count;
                sums.merge(page.sums);
                page.text.clear();
                lock().push(page.text);
                Ok(())
            },
        )
    }

    fn finish(mut self) -> io::Result<(u64, WrittenSums)> {
        self.out.flush()?;
        let names = self.written.names;
        self.sums.name(
            |account| &names.accounts[account as usize],
            |asset| &names.assets[asset as usize],
        );
        Ok((self.lines, self.sums))
    }
}
