//! An exact decimal amount, and a running total of such amounts.
//!
//! In: the digits of a cell. Out: a value that is compared, added and written without ever passing through a binary
//! float. What cannot be held exactly is refused, never rounded, unless a caller asks for a number of digits.

mod read;
mod sum;

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Neg, Range};
use std::str::FromStr;

use read::{Plain, parse_general, without_sign};
pub(crate) use read::{eight, joined, over_nine};
pub use sum::{Overflow, Sum};

/// Most digits behind the decimal point: 10^38 is the largest power of ten that an `i128` holds.
const MAX_SCALE: u32 = 38;

/// Longest canonical text: a sign, `0.` and 38 digits, or a sign, 39 digits and a point.
const TEXT_BYTES: usize = 41;

/// Room for all digits of an amount and one zero more.
const DIGITS: usize = 40;
/// Room behind them, so that any few of them can be copied in a piece of this size.
const SLACK: usize = 16;

/// `POW10[n]` is 10^n.
const POW10: [u128; MAX_SCALE as usize + 1] = {
    let mut table = [1; MAX_SCALE as usize + 1];
    let mut n = 1;
    while n < table.len() {
        table[n] = table[n - 1] * 10;
        n += 1;
    }
    table
};

/// `POW10_64[n]` is 10^n.
const POW10_64: [u64; 16] = {
    let mut table = [0; 16];
    let mut n = 0;
    while n < table.len() {
        table[n] = POW10[n] as u64;
        n += 1;
    }
    table
};

/// Two digits of a number below 100.
#[inline(always)]
pub(super) const fn two_digits_of(number: u64) -> [u8; 2] {
    PAIRS[number as usize & 127]
}

/// `00`, `01`, … `99`, and then nothing sensible up to a size that needs no check.
const PAIRS: [[u8; 2]; 128] = {
    let mut table = [[0; 2]; 128];
    let mut n = 0;
    while n < 100 {
        table[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    table
};

/// An exact decimal: `mantissa × 10^-scale`, with at most 38 digits behind the point and a mantissa of 127 bits (every
/// number of 38 digits, and those of 39 up to about 1.7 × 10^38).
///
/// It is always in lowest terms (no trailing zero in the fraction, zero is `0/0`), so `==` and `Hash` go by value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Amount {
    /// Never `i128::MIN`, so that the sign can always be turned.
    mantissa: i128,
    /// 0..=38; 0 unless the last digit of the mantissa is not zero.
    scale: u8,
}

/// Where in the text that an amount was read from the canonical text of its magnitude stands: what
/// [`Amount::write_to`] writes of the amount without its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Canonical {
    start: u8,
    /// 0 if it stands nowhere.
    length: u8,
}

impl Canonical {
    /// It stands nowhere in the text.
    pub const NONE: Canonical = Canonical {
        start: 0,
        length: 0,
    };

    /// The bytes of the text that are the canonical text, if any are.
    #[inline]
    pub fn range(self) -> Option<Range<usize>> {
        let start = usize::from(self.start);
        (self.length > 0).then(|| start..start + usize::from(self.length))
    }
}

/// Why a text is not an [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// Nothing stands there.
    Empty,
    /// It is not of the form `[+-] digits [. digits] [e [+-] digits]`.
    NotANumber,
    /// It is a number, but one that needs more digits than an [`Amount`] holds, on either side of the point.
    TooLarge,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AmountError::Empty => "no number stands here",
            AmountError::NotANumber => "not a number",
            AmountError::TooLarge => "more digits than can be held exactly",
        })
    }
}

