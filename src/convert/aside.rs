//! Rows that are put aside in a file without a name while the memory is wanted for others.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use memmap2::MmapMut;

use super::batch::Key;

/// What a run takes beside its rows: mappings, chunks that are read and batches that wait for their turn.
const FIXED_BYTES: u64 = 48 << 20;

/// From here on a run need not be sparing with its buffers.
const PLENTY_BYTES: u64 = 1 << 30;

/// From how many bytes on an arena gets pages of its own.
const OWN_PAGES_BYTES: usize = 1 << 20;

/// Bytes that stay as they are. Many of them lie in large pages, where the system has such: fresh memory is dear, and is
/// handed out, cleared and taken back by the page.
pub enum Held {
    Bytes(Box<[u8]>),
    Pages(MmapMut),
}

impl Held {
    pub fn new(bytes: &[u8]) -> Held {
        if bytes.len() < OWN_PAGES_BYTES {
            return Held::Bytes(bytes.into());
        }
        let Ok(mut pages) = MmapMut::map_anon(bytes.len()) else {
            return Held::Bytes(bytes.into());
        };
        // Without large pages it is only slower.
        #[cfg(target_os = "linux")]
        let _ = pages.advise(memmap2::Advice::HugePage);
        pages.copy_from_slice(bytes);
        Held::Pages(pages)
    }
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
            Held::Pages(pages) => pages,
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
        let failed = |error: io::Error| {
            let folder = self.folder.display();
            io::Error::other(format!(
                "a temporary file in {folder}, for rows beyond --memory: {error}"
            ))
        };
        let file = {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            match &*file {
                Some(file) => file.clone(),
                None => {
                    let new = tempfile::tempfile_in(&self.folder).map_err(failed)?;
                    file.insert(Arc::new(AsideFile {
                        file: new,
                        end: 0.into(),
                    }))
                    .clone()
                }
            }
        };
        let length = arena.len();
        let at = file.end.fetch_add(length as u64, Relaxed);
        write_at(&file.file, arena, at).map_err(failed)?;
        Ok(Aside { file, at, length })
    }
}

/// The file that rows are put aside in. It has no name, and is gone with the run however that ends.
struct AsideFile {
    file: File,
    /// Where the next bytes go.
    end: AtomicU64,
}

/// Where the events of a batch lie in the file.
pub struct Aside {
    file: Arc<AsideFile>,
    at: u64,
    length: usize,
}

impl Aside {
    /// Reads the events into a buffer.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, into: &mut Vec<u8>) -> io::Result<()> {
        into.resize(self.length, 0);
        read_at(&self.file.file, into, self.at)
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
        for length in [
            0,
            1,
            OWN_PAGES_BYTES - 1,
            OWN_PAGES_BYTES,
            5 * OWN_PAGES_BYTES + 3,
        ] {
            let bytes: Vec<u8> = (0..length).map(|nth| (nth % 251) as u8).collect();
            assert!(*Held::new(&bytes) == bytes, "{length}");
        }
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
