//! An exact decimal amount, and a running total of such amounts.
//!
//! In: the digits of a cell. Out: a value that is compared, added and written without ever passing through a binary
//! float. What cannot be held exactly is refused, never rounded, unless a caller asks for a number of digits.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Neg, Range};
use std::str::FromStr;

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

/// Whether a minus stands before a number, and the number without its sign.
#[inline(always)]
fn without_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        // All digits are above the signs.
        [b'0'..=b'\xFF', ..] => (false, text),
        [b'-', number @ ..] => (true, number),
        [b'+', number @ ..] => (false, number),
        number => (false, number),
    }
}

/// `0` in each of eight bytes.
const ZEROS: u64 = 0x3030_3030_3030_3030;
/// What a point is with a `0` taken off.
const POINT: u8 = b'.' ^ b'0';

/// Eight characters, the first in the lowest byte; what was a digit is its value, what was none is more than 9.
#[inline(always)]
pub(crate) fn eight(text: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*text) ^ ZEROS
}

/// The highest bit of each byte that is more than 9. Above the lowest of them, some may be wrong.
#[inline(always)]
pub(crate) const fn over_nine(bytes: u64) -> u64 {
    (bytes.wrapping_add(0x7676_7676_7676_7676) | bytes) & 0x8080_8080_8080_8080
}

