//! The laws of the language beyond what the compiler needs: a mapping that breaks one of these works, and is not what its
//! writer meant, or not what the next reader will understand.

mod places;
mod reach;
#[cfg(test)]
mod tests;
mod uses;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::assets::Aliases;
use super::compile::read;
use super::diagnostic::{Complaints, Diagnostic, Level};
use super::document::{AliasDocument, ColumnTable, ColumnType, Document};
use super::header::normalise;
use super::library::{Library, Mapping};
use super::program::{Direction, EventTemplate, KindFrom, Program};
use crate::model::Kind;
use places::{Places, Step};
use reach::{Never, Subject};
use uses::Uses;

pub use uses::choice_words;

/// Everything there is to say of a mapping: what the compiler says, and the laws that the compiler does not need.
pub fn lint(mapping: &Mapping, library: &Library) -> Vec<Diagnostic> {
    let mut found = library.diagnostics(mapping);
    let Ok(document) = mapping.document() else {
        return found;
    };
    let places = Places::new(&mapping.text);
    let mut linter = Linter {
        document: &document,
        places: &places,
        complaints: Complaints::new(&mapping.file, &mapping.text),
    };
    linter.sentences();
    linter.headers();
    // A misspelt name is one mistake, not also a column that is not used.
    if let Ok(program) = library.program(mapping) {
        linter.uses();
        linter.never(&program);
        linter.kinds(&program);
    }
    found.extend(linter.complaints.into_found());
    // What concerns the whole file first, then down the page.
    found.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| span.start));
    found
}

/// What is wrong with an alias table, `formats/assets/NAME.toml`.
pub fn lint_aliases(file: &str, text: &str) -> Vec<Diagnostic> {
    let mut complaints = Complaints::new(file, text);
    match toml::from_str::<AliasDocument>(text) {
        Err(error) => complaints.at(Level::Error, error.span(), error.message().trim(), None),
        Ok(document) => {
            if let Err((entry, message)) = Aliases::default().add(&document) {
                let place = text.find(&entry).map(|start| start..start + entry.len());
                complaints.at(Level::Error, place, message, None);
            }
        }
    }
    complaints.into_found()
}

/// Where the skips and rules of a mapping stand in its text: a case at its own place, the others where they begin. Rules
/// are in the order of the program's.
#[derive(Debug)]
pub struct TestPlaces {
    pub skips: Vec<Option<Range<usize>>>,
    pub rules: Vec<Option<Range<usize>>>,
    /// The list of header generations.
    pub generations: Option<Range<usize>>,
}

impl TestPlaces {
    /// None if the text is no mapping.
    pub fn of(mapping: &Mapping) -> Option<TestPlaces> {
        let document = read(&mapping.file, &mapping.text).ok()?;
        let places = Places::new(&mapping.text);
        let of = |path: &Path| places.of(&path.steps());
        Some(TestPlaces {
            skips: (0..document.skip.len())
                .map(|nth| of(&Path::Skip(nth)))
                .collect(),
            rules: rule_paths(&document).iter().map(of).collect(),
            generations: places.key(&[Step::Key("generations")]),
        })
    }
}

/// What is one test in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    Skip(usize),
    Rule(usize),
    Case(usize, usize),
    Otherwise,
}

impl Path {
    fn steps(self) -> Vec<Step<'static>> {
        use Step::{Key, Nth};
        match self {
            Path::Skip(nth) => vec![Key("skip"), Nth(nth)],
            Path::Rule(nth) => vec![Key("rule"), Nth(nth)],
            Path::Case(rule, nth) => vec![Key("rule"), Nth(rule), Key("cases"), Nth(nth)],
            Path::Otherwise => vec![Key("otherwise")],
        }
    }

    /// The rule around it, for what a case leaves to its rule.
    fn around(self) -> Option<Path> {
        match self {
            Path::Case(rule, _) => Some(Path::Rule(rule)),
            _ => None,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Path::Skip(_) => "skip",
            Path::Rule(_) => "rule",
            Path::Case(..) => "case",
            Path::Otherwise => "[otherwise]",
        }
    }
}

