//! `coinfold.toml`: what a person says of the files in a folder, once for all runs.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::CliError;
use crate::convert::{Options, PathRule};
use crate::input::PROJECT_FILE;
use crate::mapping::cell::{DateOrder, Zone};
use crate::mapping::document::OneOrMany;

/// Largest project file, in bytes.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    #[serde(default)]
    file: Vec<Facts>,
}

/// What is said of the files at or below a path, or of those that fit a pattern.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    path: OneOrMany,
    account: Option<String>,
    zone: Option<String>,
    dates: Option<String>,
    asset: Option<String>,
    #[serde(default)]
    address: Option<OneOrMany>,
    #[serde(rename = "as")]
    report: Option<String>,
}

/// Adds what project files say to the options: for each path that was named, that of its folder, or of the first folder
/// above that has one. Gives back the project files.
///
/// # Errors
/// When one cannot be read, or is wrong.
pub fn add(options: &mut Options, paths: &[String]) -> Result<Vec<PathBuf>, CliError> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in paths {
        if let Some(file) = nearest(Path::new(path))
            && !found.contains(&file)
        {
            read(&file, options)?;
            found.push(file);
        }
    }
    Ok(found)
}

fn nearest(path: &Path) -> Option<PathBuf> {
    if path == Path::new("-") {
        return None;
    }
    let absolute = std::path::absolute(path).ok()?;
    absolute
        .ancestors()
        .filter(|folder| folder.is_dir())
        .map(|folder| folder.join(PROJECT_FILE))
        .find(|file| file.is_file())
}

fn read(file: &Path, options: &mut Options) -> Result<(), CliError> {
    let wrong = |message: String| CliError::usage(format!("{}: {message}", file.display()));
    let unreadable = |error: std::io::Error| wrong(format!("cannot be read: {error}"));
    if std::fs::metadata(file).map_err(unreadable)?.len() > MAX_BYTES {
        return Err(wrong(format!("is larger than {MAX_BYTES} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let project: Project =
        toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    for facts in project.file {
        for path in &facts.path.0 {
            let rule = |value: String| PathRule {
                value,
                path: Some(path.clone()),
                folder: Some(folder.clone()),
            };
            options.accounts.extend(facts.account.clone().map(rule));
            options.reports.extend(facts.report.clone().map(rule));
            options.assets.extend(facts.asset.clone().map(rule));
            let addresses = facts.address.iter().flat_map(|list| list.0.clone());
            options.addresses.extend(addresses.map(rule));
            if let Some(word) = &facts.dates {
                let Some(value) = DateOrder::from_word(word) else {
                    return Err(wrong(format!("`{word}`: write day-first or month-first")));
                };
                options.dates.push(PathRule {
                    value,
                    path: Some(path.clone()),
                    folder: Some(folder.clone()),
                });
            }
            if let Some(zone) = &facts.zone {
                let Some(value) = Zone::parse(zone) else {
                    return Err(wrong(format!(
                        "`{zone}` is no zone: write Europe/Paris, UTC or +08:00"
                    )));
                };
                options.zones.push(PathRule {
                    value,
                    path: Some(path.clone()),
                    folder: Some(folder.clone()),
                });
            }
        }
    }
    Ok(())
}
