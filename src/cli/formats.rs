//! `coinfold formats`: the mappings. What exists, what one does, what is wrong with one, and their JSON Schema.

mod check;
mod pages;
mod samples;
mod show;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{CliError, Globals, exit, told};
use crate::mapping::{Complete, Document, Library, Mapping, choice_words};

/// What is asked of the mappings.
#[derive(clap::Subcommand)]
pub enum FormatsCommand {
    /// Every report that is known
    #[command(after_help = "Examples:
  coinfold formats list                  id, exchange, report, header generations, rules
  coinfold formats list --json           the same and more, as data
  coinfold formats list --markdown       the table of the README")]
    List {
        /// Print a table in Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// What one mapping does, in plain words
    #[command(after_help = "Examples:
  coinfold formats show coinfold/transactions
  coinfold formats show coinfold/transactions --source > formats/mine/transactions.toml
  coinfold formats show coinfold/transactions --json
  coinfold formats show coinfold --markdown      the page of an exchange")]
    Show {
        /// The mapping, as `formats list` names it; or the part before its slash, for all of an exchange
        id: String,
        /// Print the page of an exchange in Markdown
        #[arg(long)]
        markdown: bool,
        /// Print the mapping's file as it is
        #[arg(long)]
        source: bool,
    },
    /// Everything that is wrong with mappings, and with their samples
    #[command(
        after_help = "A mapping stands at FORMATS/EXCHANGE/REPORT.toml, and its samples in FORMATS/../samples/EXCHANGE/REPORT/:
each NAME.csv has the ledger that it must give beside it, NAME.ledger.csv.
Ends with 0 if there is nothing to say, else with 1.

Examples:
  coinfold formats check formats                        all mappings of a folder
  coinfold formats check formats/mine/transactions.toml one
  coinfold formats check formats --json                 file, line, column, level, message, help"
    )]
    Check {
        /// A mapping's file, or a folder of mappings
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// The JSON Schema of a mapping's file, for editors
    #[command(after_help = "Example:
  coinfold formats schema > mapping.schema.json
  then, in an editor that knows Taplo, as first line of a mapping:
  #:schema ./mapping.schema.json")]
    Schema,
}

/// Runs one of the commands; comes back with the exit code.
///
/// # Errors
/// When a file cannot be read, or there is no such mapping.
pub fn run(command: &FormatsCommand, globals: &Globals) -> Result<i32, CliError> {
    match command {
        FormatsCommand::List { markdown } => list(*markdown, globals),
        FormatsCommand::Show {
            id, markdown: true, ..
        } => page(id, globals),
        FormatsCommand::Show { id, source, .. } => show(id, *source, globals),
        FormatsCommand::Check { paths } => check::check(paths, globals),
        FormatsCommand::Schema => {
            told::print(pretty(&json!(crate::mapping::schema()))?)?;
            Ok(exit::COMPLETE)
        }
    }
}

pub fn pretty(value: &Value) -> Result<String, CliError> {
    let text =
        serde_json::to_string_pretty(value).map_err(|error| CliError::failed(error.to_string()))?;
    Ok(text + "\n")
}

fn list(markdown: bool, globals: &Globals) -> Result<i32, CliError> {
    let library = globals.library()?;
    let mut known = Vec::new();
    for mapping in library.mappings() {
        let document = mapping
            .document()
            .map_err(|diagnostic| CliError::failed(diagnostic.message))?;
        known.push((mapping, document));
    }
    if globals.json {
        let all = known
            .iter()
            .map(|(mapping, document)| summary(mapping, document));
        told::print(pretty(&Value::Array(all.collect()))?)?;
    } else if markdown {
        told::print(markdown_table(&known))?;
    } else {
        told::print(plain_table(&known))?;
        if !globals.quiet {
            let exchanges: std::collections::BTreeSet<&str> = known
                .iter()
                .map(|(_, document)| document.exchange.as_str())
                .collect();
            told::say(format!(
                "{} reports of {} exchanges; `coinfold formats show ID` tells what one does",
                known.len(),
                exchanges.len()
            ));
        }
    }
    Ok(exit::COMPLETE)
}

/// How many rules a mapping has; each case is one.
fn rule_count(document: &Document) -> usize {
    let rules = document.rule.iter().map(|rule| rule.cases.len().max(1));
    rules.sum::<usize>() + usize::from(document.otherwise.is_some())
}

fn summary(mapping: &Mapping, document: &Document) -> Value {
    let complete = match &document.complete {
        None => Value::Null,
        Some(Complete::Alone(alone)) => json!(alone),
        Some(Complete::Needs(what)) => json!(what),
    };
    json!({
        "id": mapping.id,
        "exchange": document.exchange,
        "report": document.report,
        "generations": document.generations.len(),
        "rules": rule_count(document),
        "values": choice_words(document).len(),
        "values_reached": samples::words_reached(mapping, document, std::path::Path::new("samples")),
        "how_to_get": document.how_to_get,
        "complete": complete,
        "file": mapping.file,
        "built_in": mapping.built_in,
    })
}

