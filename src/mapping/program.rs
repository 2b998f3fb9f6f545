//! A compiled mapping: what `convert` runs over the records of a file.

use std::collections::BTreeMap;

use regex::Regex;
use rustc_hash::FxHashMap;

use super::assets::Aliases;
use super::cell::{AmountReader, MoneyReader, PairReader, TimeReader, Zone};
use super::document::Order;
use super::expression::{Expr, Operator};
use super::header::HeaderPattern;
use crate::model::{Kind, Short};

/// One report of one exchange, checked and ready. All numbers of columns index `columns`.
#[derive(Debug)]
pub struct Program {
    /// `<exchange>/<report>`, as in the name of the mapping's file.
    pub id: String,
    pub exchange: String,
    pub report: String,
    pub instead_of: Vec<String>,
    pub delimiter: Option<u8>,
    pub encoding: Option<String>,
    pub has_header: bool,
    pub sheet: Option<String>,
    pub order: Option<Order>,
    pub columns: Vec<Column>,
    pub unused: Vec<HeaderPattern>,
    /// Names of the captures; a file's binding has a text for each.
    pub captures: Vec<String>,
    pub derived: Vec<Expr>,
    /// Whether any expression uses the name of the file.
    pub uses_file_name: bool,
    pub own: Option<Own>,
    pub skips: Vec<Skip>,
    pub rules: Vec<Rule>,
    pub dispatch: Dispatch,
    pub aliases: Aliases,
}

impl Program {
    /// All header texts that the mapping knows, unused ones too.
    pub fn header_patterns(&self) -> Vec<&HeaderPattern> {
        let mut patterns: Vec<&HeaderPattern> = Vec::new();
        for column in &self.columns {
            match &column.find {
                Find::Header(spellings, _) => patterns.extend(spellings),
                Find::Join(parts) => patterns.extend(parts.iter().flatten()),
                Find::At(_) => {}
            }
        }
        patterns.extend(&self.unused);
        patterns
    }

    /// Which columns the times of events are read from.
    pub fn time_columns(&self) -> Vec<bool> {
        let mut found = vec![false; self.columns.len()];
        let mut waiting: Vec<&Expr> = self
            .rules
            .iter()
            .flat_map(|rule| &rule.events)
            .map(|event| &event.time)
            .collect();
        while let Some(expr) = waiting.pop() {
            expr.walk(&mut |part| match part {
                Expr::Cell(column) if matches!(self.columns[*column].cell, Cell::Time(..)) => {
                    found[*column] = true
                }
                // Derived columns use only earlier ones, so this ends.
                Expr::Derived(index) => waiting.push(&self.derived[*index]),
                _ => {}
            });
        }
        found
    }
}

/// How the person's own address is found, if nobody says it.
#[derive(Debug)]
pub struct Own {
    pub file_name: Option<Regex>,
    pub columns: Vec<usize>,
}

#[derive(Debug)]
pub struct Column {
    pub name: String,
    pub find: Find,
    pub cell: Cell,
    /// Texts that count as an empty cell.
    pub blanks: Vec<Box<[u8]>>,
    pub optional: bool,
    pub private: bool,
    pub volatile: bool,
    pub unique: bool,
    pub family: bool,
    pub ignore_case: bool,
}

impl Column {
    /// How many columns of the file are joined to make this one, if it is made so.
    pub fn find_join(&self) -> Option<usize> {
        match &self.find {
            Find::Join(parts) => Some(parts.len()),
            _ => None,
        }
    }
}

/// Where a column is in a file.
#[derive(Debug)]
pub enum Find {
    /// By any of these header texts; of several columns that have it, the nth (from 1).
    Header(Vec<HeaderPattern>, usize),
    /// By its position, from 0.
    At(usize),
    /// Several columns, joined by a blank.
    Join(Vec<Vec<HeaderPattern>>),
}

/// How a cell is read.
#[derive(Debug)]
pub enum Cell {
    Text,
    Asset { upper: bool },
    Time(TimeReader, ZoneFrom),
    Amount(AmountReader),
    Money(MoneyReader),
    Pair(PairReader),
}

