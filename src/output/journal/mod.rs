//! Journals of plain-text accounting: one entry for each event, whose postings balance.
//!
//! Comes in: a [`Ledger`] and a [`JournalLayout`], the table `[journal]` of a target, which says all in which one program's
//! journals differ from another's. Goes out: a journal, the sums of the person's own accounts read back from it, and what
//! there is to know before it is written. It is made so that the program takes it: names are made valid or refused, entries
//! balance exactly, and a balance is asserted only where the journal comes to it.

mod assertions;
mod dialect;
mod entry;
mod layout;
mod names;
mod naming;
mod survey;
mod template;
#[cfg(test)]
mod tests;
mod texts;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use super::{Findings, Weight, WrittenSums};
use crate::ledger::{Ledger, NameTexts};
use crate::model::Amount;
use assertions::Assertions;
use dialect::Dialect;
use entry::{EntryError, TradePolicy};
use naming::Naming;
use survey::Survey;

pub use layout::{JournalLayout, JournalOption};

/// Why there is no journal.
#[derive(Debug)]
pub enum JournalError {
    /// An option is unknown, or not what it can be.
    Option(String),
    /// The postings of an event do not add up to nothing: a bug.
    Unbalanced {
        event: u64,
        asset: String,
        rest: Amount,
    },
    /// The sums of an event have more digits than can be held.
    Overflow {
        event: u64,
    },
    /// The program would refuse the journal, or two things would be one in it.
    Refused(Findings),
    Output(io::Error),
}

