//! Layouts that are no text: Parquet, SQLite, a workbook.
//!
//! Comes in: a [`Ledger`](crate::ledger::Ledger) and a file. Goes out: the file, the sums read back from it, and what the
//! layout could not say as the ledger says it. Each layout is written by one thread in the ledger's order, so the same
//! ledger gives the same bytes.

mod cell;
mod known;
mod parquet;
mod parquet_read;
mod sqlite;
mod sqlite_schema;
mod workbook;
mod workbook_sheet;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use super::findings::Findings;
use super::readback::WrittenSums;
use crate::input::Source;
use crate::ledger::{Ledger, NameTexts};

pub use known::is_own_data;

/// A layout that is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataFormat {
    /// One row for each leg, in columns.
    Parquet,
    /// Tables of files, rows, events and legs.
    Sqlite,
    /// Sheets of legs, transactions, rejected rows, files and balances.
    Workbook,
}

impl DataFormat {
    /// The layout of this name.
    pub fn of_id(id: &str) -> Option<DataFormat> {
        match id {
            "parquet" => Some(DataFormat::Parquet),
            "sqlite" => Some(DataFormat::Sqlite),
            "xlsx" => Some(DataFormat::Workbook),
            _ => None,
        }
    }

    /// The layout that a file's extension asks for, in lower case.
    pub fn of_extension(extension: &str) -> Option<DataFormat> {
        match extension {
            "sqlite3" | "db" => Some(DataFormat::Sqlite),
            id => DataFormat::of_id(id),
        }
    }
}

/// How Parquet holds amounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AmountForm {
    /// `DECIMAL(38, 18)`.
    #[default]
    Decimal,
    /// Text, for amounts of any length.
    Text,
}

/// What is written, and how.
#[derive(Clone, Copy)]
pub struct DataJob<'l> {
    pub ledger: &'l Ledger,
    pub names: &'l NameTexts,
    pub amounts: AmountForm,
    /// Where rejected rows are read again.
    pub sources: &'l [Source],
}

/// What was written.
pub struct WrittenData {
    /// Legs.
    pub lines: u64,
    /// As they stand in the file.
    pub sums: WrittenSums,
    pub findings: Findings,
}

/// Why a layout was not written.
#[derive(Debug)]
pub enum DataError {
    /// The layout cannot hold something.
    Refused {
        /// What, and where.
        message: String,
        help: String,
    },
    /// The file cannot be written, or not be read back.
    Io(io::Error),
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataError::Refused { message, help } => write!(f, "{message}\n  help: {help}"),
            DataError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DataError {}

impl From<io::Error> for DataError {
    fn from(error: io::Error) -> DataError {
        DataError::Io(error)
    }
}

/// Writes a ledger into an empty file, which can be read and sought; `path` is where it lies, if it has a name.
///
/// # Errors
/// When the layout cannot hold something, or the file cannot be written.
pub fn write_data(
    job: DataJob<'_>,
    format: DataFormat,
    file: &mut File,
    path: Option<&Path>,
) -> Result<WrittenData, DataError> {
    match format {
        DataFormat::Parquet => parquet::write(job, file),
        DataFormat::Sqlite => sqlite::write(job, file, path),
        DataFormat::Workbook => workbook::write(job, file, path),
    }
}
