//! `coinfold formats check`: mappings and their samples against the laws of the language.

use std::collections::BTreeMap;
use std::io::stdout;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::super::{CliError, Globals, exit, told};
use super::{pretty, samples};
use crate::mapping::{Diagnostic, Level, Library, lint, lint_aliases};
use crate::report::render;

/// A file to check.
struct Checked {
    /// As the person named it, and the way from there.
    path: PathBuf,
    /// `<exchange>/<report>`, the last two parts of its path.
    id: String,
    /// The folder that holds it two levels down.
    formats: PathBuf,
}

/// Prints all that is wrong with the mappings of files and folders. Comes back with 0 if there is nothing, else 1.
///
/// # Errors
/// When a path cannot be read, or holds no mapping.
pub fn check(paths: &[PathBuf], globals: &Globals) -> Result<i32, CliError> {
    let mut by_folder: BTreeMap<PathBuf, Vec<Checked>> = BTreeMap::new();
    let mut count = 0;
    for path in paths {
        for file in checked_files(path)? {
            let checked = Checked::new(file)?;
            count += 1;
            by_folder
                .entry(checked.formats.clone())
                .or_default()
                .push(checked);
        }
    }
    let mut found = Vec::new();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (formats, files) in &by_folder {
        check_folder(formats, files, globals, &mut found, &mut texts)?;
    }
    if globals.json {
        let all = found
            .iter()
            .map(|diagnostic| as_json(diagnostic, texts.get(&diagnostic.file)));
        told::print(pretty(&Value::Array(all.collect()))?)?;
    } else {
        let colour = anstream::AutoStream::choice(&stdout()) != anstream::ColorChoice::Never;
        told::print(render(&found, |file| texts.get(file).cloned(), colour))?;
        if !globals.quiet {
            told::say(count_line(&found, count));
        }
    }
    Ok(if found.is_empty() {
        exit::COMPLETE
    } else {
        exit::FAILED
    })
}

impl Checked {
    fn new(path: PathBuf) -> Result<Checked, CliError> {
        let whole = std::path::absolute(&path)
            .map_err(|error| CliError::failed(format!("{}: {error}", path.display())))?;
        let report = whole.file_stem().unwrap_or_default().to_string_lossy();
        let exchange = whole.parent().and_then(Path::file_name).unwrap_or_default();
        let formats = whole.parent().and_then(Path::parent).unwrap_or(&whole);
        Ok(Checked {
            id: format!("{}/{report}", exchange.to_string_lossy()),
            formats: formats.to_owned(),
            path,
        })
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn is_alias_table(&self) -> bool {
        self.id.starts_with("assets/")
    }
}

/// The mappings' files at or below a path, in the order of their names.
fn checked_files(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    let unreadable = |error| CliError::failed(format!("{}: {error}", path.display()));
    if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let files = crate::mapping::mapping_files(path).map_err(CliError::failed)?;
    if files.is_empty() {
        return Err(CliError::failed(format!(
            "{}: there is no mapping (a file that ends with .toml) in this folder",
            path.display()
        )));
    }
    Ok(files)
}

/// Checks the files of one formats folder, among the mappings that a run would know.
fn check_folder(
    formats: &Path,
    files: &[Checked],
    globals: &Globals,
    found: &mut Vec<Diagnostic>,
    texts: &mut BTreeMap<String, String>,
) -> Result<(), CliError> {
    let mut library = globals.unchecked_library()?;
    add_alias_tables(&mut library, &formats.join("assets"))?;
    for file in files {
        let name = file.name();
        let text = std::fs::read_to_string(&file.path)
            .map_err(|error| CliError::failed(format!("{name}: {error}")))?;
        if !file.is_alias_table() {
            library
                .add_file(&file.path, &file.id)
                .map_err(CliError::failed)?;
        }
        texts.insert(name, text);
    }
    let beside = formats.parent().map(|parent| parent.join("samples"));
    let samples_folder = beside.filter(|folder| folder.is_dir());
    if samples_folder.is_none() && !globals.quiet {
        told::say(format!(
            "note: there is no samples folder beside {}, so no samples are asked for",
            formats.display()
        ));
    }
    for file in files {
        let name = file.name();
        if file.is_alias_table() {
            found.extend(lint_aliases(&name, &texts[&name]));
            continue;
        }
        let Some(mapping) = library.get(&file.id) else {
            continue;
        };
        let mut here = lint(mapping, &library);
        if let Some(samples_folder) = &samples_folder {
            here.extend(samples::check(mapping, &library, samples_folder));
        }
        here.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| span.start));
        found.extend(here);
    }
    Ok(())
}

/// The alias tables that stand beside mappings.
fn add_alias_tables(library: &mut Library, folder: &Path) -> Result<(), CliError> {
    if !folder.is_dir() {
        return Ok(());
    }
    for path in crate::mapping::mapping_files(folder).map_err(CliError::failed)? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        library
            .add_file(&path, &format!("assets/{name}"))
            .map_err(CliError::failed)?;
    }
    Ok(())
}

fn as_json(diagnostic: &Diagnostic, text: Option<&String>) -> Value {
    let place = text.and_then(|text| diagnostic.line_and_column(text));
    let (line, column) = place.unzip();
    json!({
        "file": diagnostic.file,
        "line": line,
        "column": column,
        "level": match diagnostic.level { Level::Error => "error", Level::Warning => "warning" },
        "message": diagnostic.message,
        "help": diagnostic.help,
    })
}

fn count_line(found: &[Diagnostic], files: usize) -> String {
    let count = |level| {
        found
            .iter()
            .filter(|diagnostic| diagnostic.level == level)
            .count()
    };
    let plural = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    format!(
        "{} checked: {}, {}",
        plural(files, "file"),
        plural(count(Level::Error), "error"),
        plural(count(Level::Warning), "warning")
    )
}