impl std::error::Error for AmountError {}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount {
        mantissa: 0,
        scale: 0,
    };

    /// Reads `[+-] digits [. digits] [e|E [+-] digits]`; `.5` and `5.` are numbers too, blanks are not skipped.
    ///
    /// # Errors
    /// [`AmountError::Empty`] for an empty text, [`AmountError::NotANumber`] for any other form, and
    /// [`AmountError::TooLarge`] where the number cannot be held exactly. Nothing is ever rounded.
    #[inline]
    pub fn parse(text: &[u8]) -> Result<Amount, AmountError> {
        let (negative, number) = without_sign(text);
        match Plain::read(number) {
            Some(plain) => Ok(plain.amount(negative)),
            None => parse_general(text),
        }
    }

    /// As [`Amount::parse`]; says as well where in `text` the canonical text of the amount's magnitude stands, so that it
    /// can be copied instead of written again.
    ///
    /// # Errors
    /// As [`Amount::parse`].
    #[inline]
    pub fn parse_canonical(text: &[u8]) -> Result<(Amount, Canonical), AmountError> {
        let (negative, number) = without_sign(text);
        match Plain::read(number) {
            Some(plain) => {
                let canonical = plain.canonical(number, text.len() - number.len());
                Ok((plain.amount(negative), canonical))
            }
            None => parse_general(text).map(|amount| (amount, Canonical::NONE)),
        }
    }

    /// As [`Amount::parse_canonical`], of the most usual form alone: up to 16 digits on each side of a point, or 16 without
    /// one. `None` for any other text, whether it is an amount or not; the canonical text always stands somewhere.
    #[inline(always)]
    pub(crate) fn parse_plain(text: &[u8]) -> Option<(Amount, Canonical)> {
        let (negative, number) = without_sign(text);
        let plain = Plain::read(number)?;
        let canonical = plain.canonical(number, text.len() - number.len());
        Some((plain.amount(negative), canonical))
    }

    /// As [`Amount::parse_plain`], of the first `length` bytes of a block, of those texts that are usual in most exports:
    /// no sign, at most seven digits before the point and eight behind it. The canonical text begins where the block does;
    /// its length is given.
    #[inline(always)]
    pub(crate) fn parse_block(block: &[u8; 16], length: usize) -> Option<(Amount, usize)> {
        let start = eight(block.first_chunk()?);
        let other = over_nine(start);
        if other == 0 {
            return None;
        }
        let at = other.trailing_zeros() as usize / 8 % 8;
        let whole_digits = at.min(length);
        if whole_digits == 0 || (block[0] == b'0' && whole_digits > 1) {
            return None;
        }
        let whole = joined(start << (64 - 8 * whole_digits));
        if at >= length {
            let amount = Amount {
                mantissa: i128::from(whole),
                scale: 0,
            };
            return Some((amount, length));
        }
        let fraction_digits = length - 1 - at;
        if block[at] != b'.' || !(1..=8).contains(&fraction_digits) {
            return None;
        }
        let behind = eight(block[at + 1..].first_chunk()?);
        let mut fraction = behind << (64 - 8 * fraction_digits);
        if over_nine(fraction) != 0 {
            return None;
        }
        let mut scale = fraction_digits;
        if fraction >> 56 == 0 {
            let zeros = (fraction.leading_zeros() as usize / 8).min(scale);
            fraction = fraction.checked_shl(8 * zeros as u32).unwrap_or(0);
            scale -= zeros;
        }
        let magnitude = whole * POW10_64[scale & 15] + joined(fraction);
        let amount = Amount {
            mantissa: i128::from(magnitude),
            scale: scale as u8,
        };
        Some((amount, whole_digits + usize::from(scale > 0) + scale))
    }

    /// `mantissa × 10^-scale`, brought to lowest terms; `None` if it then needs more than 38 digits behind the point
    /// (or if the mantissa is `i128::MIN` and cannot be shortened).
    pub fn from_parts(mantissa: i128, scale: u32) -> Option<Amount> {
        Amount::fitted(mantissa < 0, mantissa.unsigned_abs(), scale)
    }

    /// All digits as one whole number, signed: 1.25 has 125.
    pub const fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// How many digits stand behind the point, 0 to 38: 1.25 has 2.
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// Whether it is above zero.
    pub const fn is_positive(self) -> bool {
        self.mantissa > 0
    }

    /// The amount without its sign.
    pub const fn abs(self) -> Amount {
        Amount {
            mantissa: self.mantissa.abs(),
            scale: self.scale,
        }
    }

    /// The amount with the other sign.
    pub const fn neg(self) -> Amount {
        Amount {
            mantissa: -self.mantissa,
            scale: self.scale,
        }
    }

    /// The exact sum; `None` if it does not fit.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        let (fine, coarse) = if self.scale >= other.scale {
            (self, other)
        } else {
            (other, self)
        };
        let scale = fine.scale;
        // A magnitude of 128 bits is enough: what overflows it cannot come back below 127 by adding 127 bits.
        let shifted = coarse
            .magnitude()
            .checked_mul(POW10[usize::from(scale - coarse.scale)])?;
        let (left, right) = (fine.magnitude(), shifted);
        let (negative, magnitude) = if fine.is_negative() == coarse.is_negative() {
            (fine.is_negative(), left.checked_add(right)?)
        } else if left >= right {
            (fine.is_negative(), left - right)
        } else {
            (coarse.is_negative(), right - left)
        };
        Amount::fitted(negative, magnitude, u32::from(scale))
    }

    /// The exact difference; `None` if it does not fit.
    pub fn checked_sub(self, other: Amount) -> Option<Amount> {
        self.checked_add(other.neg())
    }

    /// The exact product; `None` if it does not fit.
    pub fn checked_mul(self, other: Amount) -> Option<Amount> {
        let negative = self.is_negative() != other.is_negative();
        let scale = u32::from(self.scale) + u32::from(other.scale);
        match self.magnitude().checked_mul(other.magnitude()) {
            Some(magnitude) => Amount::fitted(negative, magnitude, scale),
            None => {
                let (magnitude, scale) =
                    shorten(product(self.magnitude(), other.magnitude()), scale)?;
                Amount::fitted(negative, magnitude, scale)
            }
        }
    }

    /// The quotient with at most `digits` digits behind the point, rounded half to even there (an exact quotient is
    /// not touched). `None` for a division by zero, for `digits` over 38, and for a quotient that does not fit.
    pub fn checked_div(self, by: Amount, digits: u8) -> Option<Amount> {
        let digits = i32::from(digits);
        if by.is_zero() || digits > MAX_SCALE as i32 {
            return None;
        }
        let negative = self.is_negative() != by.is_negative();
        let (dividend, mut divisor) = (self.magnitude(), by.magnitude());
        let mut scale = i32::from(self.scale) - i32::from(by.scale);
        if scale > digits {
            // More digits than asked for even before dividing: drop them in the same step.
            let Some(larger) = divisor.checked_mul(POW10[(scale - digits) as usize]) else {
                return Some(Amount::ZERO); // 127 bits over more than 128: less than half a unit
            };
            (divisor, scale) = (larger, digits);
        }
        let (mut quotient, mut rest) = (dividend / divisor, dividend % divisor);
        // Long division, as many digits at a time as 128 bits allow.
        let at_once = (u128::MAX / divisor).checked_ilog10().unwrap_or(0) as i32;
        while rest != 0 && scale < digits {
            let room = (u128::MAX / (quotient + 1)).checked_ilog10()? as i32;
            let (step, more) = if at_once > 0 && room > 0 {
                let step = at_once.min(room).min(digits - scale);
                let shifted = rest * POW10[step as usize];
                rest = shifted % divisor;
                (step, shifted / divisor)
            } else {
                let (digit, left) = next_digit(rest, divisor);
                rest = left;
                (1, digit)
            };
            quotient = quotient
                .checked_mul(POW10[step as usize])?
                .checked_add(more)?;
            scale += step;
        }
        if rest != 0 && rounds_up(rest, divisor, quotient) {
            quotient = quotient.checked_add(1)?;
        }
        if scale < 0 {
            quotient = quotient.checked_mul(POW10[scale.unsigned_abs() as usize])?;
            scale = 0;
        }
        Amount::fitted(negative, quotient, scale as u32)
    }

    /// The amount with at most `digits` digits behind the point, rounded half to even.
    pub fn round(self, digits: u8) -> Amount {
        if digits >= self.scale {
            return self;
        }
        let unit = POW10[usize::from(self.scale - digits)];
        let (mut quotient, rest) = (self.magnitude() / unit, self.magnitude() % unit);
        if rounds_up(rest, unit, quotient) {
            quotient += 1;
        }
        let (magnitude, scale) = strip_zeros(quotient, u32::from(digits));
        Amount::signed(self.is_negative(), magnitude, scale as u8)
    }

    /// The amount × 10^-`digits`, exactly: satoshi to bitcoin is 8. `None` if that needs more than 38 digits behind
    /// the point.
    pub fn scale_down(self, digits: u8) -> Option<Amount> {
        Amount::fitted(
            self.is_negative(),
            self.magnitude(),
            u32::from(self.scale) + u32::from(digits),
        )
    }

    /// Appends the canonical text: no exponent, no padding zeros, a `-` only before what is below zero.
    /// [`Amount::parse`] reads it back to the same amount.
    pub fn write_to(self, out: &mut Vec<u8>) {
        let (digits, first) = self.digits();
        let point = DIGITS - usize::from(self.scale);
        if self.is_negative() {
            out.push(b'-');
        }
        push_digits(out, &digits, first..point);
        if point < DIGITS {
            out.push(b'.');
            push_digits(out, &digits, point..DIGITS);
        }
    }

    /// All digits, the last at [`DIGITS`], with at least one before the point; gives the place of the first too.
    #[inline]
    fn digits(self) -> ([u8; DIGITS + SLACK], usize) {
        let magnitude = self.magnitude();
        let mut digits = [b'0'; DIGITS + SLACK];
        let first = match u64::try_from(magnitude) {
            Ok(small) => write_digits(&mut digits, DIGITS, small),
            Err(_) => {
                const CHUNK: u128 = POW10[19];
                let (high, low) = (magnitude / CHUNK, (magnitude % CHUNK) as u64);
                write_digits(&mut digits, DIGITS, low);
                match u64::try_from(high) {
                    Ok(high) => write_digits(&mut digits, DIGITS - 19, high),
                    Err(_) => {
                        write_digits(&mut digits, DIGITS - 19, (high % CHUNK) as u64);
                        write_digits(&mut digits, DIGITS - 38, (high / CHUNK) as u64)
                    }
                }
            }
        };
        // What stands before the first digit are zeros already.
        (digits, first.min(DIGITS - 1 - usize::from(self.scale)))
    }

    const fn magnitude(self) -> u128 {
        self.mantissa.unsigned_abs()
    }

    /// For a magnitude of at most 127 bits, in lowest terms already.
    const fn signed(negative: bool, magnitude: u128, scale: u8) -> Amount {
        debug_assert!(magnitude <= i128::MAX as u128);
        let mantissa = magnitude as i128;
        Amount {
            mantissa: if negative { -mantissa } else { mantissa },
            scale,
        }
    }

    /// Brings to lowest terms, and says no if it does not fit then.
    fn fitted(negative: bool, magnitude: u128, scale: u32) -> Option<Amount> {
        let (magnitude, scale) = strip_zeros(magnitude, scale);
        if magnitude > i128::MAX as u128 || scale > MAX_SCALE {
            return None;
        }
        Some(Amount::signed(negative, magnitude, scale as u8))
    }
}

