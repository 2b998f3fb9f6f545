//! What a row's cells say was moved, read as a stranger would read them: the far end of a target's proof.

use super::cells::Cell;
use crate::model::Amount;
use crate::output::readback::read;
use crate::target::{AddsUp, AssetText, Part, Way};

/// The amounts of a row, each with the text of its asset and its sign; or what cannot be read.
///
/// # Errors
/// A cell that is no amount.
pub fn read_back(
    part: &Part,
    cells: &[Cell],
    said: &dyn Fn(&str) -> String,
) -> Result<Vec<(String, Amount)>, String> {
    let mut moved = Vec::new();
    for entry in &part.adds_up {
        if !applies(entry, cells) || cells[entry.amount].text.is_empty() {
            continue;
        }
        let amount = amount(&cells[entry.amount].text, part.decimal_mark)?;
        let amount = match entry.times {
            None => amount,
            Some(column) => {
                let times = amount_of(&cells[column].text, part)?;
                product(amount, times, entry.digits).ok_or("a product does not fit")?
            }
        };
        let asset = match &entry.asset {
            AssetText::Column(column) => {
                let text = cells[*column].text.as_str();
                let code = text.strip_suffix(said(&entry.suffix).as_str());
                code.unwrap_or(text).to_owned()
            }
            AssetText::Said(text) => said(text),
        };
        let signed = match entry.way {
            Way::In | Way::Signed => amount,
            Way::Out => (-amount.0, amount.1),
        };
        let signed = Amount::from_parts(signed.0, signed.1).ok_or("an amount does not fit")?;
        if !signed.is_zero() {
            moved.push((asset, signed));
        }
    }
    Ok(moved)
}

fn applies(entry: &AddsUp, cells: &[Cell]) -> bool {
    entry
        .when
        .iter()
        .all(|(column, words)| words.contains(&cells[*column].text))
}

fn amount_of(text: &str, part: &Part) -> Result<(i128, u32), String> {
    amount(text, part.decimal_mark)
}

fn amount(text: &str, decimal_mark: u8) -> Result<(i128, u32), String> {
    let plain = if decimal_mark == b'.' {
        read(text.as_bytes())
    } else {
        read(text.replace(',', ".").as_bytes())
    };
    plain.ok_or_else(|| format!("`{text}` cannot be read back"))
}

/// The product, rounded half to even to so many decimals, if to any. Digit by digit, so that only the result must fit.
fn product(one: (i128, u32), other: (i128, u32), decimals: Option<u8>) -> Option<(i128, u32)> {
    let digits = |number: i128| -> Vec<u32> {
        let text = number.unsigned_abs().to_string();
        text.bytes()
            .rev()
            .map(|byte| u32::from(byte - b'0'))
            .collect()
    };
    let (left, right) = (digits(one.0), digits(other.0));
    let mut digits = vec![0u32; left.len() + right.len()];
    for (at, digit) in left.iter().enumerate() {
        for (above, other) in right.iter().enumerate() {
            digits[at + above] += digit * other;
        }
    }
    carry(&mut digits);
    let mut scale = one.1 + other.1;
    if let Some(decimals) = decimals.map(u32::from).filter(|most| *most < scale) {
        let dropped: Vec<u32> = digits
            .drain(..((scale - decimals) as usize).min(digits.len()))
            .collect();
        // What is cut off is as long as the places that go, or shorter and then less than half.
        let half = dropped.len() == (scale - decimals) as usize;
        let first = dropped.last().copied().filter(|_| half).unwrap_or(0);
        let rest = dropped.iter().rev().skip(1).any(|digit| *digit != 0);
        let odd = digits.first().is_some_and(|digit| digit % 2 == 1);
        if first > 5 || (first == 5 && (rest || odd)) {
            if digits.is_empty() {
                digits.push(0);
            }
            digits[0] += 1;
            digits.push(0);
            carry(&mut digits);
        }
        scale = decimals;
    }
    let mut number: i128 = 0;
    for digit in digits.iter().rev() {
        number = number.checked_mul(10)?.checked_add(i128::from(*digit))?;
    }
    let negative = (one.0 < 0) != (other.0 < 0);
    Some((if negative { -number } else { number }, scale))
}

/// Leaves one decimal digit in each place.
fn carry(digits: &mut [u32]) {
    let mut over = 0;
    for digit in digits {
        let sum = *digit + over;
        *digit = sum % 10;
        over = sum / 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_product_is_rounded_half_to_even_where_it_is_cut() {
        let times = |one: &str, other: &str, digits| {
            let (number, scale) = product(
                read(one.as_bytes()).unwrap(),
                read(other.as_bytes()).unwrap(),
                digits,
            )
            .unwrap();
            Amount::from_parts(number, scale).unwrap().to_string()
        };
        assert_eq!(
            times("1780.54912264010352949027", "1.123456789012345678", Some(8)),
            "2000.37"
        );
        assert_eq!(times("0.5", "0.5", Some(1)), "0.2");
        assert_eq!(times("0.5", "0.7", Some(1)), "0.4");
        assert_eq!(times("0.3", "0.3", Some(0)), "0");
        assert_eq!(times("-9.99", "1.01", Some(1)), "-10.1");
        assert_eq!(times("0.004", "1", Some(1)), "0");
        assert_eq!(times("-12.5", "4", None), "-50");
    }

    proptest! {
        #[test]
        fn a_product_is_that_of_amounts(one in any::<i64>(), other in any::<i64>(), a in 0u32..10, b in 0u32..10, most in proptest::option::of(0u8..20)) {
            let given = product((i128::from(one), a), (i128::from(other), b), most).unwrap();
            let given = Amount::from_parts(given.0, given.1).unwrap();
            let exact = Amount::from_parts(i128::from(one), a).unwrap().checked_mul(Amount::from_parts(i128::from(other), b).unwrap()).unwrap();
            prop_assert_eq!(given, most.map_or(exact, |most| exact.round(most)));
        }
    }
}
