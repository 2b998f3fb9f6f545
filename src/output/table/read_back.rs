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
            Some(column) => product(amount, amount_of(&cells[column].text, part)?)
                .ok_or("a product does not fit")?,
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
        let signed = entry.digits.map_or(signed, |digits| signed.round(digits));
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

fn product(one: (i128, u32), other: (i128, u32)) -> Option<(i128, u32)> {
    Some((one.0.checked_mul(other.0)?, one.1 + other.1))
}