/// Takes trailing zeros off, at most `scale` of them.
#[inline]
fn strip_zeros(magnitude: u128, scale: u32) -> (u128, u32) {
    // A multiple of ten is even: half of all numbers are done here.
    if scale == 0 || (magnitude & 1 == 1) {
        return (magnitude, scale);
    }
    if magnitude == 0 {
        return (0, 0);
    }
    strip_zeros_of_even(magnitude, scale)
}

fn strip_zeros_of_even(mut magnitude: u128, mut scale: u32) -> (u128, u32) {
    while magnitude > u128::from(u64::MAX) {
        if scale == 0 || !magnitude.is_multiple_of(10) {
            return (magnitude, scale);
        }
        let step = if scale >= 8 && magnitude.is_multiple_of(POW10[8]) {
            8
        } else {
            1
        };
        magnitude /= POW10[step];
        scale -= step as u32;
    }
    let mut small = magnitude as u64;
    while scale > 0 && small.is_multiple_of(10) {
        small /= 10;
        scale -= 1;
    }
    (u128::from(small), scale)
}

/// Half to even: whether `quotient`, with `rest` of `divisor` left over, goes up by one.
fn rounds_up(rest: u128, divisor: u128, quotient: u128) -> bool {
    match rest.cmp(&(divisor - rest)) {
        Ordering::Less => false,
        Ordering::Equal => quotient & 1 == 1,
        Ordering::Greater => true,
    }
}