/// The rules of a document in the order of the program's: a case is a rule of its own.
fn rule_paths(document: &Document) -> Vec<Path> {
    let mut paths = Vec::new();
    for (nth, rule) in document.rule.iter().enumerate() {
        match rule.cases.len() {
            0 => paths.push(Path::Rule(nth)),
            cases => paths.extend((0..cases).map(|case| Path::Case(nth, case))),
        }
    }
    paths.extend(document.otherwise.iter().map(|_| Path::Otherwise));
    paths
}

struct Linter<'d, 't> {
    document: &'d Document,
    places: &'d Places<'t>,
    complaints: Complaints<'t>,
}

impl Linter<'_, '_> {
    fn warn(
        &mut self,
        place: Option<Range<usize>>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.complaints
            .at(Level::Warning, place, message, Some(help.into()));
    }

    /// What is written for people must be there.
    fn sentences(&mut self) {
        let document = self.document;
        for (key, text) in [
            ("exchange", &document.exchange),
            ("report", &document.report),
        ] {
            if text.trim().is_empty() {
                self.warn(
                    self.places.key(&[Step::Key(key)]),
                    format!("`{key}` is empty"),
                    "write the name that people know",
                );
            }
        }
        if document.how_to_get.trim().is_empty() {
            let help = "write a sentence that a customer can follow to get this file";
            self.warn(
                self.places.key(&[Step::Key("how_to_get")]),
                "`how_to_get` is empty",
                help,
            );
        }
        if document.generations.is_empty() {
            let place = self.places.key(&[Step::Key("generations")]);
            let help =
                "add `generations`, with one text for each header line that the report has had";
            self.warn(place, "no header generation is named", help);
        }
        for (nth, skip) in document.skip.iter().enumerate() {
            if skip.because.trim().is_empty() {
                let place =
                    self.places
                        .key(&[Step::Key("skip"), Step::Nth(nth), Step::Key("because")]);
                self.warn(
                    place,
                    "`because` is empty",
                    "say why these rows are left out: it is what the person reads",
                );
            }
        }
    }

    /// No header text is named twice.
    fn headers(&mut self) {
        let document = self.document;
        let mut named: BTreeMap<String, &str> = BTreeMap::new();
        for (name, column) in &document.columns {
            let column = &column.0;
            let joined = column.join.iter().flatten();
            for spellings in column.header.iter().chain(joined) {
                let mut here = BTreeSet::new();
                for (nth, text) in spellings.0.iter().enumerate() {
                    if !here.insert(normalise(text)) {
                        let same_before = spellings.0[..nth]
                            .iter()
                            .filter(|other| *other == text)
                            .count();
                        let again = self.spelling(name, text, same_before);
                        self.warn(
                            again,
                            format!("column `{name}`: `{text}` is listed twice"),
                            "take one out: blanks are compared as one blank",
                        );
                    }
                }
                // Of several columns with one header text, one may be used and another not.
                if column.nth.is_none() {
                    named.extend(here.into_iter().map(|text| (text, name.as_str())));
                }
            }
        }
        let mut unused = BTreeSet::new();
        for text in &document.unused {
            let normal = normalise(text);
            let nth = usize::from(!unused.insert(normal.clone()));
            let place = self.places.nth_item(&[Step::Key("unused")], text, nth);
            if nth == 1 {
                self.warn(place, format!("`{text}` is listed twice"), "take one out");
            } else if let Some(name) = named.get(&normal).filter(|_| !normal.is_empty()) {
                self.warn(
                    place,
                    format!("`{text}` is not unused: it is column `{name}`"),
                    "take it out of `unused`",
                );
            }
        }
    }

    /// The nth place of a spelling in a column's list, short (`name = […]`) or in a table (`header = […]`).
    fn spelling(&self, name: &str, text: &str, nth: usize) -> Option<Range<usize>> {
        let column = [Step::Key("columns"), Step::Key(name)];
        let in_table = [column.as_slice(), &[Step::Key("header")]].concat();
        let item = |path: &[Step]| self.places.nth_item(path, text, nth);
        item(&in_table)
            .or_else(|| item(&column))
            .or_else(|| self.places.key(&column))
    }

