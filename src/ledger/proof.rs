//! The proof of the amounts: sums taken when rows were read, against sums taken when legs were written.
//!
//! The two ends share no code: here the sums come from the typed legs as they were read, less those of rows that ended as
//! duplicates or were rejected; at the other end a writer reads the amounts back from the text that it has just written.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{EventRef, Ledger, event_in};
use crate::model::{Amount, NameId, Overflow, Sum};

/// Sums by account and asset, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals(pub BTreeMap<(Arc<str>, Arc<str>), Amount>);

/// The texts of a run's names.
pub struct NameTexts {
    pub assets: Vec<Arc<str>>,
    pub accounts: Vec<Arc<str>>,
}

impl NameTexts {
    pub fn asset(&self, id: NameId) -> &str {
        &self.assets[id.0 as usize]
    }

    pub fn account(&self, id: NameId) -> &str {
        &self.accounts[id.0 as usize]
    }
}

impl Totals {
    /// From sums by number; sums of zero that never had an amount do not occur.
    pub fn from_sums(
        sums: impl IntoIterator<Item = ((NameId, NameId), Sum)>,
        texts: &NameTexts,
    ) -> Totals {
        let named = sums.into_iter().map(|((account, asset), sum)| {
            (
                (
                    texts.accounts[account.0 as usize].clone(),
                    texts.assets[asset.0 as usize].clone(),
                ),
                sum.total(),
            )
        });
        Totals(named.collect())
    }

    /// How many accounts and assets there are.
    pub fn accounts_and_assets(&self) -> (usize, usize) {
        let accounts: std::collections::BTreeSet<&str> =
            self.0.keys().map(|(account, _)| &**account).collect();
        let assets: std::collections::BTreeSet<&str> =
            self.0.keys().map(|(_, asset)| &**asset).collect();
        (accounts.len(), assets.len())
    }

    /// Where two ends differ: account, asset, what was read, what was written. A sum of zero equals none.
    pub fn differences(&self, written: &Totals) -> Vec<(Arc<str>, Arc<str>, Amount, Amount)> {
        let mut differences = Vec::new();
        let keys: std::collections::BTreeSet<_> = self.0.keys().chain(written.0.keys()).collect();
        for key in keys {
            let amount = |totals: &Totals| totals.0.get(key).copied().unwrap_or(Amount::ZERO);
            if amount(self) != amount(written) {
                differences.push((key.0.clone(), key.1.clone(), amount(self), amount(written)));
            }
        }
        differences
    }
}

impl Ledger {
    pub fn name_texts(&self) -> NameTexts {
        NameTexts {
            assets: self.names.assets.texts(),
            accounts: self.names.accounts.texts(),
        }
    }

    /// What the used rows moved, from the sums that were taken when they were read.
    pub fn totals_read(&self, texts: &NameTexts) -> Result<Totals, Overflow> {
        let mut sums: BTreeMap<(NameId, NameId), Sum> = BTreeMap::new();
        for file in &self.files {
            if file.rows.sums.overflow.is_some() {
                return Err(Overflow);
            }
            for (account, asset, sum) in file.rows.sums.iter() {
                let all = sums.entry((account, asset)).or_default();
                all.add(sum.total())?;
            }
        }
        let mut dropped: Vec<EventRef> = self.dropped.keys().copied().collect();
        dropped.sort_unstable();
        for of_batch in dropped.chunk_by(|one, other| one.batch == other.batch) {
            let arena = self.batch(of_batch[0]).arena();
            for at in of_batch {
                let event = event_in(&arena, *at);
                for leg in event.legs() {
                    let leg = leg.read();
                    sums.entry((leg.account, leg.asset))
                        .or_default()
                        .sub(leg.amount)?;
                }
            }
        }
        Ok(Totals::from_sums(sums, texts))
    }
}
