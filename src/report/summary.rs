//! What `convert` says when it is done.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::numbers::{counted, grouped};
use crate::ledger::{Counts, Ledger, NameTexts, Totals};
use crate::model::{Fate, Time};
use crate::output::Finding;

/// How many examples of one thing are shown.
const EXAMPLES: usize = 3;

/// How wide the name of a report is shown.
const REPORT_WIDTH: usize = 40;

/// A run, as it is told.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub reports: Vec<ReportLine>,
    pub files: Vec<FileLine>,
    pub rows: RowCounts,
    pub events: u64,
    /// Lines of the output, without its header.
    pub lines: u64,
    pub accounts: usize,
    pub assets: usize,
    pub unclassified: u64,
    pub balance_steps: u64,
    pub problems: Vec<Problem>,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    pub rejected_files: Vec<String>,
    /// Where a tool's layout was asked for: what it cannot say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preflight: Vec<Finding>,
    /// The files of a tool's layout.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<OutputLine>,
    /// Where the events stand that are not, or not wholly, in those files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out_file: Option<String>,
}

/// A file of a tool's layout.
#[derive(Debug, Serialize)]
pub struct OutputLine {
    pub file: String,
    pub rows: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Complete,
    /// Rows were rejected or left unclassified, or a file was not recognised.
    Incomplete,
    NothingRecognised,
    ProofFailed,
    /// The layout that was asked for cannot say everything.
    TargetCannotTake,
    Failed,
}

/// Something that the person should know.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// What sort of problem: `unrecognised`, `rejected`, `unclassified`, `balance`, `proof`, `unreadable`, `overlap`, `unknown_columns`.
    pub code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Whether the result can be used as it is.
    pub note_only: bool,
}

#[derive(Debug, Serialize)]
pub struct ReportLine {
    pub exchange: String,
    pub report: String,
    pub format: String,
    pub files: u64,
    pub rows: RowCounts,
    pub events: u64,
    /// First and last day that another file told already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates_to: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct FileLine {
    pub file: String,
    pub format: String,
    pub encoding: &'static str,
    pub rows: RowCounts,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct RowCounts {
    pub read: u64,
    pub used: u64,
    pub skipped: u64,
    pub duplicate: u64,
    pub rejected: u64,
}

impl From<Counts> for RowCounts {
    fn from(counts: Counts) -> RowCounts {
        let Counts {
            read,
            used,
            skipped,
            duplicate,
            rejected,
        } = counts;
        RowCounts {
            read,
            used,
            skipped,
            duplicate,
            rejected,
        }
    }
}

impl Problem {
    pub fn new(code: &'static str, message: impl Into<String>) -> Problem {
        Problem {
            code,
            file: None,
            line: None,
            message: message.into(),
            help: None,
            note_only: false,
        }
    }

