//! Rows that are put aside in a file without a name while the memory is wanted for others.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::batch::Key;

/// What a run takes beside its rows: mappings, chunks that are read and batches that wait for their turn.
const FIXED_BYTES: u64 = 48 << 20;

/// From here on a run need not be sparing with its buffers.
const PLENTY_BYTES: u64 = 1 << 30;

/// Bytes of a shelf.
const SHELF_BYTES: usize = 32 << 20;

/// Inputs of fewer bytes are not worth a shelf.
const ENOUGH_FOR_SHELVES: u64 = 4 << 20;

/// Bytes that stay as they are.
pub enum Held {
    Bytes(Box<[u8]>),
    /// On a shelf, once that is full or no more comes.
    Shelved(Arc<OnceLock<Box<[u8]>>>, Range<usize>),
}

impl Default for Held {
    fn default() -> Held {
        Held::Bytes(Box::default())
    }
}

impl Deref for Held {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Held::Bytes(bytes) => bytes,
            Held::Shelved(shelf, range) => {
                let bytes = shelf.get().expect("rows are looked at when all are read");
                &bytes[range.clone()]
            }
        }
    }
}

/// Where the arenas of a run are held, one beside the other: fresh memory is dear, and many small pieces of it are dearer.
#[derive(Default)]
pub struct Shelves {
    /// Those that have room still, and nobody uses now.
    open: Mutex<Vec<Shelf>>,
}

struct Shelf {
    /// None when it is closed.
    bytes: Option<Box<[u8]>>,
    used: usize,
    closed: Arc<OnceLock<Box<[u8]>>>,
}

impl Shelves {
    /// Holds bytes, to be looked at when these shelves are gone.
    pub fn hold(&self, bytes: &[u8]) -> Held {
        let lock = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = lock().pop();
        let shelf = open.filter(|shelf| SHELF_BYTES - shelf.used >= bytes.len());
        if shelf.is_none() && bytes.len() > SHELF_BYTES {
            return Held::Bytes(bytes.into());
        }
        let mut shelf = shelf.unwrap_or_else(Shelf::new);
        let range = shelf.used..shelf.used + bytes.len();
        if let Some(shelf) = &mut shelf.bytes {
            shelf[range.clone()].copy_from_slice(bytes);
        }
        shelf.used = range.end;
        let held = Held::Shelved(shelf.closed.clone(), range);
        lock().push(shelf);
        held
    }
}

impl Shelf {
    fn new() -> Shelf {
        Shelf {
            // The system gives the memory when it is first touched.
            bytes: Some(vec![0; SHELF_BYTES].into()),
            used: 0,
            closed: Arc::default(),
        }
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        if let Some(bytes) = self.bytes.take() {
            // It is closed once.
            let _ = self.closed.set(bytes);
        }
    }
}

/// How much memory the rows of a run may take, and how much they do.
pub struct Memory {
    /// All that the run may take, in bytes.
    limit: u64,
    /// Where what does not fit goes.
    folder: PathBuf,
    /// Bytes of the inputs in all, and those read so far.
    total: u64,
    read: AtomicU64,
    held: AtomicU64,
    events: AtomicU64,
    file: Mutex<Option<Arc<AsideFile>>>,
}

impl Memory {
    /// `total`: bytes of the inputs, as far as they are known.
    pub fn new(limit: u64, folder: PathBuf, total: u64) -> Memory {
        Memory {
            limit,
            folder,
            total,
            read: 0.into(),
            held: 0.into(),
            events: 0.into(),
            file: Mutex::new(None),
        }
    }

    /// Notes that so many more bytes of the inputs were read.
    pub fn note_read(&self, bytes: u64) {
        self.read.fetch_add(bytes, Relaxed);
    }

    /// Whether there is plenty of it.
    pub fn is_plenty(&self) -> bool {
        self.limit >= PLENTY_BYTES
    }

    /// The shelves for inputs of so many bytes in all, if they are worth it.
    pub fn shelves(memory: Option<&Memory>, total: u64) -> Option<Shelves> {
        let is_wanted = total >= ENOUGH_FOR_SHELVES && memory.is_none_or(Memory::is_plenty);
        is_wanted.then(Shelves::default)
    }

