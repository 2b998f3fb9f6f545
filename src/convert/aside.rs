//! Rows that are put aside in a file without a name while the memory is wanted for others.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::batch::{Batch, Key};

/// What a run takes beside its rows: mappings, chunks that are read and batches that wait for their turn.
const FIXED_BYTES: u64 = 48 << 20;

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
    /// Memory of arenas that were put aside, to be used again.
    spare: Mutex<Vec<Vec<u8>>>,
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
            spare: Mutex::default(),
        }
    }

    /// Memory for the arena of a new batch, if some is left over.
    pub fn spare(&self) -> Vec<u8> {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.pop().unwrap_or_default()
    }

    /// Notes that so many more bytes of the inputs were read.
    pub fn note_read(&self, bytes: u64) {
        self.read.fetch_add(bytes, Relaxed);
    }

    /// Takes in the rows of a batch: they stay in memory if there is room.
    ///
    /// # Errors
    /// When they cannot be put aside.
    pub fn take(&self, batch: &mut Batch) -> io::Result<()> {
        let bytes = batch.arena_bytes() as u64;
        let events = self.events.fetch_add(batch.keys.len() as u64, Relaxed);
        let held = self.held.fetch_add(bytes, Relaxed) + bytes;
        // Times and places stay in memory, those of the rows to come too.
        let read = self.read.load(Relaxed).max(1);
        let scale = self.total.max(read) / read + 1;
        let keys = (events * size_of::<Key>() as u64).saturating_mul(scale);
        if held.saturating_add(keys).saturating_add(FIXED_BYTES) <= self.limit {
            return Ok(());
        }
        self.held.fetch_sub(bytes, Relaxed);
        let (arena, place) = self.put(batch.take_arena())?;
        batch.set_aside(place);
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < rayon::current_num_threads() {
            spare.push(arena);
        }
        Ok(())
    }

    fn put(&self, arena: Vec<u8>) -> io::Result<(Vec<u8>, Aside)> {
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
        write_at(&file.file, &arena, at).map_err(failed)?;
        Ok((arena, Aside { file, at, length }))
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
        let put: Vec<Aside> = texts
            .iter()
            .map(|text| memory.put(text.clone()).unwrap().1)
            .collect();
        for (text, place) in texts.iter().zip(&put).rev() {
            let mut read = vec![1; 17];
            place.read(&mut read).unwrap();
            assert_eq!(&read, text);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let memory = Memory::new(0, "/no/such/folder".into(), 100);
        let Err(error) = memory.put(vec![1]) else {
            panic!("it is not there")
        };
        assert!(error.to_string().contains("/no/such/folder"), "{error}");
    }
}
