//! `coinfold convert --to TOOL`: a ledger as a tool wants it, held against the tool before anything is written.

use std::collections::BTreeMap;
use std::io::{IsTerminal, stdout};
use std::path::Path;

use super::{ConvertArgs, Globals, cannot_write, tell};
use crate::cli::{CliError, exit, told};
use crate::ledger::{Ledger, NameTexts};
use crate::output::{JournalLayout, Settings, TargetWritten, WholeFile, write_target};
use crate::report::{Outcome, Problem, Summary, counted, preflight_text};
use crate::target::document::FileFormat;
use crate::target::{Target, Targets};

/// A target that was asked for, and what the person says of it.
pub struct Wanted {
    pub target: Target,
    /// A journal instead of rows and columns.
    pub journal: Option<JournalLayout>,
    targets: Targets,
    pub options: BTreeMap<String, String>,
    renames: BTreeMap<String, String>,
}

impl Wanted {
    /// Finds a target by its id.
    ///
    /// # Errors
    /// When there is none, or it is wrong, or an option is.
    pub fn find(id: &str, args: &ConvertArgs, globals: &Globals) -> Result<Wanted, CliError> {
        let targets = globals.targets()?;
        let Some(entry) = targets.get(id) else {
            let ids = targets.entries().iter().map(|entry| entry.id.as_str());
            let near = crate::mapping::nearest(id, ids.chain(super::OWN_LAYOUTS));
            let help = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            return Err(CliError::usage(format!(
                "there is no target `{id}`{help}\n  help: `coinfold targets list` names them"
            )));
        };
        let mut target = entry.target().map_err(|wrong| {
            let text_of = |_: &str| Some(entry.text.to_string());
            CliError::failed(crate::report::render(&wrong, text_of, told::colour()))
        })?;
        let options = pairs(&args.set, "NAME=VALUE")?;
        let renames = pairs(&args.rename, "CODE=NAME")?;
        choose_container(&mut target, args.output.as_deref());
        if let Some(written) = &target.journal {
            let journal = super::journal::layout(&target.id, written, &options, &renames)?;
            return Ok(Wanted {
                journal: Some(journal),
                target,
                options,
                renames,
                targets,
            });
        }
        let wanted = Wanted {
            target,
            journal: None,
            options,
            renames,
            targets,
        };
        match wanted.settings().problem(&wanted.target) {
            Some(problem) => Err(CliError::usage(problem)),
            None => Ok(wanted),
        }
    }

    fn settings(&self) -> Settings<'_> {
        Settings {
            options: self.options.clone(),
            renames: self.renames.clone(),
            targets: &self.targets,
        }
    }
}

/// A table is a table: a tool that takes a workbook is given CSV where the output is named so, and the other way round.
fn choose_container(target: &mut Target, output: Option<&Path>) {
    let extension = output
        .and_then(Path::extension)
        .map(|extension| extension.to_string_lossy().to_lowercase());
    for part in &mut target.parts {
        // What is text in a workbook would be a formula in CSV.
        part.file.spreadsheet |= part.file.format == FileFormat::Xlsx;
        part.file.format = match (part.file.format, extension.as_deref()) {
            (FileFormat::Xlsx, Some("csv")) => FileFormat::Csv,
            (FileFormat::Csv, Some("xlsx")) => FileFormat::Xlsx,
            (format, _) => format,
        };
    }
}

fn pairs(texts: &[String], form: &str) -> Result<BTreeMap<String, String>, CliError> {
    texts
        .iter()
        .map(|text| match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok((name.trim().to_owned(), value.to_owned()))
            }
            _ => Err(CliError::usage(format!("`{text}`: write {form}"))),
        })
        .collect()
}

