//! The mapping language: read → check → compile to a [`Program`]; the library of mappings; which report a file is.
//!
//! Comes in: the text of mappings, and the header lines of files. Goes out: programs and bindings, which `convert` runs
//! over records. This room opens no file of the person's and knows nothing of how records are read.

mod assets;
pub mod cell;
mod compile;
mod diagnostic;
pub mod document;
mod expression;
mod header;
mod library;
mod lint;
mod program;
mod recognise;

pub use assets::{Aliases, MAX_CODE_BYTES, Meaning};
pub use compile::said_shortly;
pub use diagnostic::{Complaints, Diagnostic, Level, Section};
pub use document::{Complete, Document, Order};
pub use expression::{
    CellType, Expr, Function, Names, Operator, Part, Type, check_as, nearest, parse_expression,
};
pub use header::normalise;
pub use library::{Library, Mapping, mapping_files};
pub use lint::{TestPlaces, choice_words, lint, lint_aliases};
pub use program::{
    Cell, Column, Count, Direction, EventTemplate, Expect, Group, KindFrom, LegTemplate, Program,
    Rule, Skip, TEXT_COUNT, Test, ZoneFrom,
};
pub use recognise::{Binding, HeaderLine, Near, Place, Recognised, Unrecognised, bind, recognise};

/// The JSON Schema of a mapping's file, for editors.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}
