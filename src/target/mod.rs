//! The target language: read → check → compile to a [`Target`]; the library of targets.
//!
//! Comes in: the text of target files. Goes out: targets, which `output` runs over the events of a ledger. This room
//! sees no event and writes no file. `docs/target-language.md` is the letter of the language.

mod compile;
pub mod document;
mod fields;
mod library;
mod lint;
mod parts;
mod program;

pub use compile::{compile, read};
pub use document::{Confidence, Document};
pub use fields::{Field, SLOTS, slot_field};
pub use library::{Entry, Targets};
pub use lint::lint;
pub use program::{
    AddsUp, AssetText, Case, Check, Column, Container, FeeRule, Fill, Outcome, Part, Rebate,
    RowRules, Several, Shape, Side, Target, TimeForm, Transfer, Way, Zoned,
};

/// The JSON Schema of a target's file, for editors.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}
