//! From a source to its raw bytes: files, pipes, gzip, members of archives. Nothing is unpacked to
//! disk, and everything that unpacks counts.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};

use super::error::{Bytes, Carried, InputError, InputErrorKind};
use super::limits::{UNPACKED_BYTES, UNPACKED_FREE_BYTES, UNPACKED_RATIO};
use super::source::{Place, Source, ZipMember};

/// The unpacked bytes of a source, and how many packed ones were read for them.
pub(crate) struct Raw {
    bytes: Box<dyn Read + Send>,
    packed_read: Arc<AtomicU64>,
}

impl Raw {
    /// Reads what is in memory.
    pub(crate) fn from_memory(bytes: Vec<u8>) -> Raw {
        Raw::counted(Cursor::new(bytes))
    }

    #[cfg(test)]
    pub(crate) fn from_reader(bytes: impl Read + Send + 'static) -> Raw {
        Raw::counted(bytes)
    }

    fn counted(bytes: impl Read + Send + 'static) -> Raw {
        let packed_read = Arc::new(AtomicU64::new(0));
        Raw {
            bytes: Box::new(Counted {
                bytes,
                count: Arc::clone(&packed_read),
            }),
            packed_read,
        }
    }

    /// The same source with another reader around its bytes.
    fn map<R: Read + Send + 'static>(self, wrap: impl FnOnce(Box<dyn Read + Send>) -> R) -> Raw {
        Raw {
            bytes: Box::new(wrap(self.bytes)),
            packed_read: self.packed_read,
        }
    }

    /// Bytes that were read where they lie: compressed ones where they are compressed.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.packed_read.load(Ordering::Relaxed)
    }

    /// Reads the first bytes: `count`, or all if there are fewer. `expected` is how many there may be.
    pub(crate) fn read_first(
        &mut self,
        count: usize,
        expected: Option<u64>,
    ) -> io::Result<Vec<u8>> {
        self.read_first_in(Vec::new(), count, expected)
    }

    /// The same in memory that held something else.
    pub(crate) fn read_first_in(
        &mut self,
        memory: Vec<u8>,
        count: usize,
        expected: Option<u64>,
    ) -> io::Result<Vec<u8>> {
        // One byte more than expected, to see the end without more room.
        let expected = expected.and_then(|bytes| usize::try_from(bytes).ok());
        let room = expected.unwrap_or(count).saturating_add(1).min(count);
        let mut first = memory;
        first.resize(room, 0);
        let mut length = 0;
        while length < count {
            if length == first.len() {
                first.resize(count, 0);
            }
            match self.read(&mut first[length..]) {
                Ok(0) => break,
                Ok(bytes) => length += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        first.truncate(length);
        Ok(first)
    }

    /// The same with these bytes before all others.
    pub(crate) fn preceded_by(self, first: Vec<u8>) -> Raw {
        self.map(|bytes| Cursor::new(first).chain(bytes))
    }

    /// Unpacks what is unpacked by `unpack` as it is read, within the limits.
    fn unpack<R: Read + Send + 'static>(
        self,
        unpack: impl FnOnce(Box<dyn Read + Send>) -> R,
    ) -> Raw {
        let packed_read = Arc::clone(&self.packed_read);
        self.map(|bytes| Unpacked {
            bytes: unpack(bytes),
            packed_read,
            count: 0,
        })
    }

    /// Unpacks gzip.
    pub(crate) fn gunzip(self) -> Raw {
        self.unpack(MultiGzDecoder::new)
    }
}

impl Read for Raw {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(into)
    }
}

/// Opens the bytes of a source as they lie there: a member unpacked from its archive, but gzip and
/// workbooks as they are.
pub(crate) fn open_packed(source: &Source) -> Result<Raw, InputError> {
    open_place(source.place(), source.path())
        .map_err(|error| InputError::from_io(source.name(), &error))
}