/// The next digit of a long division and its rest, for a divisor so large that ten times the rest would not fit.
fn next_digit(rest: u128, divisor: u128) -> (u128, u128) {
    let (mut digit, mut left) = (0, 0_u128);
    for _ in 0..10 {
        // Both are below the divisor, which is below 2^127 or was multiplied up to less than 2^128.
        let (sum, overflowed) = left.overflowing_add(rest);
        if overflowed || sum >= divisor {
            left = sum.wrapping_sub(divisor);
            digit += 1;
        } else {
            left = sum;
        }
    }
    (digit, left)
}

/// The product in 256 bits: four limbs, lowest first.
fn product(left: u128, right: u128) -> [u64; 4] {
    const LOW: u128 = u64::MAX as u128;
    let (left_low, left_high) = (left & LOW, left >> 64);
    let (right_low, right_high) = (right & LOW, right >> 64);
    let low = left_low * right_low;
    let cross = left_high * right_low + (low >> 64);
    let other = left_low * right_high + (cross & LOW);
    let high = left_high * right_high + (cross >> 64) + (other >> 64);
    [low as u64, other as u64, high as u64, (high >> 64) as u64]
}

/// Divides by ten while nothing is left over, until 128 bits are enough; `None` if they never are.
fn shorten(mut limbs: [u64; 4], mut scale: u32) -> Option<(u128, u32)> {
    while limbs[2] != 0 || limbs[3] != 0 {
        if scale == 0 {
            return None;
        }
        let mut rest = 0_u128;
        for limb in limbs.iter_mut().rev() {
            let value = rest << 64 | u128::from(*limb);
            *limb = (value / 10) as u64;
            rest = value % 10;
        }
        if rest != 0 {
            return None;
        }
        scale -= 1;
    }
    Some((u128::from(limbs[1]) << 64 | u128::from(limbs[0]), scale))
}

