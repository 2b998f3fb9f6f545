//! What a person is told: the summary of a run, what is wrong with a mapping, the way of one row.
//!
//! Comes in: a ledger, diagnostics. Goes out: text for people, and the same as data.

mod diagnostics;
mod explain;
mod numbers;
mod preflight;
mod summary;

pub use diagnostics::render;
pub use explain::explain_row;
pub use numbers::{counted, grouped};
pub use preflight::preflight_text;
pub use summary::{Outcome, OutputLine, Problem, Summary};
