//! The ledger as Parquet: one row for each leg, the columns of the ledger, in row groups of bounded size.

use std::fs::File;
use std::io;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{
    ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::known::CREATED_BY;
use super::parquet_read::read_back;
use super::{AmountForm, DataError, DataJob, WrittenData};
use crate::ledger::{EventView, Ledger};
use crate::model::Amount;
use crate::output::csv_text::put_id;
use crate::output::findings::Findings;

/// How many legs a row group holds: what is in memory at a time.
const LEGS_PER_GROUP: usize = 1 << 17;

/// Digits behind the point in `DECIMAL(38, 18)`.
pub(super) const DECIMAL_SCALE: u8 = 18;
/// The first whole number that 38 digits do not hold.
const DECIMAL_END: u128 = 10_u128.pow(38);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    OptionalText,
    Amount,
    OptionalAmount,
    /// Nanoseconds since 1970, UTC.
    Instant,
    Number,
}

/// The ledger's columns in their order.
const COLUMNS: [(&str, Shape); 17] = [
    ("event", Shape::Text),
    ("time", Shape::Instant),
    ("kind", Shape::Text),
    ("account", Shape::Text),
    ("asset", Shape::Text),
    ("amount", Shape::Amount),
    ("role", Shape::Text),
    ("value", Shape::OptionalAmount),
    ("value_currency", Shape::OptionalText),
    ("order_id", Shape::OptionalText),
    ("trade_id", Shape::OptionalText),
    ("tx_hash", Shape::OptionalText),
    ("address", Shape::OptionalText),
    ("note", Shape::OptionalText),
    ("format", Shape::Text),
    ("file", Shape::Text),
    ("line", Shape::Number),
];

pub(super) fn write(job: DataJob<'_>, file: &mut File) -> Result<WrittenData, DataError> {
    if job.amounts == AmountForm::Decimal {
        refuse_what_does_not_fit(job)?;
    }
    let lines = write_groups(job, file)?;
    let sums = read_back(file.try_clone()?, job).map_err(to_io)?;
    Ok(WrittenData {
        lines,
        sums,
        findings: Findings::default(),
    })
}

fn write_groups(job: DataJob<'_>, file: &File) -> Result<u64, DataError> {
    let schema = parse_message_type(&message_type(job.amounts)).map_err(to_io)?;
    let properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        // Nearly every id is another one.
        .set_column_dictionary_enabled(ColumnPath::from("event"), false)
        .build();
    let mut writer =
        SerializedFileWriter::new(file.try_clone()?, Arc::new(schema), Arc::new(properties))
            .map_err(to_io)?;
    let mut group = Group::new(job.amounts);
    let mut lines = 0;
    for event in &job.ledger.events {
        lines += group.add_event(&job.ledger.view(event), job);
        if group.legs() >= LEGS_PER_GROUP {
            group.write(&mut writer).map_err(to_io)?;
        }
    }
    if group.legs() > 0 {
        group.write(&mut writer).map_err(to_io)?;
    }
    writer.close().map_err(to_io)?;
    Ok(lines)
}

/// The schema in Parquet's own language.
fn message_type(amounts: AmountForm) -> String {
    let amount_type = match amounts {
        AmountForm::Decimal => "FIXED_LEN_BYTE_ARRAY (16)",
        AmountForm::Text => "BYTE_ARRAY",
    };
    let amount_meaning = match amounts {
        AmountForm::Decimal => format!("(DECIMAL(38, {DECIMAL_SCALE}))"),
        AmountForm::Text => "(STRING)".to_owned(),
    };
    let fields = COLUMNS.map(|(name, shape)| match shape {
        Shape::Text => format!("REQUIRED BYTE_ARRAY {name} (STRING);"),
        Shape::OptionalText => format!("OPTIONAL BYTE_ARRAY {name} (STRING);"),
        Shape::Amount => format!("REQUIRED {amount_type} {name} {amount_meaning};"),
        Shape::OptionalAmount => format!("OPTIONAL {amount_type} {name} {amount_meaning};"),
        Shape::Instant => format!("REQUIRED INT64 {name} (TIMESTAMP(NANOS, true));"),
        Shape::Number => format!("REQUIRED INT64 {name};"),
    });
    format!("message ledger {{ {} }}", fields.join(" "))
}