/// Where the zone of a local time comes from.
#[derive(Debug)]
pub enum ZoneFrom {
    Stated(Zone),
    Capture(usize),
    Column(usize),
    /// A derived column, of what is not a time itself.
    Derived(usize),
    /// The person must give it.
    Local,
}

#[derive(Debug)]
pub struct Skip {
    pub test: Test,
    pub because: String,
}

/// What must hold for a skip or a rule.
#[derive(Debug, Default)]
pub struct Test {
    pub words: Vec<WordTest>,
    pub conditions: Vec<Expr>,
}

/// The cell is one of these words.
#[derive(Debug, Clone)]
pub struct WordTest {
    pub column: usize,
    /// In lower case if the column ignores case.
    pub words: Vec<Box<[u8]>>,
}

#[derive(Debug)]
pub struct Rule {
    /// Line of the mapping's file on which it begins, 1-based.
    pub line: usize,
    /// How messages call it.
    pub label: String,
    pub test: Test,
    pub events: Vec<EventTemplate>,
    pub group: Option<Group>,
    pub is_otherwise: bool,
}

#[derive(Debug)]
pub struct EventTemplate {
    pub kind: KindFrom,
    /// Parts of the account's name.
    pub account: Vec<Expr>,
    pub time: Expr,
    /// The id that the event has already.
    pub event_id: Option<Expr>,
    pub texts: Texts,
    pub legs: Vec<LegTemplate>,
    /// The balance after the row: amount and asset.
    pub balance: Option<(Expr, Expr)>,
}

/// The ids and the note of an event, in the order of the ledger's columns.
pub type Texts = [Option<Expr>; TEXT_COUNT];

/// order_id, trade_id, tx_hash, address, note.
pub const TEXT_COUNT: usize = 5;

#[derive(Debug, Clone)]
pub enum KindFrom {
    Stated(Kind),
    /// A text that is the word of a kind.
    Text(Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
    Move,
    Fee,
}

#[derive(Debug)]
pub struct LegTemplate {
    pub direction: Direction,
    pub amount: Expr,
    pub asset: Expr,
    pub value: Option<(Expr, Expr)>,
    pub optional: bool,
    pub signed: bool,
    pub account: Option<Vec<Expr>>,
}

/// Rows that belong together.
#[derive(Debug)]
pub struct Group {
    pub key: Vec<Expr>,
    pub window_ns: Option<i64>,
    pub adjacent: bool,
    pub expect: Expect,
    /// Rows whose `move` legs are fees.
    pub fee_rows: Option<Expr>,
}

/// The shape that a group must have.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Expect {
    pub rows: Option<Count>,
    pub incoming: Option<Count>,
    pub out: Option<Count>,
    pub fees: Option<Count>,
    pub in_assets: Option<Vec<String>>,
    pub out_assets: Option<Vec<String>>,
    pub balanced: bool,
}

impl Expect {
    /// Whether each group fits.
    pub fn is_anything(&self) -> bool {
        *self == Expect::default()
    }
}

/// How many: from least to most, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub least: usize,
    pub most: usize,
}

impl Count {
    /// `2`, `1..`, `1..3`.
    pub fn parse(text: &str) -> Option<Count> {
        let count = match text.trim().split_once("..") {
            None => {
                let exact = text.trim().parse().ok()?;
                Count {
                    least: exact,
                    most: exact,
                }
            }
            Some((least, "")) => Count {
                least: least.trim().parse().ok()?,
                most: usize::MAX,
            },
            Some((least, most)) => Count {
                least: least.trim().parse().ok()?,
                most: most.trim().parse().ok()?,
            },
        };
        (count.least <= count.most).then_some(count)
    }

