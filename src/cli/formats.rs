//! `coinfold formats`.
#[derive(clap::Subcommand)]
pub enum FormatsCommand { List }
pub fn run(_command: &FormatsCommand, _globals: &super::Globals) -> Result<i32, super::CliError> { Ok(0) }
