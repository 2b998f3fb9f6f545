//! `coinfold convert`: all exports, one ledger.

mod facts;
mod journal;
mod memory;
mod output;
mod target;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::data::{DataArgs, write_told};
use super::told::{self, Progress};
use super::{CliError, Globals, exit, project};
use crate::convert::{Advance, Options, Reading};
use crate::input::{InputErrorKind, Source, discover};
use crate::ledger::{Ledger, Period, Totals};
use crate::mapping::Unrecognised;
use crate::model::{Time, headers};
use crate::output::{DataFormat, Format, WrittenSums, is_own_data, write_ledger, write_rejects};
use crate::report::{Outcome, Problem, Summary};

pub use self::facts::FactArgs;
use self::output::{Output, cannot_write, write_rows_file};

/// Turn exports into one ledger, and prove that nothing was lost
#[derive(Args)]
#[command(after_help = "Without -o the ledger goes to stdout.

Examples:
  coinfold convert exports/ -o ledger.csv
  coinfold convert downloads/*.zip 2023.csv --to transactions -o transactions.csv
  coinfold convert exports/ --to TARGET -o upload.csv       for a tax tool: `coinfold targets list`
  coinfold convert exports/ --account Joint=exports/joint --zone Europe/Paris=exports/old.csv -o ledger.csv
  coinfold convert exports/ --dry-run --json

Exit codes: 0 complete · 1 it could not work · 2 wrong usage · 3 nothing was recognised ·
4 converted, but rows were rejected or left unclassified, or a file was not recognised · 5 the proof failed ·
6 the layout or the tool cannot take something, and nothing was written")]
pub struct ConvertArgs {
    /// Files, folders (with all below them), patterns with *, or - for stdin; compressed or not
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Where the ledger goes; the extension chooses the layout: .csv, .jsonl, .parquet, .sqlite or .xlsx
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Another layout: csv or jsonl (one line for each leg), transactions (one row for each event), parquet, sqlite,
    /// xlsx, or a tool (see `targets list`)
    #[arg(long, value_name = "LAYOUT")]
    to: Option<String>,
    /// Write for a tool even what it cannot take as it is: less precise words, rounded amounts, events left out and
    /// listed apart
    #[arg(long)]
    lossy: bool,
    /// Set an option of the tool's layout (see `targets show`)
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Write an asset under another code in the tool's layout
    #[arg(long, value_name = "CODE=NAME")]
    rename: Vec<String>,
    /// Write what became of every row
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// Leave out events before this day or instant (UTC)
    #[arg(long, value_name = "DAY", value_parser = instant)]
    since: Option<Time>,
    /// Leave out events from this day or instant on (UTC)
    #[arg(long, value_name = "DAY", value_parser = instant)]
    until: Option<Time>,
    /// How much memory rows may take, such as 350M or 2G (a quarter of the machine's if not said); what does not fit
    /// waits in a temporary file without a name. For layouts of text of our own; the others hold all rows
    #[arg(long, value_name = "SIZE", value_parser = memory::size)]
    memory: Option<u64>,
    /// Read and prove everything, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Exit with 0 even if rows were rejected or left unclassified, or a file was not recognised
    #[arg(long)]
    allow_rejected: bool,
    /// Go on when the balances that a file states do not follow from its rows
    #[arg(long)]
    allow_balance_breaks: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    facts: FactArgs,
}

/// A day (its first instant) or an instant.
fn instant(text: &str) -> Result<Time, String> {
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    Time::parse_rfc3339(&whole)
        .ok_or_else(|| "write a day, 2023-01-31, or an instant, 2023-01-31T12:00:00Z".to_owned())
}

/// Layouts that are no tool's.
const OWN_LAYOUTS: [&str; 6] = ["csv", "jsonl", "transactions", "parquet", "sqlite", "xlsx"];

/// What is written: a layout of ours, text or not, or a tool's.
enum Layout {
    Own(Format),
    Data(DataFormat),
    Tool(Box<target::Wanted>),
}

pub fn run(args: &ConvertArgs, globals: &Globals) -> Result<i32, CliError> {
    let layout = layout(args, globals)?;
    let data = match layout {
        Layout::Data(format) => Some(format),
        _ => None,
    };
    args.data
        .check(data, args.output.is_some() || args.dry_run)?;
    let mut options = Options {
        named: args.paths.clone(),
        memory_bytes: match layout {
            Layout::Own(_) => Some(args.memory.unwrap_or_else(memory::default_bytes)),
            _ => None,
        },
        aside_folder: args.output.as_ref().filter(|_| !args.dry_run).map(|path| {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            folder.unwrap_or(Path::new(".")).to_owned()
        }),
        ..args.facts.options()?
    };
    let projects = project::add(&mut options, &args.paths)?;
    args.facts.start_threads()?;
    let library = globals.library()?;
    if let Some(unknown) = options
        .reports
        .iter()
        .find(|rule| library.get(&rule.value).is_none())
    {
        return Err(CliError::usage(format!(
            "there is no mapping `{}`: `coinfold formats list` names them",
            unknown.value
        )));
    }
    let discovery = discover(&args.paths).map_err(|error| told_error(&error))?;
    let mut problems: Vec<Problem> = projects
        .iter()
        .map(|file| {
            let message = "what it says of the files is used";
            Problem::new("project", message)
                .at(file.display().to_string(), None)
                .note()
        })
        .collect();
    let mut own_files = Vec::new();
    for problem in &discovery.problems {
        let place = problem.source_name().to_owned();
        match problem.kind() {
            // A folder may hold what an earlier run wrote.
            InputErrorKind::NotText(_) if is_own_data(Path::new(&place)) => own_files.push(place),
            // A folder may hold a PDF or a picture, and a link loop loses nothing.
            InputErrorKind::NotText(_) => {
                problems.push(Problem::new("unrecognised", problem.to_string()).at(place, None))
            }
            InputErrorKind::Loop => problems.push(
                Problem::new("unrecognised", problem.to_string())
                    .at(place, None)
                    .note(),
            ),
            _ => return Err(told_error(problem)),
        }
    }
    if args.output.is_some() && args.output == args.rows {
        return Err(CliError::usage(
            "one file cannot be both the ledger and the list of fates",
        ));
    }
    for path in [&args.output, &args.rows].into_iter().flatten() {
        refuse_input(path, &discovery.sources)?;
    }
    let progress = Progress::new(
        discovery
            .sources
            .iter()
            .filter_map(Source::size_bytes)
            .sum(),
        globals.quiet,
    );
    let period = Period {
        since: args.since,
        until: args.until,
    };
    let folded =
        crate::fold(
            &discovery.sources,
            &library,
            &options,
            period,
            &|advance| match advance {
                Advance::Bytes(bytes) => progress.add(bytes),
                Advance::Rows(rows) => progress.add_rows(rows),
            },
        );
    progress.finish();
    let mut folded = folded.map_err(|error| {
        CliError::failed(format!(
            "rows that were put aside cannot be read again: {error}"
        ))
    })?;
    for (name, reading) in folded.left_out {
        match reading {
            Reading::Failed(error)
                if matches!(error.kind(), InputErrorKind::NotText(_))
                    && is_own_data(Path::new(&name)) =>
            {
                own_files.push(name);
            }
            Reading::Failed(error) if matches!(error.kind(), InputErrorKind::NotText(_)) => {
                problems.push(Problem::new("unrecognised", error.to_string()).at(name, None));
            }
            Reading::Failed(error) => return Err(told_error(&error)),
            Reading::Unrecognised(unrecognised, _) => {
                problems.push(unrecognised_problem(&name, &unrecognised))
            }
            Reading::Own => own_files.push(name),
            Reading::Empty => problems.push(
                Problem::new("empty", "there is nothing in it")
                    .at(name, None)
                    .note(),
            ),
            Reading::Read(_) => {}
        }
    }
    if !own_files.is_empty() {
        let message = format!(
            "{} written by coinfold, left out: {}",
            own_files.len(),
            shortened(&own_files)
        );
        problems.push(Problem::new("own", message).note());
    }
    finish(
        args,
        globals,
        &layout,
        &mut folded.ledger,
        &discovery.sources,
        problems,
        &progress,
    )
}

/// Proves, writes, and tells.
fn finish(
    args: &ConvertArgs,
    globals: &Globals,
    layout: &Layout,
    ledger: &mut Ledger,
    sources: &[Source],
    problems: Vec<Problem>,
    progress: &Progress,
) -> Result<i32, CliError> {
    let names = ledger.name_texts();
    let totals = ledger.totals_read(&names).map_err(|_| CliError {
        message: "a sum of amounts has more than 38 digits: it cannot be proved".to_owned(),
        code: exit::PROOF_FAILED,
    })?;
    let mut summary = Summary::of(ledger, &names, &totals);
    let unrecognised = problems
        .iter()
        .any(|problem| problem.code == "unrecognised" && !problem.note_only);
    summary.problems.extend(problems);
    if ledger.files.is_empty() {
        summary.outcome = Outcome::NothingRecognised;
        tell(&summary, args, globals)?;
        if !globals.json {
            told::say("nothing was recognised: `coinfold detect` says what comes near");
        }
        return Ok(exit::NOTHING_RECOGNISED);
    }
    let broken_balance = !ledger.balances.breaks.is_empty() && !args.allow_balance_breaks;
    for problem in &mut summary.problems {
        problem.note_only |= problem.code == "balance" && args.allow_balance_breaks;
    }
    if broken_balance || summary.is_unproved() {
        return proof_failed(summary, args, globals);
    }
    if unrecognised {
        summary.outcome = Outcome::Incomplete;
    }
    match layout {
        Layout::Own(format) => {
            let write = |ledger: &mut Ledger, output: &mut Output, _: &mut Summary| {
                let layout = format.layout();
                progress.begin_writing(ledger.events.len() as u64);
                let written = write_ledger(ledger, &names, &*layout, output.file(), &|events| {
                    progress.add_events(events)
                });
                progress.finish();
                Ok(written)
            };
            write_own(&write, args, globals, ledger, &totals, summary, sources)
        }
        Layout::Data(format) => {
            let write = |ledger: &mut Ledger, output: &mut Output, summary: &mut Summary| {
                let job = args.data.job(ledger, &names, sources);
                let path = output.path();
                write_told(job, *format, output.file(), path.as_deref(), summary)
            };
            write_own(&write, args, globals, ledger, &totals, summary, sources)
        }
        Layout::Tool(wanted) => {
            let ledger = &*ledger;
            let write_others = |summary: &mut Summary| write_fates(args, ledger, sources, summary);
            match &wanted.journal {
                Some(layout) => journal::finish(
                    wanted,
                    layout,
                    args,
                    globals,
                    ledger,
                    &names,
                    &totals,
                    summary,
                    &write_others,
                ),
                None => target::finish(
                    wanted,
                    args,
                    globals,
                    ledger,
                    &names,
                    summary,
                    &write_others,
                ),
            }
        }
    }
}

/// Writes a layout. The inner result is that of the file: lines, and the sums that stand in it.
type WriteOwn<'w> = &'w dyn Fn(
    &mut Ledger,
    &mut Output,
    &mut Summary,
) -> Result<std::io::Result<(u64, WrittenSums)>, CliError>;

/// Writes one of our own layouts.
fn write_own(
    write: WriteOwn<'_>,
    args: &ConvertArgs,
    globals: &Globals,
    ledger: &mut Ledger,
    totals: &Totals,
    mut summary: Summary,
    sources: &[Source],
) -> Result<i32, CliError> {
    // Everything is written into a file that has no name yet, and read back, before anything is shown as done.
    let mut output = Output::create(args)?;
    let written = write(ledger, &mut output, &mut summary)?;
    let (lines, sums) = written.map_err(|error| output.error(args, &error))?;
    summary.lines = lines;
    for message in differences(totals, &sums) {
        summary.problems.push(Problem::new("proof", message));
    }
    if summary.is_unproved() {
        return proof_failed(summary, args, globals);
    }
    write_fates(args, ledger, sources, &mut summary)?;
    summary.output = args
        .output
        .as_ref()
        .filter(|_| !args.dry_run)
        .map(|path| path.display().to_string());
    // The system takes a while to give up the old file, and as long to take back the memory of the rows.
    let (finished, ()) = rayon::join(|| output.finish(args, globals), || ledger.forget());
    finished?;
    tell(&summary, args, globals)?;
    Ok(match summary.outcome {
        Outcome::Incomplete if !args.allow_rejected => exit::INCOMPLETE,
        _ => exit::COMPLETE,
    })
}

/// Where the output does not say what the rows said, if anywhere.
fn differences(totals: &Totals, sums: &WrittenSums) -> Vec<String> {
    let unreadable = sums.failure.as_ref().map(|failure| {
        format!("the output cannot be read back: {failure}: this is a bug of coinfold")
    });
    let differing = totals.differences(&sums.totals()).into_iter();
    let differing = differing.map(|(account, asset, read, written)| {
        format!("{account}: the rows move {read} {asset}, and the output says {written}: this is a bug of coinfold")
    });
    unreadable.into_iter().chain(differing).collect()
}

/// Writes the fates of the rows and the rejected rows beside the output.
fn write_fates(
    args: &ConvertArgs,
    ledger: &Ledger,
    sources: &[Source],
    summary: &mut Summary,
) -> Result<(), CliError> {
    if let Some(path) = args.rows.as_ref().filter(|_| !args.dry_run) {
        write_rows_file(ledger, path)?;
    }
    if let (Some(path), false) = (&args.output, args.dry_run) {
        let by_name: BTreeMap<String, Source> = sources
            .iter()
            .map(|source| (source.name().to_owned(), source.clone()))
            .collect();
        let rejects =
            write_rejects(ledger, &by_name, path).map_err(|error| cannot_write(path, &error))?;
        summary.rejected_files = rejects
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
    }
    Ok(())
}

fn proof_failed(
    mut summary: Summary,
    args: &ConvertArgs,
    globals: &Globals,
) -> Result<i32, CliError> {
    summary.outcome = Outcome::ProofFailed;
    tell(&summary, args, globals)?;
    told::say("the proof failed: nothing was written");
    Ok(exit::PROOF_FAILED)
}

fn tell(summary: &Summary, args: &ConvertArgs, globals: &Globals) -> Result<(), CliError> {
    if globals.json {
        let text = serde_json::to_string_pretty(summary)
            .map_err(|error| CliError::failed(error.to_string()))?
            + "\n";
        // stdout is taken by the ledger if it goes there.
        if args.output.is_some() || args.dry_run || summary.lines == 0 {
            told::print(text)?
        } else {
            told::say(text)
        }
    } else if !globals.quiet {
        told::say(summary.text(globals.verbose));
    }
    Ok(())
}

fn layout(args: &ConvertArgs, globals: &Globals) -> Result<Layout, CliError> {
    let extension = args
        .output
        .as_ref()
        .and_then(|path| path.extension())
        .map(|extension| extension.to_string_lossy().to_lowercase());
    let layout = match (args.to.as_deref(), extension.as_deref()) {
        (Some("transactions"), _) => Layout::Own(Format::Transactions),
        (Some("jsonl"), _) | (None, Some("jsonl" | "ndjson")) => Layout::Own(Format::JsonLines),
        (Some("csv"), _) | (None, None | Some("csv")) => Layout::Own(Format::Csv),
        (Some(id), _) => match DataFormat::of_id(id) {
            Some(format) => Layout::Data(format),
            None => {
                return Ok(Layout::Tool(Box::new(target::Wanted::find(
                    id, args, globals,
                )?)));
            }
        },
        (None, Some(other)) => {
            DataFormat::of_extension(other).map(Layout::Data).ok_or_else(|| {
                CliError::usage(format!(
                    "`.{other}` is no layout of a ledger: use .csv, .jsonl, .parquet, .sqlite or .xlsx, or say `--to`"
                ))
            })?
        }
    };
    if args.lossy || !args.set.is_empty() || !args.rename.is_empty() {
        return Err(CliError::usage(
            "--lossy, --set and --rename are for the layout of a tool: add --to (`coinfold targets list`)",
        ));
    }
    Ok(layout)
}

/// An output must never go over an input.
fn refuse_input(path: &Path, sources: &[Source]) -> Result<(), CliError> {
    let Ok(output) = path.canonicalize() else {
        return Ok(());
    };
    if !output.is_file() {
        let help = if output.is_dir() {
            "it is a folder: name a file in it"
        } else {
            "it is no file: leave out -o and use `>` to write into a pipe or a device"
        };
        return Err(CliError::usage(format!("{}: {help}", path.display())));
    }
    let same = |source: &&Source| {
        source
            .path()
            .filter(|input| may_be_same_file(input, &output))
            .and_then(|input| input.canonicalize().ok())
            .is_some_and(|input| input == output)
    };
    // A ledger of an earlier run that lies among the exports is no input: it is left out.
    let ours = || {
        is_own_data(&output)
            || std::fs::read(&output).is_ok_and(|bytes| {
                headers::is_own(&bytes) || bytes.starts_with(headers::TRANSACTIONS.as_bytes())
            })
    };
    match sources.iter().find(same) {
        Some(source) if !ours() => Err(CliError::usage(format!(
            "{} is an input: the output must be another file",
            source.name()
        ))),
        _ => Ok(()),
    }
}

/// Whether two paths may lead to the same file: a quick look, of which other names of one file are not told apart.
#[cfg(unix)]
fn may_be_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let of = |path: &Path| {
        let metadata = path.metadata().ok()?;
        Some((metadata.dev(), metadata.ino()))
    };
    of(one) == of(other)
}

#[cfg(not(unix))]
fn may_be_same_file(_: &Path, _: &Path) -> bool {
    true
}

pub fn told_error(error: &crate::input::InputError) -> CliError {
    let help = error
        .help()
        .map_or(String::new(), |help| format!("\n  help: {help}"));
    CliError::failed(format!("{error}{help}"))
}

fn unrecognised_problem(name: &str, unrecognised: &Unrecognised) -> Problem {
    if !unrecognised.tie.is_empty() {
        let ids = unrecognised.tie.join(" and ");
        return Problem::new("unrecognised", format!("{ids} fit equally well"))
            .at(name, None)
            .help(format!("say which: --as {}={name}", unrecognised.tie[0]));
    }
    if let Some(broken) = unrecognised.broken.first() {
        let message = format!("the mapping {broken} may know it, and is wrong itself");
        return Problem::new("unrecognised", message)
            .at(name, None)
            .help(format!(
                "`coinfold formats check` says what is wrong with {broken}"
            ));
    }
    let problem = Problem::new("unrecognised", "no mapping knows this header").at(name, None);
    match unrecognised.nearest.first() {
        Some(near) => problem.help(format!(
            "the nearest is {}, but for the columns {}; `coinfold detect {name}` says more",
            near.id,
            near.missing.join(", ")
        )),
        None => problem.help(format!(
            "`coinfold detect {name}` shows its first lines; a mapping in ./formats teaches it"
        )),
    }
}

fn shortened(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    if names.len() > 3 {
        format!("{}, …", first.join(", "))
    } else {
        first.join(", ")
    }
}
