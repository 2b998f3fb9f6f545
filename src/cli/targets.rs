//! `coinfold targets`: the layouts of tools. What exists, what one wants, what is wrong with one, and their JSON Schema.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{CliError, Globals, exit, told};
use crate::mapping::{Diagnostic, Level};
use crate::model::Kind;
use crate::output::JournalLayout;
use crate::report::render;
use crate::target::document::FileFormat;
use crate::target::{Case, Document, Entry, Outcome, Target, Targets};

/// What is asked of the targets.
#[derive(clap::Subcommand)]
pub enum TargetsCommand {
    /// Every layout that is known
    #[command(after_help = "Examples:
  coinfold targets list                  id, tool, file, how sure, kinds that it cannot express
  coinfold targets list --json           the same and more, as data
  coinfold targets list --markdown       the table of the README")]
    List {
        /// Print a table in Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// What one layout wants, and what it cannot say
    #[command(after_help = "Examples:
  coinfold targets show ID
  coinfold targets show ID --markdown       its page in the docs
  coinfold targets show ID --source > targets/mine.toml")]
    Show {
        /// The target, as `targets list` names it
        id: String,
        /// Print the target's file as it is
        #[arg(long)]
        source: bool,
        /// Print its page in Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// Everything that is wrong with targets
    #[command(after_help = "Ends with 0 if there is nothing to say, else with 1.

Examples:
  coinfold targets check targets/
  coinfold targets check targets/mine.toml --json")]
    Check {
        /// A target's file, or a folder of targets
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// The JSON Schema of a target's file, for editors
    Schema,
}

/// Runs one of the commands; comes back with the exit code.
///
/// # Errors
/// When a file cannot be read, or there is no such target.
pub fn run(command: &TargetsCommand, globals: &Globals) -> Result<i32, CliError> {
    match command {
        TargetsCommand::List { markdown } => list(*markdown, globals),
        TargetsCommand::Show {
            id,
            source,
            markdown,
        } => show(id, *source, *markdown, globals),
        TargetsCommand::Check { paths } => check(paths, globals),
        TargetsCommand::Schema => {
            told::print(super::formats::pretty(&schema())?)?;
            Ok(exit::COMPLETE)
        }
    }
}

/// The schema of a target's file, with that of its journal in its place.
fn schema() -> Value {
    let mut schema = json!(crate::target::schema());
    let mut journal = json!(schemars::schema_for!(JournalLayout));
    let own = journal
        .as_object_mut()
        .and_then(|journal| journal.remove("$defs"));
    if let (Some(Value::Object(own)), Some(Value::Object(all))) = (own, schema.get_mut("$defs")) {
        all.extend(own);
    }
    schema["properties"]["journal"] = journal;
    schema
}

/// A target with what is written in its file.
fn known(entry: &Entry) -> Result<(Document, Target), CliError> {
    let failed = |wrong: Vec<Diagnostic>| {
        CliError::failed(render(
            &wrong,
            |_| Some(entry.text.to_string()),
            told::colour(),
        ))
    };
    let document = entry.document().map_err(|error| failed(vec![error]))?;
    let target = entry.target().map_err(failed)?;
    Ok((document, target))
}

fn list(markdown: bool, globals: &Globals) -> Result<i32, CliError> {
    let targets = globals.targets()?;
    let mut lines = Vec::new();
    for entry in targets.entries() {
        let (document, target) = known(entry)?;
        lines.push((entry, document, target));
    }
    if globals.json {
        let all: Vec<Value> = lines
            .iter()
            .map(|(entry, document, target)| summary(entry, document, target))
            .collect();
        told::print(super::formats::pretty(&Value::Array(all))?)?;
    } else if markdown {
        let mut text = String::from(
            "| tool | `--to` | file | facts | kinds without a word of their own |\n|---|---|---|---|---|\n",
        );
        for (entry, document, target) in &lines {
            text.push_str(&format!(
                "| {} | [`{}`](docs/targets/{}.md) | {} | {} | {} |\n",
                document.tool,
                entry.id,
                entry.id,
                file_text(target),
                document.confidence.word(),
                lossy_text(target)
            ));
        }
        told::print(text)?;
    } else {
        let wide = |of: &dyn Fn(&(&Entry, Document, Target)) -> usize| {
            lines.iter().map(of).max().unwrap_or(0)
        };
        let id = wide(&|line| line.0.id.chars().count());
        let tool = wide(&|line| line.1.tool.chars().count());
        let mut text = String::new();
        for (entry, document, target) in &lines {
            text.push_str(&format!(
                "{:id$}  {:tool$}  {:14}  {:6}  {}\n",
                entry.id,
                document.tool,
                file_text(target),
                document.confidence.word(),
                match lossy_kinds(target).len() {
                    0 => "has a word for every kind".to_owned(),
                    1 => "1 kind without a word of its own".to_owned(),
                    count => format!("{count} kinds without a word of their own"),
                }
            ));
        }
        told::print(text)?;
        if !globals.quiet {
            told::say(format!(
                "{} layouts; `coinfold targets show ID` tells what one wants",
                lines.len()
            ));
        }
    }
    Ok(exit::COMPLETE)
}

fn summary(entry: &Entry, document: &Document, target: &Target) -> Value {
    json!({
        "id": entry.id,
        "also": document.also,
        "tool": document.tool,
        "layout": document.layout,
        "confidence": document.confidence,
        "how_to_upload": document.how_to_upload,
        "again": document.again,
        "extension": target.extension,
        "parts": target.parts.iter().map(|part| &part.name).filter(|name| !name.is_empty()).collect::<Vec<_>>(),
        "options": options(target).iter().map(|(name, default, about)| json!({"name": name, "default": default, "about": about})).collect::<Vec<_>>(),
        "lossy_kinds": lossy_kinds(target),
        "unconfirmed": unconfirmed(target),
        "file": entry.file,
    })
}

/// What a person can set: name, default, what it is about.
fn options(target: &Target) -> Vec<(String, String, String)> {
    let journal = target.journal.clone();
    let journal = journal.and_then(|journal| serde_json::from_value::<JournalLayout>(journal).ok());
    match journal {
        None => target.options.clone(),
        Some(layout) => layout
            .options()
            .into_iter()
            .map(|option| (option.name, option.default, option.about))
            .collect(),
    }
}

fn file_text(target: &Target) -> String {
    if target.journal.is_some() {
        return "journal".to_owned();
    }
    let format = |part: &crate::target::Part| match part.file.format {
        FileFormat::Csv => "csv",
        FileFormat::Xlsx => "xlsx",
        FileFormat::Json => "json",
        FileFormat::Journal => "journal",
    };
    let first = target.parts.first().map_or("", format);
    let count = target.parts.len();
    let per_account = target.parts.iter().any(|part| part.file.one_per_account);
    match (count, per_account) {
        (1, false) => first.to_owned(),
        (1, true) => format!("{first} / account"),
        (count, _) => format!("{count} × {first}"),
    }
}

/// Kinds for which no part has words that lose nothing.
fn lossy_kinds(target: &Target) -> Vec<&'static str> {
    if target.journal.is_some() {
        return Vec::new();
    }
    let plain = |case: &Case| case.lossy.is_none() && case.outcome == Outcome::Write;
    Kind::ALL
        .iter()
        .filter(|kind| {
            !target
                .parts
                .iter()
                .any(|part| part.kinds[**kind as usize].iter().any(plain))
        })
        .map(|kind| kind.word())
        .collect()
}

fn lossy_text(target: &Target) -> String {
    match lossy_kinds(target) {
        kinds if kinds.is_empty() => "none".to_owned(),
        kinds if kinds.len() > 12 => format!("all but {}", {
            let known: Vec<&str> = Kind::ALL
                .iter()
                .map(|kind| kind.word())
                .filter(|kind| !kinds.contains(kind))
                .collect();
            known.join(", ")
        }),
        kinds => kinds.join(", "),
    }
}

/// Words that the vendor does not confirm, each once.
fn unconfirmed(target: &Target) -> Vec<String> {
    let mut words: Vec<String> = target
        .parts
        .iter()
        .flat_map(|part| part.kinds.iter().flatten())
        .filter(|case| case.unconfirmed)
        .map(words_of)
        .collect();
    words.sort();
    words.dedup();
    words
}

fn words_of(case: &Case) -> String {
    let words = case.words.iter().filter(|(_, word)| !word.is_empty());
    words
        .map(|(_, word)| word.as_str())
        .collect::<Vec<_>>()
        .join(" + ")
}

fn show(id: &str, source: bool, markdown: bool, globals: &Globals) -> Result<i32, CliError> {
    let targets = globals.targets()?;
    let entry = find(&targets, id)?;
    if source {
        told::print(entry.text.as_bytes())?;
        return Ok(exit::COMPLETE);
    }
    let (document, target) = known(entry)?;
    if globals.json {
        told::print(super::formats::pretty(&summary(entry, &document, &target))?)?;
    } else {
        told::print(page(entry, &document, &target, markdown))?;
    }
    Ok(exit::COMPLETE)
}

fn find<'t>(targets: &'t Targets, id: &str) -> Result<&'t Entry, CliError> {
    targets.get(id).ok_or_else(|| {
        let ids = targets.entries().iter().map(|entry| entry.id.as_str());
        let near = crate::mapping::nearest(id, ids);
        let help = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        CliError::usage(format!("there is no target `{id}`{help}"))
    })
}