    pub fn holds(self, count: usize) -> bool {
        (self.least..=self.most).contains(&count)
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.least, self.most) {
            (least, usize::MAX) => write!(f, "{least} or more"),
            (least, most) if least == most => write!(f, "{least}"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

/// Finds the rules that may fit a row from the words in its choice columns, without testing them one by one: each
/// distinct set of words is looked at once.
#[derive(Debug, Default)]
pub struct Dispatch {
    pub columns: Vec<DispatchColumn>,
}

#[derive(Debug)]
pub struct DispatchColumn {
    pub column: usize,
    pub ignore_case: bool,
    /// Whether only conditions ask for its words, and no choice of a skip or rule.
    pub of_conditions: bool,
    /// Each word that any test asks for → its number from 1; a word that none asks for is 0.
    pub words: FxHashMap<Box<[u8]>, u32>,
    /// The same, for the words that are short.
    short_words: FxHashMap<Short, u32>,
}

/// Most sets of words that columns which only conditions ask for may bring it to.
const MAX_SETS: usize = 1 << 20;

impl Dispatch {
    /// The columns and words that these tests ask for.
    pub fn of<'a>(tests: impl Iterator<Item = &'a Test> + Clone, columns: &[Column]) -> Dispatch {
        let mut found: BTreeMap<usize, Vec<&[u8]>> = BTreeMap::new();
        for word_test in tests.clone().flat_map(|test| &test.words) {
            let of_column = found.entry(word_test.column).or_default();
            add_new(of_column, word_test.words.iter().map(|word| &**word));
        }
        let of_choices: Vec<usize> = found.keys().copied().collect();
        for test in tests {
            // A column of its own is worth it for a test that is tried for every row else.
            let mut is_narrowed = !test.words.is_empty();
            for condition in conjuncts(&test.conditions) {
                let Some((column, words)) = words_asked(condition, columns) else {
                    // What comes behind it is not asked in each row.
                    break;
                };
                let mut asked = found.clone();
                let of_column = asked.entry(column).or_default();
                if of_column.is_empty() && is_narrowed {
                    continue;
                }
                add_new(of_column, words);
                let sets = (asked.values())
                    .try_fold(1_usize, |sets, words| sets.checked_mul(words.len() + 1));
                if sets.is_some_and(|sets| sets <= MAX_SETS) {
                    found = asked;
                    is_narrowed = true;
                }
            }
        }
        let column = |(column, words): (usize, Vec<&[u8]>)| {
            let words: FxHashMap<Box<[u8]>, u32> =
                words.into_iter().map(Box::from).zip(1..).collect();
            DispatchColumn {
                column,
                ignore_case: columns[column].ignore_case,
                of_conditions: !of_choices.contains(&column),
                short_words: words
                    .iter()
                    .filter_map(|(word, number)| Some((Short::of(word)?, *number)))
                    .collect(),
                words,
            }
        };
        Dispatch {
            columns: found.into_iter().map(column).collect(),
        }
    }

    /// The number of a word in the nth dispatch column.
    pub fn word_number(&self, nth: usize, cell: &[u8]) -> u32 {
        let column = &self.columns[nth];
        if column.ignore_case {
            let mut buffer = [0; 64];
            if let Some(lower) = buffer.get_mut(..cell.len())
                && cell.is_ascii()
            {
                lower.copy_from_slice(cell);
                lower.make_ascii_lowercase();
                return column.words.get(&*lower).copied().unwrap_or(0);
            }
            let lower = String::from_utf8_lossy(cell).to_lowercase();
            return column.words.get(lower.as_bytes()).copied().unwrap_or(0);
        }
        match Short::of(cell) {
            Some(short) => column.short_words.get(&short).copied().unwrap_or(0),
            None if column.short_words.len() == column.words.len() => 0,
            None => column.words.get(cell).copied().unwrap_or(0),
        }
    }

    /// Whether a test's words can hold for a row with these word numbers (one for each dispatch column).
    pub fn may_hold(&self, test: &Test, numbers: &[u32]) -> bool {
        test.words.iter().all(|word_test| {
            let nth = self
                .columns
                .iter()
                .position(|column| column.column == word_test.column);
            let Some(nth) = nth else { return false };
            let column = &self.columns[nth];
            word_test.words.iter().any(|word| {
                column
                    .words
                    .get(word)
                    .is_some_and(|number| *number == numbers[nth])
            })
        })
    }

    /// What is left to ask of a row with these word numbers, in this order, so that a test's conditions hold. `None` if
    /// the words tell already that they do not.
    pub fn left_to_ask<'p>(
        &self,
        test: &'p Test,
        columns: &[Column],
        numbers: &[u32],
    ) -> Option<Vec<&'p Expr>> {
        let mut left = Vec::new();
        for condition in conjuncts(&test.conditions) {
            match self.settled(condition, columns, numbers) {
                Some(true) => {}
                // What stands before it may be wrong in a way that is told.
                Some(false) if left.is_empty() => return None,
                _ => left.push(condition),
            }
        }
        Some(left)
    }

