//! coinfold turns the CSV histories that crypto exchanges let their customers download into ONE exact ledger.
//!
//! The way data goes, on one page:
//!
//! ```text
//! paths ─▶ input ─▶ mapping (which report is this?) ─▶ convert ─▶ ledger ─▶ output ─▶ files
//!          │             a compiled Program            rows→events   order, overlap,   │   ledger · data layouts
//!          └ bytes, text, records with line numbers    in parallel   proof, balances   │   journals · rows · rejected
//!                                                                                      └ target (what does this tool take?)
//! ```
//!
//! [`fold`] is the pipeline from sources to a ledger; what is written, and what a person is told, comes after it.
#![forbid(unsafe_code)]

pub mod cli;
pub mod convert;
mod in_order;
pub mod input;
pub mod ledger;
pub mod mapping;
pub mod model;
pub mod output;
pub mod report;
pub mod target;

use convert::{Advance, Options, Reading, RunNames};
use input::Source;
use ledger::{Ledger, Period};
use mapping::Library;

/// A ledger, and the sources that are not in it.
pub struct Folded {
    pub ledger: Ledger,
    /// Name of the source, and why its rows are not in the ledger.
    pub left_out: Vec<(String, Reading)>,
}

/// Reads all sources, recognises each, and puts their rows together. `progress` is told the bytes and rows as
/// they are read.
///
/// # Errors
/// When rows that were put aside cannot be read again.
pub fn fold(
    sources: &[Source],
    library: &Library,
    options: &Options,
    period: Period,
    progress: &(dyn Fn(Advance) + Sync),
) -> std::io::Result<Folded> {
    let names = RunNames::default();
    let readings = convert::convert(sources, library, options, &names, progress);
    let mut files = Vec::new();
    let mut left_out = Vec::new();
    for (source, reading) in sources.iter().zip(readings) {
        match reading {
            Reading::Read(rows) => files.push((source.name().to_owned(), *rows)),
            other => left_out.push((source.name().to_owned(), other)),
        }
    }
    Ok(Folded {
        ledger: Ledger::build(files, names, period, options.memory_bytes)?,
        left_out,
    })
}
