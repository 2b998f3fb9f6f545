//! What the person says about the files: accounts, zones, addresses, reports.

use clap::Args;

use crate::cli::CliError;
use crate::convert::{Options, PathRule};
use crate::mapping::cell::{DateOrder, Zone};

/// What the person says about the files.
#[derive(Args, Clone)]
pub struct FactArgs {
    /// Name of the account, for all files or those at a path
    #[arg(long, value_name = "NAME[=PATH]")]
    account: Vec<String>,
    /// Zone of exports in local time, for all files or those at a path
    #[arg(long, value_name = "ZONE[=PATH]")]
    zone: Vec<String>,
    /// Whether dates of numbers have the day or the month first, for exports that leave it open: day-first or month-first
    #[arg(long, value_name = "ORDER[=PATH]")]
    dates: Vec<String>,
    /// The asset of exports that do not say which they are about
    #[arg(long, value_name = "CODE[=PATH]")]
    asset: Vec<String>,
    /// Your own address, for exports that do not say whose they are
    #[arg(long, value_name = "ADDRESS[=PATH]")]
    address: Vec<String>,
    /// Read files as this report, whatever their header says of others
    #[arg(long = "as", value_name = "ID[=PATH]")]
    report: Vec<String>,
    /// How many threads work (default: one for each core)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Size of the chunks in which files are read, in bytes; for tests
    #[arg(long, hide = true)]
    chunk_bytes: Option<usize>,
}

impl FactArgs {
    /// The options of a conversion.
    ///
    /// # Errors
    /// When a zone is none, or a name is missing.
    pub fn options(&self) -> Result<Options, CliError> {
        let rules = |texts: &[String]| -> Result<Vec<PathRule<String>>, CliError> {
            texts
                .iter()
                .map(|text| {
                    let (value, path) = match text.split_once('=') {
                        Some((value, path)) => (value, Some(path.to_owned())),
                        None => (text.as_str(), None),
                    };
                    if value.trim().is_empty() || path.as_ref().is_some_and(|path| path.is_empty())
                    {
                        return Err(CliError::usage(format!(
                            "`{text}`: write NAME or NAME=PATH"
                        )));
                    }
                    Ok(PathRule {
                        value: value.trim().to_owned(),
                        path,
                        folder: None,
                    })
                })
                .collect()
        };
        let zones = rules(&self.zone)?
            .into_iter()
            .map(|rule| match Zone::parse(&rule.value) {
                Some(zone) => Ok(PathRule {
                    value: zone,
                    path: rule.path,
                    folder: None,
                }),
                None => Err(CliError::usage(format!(
                    "`{}` is no zone: write Europe/Paris, UTC or +08:00",
                    rule.value
                ))),
            });
        let dates =
            rules(&self.dates)?
                .into_iter()
                .map(|rule| match DateOrder::from_word(&rule.value) {
                    Some(order) => Ok(PathRule {
                        value: order,
                        path: rule.path,
                        folder: None,
                    }),
                    None => Err(CliError::usage(format!(
                        "`{}`: write day-first or month-first",
                        rule.value
                    ))),
                });
        Ok(Options {
            dates: dates.collect::<Result<_, _>>()?,
            assets: rules(&self.asset)?,
            accounts: rules(&self.account)?,
            zones: zones.collect::<Result<_, _>>()?,
            addresses: rules(&self.address)?,
            reports: rules(&self.report)?,
            chunk_bytes: self.chunk_bytes,
            ..Options::default()
        })
    }

    /// Sets how many threads work.
    ///
    /// # Errors
    /// When they cannot be started.
    pub fn start_threads(&self) -> Result<(), CliError> {
        let Some(threads) = self.threads else {
            return Ok(());
        };
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()
            .map_err(|error| CliError::failed(format!("threads cannot be started: {error}")))
    }
}
