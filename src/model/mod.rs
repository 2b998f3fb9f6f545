//! The words everyone uses: amounts, times, kinds of event, fates of rows, names of assets and accounts.
//!
//! This room imports nothing of ours. A value that has passed through one of its constructors carries the proof with it:
//! an [`Amount`] is exact and finite, a [`Kind`] is one of the closed list.

pub mod amount;
pub mod headers;
mod kind;
mod names;
pub(crate) mod short;
pub mod time;

pub use amount::{Amount, AmountError, Overflow, Sum};
pub use kind::{Fate, Kind, Role};
pub use names::{NameId, Names};
pub use short::Short;
pub use time::Time;
