//! Which rule of the mapping a row is read by.

use std::rc::Rc;

use super::super::evaluate::{Evaluate, RowError, trim};
use super::super::row_view::RowView;
use super::{Candidate, MAX_CACHED, NEAR, NEAR_WORDS, Worker};
use crate::mapping::{Expr, Program, Test};
use crate::model::Short;

/// A skip or rule whose words fit a row.
pub(super) struct Choice<'f> {
    candidate: Candidate,
    /// What the words do not tell of its conditions.
    left_to_ask: Box<[&'f Expr]>,
}

impl<'f> Worker<'f> {
    /// The first skip or rule that holds.
    pub fn choose(&mut self, view: &RowView<'_>) -> Result<Option<Candidate>, RowError> {
        let key = self.word_key(view);
        let candidates = self.candidates_for(view, key);
        self.first_of(view, &candidates)
    }

    /// The first of some skips and rules whose conditions hold.
    fn first_of(
        &self,
        view: &RowView<'_>,
        candidates: &[Choice<'f>],
    ) -> Result<Option<Candidate>, RowError> {
        for choice in candidates {
            let mut holds = true;
            for condition in &choice.left_to_ask {
                if !view.truth(condition)? {
                    holds = false;
                    break;
                }
            }
            if holds {
                return Ok(Some(choice.candidate));
            }
        }
        Ok(None)
    }

    /// As [`Worker::choose`], at once where the words of the row alone decide and were met before. `None` as well where it
    /// cannot be told.
    #[inline(always)]
    pub(super) fn choose_near(&mut self, view: &RowView<'_>) -> Option<Candidate> {
        let key = self.word_key(view);
        if self.exact_key
            && let Some((of_key, found)) = self.near_choices[key as usize % NEAR]
            && of_key == key
        {
            return Some(found);
        }
        let candidates = self.candidates_for(view, key);
        if self.exact_key
            && let Some(first) = candidates.first()
            && first.left_to_ask.is_empty()
        {
            self.near_choices[key as usize % NEAR] = Some((key, first.candidate));
        }
        self.first_of(view, &candidates).ok()?
    }

    /// The numbers of the row's words as one, which is another for other words if it can be.
    #[inline(always)]
    fn word_key(&mut self, view: &RowView<'_>) -> u64 {
        let dispatch = &self.file.program.dispatch;
        let mut key = 0u64;
        for (nth, (column, near)) in dispatch
            .columns
            .iter()
            .zip(&mut self.near_words)
            .enumerate()
        {
            let number = match self.file.plain(column.column) {
                Some(at) => {
                    let cell = || trim(view.record.get(at).unwrap_or_default());
                    match view.record.short(at) {
                        Some(short) => {
                            let near = &mut near[(short.mixed() >> 58) as usize % NEAR_WORDS];
                            if near.0 != short {
                                *near = (short, dispatch.word_number(nth, cell()));
                            }
                            near.1
                        }
                        None => dispatch.word_number(nth, cell()),
                    }
                }
                None => dispatch.word_number(nth, &view.cell(column.column)),
            };
            key = key
                .wrapping_mul(column.words.len() as u64 + 1)
                .wrapping_add(u64::from(number));
        }
        key
    }

    /// The tests whose words fit the row. Rows with the same words share the list.
    fn candidates_for(&mut self, view: &RowView<'_>, key: u64) -> Rc<[Choice<'f>]> {
        if !self.exact_key {
            return self.candidates_of_words(view);
        }
        let near = &self.near_candidates[key as usize % NEAR];
        if let Some((of_key, found)) = near
            && *of_key == key
        {
            return found.clone();
        }
        let found = match self.candidates.get(&key) {
            Some(found) => found.clone(),
            None => {
                let found = self.candidates_of_words(view);
                if self.candidates.len() < MAX_CACHED {
                    self.candidates.insert(key, found.clone());
                }
                found
            }
        };
        self.near_candidates[key as usize % NEAR] = Some((key, found.clone()));
        found
    }

    /// The tests that may hold for the words that were found.
    fn candidates_of_words(&self, view: &RowView<'_>) -> Rc<[Choice<'f>]> {
        let program = &self.file.program;
        let dispatch = &program.dispatch;
        let columns = dispatch.columns.iter().enumerate();
        let numbers: Vec<u32> = columns
            .map(|(nth, column)| dispatch.word_number(nth, &view.cell(column.column)))
            .collect();
        let choice = |candidate, test: &'f Test| {
            let may_hold = dispatch.may_hold(test, &numbers);
            let left_to_ask = may_hold
                .then(|| dispatch.left_to_ask(test, &program.columns, &numbers))??
                .into();
            Some(Choice {
                candidate,
                left_to_ask,
            })
        };
        let skips = (program.skips.iter().enumerate())
            .filter_map(|(index, skip)| choice(Candidate::Skip(index), &skip.test));
        let rules = (program.rules.iter().enumerate())
            .filter_map(|(index, rule)| choice(Candidate::Rule(index), &rule.test));
        skips.chain(rules).collect()
    }

    pub(super) fn no_rule_message(&self, view: &RowView<'_>) -> String {
        let program = &self.file.program;
        let words: Vec<String> = program
            .dispatch
            .columns
            .iter()
            .filter(|column| !column.of_conditions && !program.columns[column.column].private)
            .map(|column| {
                format!(
                    "{} = '{}'",
                    program.columns[column.column].name,
                    String::from_utf8_lossy(&view.cell(column.column))
                )
            })
            .collect();
        if words.is_empty() {
            "no rule of the mapping fits this row".to_owned()
        } else {
            format!("no rule of the mapping fits {}", words.join(", "))
        }
    }
}

/// The empty cell, and its number in a choice column.
pub(super) fn empty_word(program: &Program, nth: usize) -> (Short, u32) {
    (Short::default(), program.dispatch.word_number(nth, b""))
}
