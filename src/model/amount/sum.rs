//! A running total of amounts.

use std::fmt;

use super::{Amount, POW10, POW10_64, strip_zeros};

/// A running total of [`Amount`]s: exact, and fast while the amounts have about the same number of digits, because it
/// is brought to lowest terms only when it is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// Never `i128::MIN`.
    mantissa: i128,
    /// 0..=38, the most digits behind the point of any amount so far.
    scale: u8,
}

/// A running total does not fit any more; it stays as it was before the amount that was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sum has more digits than can be held exactly")
    }
}

impl std::error::Error for Overflow {}

impl Sum {
    /// The sum of nothing.
    pub const ZERO: Sum = Sum {
        mantissa: 0,
        scale: 0,
    };

    /// Adds an amount.
    ///
    /// # Errors
    /// [`Overflow`] if the new total cannot be held exactly; the total is left as it was.
    #[inline]
    pub fn add(&mut self, amount: Amount) -> Result<(), Overflow> {
        if amount.scale == self.scale
            && let Some(mantissa) = self.mantissa.checked_add(amount.mantissa)
            && mantissa != i128::MIN
        {
            self.mantissa = mantissa;
            return Ok(());
        }
        self.add_unlike(amount)
    }

    /// Takes an amount away.
    ///
    /// # Errors
    /// As [`Sum::add`].
    #[inline]
    pub fn sub(&mut self, amount: Amount) -> Result<(), Overflow> {
        self.add(amount.neg())
    }

    /// The total so far.
    pub fn total(&self) -> Amount {
        let (magnitude, scale) = strip_zeros(self.mantissa.unsigned_abs(), u32::from(self.scale));
        Amount::signed(self.mantissa < 0, magnitude, scale as u8)
    }

    /// Whether the total is nothing.
    pub const fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    fn add_unlike(&mut self, amount: Amount) -> Result<(), Overflow> {
        // Amounts with fewer digits than the total are the rule; 64 bits times 10^15 always fits.
        if amount.scale <= self.scale
            && let Some(power) = POW10_64.get(usize::from(self.scale - amount.scale))
            && let Ok(small) = i64::try_from(amount.mantissa)
            && let Some(mantissa) = self
                .mantissa
                .checked_add(i128::from(small) * i128::from(*power))
            && mantissa != i128::MIN
        {
            self.mantissa = mantissa;
            return Ok(());
        }
        self.add_any(amount)
    }

    fn add_any(&mut self, amount: Amount) -> Result<(), Overflow> {
        let scale = self.scale.max(amount.scale);
        let shift = |mantissa: i128, from: u8| {
            let power = i128::try_from(POW10[usize::from(scale - from)]).ok()?;
            mantissa.checked_mul(power)
        };
        let mantissa = shift(self.mantissa, self.scale)
            .zip(shift(amount.mantissa, amount.scale))
            .and_then(|(total, more)| total.checked_add(more))
            .filter(|mantissa| *mantissa != i128::MIN);
        match mantissa {
            Some(mantissa) => *self = Sum { mantissa, scale },
            None => {
                let total = self.total().checked_add(amount).ok_or(Overflow)?;
                *self = Sum {
                    mantissa: total.mantissa,
                    scale: total.scale,
                };
            }
        }
        Ok(())
    }
}
