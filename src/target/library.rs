//! The targets that a run knows: those that came with the program, and those of the person.

use std::borrow::Cow;
use std::path::Path;

use super::compile::{compile, read};
use super::document::Document;
use super::program::Target;
use crate::mapping::{Diagnostic, mapping_files};

include!(concat!(env!("OUT_DIR"), "/targets.rs"));

/// Largest file of a target, in bytes.
const MAX_TARGET_BYTES: u64 = 1 << 20;

/// One target's text.
pub struct Entry {
    pub id: String,
    /// Its file, as the person knows it.
    pub file: String,
    pub text: Cow<'static, str>,
}

impl Entry {
    /// # Errors
    /// When the text is no target.
    pub fn document(&self) -> Result<Document, Diagnostic> {
        read(&self.file, &self.text)
    }

    /// The target, ready to be run.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn target(&self) -> Result<Target, Vec<Diagnostic>> {
        let document = self.document().map_err(|error| vec![error])?;
        let (target, diagnostics) = compile(&self.id, &self.file, &self.text, &document);
        target.ok_or(diagnostics)
    }
}

/// All targets, ordered by id.
pub struct Targets {
    entries: Vec<Entry>,
    /// Codes of the money of states.
    fiat: Vec<String>,
}

/// A list of codes, `targets/assets/fiat.toml`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Codes {
    codes: Vec<String>,
}

impl Targets {
    /// The built-in targets.
    pub fn built_in() -> Targets {
        let entries = TARGETS.iter().map(|(id, text)| Entry {
            id: (*id).to_owned(),
            file: format!("targets/{id}.toml"),
            text: Cow::Borrowed(*text),
        });
        let fiat = toml::from_str(FIAT).map_or(Vec::new(), |list: Codes| list.codes);
        Targets {
            entries: entries.collect(),
            fiat,
        }
    }

    /// None, not even the built-in ones.
    pub fn empty() -> Targets {
        Targets {
            entries: Vec::new(),
            fiat: Vec::new(),
        }
    }

    /// Adds the targets of a folder; they win over those of the same id.
    ///
    /// # Errors
    /// Which file cannot be read.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), String> {
        for path in mapping_files(folder)? {
            let inside = path.strip_prefix(folder).unwrap_or(&path);
            // Below the folder stand samples and lists of codes.
            if inside.components().count() == 1 {
                self.add_file(&path)?;
            }
        }
        Ok(())
    }

    /// Adds one target from its file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn add_file(&mut self, path: &Path) -> Result<(), String> {
        let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_TARGET_BYTES {
            return Err(format!(
                "{}: a target is never larger than {MAX_TARGET_BYTES} bytes",
                path.display()
            ));
        }
        let entry = Entry {
            id: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            file: path.display().to_string(),
            text: Cow::Owned(std::fs::read_to_string(path).map_err(unreadable)?),
        };
        match self.entries.iter_mut().find(|known| known.id == entry.id) {
            Some(known) => *known = entry,
            None => {
                self.entries.push(entry);
                self.entries.sort_by(|one, other| one.id.cmp(&other.id));
            }
        }
        Ok(())
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The target of an id, or of one of its other names.
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.id == id)
            .or_else(|| {
                let also = |entry: &&Entry| {
                    entry
                        .document()
                        .is_ok_and(|document| document.also.iter().any(|name| name == id))
                };
                self.entries.iter().find(also)
            })
    }

    /// Whether a code is money of a state.
    pub fn is_fiat(&self, code: &str) -> bool {
        self.fiat.iter().any(|fiat| fiat == code)
    }
}
