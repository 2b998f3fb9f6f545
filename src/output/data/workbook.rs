//! The ledger as a workbook: sheets of legs, transactions, rejected rows, files and balances.

use std::fs::File;
use std::io;
use std::path::Path;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook};

use super::cell::text;
use super::known::AUTHOR;
use super::workbook_sheet::{Column, SHEET_ROWS, Table, to_io};
use super::{DataError, DataJob, WrittenData};
use crate::convert::Leg;
use crate::input::{RecordReader, Source};
use crate::ledger::Totals;
use crate::model::{Amount, NameId};
use crate::output::csv_text::put_id;
use crate::output::findings::Findings;
use crate::output::readback::WrittenSums;
use crate::output::rejects::rejected_rows;
use crate::output::transactions::{ids, paired};

const LEDGER: &[Column] = &[
    ("event", 18.0),
    ("time", 21.0),
    ("kind", 15.0),
    ("account", 18.0),
    ("asset", 8.0),
    ("amount", 20.0),
    ("role", 6.0),
    ("value", 14.0),
    ("value_currency", 9.0),
    ("order_id", 20.0),
    ("trade_id", 20.0),
    ("tx_hash", 24.0),
    ("address", 24.0),
    ("note", 30.0),
    ("format", 22.0),
    ("file", 36.0),
    ("line", 8.0),
];
const TRANSACTIONS: &[Column] = &[
    ("time", 21.0),
    ("kind", 15.0),
    ("account", 18.0),
    ("sent_amount", 20.0),
    ("sent_asset", 10.0),
    ("received_amount", 20.0),
    ("received_asset", 10.0),
    ("fee_amount", 14.0),
    ("fee_asset", 10.0),
    ("value", 14.0),
    ("value_currency", 9.0),
    ("ids", 30.0),
    ("note", 30.0),
    ("event", 18.0),
];
const REJECTED: &[Column] = &[
    ("file", 36.0),
    ("line", 8.0),
    ("fate", 9.0),
    ("reason", 60.0),
    ("format", 22.0),
    ("row", 90.0),
];
const SUMMARY: &[Column] = &[
    ("file", 36.0),
    ("format", 22.0),
    ("account", 18.0),
    ("encoding", 10.0),
    ("rows_read", 10.0),
    ("used", 10.0),
    ("skipped", 10.0),
    ("duplicate", 10.0),
    ("rejected", 10.0),
];
const BALANCES: &[Column] = &[("account", 24.0), ("asset", 10.0), ("balance", 30.0)];

pub(super) fn write(
    job: DataJob<'_>,
    file: &mut File,
    path: Option<&Path>,
) -> Result<WrittenData, DataError> {
    let mut workbook = Workbook::new();
    // Sheets wait beside the file until they are packed: there is room for them, or for nothing.
    if let Some(folder) = path.and_then(Path::parent) {
        workbook.set_tempdir(folder).map_err(to_io)?;
    }
    let no_clock = ExcelDateTime::from_ymd(2000, 1, 1).map_err(to_io)?;
    let properties = DocProperties::new()
        .set_author(AUTHOR)
        .set_creation_datetime(&no_clock);
    workbook.set_properties(&properties);
    let mut findings = Findings::default();
    let (lines, mut sums) = write_ledger(job, &mut workbook, &mut findings)?;
    let totals = sums.totals();
    let of_transactions = write_transactions(job, &mut workbook, &mut findings)?;
    let differences = totals.differences(&of_transactions.totals());
    if let Some((account, asset, one, other)) = differences.first() {
        sums.failure = Some(format!(
            "{account}: the legs move {one} {asset}, and the transactions {other}"
        ));
    }
    sums.failure = sums.failure.take().or(of_transactions.failure);
    write_rejected(job, &mut workbook, &mut findings)?;
    write_summary(job, &mut workbook, &mut findings)?;
    write_balances(&totals, &mut workbook, &mut findings)?;
    workbook.save_to_writer(&mut *file).map_err(to_io)?;
    Ok(WrittenData {
        lines,
        sums,
        findings,
    })
}

/// Writes an amount's cell, and adds what stands in it, or its opposite, to the sums.
fn put_amount(
    table: &mut Table<'_>,
    leg: &Leg,
    account: &str,
    sign: i128,
    job: DataJob<'_>,
    sums: &mut WrittenSums,
) -> io::Result<()> {
    let amount = if sign < 0 {
        leg.amount.neg()
    } else {
        leg.amount
    };
    let cell = table.amount(&amount.to_string())?;
    sums.add(account, job.names.asset(leg.asset), cell.as_bytes(), sign);
    Ok(())
}

fn id_text(id: u64) -> String {
    let mut text = Vec::with_capacity(16);
    put_id(&mut text, id);
    String::from_utf8_lossy(&text).into_owned()
}

fn write_ledger(
    job: DataJob<'_>,
    workbook: &mut Workbook,
    findings: &mut Findings,
) -> io::Result<(u64, WrittenSums)> {
    let mut table = Table::new(workbook, findings, "ledger", LEDGER, SHEET_ROWS)?;
    let mut sums = WrittenSums::default();
    let mut lines = 0;
    for event in &job.ledger.events {
        let view = job.ledger.view(event);
        let (id, time) = (id_text(view.id), view.time.to_string());
        for (leg, at) in view.legs() {
            let of_file = job.ledger.file_index(at);
            let account = job.names.account(leg.account);
            table.start_row()?;
            table.word(&id)?;
            table.word(&time)?;
            table.word(view.kind.word())?;
            table.text(account)?;
            table.text(job.names.asset(leg.asset))?;
            put_amount(&mut table, &leg, account, 1, job, &mut sums)?;
            table.word(leg.role.word())?;
            put_value(&mut table, leg.value, job)?;
            for bytes in view.texts() {
                table.text(&text(bytes))?;
            }
            table.word(&job.ledger.context(of_file).program.id)?;
            table.text(&job.ledger.files[of_file].name)?;
            table.count(job.ledger.line(at))?;
            lines += 1;
        }
    }
    table.finish()?;
    Ok((lines, sums))
}

