//! Tests of the room as a whole, and what they share.

mod any_bytes;
mod archives;
mod cutting;
mod encodings;
mod finding;
mod large;
mod records;
mod workbooks;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::{CutMode, Discovery, Document, InputError, Position, RecordReader, Source, discover};

/// A folder that is gone after the test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of this name in the folder, as a person gives it.
    fn given(&self, name: &str) -> String {
        self.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        path
    }

    /// What is found for the names given, which lie in this folder.
    fn discover(&self, names: &[&str]) -> Result<Discovery, InputError> {
        let paths: Vec<String> = names.iter().map(|name| self.given(name)).collect();
        discover(&paths)
    }

    /// Names of sources or problems, as they are in this folder.
    fn names<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<String> {
        let root = format!("{}/", self.path().display());
        names.map(|name| name.replacen(&root, "", 1)).collect()
    }

    fn source_names(&self, found: &Discovery) -> Vec<String> {
        self.names(found.sources.iter().map(Source::name))
    }

    fn problem_names(&self, found: &Discovery) -> Vec<String> {
        self.names(found.problems.iter().map(InputError::source_name))
    }

    /// The one source that is found in a file with these bytes.
    fn one(&self, name: &str, bytes: impl AsRef<[u8]>) -> Source {
        self.write(name, bytes);
        let mut found = self.discover(&[name]).expect("found");
        assert_eq!(found.problems, []);
        assert_eq!(found.sources.len(), 1);
        found.sources.remove(0)
    }

    /// The one problem that a file with these bytes is.
    fn problem(&self, name: &str, bytes: impl AsRef<[u8]>) -> InputError {
        self.write(name, bytes);
        let mut found = self.discover(&[name]).expect("found");
        assert!(found.sources.is_empty(), "{:?}", found.sources);
        assert_eq!(found.problems.len(), 1);
        found.problems.remove(0)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

/// All text of a source, as its chunks give it.
fn text_of(source: &Source) -> Result<String, InputError> {
    document_text(Document::open(source, None)?)
}

fn document_text(document: Document) -> Result<String, InputError> {
    let mut text = Vec::new();
    let mut chunks = document.into_chunks(Position::START, b',', CutMode::Exact);
    while let Some(chunk) = chunks.next()? {
        text.extend_from_slice(&chunk.text);
        chunks.recycle(chunk.text);
    }
    Ok(String::from_utf8(text).expect("UTF-8"))
}

/// The records of a source: their lines, and their cells with bars between them.
fn rows_of(source: &Source) -> Vec<(u64, String)> {
    let document = Document::open(source, None).expect("opens");
    let mut chunks = document.into_chunks(Position::START, b',', CutMode::Exact);
    let mut reader = RecordReader::new(b',');
    let mut rows = Vec::new();
    while let Some(chunk) = chunks.next().expect("reads") {
        let mut records = reader.start(&chunk.text);
        while let Some(record) = records.next().expect("within the limits") {
            let cells: Vec<_> = record.iter().map(String::from_utf8_lossy).collect();
            rows.push((
                chunk.lines_before + 1 + u64::from(record.line()),
                cells.join("|"),
            ));
        }
    }
    rows
}
