#![forbid(unsafe_code)]
pub mod convert;
pub mod input;
pub mod ledger;
pub mod mapping;
pub mod model;
