//! From paths to records: this room finds the files that paths name, unpacks and decodes them while
//! they are read, cuts them into chunks of whole records, and reads the records' cells.
//!
//! In come paths. Out go [`Source`]s, and for each of them a [`Document`], its [`Chunk`]s and their
//! [`Record`]s with line numbers. It knows nothing of mappings: what a column means is not its
//! business.
//!
//! ```no_run
//! use coinfold::input::{CutMode, Document, Position, RecordReader, discover, head_records};
//!
//! # fn main() -> Result<(), coinfold::input::InputError> {
//! for source in discover(&["exports/".to_owned()])?.sources {
//!     let document = Document::open(&source, None)?;
//!     let Some(header) = head_records(document.head(), b',', 1).pop() else { continue };
//!     let mut reader = RecordReader::new(b',');
//!     let mut chunks = document.into_chunks(header.end, b',', CutMode::Exact);
//!     while let Some(chunk) = chunks.next()? {
//!         let mut records = reader.start(&chunk.text);
//!         while let Some(record) = records.next()? {
//!             println!("{}: {:?}", chunk.lines_before + 1 + u64::from(record.line()), record.get(0));
//!         }
//!         chunks.recycle(chunk.text);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod archive;
mod chunk;
mod decode;
mod discover;
mod document;
mod error;
mod head;
pub mod limits;
mod marks;
mod quoting;
mod record;
mod sniff;
mod source;
mod unpack;
mod workbook;

pub use chunk::{Chunk, Chunks};
pub use discover::{Discovery, PROJECT_FILE, discover};
pub use document::{CutMode, Document, Position};
pub use error::{InputError, InputErrorKind};
pub use head::{HeadRecord, head_records};
pub use record::{CellText, Record, RecordReader, Records};
pub use source::Source;

#[cfg(test)]
mod tests;
