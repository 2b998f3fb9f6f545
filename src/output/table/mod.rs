//! The target engine: events of a ledger → rows of a tool's layout, held against the ledger before anything is shown as done.
//!
//! Comes in: a ledger and a [`Target`]. Goes out: files without names, what they cannot say, and whether what was read
//! back from their cells, with what was left out, is what the ledger says.

mod cells;
mod codes;
mod draft;
mod facts;
mod files;
mod pool;
mod read_back;
mod rows;
mod spread;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};
use xxhash_rust::xxh3::Xxh3;

use self::cells::Cell;
use self::codes::Written;
use self::draft::{BLANK, Carries, Draft, Drafter, Refused, example};
use self::files::{Finished, Sheet};
use self::pool::{Flow, flows};
use super::findings::{Findings, Weight};
use super::{ledger_csv, write};
use crate::ledger::{EventView, Ledger, NameTexts};
use crate::model::{Amount, Kind, NameId};
use crate::target::Target;

pub use self::codes::Settings;

/// What a target wrote.
pub struct TargetWritten {
    files: Vec<Finished>,
    parts: Vec<String>,
    accounts: Vec<String>,
    /// What it cannot say.
    pub findings: Findings,
    /// Lines of the ledger whose events are not, or not wholly, in the files.
    pub left_out: Vec<u8>,
    /// Rows of all files.
    pub rows: u64,
    /// Why the files do not say what the ledger says: a bug, if it is not empty.
    pub unproved: Vec<String>,
}

impl TargetWritten {
    /// How the files will be called, if the output is called so.
    pub fn paths(&self, output: &Path) -> Vec<PathBuf> {
        if let ([_], [_]) = (self.files.as_slice(), self.parts.as_slice()) {
            return vec![output.to_owned()];
        }
        let differs = |of: &dyn Fn(&Finished) -> String| {
            self.files.iter().map(of).collect::<BTreeSet<_>>().len() > 1
        };
        let of_account = |file: &Finished| {
            file.account
                .map_or(String::new(), |id| self.accounts[id.0 as usize].clone())
        };
        // Which of the tool's imports a file is for must stand in its name, whether the others have rows or not.
        let several_parts = self.parts.len() > 1;
        let several_accounts = differs(&of_account);
        let mut taken: BTreeMap<PathBuf, u32> = BTreeMap::new();
        self.files
            .iter()
            .map(|file| {
                let mut words = Vec::new();
                if several_parts {
                    words.push(files::slug(&self.parts[file.part]));
                }
                if several_accounts {
                    words.push(files::slug(&of_account(file)));
                }
                if file.number > 1 || self.is_split(file) {
                    words.push(file.number.to_string());
                }
                let path = files::named(output, &words);
                // Two accounts whose names differ only in marks.
                let times = taken.entry(path.clone()).or_insert(0);
                *times += 1;
                if *times > 1 {
                    words.push(format!("({times})"));
                    files::named(output, &words)
                } else {
                    path
                }
            })
            .collect()
    }

    fn is_split(&self, of: &Finished) -> bool {
        self.files
            .iter()
            .any(|file| file.number > 1 && (file.part, file.account) == (of.part, of.account))
    }

    /// Gives the files their names. Gives back what they are called.
    ///
    /// # Errors
    /// Which file cannot be named, and why.
    pub fn finish(self, output: &Path) -> Result<Vec<(PathBuf, u64)>, (PathBuf, io::Error)> {
        let paths = self.paths(output);
        let mut written = Vec::new();
        for (file, path) in self.files.into_iter().zip(paths) {
            let rows = file.rows;
            file.name(&path).map_err(|error| (path.clone(), error))?;
            written.push((path, rows));
        }
        Ok(written)
    }

    /// The only file, for a stream.
    pub fn into_only(mut self) -> Option<Finished> {
        let file = self.files.pop();
        file.filter(|_| self.files.is_empty())
    }
}

pub use self::files::Finished as TargetFile;

