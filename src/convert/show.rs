//! How the cells of a row are shown to a person.

use super::{RowView, Value};
use crate::mapping::Cell;
use crate::model::Amount;

/// How explain shows a typed cell.
pub fn show_cell(view: &RowView<'_>, column: usize) -> String {
    let cell = view.cell(column);
    match (
        &view.file.program.columns[column].cell,
        view.typed_cell(column, cell.clone()),
    ) {
        (_, Err(error)) => format!("error: {}", error.message),
        (Cell::Money(reader), _) if !cell.is_empty() => match reader.read(&cell) {
            Ok((amount, asset)) => format!(
                "{amount} {}",
                asset.map_or(String::new(), |asset| String::from_utf8_lossy(asset)
                    .into_owned())
            ),
            Err(error) => format!("error: {error}"),
        },
        (Cell::Pair(reader), _) if !cell.is_empty() => match reader.read(&cell) {
            Ok((base, quote)) => format!(
                "{} for {}",
                String::from_utf8_lossy(base),
                String::from_utf8_lossy(quote)
            ),
            Err(error) => format!("error: {error}"),
        },
        (_, Ok(value)) => show_value(&value),
    }
}

fn show_value(value: &Value<'_>) -> String {
    match value {
        Value::Blank => "(blank)".to_owned(),
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Amount(amount) => Amount::to_string(amount),
        Value::Time(time) => time.to_string(),
        Value::Truth(truth) => truth.to_string(),
    }
}
