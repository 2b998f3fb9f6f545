//! The far end of the proof for Parquet: the amounts, decoded from the file that was written.

use std::fs::File;

use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use super::cell::RunTexts;
use super::parquet::DECIMAL_SCALE;
use super::{AmountForm, DataJob};
use crate::output::readback::WrittenSums;

/// Columns of the ledger that the sums are made of.
const ACCOUNT: usize = 3;
const ASSET: usize = 4;
const AMOUNT: usize = 5;

pub(super) fn read_back(file: File, job: DataJob<'_>) -> Result<WrittenSums, ParquetError> {
    let reader = SerializedFileReader::new(file)?;
    let texts = RunTexts::new(job.names);
    let mut sums = WrittenSums::default();
    for index in 0..reader.num_row_groups() {
        let group = reader.get_row_group(index)?;
        let accounts = texts_of(&*group, ACCOUNT)?;
        let assets = texts_of(&*group, ASSET)?;
        let amounts = match job.amounts {
            AmountForm::Text => texts_of(&*group, AMOUNT)?
                .into_iter()
                .map(|text| text.data().to_vec())
                .collect(),
            AmountForm::Decimal => decimals_of(&*group, AMOUNT)?,
        };
        for ((account, asset), amount) in accounts.iter().zip(&assets).zip(&amounts) {
            texts.add(&mut sums, account.data(), asset.data(), amount);
        }
    }
    Ok(sums)
}

fn texts_of(group: &dyn RowGroupReader, column: usize) -> Result<Vec<ByteArray>, ParquetError> {
    let mut reader = parquet::column::reader::get_typed_column_reader::<ByteArrayType>(
        group.get_column_reader(column)?,
    );
    let rows = rows_of(group)?;
    let mut values = Vec::with_capacity(rows);
    while values.len() < rows && reader.read_records(rows, None, None, &mut values)?.0 > 0 {}
    complete(values, rows)
}

/// Decimals as text.
fn decimals_of(group: &dyn RowGroupReader, column: usize) -> Result<Vec<Vec<u8>>, ParquetError> {
    let mut reader = parquet::column::reader::get_typed_column_reader::<FixedLenByteArrayType>(
        group.get_column_reader(column)?,
    );
    let rows = rows_of(group)?;
    let mut values = Vec::with_capacity(rows);
    while values.len() < rows && reader.read_records(rows, None, None, &mut values)?.0 > 0 {}
    complete(values, rows)?
        .iter()
        .map(|value| {
            let bytes: [u8; 16] = value
                .data()
                .try_into()
                .map_err(|_| ParquetError::General("a decimal of another width".to_owned()))?;
            Ok(decimal_text(i128::from_be_bytes(bytes)))
        })
        .collect()
}

fn rows_of(group: &dyn RowGroupReader) -> Result<usize, ParquetError> {
    usize::try_from(group.metadata().num_rows())
        .map_err(|_| ParquetError::General("a row group of a negative size".to_owned()))
}

fn complete<T>(values: Vec<T>, rows: usize) -> Result<Vec<T>, ParquetError> {
    if values.len() == rows {
        Ok(values)
    } else {
        Err(ParquetError::General(format!(
            "{} of {rows} values can be read back",
            values.len()
        )))
    }
}

/// A number of units of 10^-18 as a plain decimal.
fn decimal_text(units: i128) -> Vec<u8> {
    let scale = usize::from(DECIMAL_SCALE);
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if units < 0 { "-" } else { "" };
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    [sign, whole, point, fraction].concat().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_told_as_plain_decimals() {
        let text = |units| String::from_utf8(decimal_text(units)).unwrap();
        assert_eq!(text(0), "0");
        assert_eq!(text(-1), "-0.000000000000000001");
        assert_eq!(text(1_500_000_000_000_000_000), "1.5");
        assert_eq!(
            text(10_i128.pow(38) - 1),
            "99999999999999999999.999999999999999999"
        );
    }
}
