//! For packagers: shell completions and the manual page.

use clap::{Args, CommandFactory};

use super::{Cli, CliError, exit, told};

/// Print completions for a shell
#[derive(Args)]
#[command(after_help = "Example:\n  coinfold completions bash > /etc/bash_completion.d/coinfold")]
pub struct CompletionsArgs {
    shell: clap_complete::Shell,
}

/// Print the manual page
#[derive(Args)]
#[command(after_help = "Example:\n  coinfold man > coinfold.1")]
pub struct ManArgs {}

pub fn completions(args: &CompletionsArgs) -> Result<i32, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "coinfold", &mut text);
    told::print(text)?;
    Ok(exit::COMPLETE)
}

pub fn man(_args: &ManArgs) -> Result<i32, CliError> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut text)
        .map_err(|error| CliError::failed(error.to_string()))?;
    told::print(text)?;
    Ok(exit::COMPLETE)
}
