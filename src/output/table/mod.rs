//! The target engine: events of a ledger → rows of a tool's layout, held against the ledger before anything is shown as done.
//!
//! Comes in: a ledger and a [`Target`]. Goes out: files without names, what they cannot say, and whether what was read
//! back from their cells, with what was left out, is what the ledger says.

mod cells;
mod codes;
mod facts;
mod files;
mod pool;
mod read_back;
mod rows;
mod spread;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use self::cells::{Cell, Cut};
use self::codes::Written;
use self::facts::Facts;
use self::files::{Finished, Sheet};
use self::pool::{Flow, flows, take};
use self::rows::{Asked, Row};
use super::findings::{Findings, Weight};
use super::{ledger_csv, write};
use crate::convert::Evaluate;
use crate::ledger::{EventView, Ledger, NameTexts};
use crate::mapping::Expr;
use crate::model::{Amount, Kind, NameId};
use crate::target::document::FileFormat;
use crate::target::{Case, Field, Fill, Outcome, Part, Shape, Side, Target, TimeForm};

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
        if let [_] = self.files.as_slice() {
            return vec![output.to_owned()];
        }
        let differs = |of: &dyn Fn(&Finished) -> String| {
            self.files.iter().map(of).collect::<BTreeSet<_>>().len() > 1
        };
        let of_account = |file: &Finished| {
            file.account
                .map_or(String::new(), |id| self.accounts[id.0 as usize].clone())
        };
        let several_parts = differs(&|file| self.parts[file.part].clone());
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

/// A row whose cells are worked out.
struct Composed {
    part: usize,
    account: NameId,
    cells: Vec<Cell>,
}

/// A finding that counts only if its event is written.
struct Noted {
    weight: Weight,
    code: &'static str,
    message: String,
    help: &'static str,
    example: String,
}

/// What is known of an event when its rows are worked out; it counts only if the event is written.
#[derive(Default)]
struct Draft {
    rows: Vec<Composed>,
    noted: Vec<Noted>,
    left_out: Vec<Flow>,
    carries: FxHashMap<(usize, NameId, NameId), Amount>,
    /// Read back from the cells, by asset.
    read: Vec<(NameId, Amount)>,
    /// What was read back and should not, or the other way round, by asset.
    wrong: Vec<(NameId, Amount)>,
    /// Words that were used for kinds.
    words: Vec<(Kind, String)>,
}

/// An event that cannot be in the file.
struct Refused(String);

struct Engine<'l> {
    ledger: &'l Ledger,
    names: &'l NameTexts,
    target: &'l Target,
    written: Written<'l>,
    cells_of_names: write::Written<'l>,
    folder: Option<&'l Path>,
    findings: Findings,
    /// What rounding left, with its sign, by part, account and asset.
    carries: FxHashMap<(usize, NameId, NameId), Amount>,
    read: FxHashMap<NameId, Amount>,
    out_of_file: FxHashMap<NameId, Amount>,
    words: BTreeMap<String, BTreeSet<Kind>>,
    sheets: BTreeMap<(usize, Option<NameId>), Sheet>,
    finished: Vec<Finished>,
    left_out: Vec<u8>,
    rows: u64,
    unproved: Vec<String>,
}

