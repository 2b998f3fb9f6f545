//! Finding the sources that paths name: files, folders, globs and standard input.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::archive;
use super::error::{InputError, InputErrorKind};
use super::limits::{FILES, FOLDER_DEPTH};
use super::source::{Place, Source};

/// What paths name.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The sources, in the order of the paths, and sorted by name within a folder, glob or archive.
    pub sources: Vec<Source>,
    /// Files and members that cannot be read, or are not text. The others are not held up by them.
    pub problems: Vec<InputError>,
}

/// Finds the sources that paths name: files, folders with all that is in them, globs (what does not
/// exist as it stands and has a `*`, `?` or `[` in it), `-` for standard input. Archives and workbooks
/// are opened to see what is in them. In folders, what is hidden is left out. A file that is named
/// twice, by whatever path, counts once.
///
/// # Errors
/// If a path does not exist, a pattern is broken or fits nothing, or there are more than
/// [`limits::FILES`](super::limits::FILES) files.
pub fn discover(paths: &[String]) -> Result<Discovery, InputError> {
    let mut search = Search::default();
    for path in paths {
        search.add_given(path)?;
    }
    Ok(search.found)
}

#[derive(Default)]
struct Search {
    found: Discovery,
    files: HashSet<Identity>,
    folders: HashSet<Identity>,
    /// The folders that the search is inside of.
    open_folders: Vec<Identity>,
    stdin: bool,
}

impl Search {
    fn add_given(&mut self, given: &str) -> Result<(), InputError> {
        if given == "-" {
            if !std::mem::replace(&mut self.stdin, true) {
                let source = Source::new("-".to_owned(), None, None, Place::Stdin);
                self.found.sources.push(source);
            }
            return Ok(());
        }
        let path = Path::new(given);
        match fs::metadata(path) {
            Ok(metadata) => self.add(path, &metadata, Named::ByThePerson),
            Err(error) => {
                let error = InputError::from_io(given, &error);
                if *error.kind() != InputErrorKind::NotFound {
                    self.found.problems.push(error);
                    Ok(())
                } else if given.contains(['*', '?', '[']) {
                    self.add_glob(given)
                } else {
                    Err(error)
                }
            }
        }
    }

    fn add_glob(&mut self, pattern: &str) -> Result<(), InputError> {
        let options = glob::MatchOptions {
            require_literal_leading_dot: true,
            ..glob::MatchOptions::new()
        };
        let paths = glob::glob_with(pattern, options).map_err(|error| {
            InputError::new(pattern, InputErrorKind::BadPattern(error.to_string()))
        })?;
        let mut any = false;
        for path in paths {
            any = true;
            match path {
                Ok(path) => self.add_found(&path, Named::ByThePerson)?,
                Err(error) => {
                    let name = error.path().to_string_lossy();
                    let problem = InputError::from_io(&name, error.error());
                    self.found.problems.push(problem);
                }
            }
        }
        if any {
            Ok(())
        } else {
            Err(InputError::new(pattern, InputErrorKind::NoMatch))
        }
    }

    fn add_found(&mut self, path: &Path, named: Named) -> Result<(), InputError> {
        match fs::metadata(path) {
            Ok(metadata) => self.add(path, &metadata, named),
            Err(error) => {
                self.problem(path, &error);
                Ok(())
            }
        }
    }

    fn add(&mut self, path: &Path, metadata: &Metadata, named: Named) -> Result<(), InputError> {
        let identity = match Identity::of(path, metadata) {
            Ok(identity) => identity,
            Err(error) => {
                self.problem(path, &error);
                return Ok(());
            }
        };
        if metadata.is_dir() {
            return self.add_folder(path, identity);
        }
        if !metadata.is_file() && named == Named::InAFolder {
            // A socket or pipe that lies around: reading it would wait for ever.
            return Ok(());
        }
        if !self.files.insert(identity) {
            return Ok(());
        }
        if self.files.len() > FILES {
            let what = format!("more than {FILES} files");
            return Err(InputError::new(
                &name_of(path),
                InputErrorKind::TooLarge(what),
            ));
        }
        let (place, size) = if metadata.is_file() {
            (Place::File, Some(metadata.len()))
        } else {
            (Place::Pipe, None)
        };
        let source = Source::new(name_of(path), Some(path.to_owned()), size, place);
        if metadata.is_file() {
            archive::add_file(source, &mut self.found);
        } else {
            self.found.sources.push(source);
        }
        Ok(())
    }

    fn add_folder(&mut self, path: &Path, identity: Identity) -> Result<(), InputError> {
        if self.open_folders.contains(&identity) {
            let problem = InputError::new(&name_of(path), InputErrorKind::Loop);
            self.found.problems.push(problem);
            return Ok(());
        }
        if !self.folders.insert(identity.clone()) {
            return Ok(());
        }
        if self.open_folders.len() >= FOLDER_DEPTH {
            let what = format!("more than {FOLDER_DEPTH} folders inside each other");
            let problem = InputError::new(&name_of(path), InputErrorKind::TooLarge(what));
            self.found.problems.push(problem);
            return Ok(());
        }
        self.open_folders.push(identity);
        let result = match entries(path) {
            Ok(entries) => entries
                .iter()
                .try_for_each(|entry| self.add_found(entry, Named::InAFolder)),
            Err(error) => {
                self.problem(path, &error);
                Ok(())
            }
        };
        self.open_folders.pop();
        result
    }

    fn problem(&mut self, path: &Path, error: &std::io::Error) {
        let problem = InputError::from_io(&name_of(path), error);
        self.found.problems.push(problem);
    }
}

/// How a file came to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    ByThePerson,
    InAFolder,
}

fn name_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What is in a folder and not hidden, sorted by name.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !is_hidden(&name.to_string_lossy()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// A file in which a person says what no export says: no export itself.
pub const PROJECT_FILE: &str = "coinfold.toml";

/// Is a file or folder of this name there for the system or an office program, not for the person?
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name.starts_with("~$") || name == "__MACOSX" || name == PROJECT_FILE
}

/// What makes a file the same file, whatever path leads to it.
#[cfg(unix)]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Identity {
    device: u64,
    inode: u64,
}

#[cfg(unix)]
impl Identity {
    #[allow(clippy::unnecessary_wraps)] // elsewhere it can fail
    fn of(_path: &Path, metadata: &Metadata) -> std::io::Result<Identity> {
        use std::os::unix::fs::MetadataExt;
        Ok(Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }
}

/// What makes a file the same file, whatever path leads to it (hard links are not seen).
#[cfg(not(unix))]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Identity(PathBuf);

#[cfg(not(unix))]
impl Identity {
    fn of(path: &Path, _metadata: &Metadata) -> std::io::Result<Identity> {
        fs::canonicalize(path).map(Identity)
    }
}