    /// Whether a condition on one cell of text holds, as far as the word numbers of a row tell that.
    fn settled(&self, condition: &Expr, columns: &[Column], numbers: &[u32]) -> Option<bool> {
        let (column, words) = words_asked(condition, columns)?;
        let nth = self.columns.iter().position(|of| of.column == column)?;
        let mut is_among = false;
        for word in words {
            match self.columns[nth].words.get(word) {
                Some(number) => is_among |= *number == numbers[nth],
                // Another word than those that have a number may be this one.
                None if numbers[nth] == 0 => return None,
                None => {}
            }
        }
        Some(is_among != is_negated(condition))
    }
}

fn add_new<'w>(words: &mut Vec<&'w [u8]>, more: impl IntoIterator<Item = &'w [u8]>) {
    for word in more {
        if !words.contains(&word) {
            words.push(word);
        }
    }
}

/// The parts of conditions that all must hold, in the order in which they are looked at.
fn conjuncts(conditions: &[Expr]) -> Vec<&Expr> {
    let mut found = Vec::new();
    let mut waiting: Vec<&Expr> = conditions.iter().rev().collect();
    while let Some(condition) = waiting.pop() {
        match condition {
            Expr::And(left, right) => waiting.extend([&**right, &**left]),
            other => found.push(other),
        }
    }
    found
}

/// The column of texts and the words, of a condition that asks whether its cell is one of them, or is none.
fn words_asked<'e>(condition: &'e Expr, columns: &[Column]) -> Option<(usize, Vec<&'e [u8]>)> {
    let (cell, words): (&Expr, Vec<&[u8]>) = match condition {
        Expr::Compare(Operator::Equal | Operator::NotEqual, left, right) => {
            match (&**left, &**right) {
                (cell, Expr::Text(word)) | (Expr::Text(word), cell) => (cell, vec![&**word]),
                _ => return None,
            }
        }
        Expr::OneOf(cell, words, _) => (cell, words.iter().map(|word| &**word).collect()),
        Expr::IsBlank(cell, _) => (cell, vec![b""]),
        _ => return None,
    };
    match cell {
        Expr::Cell(column)
            if matches!(columns[*column].cell, Cell::Text) && !columns[*column].ignore_case =>
        {
            Some((*column, words))
        }
        _ => None,
    }
}

