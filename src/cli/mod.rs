//! The command line: one file for each command. Talks to people, holds no logic. stdout carries data, stderr talks.

mod convert;
mod data;
mod detect;
mod explain;
mod formats;
#[cfg(unix)]
mod interrupt;
mod packaging;
mod project;
mod targets;
mod told;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::mapping::Library;
use crate::report::render;
use crate::target::Targets;

/// What a run ends with.
pub mod exit {
    /// Every row used, skipped by rule, or a duplicate.
    pub const COMPLETE: i32 = 0;
    /// A file that cannot be read or written; a bug.
    pub const FAILED: i32 = 1;
    pub const USAGE: i32 = 2;
    pub const NOTHING_RECOGNISED: i32 = 3;
    /// Rows were rejected or left unclassified, or a file was not recognised.
    pub const INCOMPLETE: i32 = 4;
    pub const PROOF_FAILED: i32 = 5;
    /// A layout cannot say everything, and nothing was written.
    pub const TARGET_CANNOT_TAKE: i32 = 6;
    /// Ended by a signal, whose number is added; no unfinished file remains.
    pub const INTERRUPTED: i32 = 128;
}

/// Turns the CSV histories that crypto exchanges let you download into one exact, proved ledger. Works offline: nothing
/// leaves this machine.
#[derive(Parser)]
#[command(
    name = "coinfold",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
#[command(after_help = "Examples:
  coinfold convert exports/ -o ledger.csv          all exports of a folder, one ledger
  coinfold convert exports/ --to transactions -o transactions.csv
  coinfold detect exports/                         which report is each file?
  coinfold explain exports/2023.csv:17           what became of line 17, and why
  coinfold formats list                            the exchanges it knows")]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
pub struct Globals {
    /// A folder of mappings that stand beside the built-in ones and win over those of the same id
    #[arg(long, global = true, value_name = "DIR")]
    pub formats: Vec<PathBuf>,
    /// A folder of targets that stand beside the built-in ones and win over those of the same id
    #[arg(long, global = true, value_name = "DIR")]
    pub targets: Vec<PathBuf>,
    /// Print the result as JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

#[derive(Subcommand)]
enum Command {
    Convert(convert::ConvertArgs),
    Detect(detect::DetectArgs),
    Explain(explain::ExplainArgs),
    /// The mappings: what exists, what one does, what is wrong with one
    #[command(
        subcommand,
        after_help = "Examples:
  coinfold formats list
  coinfold formats show coinfold/transactions
  coinfold formats check formats/"
    )]
    Formats(formats::FormatsCommand),
    /// The layouts of tax tools and accounting programs: what exists, what one wants, what is wrong with one
    #[command(
        subcommand,
        after_help = "Examples:
  coinfold targets list
  coinfold targets show ID
  coinfold targets check targets/"
    )]
    Targets(targets::TargetsCommand),
    Completions(packaging::CompletionsArgs),
    Man(packaging::ManArgs),
}

/// Why a command ends early: what to say, and the exit code.
#[derive(Debug)]
pub struct CliError {
    pub message: String,
    pub code: i32,
}

impl CliError {
    pub fn failed(message: impl Into<String>) -> CliError {
        CliError {
            message: message.into(),
            code: exit::FAILED,
        }
    }

    pub fn usage(message: impl Into<String>) -> CliError {
        CliError {
            message: message.into(),
            code: exit::USAGE,
        }
    }
}

impl Globals {
    /// The built-in mappings, those of `./formats` and of the person's configuration folder, and those of `--formats`.
    ///
    /// # Errors
    /// When a folder cannot be read, or one of its mappings is wrong.
    pub fn library(&self) -> Result<Library, CliError> {
        let library = self.unchecked_library()?;
        let broken = library.broken();
        if broken.is_empty() {
            return Ok(library);
        }
        let text_of = |file: &str| std::fs::read_to_string(file).ok();
        Err(CliError::failed(render(&broken, text_of, told::colour())))
    }

    /// The same, wrong mappings included.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn unchecked_library(&self) -> Result<Library, CliError> {
        let mut library = Library::built_in();
        let found = [
            configuration_folder("formats"),
            Some(PathBuf::from("formats")),
        ];
        let found = found.into_iter().flatten().filter(|folder| folder.is_dir());
        for folder in found.chain(self.formats.iter().cloned()) {
            library.add_folder(&folder).map_err(CliError::failed)?;
        }
        Ok(library)
    }

    /// The built-in targets, those of `./targets` and of the person's configuration folder, and those of `--targets`.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn targets(&self) -> Result<Targets, CliError> {
        let mut targets = Targets::built_in();
        let found = [
            configuration_folder("targets"),
            Some(PathBuf::from("targets")),
        ];
        let found = found.into_iter().flatten().filter(|folder| folder.is_dir());
        for folder in found.chain(self.targets.iter().cloned()) {
            targets.add_folder(&folder).map_err(CliError::failed)?;
        }
        Ok(targets)
    }
}

/// `$XDG_CONFIG_HOME/coinfold/NAME`, or the same below `~/.config` or `%APPDATA%`.
fn configuration_folder(name: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
    let base = set("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| set("APPDATA").map(PathBuf::from))
        .or_else(|| set("HOME").map(|home| Path::new(&home).join(".config")))?;
    Some(base.join("coinfold").join(name))
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    #[cfg(unix)]
    if let Command::Convert(_) = &cli.command {
        interrupt::clean_up_when_interrupted();
    }
    let result = match &cli.command {
        Command::Convert(args) => convert::run(args, &cli.globals),
        Command::Detect(args) => detect::run(args, &cli.globals),
        Command::Explain(args) => explain::run(args, &cli.globals),
        Command::Formats(command) => formats::run(command, &cli.globals),
        Command::Targets(command) => targets::run(command, &cli.globals),
        Command::Completions(args) => packaging::completions(args),
        Command::Man(args) => packaging::man(args),
    };
    let code = result.unwrap_or_else(|error| {
        told::say(format!("error: {}", error.message.trim_end()));
        error.code
    });
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
