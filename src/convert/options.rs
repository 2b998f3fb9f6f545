//! What the person says about files: account, zone, order of dates, asset, address, report. Each may be for all files or for those of a path.

use std::path::PathBuf;

use crate::input::Source;
use crate::mapping::cell::{DateOrder, Zone};

/// More than any path is long.
const SAID_NOW: usize = 1 << 20;

/// Something said about all files, or about the files at or below a path.
#[derive(Clone, Debug)]
pub struct PathRule<T> {
    pub value: T,
    /// A file or folder, or a pattern with `*`; none means every file.
    pub path: Option<String>,
    /// The folder that the path is seen from, where a project file says it; none: as the person named their files.
    pub folder: Option<PathBuf>,
}

impl<T> PathRule<T> {
    /// How well the rule fits a source: the longer its path, the better; `None` if it does not fit.
    fn fit(&self, source: &Source) -> Option<usize> {
        let Some(path) = &self.path else {
            return Some(0);
        };
        let plain = path.trim_end_matches('/').trim_start_matches("./");
        let inside = self.folder.as_ref().map(|folder| {
            let absolute = source
                .path()
                .and_then(|path| std::path::absolute(path).ok());
            let inside = absolute
                .as_ref()
                .and_then(|path| path.strip_prefix(folder).ok());
            inside.map_or(String::new(), |path| {
                path.to_string_lossy().replace('\\', "/")
            })
        });
        let names = match &inside {
            Some(name) => vec![name.as_str()],
            None => vec![source.name(), source.file_name()],
        };
        let fits = names
            .iter()
            .map(|name| name.trim_start_matches("./"))
            .any(|name| {
                let below = name
                    .strip_prefix(plain)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '#']));
                below || glob::Pattern::new(plain).is_ok_and(|pattern| pattern.matches(name))
            });
        // What is said of a path on the command line counts more than what a project file says.
        let said_now = if self.folder.is_none() { SAID_NOW } else { 0 };
        fits.then_some(plain.len() + 1 + said_now)
    }
}

/// What a conversion is told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub accounts: Vec<PathRule<String>>,
    pub zones: Vec<PathRule<Zone>>,
    pub dates: Vec<PathRule<DateOrder>>,
    pub assets: Vec<PathRule<String>>,
    pub addresses: Vec<PathRule<String>>,
    pub reports: Vec<PathRule<String>>,
    /// Paths as the person gave them: rejected rows that this program wrote are read again only if they are named, not if
    /// they merely lie in a folder of exports.
    pub named: Vec<String>,
    /// How many bytes of memory the run may take, as far as that is up to its rows; none: as much as they take.
    pub memory_bytes: Option<u64>,
    /// Where rows go that do not fit in memory; none: where the system keeps temporary files.
    pub aside_folder: Option<PathBuf>,
    /// Size of a chunk; for tests.
    pub chunk_bytes: Option<usize>,
}

impl Options {
    pub fn account_of(&self, source: &Source) -> Option<String> {
        best(&self.accounts, source).cloned()
    }

    pub fn zone_of(&self, source: &Source) -> Option<Zone> {
        best(&self.zones, source).cloned()
    }

    pub fn dates_of(&self, source: &Source) -> Option<DateOrder> {
        best(&self.dates, source).copied()
    }

    pub fn asset_of(&self, source: &Source) -> Option<String> {
        best(&self.assets, source).cloned()
    }

    pub fn report_of(&self, source: &Source) -> Option<&str> {
        best(&self.reports, source).map(String::as_str)
    }

    /// All addresses that fit best equally: a person may have several.
    pub fn addresses_of(&self, source: &Source) -> Vec<String> {
        let best = self
            .addresses
            .iter()
            .filter_map(|rule| rule.fit(source))
            .max();
        let mut found: Vec<String> = self
            .addresses
            .iter()
            .filter(|rule| best.is_some() && rule.fit(source) == best)
            .map(|rule| rule.value.to_lowercase())
            .collect();
        found.sort();
        found.dedup();
        found
    }
}

fn best<'r, T>(rules: &'r [PathRule<T>], source: &Source) -> Option<&'r T> {
    let fits = rules
        .iter()
        .enumerate()
        .filter_map(|(index, rule)| rule.fit(source).map(|fit| (fit, index)));
    fits.max().map(|(_, index)| &rules[index].value)
}
