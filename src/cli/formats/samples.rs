//! The law of samples: every mapping has samples of every header generation and of every rule, each with the ledger that
//! it must give. The samples are read here with the mapping that is checked, to see which of its rules they reach.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::cli::project;
use crate::convert::{
    FileRows, Options, Outcome, PathRule, Reading, RunNames, SkipReason, convert, events,
};
use crate::input::{Document as Input, RecordReader, discover};
use crate::mapping::{
    Diagnostic, Document, Level, Library, Mapping, Program, TestPlaces, choice_words,
};

/// What the ledger of a sample is called, after the sample's name.
const LEDGER: &str = ".ledger.csv";

/// What the fates of a sample's rows are called.
const ROWS: &str = ".rows.csv";

/// All that is missing in the samples of a mapping, below the folder of all samples.
pub fn check(mapping: &Mapping, library: &Library, samples: &Path) -> Vec<Diagnostic> {
    // A mapping with errors has no program to run.
    let (Ok(program), Some(places)) = (library.program(mapping), TestPlaces::of(mapping)) else {
        return Vec::new();
    };
    let folder = mapping
        .id
        .split('/')
        .fold(samples.to_owned(), |folder, part| folder.join(part));
    let shown = format!("samples/{}", mapping.id);
    let mut law = Law {
        mapping,
        shown,
        found: Vec::new(),
    };
    let (files, ledgers) = match contents(&folder) {
        Ok(contents) => contents,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Default::default(),
        Err(error) => {
            law.warn(None, format!("{} cannot be read: {error}", law.shown), "");
            return law.found;
        }
    };
    if files.is_empty() {
        let help = format!(
            "add {}/NAME.csv, and NAME.ledger.csv with the ledger that it must give",
            law.shown
        );
        law.warn(None, "there are no samples of this report", &help);
        return law.found;
    }
    let whole = law.pairs(&files, &ledgers);
    let wanted = program_generations(mapping);
    if whole < wanted {
        let message =
            format!("there are {wanted} header generations and {whole} samples with a ledger");
        let help = format!("add a sample of each to {}", law.shown);
        law.warn(places.generations.clone(), message, &help);
    }
    let reached = law.read(&program, &files, library);
    law.unreached(&program, &places, &reached);
    law.found
}

/// How many of the words that a mapping knows stand in a cell of its samples; none if there are no samples at hand.
pub fn words_reached(mapping: &Mapping, document: &Document, samples: &Path) -> Option<usize> {
    let folder = mapping
        .id
        .split('/')
        .fold(samples.to_owned(), |folder, part| folder.join(part));
    let (files, _) = contents(&folder).ok()?;
    let paths: Vec<String> = files
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let mut cells: BTreeSet<String> = BTreeSet::new();
    for source in discover(&paths).ok()?.sources {
        let Ok(text) = Input::open(&source, None) else {
            continue;
        };
        for delimiter in [b',', b';', b'\t', b'|'] {
            let mut reader = RecordReader::new(delimiter);
            let mut records = reader.start(text.head());
            while let Ok(Some(record)) = records.next() {
                cells.extend(
                    record
                        .iter()
                        .map(|cell| String::from_utf8_lossy(cell).trim().to_lowercase()),
                );
            }
        }
    }
    let words = choice_words(document);
    let reached = |(_, word): &&(String, String)| cells.contains(&word.trim().to_lowercase());
    Some(words.iter().filter(reached).count())
}

fn program_generations(mapping: &Mapping) -> usize {
    mapping
        .document()
        .map_or(0, |document| document.generations.len())
}

/// The samples of a folder, and the names for which there is a ledger.
fn contents(folder: &Path) -> std::io::Result<(Vec<PathBuf>, BTreeSet<String>)> {
    let mut files = Vec::new();
    let mut ledgers = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if let Some(sample) = name.strip_suffix(LEDGER) {
            ledgers.insert(sample.to_owned());
        } else if !name.ends_with(ROWS) && !name.starts_with('.') && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok((files, ledgers))
}

/// Which skips and rules rows came to.
struct Reached {
    skips: Vec<bool>,
    rules: Vec<bool>,
}

struct Law<'m> {
    mapping: &'m Mapping,
    /// The folder as messages call it.
    shown: String,
    found: Vec<Diagnostic>,
}