/// The number of eight digits, the first of them in the lowest byte: pairs are joined to hundreds, those to ten
/// thousands.
#[inline(always)]
pub(crate) const fn joined(digits: u64) -> u64 {
    let hundreds = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00FF_00FF_00FF_00FF;
    let thousands = (hundreds.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_FFFF_0000_FFFF;
    thousands.wrapping_mul(10_000 << 32 | 1) >> 32
}

/// A number of digits with at most one point that is not the first character.
struct Plain {
    /// All digits up to the last of the fraction that is not zero.
    magnitude: u128,
    /// How many digits of the fraction these are.
    scale: u8,
    /// How many digits stand before the point.
    whole_digits: usize,
}

impl Plain {
    /// Reads eight characters at a time; `None` for what must be read in the general way: more digits, a point at one end,
    /// exponents, and what is no number.
    #[inline(always)]
    fn read(number: &[u8]) -> Option<Plain> {
        let plain = match number.len() {
            1..=9 => return Plain::read_8(number),
            10..=16 => Plain::read_16(number),
            _ => None,
        };
        match plain {
            None => Plain::read_wide(number),
            found => found,
        }
    }

    /// Up to eight digits, and a point.
    #[inline(always)]
    fn read_8(number: &[u8]) -> Option<Plain> {
        let length = number.len();
        // The last characters, moved up to the highest bytes, with zeros before.
        let digits = if let Some(all) = number.last_chunk() {
            eight(all)
        } else if let (Some(first), Some(last)) = (number.first_chunk(), number.last_chunk()) {
            let four = |text: &[u8; 4]| u64::from(u32::from_le_bytes(*text) ^ ZEROS as u32);
            four(last) << 32 | four(first) << (64 - 8 * length)
        } else {
            let join = |digits, byte: &u8| digits >> 8 | u64::from(byte ^ b'0') << 56;
            number.iter().fold(0, join)
        };
        let other = over_nine(digits);
        if other == 0 {
            return (length < 9).then(|| Plain {
                magnitude: joined(digits).into(),
                scale: 0,
                whole_digits: length,
            });
        }
        let at = other.trailing_zeros() - 7; // in bits
        let fraction_digits = 7 - at as usize / 8;
        let whole_digits = length.wrapping_sub(1 + fraction_digits);
        // What stands before the point moves into its place.
        let up_to_point = other ^ (other - 1);
        let point = (digits >> at) as u8;
        let before = match number.first_chunk() {
            Some(first) if length == 9 => eight(first),
            _ => digits << 8,
        };
        let mut digits = digits ^ ((digits ^ before) & up_to_point);
        if point != POINT || over_nine(digits) != 0 || whole_digits == 0 {
            return None;
        }
        let mut scale = fraction_digits as u32;
        if digits >> 56 == 0 {
            let zeros = (digits.leading_zeros() / 8).min(scale);
            digits <<= 8 * zeros;
            scale -= zeros;
        }
        Some(Plain {
            magnitude: joined(digits).into(),
            scale: scale as u8,
            whole_digits,
        })
    }

    /// Up to eight digits on each side of a point, or 16 without.
    #[inline(always)]
    fn read_16(number: &[u8]) -> Option<Plain> {
        let length = number.len();
        let (start, end) = (eight(number.first_chunk()?), eight(number.last_chunk()?));
        let other = over_nine(start);
        if other == 0 {
            if over_nine(end) != 0 {
                return None;
            }
            let high = start << (8 * (16 - length));
            return Some(Plain {
                magnitude: (joined(high) * 100_000_000 + joined(end)).into(),
                scale: 0,
                whole_digits: length,
            });
        }
        let at = other.trailing_zeros() - 7; // in bits
        let whole_digits = at as usize / 8;
        let fraction_digits = length - 1 - whole_digits;
        if (start >> at) as u8 != POINT || whole_digits == 0 || !(1..=8).contains(&fraction_digits)
        {
            return None;
        }
        let whole = start << (64 - at);
        let before = 64 - 8 * fraction_digits;
        let mut fraction = end >> before << before;
        if over_nine(fraction) != 0 {
            return None;
        }
        let mut scale = fraction_digits as u32;
        if fraction >> 56 == 0 {
            let zeros = (fraction.leading_zeros() / 8).min(scale);
            fraction = fraction.checked_shl(8 * zeros).unwrap_or(0);
            scale -= zeros;
        }
        Some(Plain {
            magnitude: (joined(whole) * POW10_64[scale as usize & 15] + joined(fraction)).into(),
            scale: scale as u8,
            whole_digits,
        })
    }

    /// Up to 15 digits before a point and 16 behind it, of at least ten characters.
    #[inline(never)]
    fn read_wide(number: &[u8]) -> Option<Plain> {
        let length = number.len();
        if length < 10 {
            return None;
        }
        let (start, end) = (eight(number.first_chunk()?), eight(number.last_chunk()?));
        // The digits before the point that are in one block, and the point.
        let up_to_point = |block: u64| {
            let at = over_nine(block).trailing_zeros().checked_sub(7)?; // in bits
            let is_point = block.checked_shr(at)? as u8 == POINT;
            is_point.then(|| {
                (
                    joined(block.checked_shl(64 - at).unwrap_or(0)),
                    at as usize / 8,
                )
            })
        };
        let (whole, whole_digits) = if over_nine(start) != 0 {
            up_to_point(start)?
        } else {
            let next = match number[8..].first_chunk() {
                Some(next) => eight(next),
                None => end >> (8 * (16 - length)),
            };
            let (more, digits) = up_to_point(next)?;
            (joined(start) * POW10_64[digits & 15] + more, 8 + digits)
        };
        let fraction_digits = length - 1 - whole_digits;
        if whole_digits == 0 || !(1..=16).contains(&fraction_digits) {
            return None;
        }
        // The last eight digits of the fraction, and those before them.
        let last_of = |block: u64, digits: usize| {
            let before = 64 - 8 * digits;
            block >> before << before
        };
        let (mut high, mut low, mut low_digits) = (0, end, 8);
        if fraction_digits > 8 {
            let block = match number.get(length.wrapping_sub(16)..) {
                Some(last) => eight(last.first_chunk()?),
                None => start << (8 * (16 - length)),
            };
            high = last_of(block, fraction_digits - 8);
        } else {
            low = last_of(end, fraction_digits);
            low_digits = fraction_digits;
        }
        if over_nine(high) | over_nine(low) != 0 {
            return None;
        }
        let mut scale = fraction_digits;
        if low == 0 {
            scale -= low_digits;
            (high, low, low_digits) = (0, high, scale);
        }
        let zeros = (low.leading_zeros() as usize / 8).min(low_digits);
        low = low.checked_shl(8 * zeros as u32).unwrap_or(0);
        scale -= zeros;
        let fraction = joined(high) * POW10_64[(8 - zeros) & 15] + joined(low);
        let whole = u128::from(whole) * u128::from(POW10[scale] as u64);
        Some(Plain {
            magnitude: whole + u128::from(fraction),
            scale: scale as u8,
            whole_digits,
        })
    }

    #[inline(always)]
    fn amount(&self, negative: bool) -> Amount {
        let magnitude = self.magnitude as i128;
        Amount {
            mantissa: if negative { -magnitude } else { magnitude },
            scale: self.scale,
        }
    }

    /// Where the canonical text stands; `number` begins at `offset` of the text.
    #[inline(always)]
    fn canonical(&self, number: &[u8], offset: usize) -> Canonical {
        let zeros = if number[0] == b'0' && self.whole_digits > 1 {
            leading_zeros(&number[..self.whole_digits - 1])
        } else {
            0
        };
        let point = u8::from(self.scale > 0);
        Canonical {
            start: (offset + zeros) as u8,
            length: (self.whole_digits - zeros) as u8 + point + self.scale,
        }
    }
}

#[cold]
#[inline(never)]
fn leading_zeros(digits: &[u8]) -> usize {
    digits.iter().take_while(|digit| **digit == b'0').count()
}

/// [`Amount::parse`] of any text, character by character.
#[inline(never)]
fn parse_general(text: &[u8]) -> Result<Amount, AmountError> {
    let (negative, number) = match text {
        [] => return Err(AmountError::Empty),
        [b'-', number @ ..] => (true, number),
        [b'+', number @ ..] => (false, number),
        number => (false, number),
    };
    // 19 digits fit in 64 bits, whichever they are.
    if number.len() > 19 {
        return parse_long(negative, number);
    }
    let mut value = 0_u64;
    let mut whole_digits = 0;
    for &byte in number {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value * 10 + u64::from(digit);
        whole_digits += 1;
    }
    let fraction = match &number[whole_digits..] {
        [] if whole_digits > 0 => return Ok(Amount::signed(negative, u128::from(value), 0)),
        [b'.', fraction @ ..] if whole_digits > 0 || !fraction.is_empty() => fraction,
        _ => return parse_long(negative, number),
    };
    // What stood when the last digit other than zero was read needs no division to lose its trailing zeros.
    let (mut kept, mut scale) = (value, 0);
    for (index, &byte) in (1_u8..).zip(fraction) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return parse_long(negative, number);
        }
        value = value * 10 + u64::from(digit);
        if digit != 0 {
            (kept, scale) = (value, index);
        }
    }
    Ok(Amount::signed(negative, u128::from(kept), scale))
}