    /// Every column that is named is used, and every choice is asked for.
    fn uses(&mut self) {
        let document = self.document;
        let uses = Uses::of(document);
        let mut in_derived = Uses::default();
        document
            .derive
            .values()
            .for_each(|text| in_derived.expression(text, false));
        for (name, text) in &document.derive {
            if !uses.is_used(name) {
                let place = self.places.key(&[Step::Key("derive"), Step::Key(name)]);
                let what = if in_derived.is_used(name) {
                    "only by what is not used itself"
                } else {
                    "by nothing"
                };
                self.warn(
                    place,
                    format!("derived column `{name}` is used {what}"),
                    format!("use it, or take out `{}`", first_words(text)),
                );
            }
        }
        for (name, column) in &document.columns {
            let place = self.places.key(&[Step::Key("columns"), Step::Key(name)]);
            let column = &column.0;
            // Said to be worth naming for another reason.
            let has_reason = column.private || column.unique || column.volatile;
            if !uses.is_used(name) && !in_derived.is_used(name) {
                if !has_reason {
                    self.warn(
                        place,
                        format!("column `{name}` is used by no rule"),
                        move_to_unused(column),
                    );
                }
            } else if column.kind == ColumnType::Choice
                && !uses.is_tested(name)
                && !in_derived.is_used(name)
            {
                self.warn(
                    place,
                    format!("`{name}` is a choice, and no rule asks for its words"),
                    "test it in `when` or `cases`, or make it a `text`",
                );
            }
        }
    }

    /// Every skip, rule, case and word can match.
    fn never(&mut self, program: &Program) {
        let skips = (0..self.document.skip.len()).map(Path::Skip);
        let paths: Vec<Path> = skips.chain(rule_paths(self.document)).collect();
        let label = |test: usize| match test.checked_sub(program.skips.len()) {
            None => format!("skip {}", test + 1),
            Some(rule) => program.rules[rule].label.clone(),
        };
        let column = |column: usize| program.columns[column].name.as_str();
        for never in reach::never(program) {
            match never {
                Never::Contradiction { test, subject } => {
                    let of = match subject {
                        Subject::Column(at) => format!("`{}` for ", column(at)),
                        Subject::Expression(_) => "for ".to_owned(),
                    };
                    let message = format!(
                        "this {} can never match: it asks {of}words that exclude each other",
                        paths[test].noun()
                    );
                    self.warn(
                        self.place(paths[test]),
                        message,
                        "take one of the conditions out",
                    );
                }
                Never::Taken { test, by } => {
                    let message = format!(
                        "this {} can never match: {} before it",
                        paths[test].noun(),
                        taken(&by, label, "all its rows")
                    );
                    let help = match by.as_slice() {
                        _ if paths[test] == Path::Otherwise => "take it out".to_owned(),
                        [one] => format!("move it above {}, or take it out", label(*one)),
                        _ => "move it above them, or take it out".to_owned(),
                    };
                    self.warn(self.place(paths[test]), message, help);
                }
                Never::WordTaken {
                    test,
                    column: at,
                    word,
                    by,
                } => {
                    let word = String::from_utf8_lossy(&word);
                    let place = self.word(paths[test], column(at), &word);
                    let message = format!(
                        "`{} = '{word}'` never comes to this {}: {} before it",
                        column(at),
                        paths[test].noun(),
                        taken(&by, label, "all such rows")
                    );
                    self.warn(place, message, "take the word out of the list");
                }
                Never::CountsAsBlank {
                    test,
                    column: at,
                    word,
                } => {
                    let word = String::from_utf8_lossy(&word);
                    let place = self.word(paths[test], column(at), &word);
                    let message = format!(
                        "`{word}` counts as an empty cell of `{}`, so this never matches",
                        column(at)
                    );
                    self.warn(place, message, "write '' for an empty cell");
                }
            }
        }
    }

    /// What the kind says of the direction is what the legs say.
    fn kinds(&mut self, program: &Program) {
        let paths = rule_paths(self.document);
        for (rule, path) in program.rules.iter().zip(paths) {
            for (nth, event) in rule.events.iter().enumerate() {
                let KindFrom::Stated(kind) = event.kind else {
                    continue;
                };
                let several = (rule.events.len() > 1).then_some(nth);
                if let Some((message, help)) = contradiction(kind, event, rule.group.is_some()) {
                    self.warn(self.kind_place(path, several), message, help);
                }
            }
        }
    }

