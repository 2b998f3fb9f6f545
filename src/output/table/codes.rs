//! How names are written for a target: codes of assets, options, zones, headers; worked out once for a run.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use rustc_hash::FxHashMap;

use super::facts::{Codes, Facts, text};
use super::pool::Flow;
use crate::ledger::NameTexts;
use crate::model::NameId;
use crate::output::findings::{Findings, Weight};
use crate::target::{Fill, Target, Targets};

/// What the person says of a target.
pub struct Settings<'s> {
    /// `--set NAME=VALUE`, over the target's defaults.
    pub options: BTreeMap<String, String>,
    /// `--rename CODE=NAME`, over the target's own.
    pub renames: BTreeMap<String, String>,
    /// Which codes are money of a state.
    pub targets: &'s Targets,
}

impl Settings<'_> {
    /// What is wrong with them, if anything: an option that the target does not have, a zone that is none.
    pub fn problem(&self, target: &Target) -> Option<String> {
        for name in self.options.keys() {
            if !target.options.iter().any(|(known, ..)| known == name) {
                let known: Vec<&str> = target
                    .options
                    .iter()
                    .map(|(name, ..)| name.as_str())
                    .collect();
                return Some(if known.is_empty() {
                    format!(
                        "`{}` has no options, so there is no `{name}` to be set",
                        target.id
                    )
                } else {
                    format!(
                        "`{}` has no option `{name}`: it has {}",
                        target.id,
                        known.join(", ")
                    )
                });
            }
        }
        let values = self.values(target);
        for part in &target.parts {
            for column in &part.columns {
                if let Fill::Time(_, _, zone) = &column.fill {
                    let zone = filled(zone, &values);
                    if zone.parse::<Tz>().is_err() {
                        return Some(format!("`{zone}` is no zone: write Europe/Paris or UTC"));
                    }
                }
            }
        }
        None
    }

    /// The options' values, by name.
    fn values(&self, target: &Target) -> BTreeMap<String, String> {
        target
            .options
            .iter()
            .map(|(name, default, _)| {
                let value = self.options.get(name).unwrap_or(default);
                (name.clone(), value.clone())
            })
            .collect()
    }
}

/// A text with options in braces, filled in.
fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = text.to_owned();
    for (name, value) in values {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    filled
}

/// Names as they are written.
pub struct Written<'l> {
    pub codes: Codes<'l>,
    names: &'l NameTexts,
    target: &'l Target,
    values: BTreeMap<String, String>,
    by_code: FxHashMap<String, NameId>,
    /// Assets that were met already.
    met: Vec<bool>,
    /// By part and column; columns that are no times have UTC.
    zones: Vec<Vec<Tz>>,
    headers: Vec<Vec<String>>,
}

impl<'l> Written<'l> {
    pub fn new(names: &'l NameTexts, target: &'l Target, settings: &Settings<'_>) -> Written<'l> {
        let values = settings.values(target);
        let rename = |asset: &str| {
            settings
                .renames
                .get(asset)
                .or_else(|| target.assets.rename.get(asset))
                .map_or_else(|| asset.to_owned(), Clone::clone)
        };
        let zone = |of: &str| filled(of, &values).parse().unwrap_or(Tz::UTC);
        let zones = target.parts.iter().map(|part| {
            let columns = part.columns.iter();
            columns
                .map(|column| match &column.fill {
                    Fill::Time(_, _, name) => zone(name),
                    _ => Tz::UTC,
                })
                .collect()
        });
        let headers = target.parts.iter().map(|part| {
            let columns = part.columns.iter();
            columns
                .map(|column| filled(&column.header, &values))
                .collect()
        });
        Written {
            codes: Codes {
                assets: names.assets.iter().map(|asset| rename(asset)).collect(),
                fiat: names
                    .assets
                    .iter()
                    .map(|asset| settings.targets.is_fiat(asset))
                    .collect(),
                accounts: &names.accounts,
            },
            names,
            target,
            by_code: FxHashMap::default(),
            met: vec![false; names.assets.len()],
            zones: zones.collect(),
            headers: headers.collect(),
            values,
        }
    }

    /// Notes the assets of an event, and tells of those that the tool would not take, or take for another.
    pub fn meet(&mut self, flows: &[Flow], findings: &mut Findings, example: impl Fn() -> String) {
        for flow in flows {
            let asset = flow.asset;
            let place = asset.0 as usize;
            let code = &self.codes.assets[place];
            let name = self.names.asset(asset);
            if let Some(meant) = self.target.assets.reads_as.get(code) {
                findings.add(
                    Weight::Loss,
                    "asset",
                    format!("the tool takes {code} for {meant}"),
                    "--rename CODE=NAME writes another code",
                    &example,
                );
            }
            let pattern = self.target.asset_pattern.as_ref();
            if pattern.is_some_and(|pattern| !pattern.is_match(code)) {
                findings.add(
                    Weight::Loss,
                    "asset",
                    format!("{code} is no code that the tool can read"),
                    "--rename CODE=NAME writes another code",
                    &example,
                );
            }
            if std::mem::replace(&mut self.met[place], true) {
                continue;
            }
            if code != name {
                findings.add(
                    Weight::Note,
                    "asset",
                    format!("{name} is written as {code}"),
                    "",
                    &example,
                );
            }
            self.by_code.entry(code.clone()).or_insert(asset);
        }
    }

    /// Why an event cannot be in the files, if another asset has the code of one of its assets already.
    pub fn clash(&self, flows: &[Flow]) -> Option<String> {
        flows.iter().find_map(|flow| {
            let code = &self.codes.assets[flow.asset.0 as usize];
            let first = self.asset_of(code).filter(|first| *first != flow.asset)?;
            Some(format!(
                "{} and {} would both be written as {code}: --rename CODE=NAME writes another code",
                self.names.asset(first),
                self.names.asset(flow.asset)
            ))
        })
    }

    /// The asset that a code stands for, as far as any was met.
    pub fn asset_of(&self, code: &str) -> Option<NameId> {
        self.by_code.get(code).copied()
    }

    pub fn with_options(&self, text: &str) -> String {
        filled(text, &self.values)
    }

    pub fn set_options(&self, facts: &mut Facts, target: &Target) {
        for (field, (name, ..)) in target.option_fields.iter().zip(&target.options) {
            facts.values[*field] = text(&self.values[name]);
        }
    }

    pub fn zone(&self, part: usize, column: usize) -> Tz {
        self.zones[part][column]
    }

    pub fn headers(&self, part: usize) -> &[String] {
        &self.headers[part]
    }
}
