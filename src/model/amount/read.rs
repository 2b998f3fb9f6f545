//! From the digits of a cell to an amount: the usual numbers eight or sixteen characters at a time, any other one by one.

use super::{Amount, AmountError, Canonical, MAX_SCALE, POW10, POW10_64};

/// Whether a minus stands before a number, and the number without its sign.
#[inline(always)]
pub(super) fn without_sign(text: &[u8]) -> (bool, &[u8]) {
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
pub(super) struct Plain {
    /// All digits up to the last of the fraction that is not zero.
    pub magnitude: u128,
    /// How many digits of the fraction these are.
    pub scale: u8,
    /// How many digits stand before the point.
    pub whole_digits: usize,
}

impl Plain {
    /// Reads eight characters at a time; `None` for what must be read in the general way: more digits, a point at one end,
    /// exponents, and what is no number.
    #[inline(always)]
    pub fn read(number: &[u8]) -> Option<Plain> {
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
    pub fn amount(&self, negative: bool) -> Amount {
        let magnitude = self.magnitude as i128;
        Amount {
            mantissa: if negative { -magnitude } else { magnitude },
            scale: self.scale,
        }
    }

    /// Where the canonical text stands; `number` begins at `offset` of the text.
    #[inline(always)]
    pub fn canonical(&self, number: &[u8], offset: usize) -> Canonical {
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
pub(super) fn parse_general(text: &[u8]) -> Result<Amount, AmountError> {
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
pub(super) fn parse_long(negative: bool, number: &[u8]) -> Result<Amount, AmountError> {
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