    fn place(&self, path: Path) -> Option<Range<usize>> {
        self.places.of(&path.steps())
    }

    /// Where the word of a condition stands; where case does not matter it may be written otherwise.
    fn word(&self, path: Path, column: &str, word: &str) -> Option<Range<usize>> {
        let around = path.around().map(Path::steps).unwrap_or_default();
        let found = self.places.word(&path.steps(), column, word);
        found
            .or_else(|| self.places.word(&around, column, word))
            .or_else(|| self.place(path))
    }

    /// Where the kind of a rule stands: in its event, in its case, in the rule, or shared by all.
    fn kind_place(&self, path: Path, event: Option<usize>) -> Option<Range<usize>> {
        let mut ways: Vec<Vec<Step>> = Vec::new();
        for steps in [Some(path), path.around()]
            .into_iter()
            .flatten()
            .map(Path::steps)
        {
            ways.extend(
                event
                    .map(|nth| [steps.as_slice(), &[Step::Key("events"), Step::Nth(nth)]].concat()),
            );
            ways.push(steps);
        }
        ways.push(vec![Step::Key("defaults")]);
        let kind = |way: &Vec<Step>| {
            self.places
                .of(&[way.as_slice(), &[Step::Key("kind")]].concat())
        };
        ways.iter().find_map(kind).or_else(|| self.place(path))
    }
}

/// `rule 1 takes WHAT`, `rule 1, skip 2 and rule 3 take WHAT`.
fn taken(by: &[usize], label: impl Fn(usize) -> String, what: &str) -> String {
    match by {
        [one] => format!("{} takes {what}", label(*one)),
        [some @ .., last] if by.len() <= 3 => {
            let some: Vec<String> = some.iter().map(|test| label(*test)).collect();
            format!(
                "{} and {} together take {what}",
                some.join("; "),
                label(*last)
            )
        }
        _ => format!("{} others together take {what}", by.len()),
    }
}

fn first_words(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() <= 40 {
        line.to_owned()
    } else {
        format!("{}…", line.chars().take(39).collect::<String>())
    }
}

fn move_to_unused(column: &ColumnTable) -> String {
    let joined = column.join.iter().flatten();
    let headers: Vec<String> = column
        .header
        .iter()
        .chain(joined)
        .flat_map(|spellings| &spellings.0)
        .map(|text| format!("{text:?}"))
        .collect();
    if headers.is_empty() {
        "take it out".to_owned()
    } else {
        format!("move it to `unused`: {}", headers.join(", "))
    }
}

/// Why a kind cannot be that of an event with these legs.
fn contradiction(
    kind: Kind,
    event: &EventTemplate,
    grouped: bool,
) -> Option<(String, &'static str)> {
    let count = |direction: Direction| {
        event
            .legs
            .iter()
            .filter(|leg| leg.direction == direction)
            .count()
    };
    let (comes_in, goes_out, moves) = (
        count(Direction::In),
        count(Direction::Out),
        count(Direction::Move),
    );
    if kind == Kind::Trade && !grouped && comes_in + goes_out + moves < 2 {
        let message = "a trade has two sides, and this rule makes one leg".to_owned();
        return Some((
            message,
            "add the other side, or gather the rows that belong together with `by`",
        ));
    }
    let only_out = goes_out > 0 && comes_in + moves == 0;
    let only_in = comes_in > 0 && goes_out + moves == 0;
    match kind {
        Kind::Deposit
        | Kind::StakingReward
        | Kind::Interest
        | Kind::Mining
        | Kind::Airdrop
        | Kind::Fork
        | Kind::ReferralBonus
        | Kind::Cashback
        | Kind::Income
        | Kind::GiftReceived
        | Kind::FeeRebate
            if only_out =>
        {
            Some((
                format!("`{kind}` comes in, and this rule has only `out`"),
                "say `in`, or another kind",
            ))
        }
        Kind::Withdrawal
        | Kind::Payment
        | Kind::GiftSent
        | Kind::Fee
        | Kind::Lost
        | Kind::Stolen
        | Kind::Burn
            if only_in =>
        {
            Some((
                format!("`{kind}` goes out, and this rule has only `in`"),
                "say `out`, or another kind",
            ))
        }
        _ => None,
    }
}