impl Asked for (&Facts, &Written<'_>) {
    fn holds(&self, row: &Row, condition: &Expr) -> bool {
        self.0
            .of_row(row, &self.1.codes)
            .truth(condition)
            .unwrap_or(false)
    }

    fn is_fiat(&self, asset: NameId) -> bool {
        self.1.codes.fiat[asset.0 as usize]
    }
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
            sheets: BTreeMap::new(),
            finished: Vec::new(),
            left_out: Vec::new(),
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
        match self.draft(view, &flows) {
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

    /// Works out an event's rows.
    fn draft(&self, view: &EventView<'_>, flows: &[Flow]) -> Result<Draft, Refused> {
        if let Some(clash) = self.written.clash(flows) {
            return Err(Refused(clash));
        }
        let mut draft = Draft::default();
        let mut base = Facts::of_event(view, self.target.field_count);
        self.written.set_options(&mut base, self.target);
        let mut left = flows.to_vec();
        let mut rows: Vec<(usize, Row)> = Vec::new();
        for (nth, part) in self.target.parts.iter().enumerate() {
            if left.is_empty() {
                break;
            }
            let asked = (&base, &self.written);
            let made = rows::rows(view.kind, &left, &part.rows, part.max_decimals, &asked)
                .map_err(|_| {
                    Refused("several assets on a side do not fit into a row".to_owned())
                })?;
            for row in made {
                if part
                    .when
                    .as_ref()
                    .is_none_or(|when| asked.holds(&row, when))
                {
                    take(&mut left, &row.takes);
                    rows.push((nth, row));
                }
            }
        }
        let noted = |weight, code, message: String, help, flows: &[Flow]| Noted {
            weight,
            code,
            message,
            help,
            example: example(view, self.names, flows),
        };
        if !left.is_empty() {
            let message = format!("`{}` fits no file of this target", view.kind);
            draft
                .noted
                .push(noted(Weight::Loss, "left out", message, "", &left));
            draft.left_out.extend(left);
        }
        let main_rows = rows.iter().filter(|(nth, row)| {
            let part = &self.target.parts[*nth];
            part.rows.shape == Shape::Event && !(row.kind != view.kind)
        });
        let mut by_account: FxHashMap<NameId, u32> = FxHashMap::default();
        for (_, row) in main_rows {
            *by_account.entry(row.account).or_default() += 1;
        }
        if by_account.values().any(|rows| *rows > 1) {
            draft.noted.push(noted(
                Weight::Note,
                "split",
                "one event of several assets is several rows: the parts add up to it".to_owned(),
                "",
                flows,
            ));
        }
        let count = rows.len();
        for (position, (nth, row)) in rows.into_iter().enumerate() {
            self.row(&mut draft, view, &base, nth, row, (position + 1, count))?;
        }
        Ok(draft)
    }

    /// Gives a row its words and its cells.
    fn row(
        &self,
        draft: &mut Draft,
        view: &EventView<'_>,
        base: &Facts,
        nth_part: usize,
        mut row: Row,
        (position, count): (usize, usize),
    ) -> Result<(), Refused> {
        let part = &self.target.parts[nth_part];
        let told = |message: String, weight, code, help| Noted {
            weight,
            code,
            message,
            help,
            example: example(view, self.names, &row.takes),
        };
        let facts = base.of_row(&row, &self.written.codes);
        let (case, is_fallback) = self.case(part, &row, &facts)?;
        let said = case_text(case);
        match &case.outcome {
            Outcome::Refuse(why) => return Err(Refused(format!("`{}`: {why}", row.kind))),
            Outcome::LeaveOut(why) => {
                let message = format!("`{}` is left out: {why}", row.kind);
                draft
                    .noted
                    .push(told(message, Weight::Loss, "left out", ""));
                draft.left_out.extend(&row.takes);
                return Ok(());
            }
            Outcome::Write => {}
        }
        if let Some(loss) = &case.lossy {
            let message = format!("`{}` is written as {said}: {loss}", row.kind);
            draft.noted.push(told(message, Weight::Loss, "kind", ""));
        } else if is_fallback {
            let message = format!(
                "there is no word for `{}`: it is written as {said}",
                row.kind
            );
            draft.noted.push(told(message, Weight::Loss, "kind", ""));
        } else {
            draft.words.push((row.kind, said.clone()));
        }
        if case.unconfirmed {
            let message = format!(
                "the word {said} for `{}` is not confirmed by the vendor",
                row.kind
            );
            draft.noted.push(told(
                message,
                Weight::Note,
                "unconfirmed",
                "look at the first rows after the upload",
            ));
        }
        let before: Vec<Flow> = row.takes.clone();
        let rounding = self.round(draft, nth_part, part, &mut row);
        if let Some(digits) = rounding.digits {
            let message = format!(
                "amounts have more than {digits} decimals: they are rounded, and the rest is carried on"
            );
            draft.noted.push(Noted {
                weight: Weight::Loss,
                code: "decimals",
                message,
                help: "",
                example: example(view, self.names, &before),
            });
        }
        if rounding.nothing_left {
            draft.noted.push(Noted {
                weight: Weight::Loss,
                code: "decimals",
                message: "an amount is too small to be written: it is carried to the next row of its asset".to_owned(),
                help: "",
                example: example(view, self.names, &before),
            });
            return Ok(());
        }
        let mut facts = base.of_row(&row, &self.written.codes);
        facts.set_number(Field::Row, position);
        facts.set_number(Field::Rows, count);
        for (field, word) in &case.words {
            facts.values[*field] = facts::text(&self.written.with_options(word));
        }
        let cells = self.cells(draft, view, &row, nth_part, &facts)?;
        self.hold_against_ledger(draft, view, part, &row, &cells, rounding.change);
        draft.rows.push(Composed {
            part: nth_part,
            account: row.account,
            cells,
        });
        Ok(())
    }

    /// The words for a row, and whether they are those for what has no words of its own.
    fn case<'p>(
        &self,
        part: &'p Part,
        row: &Row,
        facts: &Facts,
    ) -> Result<(&'p Case, bool), Refused> {
        // A row of one leg that carries no price has one side, whatever its event has.
        let side = row.side();
        let fits = |case: &&Case| {
            case.side.is_none_or(|wanted| wanted == side)
                && case
                    .when
                    .iter()
                    .all(|condition| facts.truth(condition).unwrap_or(false))
        };
        if let Some(case) = part.kinds[row.kind as usize].iter().find(fits) {
            return Ok((case, false));
        }
        match part.otherwise.iter().find(fits) {
            Some(case) => Ok((case, true)),
            None => Err(Refused(format!(
                "there is no word for `{}` ({})",
                row.kind,
                match side {
                    Side::In => "something comes in",
                    Side::Out => "something goes out",
                    Side::Both => "something goes out and something comes in",
                    Side::None => "a fee alone",
                }
            ))),
        }
    }

    fn cells(
        &self,
        draft: &mut Draft,
        view: &EventView<'_>,
        row: &Row,
        nth_part: usize,
        facts: &Facts,
    ) -> Result<Vec<Cell>, Refused> {
        let part = &self.target.parts[nth_part];
        let mut cut = Cut::default();
        let mut made = Vec::with_capacity(part.columns.len());
        let mut marked = 0u32;
        let mut unwritable = false;
        for (nth, column) in part.columns.iter().enumerate() {
            let zone = self.written.zone(nth_part, nth);
            let mut cell = cells::cell(column, zone, facts, part, &mut cut)
                .map_err(|error| Refused(format!("column {}: {}", column.header, error.message)))?;
            if part.file.spreadsheet
                && part.file.format == FileFormat::Csv
                && cells::neutralise(&mut cell)
            {
                marked += 1;
            }
            unwritable |= !files::fits_encoding(&cell.text, part.file.encoding);
            made.push(cell);
        }
        for check in &part.checks {
            let applies = check
                .when
                .as_ref()
                .is_none_or(|when| facts.truth(when).unwrap_or(false));
            let told = check.filled.is_empty() && check.blank.is_empty();
            let broken = told
                || check.filled.iter().any(|at| made[*at].text.is_empty())
                || check.blank.iter().any(|at| !made[*at].text.is_empty());
            if applies && broken {
                return Err(Refused(format!("`{}`: {}", row.kind, check.because)));
            }
        }
        let mut note = |weight, code, message: &str| {
            draft.noted.push(Noted {
                weight,
                code,
                message: message.to_owned(),
                help: "",
                example: example(view, self.names, &row.takes),
            });
        };
        if marked > 0 {
            note(
                Weight::Note,
                "neutralised",
                "a text that a spreadsheet would run as a formula has a ' before it",
            );
        }
        if unwritable {
            note(
                Weight::Loss,
                "encoding",
                "letters that the file's encoding does not have are written as numbers",
            );
        }
        let has_time = part.columns.iter().any(|column| {
            matches!(
                &column.fill,
                Fill::Time(
                    _,
                    TimeForm::Pattern { fraction: true, .. } | TimeForm::EpochMilliseconds,
                    _
                )
            )
        });
        // Where one column has the day and another the time, only what none of them says is lost.
        let has_seconds = part.columns.iter().any(|column| {
            matches!(
                &column.fill,
                Fill::Time(_, TimeForm::Pattern { seconds: true, .. }, _)
            )
        });
        if cut.seconds && !has_seconds {
            note(
                Weight::Note,
                "time",
                "the time is written without its seconds, as the tool wants it",
            );
        } else if cut.fraction && !has_time {
            note(
                Weight::Note,
                "time",
                "the time is written without its fraction of a second, as the tool wants it",
            );
        }
        Ok(made)
    }

    /// Compares what the cells say with what the row stands for.
    fn hold_against_ledger(
        &self,
        draft: &mut Draft,
        view: &EventView<'_>,
        part: &Part,
        row: &Row,
        cells: &[Cell],
        rounded: Vec<(NameId, Amount)>,
    ) {
        let mut stands_for: BTreeMap<NameId, Amount> = BTreeMap::new();
        let mut fits = true;
        let mut add = |sums: &mut BTreeMap<NameId, Amount>, asset, amount: Amount| {
            let sum = sums.entry(asset).or_insert(Amount::ZERO);
            match sum.checked_add(amount) {
                Some(total) => *sum = total,
                None => fits = false,
            }
        };
        for flow in &row.takes {
            add(&mut stands_for, flow.asset, flow.signed());
        }
        for (asset, change) in rounded {
            add(&mut stands_for, asset, change);
        }
        let mut unreadable = None;
        let mut says: BTreeMap<NameId, Amount> = BTreeMap::new();
        match read_back::read_back(part, cells, &|text| self.written.with_options(text)) {
            Err(why) => unreadable = Some(why),
            Ok(moved) => {
                for (code, amount) in moved {
                    match self.written.asset_of(&code) {
                        Some(asset) => add(&mut says, asset, amount),
                        None => unreadable = Some(format!("`{code}` is no asset of the ledger")),
                    }
                }
            }
        }
        if !fits {
            unreadable = Some("a sum has more than 38 digits".to_owned());
        }
        let mut off = Vec::new();
        let assets: BTreeSet<NameId> = stands_for.keys().chain(says.keys()).copied().collect();
        for asset in assets {
            let of =
                |sums: &BTreeMap<NameId, Amount>| sums.get(&asset).copied().unwrap_or(Amount::ZERO);
            let (should, does) = (of(&stands_for), of(&says));
            draft.read.push((asset, does));
            if should != does {
                off.push(format!(
                    "{does} instead of {should} {}",
                    self.names.asset(asset)
                ));
                if let Some(difference) = should.checked_sub(does) {
                    draft.wrong.push((asset, difference));
                }
            }
        }
        if let Some(why) = unreadable.or_else(|| (!off.is_empty()).then(|| off.join(", "))) {
            draft.noted.push(Noted {
                weight: Weight::Loss,
                code: "amounts",
                message: format!(
                    "`{}`: the layout cannot say these amounts exactly",
                    row.kind
                ),
                help: "the balances that the tool shows will be off by this",
                example: format!("{}: {why}", example(view, self.names, &row.takes)),
            });
        }
    }

    /// Rounds a row's amounts to what the target takes, with what earlier roundings left.
    fn round(&self, draft: &mut Draft, nth: usize, part: &Part, row: &mut Row) -> Rounding {
        let mut rounding = Rounding::default();
        let Some(digits) = part.max_decimals else {
            return rounding;
        };
        // A fee that is included in another amount is no amount of its own.
        let fee = row
            .fee
            .as_mut()
            .filter(|_| part.rows.fee != crate::target::FeeRule::Included);
        for flow in row.sent.iter_mut().chain(&mut row.received).chain(fee) {
            let key = (nth, flow.account, flow.asset);
            let carried = draft
                .carries
                .get(&key)
                .or_else(|| self.carries.get(&key))
                .copied()
                .unwrap_or(Amount::ZERO);
            if carried.is_zero() && flow.amount.scale() <= digits {
                continue;
            }
            let exact = flow.signed();
            let Some(wanted) = exact.checked_add(carried) else {
                continue;
            };
            let written = wanted.round(digits);
            let (Some(rest), Some(change)) =
                (wanted.checked_sub(written), written.checked_sub(exact))
            else {
                continue;
            };
            draft.carries.insert(key, rest);
            rounding.change.push((flow.asset, change));
            rounding.digits = Some(digits);
            flow.amount = written.abs();
        }
        row.sent.retain(|flow| !flow.amount.is_zero());
        row.received.retain(|flow| !flow.amount.is_zero());
        row.fee = row.fee.filter(|fee| !fee.amount.is_zero());
        rounding.nothing_left = row.sent.is_empty() && row.received.is_empty() && row.fee.is_none();
        rounding
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
            let per_account = self.target.parts[row.part].file.one_per_account;
            let key = (row.part, per_account.then_some(row.account));
            groups.entry(key).or_default().push(row.cells);
        }
        for (key, rows) in groups {
            self.append(key, rows)?;
        }
        Ok(())
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
        let mut sums = super::WrittenSums::default();
        write::Layout::event(
            &ledger_csv::LedgerCsv,
            view,
            &self.cells_of_names,
            &mut self.left_out,
            &mut sums,
        );
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
            if kinds.len() > 1 && !words.is_empty() && words != BLANK {
                let message = format!(
                    "{} are all written as {words}, as the vendor wants it",
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
            left_out: self.left_out,
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

/// What rounding did to a row.
#[derive(Default)]
struct Rounding {
    digits: Option<u8>,
    /// By how much more the row says, by asset.
    change: Vec<(NameId, Amount)>,
    nothing_left: bool,
}

/// How an empty word is told.
const BLANK: &str = "a blank";

/// The words of a case, as a person is told them.
fn case_text(case: &Case) -> String {
    let words: Vec<String> = case
        .words
        .iter()
        .filter(|(_, word)| !word.is_empty())
        .map(|(_, word)| format!("“{word}”"))
        .collect();
    if words.is_empty() {
        BLANK.to_owned()
    } else {
        words.join(" ")
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

/// An event as a person is shown it: when, what, and where it comes from.
fn example(view: &EventView<'_>, names: &NameTexts, flows: &[Flow]) -> String {
    let mut text = format!("{} {}", view.time, view.kind);
    for flow in flows.iter().take(4) {
        let sign = if flow.stream.sign() > 0 { "+" } else { "" };
        text.push_str(&format!(
            " {sign}{} {}",
            flow.signed(),
            names.asset(flow.asset)
        ));
    }
    if flows.len() > 4 {
        text.push_str(" …");
    }
    let place = view.place();
    format!("{text} ({}:{})", place.file, place.line)
}
