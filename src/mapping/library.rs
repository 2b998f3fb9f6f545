//! The mappings there are: built in, and found in folders. Each is compiled when it is first needed.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::compile::{compile, read};
use super::diagnostic::{Diagnostic, Level};
use super::document::{Column, Document};
use super::header::{HeaderPattern, normalise};
use super::program::Program;

/// A mapping that stands in the binary.
pub struct Embedded {
    pub id: &'static str,
    pub text: &'static str,
    /// The columns that must be there.
    pub headers: &'static [EmbeddedColumn],
}

/// The spellings of a column, and whether all of them are just texts as they are compared.
type EmbeddedColumn = (&'static [&'static str], bool);

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Largest file of a mapping, in bytes.
const MAX_MAPPING_BYTES: u64 = 1 << 20;

/// Deepest folder below a formats folder.
const MAX_FOLDER_DEPTH: usize = 8;

/// One mapping of the library.
pub struct Mapping {
    pub id: String,
    /// Where its text is: a path, or the name of the built-in file.
    pub file: String,
    pub text: Cow<'static, str>,
    pub built_in: bool,
    /// The columns that must be there, if it stands in the binary.
    embedded: &'static [EmbeddedColumn],
    /// The same as patterns, made when they are first needed.
    required: OnceLock<Vec<Vec<HeaderPattern>>>,
    compiled: OnceLock<Compiled>,
}

type Compiled = (Option<Arc<Program>>, Vec<Diagnostic>);

impl Mapping {
    /// The text as it is written.
    pub fn document(&self) -> Result<Document, Diagnostic> {
        read(&self.file, &self.text)
    }

    /// For each column that a file of this report must have, its spellings.
    pub fn required(&self) -> &[Vec<HeaderPattern>] {
        self.required.get_or_init(|| {
            let columns = self.embedded.iter();
            columns
                .map(|(spellings, _)| patterns(spellings.iter().copied()))
                .collect()
        })
    }

    /// Whether a header line has all that must be there.
    pub fn may_be(&self, header: &HashSet<&str>) -> bool {
        // Most mappings are told apart without any pattern.
        let mut plain = self.embedded.iter().filter(|(_, is_plain)| *is_plain);
        plain.all(|(spellings, _)| spellings.iter().any(|text| header.contains(text)))
            && self
                .required()
                .iter()
                .all(|spellings| has_one(spellings, header))
    }
}

/// Whether a header line has a column of one of these spellings.
pub fn has_one(spellings: &[HeaderPattern], header: &HashSet<&str>) -> bool {
    spellings.iter().any(|pattern| match pattern.literal() {
        Some(literal) => header.contains(literal),
        None => header.iter().any(|text| pattern.matches(text).is_some()),
    })
}

/// All mappings that a run knows.
pub struct Library {
    mappings: Vec<Mapping>,
    alias_tables: BTreeMap<String, Cow<'static, str>>,
}

