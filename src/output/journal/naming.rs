//! The names of a journal: of every commodity and every account that it uses, no two for one.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::dialect::{Counter, Dialect, place};
use super::survey::Survey;
use crate::ledger::NameTexts;
use crate::model::{Kind, NameId};
use crate::output::{Findings, Weight};

/// Names as they are written.
pub struct Naming {
    /// By asset.
    pub commodities: FxHashMap<NameId, Commodity>,
    /// By account and asset.
    pub own: FxHashMap<(NameId, NameId), String>,
    pub counters: FxHashMap<(Counter, Kind, NameId, NameId), String>,
    /// Every account with the instant of its first use.
    pub accounts: BTreeMap<String, i64>,
}

pub struct Commodity {
    /// With quotes, where it needs them.
    pub written: String,
    pub renamed: bool,
}

/// Name of an account whose parts are all empty.
const NAMELESS: &str = "nameless";

pub fn name(
    dialect: &Dialect,
    names: &NameTexts,
    survey: &Survey,
    findings: &mut Findings,
) -> Naming {
    let mut naming = Naming {
        commodities: FxHashMap::default(),
        own: FxHashMap::default(),
        counters: FxHashMap::default(),
        accounts: BTreeMap::new(),
    };
    naming.commodities(dialect, names, survey, findings);
    naming.accounts(dialect, names, survey, findings);
    naming
}

impl Naming {
    fn commodities(
        &mut self,
        dialect: &Dialect,
        names: &NameTexts,
        survey: &Survey,
        findings: &mut Findings,
    ) {
        let mut of: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        let mut assets: Vec<NameId> = survey.assets.keys().copied().collect();
        assets.sort_unstable_by_key(|asset| names.asset(*asset));
        for asset in assets {
            let text = names.asset(asset);
            let Some(name) = dialect.commodities.name(text) else {
                findings.add(
                    Weight::Refused,
                    "asset",
                    "no name that the program takes can be made of the code of an asset",
                    "give it one: --rename CODE=NAME",
                    || text.to_owned(),
                );
                continue;
            };
            if name != text {
                findings.add(
                    Weight::Note,
                    "asset",
                    "the program does not take the code of an asset: it has another name",
                    "",
                    || format!("{text}: {name}"),
                );
            }
            of.entry(name.clone()).or_default().insert(text);
            let commodity = Commodity {
                written: dialect.commodities.quoted(&name),
                renamed: name != text,
            };
            self.commodities.insert(asset, commodity);
        }
        for (name, assets) in of.iter().filter(|(_, assets)| assets.len() > 1) {
            findings.add(
                Weight::Refused,
                "asset",
                "two assets would have one name",
                "give one of them another: --rename CODE=NAME",
                || format!("{name}: {}", listed(assets)),
            );
        }
    }

    fn accounts(
        &mut self,
        dialect: &Dialect,
        names: &NameTexts,
        survey: &Survey,
        findings: &mut Findings,
    ) {
        let part = |text: &str| dialect.parts.name(text);
        let parts = |account: NameId| -> Option<String> {
            let parts: Option<Vec<String>> = names
                .account(account)
                .split(['/', ':'])
                .filter(|text| !text.trim().is_empty())
                .map(part)
                .collect();
            match parts?.join(":") {
                empty if empty.is_empty() => part(NAMELESS),
                parts => Some(parts),
            }
        };
        let mut whose: BTreeMap<String, BTreeSet<(&str, &str)>> = BTreeMap::new();
        let mut own: Vec<(NameId, NameId, i64)> = survey
            .own
            .iter()
            .map(|((account, asset), time_ns)| (*account, *asset, *time_ns))
            .collect();
        own.sort_unstable_by_key(|(account, asset, _)| {
            (names.account(*account), names.asset(*asset))
        });
        let mut nameless = |text: &str| {
            findings.add(
                Weight::Refused,
                "account",
                "no name that the program takes can be made of the name of an account or asset",
                "name the account with --account",
                || text.to_owned(),
            );
        };
        for (account, asset, time_ns) in own {
            let texts = (names.account(account), names.asset(asset));
            let (Some(account_parts), Some(asset_part)) = (parts(account), part(texts.1)) else {
                nameless(&format!("{} {}", texts.0, texts.1));
                continue;
            };
            let written = dialect.own.with(&[&account_parts, &asset_part]);
            whose.entry(written.clone()).or_default().insert(texts);
            self.opened(&written, time_ns);
            self.own.insert((account, asset), written);
        }
        let mut counters: BTreeSet<String> = BTreeSet::new();
        for ((counter, kind, account, asset), time_ns) in &survey.counters {
            let (account, asset) = (*account, *asset);
            // Where the parts have no name, that was said above: every counter account stands against a person's own.
            let (Some(account_parts), Some(asset_part), Some(kind_part)) =
                (parts(account), part(names.asset(asset)), part(kind.word()))
            else {
                continue;
            };
            let written =
                dialect
                    .counter(*counter, *kind)
                    .with(&[&account_parts, &asset_part, &kind_part]);
            self.opened(&written, *time_ns);
            counters.insert(written.clone());
            self.counters
                .insert((*counter, *kind, account, asset), written);
        }
        for (written, places) in &whose {
            let accounts: BTreeSet<&str> = places.iter().map(|(account, _)| *account).collect();
            let assets: BTreeSet<&str> = places.iter().map(|(_, asset)| *asset).collect();
            if accounts.len() > 1 {
                findings.add(
                    Weight::Refused,
                    "account",
                    "two accounts would have one name",
                    "name one of them with --account, or set asset_account so that they differ",
                    || format!("{written}: {}", listed(&accounts)),
                );
            } else if assets.len() > 1 && dialect.own.has(place::ASSET) {
                findings.add(
                    Weight::Note,
                    "account",
                    "two assets are in one account of the journal, each with its own commodity",
                    "",
                    || format!("{written}: {}", listed(&assets)),
                );
            }
            if counters.contains(written) {
                findings.add(
                    Weight::Refused,
                    "account",
                    "an account of your own and one that it stands against would have one name",
                    "set one of them to another",
                    || written.clone(),
                );
            }
        }
    }

    fn opened(&mut self, written: &str, time_ns: i64) {
        match self.accounts.get_mut(written) {
            Some(first) => *first = (*first).min(time_ns),
            None => {
                self.accounts.insert(written.to_owned(), time_ns);
            }
        }
    }

    /// Whether other accounts of the journal are below one: some programs count them to its balance.
    pub fn has_below(&self, account: &str) -> bool {
        let below = format!("{account}:");
        self.accounts
            .range(below.clone()..)
            .next()
            .is_some_and(|(next, _)| next.starts_with(&below))
    }
}

fn listed(texts: &BTreeSet<&str>) -> String {
    texts.iter().copied().collect::<Vec<_>>().join(", ")
}
