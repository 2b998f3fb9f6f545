//! Which skips and rules can ever match: those before them are asked first, and may take all their rows.
//!
//! What a test asks of the words in cells, and of the words that an expression gives, is worked out exactly, as sets of
//! words. Whatever else it asks is compared as it stands: an earlier test takes a row for certain only if everything else
//! that it asks is asked by the later one too.

use std::collections::{BTreeMap, BTreeSet};

use crate::mapping::expression::{Expr, Operator};
use crate::mapping::program::{Cell, Program, Test};

/// Most parts into which what is left for a test may fall; beyond it a test counts as reachable.
const MAX_PARTS: usize = 4096;

type Word = Box<[u8]>;

/// A set of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Words {
    Only(BTreeSet<Word>),
    AllBut(BTreeSet<Word>),
}

impl Words {
    fn one(word: &[u8]) -> Words {
        Words::Only(BTreeSet::from([word.into()]))
    }

    fn is_empty(&self) -> bool {
        matches!(self, Words::Only(words) if words.is_empty())
    }

    fn complement(self) -> Words {
        match self {
            Words::Only(words) => Words::AllBut(words),
            Words::AllBut(words) => Words::Only(words),
        }
    }

    fn and(&self, other: &Words) -> Words {
        use Words::{AllBut, Only};
        match (self, other) {
            (Only(one), Only(other)) => Only(one & other),
            (Only(words), AllBut(without)) | (AllBut(without), Only(words)) => {
                Only(words - without)
            }
            (AllBut(one), AllBut(other)) => AllBut(one | other),
        }
    }

    fn or(&self, other: &Words) -> Words {
        self.clone()
            .complement()
            .and(&other.clone().complement())
            .complement()
    }
}

/// What is asked for its words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The cell of a column.
    Column(usize),
    /// What an expression gives, by how it is written down: equal texts give equal words.
    Expression(String),
}

/// For each subject that is asked for, the words that it may be; any other may be any.
type Region = BTreeMap<Subject, Words>;

/// The rows for which a test holds: those of a region for which the other conditions hold too.
#[derive(Clone, Debug)]
struct Claim {
    region: Region,
    /// How each of the other conditions is written down: equal texts are equal conditions.
    others: BTreeSet<String>,
}

impl Claim {
    fn of(test: &Test, program: &Program) -> Claim {
        let mut claim = Claim {
            region: Region::new(),
            others: BTreeSet::new(),
        };
        for asked in &test.words {
            claim.narrow(
                Subject::Column(asked.column),
                &Words::Only(asked.words.iter().cloned().collect()),
            );
        }
        for condition in &test.conditions {
            claim.add(condition, program);
        }
        claim
    }

    fn add(&mut self, condition: &Expr, program: &Program) {
        if let Some((subject, words)) = words_of(condition, program) {
            self.narrow(subject, &words);
        } else if let Expr::And(left, right) = condition {
            self.add(left, program);
            self.add(right, program);
        } else {
            self.others.insert(format!("{condition:?}"));
        }
    }

    fn narrow(&mut self, subject: Subject, words: &Words) {
        let narrowed = match self.region.get(&subject) {
            Some(known) => known.and(words),
            None => words.clone(),
        };
        self.region.insert(subject, narrowed);
    }
}

