//! Writers: the ledger as CSV and JSON Lines, the transactions layout, layouts that are no text, the fates of the rows,
//! the rejected rows.
//!
//! Comes in: a [`Ledger`](crate::ledger::Ledger). Goes out: bytes, and the sums read back from them: the far end of the
//! proof. Files are written whole or not at all.

mod csv_text;
mod data;
mod findings;
mod journal;
mod jsonl;
mod ledger_csv;
mod readback;
mod rejects;
mod rows;
mod spreadsheet;
mod table;
mod transactions;
mod whole_file;
mod write;

pub use data::{AmountForm, DataError, DataFormat, DataJob, WrittenData, is_own_data, write_data};
pub use findings::{Finding, Findings, Weight};
pub use journal::{
    JournalError, JournalLayout, JournalOption, JournalPlan, JournalWritten, write_journal,
};
pub use readback::WrittenSums;
pub use rejects::{RejectsFile, write_rejects};
pub use rows::write_rows;
pub use table::{Settings, TargetFile, TargetWritten, write_target};
pub use whole_file::{WholeFile, remove_unfinished};
pub use write::{Layout, Page, Written, write_held, write_ledger};

/// How a ledger is laid out as text; [`DataFormat`] is for what is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One line for each leg.
    Csv,
    /// One JSON object for each leg.
    JsonLines,
    /// One row for each event, as far as that goes: sent, received, fee.
    Transactions,
}

impl Format {
    pub fn layout(self) -> Box<dyn Layout> {
        match self {
            Format::Csv => Box::new(ledger_csv::LedgerCsv),
            Format::JsonLines => Box::new(jsonl::JsonLines),
            Format::Transactions => Box::new(transactions::Transactions),
        }
    }
}