/// Writes what a tool wants, if it can take it.
pub fn finish(
    wanted: &Wanted,
    args: &ConvertArgs,
    globals: &Globals,
    ledger: &Ledger,
    names: &NameTexts,
    mut summary: Summary,
    write_others: &dyn Fn(&mut Summary) -> Result<(), CliError>,
) -> Result<i32, CliError> {
    let target = &wanted.target;
    let folder = args
        .output
        .as_deref()
        .filter(|_| !args.dry_run)
        .map(folder_of);
    let written = write_target(ledger, names, target, &wanted.settings(), folder);
    let written = written.map_err(|error| match &args.output {
        Some(path) => cannot_write(path, &error),
        None => CliError::failed(format!("a temporary file: {error}")),
    })?;
    summary.preflight = written.findings.iter().cloned().collect();
    summary.lines = written.rows;
    if !written.unproved.is_empty() {
        for message in &written.unproved {
            let message = format!("{message}: this is a bug of coinfold, or of the target");
            summary.problems.push(Problem::new("proof", message));
        }
        return super::proof_failed(summary, args, globals);
    }
    if written.findings.any_loss() && !args.lossy {
        return tell_refusal(wanted, summary, args, globals);
    }
    write_others(&mut summary)?;
    hand_over(written, args, globals, &mut summary)?;
    tell_written(wanted, &summary, args, globals)?;
    Ok(match summary.outcome {
        Outcome::Incomplete if !args.allow_rejected => exit::INCOMPLETE,
        _ => exit::COMPLETE,
    })
}

/// Tells why nothing was written.
pub fn tell_refusal(
    wanted: &Wanted,
    mut summary: Summary,
    args: &ConvertArgs,
    globals: &Globals,
) -> Result<i32, CliError> {
    summary.outcome = Outcome::TargetCannotTake;
    summary.lines = 0;
    tell(&summary, args, globals)?;
    if !globals.json {
        let target = &wanted.target;
        told::say(preflight_text(
            &target.tool,
            &target.layout,
            summary.preflight.iter(),
        ));
        let help = if args.lossy {
            "what is marked ✗ must be mended first"
        } else {
            "--lossy accepts what is listed above"
        };
        told::say(format!(
            "{} cannot take all of this: nothing was written; {help}",
            target.tool
        ));
    }
    Ok(exit::TARGET_CANNOT_TAKE)
}

/// Tells what was written, what it cannot say, and what to do with it.
pub fn tell_written(
    wanted: &Wanted,
    summary: &Summary,
    args: &ConvertArgs,
    globals: &Globals,
) -> Result<(), CliError> {
    tell(summary, args, globals)?;
    if globals.json || globals.quiet {
        return Ok(());
    }
    let target = &wanted.target;
    told::say(preflight_text(
        &target.tool,
        &target.layout,
        summary.preflight.iter(),
    ));
    for path in &summary.outputs {
        told::say(format!(
            "{}: {}",
            path.file,
            counted(path.rows, "row", "rows")
        ));
    }
    if args.output.is_some() && !args.dry_run {
        told::say(format!("then: {}", target.how_to_upload));
    }
    Ok(())
}

/// Gives the files their names, or copies the only one to stdout.
fn hand_over(
    written: TargetWritten,
    args: &ConvertArgs,
    globals: &Globals,
    summary: &mut Summary,
) -> Result<(), CliError> {
    if args.dry_run {
        return Ok(());
    }
    let Some(output) = &args.output else {
        let Some(only) = written.into_only() else {
            return Err(CliError::usage(
                "this target writes several files: name them with -o".to_owned(),
            ));
        };
        if stdout().is_terminal() && !globals.quiet {
            told::say("(add -o FILE to write a file)");
        }
        return match only.copy(&mut stdout().lock()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            copied => copied.map_err(|error| CliError::failed(format!("stdout: {error}"))),
        };
    };
    if !written.left_out.is_empty() {
        let path = output.with_extension("left-out.csv");
        let failed = |error: std::io::Error| cannot_write(&path, &error);
        let mut file = WholeFile::create(&path).map_err(failed)?;
        let header = crate::model::headers::LEDGER.as_bytes();
        std::io::Write::write_all(file.file(), header).map_err(failed)?;
        std::io::Write::write_all(file.file(), &written.left_out).map_err(failed)?;
        file.finish().map_err(failed)?;
        summary.left_out_file = Some(path.display().to_string());
    }
    let files = written
        .finish(output)
        .map_err(|(path, error)| cannot_write(&path, &error))?;
    summary.output = Some(output.display().to_string());
    summary.outputs = files
        .into_iter()
        .map(|(path, rows)| crate::report::OutputLine {
            file: path.display().to_string(),
            rows,
        })
        .collect();
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