impl Library {
    /// The built-in mappings.
    pub fn built_in() -> Library {
        let mappings = MAPPINGS.iter().map(|embedded| Mapping {
            id: embedded.id.to_owned(),
            file: format!("formats/{}.toml", embedded.id),
            text: Cow::Borrowed(embedded.text),
            built_in: true,
            embedded: embedded.headers,
            required: OnceLock::new(),
            compiled: OnceLock::new(),
        });
        let alias_tables = ALIAS_TABLES
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Cow::Borrowed(*text)));
        Library {
            mappings: mappings.collect(),
            alias_tables: alias_tables.collect(),
        }
    }

    /// Adds the mappings of a folder (`<exchange>/<report>.toml`, and `assets/*.toml`). They win over those of the same
    /// id. The error says which file cannot be read.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), String> {
        for path in mapping_files(folder)? {
            let inside = path
                .strip_prefix(folder)
                .unwrap_or(&path)
                .with_extension("");
            let id = inside
                .components()
                .map(|part| part.as_os_str().to_string_lossy())
                .collect::<Vec<_>>()
                .join("/");
            self.add_file(&path, &id)?;
        }
        Ok(())
    }

    /// Adds one mapping (or alias table, if the id begins with `assets/`) from a file.
    pub fn add_file(&mut self, path: &Path, id: &str) -> Result<(), String> {
        let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
        let size_bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if size_bytes > MAX_MAPPING_BYTES {
            return Err(format!(
                "{}: a mapping is never larger than {MAX_MAPPING_BYTES} bytes",
                path.display()
            ));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        if let Some(name) = id.strip_prefix("assets/") {
            self.alias_tables.insert(name.to_owned(), Cow::Owned(text));
            return Ok(());
        }
        let known = self.mappings.iter_mut().find(|mapping| mapping.id == id);
        if let Some(same) = known.filter(|mapping| mapping.text == text) {
            same.file = path.display().to_string();
            return Ok(());
        }
        self.insert(id, path.display().to_string(), text);
        Ok(())
    }

    /// Adds a mapping whose text is at hand.
    pub fn insert(&mut self, id: &str, file: String, text: String) {
        let required = match read(&file, &text) {
            Ok(document) => document
                .columns
                .values()
                .filter_map(required_spellings)
                .collect(),
            Err(_) => Vec::new(),
        };
        let mapping = Mapping {
            id: id.to_owned(),
            file,
            text: Cow::Owned(text),
            built_in: false,
            embedded: &[],
            required: OnceLock::from(required),
            compiled: OnceLock::new(),
        };
        match self.mappings.iter_mut().find(|mapping| mapping.id == id) {
            Some(place) => *place = mapping,
            None => {
                self.mappings.push(mapping);
                self.mappings.sort_by(|one, other| one.id.cmp(&other.id));
            }
        }
    }

    /// All mappings, ordered by id.
    pub fn mappings(&self) -> &[Mapping] {
        &self.mappings
    }

    pub fn get(&self, id: &str) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.id == id)
    }

    /// The ready program of a mapping, or what is wrong with it.
    pub fn program(&self, mapping: &Mapping) -> Result<Arc<Program>, Vec<Diagnostic>> {
        let (program, diagnostics) = self.compiled(mapping);
        program.clone().ok_or_else(|| diagnostics.clone())
    }

    /// What the compiler says of a mapping, warnings too.
    pub fn diagnostics(&self, mapping: &Mapping) -> Vec<Diagnostic> {
        self.compiled(mapping).1.clone()
    }

    fn compiled<'m>(&self, mapping: &'m Mapping) -> &'m Compiled {
        mapping.compiled.get_or_init(|| match mapping.document() {
            Err(diagnostic) => (None, vec![diagnostic]),
            Ok(document) => {
                let tables = |name: &str| self.alias_tables.get(name).map(|text| text.to_string());
                let (program, diagnostics) = compile(
                    &mapping.id,
                    &mapping.file,
                    &mapping.text,
                    &document,
                    &tables,
                );
                (program.map(Arc::new), diagnostics)
            }
        })
    }

    /// The errors of the mappings that did not come with the program: a run with such a mapping must not go on as if it
    /// were not there.
    pub fn broken(&self) -> Vec<Diagnostic> {
        let own = self.mappings.iter().filter(|mapping| !mapping.built_in);
        own.filter(|mapping| self.compiled(mapping).0.is_none())
            .flat_map(|mapping| self.compiled(mapping).1.clone())
            .filter(|diagnostic| diagnostic.level == Level::Error)
            .collect()
    }
}

fn patterns<'a>(spellings: impl Iterator<Item = &'a str>) -> Vec<HeaderPattern> {
    spellings
        .map(|text| {
            HeaderPattern::with_captures(text)
                .unwrap_or_else(|_| HeaderPattern::with_stars(&normalise(text)))
        })
        .collect()
}

/// The spellings of a column that must be there; none if it is found in another way.
fn required_spellings(column: &Column) -> Option<Vec<HeaderPattern>> {
    let table = &column.0;
    let spellings = table.header.as_ref()?;
    if table.optional || table.family || spellings.0.iter().any(|text| text.trim().is_empty()) {
        return None;
    }
    Some(patterns(spellings.0.iter().map(String::as_str)))
}

/// The files of mappings and alias tables in a folder and below it, in the order of their names; hidden ones are none.
/// The error says which folder cannot be read.
pub fn mapping_files(folder: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    let mut files = Vec::new();
    collect(folder, &mut files, 0)?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>, depth: usize) -> Result<(), String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", folder.display());
    if depth > MAX_FOLDER_DEPTH {
        return Err(format!(
            "{}: folders of mappings are not nested so deeply",
            folder.display()
        ));
    }
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(&path, files, depth + 1)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_spellings_are_what_patterns_match() {
        let mut plain_columns = 0;
        for (spellings, is_plain) in MAPPINGS.iter().flat_map(|embedded| embedded.headers) {
            let patterns = patterns(spellings.iter().copied());
            let literals: Vec<&str> = patterns.iter().filter_map(HeaderPattern::literal).collect();
            assert_eq!(literals == *spellings, *is_plain, "{spellings:?}");
            plain_columns += usize::from(*is_plain);
        }
        assert!(plain_columns > 1000);
    }

    #[test]
    fn every_built_in_mapping_compiles() {
        let library = Library::built_in();
        let mut wrong = String::new();
        for mapping in library.mappings() {
            for found in library
                .diagnostics(mapping)
                .iter()
                .filter(|found| found.level == Level::Error)
            {
                let place = found.line_and_column(&mapping.text);
                wrong.push_str(&format!(
                    "{} {place:?}: {} {:?}\n",
                    mapping.file, found.message, found.help
                ));
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }
}
