//! `coinfold convert --to` a program of plain-text accounting: the ledger as its journal.

use std::collections::BTreeMap;

use super::target::{Wanted, tell_refusal, tell_written};
use super::{ConvertArgs, Globals, Output, cannot_write};
use crate::cli::{CliError, exit};
use crate::ledger::{Ledger, NameTexts, Totals};
use crate::output::{JournalError, JournalLayout, JournalPlan};
use crate::report::{Outcome, Problem, Summary};

/// The journal of a target, with the person's names of assets.
///
/// # Errors
/// When the target's journal is wrong, or it has no such option.
pub fn layout(
    id: &str,
    written: &serde_json::Value,
    options: &BTreeMap<String, String>,
    renames: &BTreeMap<String, String>,
) -> Result<JournalLayout, CliError> {
    let mut layout: JournalLayout = serde_json::from_value(written.clone())
        .map_err(|error| CliError::failed(format!("target `{id}`: [journal]: {error}")))?;
    for (asset, name) in renames {
        layout.rename(asset, name);
    }
    let known = layout.options();
    if let Some(unknown) = options
        .keys()
        .find(|name| !known.iter().any(|option| option.name == **name))
    {
        let near =
            crate::mapping::nearest(unknown, known.iter().map(|option| option.name.as_str()));
        let help = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(CliError::usage(format!(
            "`{id}` has no option `{unknown}`{help}\n  help: `coinfold targets show {id}` names them"
        )));
    }
    Ok(layout)
}

/// Writes the journal.
#[expect(clippy::too_many_arguments)]
pub fn finish(
    wanted: &Wanted,
    layout: &JournalLayout,
    args: &ConvertArgs,
    globals: &Globals,
    ledger: &Ledger,
    names: &NameTexts,
    totals: &Totals,
    mut summary: Summary,
    write_others: &dyn Fn(&mut Summary) -> Result<(), CliError>,
) -> Result<i32, CliError> {
    let failed = |error: JournalError| match error {
        JournalError::Option(reason) => CliError::usage(reason),
        other => CliError::failed(other.to_string()),
    };
    let plan = JournalPlan::new(ledger, names, layout, &wanted.options).map_err(failed)?;
    summary.preflight = plan.findings.iter().cloned().collect();
    if plan.is_refused() || (plan.findings.any_loss() && !args.lossy) {
        return tell_refusal(wanted, summary, args, globals);
    }
    let mut output = Output::create(args)?;
    let written = {
        let mut out = std::io::BufWriter::new(output.file());
        let written = plan.write(&mut out);
        let flushed = std::io::Write::flush(&mut out);
        written.and_then(|written| {
            flushed?;
            Ok(written)
        })
    };
    let written = written.map_err(|error| match (error, &args.output) {
        (JournalError::Output(error), Some(path)) => cannot_write(path, &error),
        (error, _) => failed(error),
    })?;
    summary.lines = written.lines;
    for message in super::differences(totals, &written.sums) {
        summary.problems.push(Problem::new("proof", message));
    }
    if summary.is_unproved() {
        return super::proof_failed(summary, args, globals);
    }
    write_others(&mut summary)?;
    summary.output = args
        .output
        .as_ref()
        .filter(|_| !args.dry_run)
        .map(|path| path.display().to_string());
    output.finish(args, globals)?;
    tell_written(wanted, &summary, args, globals)?;
    Ok(match summary.outcome {
        Outcome::Incomplete if !args.allow_rejected => exit::INCOMPLETE,
        _ => exit::COMPLETE,
    })
}