    pub fn at(mut self, file: impl Into<String>, line: Option<u64>) -> Problem {
        self.file = Some(file.into());
        self.line = line;
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    pub fn note(mut self) -> Problem {
        self.note_only = true;
        self
    }

    fn text(&self) -> String {
        let place = match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: "),
            (Some(file), None) => format!("{file}: "),
            _ => String::new(),
        };
        let help = self
            .help
            .as_ref()
            .map_or(String::new(), |help| format!("\n  help: {help}"));
        format!("{place}{}{help}", self.message)
    }
}

impl Summary {
    /// Everything that can be said of a ledger before it is written: counts, and what is wrong with its rows.
    pub fn of(ledger: &Ledger, names: &NameTexts, totals: &Totals) -> Summary {
        let mut files = Vec::new();
        let mut reports: BTreeMap<String, ReportLine> = BTreeMap::new();
        let mut rows = Counts::default();
        let mut problems = Vec::new();
        for (file, counts) in ledger.files.iter().zip(ledger.counts()) {
            rows.add(counts);
            let program = &file.rows.context.program;
            files.push(FileLine {
                file: file.name.clone(),
                format: program.id.clone(),
                encoding: file.rows.encoding,
                rows: counts.into(),
            });
            let line = reports
                .entry(program.id.clone())
                .or_insert_with(|| ReportLine {
                    exchange: program.exchange.clone(),
                    report: program.report.clone(),
                    format: program.id.clone(),
                    files: 0,
                    rows: RowCounts::default(),
                    events: 0,
                    duplicates_from: None,
                    duplicates_to: None,
                });
            line.files += 1;
            line.rows.read += counts.read;
            line.rows.used += counts.used;
            line.rows.skipped += counts.skipped;
            line.rows.duplicate += counts.duplicate;
            line.rows.rejected += counts.rejected;
            if !counts.all_accounted_for() {
                problems.push(
                    Problem::new(
                        "proof",
                        "not every row has one fate: this is a bug of coinfold",
                    )
                    .at(&file.name, None),
                );
            }
            if !file.rows.context.binding.unknown.is_empty() {
                let unknown = file.rows.context.binding.unknown.join(", ");
                problems.push(
                    Problem::new(
                        "unknown_columns",
                        format!(
                            "columns that the mapping {} does not know: {unknown}",
                            program.id
                        ),
                    )
                    .at(&file.name, None)
                    .note(),
                );
            }
        }
        let mut events_of = vec![0; ledger.files.len()];
        match &mut events_of[..] {
            [only] => *only = ledger.events.len() as u64,
            of_files => {
                for event in &ledger.events {
                    of_files[ledger.file_index(ledger.members(event)[0])] += 1;
                }
            }
        }
        let unclassified = ledger.unclassified();
        for first in unclassified.iter().take(EXAMPLES) {
            let message = "the amounts are right, the meaning is not known";
            let place = &ledger.file(*first).name;
            problems
                .push(Problem::new("unclassified", message).at(place, Some(ledger.line(*first))));
        }
        let unclassified = unclassified.len() as u64;
        for (index, events) in events_of.into_iter().enumerate() {
            if let Some(line) = reports.get_mut(&ledger.context(index).program.id) {
                line.events += events;
            }
        }
        duplicates(ledger, &mut reports);
        rejected(ledger, &mut problems);
        overlapping_reports(ledger, &mut problems);
        for found in ledger.balances.breaks.iter().take(EXAMPLES) {
            let message = format!(
                "the balance of {} in {} should be {} after this row, and the file says {}",
                names.asset(found.asset),
                names.account(found.account),
                found.expected,
                found.stated
            );
            problems.push(
                Problem::new("balance", message)
                    .at(&ledger.files[found.file].name, Some(found.line))
                    .help("rows are missing from the export, or the mapping misreads one; `--allow-balance-breaks` goes on all the same"),
            );
        }
        let (accounts, assets) = totals.accounts_and_assets();
        let incomplete = rows.rejected > 0 || unclassified > 0;
        Summary {
            reports: reports.into_values().collect(),
            files,
            rows: rows.into(),
            events: ledger.events.len() as u64,
            lines: 0,
            accounts,
            assets,
            unclassified,
            balance_steps: ledger.balances.steps,
            problems,
            outcome: if incomplete {
                Outcome::Incomplete
            } else {
                Outcome::Complete
            },
            output: None,
            rejected_files: Vec::new(),
            preflight: Vec::new(),
            outputs: Vec::new(),
            left_out_file: None,
        }
    }

    /// Whether the proof failed.
    pub fn is_unproved(&self) -> bool {
        self.problems.iter().any(|problem| problem.code == "proof")
    }

