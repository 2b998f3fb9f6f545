//! Files that are written whole or not at all: into a temporary file beside the place, then renamed.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that does not exist under its name until it is finished. Dropped unfinished, it leaves nothing behind, and what
/// stood there before stays. Readable by its owner alone.
pub struct WholeFile {
    temporary: NamedTempFile,
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
        let temporary = tempfile::Builder::new()
            .prefix(".coinfold-")
            .tempfile_in(folder)?;
        Ok(WholeFile {
            temporary,
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
        self.temporary
            .persist(&self.path)
            .map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