/// The general form of [`Amount::parse`]: any length, exponents; `number` has no sign any more.
fn parse_long(negative: bool, number: &[u8]) -> Result<Amount, AmountError> {
    let mut magnitude = 0_u128; // without the zeros that stand after its last digit
    let mut zeros = 0_usize; // those zeros
    let mut fraction_digits = 0_i64;
    let mut exponent = 0_i64;
    let (mut any, mut point, mut fits) = (false, false, true);
    for (index, &byte) in number.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                fraction_digits += i64::from(point);
                if byte == b'0' {
                    zeros += usize::from(magnitude != 0);
                    continue;
                }
                let digit = u128::from(byte - b'0');
                if zeros == 0 && magnitude < POW10[18] {
                    magnitude = u128::from(magnitude as u64 * 10) + digit;
                    continue;
                }
                // Still to be looked at to the end: it may turn out not to be a number at all.
                match POW10
                    .get(zeros + 1)
                    .and_then(|power| magnitude.checked_mul(*power)?.checked_add(digit))
                {
                    Some(more) => magnitude = more,
                    None => fits = false,
                }
                zeros = 0;
            }
            b'.' if !point => point = true,
            b'e' | b'E' if any => {
                exponent = parse_exponent(&number[index + 1..]).ok_or(AmountError::NotANumber)?;
                break;
            }
            _ => return Err(AmountError::NotANumber),
        }
    }
    if !any {
        return Err(AmountError::NotANumber);
    }
    if magnitude == 0 {
        return Ok(Amount::ZERO);
    }
    let power = zeros as i64 - fraction_digits + exponent;
    let (magnitude, scale) = if power > 0 {
        let factor = POW10.get(power as usize).ok_or(AmountError::TooLarge)?;
        let larger = magnitude
            .checked_mul(*factor)
            .ok_or(AmountError::TooLarge)?;
        (larger, 0)
    } else {
        (magnitude, power.unsigned_abs())
    };
    if !fits || scale > u64::from(MAX_SCALE) || magnitude > i128::MAX as u128 {
        return Err(AmountError::TooLarge);
    }
    Ok(Amount::signed(negative, magnitude, scale as u8))
}