/// A target's page: what it is, how it is uploaded, what is lost.
fn page(entry: &Entry, document: &Document, target: &Target, markdown: bool) -> String {
    let mut text = String::new();
    let (title, section, bullet) = if markdown {
        ("# ", "\n## ", "- ")
    } else {
        ("", "\n", "  ")
    };
    text.push_str(&format!(
        "{title}{}: {}\n\n",
        document.tool, document.layout
    ));
    let command = format!(
        "coinfold convert exports/ --to {} -o upload.{}",
        entry.id, target.extension
    );
    if markdown {
        text.push_str(&format!("```\n{command}\n```\n\n"));
    } else {
        text.push_str(&format!("{command}\n\n"));
    }
    text.push_str(&format!("{}\n", document.how_to_upload));
    if let Some(again) = &document.again {
        text.push_str(&format!("Uploaded twice: {again}.\n"));
    }
    text.push_str(&format!(
        "How sure these facts are: {}.\n",
        document.confidence.word()
    ));
    let mut list = |head: &str, items: Vec<String>| {
        if !items.is_empty() {
            text.push_str(&format!("{section}{head}\n"));
            if markdown {
                text.push('\n');
            }
            for item in items {
                text.push_str(&format!("{bullet}{item}\n"));
            }
        }
    };
    let files = target.parts.iter().map(|part| {
        let columns: Vec<&str> = part
            .columns
            .iter()
            .map(|column| column.header.as_str())
            .collect();
        let name = if part.name.is_empty() {
            String::new()
        } else {
            format!("{}: ", part.name)
        };
        let mut more = String::new();
        if part.file.one_per_account {
            more.push_str("; one file for each account");
        }
        if let Some(most) = part.file.max_rows {
            more.push_str(&format!("; at most {most} rows a file"));
        }
        if let Some(digits) = part.max_decimals {
            more.push_str(&format!("; at most {digits} decimals"));
        }
        format!("{name}{}{more}", columns.join(" · "))
    });
    list("Columns", files.collect());
    list(
        "Options (--set NAME=VALUE)",
        options(target)
            .iter()
            .map(|(name, default, about)| format!("{name} = {default:?}: {about}"))
            .collect(),
    );
    list("Words", words(target));
    list(
        "Lost, or said less precisely (these stop the run without --lossy)",
        losses(target),
    );
    list("Not confirmed by the vendor", unconfirmed(target));
    list(
        "Codes",
        target
            .assets
            .rename
            .iter()
            .map(|(code, name)| format!("{code} is written as {name}"))
            .chain(
                target
                    .assets
                    .reads_as
                    .iter()
                    .map(|(code, meant)| format!("{code} is taken for {meant}")),
            )
            .collect(),
    );
    list("Notes", document.notes.clone());
    list("Sources", document.sources.clone());
    text
}