/// The amount in units of 10^-18; `None` where `DECIMAL(38, 18)` does not hold it.
fn units(amount: Amount) -> Option<i128> {
    let zeros = DECIMAL_SCALE.checked_sub(amount.scale())?;
    let units = amount
        .mantissa()
        .checked_mul(10_i128.pow(u32::from(zeros)))?;
    (units.unsigned_abs() < DECIMAL_END).then_some(units)
}

/// Looks at all amounts before anything is written, so that the first that does not fit is named with the count of all.
fn refuse_what_does_not_fit(job: DataJob<'_>) -> Result<(), DataError> {
    let mut first = None;
    let mut others = 0_u64;
    for event in &job.ledger.events {
        job.ledger.view(event).for_each_leg(|leg, at| {
            let amounts = [
                ("amount", Some((leg.amount, leg.asset))),
                ("value", leg.value),
            ];
            for (column, amount) in amounts {
                let Some((amount, asset)) = amount else {
                    continue;
                };
                if units(amount).is_some() {
                    continue;
                }
                if first.is_none() {
                    first = Some((column, amount, asset, at));
                } else {
                    others += 1;
                }
            }
        });
    }
    let Some((column, amount, asset, at)) = first else {
        return Ok(());
    };
    let more = match others {
        0 => String::new(),
        1 => "; nor does one more".to_owned(),
        many => format!("; nor do {many} more"),
    };
    Err(DataError::Refused {
        message: format!(
            "{}:{}: the {column} {amount} {} does not fit DECIMAL(38, {DECIMAL_SCALE}), which has 20 digits before the point and 18 behind it{more}",
            job.ledger.file(at).name,
            job.ledger.line(at),
            job.names.asset(asset),
        ),
        help: "`--amounts text` writes all amounts as text, exactly".to_owned(),
    })
}

/// One column of a row group.
struct Column {
    name: &'static str,
    shape: Shape,
    /// The values that are there, one behind the other.
    bytes: Vec<u8>,
    /// Where each value ends.
    ends: Vec<usize>,
    /// For each leg of an optional column, 1 where there is a value.
    present: Vec<i16>,
    numbers: Vec<i64>,
}

impl Column {
    fn put(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
    }

    /// Text of an optional column: nothing where it is empty. What is no UTF-8 must not stand in a column of text.
    fn put_optional(&mut self, value: &[u8]) {
        self.present.push(i16::from(!value.is_empty()));
        if !value.is_empty() {
            self.put(String::from_utf8_lossy(value).as_bytes());
        }
    }

    fn put_amount(&mut self, amount: Amount, form: AmountForm) {
        match form {
            AmountForm::Text => {
                amount.write_to(&mut self.bytes);
                self.ends.push(self.bytes.len());
            }
            AmountForm::Decimal => {
                let units = units(amount).expect("all amounts were looked at before");
                self.put(&units.to_be_bytes());
            }
        }
    }

    fn take_values(&mut self) -> Vec<ByteArray> {
        let bytes = ByteArray::from(std::mem::take(&mut self.bytes));
        let mut start = 0;
        let slices = self.ends.drain(..).map(|end| {
            let slice = bytes.slice(start, end - start);
            start = end;
            slice
        });
        slices.collect()
    }

    fn write(
        &mut self,
        form: AmountForm,
        writer: &mut SerializedColumnWriter<'_>,
    ) -> Result<(), ParquetError> {
        let is_decimal = matches!(self.shape, Shape::Amount | Shape::OptionalAmount)
            && form == AmountForm::Decimal;
        if matches!(self.shape, Shape::Instant | Shape::Number) {
            writer
                .typed::<Int64Type>()
                .write_batch(&self.numbers, None, None)?;
            self.numbers.clear();
            return Ok(());
        }
        let values = self.take_values();
        let present = matches!(self.shape, Shape::OptionalText | Shape::OptionalAmount)
            .then_some(&*self.present);
        if is_decimal {
            let values: Vec<FixedLenByteArray> = values.into_iter().map(Into::into).collect();
            writer
                .typed::<FixedLenByteArrayType>()
                .write_batch(&values, present, None)?;
        } else {
            writer
                .typed::<ByteArrayType>()
                .write_batch(&values, present, None)?;
        }
        self.present.clear();
        Ok(())
    }
}

