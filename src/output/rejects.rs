//! The rejected rows, in their original columns plus the reason: to be mended and converted as a file of their own.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::csv_text::put_cell;
use super::whole_file::WholeFile;
use crate::input::{CutMode, Document, Position, RecordReader, Source};
use crate::ledger::Ledger;
use crate::model::Fate;

/// Columns that are added. Files with columns of these names are read as if they were not there.
const REASON_COLUMNS: [&str; 2] = ["coinfold_reason", "coinfold_row"];

/// How much of a file is looked at for its header line.
const FIRST_LINE_BYTES: u64 = 1 << 16;

/// A file of rejected rows that was written.
pub struct RejectsFile {
    pub path: PathBuf,
    pub rows: u64,
}

/// A row that was rejected.
pub(super) struct Rejected {
    pub line: u64,
    pub reason: String,
    /// As it stands in its file, if it can be read again.
    pub record: Option<Box<[u8]>>,
}

/// Writes the rejected rows beside the ledger: `ledger.rejected.csv`, or one file for each header if there are several.
/// Files of rejected rows from an earlier run that are not written anew are removed: they would tell an old story.
///
/// # Errors
/// When a file cannot be written.
pub fn write_rejects(
    ledger: &Ledger,
    sources: &BTreeMap<String, Source>,
    ledger_path: &Path,
) -> io::Result<Vec<RejectsFile>> {
    // Report and header → files with rejected rows.
    let mut kinds: BTreeMap<(String, Vec<String>, u8), Vec<usize>> = BTreeMap::new();
    let counts = ledger.counts();
    for (index, file) in ledger.files.iter().enumerate() {
        if counts[index].rejected > 0 {
            let context = &file.rows.context;
            let own = |header: &&String| !REASON_COLUMNS.contains(&header.trim());
            let header = context
                .binding
                .header
                .iter()
                .take_while(own)
                .cloned()
                .collect();
            let key = (context.program.id.clone(), header, context.delimiter);
            kinds.entry(key).or_default().push(index);
        }
    }
    let stem = ledger_path.file_stem().map_or_else(
        || "ledger".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    let several = kinds.len() > 1;
    // Rarely needed, and a look at each of many files.
    let inputs: LazyCell<BTreeSet<PathBuf>, _> = LazyCell::new(|| {
        let paths = sources.values().filter_map(Source::path);
        paths.filter_map(|path| path.canonicalize().ok()).collect()
    });
    let is_input = |path: &Path| path.canonicalize().is_ok_and(|path| inputs.contains(&path));
    let mut written: Vec<RejectsFile> = Vec::new();
    for ((id, header, delimiter), files) in &kinds {
        let report = if several {
            format!(".{}", id.replace('/', "-"))
        } else {
            String::new()
        };
        // Never over an input, such as the rejected rows of an earlier run that were mended.
        let (text, rows) = text_of(ledger, sources, header, *delimiter, files)?;
        // What stands there already just as it would be written can stay, input or not.
        let same = |path: &Path| std::fs::read(path).is_ok_and(|there| there == text);
        let path = (1..)
            .map(|nth| {
                if nth == 1 {
                    String::new()
                } else {
                    format!("-{nth}")
                }
            })
            .map(|number| {
                ledger_path.with_file_name(format!("{stem}.rejected{report}{number}.csv"))
            })
            .find(|path| {
                (same(path) || (!is_input(path) && is_ours_or_free(path)))
                    && written.iter().all(|file| file.path != *path)
            })
            .expect("there is always another number");
        if !same(&path) {
            let mut file = WholeFile::create(&path)?;
            file.file().write_all(&text)?;
            file.finish()?;
        }
        written.push(RejectsFile { path, rows });
    }
    remove_stale(ledger_path, &stem, &|path| {
        is_input(path)
            || written
                .iter()
                .any(|file| file.path.file_name() == path.file_name())
    })?;
    Ok(written)
}

/// The text of a file of rejected rows, and how many they are.
fn text_of(
    ledger: &Ledger,
    sources: &BTreeMap<String, Source>,
    header: &[String],
    delimiter: u8,
    files: &[usize],
) -> io::Result<(Vec<u8>, u64)> {
    let mut out = Vec::new();
    for cell in header.iter().map(String::as_str).chain(REASON_COLUMNS) {
        put_cell(
            &mut out,
            cell.trim_start_matches('\u{feff}').as_bytes(),
            delimiter,
        );
        out.push(delimiter);
    }
    end_line(&mut out);
    let mut rows = 0;
    for index in files {
        let name = &ledger.files[*index].name;
        for rejected in rejected_rows(ledger, sources, *index)? {
            let mut cells: Vec<Vec<u8>> = Vec::new();
            if let Some(record) = &rejected.record {
                let mut reader = RecordReader::new(delimiter);
                let mut records = reader.start(record);
                if let Ok(Some(record)) = records.next() {
                    cells = record.iter().map(<[u8]>::to_vec).collect();
                }
            }
            // A row with too many cells keeps them all; then the reason stands further right.
            let again = ledger.context(*index).binding.header.len() > header.len();
            let width = if again {
                header.len()
            } else {
                cells.len().max(header.len())
            };
            cells.resize(width, Vec::new());
            cells.push(rejected.reason.into_bytes());
            cells.push(format!("{name}:{}", rejected.line).into_bytes());
            for cell in &cells {
                put_cell(&mut out, cell, delimiter);
                out.push(delimiter);
            }
            end_line(&mut out);
            rows += 1;
        }
    }
    Ok((out, rows))
}

fn end_line(out: &mut Vec<u8>) {
    out.pop();
    out.push(b'\n');
}

/// The rejected rows of a file. Those that were rejected only after they were read, with their group, are read again.
pub(super) fn rejected_rows(
    ledger: &Ledger,
    sources: &BTreeMap<String, Source>,
    index: usize,
) -> io::Result<Vec<Rejected>> {
    let file = &ledger.files[index];
    let mut rejected = Vec::new();
    let mut wanted: BTreeSet<u64> = BTreeSet::new();
    for row in ledger.rows(index) {
        let fate = ledger.fate(index, &row);
        if fate.fate != Fate::Rejected {
            continue;
        }
        let reason = fate.told(&file.rows.context.program);
        let record = ledger.rejected_record(&row).map(Into::into);
        if record.is_none() {
            wanted.insert(row.line);
        }
        rejected.push(Rejected {
            line: row.line,
            reason,
            record,
        });
    }
    if wanted.is_empty() {
        return Ok(rejected);
    }
    let Some(source) = sources.get(&file.name).filter(|source| source.can_reopen()) else {
        return Ok(rejected);
    };
    let context = &file.rows.context;
    let failed = |error: crate::input::InputError| io::Error::other(error.to_string());
    let document = Document::open(source, context.program.encoding.as_deref()).map_err(failed)?;
    let mut chunks = document.into_chunks(Position::START, context.delimiter, CutMode::Exact);
    let mut found: BTreeMap<u64, Box<[u8]>> = BTreeMap::new();
    while let Some(chunk) = chunks.next().map_err(failed)? {
        let mut reader = RecordReader::new(context.delimiter);
        let mut records = reader.start(&chunk.text);
        while let Some(record) = records.next().map_err(failed)? {
            let line = chunk.lines_before + 1 + u64::from(record.line());
            if wanted.contains(&line) {
                found.insert(line, record.bytes().into());
            }
        }
        chunks.recycle(chunk.text);
    }
    for row in &mut rejected {
        if row.record.is_none() {
            row.record = found.remove(&row.line);
        }
    }
    Ok(rejected)
}

fn remove_stale(ledger_path: &Path, stem: &str, keep: &dyn Fn(&Path) -> bool) -> io::Result<()> {
    let folder = match ledger_path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let prefix = format!("{stem}.rejected");
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let ours = name.starts_with(&prefix) && name.ends_with(".csv");
        if !ours || keep(&path) {
            continue;
        }
        if is_ours_or_free(&path) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Whether nothing stands at a path, or rejected rows that this program wrote.
fn is_ours_or_free(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else {
        return !path.exists();
    };
    let mut first = String::new();
    let read = BufReader::new(file.take(FIRST_LINE_BYTES)).read_line(&mut first);
    read.is_ok() && first.contains(REASON_COLUMNS[0])
}