fn put_value(
    table: &mut Table<'_>,
    value: Option<(Amount, NameId)>,
    job: DataJob<'_>,
) -> io::Result<()> {
    match value {
        Some((value, currency)) => {
            table.amount(&value.to_string())?;
            table.text(job.names.asset(currency))
        }
        None => {
            table.empty();
            table.empty();
            Ok(())
        }
    }
}

fn write_transactions(
    job: DataJob<'_>,
    workbook: &mut Workbook,
    findings: &mut Findings,
) -> io::Result<WrittenSums> {
    let mut table = Table::new(workbook, findings, "transactions", TRANSACTIONS, SHEET_ROWS)?;
    let mut sums = WrittenSums::default();
    for event in &job.ledger.events {
        let view = job.ledger.view(event);
        let (id, time, ids) = (id_text(view.id), view.time.to_string(), ids(&view));
        for row in paired(&view) {
            let account = job.names.account(row.account);
            table.start_row()?;
            table.word(&time)?;
            table.word(view.kind.word())?;
            table.text(account)?;
            for (leg, sign) in [(&row.sent, -1), (&row.received, 1), (&row.fee, -1)] {
                match leg {
                    Some(leg) => {
                        put_amount(&mut table, leg, account, sign, job, &mut sums)?;
                        table.text(job.names.asset(leg.asset))?;
                    }
                    None => {
                        table.empty();
                        table.empty();
                    }
                }
            }
            put_value(&mut table, row.value(), job)?;
            table.text(&text(&ids))?;
            table.text(&text(view.texts()[4]))?;
            table.word(&id)?;
        }
    }
    table.finish()?;
    Ok(sums)
}

fn write_rejected(
    job: DataJob<'_>,
    workbook: &mut Workbook,
    findings: &mut Findings,
) -> io::Result<()> {
    let sources = job
        .sources
        .iter()
        .map(|source| (source.name().to_owned(), Source::clone(source)))
        .collect();
    let mut table = Table::new(workbook, findings, "rejected", REJECTED, SHEET_ROWS)?;
    let counts = job.ledger.counts();
    for (index, file) in job.ledger.files.iter().enumerate() {
        if counts[index].rejected == 0 {
            continue;
        }
        let context = &file.rows.context;
        for row in rejected_rows(job.ledger, &sources, index)? {
            table.start_row()?;
            table.text(&file.name)?;
            table.count(row.line)?;
            table.word("rejected")?;
            table.text(&row.reason)?;
            table.word(&context.program.id)?;
            let record = row.record.as_deref().unwrap_or_default();
            table.text(&told(record, &context.binding.header, context.delimiter))?;
        }
    }
    table.finish()
}

/// A record as `Header: cell · Header: cell`, for tables of different headers on one sheet.
fn told(record: &[u8], header: &[String], delimiter: u8) -> String {
    let mut reader = RecordReader::new(delimiter);
    let mut records = reader.start(record);
    let Ok(Some(record)) = records.next() else {
        return String::new();
    };
    let cells = record
        .iter()
        .enumerate()
        .filter(|(_, cell)| !cell.is_empty());
    let cells = cells.map(|(index, cell)| match header.get(index) {
        Some(name) => format!("{}: {}", name.trim_start_matches('\u{feff}'), text(cell)),
        None => text(cell).into_owned(),
    });
    cells.collect::<Vec<_>>().join(" · ")
}

fn write_summary(
    job: DataJob<'_>,
    workbook: &mut Workbook,
    findings: &mut Findings,
) -> io::Result<()> {
    let mut table = Table::new(workbook, findings, "summary", SUMMARY, SHEET_ROWS)?;
    for (file, counts) in job.ledger.files.iter().zip(job.ledger.counts()) {
        table.start_row()?;
        table.text(&file.name)?;
        table.word(&file.rows.context.program.id)?;
        table.text(file.rows.context.account.as_deref().unwrap_or_default())?;
        table.word(file.rows.encoding)?;
        let fates = [
            counts.read,
            counts.used,
            counts.skipped,
            counts.duplicate,
            counts.rejected,
        ];
        for count in fates {
            table.count(count)?;
        }
    }
    table.finish()
}

fn write_balances(
    totals: &Totals,
    workbook: &mut Workbook,
    findings: &mut Findings,
) -> io::Result<()> {
    let mut table = Table::new(workbook, findings, "balances", BALANCES, SHEET_ROWS)?;
    for ((account, asset), amount) in &totals.0 {
        table.start_row()?;
        table.text(account)?;
        table.text(asset)?;
        table.amount(&amount.to_string())?;
    }
    table.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::headers;

    #[test]
    fn every_sheet_is_known_as_our_own_by_its_header() {
        let header = |columns: &[Column]| {
            let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
            names.join(",") + "\n"
        };
        assert_eq!(header(LEDGER), headers::LEDGER);
        assert_eq!(header(TRANSACTIONS), headers::TRANSACTIONS);
        for columns in [REJECTED, SUMMARY, BALANCES] {
            assert!(headers::is_own(header(columns).as_bytes()));
        }
    }
}