/// What a condition asks of the words of one subject, if that is all it asks.
fn words_of(condition: &Expr, program: &Program) -> Option<(Subject, Words)> {
    let subject_of = |expr: &Expr| match expr {
        // Where case does not matter words are held in lower case, and expressions compare the cell as it stands: these
        // are two subjects then.
        Expr::Cell(column)
            if matches!(program.columns[*column].cell, Cell::Text)
                && !program.columns[*column].ignore_case =>
        {
            Subject::Column(*column)
        }
        other => Subject::Expression(format!("{other:?}")),
    };
    let both = |left: &Expr, right: &Expr, join: fn(&Words, &Words) -> Words| {
        let (left, right) = (words_of(left, program)?, words_of(right, program)?);
        (left.0 == right.0).then(|| (left.0, join(&left.1, &right.1)))
    };
    let unless = |negated: bool, words: Words| if negated { words.complement() } else { words };
    match condition {
        Expr::Compare(operator @ (Operator::Equal | Operator::NotEqual), left, right) => {
            let (subject, word) = match (&**left, &**right) {
                (subject, Expr::Text(word)) | (Expr::Text(word), subject) => (subject, word),
                _ => return None,
            };
            let negated = *operator == Operator::NotEqual;
            Some((subject_of(subject), unless(negated, Words::one(word))))
        }
        Expr::OneOf(subject, words, negated) => {
            let words = Words::Only(words.iter().cloned().collect());
            Some((subject_of(subject), unless(*negated, words)))
        }
        Expr::IsBlank(subject, negated) => {
            Some((subject_of(subject), unless(*negated, Words::one(b""))))
        }
        Expr::Not(inner) => {
            words_of(inner, program).map(|(subject, words)| (subject, words.complement()))
        }
        Expr::And(left, right) => both(left, right, Words::and),
        Expr::Or(left, right) => both(left, right, Words::or),
        _ => None,
    }
}

/// What is left of a region without another, in parts that do not overlap; `None` if they have nothing in common.
fn without(region: &Region, taken: &Region) -> Option<Vec<Region>> {
    let any = Words::AllBut(BTreeSet::new());
    let apart = |(subject, words): (&Subject, &Words)| {
        region.get(subject).unwrap_or(&any).and(words).is_empty()
    };
    if taken.iter().any(apart) {
        return None;
    }
    let mut parts = Vec::new();
    let mut common = region.clone();
    for (subject, words) in taken {
        let here = common.get(subject).unwrap_or(&any).clone();
        let outside = here.and(&words.clone().complement());
        if !outside.is_empty() {
            let mut part = common.clone();
            part.insert(subject.clone(), outside);
            parts.push(part);
        }
        common.insert(subject.clone(), here.and(words));
    }
    Some(parts)
}

/// Which of the earlier claims take everything of a region, if they do.
fn takers(region: &Region, others: &BTreeSet<String>, earlier: &[Claim]) -> Option<Vec<usize>> {
    let certain = || {
        let fits = |claim: &&Claim| claim.others.is_subset(others);
        earlier
            .iter()
            .enumerate()
            .filter(move |(_, claim)| fits(claim))
    };
    let whole = |claim: &Claim| without(region, &claim.region).is_some_and(|left| left.is_empty());
    if let Some((index, _)) = certain().find(|(_, claim)| whole(claim)) {
        return Some(vec![index]);
    }
    let mut left = vec![region.clone()];
    let mut takers = Vec::new();
    for (index, claim) in certain() {
        let mut still = Vec::new();
        let mut took = false;
        for part in left {
            match without(&part, &claim.region) {
                None => still.push(part),
                Some(parts) => {
                    took = true;
                    still.extend(parts);
                }
            }
        }
        if took {
            takers.push(index);
        }
        if still.is_empty() {
            return Some(takers);
        }
        if still.len() > MAX_PARTS {
            return None;
        }
        left = still;
    }
    None
}

/// Why a test, or one of its words, never matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Never {
    /// It asks for words that exclude each other.
    Contradiction { test: usize, subject: Subject },
    /// Those before it take all its rows.
    Taken { test: usize, by: Vec<usize> },
    /// Those before it take all its rows with this word.
    WordTaken {
        test: usize,
        column: usize,
        word: Word,
        by: Vec<usize>,
    },
    /// The cell counts as empty when it holds this word.
    CountsAsBlank {
        test: usize,
        column: usize,
        word: Word,
    },
}

