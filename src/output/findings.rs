//! What a layout cannot say, gathered before anything is shown as done: the preflight.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many examples of a finding are kept.
const EXAMPLES: usize = 3;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// The file would be refused, or cannot hold the event at all.
    Refused,
    /// The file says less than the ledger, or something else.
    Loss,
    /// Worth knowing; nothing is lost.
    Note,
}

/// One thing that a layout cannot say, over all rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub weight: Weight,
    /// A short word for what it is about: `kind`, `decimals`, `asset`, …
    pub code: String,
    pub message: String,
    /// What to do; empty if there is nothing to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// How often.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<String>,
}

/// All findings of a run, in the order of their weight, code and message.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    found: BTreeMap<(Weight, &'static str, String), Finding>,
}

impl Findings {
    /// Adds one case. The example is only asked for while it is wanted.
    pub fn add(
        &mut self,
        weight: Weight,
        code: &'static str,
        message: impl Into<String>,
        help: &str,
        example: impl FnOnce() -> String,
    ) {
        let message = message.into();
        let finding = self
            .found
            .entry((weight, code, message.clone()))
            .or_insert_with(|| Finding {
                weight,
                code: code.to_owned(),
                message,
                help: help.to_owned(),
                count: 0,
                examples: Vec::new(),
            });
        finding.count += 1;
        if finding.examples.len() < EXAMPLES {
            let example = example();
            // One event may be found twice.
            if finding.examples.last() != Some(&example) {
                finding.examples.push(example);
            }
        }
    }

    /// The heaviest first.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.found.values()
    }

    /// Whether something would be lost or refused.
    pub fn any_loss(&self) -> bool {
        self.iter().any(|finding| finding.weight != Weight::Note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_findings_are_counted_and_the_heaviest_come_first() {
        let mut findings = Findings::default();
        for nth in 0..5 {
            findings.add(Weight::Note, "kind", "a note", "", || nth.to_string());
        }
        assert!(!findings.any_loss());
        findings.add(Weight::Loss, "kind", "a loss", "do this", || "x".to_owned());
        let all: Vec<_> = findings.iter().collect();
        assert_eq!((all[0].message.as_str(), all[0].count), ("a loss", 1));
        assert_eq!(all[1].count, 5);
        assert_eq!(all[1].examples, ["0", "1", "2"]);
        assert!(findings.any_loss());
    }
}