/// Kinds by the words that they are written with.
fn words(target: &Target) -> Vec<String> {
    let mut by_word: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in &target.parts {
        for (kind, cases) in Kind::ALL.iter().zip(&part.kinds) {
            for case in cases {
                if case.outcome != Outcome::Write || case.lossy.is_some() {
                    continue;
                }
                let side = case
                    .side
                    .map_or(String::new(), |side| format!(" ({})", side.word()));
                let word = match words_of(case) {
                    word if word.is_empty() => "(blank)".to_owned(),
                    word => word,
                };
                let kinds = by_word.entry(word).or_default();
                let kind = format!("{kind}{side}");
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
    }
    by_word
        .into_iter()
        .map(|(word, kinds)| format!("{word}: {}", kinds.join(", ")))
        .collect()
}

fn losses(target: &Target) -> Vec<String> {
    let mut lost = Vec::new();
    for part in &target.parts {
        for (kind, cases) in Kind::ALL.iter().zip(&part.kinds) {
            for case in cases {
                let side = case
                    .side
                    .map_or(String::new(), |side| format!(" ({})", side.word()));
                let said = match (&case.outcome, &case.lossy) {
                    (Outcome::LeaveOut(why), _) => format!("{kind}{side}: left out: {why}"),
                    (Outcome::Refuse(why), _) => format!("{kind}{side}: cannot be written: {why}"),
                    (Outcome::Write, Some(loss)) => match words_of(case) {
                        word if word.is_empty() => format!("{kind}{side}: {loss}"),
                        word => format!("{kind}{side} → {word}: {loss}"),
                    },
                    (Outcome::Write, None) => continue,
                };
                if !lost.contains(&said) {
                    lost.push(said);
                }
            }
        }
    }
    let none: Vec<&str> = if target.journal.is_some() {
        Vec::new()
    } else {
        let without = |kind: &&Kind| {
            target
                .parts
                .iter()
                .all(|part| part.kinds[**kind as usize].is_empty())
        };
        Kind::ALL
            .iter()
            .filter(without)
            .map(|kind| kind.word())
            .collect()
    };
    if !none.is_empty() {
        lost.push(format!("without a word: {}", none.join(", ")));
    }
    lost
}

/// What is wrong with the table `[journal]` of a target.
fn wrong_journal(entry: &Entry, target: &Target) -> Option<Diagnostic> {
    let error = serde_json::from_value::<JournalLayout>(target.journal.clone()?).err()?;
    Some(Diagnostic {
        level: Level::Error,
        file: entry.file.clone(),
        span: entry.text.find("[journal]").map(|at| at..at + 9),
        message: error.to_string(),
        help: None,
    })
}

fn check(paths: &[PathBuf], globals: &Globals) -> Result<i32, CliError> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let found = crate::mapping::mapping_files(path).map_err(CliError::failed)?;
            files.extend(found.into_iter().filter(|file| file.parent() == Some(path)));
        } else {
            files.push(path.clone());
        }
    }
    let mut targets = Targets::empty();
    for file in &files {
        targets.add_file(file).map_err(CliError::failed)?;
    }
    let mut found = Vec::new();
    for entry in targets.entries() {
        match entry.target() {
            Err(wrong) => found.extend(wrong),
            Ok(target) => {
                found.extend(crate::target::lint(entry, &target));
                found.extend(wrong_journal(entry, &target));
            }
        }
    }
    if globals.json {
        let all: Vec<Value> = found
            .iter()
            .map(|diagnostic| {
                let text = std::fs::read_to_string(&diagnostic.file).unwrap_or_default();
                let place = diagnostic.line_and_column(&text);
                json!({
                    "file": diagnostic.file,
                    "line": place.map(|place| place.0),
                    "column": place.map(|place| place.1),
                    "level": if diagnostic.level == Level::Error { "error" } else { "warning" },
                    "message": diagnostic.message,
                    "help": diagnostic.help,
                })
            })
            .collect();
        told::print(super::formats::pretty(&Value::Array(all))?)?;
    } else {
        if !found.is_empty() {
            let text_of = |file: &str| std::fs::read_to_string(file).ok();
            told::print(render(&found, text_of, false))?;
        }
        let errors = found
            .iter()
            .filter(|found| found.level == Level::Error)
            .count();
        told::say(format!(
            "{} files checked: {errors} errors, {} warnings",
            files.len(),
            found.len() - errors
        ));
    }
    Ok(if found.is_empty() {
        exit::COMPLETE
    } else {
        exit::FAILED
    })
}
