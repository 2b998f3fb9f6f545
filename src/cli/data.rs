//! What `convert` says of layouts that are no text: their options, and what they could not say.

use std::fs::File;
use std::io::{self, IsTerminal, stdout};
use std::path::Path;

use clap::{Args, ValueEnum};

use super::{CliError, exit};
use crate::input::Source;
use crate::ledger::{Ledger, NameTexts};
use crate::output::{
    AmountForm, DataError, DataFormat, DataJob, Finding, Weight, WrittenSums, write_data,
};
use crate::report::{Problem, Summary};

/// Options of layouts that are no text.
#[derive(Args)]
pub struct DataArgs {
    /// How Parquet holds amounts: as DECIMAL(38, 18), or as text, which holds every amount
    #[arg(long, value_name = "FORM")]
    amounts: Option<Amounts>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Amounts {
    Decimal,
    Text,
}

impl DataArgs {
    /// Whether the options go with the layout, and the layout with where it goes.
    ///
    /// # Errors
    /// When they do not.
    pub fn check(&self, format: Option<DataFormat>, has_file: bool) -> Result<(), CliError> {
        if self.amounts.is_some() && format != Some(DataFormat::Parquet) {
            return Err(CliError::usage(
                "`--amounts` is for Parquet: the other layouts hold every amount exactly as it is",
            ));
        }
        if format.is_some() && !has_file && stdout().is_terminal() {
            return Err(CliError::usage(
                "this layout is no text for a terminal: name a file with -o",
            ));
        }
        Ok(())
    }

    pub fn job<'l>(
        &self,
        ledger: &'l Ledger,
        names: &'l NameTexts,
        sources: &'l [Source],
    ) -> DataJob<'l> {
        DataJob {
            ledger,
            names,
            sources,
            amounts: match self.amounts {
                Some(Amounts::Text) => AmountForm::Text,
                Some(Amounts::Decimal) | None => AmountForm::Decimal,
            },
        }
    }
}

/// Writes a layout, and adds to the summary what it could not say. The inner result is that of the file.
///
/// # Errors
/// When the layout cannot hold something.
pub fn write_told(
    job: DataJob<'_>,
    format: DataFormat,
    file: &mut File,
    path: Option<&Path>,
    summary: &mut Summary,
) -> Result<io::Result<(u64, WrittenSums)>, CliError> {
    match write_data(job, format, file, path) {
        Ok(written) => {
            summary
                .problems
                .extend(written.findings.iter().map(problem));
            Ok(Ok((written.lines, written.sums)))
        }
        Err(DataError::Io(error)) => Ok(Err(error)),
        Err(refused @ DataError::Refused { .. }) => Err(CliError {
            message: refused.to_string(),
            code: exit::TARGET_CANNOT_TAKE,
        }),
    }
}

/// A finding as it is told. The file is written all the same, so it is a note.
fn problem(finding: &Finding) -> Problem {
    let code = match finding.weight {
        Weight::Note => "layout",
        Weight::Refused | Weight::Loss => "layout_loss",
    };
    let examples: Vec<&str> = finding
        .examples
        .iter()
        .map(String::as_str)
        .filter(|example| !example.is_empty())
        .collect();
    let such_as = if examples.is_empty() {
        String::new()
    } else {
        format!(", such as {}", examples.join(", "))
    };
    let problem = Problem::new(
        code,
        format!("{} {}{such_as}", finding.count, finding.message),
    )
    .note();
    if finding.help.is_empty() {
        problem
    } else {
        problem.help(finding.help.clone())
    }
}