    /// The summary as text. With `verbose`, all problems; else the first few of each sort.
    pub fn text(&self, verbose: bool) -> String {
        let mut text = String::new();
        let width =
            |of: &dyn Fn(&ReportLine) -> usize| self.reports.iter().map(of).max().unwrap_or(0);
        let exchange = width(&|line| line.exchange.chars().count());
        let report = width(&|line| shortened(&line.report).chars().count());
        for line in &self.reports {
            let rows = &line.rows;
            let mut extra = String::new();
            for (count, what) in [
                (rows.skipped, "skipped"),
                (rows.duplicate, "duplicates"),
                (rows.rejected, "rejected"),
            ] {
                if count > 0 {
                    extra.push_str(&format!("   {} {what}", grouped(count)));
                }
                if let ("duplicates", Some(from), Some(to)) =
                    (what, &line.duplicates_from, &line.duplicates_to)
                {
                    extra.push_str(&format!(" ({from} … {to})"));
                }
            }
            text.push_str(&format!(
                "{:exchange$}  {:report$}  {:>9}  {:>12} → {}{extra}\n",
                line.exchange,
                shortened(&line.report),
                counted(line.files, "file", "files"),
                counted(rows.read, "row", "rows"),
                counted(line.events, "event", "events"),
            ));
        }
        let failed = self
            .problems
            .iter()
            .any(|problem| matches!(problem.code, "proof" | "balance") && !problem.note_only);
        if !self.reports.is_empty() && !failed {
            let balances = if self.balance_steps > 0 {
                format!(
                    ", {} hold",
                    counted(self.balance_steps, "running balance", "running balances")
                )
            } else {
                String::new()
            };
            text.push_str(&format!(
                "✔ {}, every one accounted for · {} in {}, every total matches{balances}\n",
                counted(self.rows.read, "row", "rows"),
                counted(self.assets as u64, "asset", "assets"),
                counted(self.accounts as u64, "account", "accounts"),
            ));
        }
        if self.rows.rejected > 0 {
            let told = match self.rejected_files.as_slice() {
                [] => String::new(),
                files => format!(
                    ": {} {} why",
                    files.join(", "),
                    if files.len() == 1 { "says" } else { "say" }
                ),
            };
            text.push_str(&format!(
                "✗ {} rejected{told}\n",
                counted(self.rows.rejected, "row", "rows")
            ));
        }
        if self.unclassified > 0 {
            text.push_str(&format!(
                "! {} unclassified: the amounts are right, the meaning is not known\n",
                counted(self.unclassified, "event", "events")
            ));
        }
        let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
        for problem in &self.problems {
            let count = shown.entry(problem.code).or_default();
            *count += 1;
            if *count > EXAMPLES && !verbose {
                if *count == EXAMPLES + 1 {
                    text.push_str("  … more with -v\n");
                }
                continue;
            }
            let sign = if problem.note_only { "·" } else { "✗" };
            text.push_str(&format!("  {sign} {}\n", problem.text()));
        }
        if let Some(path) = &self.left_out_file {
            text.push_str(&format!(
                "! {path}: the events that are not, or not wholly, in the files\n"
            ));
        }
        if let Some(output) = self.output.as_ref().filter(|_| self.outputs.is_empty()) {
            text.push_str(&format!(
                "{output}: {}\n",
                counted(self.lines, "line", "lines")
            ));
        }
        text
    }
}

/// A report's name, cut where it would push the numbers off the screen.
fn shortened(name: &str) -> String {
    if name.chars().count() <= REPORT_WIDTH {
        return name.to_owned();
    }
    name.chars().take(REPORT_WIDTH - 1).chain(['…']).collect()
}

fn day(time: Time) -> String {
    time.to_string().chars().take(10).collect()
}

/// Over which days each report has duplicates.
fn duplicates(ledger: &Ledger, reports: &mut BTreeMap<String, ReportLine>) {
    for (at, time) in ledger.duplicates() {
        let id = &ledger.context(ledger.file_index(at)).program.id;
        let Some(line) = reports.get_mut(id) else {
            continue;
        };
        let day = day(time);
        if line.duplicates_from.as_ref().is_none_or(|from| *from > day) {
            line.duplicates_from = Some(day.clone());
        }
        if line.duplicates_to.as_ref().is_none_or(|to| *to < day) {
            line.duplicates_to = Some(day);
        }
    }
}

/// The first rejected rows, those with one reason once.
fn rejected(ledger: &Ledger, problems: &mut Vec<Problem>) {
    let mut reasons: BTreeSet<String> = BTreeSet::new();
    let counts = ledger.counts();
    for (index, file) in ledger.files.iter().enumerate() {
        if counts[index].rejected == 0 {
            continue;
        }
        for row in ledger.rows(index) {
            if reasons.len() >= EXAMPLES {
                return;
            }
            let fate = ledger.fate(index, &row);
            if fate.fate == Fate::Rejected && reasons.insert(fate.reason.clone()) {
                let column = fate.column.map(|column| {
                    format!(
                        "column `{}`: ",
                        file.rows.context.program.columns[column].name
                    )
                });
                let message = format!("{}{}", column.unwrap_or_default(), fate.reason);
                problems.push(Problem::new("rejected", message).at(&file.name, Some(row.line)));
            }
        }
    }
}

/// Reports that tell the same events for one account.
fn overlapping_reports(ledger: &Ledger, problems: &mut Vec<Problem>) {
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    for one in &ledger.files {
        for other in &ledger.files {
            let (first, second) = (&one.rows.context, &other.rows.context);
            let pair = (first.program.id.clone(), second.program.id.clone());
            let both = first.program.instead_of.contains(&second.program.id)
                && first.account == second.account;
            if both && !told.contains(&(pair.1.clone(), pair.0.clone())) && told.insert(pair) {
                let message = format!(
                    "{} and {} tell the same events: with both, they count twice",
                    first.program.id, second.program.id
                );
                problems.push(
                    Problem::new("overlap", message)
                        .help(format!("leave out {} or {}", one.name, other.name))
                        .note(),
                );
            }
        }
    }
}
