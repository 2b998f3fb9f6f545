//! The far end of the proof: sums of amounts, read back from the text that was written.
//!
//! This shares no code with the reading of amounts from exports: what `model` may get wrong, this does not get wrong in
//! the same way.

use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::ledger::Totals;
use crate::model::Amount;

/// Sums by the texts of account and asset that were written.
///
/// Each name of a run is one text in memory, so its address tells it apart, much faster than its letters.
#[derive(Default)]
pub struct WrittenSums {
    sums: FxHashMap<(usize, usize), Entry>,
    /// An amount that cannot be read back, or a sum that does not fit.
    pub failure: Option<String>,
}

struct Entry {
    account: Box<str>,
    asset: Box<str>,
    sum: (i128, u32),
}

impl WrittenSums {
    /// Adds the amount whose text was written for an account and an asset; `sign` is -1 where the layout writes what goes
    /// out without a sign.
    pub fn add(&mut self, account: &str, asset: &str, amount_text: &[u8], sign: i128) {
        let Some((mantissa, scale)) = read(amount_text) else {
            self.failure = Some(format!(
                "cannot read back `{}`",
                String::from_utf8_lossy(amount_text)
            ));
            return;
        };
        let entry = self
            .sums
            .entry((account.as_ptr().addr(), asset.as_ptr().addr()));
        let entry = entry.or_insert_with(|| Entry {
            account: account.into(),
            asset: asset.into(),
            sum: (0, 0),
        });
        match join(entry.sum, (mantissa * sign, scale)) {
            Some(total) => entry.sum = total,
            None => self.failure = Some("a sum does not fit".to_owned()),
        }
    }

    pub fn merge(&mut self, other: WrittenSums) {
        if other.failure.is_some() {
            self.failure = other.failure;
        }
        for (place, theirs) in other.sums {
            match self.sums.entry(place) {
                Slot::Vacant(slot) => {
                    slot.insert(theirs);
                }
                Slot::Occupied(mut mine) => match join(mine.get().sum, theirs.sum) {
                    Some(total) => mine.get_mut().sum = total,
                    None => self.failure = Some("a sum does not fit".to_owned()),
                },
            }
        }
    }

    pub fn totals(&self) -> Totals {
        let named = self.sums.values().map(|entry| {
            let amount = Amount::from_parts(entry.sum.0, entry.sum.1).unwrap_or(Amount::ZERO);
            (
                (Arc::from(&*entry.account), Arc::from(&*entry.asset)),
                amount,
            )
        });
        Totals(named.collect())
    }
}

/// A plain amount: mantissa and scale.
pub(super) fn read(text: &[u8]) -> Option<(i128, u32)> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    let (whole, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, &digits[..0]),
    };
    if whole.is_empty() || (fraction.is_empty() && digits.len() != whole.len()) {
        return None;
    }
    let mut small = 0u64;
    let mut large: Option<i128> = None;
    for (nth, byte) in whole.iter().chain(fraction).enumerate() {
        if !byte.is_ascii_digit() {
            return None;
        }
        let digit = byte - b'0';
        if nth < 18 {
            small = small * 10 + u64::from(digit);
        } else {
            large = Some(
                large
                    .unwrap_or(i128::from(small))
                    .checked_mul(10)?
                    .checked_add(i128::from(digit))?,
            );
        }
    }
    let mantissa = large.unwrap_or(i128::from(small));
    Some((
        if negative { -mantissa } else { mantissa },
        u32::try_from(fraction.len()).ok()?,
    ))
}

/// The sum of two.
pub(super) fn join(one: (i128, u32), other: (i128, u32)) -> Option<(i128, u32)> {
    if one.1 == other.1 {
        return Some((one.0.checked_add(other.0)?, one.1));
    }
    let scale = one.1.max(other.1);
    let at_scale = |(mantissa, own): (i128, u32)| {
        if own == scale {
            Some(mantissa)
        } else {
            mantissa.checked_mul(10i128.checked_pow(scale - own)?)
        }
    };
    Some((at_scale(one)?.checked_add(at_scale(other)?)?, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_plain_amounts_are_read_back() {
        assert_eq!(read(b"-12.050"), Some((-12050, 3)));
        assert_eq!(read(b"0"), Some((0, 0)));
        for wrong in ["", "-", "1e5", "1.", ".5", "+1", "1,000"] {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_written_amount_is_read_back_as_it_was(mantissa in any::<i128>(), scale in 0u32..=38) {
            if let Some(amount) = Amount::from_parts(mantissa, scale) {
                let mut sums = WrittenSums::default();
                sums.add("A", "B", amount.to_string().as_bytes(), 1);
                prop_assert!(sums.failure.is_none());
                prop_assert_eq!(sums.totals().0.into_values().next(), Some(amount));
            }
        }
    }
}
