//! One table of a workbook, over as many sheets as it needs, written row by row in constant memory.

use crate::output::spreadsheet::{NUMBER_DIGITS, exact_number};
use std::io;

use rust_xlsxwriter::{Format, IgnoreError, Workbook, Worksheet, XlsxError};

use super::cell::{cut, neutralised};
use crate::output::findings::{Findings, Weight};

/// Rows of a sheet, the header's included. Source: Excel's specifications and limits.
pub(super) const SHEET_ROWS: u32 = 1 << 20;
/// UTF-16 units of a cell. Source: as above.
const CELL_UNITS: usize = 32_767;
/// How much of a text an example shows, in letters.
const EXAMPLE_LETTERS: usize = 40;

/// Name and width of a column, in letters.
pub(super) type Column = (&'static str, f64);

/// A table: `ledger`, and `ledger 2` where one sheet is full.
pub(super) struct Table<'w> {
    workbook: &'w mut Workbook,
    findings: &'w mut Findings,
    name: &'static str,
    columns: &'static [Column],
    /// Rows of a sheet, the header's included.
    sheet_rows: u32,
    sheet: Worksheet,
    sheets: u32,
    /// Of the sheet, the header is 0.
    row: u32,
    column: u16,
}

impl<'w> Table<'w> {
    pub(super) fn new(
        workbook: &'w mut Workbook,
        findings: &'w mut Findings,
        name: &'static str,
        columns: &'static [Column],
        sheet_rows: u32,
    ) -> io::Result<Table<'w>> {
        let sheet = new_sheet(workbook, name, columns, 1).map_err(to_io)?;
        Ok(Table {
            workbook,
            findings,
            name,
            columns,
            sheet_rows,
            sheet,
            sheets: 1,
            row: 0,
            column: 0,
        })
    }

    /// Begins a row, on another sheet if this one is full.
    pub(super) fn start_row(&mut self) -> io::Result<()> {
        if self.row + 1 >= self.sheet_rows {
            self.sheets += 1;
            let next = new_sheet(self.workbook, self.name, self.columns, self.sheets);
            let full = std::mem::replace(&mut self.sheet, next.map_err(to_io)?);
            self.put_away(full)?;
            self.row = 0;
            let message = format!(
                "the sheet `{}` is full with {} rows: it goes on in `{}`",
                self.name,
                self.sheet_rows,
                sheet_name(self.name, self.sheets)
            );
            let help = "`-o ledger.csv` or `.sqlite` keeps all rows together";
            self.findings
                .add(Weight::Note, "sheets", message, help, String::new);
        }
        self.row += 1;
        self.column = 0;
        Ok(())
    }

    /// The next cell: a text that comes from a source. It is never written as a formula; if it would become one when the
    /// sheet is saved as CSV and opened again, it gets an apostrophe before it.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        let changed = neutralised(text);
        if changed.is_some() {
            self.findings.add(
                Weight::Note,
                "formula",
                "texts that a spreadsheet could run as a formula begin with ' in the workbook",
                "the other layouts have them as they are",
                || example(text),
            );
        }
        let text = changed.as_deref().unwrap_or(text);
        let short = cut(text, CELL_UNITS);
        if short.is_some() {
            self.findings.add(
                Weight::Loss,
                "length",
                format!(
                    "texts are cut in the workbook: a cell holds no more than {CELL_UNITS} letters"
                ),
                "`-o ledger.csv` or `.sqlite` has them whole",
                || example(text),
            );
        }
        self.word(short.unwrap_or(text))
    }

    /// The next cell: a text of ours, which no spreadsheet runs.
    pub(super) fn word(&mut self, text: &str) -> io::Result<()> {
        if !text.is_empty() {
            self.sheet
                .write_string(self.row, self.column, text)
                .map_err(to_io)?;
        }
        self.column += 1;
        Ok(())
    }

    pub(super) fn empty(&mut self) {
        self.column += 1;
    }

    /// The next cell: a count. Beyond what a number keeps it is text.
    pub(super) fn count(&mut self, count: u64) -> io::Result<()> {
        self.number_or_text(&count.to_string()).map(|_| ())
    }

    /// The next cell: an amount, given as its exact text. Gives the text that the cell stands for.
    pub(super) fn amount(&mut self, text: &str) -> io::Result<String> {
        let stands_for = self.number_or_text(text)?;
        match stands_for {
            Some(number) => Ok(number),
            None => {
                self.findings.add(
                    Weight::Note,
                    "digits",
                    format!(
                        "amounts are text in the workbook: a spreadsheet's number has {NUMBER_DIGITS} digits"
                    ),
                    "",
                    || text.to_owned(),
                );
                Ok(text.to_owned())
            }
        }
    }

    /// Gives the text of the number, if it was written as one.
    fn number_or_text(&mut self, text: &str) -> io::Result<Option<String>> {
        let Some(number) = exact_number(text) else {
            self.word(text)?;
            return Ok(None);
        };
        self.sheet
            .write_number(self.row, self.column, number)
            .map_err(to_io)?;
        self.column += 1;
        Ok(Some(number.to_string()))
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        let last = std::mem::replace(&mut self.sheet, Worksheet::new());
        self.put_away(last)
    }

    fn put_away(&mut self, mut sheet: Worksheet) -> io::Result<()> {
        let last_column = u16::try_from(self.columns.len() - 1).expect("few columns");
        sheet
            .autofilter(0, 0, self.row, last_column)
            .and_then(|sheet| {
                // No green corner at every amount that must be text.
                sheet.ignore_error_range(
                    0,
                    0,
                    self.row.max(1),
                    last_column,
                    IgnoreError::NumberStoredAsText,
                )
            })
            .map_err(to_io)?;
        self.workbook.push_worksheet(sheet);
        Ok(())
    }
}

