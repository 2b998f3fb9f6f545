//! Alias tables: from an exchange's own code of an asset to the canonical one.

use std::collections::BTreeMap;

use regex::Regex;

use super::document::AliasDocument;
use crate::model::Time;

/// How often an alias may lead to another before it is taken as it is.
const MAX_STEPS: usize = 8;

/// Longest code of an asset, in bytes.
pub const MAX_CODE_BYTES: usize = 128;

/// The alias tables that a mapping names, as one.
#[derive(Debug, Default)]
pub struct Aliases {
    strip: Vec<Regex>,
    alias: BTreeMap<String, String>,
    /// Code → what it means until or from an instant (nanoseconds since 1970).
    renamed: BTreeMap<String, Vec<Period>>,
}

#[derive(Debug)]
struct Period {
    from_ns: i64,
    before_ns: i64,
    to: String,
}

/// What a code means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    Always(String),
    /// Depends on the time of the row.
    Dated(String),
}

impl Aliases {
    /// Adds a table. The error says which entry is wrong, and why.
    pub fn add(&mut self, document: &AliasDocument) -> Result<(), (String, String)> {
        for pattern in &document.strip {
            let regex =
                Regex::new(pattern).map_err(|error| (pattern.clone(), error.to_string()))?;
            self.strip.push(regex);
        }
        for (code, canonical) in &document.alias {
            self.alias.insert(code.clone(), canonical.clone());
        }
        for renamed in &document.renamed {
            let day = |text: &Option<String>, otherwise: i64| match text {
                None => Ok(otherwise),
                Some(text) => Time::parse_rfc3339(&format!("{text}T00:00:00Z"))
                    .map(Time::ns)
                    .ok_or_else(|| (text.clone(), "a day is written 2022-05-28".to_owned())),
            };
            let period = Period {
                from_ns: day(&renamed.from, i64::MIN)?,
                before_ns: day(&renamed.before, i64::MAX)?,
                to: renamed.to.clone(),
            };
            if renamed.from.is_none() && renamed.before.is_none() {
                return Err((
                    renamed.code.clone(),
                    "say `before` or `from` which day".to_owned(),
                ));
            }
            self.renamed
                .entry(renamed.code.clone())
                .or_default()
                .push(period);
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.strip.is_empty() && self.alias.is_empty() && self.renamed.is_empty()
    }

    /// The canonical code, and whether its meaning changes with time.
    pub fn meaning(&self, code: &str) -> Meaning {
        let mut current = code.trim().to_owned();
        for _ in 0..MAX_STEPS {
            if let Some(next) = self.alias.get(&current) {
                if *next == current {
                    break;
                }
                current.clone_from(next);
                continue;
            }
            let stripped = self
                .strip
                .iter()
                .map(|regex| regex.replace(&current, ""))
                .find(|text| *text != current);
            match stripped {
                Some(text) if !text.is_empty() => current = text.into_owned(),
                _ => break,
            }
        }
        if self.renamed.contains_key(&current) {
            Meaning::Dated(current)
        } else {
            Meaning::Always(current)
        }
    }

    /// What a dated code means at an instant.
    pub fn at<'a>(&'a self, code: &'a str, time: Time) -> &'a str {
        let periods = self.renamed.get(code).map_or(&[][..], Vec::as_slice);
        let holds = |period: &&Period| period.from_ns <= time.ns() && time.ns() < period.before_ns;
        periods.iter().find(holds).map_or(code, |period| &period.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_go_aliases_lead_on_and_dates_decide() {
        let table = "strip = ['\\d*\\.[SM]$']\n[alias]\nXXBT = 'XBT'\nXBT = 'BTC'\n[[renamed]]\ncode = 'LUNA'\nbefore = '2022-05-28'\nto = 'LUNC'\n";
        let mut aliases = Aliases::default();
        aliases.add(&toml::from_str(table).unwrap()).unwrap();
        assert_eq!(aliases.meaning("XXBT"), Meaning::Always("BTC".into()));
        assert_eq!(aliases.meaning("DOT28.S"), Meaning::Always("DOT".into()));
        assert_eq!(aliases.meaning("XBT.M"), Meaning::Always("BTC".into()));
        assert_eq!(aliases.meaning("LUNA"), Meaning::Dated("LUNA".into()));
        let at = |text| aliases.at("LUNA", Time::parse_rfc3339(text).unwrap());
        assert_eq!(at("2022-05-27T23:59:59Z"), "LUNC");
        assert_eq!(at("2022-05-28T00:00:00Z"), "LUNA");
    }

    #[test]
    fn an_alias_that_goes_in_a_circle_ends() {
        let mut aliases = Aliases::default();
        aliases
            .add(&toml::from_str("[alias]\nA = 'B'\nB = 'A'\n").unwrap())
            .unwrap();
        assert!(matches!(aliases.meaning("A"), Meaning::Always(_)));
    }
}
