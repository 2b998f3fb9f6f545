//! `coinfold detect`: which report each file is, and why not another.

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};

use super::convert::{FactArgs, told_error};
use super::{CliError, Globals, exit, project, told};
use crate::convert::{Detection, Detector, Options};
use crate::input::discover;
use crate::mapping::Unrecognised;

/// Say which report each file is, with the nearest mappings for those that are not known
#[derive(Args)]
#[command(after_help = "Examples:
  coinfold detect exports/
  coinfold detect history.csv --json

Exit codes: 0 all files are known · 1 a file cannot be read · 3 none is known · 4 some are not")]
pub struct DetectArgs {
    /// Files, folders, patterns with *, or - for stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    #[command(flatten)]
    facts: FactArgs,
}

pub fn run(args: &DetectArgs, globals: &Globals) -> Result<i32, CliError> {
    let mut options = Options {
        named: args.paths.clone(),
        ..args.facts.options()?
    };
    project::add(&mut options, &args.paths)?;
    let library = globals.library()?;
    let discovery = discover(&args.paths).map_err(|error| told_error(&error))?;
    let mut text = String::new();
    let mut data = Vec::new();
    let (mut known, mut unknown, mut failed) = (0, 0, 0);
    for problem in &discovery.problems {
        failed += 1;
        let _ = writeln!(text, "✗ {problem}");
        data.push(json!({ "file": problem.source_name(), "error": problem.to_string() }));
    }
    let detector = Detector::new(&library, &options);
    for source in &discovery.sources {
        let name = source.name();
        match detector.detect(source) {
            Err(error) => {
                failed += 1;
                let _ = writeln!(text, "✗ {error}");
                data.push(json!({ "file": name, "error": error.to_string() }));
            }
            Ok(Detection::Known(detected)) => {
                known += 1;
                let program = &detected.recognised.program;
                let unknown_columns = &detected.recognised.binding.unknown;
                let _ = writeln!(
                    text,
                    "{name}: {} · {} ({})",
                    program.exchange, program.report, program.id
                );
                if globals.verbose {
                    let delimiter = char::from(detected.recognised.line.delimiter).escape_default();
                    let line = detected
                        .header_line
                        .map_or("none".to_owned(), |line| format!("line {line}"));
                    let _ = writeln!(
                        text,
                        "    header: {line} · delimiter: `{delimiter}` · encoding: {}",
                        detected.encoding
                    );
                }
                if !unknown_columns.is_empty() {
                    let _ = writeln!(
                        text,
                        "    columns that the mapping does not know: {}",
                        unknown_columns.join(", ")
                    );
                }
                data.push(json!({
                    "file": name, "format": program.id, "exchange": program.exchange, "report": program.report,
                    "header_line": detected.header_line, "encoding": detected.encoding,
                    "delimiter": char::from(detected.recognised.line.delimiter).to_string(), "unknown_columns": unknown_columns,
                }));
            }
            Ok(Detection::Unknown(unrecognised, first)) => {
                unknown += 1;
                tell_unknown(&mut text, name, &unrecognised, &first);
                data.push(unknown_data(name, &unrecognised));
            }
            Ok(Detection::Own) => {
                let _ = writeln!(text, "{name}: written by coinfold, no export");
                data.push(json!({ "file": name, "own": true }));
            }
            Ok(Detection::Empty) => {
                let _ = writeln!(text, "{name}: empty");
                data.push(json!({ "file": name, "empty": true }));
            }
        }
    }
    if globals.json {
        let text = serde_json::to_string_pretty(&Value::Array(data))
            .map_err(|error| CliError::failed(error.to_string()))?;
        told::print(text + "\n")?;
    } else {
        told::print(text)?;
    }
    Ok(match (known, unknown, failed) {
        (_, _, failed) if failed > 0 => exit::FAILED,
        (0, _, _) => exit::NOTHING_RECOGNISED,
        (_, 0, _) => exit::COMPLETE,
        _ => exit::INCOMPLETE,
    })
}

fn tell_unknown(text: &mut String, name: &str, unrecognised: &Unrecognised, first: &[String]) {
    if !unrecognised.tie.is_empty() {
        let _ = writeln!(
            text,
            "{name}: {} fit equally well; say which with --as",
            unrecognised.tie.join(" and ")
        );
        return;
    }
    let _ = writeln!(text, "{name}: not known");
    for near in &unrecognised.nearest {
        let _ = writeln!(
            text,
            "    near: {} ({} of {} columns)",
            near.id, near.found, near.required
        );
        let _ = writeln!(text, "        missing: {}", near.missing.join(", "));
        if !near.extra.is_empty() {
            let _ = writeln!(text, "        extra: {}", near.extra.join(", "));
        }
    }
    for broken in &unrecognised.broken {
        let _ = writeln!(text, "    would fit, but is wrong itself: {broken}");
    }
    if unrecognised.nearest.is_empty() {
        for line in first {
            let short: String = line.chars().take(100).collect();
            let _ = writeln!(text, "    | {short}");
        }
    }
}

fn unknown_data(name: &str, unrecognised: &Unrecognised) -> Value {
    let near = |near: &crate::mapping::Near| json!({ "format": near.id, "found": near.found, "required": near.required, "missing": near.missing, "extra": near.extra });
    json!({
        "file": name, "format": null, "tie": unrecognised.tie,
        "nearest": unrecognised.nearest.iter().map(near).collect::<Vec<_>>(),
    })
}