/// `[+-] digits`; stops growing where no amount could follow anyway.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_i64;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = (value * 10 + i64::from(byte - b'0')).min(i64::MAX / 100);
    }
    Some(if negative { -value } else { value })
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

#[cfg(test)]
mod tests {
    use std::collections::hash_map::DefaultHasher;
    use std::hash::{Hash, Hasher};

    use proptest::prelude::*;
    use rust_decimal::{Decimal, RoundingStrategy};

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Mantissas of every length, and the ends of the range.
    fn mantissas() -> impl Strategy<Value = i128> {
        prop_oneof![
            4 => (any::<i128>(), 0_u32..127).prop_map(|(mantissa, shift)| mantissa >> shift),
            2 => (any::<i64>(), 0_u32..20).prop_map(|(mantissa, zeros)| i128::from(mantissa) * 10_i128.pow(zeros)),
            1 => -1000_i128..1000,
            1 => prop_oneof![Just(i128::MAX), Just(i128::MIN), Just(i128::MIN + 1), Just(10_i128.pow(38))],
        ]
    }

    fn amounts() -> impl Strategy<Value = Amount> {
        (mantissas(), 0_u32..=38).prop_filter_map("fits", |(mantissa, scale)| {
            Amount::from_parts(mantissa, scale)
        })
    }

    /// Texts that are numbers, or nearly.
    fn like_numbers() -> impl Strategy<Value = String> {
        prop_oneof![
            "[-+]?[0-9]{0,9}[.]?[0-9]{0,10}",
            "[-+]?[0-9]{0,17}[.]?[0-9]{0,9}0{0,9}",
            "[-+]?0{0,4}[0-9]{0,5}[.]?[0-9]{0,8}0{0,6}",
            "[-+]?[0-9.]{0,20}",
            "[-+]?[0-9]{0,8}[.eE,:/]?[-+]?[0-9]{0,8}[ -~é\\x00]?[0-9]{0,4}",
        ]
    }

    /// Amounts whose sums and products `rust_decimal` can hold, and the same in its words.
    fn with_oracle() -> impl Strategy<Value = (Amount, Decimal)> {
        (any::<i64>(), 0_u32..64, 0_u32..=14).prop_map(|(mantissa, shift, scale)| {
            let mantissa = mantissa >> shift;
            (
                Amount::from_parts(i128::from(mantissa), scale).unwrap(),
                Decimal::new(mantissa, scale),
            )
        })
    }

