//! A source: one text with records in it, and the way back to where it is held.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One table-like text: a file, a member of an archive, a sheet of a workbook, or standard input.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Source(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    file_name: String,
    path: Option<PathBuf>,
    size_bytes: Option<u64>,
    place: Place,
}

/// Where the bytes of a source are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// Standard input.
    Stdin,
    /// A file that is read as it stands, or unpacked while it is read if it is gzip.
    File,
    /// A pipe or device, which can be read only once.
    Pipe,
    /// A member of a zip file.
    ZipMember(ZipMember),
    /// A member of a tar file, held in memory.
    Memory(Arc<[u8]>),
    /// A sheet of the workbook that is held there.
    Sheet { workbook: Box<Place>, sheet: String },
}

/// Where a member lies in its zip file, as the central directory states it.
#[derive(Clone, Debug)]
pub(crate) struct ZipMember {
    /// Byte offset of the member's compressed bytes in the file.
    pub(crate) start_byte: u64,
    pub(crate) compressed_bytes: u64,
    pub(crate) unpacked_bytes: u64,
    pub(crate) crc32: u32,
    /// Deflated; else stored as it is.
    pub(crate) deflated: bool,
}

impl Source {
    pub(crate) fn new(
        name: String,
        path: Option<PathBuf>,
        size_bytes: Option<u64>,
        place: Place,
    ) -> Source {
        let file_name = match place {
            Place::Stdin | Place::File | Place::Pipe => Path::new(&name)
                .file_name()
                .map(|name| name.to_string_lossy().into_owned()),
            // Archives made on Windows may have its separators.
            _ => name.rsplit(['/', '\\']).next().map(str::to_owned),
        };
        let file_name = file_name.unwrap_or_else(|| name.clone());
        Source(Arc::new(Inner {
            name,
            file_name,
            path,
            size_bytes,
            place,
        }))
    }

    /// The sheet of this name in the workbook that this source is.
    pub(crate) fn with_sheet(&self, sheet: String) -> Source {
        Source(Arc::new(Inner {
            name: format!("{}#{sheet}", self.0.name),
            file_name: self.0.file_name.clone(),
            path: self.0.path.clone(),
            size_bytes: self.0.size_bytes,
            place: Place::Sheet {
                workbook: Box::new(self.0.place.clone()),
                sheet,
            },
        }))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0.place
    }

    /// The name that the person sees: the path as given on the command line (for a file in a
    /// folder, the folder as given and the way from there), `a.zip/inner/trades.csv` for a member
    /// of an archive, `a.xlsx#Account History` for a sheet, `-` for standard input.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The last part of the name, without folders: of the member for an archive, of the workbook
    /// for a sheet.
    pub fn file_name(&self) -> &str {
        &self.0.file_name
    }

    /// The name of the sheet, if it is one.
    pub fn sheet(&self) -> Option<&str> {
        match &self.0.place {
            Place::Sheet { sheet, .. } => Some(sheet),
            _ => None,
        }
    }

    /// The file on disk that holds it, which must never be written to.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// How many bytes there are to read, for a progress bar: compressed bytes where it is
    /// compressed. Unknown for a stream.
    pub fn size_bytes(&self) -> Option<u64> {
        self.0.size_bytes
    }

    /// Is it a sheet of a workbook? Then its text is ours: UTF-8, commas, one record per row.
    pub fn is_workbook(&self) -> bool {
        matches!(self.0.place, Place::Sheet { .. })
    }

    /// Can it be opened again after it was read? Not so for standard input and pipes.
    pub fn can_reopen(&self) -> bool {
        !matches!(self.0.place, Place::Stdin | Place::Pipe)
    }
}