/// Writes a ledger as a target wants it, into files without names in a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write_target(
    ledger: &Ledger,
    names: &NameTexts,
    target: &Target,
    settings: &Settings<'_>,
    folder: Option<&Path>,
) -> io::Result<TargetWritten> {
    let mut engine = Engine::new(ledger, names, target, settings, folder);
    let newest_first = target.parts.iter().any(|part| part.file.newest_first);
    let count = ledger.events.len();
    for nth in 0..count {
        let event = &ledger.events[if newest_first { count - 1 - nth } else { nth }];
        engine.event(&ledger.view(event))?;
    }
    engine.finish()
}

struct Engine<'l> {
    ledger: &'l Ledger,
    names: &'l NameTexts,
    target: &'l Target,
    written: Written<'l>,
    cells_of_names: write::Written<'l>,
    folder: Option<&'l Path>,
    findings: Findings,
    carries: Carries,
    read: FxHashMap<NameId, Amount>,
    out_of_file: FxHashMap<NameId, Amount>,
    words: BTreeMap<String, BTreeSet<Kind>>,
    /// Hashes of the rows of parts whose tool takes equal rows for one.
    equal_rows: FxHashSet<(usize, u128)>,
    sheets: BTreeMap<(usize, Option<NameId>), Sheet>,
    finished: Vec<Finished>,
    left_out: write::Page,
    rows: u64,
    unproved: Vec<String>,
}