/// Writes a number so that it ends before `end`; gives the place of its first digit. Nothing is written for zero
/// beyond one `0`.
#[inline]
fn write_digits(digits: &mut [u8; DIGITS + SLACK], mut end: usize, mut value: u64) -> usize {
    while value >= 100 {
        end -= 2;
        digits[end..end + 2].copy_from_slice(&two_digits_of(value % 100));
        value /= 100;
    }
    end -= 2;
    digits[end..end + 2].copy_from_slice(&two_digits_of(value));
    end + usize::from(value < 10)
}

/// Appends some digits: a copy of fixed size, of which the end is dropped again, needs no call.
#[inline]
fn push_digits(out: &mut Vec<u8>, digits: &[u8; DIGITS + SLACK], place: Range<usize>) {
    let end = out.len() + place.len();
    match digits.get(place.start..place.start + SLACK) {
        Some(block) if place.len() <= SLACK => {
            out.extend_from_slice(block);
            out.truncate(end);
        }
        _ => out.extend_from_slice(&digits[place]),
    }
}

impl Neg for Amount {
    type Output = Amount;

    fn neg(self) -> Amount {
        Amount::neg(self)
    }
}

impl From<i64> for Amount {
    fn from(whole: i64) -> Amount {
        Amount {
            mantissa: i128::from(whole),
            scale: 0,
        }
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Amount, AmountError> {
        Amount::parse(text.as_bytes())
    }
}

impl Ord for Amount {
    /// By value.
    fn cmp(&self, other: &Amount) -> Ordering {
        if self.scale == other.scale || self.mantissa.signum() != other.mantissa.signum() {
            return self.mantissa.cmp(&other.mantissa);
        }
        let power = i128::try_from(POW10[usize::from(self.scale.abs_diff(other.scale))])
            .unwrap_or(i128::MAX);
        // What overflows is further from zero than anything that fits.
        if self.scale < other.scale {
            match self.mantissa.checked_mul(power) {
                Some(mantissa) => mantissa.cmp(&other.mantissa),
                None => self.mantissa.cmp(&0),
            }
        } else {
            match other.mantissa.checked_mul(power) {
                Some(mantissa) => self.mantissa.cmp(&mantissa),
                None => 0.cmp(&other.mantissa),
            }
        }
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Amount) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(TEXT_BYTES + SLACK);
        self.write_to(&mut text);
        f.pad(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({self})")
    }
}

#[cfg(test)]
mod tests;
