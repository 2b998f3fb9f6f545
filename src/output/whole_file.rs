//! Files that are written whole or not at all: into a temporary file beside the place, then renamed.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

/// The temporary files that have a name at this moment: what a run that is interrupted must take away.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A panic elsewhere leaves the list whole: each change of it is one push or one removal.
fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every file that is not finished, for a process that ends now. No new one can be begun as long as what is given
/// back lives.
#[must_use]
pub fn remove_unfinished() -> impl Sized {
    let paths = unfinished();
    for path in paths.iter() {
        // It may have got its name a moment ago.
        let _ = std::fs::remove_file(path);
    }
    paths
}

/// Keeps a path on the list until it is dropped.
pub(super) struct Listed(PathBuf);

impl Drop for Listed {
    fn drop(&mut self) {
        unfinished().retain(|path| *path != self.0);
    }
}

/// A temporary file in a folder, listed from before it exists. Drop the file before its listing.
pub(super) fn begin_listed(folder: &Path) -> io::Result<(NamedTempFile, Listed)> {
    let mut paths = unfinished();
    let temporary = tempfile::Builder::new()
        .prefix(".coinfold-")
        .tempfile_in(folder)?;
    paths.push(temporary.path().to_owned());
    let listed = Listed(temporary.path().to_owned());
    Ok((temporary, listed))
}

/// Lets two files change their names, if both are there and the system can do that. Unlike a rename over a file, it does not
/// make some file systems look for room on the disk at once for all that was written.
#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> bool {
    false
}

/// A file that does not exist under its name until it is finished. Dropped unfinished, or with the process interrupted
/// (see [`remove_unfinished`]), it leaves nothing behind, and what stood there before stays. Readable by its owner alone.
pub struct WholeFile {
    // Fields are dropped in this order: it is on the list until it is gone.
    temporary: NamedTempFile,
    listed: Listed,
    path: PathBuf,
}

impl WholeFile {
    /// # Errors
    /// When the folder does not exist or cannot be written.
    pub fn create(path: &Path) -> io::Result<WholeFile> {
        // A link stays a link: what it points to is written anew.
        let path = &path
            .canonicalize()
            .ok()
            .filter(|_| path.is_symlink())
            .unwrap_or_else(|| path.to_owned());
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if path.exists() && !path.is_file() {
            return Err(io::Error::other(
                "it is a folder, a pipe or a device, not a file",
            ));
        }
        let (temporary, listed) = begin_listed(folder)?;
        Ok(WholeFile {
            temporary,
            listed,
            path: path.to_owned(),
        })
    }

    pub fn file(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// Where it lies until it has its name.
    pub fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// Gives the file its name. It is not forced to the disk first: that costs more than all the rest of a run, and the
    /// exports are still there if the power fails in that second.
    ///
    /// # Errors
    /// When not all of it can be written; then nothing stands under the name that did not before.
    pub fn finish(mut self) -> io::Result<()> {
        self.temporary.as_file_mut().flush()?;
        if exchange(self.temporary.path(), &self.path) {
            // What stood there before has the temporary name now, and goes with it.
            return self.temporary.close();
        }
        self.temporary
            .persist(&self.path)
            .map_err(|error| error.error)?;
        drop(self.listed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_listed(path: &Path) -> bool {
        unfinished().iter().any(|listed| listed == path)
    }

    #[test]
    fn a_file_appears_when_it_is_finished_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.csv");
        std::fs::write(&path, "old").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.file().write_all(b"new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let mut file = WholeFile::create(&path).unwrap();
        file.file().write_all(b"new").unwrap();
        file.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_file_is_listed_for_removal_exactly_while_it_has_a_temporary_name() {
        let folder = tempfile::tempdir().unwrap();
        for finished in [true, false] {
            let file = WholeFile::create(&folder.path().join("ledger.csv")).unwrap();
            let temporary = file.temporary_path().to_owned();
            assert!(is_listed(&temporary));
            if finished {
                file.finish().unwrap();
            } else {
                drop(file);
            }
            assert!(!is_listed(&temporary));
        }
    }
}
