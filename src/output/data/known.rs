//! Knowing a file of data as one that this program wrote: lying among the exports, it is no export.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use zip::ZipArchive;

/// How a Parquet file says who wrote it, in the form that readers expect.
pub(super) const CREATED_BY: &str = concat!("coinfold version ", env!("CARGO_PKG_VERSION"));
/// What every version's begins with.
const CREATED_BY_START: &str = "coinfold version ";
/// How a SQLite database says it: "coin".
pub(super) const APPLICATION_ID: u32 = 0x636f_696e;
/// Where a SQLite database holds it. Source: the SQLite file format.
const APPLICATION_ID_AT: usize = 68;
/// How a workbook says it.
pub(super) const AUTHOR: &str = "coinfold";
/// Where a workbook holds it, and how much of that is looked at.
const PROPERTIES_PART: &str = "docProps/core.xml";
const PROPERTIES_BYTES: u64 = 1 << 16;

/// Whether a file is Parquet, SQLite or a workbook that this program wrote.
pub fn is_own_data(path: &Path) -> bool {
    let Ok(mut file) = File::open(path) else {
        return false;
    };
    let mut first = [0; APPLICATION_ID_AT + 4];
    if file.read_exact(&mut first).is_err() || file.seek(SeekFrom::Start(0)).is_err() {
        return false;
    }
    if first.starts_with(b"SQLite format 3\0") {
        first[APPLICATION_ID_AT..] == APPLICATION_ID.to_be_bytes()
    } else if first.starts_with(b"PAR1") {
        SerializedFileReader::new(file)
            .ok()
            .and_then(|reader| {
                let by = reader.metadata().file_metadata().created_by()?;
                Some(by.starts_with(CREATED_BY_START))
            })
            .unwrap_or(false)
    } else if first.starts_with(b"PK\x03\x04") {
        author_is_ours(file)
    } else {
        false
    }
}

fn author_is_ours(file: File) -> bool {
    let Ok(mut archive) = ZipArchive::new(file) else {
        return false;
    };
    let Ok(part) = archive.by_name(PROPERTIES_PART) else {
        return false;
    };
    let mut text = String::new();
    part.take(PROPERTIES_BYTES)
        .read_to_string(&mut text)
        .is_ok()
        && text.contains(&format!("<dc:creator>{AUTHOR}</dc:creator>"))
}
