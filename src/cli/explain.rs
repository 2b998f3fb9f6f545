//! `coinfold explain`: the way of one row, from its cells to its fate; or from a line of a ledger back to it.

use std::path::Path;

use clap::Args;

use super::convert::{FactArgs, told_error};
use super::{CliError, Globals, exit, project, told};
use crate::convert::Reading;
use crate::input::{CutMode, Document, Position, RecordReader, Source, discover};
use crate::ledger::Period;
use crate::model::headers;
use crate::report::explain_row;

/// Show one row's way: raw cells, typed cells, rule, group, legs, fate
#[derive(Args)]
#[command(after_help = "Examples:
  coinfold explain exports/2023.csv:17     line 17 of an export
  coinfold explain ledger.csv:3              from a line of a ledger back to the row it came from")]
pub struct ExplainArgs {
    /// A file and a line of it: an export, or a ledger
    #[arg(value_name = "FILE:LINE")]
    place: String,
    /// Other exports, for groups and duplicates that reach across files
    #[arg(value_name = "PATH")]
    others: Vec<String>,
    #[command(flatten)]
    facts: FactArgs,
}

pub fn run(args: &ExplainArgs, globals: &Globals) -> Result<i32, CliError> {
    let (mut name, mut line) = parse(&args.place)?;
    if let Some((source, source_line)) = from_ledger(&name, line)? {
        told::say(format!("{name}:{line} comes from {source}:{source_line}"));
        (name, line) = (source, source_line);
    }
    let mut options = args.facts.options()?;
    let library = globals.library()?;
    // A member of an archive or a sheet is named behind its file.
    let file = (1..=name.len())
        .rev()
        .filter(|end| name.is_char_boundary(*end) && (*end == name.len() || matches!(name.as_bytes()[*end], b'/' | b'#')))
        .map(|end| &name[..end])
        .find(|part| Path::new(part).is_file())
        .ok_or_else(|| CliError::failed(format!("{name}: there is no such file (names in a ledger are as they were given when it was made)")))?;
    let mut paths = vec![file.to_owned()];
    paths.extend(args.others.iter().cloned());
    options.named.clone_from(&paths);
    project::add(&mut options, &paths)?;
    let discovery = discover(&paths).map_err(|error| told_error(&error))?;
    if let Some(problem) = discovery.problems.first() {
        return Err(told_error(problem));
    }
    let folded = crate::fold(
        &discovery.sources,
        &library,
        &options,
        Period::default(),
        &|_| (),
    );
    let folded = folded.map_err(|error| CliError::failed(error.to_string()))?;
    let ledger = &folded.ledger;
    let wanted: Vec<usize> = (0..ledger.files.len())
        .filter(|index| {
            ledger.files[*index].name == name || (name == file && ledger.files.len() == 1)
        })
        .collect();
    let Some(index) = wanted.first().copied() else {
        return match folded
            .left_out
            .into_iter()
            .find(|(left, _)| *left == name || name == file)
        {
            Some((_, Reading::Failed(error))) => Err(told_error(&error)),
            _ => Err(CliError {
                message: format!("{name} is not recognised: see `coinfold detect {file}`"),
                code: exit::NOTHING_RECOGNISED,
            }),
        };
    };
    let source = discovery
        .sources
        .iter()
        .find(|source| source.name() == ledger.files[index].name);
    let record = source
        .map(|source| record_at(source, ledger.context(index), line))
        .transpose()?
        .flatten();
    let Some((first_line, record)) = record else {
        return Err(CliError::failed(format!(
            "{name} has no row on line {line}"
        )));
    };
    if let Some(row) = ledger.rows(index).find(|row| row.line == first_line) {
        let names = ledger.name_texts();
        told::print(explain_row(ledger, &names, index, &row, &record))?;
        return Ok(exit::COMPLETE);
    }
    told::print(format!(
        "{name}:{line}\nThis line stands before the rows: it is the header, or above it.\n"
    ))?;
    Ok(exit::COMPLETE)
}

fn parse(place: &str) -> Result<(String, u64), CliError> {
    let usage = || {
        CliError::usage(format!(
            "`{place}`: write FILE:LINE, such as exports/2023.csv:17"
        ))
    };
    let (file, line) = place.rsplit_once(':').ok_or_else(usage)?;
    let line = line
        .parse()
        .ok()
        .filter(|line| *line > 0)
        .ok_or_else(usage)?;
    Ok((file.to_owned(), line))
}

/// The row that a line of a ledger came from, if the file is a ledger.
fn from_ledger(name: &str, line: u64) -> Result<Option<(String, u64)>, CliError> {
    let discovered = if Path::new(name).is_file() {
        discover(&[name.to_owned()]).ok()
    } else {
        None
    };
    let Some(source) = discovered.and_then(|mut discovery| discovery.sources.pop()) else {
        return Ok(None);
    };
    let document = Document::open(&source, None).map_err(|error| told_error(&error))?;
    if !document.head().starts_with(headers::LEDGER.as_bytes()) {
        return Ok(None);
    }
    let mut found = None;
    each_record(document, &source, b',', |first, last, record| {
        if (first..=last).contains(&line) {
            let cell = |at: usize| {
                record
                    .get(at)
                    .map(|cell| String::from_utf8_lossy(cell).into_owned())
            };
            found = cell(15).zip(cell(16).and_then(|line| line.parse().ok()));
        }
        found.is_none()
    })?;
    found
        .map(Some)
        .ok_or_else(|| CliError::failed(format!("{name} has no leg on line {line}")))
}

/// The record that covers a line: its first line, and its bytes.
fn record_at(
    source: &Source,
    context: &crate::convert::FileContext,
    line: u64,
) -> Result<Option<(u64, Vec<u8>)>, CliError> {
    let document = Document::open(source, context.program.encoding.as_deref())
        .map_err(|error| told_error(&error))?;
    let mut found = None;
    each_record(
        document,
        source,
        context.delimiter,
        |first, last, record| {
            if (first..=last).contains(&line) {
                found = Some((first, record.bytes().to_vec()));
            }
            found.is_none()
        },
    )?;
    Ok(found)
}

/// Calls back with each record and the lines that it covers, until told to stop.
fn each_record(
    document: Document,
    source: &Source,
    delimiter: u8,
    mut each: impl FnMut(u64, u64, crate::input::Record<'_>) -> bool,
) -> Result<(), CliError> {
    let mut chunks = document.into_chunks(Position::START, delimiter, CutMode::Exact);
    while let Some(chunk) = chunks.next().map_err(|error| told_error(&error))? {
        let mut reader = RecordReader::new(delimiter);
        let mut records = reader.start(&chunk.text);
        while let Some(record) = records
            .next()
            .map_err(|error| told_error(&error.in_source(source.name(), chunk.lines_before)))?
        {
            let first = chunk.lines_before + 1 + u64::from(record.line());
            let breaks = record.bytes().iter().filter(|byte| **byte == b'\n').count() as u64;
            if !each(first, first + breaks, record) {
                return Ok(());
            }
        }
        chunks.recycle(chunk.text);
    }
    Ok(())
}
