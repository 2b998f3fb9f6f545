//! Running totals by account and asset.

use rustc_hash::FxHashMap;

use crate::model::{Amount, NameId, Sum};

/// How many places are found without hashing.
const NEAR: usize = 64;

/// A running total for each account and asset that was moved.
#[derive(Default)]
pub struct Sums {
    totals: Vec<(NameId, NameId, Sum)>,
    places: FxHashMap<(NameId, NameId), u32>,
    /// Places in `totals`, from 1; 0: none. Found by account and asset, and checked there.
    near: Vec<u32>,
    /// An account and asset whose sum no longer fits.
    pub overflow: Option<(NameId, NameId)>,
}

impl Sums {
    /// Adds an amount; where the total no longer fits, that is kept in mind.
    #[inline]
    pub fn add(&mut self, account: NameId, asset: NameId, amount: Amount) {
        let slot = (asset.0.wrapping_mul(7) ^ account.0) as usize % NEAR;
        let near = self.near.get(slot).copied().unwrap_or(0) as usize;
        let place = match self.totals.get_mut(near.wrapping_sub(1)) {
            Some(total) if total.0 == account && total.1 == asset => &mut total.2,
            _ => self.look_up(account, asset, slot),
        };
        if place.add(amount).is_err() {
            self.overflow = Some((account, asset));
        }
    }

    /// Takes an amount away again.
    pub fn sub(&mut self, account: NameId, asset: NameId, amount: Amount) {
        self.add(account, asset, amount.neg());
    }

    /// Adds all totals of others.
    pub fn merge(&mut self, others: Sums) {
        self.overflow = self.overflow.or(others.overflow);
        for (account, asset, sum) in others.iter() {
            self.add(account, asset, sum.total());
        }
    }

    /// All totals.
    pub fn iter(&self) -> impl Iterator<Item = (NameId, NameId, Sum)> {
        self.totals.iter().copied()
    }

    #[cold]
    fn look_up(&mut self, account: NameId, asset: NameId, slot: usize) -> &mut Sum {
        let place = match self.places.get(&(account, asset)) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(self.totals.len()).expect("fewer than 2^32 totals");
                self.totals.push((account, asset, Sum::default()));
                self.places.insert((account, asset), place);
                place
            }
        };
        self.near.resize(NEAR, 0);
        self.near[slot] = place + 1;
        &mut self.totals[place as usize].2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_amount_is_in_the_total_of_its_account_and_asset(
            moves in proptest::collection::vec((0u32..5, 0u32..300, any::<i32>()), 0..500),
        ) {
            let mut sums = Sums::default();
            let mut expected: std::collections::BTreeMap<(u32, u32), i64> = Default::default();
            for (account, asset, amount) in moves {
                sums.add(NameId(account), NameId(asset), Amount::from(i64::from(amount)));
                *expected.entry((account, asset)).or_default() += i64::from(amount);
            }
            let found: std::collections::BTreeMap<(u32, u32), Amount> =
                sums.iter().map(|(account, asset, sum)| ((account.0, asset.0), sum.total())).collect();
            let expected: std::collections::BTreeMap<(u32, u32), Amount> =
                expected.into_iter().map(|(place, sum)| (place, Amount::from(sum))).collect();
            prop_assert_eq!(found, expected);
            prop_assert!(sums.overflow.is_none());
        }
    }
}
