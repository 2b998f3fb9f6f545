//! Where the ledger goes: into a file without a name until it is proved, or to stdout.

use std::io::{IsTerminal, Read, Seek, Write, stdout};
use std::path::{Path, PathBuf};

use super::ConvertArgs;
use crate::cli::{CliError, Globals, told};
use crate::ledger::Ledger;
use crate::output::{WholeFile, write_rows};

/// Where the output goes until it is proved.
pub enum Output {
    Named(WholeFile),
    Nameless(std::fs::File),
}

impl Output {
    /// # Errors
    /// When it cannot be begun.
    pub fn create(args: &ConvertArgs) -> Result<Output, CliError> {
        match &args.output {
            Some(path) if !args.dry_run => WholeFile::create(path)
                .map(Output::Named)
                .map_err(|error| cannot_write(path, &error)),
            _ => tempfile::tempfile()
                .map(Output::Nameless)
                .map_err(|error| CliError::failed(format!("a temporary file: {error}"))),
        }
    }

    pub fn file(&mut self) -> &mut std::fs::File {
        match self {
            Output::Named(file) => file.file(),
            Output::Nameless(file) => file,
        }
    }

    /// Where it stands while it has no name.
    pub fn path(&self) -> Option<PathBuf> {
        match self {
            Output::Named(file) => Some(file.temporary_path().to_owned()),
            Output::Nameless(_) => None,
        }
    }

    /// What to say when it cannot be written.
    pub fn error(&self, args: &ConvertArgs, error: &std::io::Error) -> CliError {
        match (self, &args.output) {
            (Output::Named(_), Some(path)) => cannot_write(path, error),
            _ => CliError::failed(format!("a temporary file: {error}")),
        }
    }

    /// Gives the file its name, or copies it to stdout.
    ///
    /// # Errors
    /// When not all of it can be written.
    pub fn finish(self, args: &ConvertArgs, globals: &Globals) -> Result<(), CliError> {
        match (self, &args.output) {
            (Output::Named(file), Some(path)) => {
                file.finish().map_err(|error| cannot_write(path, &error))
            }
            (Output::Nameless(mut file), None) if !args.dry_run => {
                if stdout().is_terminal() && !globals.quiet {
                    told::say("(add -o ledger.csv to write a file)");
                }
                file.rewind()
                    .map_err(|error| CliError::failed(error.to_string()))?;
                let mut buffer = vec![0; 1 << 16];
                let mut out = stdout().lock();
                loop {
                    let count = file
                        .read(&mut buffer)
                        .map_err(|error| CliError::failed(error.to_string()))?;
                    if count == 0 {
                        return out
                            .flush()
                            .map_err(|error| CliError::failed(format!("stdout: {error}")));
                    }
                    match out.write_all(&buffer[..count]) {
                        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                            return Ok(());
                        }
                        written => {
                            written.map_err(|error| CliError::failed(format!("stdout: {error}")))?
                        }
                    }
                }
            }
            _ => Ok(()),
        }
    }
}

/// Writes the list of fates.
///
/// # Errors
/// When the file cannot be written.
pub fn write_rows_file(ledger: &Ledger, path: &Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| cannot_write(path, &error);
    let mut file = WholeFile::create(path).map_err(failed)?;
    write_rows(ledger, file.file()).map_err(failed)?;
    file.finish().map_err(failed)
}

/// An output that cannot be written.
pub fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::failed(format!(
        "{}: cannot be written: {error}; what stood there before is as it was",
        path.display()
    ))
}