impl<'l> Engine<'l> {
    fn new(
        ledger: &'l Ledger,
        names: &'l NameTexts,
        target: &'l Target,
        settings: &Settings<'_>,
        folder: Option<&'l Path>,
    ) -> Engine<'l> {
        Engine {
            ledger,
            names,
            target,
            written: Written::new(names, target, settings),
            cells_of_names: write::Written::new(ledger, names),
            folder,
            findings: Findings::default(),
            carries: FxHashMap::default(),
            read: FxHashMap::default(),
            out_of_file: FxHashMap::default(),
            words: BTreeMap::new(),
            equal_rows: FxHashSet::default(),
            sheets: BTreeMap::new(),
            finished: Vec::new(),
            left_out: write::Page::default(),
            rows: 0,
            unproved: Vec::new(),
        }
    }

    fn event(&mut self, view: &EventView<'_>) -> io::Result<()> {
        let Some(flows) = flows(view) else {
            self.unproved
                .push("a sum of amounts has more than 38 digits".to_owned());
            return Ok(());
        };
        if flows.is_empty() {
            self.findings.add(
                Weight::Note,
                "nothing",
                "moves nothing, and has no row",
                "",
                || example(view, self.names, &[]),
            );
            return Ok(());
        }
        self.written.meet(&flows, &mut self.findings, || {
            example(view, self.names, &flows)
        });
        let drafter = Drafter {
            target: self.target,
            names: self.names,
            written: &self.written,
            carries: &self.carries,
        };
        match drafter.draft(view, &flows) {
            Ok(draft) => self.keep(view, draft),
            Err(Refused(why)) => {
                self.findings.add(
                    Weight::Refused,
                    "refused",
                    why,
                    "with --lossy the event is left out of the file, and listed apart",
                    || example(view, self.names, &flows),
                );
                self.leave_out(view, &flows);
                Ok(())
            }
        }
    }

    /// Writes what was worked out.
    fn keep(&mut self, view: &EventView<'_>, draft: Draft) -> io::Result<()> {
        for noted in draft.noted {
            self.findings
                .add(noted.weight, noted.code, noted.message, noted.help, || {
                    noted.example
                });
        }
        self.carries.extend(draft.carries);
        for (kind, words) in draft.words {
            self.words.entry(words).or_default().insert(kind);
        }
        for (asset, amount) in draft.read {
            add_to(&mut self.read, asset, amount, &mut self.unproved);
        }
        for (asset, amount) in draft.wrong {
            add_to(&mut self.out_of_file, asset, amount, &mut self.unproved);
        }
        if !draft.left_out.is_empty() {
            self.list_left_out(view);
            for flow in &draft.left_out {
                add_to(
                    &mut self.out_of_file,
                    flow.asset,
                    flow.signed(),
                    &mut self.unproved,
                );
            }
        }
        self.rows += draft.rows.len() as u64;
        let mut groups: BTreeMap<(usize, Option<NameId>), Vec<Vec<Cell>>> = BTreeMap::new();
        for row in draft.rows {
            self.note_equal(view, &row);
            let per_account = self.target.parts[row.part].file.one_per_account;
            let key = (row.part, per_account.then_some(row.account));
            groups.entry(key).or_default().push(row.cells);
        }
        for (key, rows) in groups {
            self.append(key, rows)?;
        }
        Ok(())
    }

    /// Tells of a row that the tool will take for one that it has already.
    fn note_equal(&mut self, view: &EventView<'_>, row: &draft::Composed) {
        let alike = &self.target.parts[row.part].alike;
        if alike.is_empty() {
            return;
        }
        let mut hasher = Xxh3::new();
        for column in alike {
            hasher.update(row.cells[*column].text.as_bytes());
            hasher.update(b"\0");
        }
        if !self.equal_rows.insert((row.part, hasher.digest128())) {
            self.findings.add(
                Weight::Loss,
                "alike",
                "equal rows are taken for one: the tool will count only the first",
                "add the second by hand after the upload",
                || example(view, self.names, &[]),
            );
        }
    }

    /// Appends an event's rows to a file, or to the next one if they do not fit.
    fn append(&mut self, key: (usize, Option<NameId>), rows: Vec<Vec<Cell>>) -> io::Result<()> {
        let (nth, account) = key;
        let part = &self.target.parts[nth];
        let headers = self.written.headers(nth);
        let bytes = |rows: &[Vec<Cell>]| -> u64 {
            match part.file.max_bytes {
                None => 0,
                Some(_) => rows
                    .iter()
                    .map(|cells| files::line(cells, &part.file).len() as u64)
                    .sum(),
            }
        };
        let all = bytes(&rows);
        let together = part
            .file
            .max_rows
            .is_none_or(|most| rows.len() as u64 <= most)
            && part.file.max_bytes.is_none_or(|most| all <= most);
        for (position, cells) in rows.iter().enumerate() {
            let (count, size) = match (together, position) {
                // An event's rows stay together where a file can hold them.
                (true, 0) => (rows.len() as u64, all),
                (true, _) => (0, 0),
                (false, _) => (1, bytes(std::slice::from_ref(cells))),
            };
            let full = self
                .sheets
                .get(&key)
                .is_some_and(|sheet| count > 0 && !sheet.has_room(count, size, &part.file));
            let mut number = 1;
            if full && let Some(sheet) = self.sheets.remove(&key) {
                number = sheet.number + 1;
                self.finished.push(sheet.finish(&part.file)?);
            }
            let sheet = match self.sheets.entry(key) {
                std::collections::btree_map::Entry::Occupied(slot) => slot.into_mut(),
                std::collections::btree_map::Entry::Vacant(slot) => slot.insert(Sheet::begin(
                    self.folder,
                    nth,
                    part,
                    headers,
                    account,
                    number,
                )?),
            };
            sheet.row(cells, headers, &part.file)?;
        }
        Ok(())
    }

    fn leave_out(&mut self, view: &EventView<'_>, flows: &[Flow]) {
        self.list_left_out(view);
        for flow in flows {
            add_to(
                &mut self.out_of_file,
                flow.asset,
                flow.signed(),
                &mut self.unproved,
            );
        }
    }

    fn list_left_out(&mut self, view: &EventView<'_>) {
        ledger_csv::put_any(*view, &self.cells_of_names, &mut self.left_out);
    }

    fn finish(mut self) -> io::Result<TargetWritten> {
        // A history of nothing is a file with a header.
        if self.sheets.is_empty() && self.finished.is_empty() {
            for (nth, part) in self.target.parts.iter().enumerate().take(1) {
                let headers = self.written.headers(nth);
                let sheet = Sheet::begin(self.folder, nth, part, headers, None, 1)?;
                self.sheets.insert((nth, None), sheet);
            }
        }
        for ((nth, _), sheet) in std::mem::take(&mut self.sheets) {
            let container = &self.target.parts[nth].file;
            self.finished.push(sheet.finish(container)?);
        }
        let account_name = |id: Option<NameId>| id.map(|id| self.names.account(id).to_owned());
        self.finished
            .sort_by_key(|file| (file.part, account_name(file.account), file.number));
        let rests: Vec<_> = std::mem::take(&mut self.carries)
            .into_iter()
            .filter(|(_, rest)| !rest.is_zero())
            .collect();
        let mut by_asset: BTreeMap<String, Amount> = BTreeMap::new();
        for ((_, _, asset), rest) in rests {
            add_to(&mut self.out_of_file, asset, rest, &mut self.unproved);
            let sum = by_asset
                .entry(self.names.asset(asset).to_owned())
                .or_insert(Amount::ZERO);
            *sum = sum.checked_add(rest).unwrap_or(*sum);
        }
        for (asset, rest) in by_asset.iter().filter(|(_, rest)| !rest.is_zero()) {
            self.findings.add(
                Weight::Loss,
                "decimals",
                "what is left after the last rounding is in no row",
                "",
                || format!("{rest} {asset}"),
            );
        }
        for (words, kinds) in &self.words {
            let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            if kinds.len() > 1 {
                let how = if words == BLANK {
                    "without a word".to_owned()
                } else {
                    format!("as {words}")
                };
                let message = format!(
                    "{} are all written {how}, as the vendor wants it",
                    kinds.join(", ")
                );
                self.findings
                    .add(Weight::Note, "one word", message, "", String::new);
            }
        }
        self.prove();
        Ok(TargetWritten {
            files: self.finished,
            parts: self
                .target
                .parts
                .iter()
                .map(|part| part.name.clone())
                .collect(),
            accounts: self
                .names
                .accounts
                .iter()
                .map(|name| name.to_string())
                .collect(),
            findings: self.findings,
            left_out: std::mem::take(self.left_out.whole_text()),
            rows: self.rows,
            unproved: self.unproved,
        })
    }

    /// What was read back, and what is in no file, must be what the ledger says.
    fn prove(&mut self) {
        let Ok(totals) = self.ledger.totals_read(self.names) else {
            self.unproved
                .push("a sum of amounts has more than 38 digits".to_owned());
            return;
        };
        let mut by_asset: BTreeMap<&str, Amount> = BTreeMap::new();
        for ((_, asset), amount) in &totals.0 {
            let sum = by_asset.entry(asset).or_insert(Amount::ZERO);
            match sum.checked_add(*amount) {
                Some(total) => *sum = total,
                None => self
                    .unproved
                    .push(format!("the sum of {asset} does not fit")),
            }
        }
        let mut said: BTreeMap<&str, Amount> = BTreeMap::new();
        for (asset, amount) in self.read.iter().chain(&self.out_of_file) {
            let sum = said.entry(self.names.asset(*asset)).or_insert(Amount::ZERO);
            match sum.checked_add(*amount) {
                Some(total) => *sum = total,
                None => self.unproved.push("a sum does not fit".to_owned()),
            }
        }
        let assets: BTreeSet<&str> = by_asset.keys().chain(said.keys()).copied().collect();
        for asset in assets {
            let of =
                |sums: &BTreeMap<&str, Amount>| sums.get(asset).copied().unwrap_or(Amount::ZERO);
            let (ledger, files) = (of(&by_asset), of(&said));
            if ledger != files {
                self.unproved.push(format!(
                    "the ledger moves {ledger} {asset}, and the files with what is left out say {files}"
                ));
            }
        }
    }
}

fn add_to(
    sums: &mut FxHashMap<NameId, Amount>,
    asset: NameId,
    amount: Amount,
    unproved: &mut Vec<String>,
) {
    let sum = sums.entry(asset).or_insert(Amount::ZERO);
    match sum.checked_add(amount) {
        Some(total) => *sum = total,
        None => unproved.push("a sum does not fit".to_owned()),
    }
}
