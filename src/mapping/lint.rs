//! The laws of the language beyond what the compiler needs: a mapping that breaks one of these works, and is not what its
//! writer meant, or not what the next reader will understand.

mod places;
mod reach;
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
use reach::Never;
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
                Never::Contradiction { test, column: at } => {
                    let name = column(at);
                    let message = format!(
                        "this {} can never match: it asks `{name}` for words that exclude each other",
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

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "mapping = 1\nexchange = 'X'\nreport = 'Y'\nhow_to_get = 'Ask'\ngenerations = ['one']\n";
    const COLUMNS: &str = "[columns]\ntime = { header = 'T', type = 'time', formats = ['iso'], zone = 'UTC' }\nkind_of = { header = 'K', type = 'choice', blank = ['-'] }\nsub = 'S'\nqty = { header = 'Q', type = 'amount' }\n";
    const DEFAULTS: &str = "[defaults]\nmove = 'qty BTC'\nkind = 'adjustment'\nnote = 'sub'\n";

    /// The mapping without its rules is sound, so that a warning is of what a test adds.
    fn with_rules(rules: &str) -> String {
        format!("{HEAD}{COLUMNS}{DEFAULTS}{rules}")
    }

    fn linted(text: &str) -> Vec<(usize, String)> {
        let mut library = Library::built_in();
        library.insert("x/y", "x.toml".to_owned(), text.to_owned());
        let mapping = library.get("x/y").expect("just added");
        let found = lint(mapping, &library);
        let errors: Vec<&Diagnostic> = found
            .iter()
            .filter(|diagnostic| diagnostic.level == Level::Error)
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        found
            .into_iter()
            .map(|diagnostic| {
                (
                    diagnostic.line_and_column(text).map_or(0, |place| place.0),
                    diagnostic.message,
                )
            })
            .collect()
    }

    /// The only warning, and the line of the rules on which it stands, from 1.
    fn one(rules: &str) -> (usize, String) {
        let mut found = linted(&with_rules(rules));
        assert_eq!(found.len(), 1, "{found:?}");
        let (line, message) = found.remove(0);
        (line - with_rules("").lines().count(), message)
    }

    const BUY: &str = "[[rule]]\nwhen = { kind_of = 'buy' }\n";

    #[test]
    fn a_sound_mapping_gets_no_warning() {
        let rules = "[[rule]]\nwhen = { kind_of = ['buy', 'sell'], sub = '' }\n[[rule]]\nwhen = { kind_of = 'buy' }\n[[rule]]\nwhen = [{ kind_of = 'sell' }, 'qty > 0']\n[[rule]]\nwhen = { kind_of = 'sell' }\n[otherwise]\n";
        assert_eq!(linted(&with_rules(rules)), []);
        // Nor does one that leaves `[otherwise]` out: unknown words are then rejected, on purpose.
        assert_eq!(linted(&with_rules(BUY)), []);
    }

    #[test]
    fn the_same_test_twice_is_found() {
        let (line, message) = one(&format!("{BUY}{BUY}"));
        assert_eq!(
            (line, message.as_str()),
            (
                3,
                "this rule can never match: rule 1 takes all its rows before it"
            )
        );
        let twice = "[[rule]]\nwhen = [{ kind_of = 'buy' }, 'qty > 0']\n[[rule]]\nwhen = \"qty > 0 and kind_of == 'buy'\"\n";
        assert_eq!(one(twice).0, 3);
    }

    #[test]
    fn a_rule_after_one_without_conditions_never_matches() {
        let (line, message) = one(&format!("[[rule]]\nnote = 'kind_of'\n{BUY}"));
        assert_eq!(
            (line, message.as_str()),
            (
                3,
                "this rule can never match: rule 1 takes all its rows before it"
            )
        );
        assert_eq!(
            one(&format!("{BUY}[[rule]]\n[otherwise]\n")),
            (
                4,
                "this [otherwise] can never match: rule 2 takes all its rows before it".to_owned()
            )
        );
    }

    #[test]
    fn words_that_several_rules_take_together_never_come_to_a_later_one() {
        let rules = "[[rule]]\ncases = [\n{ kind_of = 'buy', sub = '' },\n{ kind_of = 'buy' },\n{ kind_of = 'sell' },\n{ kind_of = ['sell', 'buy'], sub = 'x' },\n]\n";
        let (line, message) = one(rules);
        assert_eq!(
            (line, message.as_str()),
            (
                6,
                "this case can never match: rule 1, case 2 and rule 1, case 3 together take all its rows before it"
            )
        );
    }

    #[test]
    fn a_skip_takes_rows_from_rules() {
        let rules = format!(
            "[[skip]]\nwhen = \"kind_of == 'buy' or kind_of == 'sell'\"\nbecause = 'no'\n{BUY}"
        );
        assert_eq!(
            one(&rules),
            (
                4,
                "this rule can never match: skip 1 takes all its rows before it".to_owned()
            )
        );
    }

    #[test]
    fn a_rule_with_a_condition_that_the_later_one_does_not_have_takes_nothing_for_certain() {
        assert_eq!(
            linted(&with_rules(&format!("[[rule]]\nwhen = 'qty > 0'\n{BUY}"))),
            []
        );
        assert_eq!(
            linted(&with_rules(
                "[[rule]]\nwhen = \"kind_of != 'buy'\"\n[[rule]]\nwhen = { kind_of = 'buy' }\n"
            )),
            []
        );
        assert_eq!(
            linted(&with_rules(
                "[[rule]]\nwhen = \"kind_of not in ['buy']\"\n[[rule]]\nwhen = { kind_of = '' }\n"
            ))
            .len(),
            1
        );
    }

    #[test]
    fn a_word_that_is_taken_already_is_named() {
        let rules = format!("{BUY}[[rule]]\nwhen = {{ kind_of = ['sell',\n 'buy'] }}\n");
        assert_eq!(
            one(&rules),
            (
                5,
                "`kind_of = 'buy'` never comes to this rule: rule 1 takes all such rows before it"
                    .to_owned()
            )
        );
    }

    #[test]
    fn words_that_exclude_each_other_never_match() {
        let rules = "[[rule]]\nwhen = { kind_of = 'buy' }\ncases = [\n{ kind_of = 'sell' },\n{ sub = 'x' },\n]\n";
        assert_eq!(
            one(rules),
            (
                4,
                "this case can never match: it asks `kind_of` for words that exclude each other"
                    .to_owned()
            )
        );
    }

    #[test]
    fn a_word_that_counts_as_blank_never_matches() {
        assert_eq!(
            one("[[rule]]\nwhen = { kind_of = '-' }\n").1,
            "`-` counts as an empty cell of `kind_of`, so this never matches"
        );
    }

    #[test]
    fn a_column_that_no_rule_uses_is_named() {
        let text = with_rules(BUY).replace(
            "sub = 'S'",
            "sub = 'S'\nidle = ['I', 'J']\nsecret = { header = 'P', private = true }",
        );
        assert_eq!(
            linted(&text),
            [(10, "column `idle` is used by no rule".to_owned())]
        );
        // A column with the name of an id is used by that name.
        assert_eq!(linted(&text.replace("idle", "order_id")), []);
    }

    #[test]
    fn what_only_an_unused_derived_column_uses_is_one_mistake() {
        let text = with_rules(BUY)
            .replace("sub = 'S'", "sub = 'S'\nidle = 'I'")
            .replace("[defaults]", "[derive]\nlost = \"upper(idle)\"\n[defaults]");
        assert_eq!(
            linted(&text),
            [(13, "derived column `lost` is used by nothing".to_owned())]
        );
        let text = text.replace("[defaults]", "found = \"lost + '!'\"\n[defaults]");
        let found: Vec<String> = linted(&text)
            .into_iter()
            .map(|(_, message)| message)
            .collect();
        assert_eq!(
            found,
            [
                "derived column `lost` is used only by what is not used itself",
                "derived column `found` is used by nothing"
            ]
        );
    }

    #[test]
    fn a_choice_that_no_rule_asks_for_is_named() {
        let text = with_rules("[[rule]]\nnote = 'kind_of + sub'\n");
        assert_eq!(
            linted(&text),
            [(
                8,
                "`kind_of` is a choice, and no rule asks for its words".to_owned()
            )]
        );
        assert_eq!(
            linted(&with_rules("[[rule]]\nwhen = \"lower(kind_of) == 'x'\"\n")),
            []
        );
    }

    #[test]
    fn a_kind_that_contradicts_the_direction_is_named() {
        assert_eq!(
            one(&format!("{BUY}kind = 'deposit'\nout = 'qty BTC'\n")),
            (
                3,
                "`deposit` comes in, and this rule has only `out`".to_owned()
            )
        );
        assert_eq!(
            one(&format!("{BUY}kind = 'burn'\nin = 'qty BTC'\n")),
            (3, "`burn` goes out, and this rule has only `in`".to_owned())
        );
        let cases = format!(
            "[[rule]]\nin = 'qty BTC'\ncases = [\n{{ kind_of = 'a', kind = 'airdrop' }},\n{{ kind_of = 'b', kind = 'payment' }},\n]\n"
        );
        assert_eq!(one(&cases).0, 5);
        assert_eq!(
            linted(&with_rules(&format!("{BUY}kind = 'withdrawal'\n"))),
            []
        );
    }

    #[test]
    fn a_trade_of_one_leg_is_named_unless_rows_are_gathered() {
        assert_eq!(
            one(&format!("{BUY}kind = 'trade'\n")).1,
            "a trade has two sides, and this rule makes one leg"
        );
        assert_eq!(
            linted(&with_rules(&format!("{BUY}kind = 'trade'\nby = ['sub']\n"))),
            []
        );
        assert_eq!(
            linted(&with_rules(&format!(
                "{BUY}kind = 'trade'\nin = 'qty BTC'\nout = 'qty ETH'\n"
            ))),
            []
        );
    }

    #[test]
    fn empty_sentences_are_named() {
        let text = with_rules(&format!(
            "[[skip]]\nwhen = {{ sub = 'x' }}\nbecause = ''\n{BUY}"
        ))
        .replace("'Ask'", "' '")
        .replace("generations = ['one']\n", "");
        let found: Vec<String> = linted(&text)
            .into_iter()
            .map(|(_, message)| message)
            .collect();
        assert_eq!(
            found,
            [
                "no header generation is named",
                "`how_to_get` is empty",
                "`because` is empty"
            ]
        );
    }

    #[test]
    fn a_header_that_is_listed_twice_is_named() {
        let text = with_rules(BUY)
            .replace(
                "sub = 'S'",
                "sub = ['S', 'S  s',\n'S s']\nlast = { header = 'S', nth = 2, private = true }",
            )
            .replace("[columns]", "unused = ['U', 'U', 'K']\n[columns]");
        let found = linted(&text);
        assert_eq!(
            found,
            [
                (6, "`U` is listed twice".to_owned()),
                (6, "`K` is not unused: it is column `kind_of`".to_owned()),
                (11, "column `sub`: `S s` is listed twice".to_owned()),
            ]
        );
        // Of two columns with one header text the second is used, and the first is not.
        let text = text
            .replace("'U', 'U', 'K'", "'S'")
            .replace("sub = ['S', 'S  s',\n'S s']", "sub = 's'");
        assert_eq!(linted(&text), []);
    }

    #[test]
    fn a_case_has_a_place_of_its_own() {
        let text = with_rules(
            "[[rule]]\ncases = [\n{ kind_of = 'a' },\n{ kind_of = 'b' },\n]\n[otherwise]\n",
        );
        let mut library = Library::built_in();
        library.insert("x/y", "x.toml".to_owned(), text.clone());
        let places =
            TestPlaces::of(library.get("x/y").expect("just added")).expect("it is a mapping");
        let shown: Vec<&str> = places
            .rules
            .iter()
            .flatten()
            .map(|span| &text[span.clone()])
            .collect();
        assert_eq!(
            shown,
            ["{ kind_of = 'a' }", "{ kind_of = 'b' }", "[otherwise]"]
        );
    }

    #[test]
    fn an_alias_table_is_checked() {
        assert!(lint_aliases("a.toml", "[alias]\nXXBT = 'BTC'\n").is_empty());
        assert_eq!(
            lint_aliases("a.toml", "strip = ['(']\n")[0].span,
            Some(10..11)
        );
        assert_eq!(lint_aliases("a.toml", "alias = 1\n").len(), 1);
    }
}