impl Law<'_> {
    fn warn(&mut self, span: Option<Range<usize>>, message: impl Into<String>, help: &str) {
        self.found.push(Diagnostic {
            level: Level::Warning,
            file: self.mapping.file.clone(),
            span,
            message: message.into(),
            help: (!help.is_empty()).then(|| help.to_owned()),
        });
    }

    /// How many samples have a ledger. Each without the other is named.
    fn pairs(&mut self, files: &[PathBuf], ledgers: &BTreeSet<String>) -> usize {
        let mut used = BTreeSet::new();
        let mut whole = 0;
        for file in files {
            let name = file_name(file);
            // `a.b.csv` is a sample of the ledger `a.b.ledger.csv`, and not of `a.ledger.csv` if both are there.
            let of = |ledger: &&String| {
                name.strip_prefix(ledger.as_str())
                    .is_some_and(|rest| rest.starts_with('.'))
            };
            match ledgers.iter().filter(of).max_by_key(|ledger| ledger.len()) {
                Some(ledger) => {
                    used.insert(ledger.clone());
                    whole += 1;
                }
                None => {
                    let stem = name.split('.').next().unwrap_or(&name).to_owned();
                    let help = format!("add {}/{stem}{LEDGER}, written by hand", self.shown);
                    self.warn(
                        None,
                        format!("sample `{name}` has no ledger beside it"),
                        &help,
                    );
                }
            }
        }
        for ledger in ledgers.difference(&used) {
            self.warn(
                None,
                format!("`{ledger}{LEDGER}` has no sample beside it"),
                "add the sample, or take it out",
            );
        }
        whole
    }

    /// Reads the samples, and tells what they reach. What cannot be read, or is another report, is named.
    fn read(&mut self, program: &Program, files: &[PathBuf], library: &Library) -> Reached {
        let mut reached = Reached {
            skips: vec![false; program.skips.len()],
            rules: vec![false; program.rules.len()],
        };
        let mut options = Options::default();
        if !program.has_header {
            options.reports.push(PathRule {
                value: program.id.clone(),
                path: None,
                folder: None,
            });
        }
        let paths: Vec<String> = files
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        // What the project file of the samples says of them.
        if let Err(error) = project::add(&mut options, &paths) {
            self.warn(None, error.message, "");
        }
        // A ledger of ours is read if it is named.
        options.named.clone_from(&paths);
        let discovery = match discover(&paths) {
            Ok(discovery) => discovery,
            Err(error) => {
                self.warn(None, format!("the samples cannot be read: {error}"), "");
                return reached;
            }
        };
        for problem in discovery.problems {
            self.warn(None, format!("a sample cannot be read: {problem}"), "");
        }
        let readings = convert(
            &discovery.sources,
            library,
            &options,
            &RunNames::default(),
            &|_| (),
        );
        // A workbook has sheets of its own making beside the one that counts.
        let mut by_file: BTreeMap<String, Vec<Reading>> = BTreeMap::new();
        for (source, reading) in discovery.sources.iter().zip(readings) {
            let name = source
                .path()
                .map_or_else(|| source.file_name().to_owned(), file_name);
            by_file.entry(name).or_default().push(reading);
        }
        for (name, readings) in &by_file {
            let rows = readings.iter().filter_map(|reading| match reading {
                Reading::Read(rows) => Some(rows),
                _ => None,
            });
            let (ours, others): (Vec<_>, Vec<_>) =
                rows.partition(|rows| rows.context.program.id == program.id);
            ours.iter().for_each(|rows| reached.note(rows));
            if ours.is_empty() {
                let (message, help) = match others.first() {
                    Some(other) => (
                        format!("is recognised as {}", other.context.program.id),
                        recognition_help(),
                    ),
                    None => why_not(&readings[0]),
                };
                self.warn(None, format!("sample `{name}` {message}"), &help);
            }
        }
        reached
    }

    fn unreached(&mut self, program: &Program, places: &TestPlaces, reached: &Reached) {
        let help = format!("add a row for it to a sample in {}", self.shown);
        for (nth, _) in reached
            .skips
            .iter()
            .enumerate()
            .filter(|(_, reached)| !**reached)
        {
            self.warn(
                places.skips.get(nth).cloned().flatten(),
                "no sample reaches this skip",
                &help,
            );
        }
        for (nth, rule) in program
            .rules
            .iter()
            .enumerate()
            .filter(|(nth, _)| !reached.rules[*nth])
        {
            let place = places.rules.get(nth).cloned().flatten();
            let what = if rule.is_otherwise {
                "[otherwise]"
            } else {
                "this rule"
            };
            self.warn(place, format!("no sample reaches {what}"), &help);
        }
    }
}

impl Reached {
    fn note(&mut self, rows: &FileRows) {
        for batch in &rows.batches {
            for row in &batch.other_rows {
                if let Outcome::Skipped(SkipReason::Rule(skip)) = row.outcome {
                    self.skips[skip as usize] = true;
                }
            }
            for (_, event) in events(&batch.arena()) {
                self.rules[usize::from(event.rule())] = true;
            }
        }
    }
}

/// Why a sample was not read as any report, and what helps.
fn why_not(reading: &Reading) -> (String, String) {
    match reading {
        Reading::Read(rows) => (
            format!("is recognised as {}", rows.context.program.id),
            recognition_help(),
        ),
        Reading::Unrecognised(why, _) if !why.tie.is_empty() => (
            format!("is recognised as several reports: {}", why.tie.join(", ")),
            recognition_help(),
        ),
        Reading::Unrecognised(why, _) => {
            let near = why.nearest.first().map(|near| {
                format!(
                    "nearest is {}, without its columns {}",
                    near.id,
                    near.missing.join(", ")
                )
            });
            (
                "is not recognised".to_owned(),
                near.unwrap_or_else(recognition_help),
            )
        }
        Reading::Own => (
            "is a file that this program writes, not an export".to_owned(),
            String::new(),
        ),
        Reading::Empty => ("is empty".to_owned(), String::new()),
        Reading::Failed(error) => (format!("cannot be read: {error}"), String::new()),
    }
}

fn recognition_help() -> String {
    "the mapping that knows the most of a file's columns wins, then the one that asks for most"
        .to_owned()
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