fn new_sheet(
    workbook: &mut Workbook,
    name: &str,
    columns: &[Column],
    nth: u32,
) -> Result<Worksheet, XlsxError> {
    let mut sheet = workbook.new_worksheet_with_constant_memory()?;
    sheet.set_name(sheet_name(name, nth))?;
    sheet.set_freeze_panes(1, 0)?;
    let bold = Format::new().set_bold();
    for (index, (header, width)) in (0..).zip(columns) {
        sheet.set_column_width(index, *width)?;
        sheet.write_string_with_format(0, index, *header, &bold)?;
    }
    Ok(sheet)
}

fn sheet_name(name: &str, nth: u32) -> String {
    match nth {
        1 => name.to_owned(),
        _ => format!("{name} {nth}"),
    }
}

fn example(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(EXAMPLE_LETTERS).collect();
    let more = if letters.next().is_some() { "…" } else { "" };
    format!("{start:?}{more}")
}

pub(super) fn to_io(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use calamine::{Data, Reader, Xlsx};
    use proptest::prelude::*;

    use super::*;
    use crate::model::Amount;

    const COLUMNS: &[Column] = &[("text", 10.0), ("amount", 10.0)];

    fn cells(workbook: &mut Workbook, sheet: &str) -> Vec<Vec<Data>> {
        let bytes = workbook.save_to_buffer().unwrap();
        let mut workbook = Xlsx::new(io::Cursor::new(bytes)).unwrap();
        let range = workbook.worksheet_range(sheet).unwrap();
        range.rows().map(<[Data]>::to_vec).collect()
    }

    #[test]
    fn a_full_sheet_goes_on_in_the_next_with_its_header() {
        let mut workbook = Workbook::new();
        let mut findings = Findings::default();
        let mut table = Table::new(&mut workbook, &mut findings, "ledger", COLUMNS, 3).unwrap();
        for nth in 0..5_u64 {
            table.start_row().unwrap();
            table.text("=x").unwrap();
            table.count(nth).unwrap();
        }
        table.finish().unwrap();
        let header = vec![
            Data::String("text".to_owned()),
            Data::String("amount".to_owned()),
        ];
        let row = |nth: u32| vec![Data::String("'=x".to_owned()), Data::Float(nth.into())];
        assert_eq!(
            cells(&mut workbook, "ledger"),
            [header.clone(), row(0), row(1)]
        );
        assert_eq!(
            cells(&mut workbook, "ledger 2"),
            [header.clone(), row(2), row(3)]
        );
        assert_eq!(cells(&mut workbook, "ledger 3"), [header, row(4)]);
        let told: Vec<_> = findings
            .iter()
            .map(|finding| (finding.code.as_str(), finding.count))
            .collect();
        assert_eq!(told, [("formula", 5), ("sheets", 1), ("sheets", 1)]);
    }

    #[test]
    fn only_what_a_spreadsheet_keeps_is_a_number() {
        for text in [
            "0",
            "-1",
            "0.1",
            "-0.00000001",
            "123456789012345",
            "0.000000000000000123456789012345",
            "100000000000000000000000000",
        ] {
            assert!(exact_number(text).is_some(), "{text}");
        }
        for text in [
            "1234567890123456",
            "0.1234567890123456",
            "-9999999999999999.5",
            "",
            "0.10",
        ] {
            assert_eq!(exact_number(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_stands_for_its_amount_exactly(mantissa in any::<i64>(), scale in 0_u32..=30) {
            let amount = Amount::from_parts(i128::from(mantissa), scale).unwrap();
            if let Some(number) = exact_number(&amount.to_string()) {
                prop_assert_eq!(number.to_string().parse::<Amount>().ok(), Some(amount));
            }
        }

        #[test]
        fn an_amount_of_few_digits_is_a_number(mantissa in -999_999_999_999_999_i64..=999_999_999_999_999, scale in 0_u32..=30) {
            let amount = Amount::from_parts(i128::from(mantissa), scale).unwrap();
            prop_assert!(exact_number(&amount.to_string()).is_some());
        }
    }
}