impl JournalError {
    fn entry(event: u64, error: EntryError, names: &NameTexts) -> JournalError {
        match error {
            EntryError::Overflow => JournalError::Overflow { event },
            EntryError::Unbalanced(asset, rest) => JournalError::Unbalanced {
                event,
                asset: names.asset(asset).to_owned(),
                rest,
            },
        }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::Option(reason) => f.write_str(reason),
            JournalError::Unbalanced { event, asset, rest } => write!(
                f,
                "the postings of event {event:016x} do not balance, {rest} {asset} is left: this is a bug of coinfold"
            ),
            JournalError::Overflow { event } => write!(
                f,
                "the sums of event {event:016x} have more digits than can be held exactly"
            ),
            JournalError::Refused(findings) => {
                let refused = findings.iter().filter(|one| one.weight == Weight::Refused);
                let told: Vec<String> = refused
                    .map(|one| format!("{} ({})", one.message, one.examples.join("; ")))
                    .collect();
                f.write_str(&told.join(". "))
            }
            JournalError::Output(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for JournalError {}

impl From<io::Error> for JournalError {
    fn from(error: io::Error) -> JournalError {
        JournalError::Output(error)
    }
}

/// A journal that was written.
pub struct JournalWritten {
    /// Of the whole file.
    pub lines: u64,
    /// What the postings to the person's own accounts add up to, read back from their text.
    pub sums: WrittenSums,
    pub findings: Findings,
}

/// A journal before it is written: its names, its assertions, and what there is to know of it.
pub struct JournalPlan<'l> {
    ledger: &'l Ledger,
    names: &'l NameTexts,
    dialect: Dialect,
    policy: TradePolicy,
    survey: Survey,
    naming: Naming,
    assertions: Assertions,
    /// What the journal cannot say, or says otherwise. With a refused one it is not written.
    pub findings: Findings,
}

impl<'l> JournalPlan<'l> {
    /// Looks at everything once. `options` are those of [`JournalLayout::options`] that the person set.
    ///
    /// # Errors
    /// When an option is wrong, or an event cannot be written.
    pub fn new(
        ledger: &'l Ledger,
        names: &'l NameTexts,
        layout: &JournalLayout,
        options: &BTreeMap<String, String>,
    ) -> Result<JournalPlan<'l>, JournalError> {
        let dialect = Dialect::read(&layout.document, options).map_err(JournalError::Option)?;
        let document = &dialect.document;
        let rank = |asset: &str| {
            let place = document.prices_in.iter().position(|code| code == asset);
            place.unwrap_or(usize::MAX)
        };
        let policy = TradePolicy {
            trades: dialect.trades,
            price_rank: names.assets.iter().map(|asset| rank(asset)).collect(),
            cost_digits: document.cost_digits,
            least_decimals: document.least_decimals,
        };
        let survey = survey::survey(ledger, names, &policy, document.most_digits)?;
        let mut findings = Findings::default();
        let naming = naming::name(&dialect, names, &survey, &mut findings);
        let mut assertions = match (&dialect.assertion, &dialect.balance) {
            (None, None) => Assertions::default(),
            _ => assertions::find(ledger),
        };
        // Numbers of names differ from run to run.
        for after in assertions.after.values_mut() {
            after.retain(|one| {
                let account = naming.own.get(&(one.account, one.asset));
                account.is_some_and(|account| !naming.has_below(account))
            });
            after.sort_by_key(|one| (names.account(one.account), names.asset(one.asset)));
        }
        let mut plan = JournalPlan {
            ledger,
            names,
            dialect,
            policy,
            survey,
            naming,
            assertions,
            findings,
        };
        plan.find_losses();
        Ok(plan)
    }

    fn find_losses(&mut self) {
        let mut rounded: Vec<(&str, u64)> = self
            .survey
            .rounded
            .iter()
            .map(|(asset, count)| (self.names.asset(*asset), *count))
            .collect();
        rounded.sort_unstable();
        for (asset, count) in rounded {
            self.findings.add(
                Weight::Loss,
                "digits",
                "amounts have more digits than the program reckons with: it rounds them",
                "",
                || format!("{asset}: {count} amounts"),
            );
        }
        for event in &self.ledger.events {
            let Some(longest) = self.dialect.document.values.longest_bytes else {
                break;
            };
            let view = self.ledger.view(event);
            let cut = |text: &&[u8]| {
                text.len() * texts::LONGEST_REPLACEMENT_BYTES > longest
                    && self.dialect.values.put(&mut Vec::new(), text)
            };
            if view.texts().iter().any(cut) {
                self.findings.add(
                    Weight::Loss,
                    "text",
                    "a text is longer than the program takes: it is cut",
                    "",
                    || format!("event {:016x}", view.id),
                );
            }
        }
        let mut unreached = std::mem::take(&mut self.assertions.unreached);
        unreached.sort_by_key(|one| {
            (
                one.time_ns,
                self.names.account(one.account),
                self.names.asset(one.asset),
            )
        });
        for one in unreached {
            self.findings.add(
                Weight::Note,
                "balance",
                "an export states another balance than its rows come to from nothing: it is not asserted",
                "history from before the export is missing, or balances are those of several accounts together",
                || {
                    format!(
                        "{} {} {}: {} stated, {} here",
                        self.dialect.date(one.time_ns),
                        self.names.account(one.account),
                        self.names.asset(one.asset),
                        one.stated,
                        one.reached,
                    )
                },
            );
        }
    }

    /// Whether the journal would be refused, and so is not written.
    pub fn is_refused(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.weight == Weight::Refused)
    }

    /// Writes the journal.
    ///
    /// # Errors
    /// When a finding refuses it, or the output cannot be written.
    pub fn write(self, out: &mut (dyn Write + Send)) -> Result<JournalWritten, JournalError> {
        if self.is_refused() {
            return Err(JournalError::Refused(self.findings));
        }
        let (lines, sums) = write::write(&self, out)?;
        Ok(JournalWritten {
            lines,
            sums,
            findings: self.findings,
        })
    }
}

/// Writes a ledger as a journal: [`JournalPlan::new`], then [`JournalPlan::write`].
///
/// # Errors
/// See [`JournalError`].
pub fn write_journal(
    ledger: &Ledger,
    names: &NameTexts,
    layout: &JournalLayout,
    options: &BTreeMap<String, String>,
    out: &mut (dyn Write + Send),
) -> Result<JournalWritten, JournalError> {
    JournalPlan::new(ledger, names, layout, options)?.write(out)
}