/// The legs of a row group.
struct Group {
    columns: [Column; COLUMNS.len()],
    form: AmountForm,
}

impl Group {
    fn new(form: AmountForm) -> Group {
        let columns = COLUMNS.map(|(name, shape)| Column {
            name,
            shape,
            bytes: Vec::new(),
            ends: Vec::new(),
            present: Vec::new(),
            numbers: Vec::new(),
        });
        Group { columns, form }
    }

    fn legs(&self) -> usize {
        // The lines: every leg has one.
        self.columns[COLUMNS.len() - 1].numbers.len()
    }

    fn add_event(&mut self, view: &EventView<'_>, job: DataJob<'_>) -> u64 {
        let mut legs = 0;
        let mut id = Vec::with_capacity(16);
        put_id(&mut id, view.id);
        let [
            event,
            time,
            kind,
            account,
            asset,
            amount,
            role,
            value,
            value_currency,
            order_id,
            trade_id,
            tx_hash,
            address,
            note,
            format,
            file,
            line,
        ] = &mut self.columns;
        view.for_each_leg(|leg, at| {
            let of_file = job.ledger.file_index(at);
            event.put(&id);
            time.numbers.push(view.time.ns());
            kind.put(view.kind.word().as_bytes());
            account.put(job.names.account(leg.account).as_bytes());
            asset.put(job.names.asset(leg.asset).as_bytes());
            amount.put_amount(leg.amount, self.form);
            role.put(leg.role.word().as_bytes());
            value.present.push(i16::from(leg.value.is_some()));
            let mut currency = "";
            if let Some((worth, of)) = leg.value {
                value.put_amount(worth, self.form);
                currency = job.names.asset(of);
            }
            value_currency.put_optional(currency.as_bytes());
            let texts = [&mut *order_id, trade_id, tx_hash, address, note];
            for (column, text) in texts.into_iter().zip(view.texts()) {
                column.put_optional(text);
            }
            format.put(job.ledger.context(of_file).program.id.as_bytes());
            file.put(job.ledger.files[of_file].name.as_bytes());
            line.numbers.push(line_number(job.ledger, at));
            legs += 1;
        });
        legs
    }

    fn write(&mut self, writer: &mut SerializedFileWriter<File>) -> Result<(), ParquetError> {
        let mut group = writer.next_row_group()?;
        for column in &mut self.columns {
            let mut writer = group.next_column()?.ok_or_else(|| {
                ParquetError::General(format!("the schema has no column {}", column.name))
            })?;
            column.write(self.form, &mut writer)?;
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }
}

fn line_number(ledger: &Ledger, at: crate::ledger::EventRef) -> i64 {
    i64::try_from(ledger.line(at)).expect("a file has fewer than 2^63 lines")
}

fn to_io(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_fits_exactly_up_to_twenty_digits_and_eighteen() {
        let units_of = |text: &str| units(Amount::parse(text.as_bytes()).unwrap());
        assert_eq!(units_of("1.5"), Some(1_500_000_000_000_000_000));
        assert_eq!(units_of("-0.000000000000000001"), Some(-1));
        assert_eq!(
            units_of("99999999999999999999.999999999999999999"),
            Some(10_i128.pow(38) - 1)
        );
        assert_eq!(units_of("100000000000000000000"), None);
        assert_eq!(units_of("-100000000000000000000"), None);
        assert_eq!(units_of("0.0000000000000000001"), None);
    }

    #[test]
    fn the_columns_are_those_of_the_ledger() {
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.join(",") + "\n", crate::model::headers::LEDGER);
    }
}