/// Whether such a condition asks that the cell be none of the words.
fn is_negated(condition: &Expr) -> bool {
    match condition {
        Expr::Compare(operator, ..) => *operator == Operator::NotEqual,
        Expr::OneOf(.., negated) | Expr::IsBlank(_, negated) => *negated,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column(name: &str, ignore_case: bool) -> Column {
        Column {
            name: name.to_owned(),
            find: Find::Header(Vec::new(), 1),
            cell: Cell::Text,
            blanks: Vec::new(),
            optional: false,
            private: false,
            volatile: false,
            unique: false,
            family: false,
            ignore_case,
        }
    }

    fn words(all: &[&str]) -> Vec<Box<[u8]>> {
        all.iter().map(|word| word.as_bytes().into()).collect()
    }

    /// Conditions on the cells of the columns 0 and 1, and some that say nothing of words.
    fn condition() -> impl Strategy<Value = Expr> {
        let word = || prop::sample::select(vec!["", "a", "b", "a longer word than sixteen"]);
        let cell = || (0..2_usize).prop_map(|column| Box::new(Expr::Cell(column)));
        let equal = |is_equal| {
            if is_equal {
                Operator::Equal
            } else {
                Operator::NotEqual
            }
        };
        let text = |word: &str| Box::new(Expr::Text(word.as_bytes().into()));
        let one = prop_oneof![
            (any::<bool>(), cell(), word()).prop_map(move |(is_equal, cell, word)| {
                Expr::Compare(equal(is_equal), cell, text(word))
            }),
            (cell(), prop::collection::vec(word(), 1..3), any::<bool>())
                .prop_map(|(cell, asked, negated)| Expr::OneOf(cell, words(&asked), negated)),
            (cell(), any::<bool>()).prop_map(|(cell, negated)| Expr::IsBlank(cell, negated)),
            any::<bool>().prop_map(move |holds| Expr::Compare(equal(holds), text("x"), text("x"))),
        ];
        one.prop_recursive(2, 4, 2, |inner| {
            (inner.clone(), inner)
                .prop_map(|(left, right)| Expr::And(Box::new(left), Box::new(right)))
        })
    }

    fn holds(condition: &Expr, cells: &[&str; 2]) -> bool {
        let text = |expr: &Expr| match expr {
            Expr::Cell(column) => cells[*column].as_bytes().to_vec(),
            Expr::Text(text) => text.to_vec(),
            other => panic!("{other:?}"),
        };
        match condition {
            Expr::Compare(operator, left, right) => {
                (text(left) == text(right)) == (*operator == Operator::Equal)
            }
            Expr::OneOf(cell, words, negated) => {
                words.iter().any(|word| **word == *text(cell)) != *negated
            }
            Expr::IsBlank(cell, negated) => text(cell).is_empty() != *negated,
            Expr::And(left, right) => holds(left, cells) && holds(right, cells),
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn what_is_left_to_ask_says_what_all_conditions_say(
            tests in prop::collection::vec(prop::collection::vec(condition(), 0..3), 1..4),
            cells in prop::array::uniform2(prop::sample::select(vec!["", "a", "b", "c", "a longer word than sixteen", "another that is as long"])),
        ) {
            let columns = [column("one", false), column("other", false)];
            let tests: Vec<Test> = tests.into_iter().map(|conditions| Test { words: Vec::new(), conditions }).collect();
            let dispatch = Dispatch::of(tests.iter(), &columns);
            let number = |(nth, of): (usize, &DispatchColumn)| dispatch.word_number(nth, cells[of.column].as_bytes());
            let numbers: Vec<u32> = dispatch.columns.iter().enumerate().map(number).collect();
            for test in &tests {
                let expected = test.conditions.iter().all(|condition| holds(condition, &cells));
                let left = dispatch.left_to_ask(test, &columns, &numbers);
                let said = left.is_some_and(|left| left.iter().all(|condition| holds(condition, &cells)));
                prop_assert_eq!(said, expected);
            }
        }

        #[test]
        fn a_word_has_its_number_in_whichever_case_it_is_written_where_that_does_not_matter(
            cell in "[bB][uU][yY]|[äÄ]|buy .{0,80}|.{0,70}", ignore_case: bool,
        ) {
            let asked = ["buy", "ä", "buy something with a longer name", ""];
            let columns = [column("type", ignore_case)];
            let test = Test { words: vec![WordTest { column: 0, words: words(&asked) }], conditions: Vec::new() };
            let dispatch = Dispatch::of([&test].into_iter(), &columns);
            let wanted = if ignore_case { cell.to_lowercase() } else { cell.clone() };
            let expected = asked.iter().position(|word| *word == wanted).map_or(0, |nth| nth as u32 + 1);
            prop_assert_eq!(dispatch.word_number(0, cell.as_bytes()), expected);
        }
    }

    #[test]
    fn counts_are_read_as_they_are_written() {
        assert!(Count::parse("1..").unwrap().holds(1000));
        assert!(!Count::parse("1..3").unwrap().holds(4));
        assert_eq!(Count::parse("2"), Some(Count { least: 2, most: 2 }));
        assert_eq!(Count::parse("3..1"), None);
        assert_eq!(Count::parse("many"), None);
    }
}