    /// Where a batch of so many events and bytes goes: into memory if there is room, else into the file.
    ///
    /// # Errors
    /// When it cannot be put aside.
    pub fn place(&self, arena: &[u8], events: usize) -> io::Result<Option<Aside>> {
        let bytes = arena.len() as u64;
        let events = self.events.fetch_add(events as u64, Relaxed);
        let held = self.held.fetch_add(bytes, Relaxed) + bytes;
        // Times and places stay in memory, those of the rows to come too.
        let read = self.read.load(Relaxed).max(1);
        let scale = self.total.max(read) / read + 1;
        let keys = (events * size_of::<Key>() as u64).saturating_mul(scale);
        if held.saturating_add(keys).saturating_add(FIXED_BYTES) <= self.limit {
            return Ok(None);
        }
        self.held.fetch_sub(bytes, Relaxed);
        self.put(arena).map(Some)
    }

    fn put(&self, arena: &[u8]) -> io::Result<Aside> {
        let file = {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            match &*file {
                Some(file) => file.clone(),
                None => file
                    .insert(Arc::new(AsideFile::in_folder(&self.folder)?))
                    .clone(),
            }
        };
        let extent = file.put(arena)?;
        Ok(Aside { file, extent })
    }
}

/// A file that rows are put aside in. It has no name, and is gone with the run however that ends.
pub struct AsideFile {
    file: File,
    /// Where it lies, without a name.
    folder: PathBuf,
    /// Where the next bytes go.
    end: AtomicU64,
}

/// Some bytes of a file.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    at: u64,
    pub length: usize,
}

impl AsideFile {
    fn in_folder(folder: &Path) -> io::Result<AsideFile> {
        Ok(AsideFile {
            file: tempfile::tempfile_in(folder).map_err(|error| failed(folder, &error))?,
            folder: folder.to_owned(),
            end: 0.into(),
        })
    }

    /// Puts bytes behind those that are there.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn put(&self, bytes: &[u8]) -> io::Result<Extent> {
        let length = bytes.len();
        let at = self.end.fetch_add(length as u64, Relaxed);
        write_at(&self.file, bytes, at).map_err(|error| failed(&self.folder, &error))?;
        Ok(Extent { at, length })
    }

    /// Reads bytes that were put there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, extent: Extent, into: &mut [u8]) -> io::Result<()> {
        read_at(&self.file, into, extent.at)
    }
}

fn failed(folder: &Path, error: &io::Error) -> io::Error {
    let folder = folder.display();
    io::Error::other(format!(
        "a temporary file in {folder}, for rows beyond --memory: {error}"
    ))
}

/// Where the events of a batch lie in a file.
pub struct Aside {
    file: Arc<AsideFile>,
    extent: Extent,
}

impl Aside {
    /// How many bytes they have.
    pub fn bytes(&self) -> usize {
        self.extent.length
    }

    /// A new file where this one lies.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new_file(&self) -> io::Result<AsideFile> {
        AsideFile::in_folder(&self.file.folder)
    }

    /// Reads the events into a buffer.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, into: &mut Vec<u8>) -> io::Result<()> {
        into.resize(self.extent.length, 0);
        self.file.read(self.extent, into)
    }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, into, at)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        let count = file.seek_write(bytes, at)?;
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[count..];
        at += count as u64;
    }
    Ok(())
}

#[cfg(windows)]
fn read_at(file: &File, mut into: &mut [u8], mut at: u64) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !into.is_empty() {
        let count = file.seek_read(into, at)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        into = &mut into[count..];
        at += count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_is_read_back_from_its_place() {
        let memory = Memory::new(0, std::env::temp_dir(), 100);
        let texts: Vec<Vec<u8>> = (0..50_u8)
            .map(|nth| vec![nth; usize::from(nth) * 100])
            .collect();
        let put: Vec<Aside> = texts.iter().map(|text| memory.put(text).unwrap()).collect();
        for (text, place) in texts.iter().zip(&put).rev() {
            let mut read = vec![1; 17];
            place.read(&mut read).unwrap();
            assert_eq!(&read, text);
        }
    }

    #[test]
    fn bytes_are_held_as_they_are_few_or_many() {
        let shelves = Shelves::default();
        let texts: Vec<Vec<u8>> = [
            0,
            1,
            100,
            SHELF_BYTES / 2,
            SHELF_BYTES / 2,
            7,
            SHELF_BYTES,
            3,
            SHELF_BYTES + 1,
            9,
        ]
        .iter()
        .map(|length| (0..*length).map(|nth| (nth % 251 + length) as u8).collect())
        .collect();
        let held: Vec<Held> = texts.iter().map(|text| shelves.hold(text)).collect();
        drop(shelves);
        assert!(texts.iter().zip(&held).all(|(text, held)| **held == **text));
        assert!(matches!(held[1], Held::Shelved(..)));
        assert!(matches!(held[8], Held::Bytes(_)));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let memory = Memory::new(0, "/no/such/folder".into(), 100);
        let Err(error) = memory.put(&[1]) else {
            panic!("it is not there")
        };
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
    }
}