/// All that never matches, in the order of the tests: skips first, then rules.
pub fn never(program: &Program) -> Vec<Never> {
    let skips = program.skips.iter().map(|skip| &skip.test);
    let tests: Vec<&Test> = skips
        .chain(program.rules.iter().map(|rule| &rule.test))
        .collect();
    let claims: Vec<Claim> = tests.iter().map(|test| Claim::of(test, program)).collect();
    let mut found = Vec::new();
    for (test, claim) in claims.iter().enumerate() {
        if let Some((subject, _)) = claim.region.iter().find(|(_, words)| words.is_empty()) {
            let subject = subject.clone();
            found.push(Never::Contradiction { test, subject });
            continue;
        }
        if let Some(by) = takers(&claim.region, &claim.others, &claims[..test]) {
            found.push(Never::Taken { test, by });
            continue;
        }
        for asked in &tests[test].words {
            for word in &asked.words {
                let column = asked.column;
                let blanks = &program.columns[column].blanks;
                if !word.is_empty() && blanks.iter().any(|blank| blank == word) {
                    let word = word.clone();
                    found.push(Never::CountsAsBlank { test, column, word });
                    continue;
                }
                let mut region = claim.region.clone();
                let subject = Subject::Column(column);
                let here = region[&subject].and(&Words::one(word));
                if asked.words.len() < 2 || here.is_empty() {
                    continue;
                }
                region.insert(subject, here);
                if let Some(by) = takers(&region, &claim.others, &claims[..test]) {
                    let word = word.clone();
                    found.push(Never::WordTaken {
                        test,
                        column,
                        word,
                        by,
                    });
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(indices: &[u8]) -> BTreeSet<Word> {
        indices
            .iter()
            .map(|index| [*index].as_slice().into())
            .collect()
    }

    fn any_words() -> impl Strategy<Value = Words> {
        (proptest::collection::vec(0u8..4, 0..4), any::<bool>()).prop_map(|(list, only)| {
            if only {
                Words::Only(words(&list))
            } else {
                Words::AllBut(words(&list))
            }
        })
    }

    fn any_region() -> impl Strategy<Value = Region> {
        proptest::collection::btree_map((0usize..3).prop_map(Subject::Column), any_words(), 0..3)
    }

    fn holds(region: &Region, row: [u8; 3]) -> bool {
        region.iter().all(|(subject, words)| {
            let Subject::Column(column) = subject else {
                return false;
            };
            let cell: &[u8] = &[row[*column]];
            match words {
                Words::Only(words) => words.contains(cell),
                Words::AllBut(words) => !words.contains(cell),
            }
        })
    }

    proptest! {
        // 4 stands for all words that no test names.
        #[test]
        fn what_is_left_is_what_only_the_first_region_has(region in any_region(), taken in any_region()) {
            let left = without(&region, &taken);
            for row in (0u8..125).map(|number| [number % 5, number / 5 % 5, number / 25]) {
                let parts = left.as_ref().map_or(usize::from(holds(&region, row)), |parts| {
                    parts.iter().filter(|part| holds(part, row)).count()
                });
                prop_assert_eq!(parts, usize::from(holds(&region, row) && !holds(&taken, row)));
            }
        }

        #[test]
        fn a_region_is_taken_if_and_only_if_every_row_of_it_is(
            region in any_region(),
            earlier in proptest::collection::vec(any_region(), 0..5),
        ) {
            let claims: Vec<Claim> = earlier.iter().map(|region| Claim { region: region.clone(), others: BTreeSet::new() }).collect();
            prop_assume!(!region.values().any(Words::is_empty));
            let mut rows = (0u8..125).map(|number| [number % 5, number / 5 % 5, number / 25]);
            let all_taken = rows.all(|row| !holds(&region, row) || earlier.iter().any(|taken| holds(taken, row)));
            prop_assert_eq!(takers(&region, &BTreeSet::new(), &claims).is_some(), all_taken);
        }
    }
}