/// Opens the bytes of a source and unpacks gzip if they are gzip.
pub(crate) fn open_unpacked(source: &Source) -> Result<Raw, InputError> {
    let mut raw = open_packed(source)?;
    let first = raw
        .read_first(GZIP.len(), None)
        .map_err(|error| InputError::from_io(source.name(), &error))?;
    let is_gzip = first == GZIP;
    let raw = raw.preceded_by(first);
    Ok(if is_gzip { raw.gunzip() } else { raw })
}

/// What gzip begins with: its magic number and the one method there is.
pub(crate) const GZIP: [u8; 3] = [0x1F, 0x8B, 8];

fn open_place(place: &Place, path: Option<&Path>) -> io::Result<Raw> {
    let file = || File::open(path.ok_or(io::ErrorKind::NotFound)?);
    Ok(match place {
        Place::Stdin => Raw::counted(io::stdin()),
        Place::File | Place::Pipe => Raw::counted(file()?),
        Place::Memory(bytes) => Raw::counted(Cursor::new(Arc::clone(bytes))),
        Place::ZipMember(member) => open_zip_member(file()?, member)?,
        Place::Sheet { workbook, .. } => return open_place(workbook, path),
    })
}

fn open_zip_member(mut file: File, member: &ZipMember) -> io::Result<Raw> {
    file.seek(SeekFrom::Start(member.start_byte))?;
    let raw = Raw::counted(file.take(member.compressed_bytes));
    let crc = member.crc32;
    let size = member.unpacked_bytes;
    Ok(if member.deflated {
        raw.unpack(move |bytes| Checked::new(DeflateDecoder::new(bytes), crc, size))
    } else {
        raw.unpack(move |bytes| Checked::new(bytes, crc, size))
    })
}

/// Counts the bytes that are read.
struct Counted<R> {
    bytes: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Stops what unpacks to more than the limits, and says of broken archives that they are.
struct Unpacked<R> {
    bytes: R,
    packed_read: Arc<AtomicU64>,
    count: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into).map_err(broken)?;
        self.count += count as u64;
        check_unpacked(self.count, self.packed_read.load(Ordering::Relaxed))?;
        Ok(count)
    }
}

fn check_unpacked(unpacked_bytes: u64, packed_bytes: u64) -> io::Result<()> {
    let limit = if unpacked_bytes > UNPACKED_BYTES {
        format!("unpacks to more than {}", Bytes(UNPACKED_BYTES))
    } else if unpacked_bytes > UNPACKED_FREE_BYTES && unpacked_bytes / UNPACKED_RATIO > packed_bytes
    {
        format!("unpacks to more than {UNPACKED_RATIO} times its size, which no export does")
    } else {
        return Ok(());
    };
    Err(Carried::io(InputErrorKind::TooLarge(limit)))
}

/// What an error while unpacking means: broken data is the archive's fault, the rest the system's.
fn broken(error: io::Error) -> io::Error {
    let cause = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => error.to_string(),
        _ => return error,
    };
    Carried::io(InputErrorKind::BadArchive(cause))
}

/// Compares what was unpacked with the size and checksum that the archive states.
struct Checked<R> {
    bytes: R,
    sum: Crc,
    count: u64,
    stated_crc: u32,
    stated_bytes: u64,
}

impl<R> Checked<R> {
    fn new(bytes: R, stated_crc: u32, stated_bytes: u64) -> Checked<R> {
        Checked {
            bytes,
            sum: Crc::new(),
            count: 0,
            stated_crc,
            stated_bytes,
        }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.sum.update(&into[..count]);
        self.count += count as u64;
        let ended = count == 0 && !into.is_empty();
        let wrong = if self.count > self.stated_bytes || ended && self.count < self.stated_bytes {
            "it is not as long as the archive states"
        } else if ended && self.sum.sum() != self.stated_crc {
            "its checksum is not the one that the archive states"
        } else {
            return Ok(count);
        };
        Err(io::Error::new(io::ErrorKind::InvalidData, wrong))
    }
}