    /// `None` beyond the 28 digits of `rust_decimal`.
    fn as_decimal(amount: Amount) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(amount.mantissa(), u32::from(amount.scale())).ok()
    }

    #[test]
    fn every_spelling_of_a_number_is_the_same_amount() {
        for (text, mantissa, scale) in [
            ("0", 0, 0),
            ("-0", 0, 0),
            ("+0.000", 0, 0),
            ("000", 0, 0),
            ("0e999999999999999999999", 0, 0),
            ("1", 1, 0),
            ("100", 100, 0),
            ("1.50", 15, 1),
            ("-1.50", -15, 1),
            ("+1.5", 15, 1),
            (".5", 5, 1),
            ("5.", 5, 0),
            ("-.5", -5, 1),
            ("0001.5", 15, 1),
            ("8E-08", 8, 8),
            ("1.5e3", 1500, 0),
            ("1.5E+3", 1500, 0),
            ("100e-2", 1, 0),
            ("5.e1", 50, 0),
            (".5e1", 5, 0),
            ("0.000100000000000000", 1, 4),
            ("123.456000000000000000000000", 123_456, 3),
            ("1000000000000000000000", 1_000_000_000_000_000_000_000, 0),
            (
                "12345678901234567890.123456789012345678",
                12_345_678_901_234_567_890_123_456_789_012_345_678,
                18,
            ),
            ("0.00000000000000000000000000000000000001", 1, 38),
            ("170141183460469231731687303715884105727", i128::MAX, 0),
            ("-170141183460469231731687303715884105727", -i128::MAX, 0),
            (
                "10000000000000000000000000000000000000000000000000e-49",
                1,
                0,
            ),
            (
                "0.00000000000000000000000000000000000000000000000001e50",
                1,
                0,
            ),
        ] {
            let read = amount(text);
            assert_eq!(
                (read.mantissa(), u32::from(read.scale())),
                (mantissa, scale),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        assert_eq!(Amount::parse(b""), Err(AmountError::Empty));
        for text in [
            "-",
            "+",
            ".",
            "-.",
            "e5",
            ".e5",
            "1e",
            "1e+",
            "1e1.5",
            "1.2.3",
            "1,5",
            " 1",
            "1 ",
            "--1",
            "+-1",
            "0x10",
            "1_000",
            "NaN",
            "inf",
            "1e5e5",
            "１",
            "1234567890123456789012345678901234567890123456789x",
        ] {
            assert_eq!(
                text.parse::<Amount>(),
                Err(AmountError::NotANumber),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_held_exactly_is_refused() {
        for text in [
            "170141183460469231731687303715884105728",
            "-170141183460469231731687303715884105728",
            "340282366920938463463374607431768211456",
            "1e39",
            "1e99999999999999999999",
            "1e-39",
            "1e-99999999999999999999",
            "0.000000000000000000000000000000000000001",
            "1234567890123456789012345678901234567890",
            "1000000000000000000000000000000000000000.1",
        ] {
            assert_eq!(text.parse::<Amount>(), Err(AmountError::TooLarge), "{text}");
        }
    }

    #[test]
    fn amounts_are_written_without_exponent_and_padding() {
        for text in [
            "0",
            "7",
            "-7",
            "10",
            "0.1",
            "-0.1",
            "0.00000008",
            "99.99",
            "100.001",
            "18446744073709551615",
            "18446744073709551616",
            "1844674407370955161.6",
            "10000000000000000000000.000000000000001",
            "170141183460469231731687303715884105727",
            "-170141183460469231731687303715884105727",
            "-1.70141183460469231731687303715884105727",
            "-0.99999999999999999999999999999999999999",
            "0.00000000000000000000000000000000000001",
        ] {
            assert_eq!(amount(text).to_string(), text);
            let mut out = b"x".to_vec();
            amount(text).write_to(&mut out);
            assert_eq!(out, format!("x{text}").as_bytes());
        }
        assert_eq!(
            format!("{:>6}|{:?}", amount("1.5"), amount("1.5")),
            "   1.5|Amount(1.5)"
        );
    }

    #[test]
    fn sums_and_products_that_do_not_fit_are_refused() {
        let most = amount("170141183460469231731687303715884105727");
        let least = amount("0.00000000000000000000000000000000000001");
        assert_eq!(most.checked_add(amount("1")), None);
        assert_eq!(most.neg().checked_sub(amount("1")), None);
        assert_eq!(most.checked_add(least), None);
        assert_eq!(most.checked_mul(amount("2")), None);
        assert_eq!(least.checked_mul(amount("0.1")), None);
        assert_eq!(
            least.checked_mul(amount("10")),
            Some(amount("0.0000000000000000000000000000000000001"))
        );
        // Only in lowest terms does it fit again.
        let half = amount("8.5070591730234615865843651857942052865");
        assert_eq!(
            half.checked_add(half),
            Some(amount("17.014118346046923173168730371588410573"))
        );
        let odd = amount("12345678901234567890123456789.5");
        assert_eq!(
            odd.checked_mul(amount("0.2")),
            Some(amount("2469135780246913578024691357.9"))
        );
        // 2^96 × 5^38 × 10^-38 = 2^58: only 256 bits hold the digits on the way.
        let two_to_the_96 = amount("79228162514264337593543950336");
        let five_to_the_38 = amount("363797880709171295166015625").scale_down(38);
        assert_eq!(
            five_to_the_38.and_then(|factor| two_to_the_96.checked_mul(factor)),
            Some(amount("288230376151711744"))
        );
        // What overflows on the way and comes back.
        let large = amount("17014118346046923173168730371588410573");
        assert_eq!(
            large.checked_sub(amount("0.5")),
            Some(amount("17014118346046923173168730371588410572.5"))
        );
    }

    #[test]
    fn a_quotient_is_rounded_half_to_even_at_the_digits_asked_for() {
        for (left, right, digits, expected) in [
            ("1", "3", 5, "0.33333"),
            ("2", "3", 5, "0.66667"),
            ("-2", "3", 5, "-0.66667"),
            ("1", "8", 2, "0.12"),
            ("3", "8", 2, "0.38"),
            ("1", "8", 3, "0.125"),
            ("1", "8", 38, "0.125"),
            ("1000001", "4", 38, "250000.25"),
            ("10", "0.25", 0, "40"),
            ("0.5", "1", 0, "0"),
            ("1.5", "1", 0, "2"),
            ("0", "7", 8, "0"),
            (
                "1000000000000000000000000000000",
                "1",
                38,
                "1000000000000000000000000000000",
            ),
            (
                "0.00000000000000000000000000000000000001",
                "170141183460469231731687303715884105727",
                38,
                "0",
            ),
            (
                "0.00000000000000000000000000000000000001",
                "170141183460469231731687303715884105727",
                0,
                "0",
            ),
            (
                "1",
                "170141183460469231731687303715884105727",
                38,
                "0.00000000000000000000000000000000000001",
            ),
            (
                "85070591730234615865843651857942052863",
                "170141183460469231731687303715884105727",
                38,
                "0.5",
            ),
            (
                "170141183460469231731687303715884105727",
                "0.1",
                0,
                "1701411834604692317316873037158841057270",
            ),
        ] {
            let quotient = amount(left).checked_div(amount(right), digits);
            assert_eq!(
                quotient,
                expected.parse().ok(),
                "{left} / {right} at {digits}"
            );
        }
        assert_eq!(amount("1").checked_div(Amount::ZERO, 2), None);
        assert_eq!(amount("1").checked_div(amount("3"), 39), None);
        assert_eq!(amount("1000").checked_div(amount("3"), 38), None);
    }

    #[test]
    fn rounding_goes_half_to_even() {
        for (text, digits, expected) in [
            ("0.5", 0, "0"),
            ("1.5", 0, "2"),
            ("-2.5", 0, "-2"),
            ("2.51", 0, "3"),
            ("0.999", 2, "1"),
            ("1.25", 1, "1.2"),
            ("1.25", 9, "1.25"),
            ("-0.4", 0, "0"),
            ("1.00000000000000000000000000000000000001", 37, "1"),
        ] {
            assert_eq!(
                amount(text).round(digits),
                amount(expected),
                "{text} at {digits}"
            );
        }
    }

    #[test]
    fn a_sum_that_does_not_fit_stays_as_it_was() {
        let mut sum = Sum::default();
        sum.add(amount("170141183460469231731687303715884105727"))
            .unwrap();
        assert_eq!(sum.add(amount("1")), Err(Overflow));
        assert_eq!(sum.add(amount("0.1")), Err(Overflow));
        assert_eq!(
            sum.total(),
            amount("170141183460469231731687303715884105727")
        );
        sum.sub(amount("170141183460469231731687303715884105727"))
            .unwrap();
        assert!(sum.is_zero());
        sum.sub(amount("1.5")).unwrap();
        assert_eq!(sum.total(), amount("-1.5"));
        // A scale that is no longer needed does not stand in the way.
        let mut sum = Sum::ZERO;
        sum.add(amount("0.00000000000000000000000000000000000001"))
            .unwrap();
        sum.sub(amount("0.00000000000000000000000000000000000001"))
            .unwrap();
        sum.add(amount("1000000000000")).unwrap();
        assert_eq!(sum.total(), amount("1000000000000"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_written_amount_is_read_back_as_itself(amount in amounts()) {
            let text = amount.to_string();
            prop_assert_eq!(Amount::parse(text.as_bytes()), Ok(amount));
            prop_assert!(!text.contains(['e', 'E', '+']));
            prop_assert!(!text.contains('.') || !text.ends_with('0'));
            prop_assert!(text.len() <= TEXT_BYTES);
        }

        #[test]
        fn padding_and_exponents_change_nothing(amount in amounts(), zeros in 0_usize..60, power in -60_i64..60) {
            let (sign, digits) = if amount.is_negative() { ("-", amount.neg()) } else { ("+", amount) };
            let text = digits.to_string();
            let point = if text.contains('.') { "" } else { "." };
            let padded = format!("{sign}{0}{text}{point}{0}", "0".repeat(zeros));
            prop_assert_eq!(Amount::parse(padded.as_bytes()), Ok(amount));
            let moved = format!("{}e{}", amount.mantissa(), power - i64::from(amount.scale()));
            let by_power = Amount::parse(moved.as_bytes()).and_then(|moved| {
                Amount::parse(format!("{moved}e{}", -power).as_bytes())
            });
            prop_assert!(by_power == Ok(amount) || by_power == Err(AmountError::TooLarge));
            prop_assert!(power != 0 || by_power == Ok(amount));
        }

        #[test]
        fn parsing_any_bytes_does_not_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..60),
            digits in "[-+]?[0-9]{0,45}[.]?[0-9]{0,45}([eE][-+]?[0-9]{0,22})?",
        ) {
            let _ = Amount::parse(&bytes);
            let _ = Amount::parse(digits.as_bytes());
        }

        #[test]
        fn every_way_of_reading_reads_the_same(text in like_numbers()) {
            let text = text.as_bytes();
            let expected = match text {
                [] => Err(AmountError::Empty),
                [b'-', number @ ..] => parse_long(true, number),
                [b'+', number @ ..] => parse_long(false, number),
                number => parse_long(false, number),
            };
            prop_assert_eq!(parse_general(text), expected);
            prop_assert_eq!(Amount::parse(text), expected);
            let read = Amount::parse_canonical(text);
            prop_assert_eq!(read.map(|(amount, _)| amount), expected);
            if let Ok((amount, canonical)) = read
                && let Some(range) = canonical.range()
            {
                let canonical = str::from_utf8(&text[range]).unwrap();
                prop_assert_eq!(canonical, amount.abs().to_string());
            }
        }

        #[test]
        fn a_canonical_text_is_found_of_up_to_fifteen_digits_before_the_point_and_sixteen_behind_it(
            sign in "[-+]?", zeros in 0_usize..3, text in "[1-9][0-9]{0,3}|[1-9][0-9]{0,12}[.][0-9]{0,15}[1-9]|0([.][0-9]{0,15}[1-9])?",
            padding in 0_usize..12,
        ) {
            let padding = if text.contains('.') { "0".repeat(padding.min(16 - (text.len() - text.find('.').unwrap() - 1))) } else { String::new() };
            let padded = format!("{sign}{}{text}{padding}", "0".repeat(zeros));
            let (_, canonical) = Amount::parse_canonical(padded.as_bytes()).unwrap();
            prop_assert_eq!(canonical.range().map(|range| &padded[range]), Some(&*text));
        }

        #[test]
        fn reading_agrees_with_rust_decimal(text in "-?[0-9]{1,14}([.][0-9]{0,14})?") {
            let oracle: Decimal = text.parse().unwrap();
            prop_assert_eq!(as_decimal(amount(&text)), Some(oracle));
            prop_assert_eq!(amount(&text).to_string(), oracle.normalize().to_string());
        }

        #[test]
        fn arithmetic_agrees_with_rust_decimal((a, x) in with_oracle(), (b, y) in with_oracle(), digits in 0_u8..8) {
            // Where rust_decimal cannot hold the result it rounds; this is exact.
            for (ours, theirs) in [
                (a.checked_add(b), x.checked_add(y)),
                (a.checked_sub(b), x.checked_sub(y)),
                (a.checked_mul(b), x.checked_mul(y)),
            ] {
                if let Some(exact) = as_decimal(ours.unwrap()) {
                    prop_assert_eq!(Some(exact), theirs);
                }
            }
            prop_assert_eq!(a.cmp(&b), x.cmp(&y));
            prop_assert_eq!(a == b, x == y);
            let rounded = x.round_dp_with_strategy(u32::from(digits), RoundingStrategy::MidpointNearestEven);
            prop_assert_eq!(as_decimal(a.round(digits)), Some(rounded));
        }

        #[test]
        fn a_quotient_is_the_nearest(a in amounts(), b in amounts(), digits in 0_u8..=38) {
            let Some(quotient) = a.checked_div(b, digits) else { return Ok(()) };
            prop_assert!(quotient.scale() <= digits);
            // |a - quotient × b| ≤ |b| / 2 × 10^-digits, where that can be said at all
            let off = quotient.checked_mul(b).and_then(|product| a.checked_sub(product));
            let half = b.checked_mul(amount("0.5")).and_then(|half| half.scale_down(digits));
            if let (Some(off), Some(half)) = (off, half) {
                prop_assert!(off.abs() <= half.abs());
            }
        }

        #[test]
        fn a_product_divided_is_the_factor(a in amounts(), b in amounts()) {
            if let Some(product) = a.checked_mul(b) && !b.is_zero() {
                let quotient = product.checked_div(b, a.scale());
                prop_assert_eq!(quotient, Some(a));
            }
        }

        #[test]
        fn the_wide_product_is_the_product(a in amounts(), b in amounts()) {
            // By halves: a × b = a × (b_high × 2^32) + a × b_low
            let whole = |mantissa: i128| Amount::from_parts(mantissa, 0);
            let (high, low) = (b.mantissa() >> 32, b.mantissa() & 0xFFFF_FFFF);
            let by_halves = || {
                let left = whole(a.mantissa())?;
                let high = left.checked_mul(whole(high)?)?.checked_mul(whole(1 << 32)?)?;
                high.checked_add(left.checked_mul(whole(low)?)?)
            };
            if let (Some(sum), Some(left), Some(right)) = (by_halves(), whole(a.mantissa()), whole(b.mantissa())) {
                prop_assert_eq!(left.checked_mul(right), Some(sum));
            }
        }

        #[test]
        fn adding_goes_either_way_and_back(a in amounts(), b in amounts()) {
            prop_assert_eq!(a.checked_add(b), b.checked_add(a));
            prop_assert_eq!(a.checked_mul(b), b.checked_mul(a));
            if let Some(sum) = a.checked_add(b) {
                prop_assert_eq!(sum.checked_sub(b), Some(a));
                prop_assert_eq!(sum.cmp(&a), b.cmp(&Amount::ZERO));
            }
            if let Some(difference) = a.checked_sub(b) {
                prop_assert_eq!(a.cmp(&b), difference.cmp(&Amount::ZERO));
            }
        }

        #[test]
        fn order_is_the_order_of_values(a in amounts(), b in amounts(), c in amounts()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
            prop_assert_eq!(a.cmp(&b), b.neg().cmp(&a.neg()));
            prop_assert!(!(a <= b && b <= c) || a <= c);
        }

        #[test]
        fn amounts_are_in_lowest_terms(mantissa in mantissas(), scale in 0_u32..80) {
            let Some(a) = Amount::from_parts(mantissa, scale) else { return Ok(()) };
            prop_assert!(a.scale() == 0 || a.mantissa() % 10 != 0);
            prop_assert!(a.scale() <= 38 && a.mantissa() != i128::MIN);
            let hash = |amount: Amount| {
                let mut hasher = DefaultHasher::new();
                amount.hash(&mut hasher);
                hasher.finish()
            };
            if let Some(same) = mantissa.checked_mul(10).and_then(|wider| Amount::from_parts(wider, scale + 1)) {
                prop_assert_eq!(a, same);
                prop_assert_eq!(hash(a), hash(same));
            }
        }

        #[test]
        fn a_sum_is_the_amounts_added_one_by_one(amounts in proptest::collection::vec(amounts(), 0..12)) {
            let mut sum = Sum::default();
            let mut one_by_one = Amount::ZERO;
            for amount in amounts {
                let added = one_by_one.checked_add(amount);
                prop_assert_eq!(sum.add(amount).ok(), added.map(|_| ()));
                one_by_one = added.unwrap_or(one_by_one);
                prop_assert_eq!(sum.total(), one_by_one);
                prop_assert_eq!(sum.is_zero(), one_by_one.is_zero());
            }
        }
    }
}