fn plain_table(known: &[(&Mapping, Document)]) -> String {
    let mut rows = vec![["ID", "EXCHANGE", "REPORT", "GENERATIONS", "RULES"].map(str::to_owned)];
    rows.extend(known.iter().map(|(mapping, document)| {
        [
            mapping.id.clone(),
            document.exchange.clone(),
            shortened(&document.report),
            document.generations.len().to_string(),
            rule_count(document).to_string(),
        ]
    }));
    let widths: [usize; 5] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    let mut table = String::new();
    for [id, exchange, report, generations, rules] in &rows {
        let [a, b, c, d, e] = widths;
        table.push_str(&format!(
            "{id:a$}  {exchange:b$}  {report:c$}  {generations:>d$}  {rules:>e$}\n"
        ));
    }
    table
}

/// What fits a line of a table; the whole is in `show`.
fn shortened(text: &str) -> String {
    const MOST: usize = 48;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(MOST - 1).collect();
    format!("{}…", kept.trim_end())
}

/// One line for each exchange, with its page.
fn markdown_table(known: &[(&Mapping, Document)]) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    /// Reports, header generations, known words.
    type Counts = (usize, usize, usize);
    let mut exchanges: BTreeMap<(String, &str, &str), Counts> = BTreeMap::new();
    for (mapping, document) in known {
        let folder = mapping.id.split('/').next().unwrap_or_default();
        let name = document.exchange.as_str();
        let counts = exchanges
            .entry((name.to_lowercase(), name, folder))
            .or_default();
        counts.0 += 1;
        counts.1 += document.generations.len();
        counts.2 += choice_words(document).len();
    }
    let mut table = String::from(
        "| Exchange, wallet or tool | Reports | Header generations | Known words |\n|---|---:|---:|---:|\n",
    );
    for ((_, name, folder), (reports, generations, words)) in exchanges {
        let words = match words {
            0 => "–".to_owned(),
            words => words.to_string(),
        };
        table.push_str(&format!(
            "| [{}](docs/exchanges/{folder}.md) | {reports} | {generations} | {words} |\n",
            cell(name)
        ));
    }
    table
}

fn show(id: &str, source: bool, globals: &Globals) -> Result<i32, CliError> {
    let library = globals.library()?;
    let mapping = library.get(id).ok_or_else(|| unknown(id, &library))?;
    if source {
        told::print(mapping.text.as_bytes())?;
        return Ok(exit::COMPLETE);
    }
    let document = mapping
        .document()
        .map_err(|diagnostic| CliError::failed(diagnostic.message))?;
    if globals.json {
        let mut whole = summary(mapping, &document);
        whole["mapping"] = as_json(&mapping.text)?;
        told::print(pretty(&whole)?)?;
    } else {
        told::print(show::in_plain_words(mapping, &document))?;
    }
    Ok(exit::COMPLETE)
}

/// The page of an exchange.
fn page(id: &str, globals: &Globals) -> Result<i32, CliError> {
    let library = globals.library()?;
    let folder = id.split('/').next().unwrap_or(id);
    let mut reports = Vec::new();
    for mapping in library.mappings() {
        if mapping.id.split('/').next() == Some(folder) {
            let document = mapping
                .document()
                .map_err(|diagnostic| CliError::failed(diagnostic.message))?;
            reports.push((mapping, document));
        }
    }
    if reports.is_empty() {
        return Err(unknown(id, &library));
    }
    told::print(pages::page(&reports))?;
    Ok(exit::COMPLETE)
}

fn as_json(text: &str) -> Result<Value, CliError> {
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| CliError::failed(error.message()))?;
    serde_json::to_value(table).map_err(|error| CliError::failed(error.to_string()))
}

/// No such mapping, and those that are named nearly so.
fn unknown(id: &str, library: &Library) -> CliError {
    let mut near: Vec<(usize, &str)> = library
        .mappings()
        .iter()
        .filter_map(|mapping| {
            let known = mapping.id.as_str();
            let part = known.split('/').any(|part| part == id);
            let distance = if part {
                0
            } else {
                strsim::damerau_levenshtein(id, known)
            };
            (distance <= 1 + known.len() / 4).then_some((distance, known))
        })
        .collect();
    near.sort_unstable();
    // All reports of an exchange are near if its name was given.
    let best = near.first().map_or(0, |(distance, _)| *distance);
    let near: Vec<String> = near
        .iter()
        .filter(|(distance, _)| *distance == best)
        .map(|(_, known)| format!("`{known}`"))
        .collect();
    let help = if near.is_empty() {
        "`coinfold formats list` names them".to_owned()
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    CliError::usage(format!("there is no mapping `{id}`\nhelp: {help}"))
}
