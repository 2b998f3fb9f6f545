//! Layouts that are no text, read back with other readers and compared with the ledger as CSV.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use calamine::{Data, Reader, Xlsx, open_workbook};
use coinfold::model::{Amount, Sum};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use support::{Workplace, export, samples, small, unknown_row};

/// What stands in every cell; nothing and no text are the same.
type Cells = Vec<Vec<String>>;

const TRANSACTIONS: &str = "time,kind,account,sent_amount,sent_asset,received_amount,received_asset,fee_amount,fee_asset,value,value_currency,ids,note,event";
/// With the 38 digits that an amount can have, on both sides of the point.
const LONG: &str = "12345678901234567890.123456789012345678";
const LONGER: &str = "1.2345678901234567890123456789012345678";

fn csv_cells(text: &str) -> Cells {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

fn database(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// All cells of a query, its column names first.
fn query(database: &Connection, sql: &str) -> Cells {
    let mut select = database.prepare(sql).unwrap();
    let names: Vec<String> = select.column_names().map(str::to_owned).collect();
    let width = names.len();
    let mut cells = vec![names];
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let cell = |column: usize| match row.get_ref(column).unwrap() {
            ValueRef::Null => String::new(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
            other => panic!("{other:?} in column {column}"),
        };
        cells.push((0..width).map(cell).collect());
    }
    cells
}

fn sheet(path: &Path, name: &str) -> Cells {
    let mut workbook: Xlsx<_> = open_workbook(path).unwrap();
    let range = workbook.worksheet_range(name).unwrap();
    let cell = |cell: &Data| match cell {
        Data::Empty => String::new(),
        Data::Float(number) => number.to_string(),
        Data::String(text) => text.clone(),
        other => panic!("{other:?} in {name}"),
    };
    range
        .rows()
        .map(|row| row.iter().map(cell).collect())
        .collect()
}

/// The rows of a Parquet file; times are in nanoseconds.
fn parquet_cells(path: &Path) -> Cells {
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut cells = Vec::new();
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let cell = |(_, field): (&String, &Field)| match field {
            Field::Null => String::new(),
            Field::Long(number) => number.to_string(),
            Field::Str(text) => text.clone(),
            Field::Decimal(decimal) => {
                let units = i128::from_be_bytes(decimal.data().try_into().unwrap());
                let scale = u32::try_from(decimal.scale()).unwrap();
                Amount::from_parts(units, scale).unwrap().to_string()
            }
            other => panic!("{other:?}"),
        };
        cells.push(row.get_column_iter().map(cell).collect());
    }
    cells
}

/// The same as CSV has it, but for the time.
fn without_times(cells: &Cells) -> Cells {
    let without = |row: &Vec<String>| {
        let mut row = row.clone();
        row.remove(1);
        row
    };
    cells.iter().map(without).collect()
}

#[track_caller]
fn assert_cells(found: &Cells, expected: &Cells, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: the number of rows");
    for (nth, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found, expected, "{what}: row {nth}");
    }
}

/// What each account has of each asset at the end, from the lines of the ledger.
fn balances(ledger: &Cells) -> BTreeMap<(String, String), String> {
    let mut sums: BTreeMap<(String, String), Sum> = BTreeMap::new();
    for row in &ledger[1..] {
        let sum = sums.entry((row[3].clone(), row[4].clone())).or_default();
        sum.add(row[5].parse().unwrap()).unwrap();
    }
    sums.into_iter()
        .map(|(key, sum)| (key, sum.total().to_string()))
        .collect()
}

/// All samples, in every layout.
fn all_samples() -> Workplace {
    let place = Workplace::new();
    let samples = samples();
    let samples = samples.to_str().unwrap();
    for (output, options) in [
        ("ledger.csv", &[][..]),
        ("ledger.sqlite", &[]),
        ("ledger.xlsx", &[]),
        ("ledger.parquet", &["--amounts", "text"]),
        ("transactions.csv", &["--to", "transactions"]),
    ] {
        let mut arguments = vec!["convert", samples, "--allow-rejected", "-o", output];
        arguments.extend(options);
        place.run(&arguments).ends_with(0);
    }
    place
}

#[test]
fn all_samples_say_the_same_in_every_layout() {
    let place = all_samples();
    let ledger = csv_cells(&place.text("ledger.csv"));
    let transactions = csv_cells(&place.text("transactions.csv"));
    let database = database(&place.path("ledger.sqlite"));
    assert_cells(
        &query(&database, "SELECT * FROM ledger"),
        &ledger,
        "the view of the ledger",
    );
    assert_cells(
        &query(&database, "SELECT * FROM transactions"),
        &transactions,
        "the view of transactions",
    );
    let workbook = place.path("ledger.xlsx");
    // The mark before a text that a spreadsheet would run stands in the workbook alone.
    let unmarked = |cells: Cells| -> Cells {
        let plain = |cell: String| match cell.strip_prefix('\'') {
            Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest.to_owned(),
            _ => cell,
        };
        let rows = cells.into_iter();
        rows.map(|row| row.into_iter().map(plain).collect())
            .collect()
    };
    assert_cells(
        &unmarked(sheet(&workbook, "ledger")),
        &ledger,
        "the sheet ledger",
    );
    assert_cells(
        &unmarked(sheet(&workbook, "transactions")),
        &transactions,
        "the sheet transactions",
    );
    assert_cells(
        &without_times(&parquet_cells(&place.path("ledger.parquet"))),
        &without_times(&ledger[1..].to_vec()),
        "Parquet",
    );
    let expected = balances(&ledger);
    let keyed = |cells: Cells| -> BTreeMap<(String, String), String> {
        let rows = cells.into_iter().skip(1);
        rows.map(|row| ((row[0].clone(), row[1].clone()), row[2].clone()))
            .collect()
    };
    assert_eq!(
        keyed(query(&database, "SELECT * FROM balances")),
        expected,
        "the view of balances"
    );
    assert_eq!(
        keyed(sheet(&workbook, "balances")),
        expected,
        "the sheet balances"
    );
}

#[test]
fn a_database_keeps_its_own_rules_and_says_the_fate_of_every_row() {
    let place = Workplace::with(&[("a.csv", &small()), ("b.csv", &small())]);
    place
        .run(&[
            "convert",
            "a.csv",
            "b.csv",
            "-o",
            "ledger.db",
            "--rows",
            "rows.csv",
        ])
        .ends_with(0);
    let database = database(&place.path("ledger.db"));
    let one = |sql| query(&database, sql)[1..].concat();
    assert_eq!(one("PRAGMA integrity_check"), ["ok"]);
    assert_eq!(one("PRAGMA user_version"), ["1"]);
    assert!(query(&database, "PRAGMA foreign_key_check").len() == 1);
    let rows = "SELECT files.name, line, fate, events.id, reason FROM rows JOIN files ON files.number = rows.file
         LEFT JOIN events ON events.number = rows.event ORDER BY rows.number";
    assert_cells(
        &query(&database, rows)[1..].to_vec(),
        &csv_cells(&place.text("rows.csv"))[1..].to_vec(),
        "the rows",
    );
    assert_eq!(
        query(
            &database,
            "SELECT name, rows_read, used, skipped, duplicate, rejected FROM files"
        )[1..],
        [
            ["a.csv", "3", "3", "0", "0", "0"],
            ["b.csv", "3", "0", "0", "3", "0"]
        ]
    );
}

#[test]
fn the_same_exports_give_the_same_bytes_on_any_number_of_threads() {
    let place = Workplace::new();
    let samples = samples();
    let samples = samples.to_str().unwrap();
    for extension in ["parquet", "sqlite", "xlsx"] {
        let mut bytes = Vec::new();
        for (nth, threads) in ["1", "4", "4"].into_iter().enumerate() {
            let output = format!("{nth}/ledger.{extension}");
            place.write(&format!("{nth}/x"), "");
            let mut arguments = vec![
                "convert",
                samples,
                "--allow-rejected",
                "-o",
                &output,
                "--threads",
                threads,
            ];
            if extension == "parquet" {
                arguments.extend(["--amounts", "text"]);
            }
            place.run(&arguments).ends_with(0);
            bytes.push(std::fs::read(place.path(&output)).unwrap());
        }
        assert!(
            bytes.iter().all(|other| *other == bytes[0]),
            "{extension} differs between runs"
        );
    }
}

#[test]
fn amounts_of_many_digits_stay_exact() {
    let rows = [
        format!("2023-01-01T00:00:00Z,deposit,Vault,,,{LONG},AAA,,,,,,,"),
        "2023-01-02T00:00:00Z,withdrawal,Vault,0.000000000000000001,AAA,,,,,,,,,".to_owned(),
        format!("2023-01-03T00:00:00Z,deposit,Vault,,,{LONGER},BBB,,,,,,,"),
        "2023-01-04T00:00:00Z,withdrawal,Vault,1,BBB,,,,,,,,,".to_owned(),
        "2023-01-05T00:00:00Z,deposit,Vault,,,123456789012345,CCC,,,,,,,".to_owned(),
    ];
    let place = Workplace::with(&[("own.csv", &export(TRANSACTIONS, &rows))]);
    place
        .run(&["convert", "own.csv", "-o", "l.sqlite"])
        .ends_with(0);
    assert_eq!(
        query(&database(&place.path("l.sqlite")), "SELECT * FROM balances")[1..],
        [
            [
                "Vault",
                "AAA",
                "12345678901234567890.123456789012345677",
                "2"
            ],
            [
                "Vault",
                "BBB",
                "0.2345678901234567890123456789012345678",
                "2"
            ],
            ["Vault", "CCC", "123456789012345", "1"],
        ]
    );
    // Two amounts and their two balances, each on the sheets that have it.
    place
        .run(&["convert", "own.csv", "-o", "l.xlsx"])
        .ends_with(0)
        .says("6 amounts are text in the workbook: a spreadsheet's number has 15 digits");
    let mut workbook: Xlsx<_> = open_workbook(place.path("l.xlsx")).unwrap();
    let range = workbook.worksheet_range("ledger").unwrap();
    let amount = |row| range.get((row, 5)).cloned().unwrap();
    assert_eq!(amount(1), Data::String(LONG.to_owned()));
    assert_eq!(amount(3), Data::String(LONGER.to_owned()));
    assert_eq!(amount(4), Data::Float(-1.0));
    assert_eq!(amount(5), Data::Float(123_456_789_012_345.0));
}

#[test]
fn an_amount_that_parquet_does_not_hold_is_named_and_nothing_is_written() {
    let fits = format!("2023-01-01T00:00:00Z,deposit,Vault,,,{LONG},AAA,,,1,USD,,,");
    let long = format!("2023-01-03T00:00:00Z,deposit,Vault,,,{LONGER},BBB,,,{LONGER},USD,,,");
    let place = Workplace::with(&[
        (
            "fits.csv",
            &export(TRANSACTIONS, std::slice::from_ref(&fits)),
        ),
        ("own.csv", &export(TRANSACTIONS, &[fits, long])),
    ]);
    place
        .run(&["convert", "fits.csv", "-o", "l.parquet"])
        .ends_with(0);
    assert_eq!(parquet_cells(&place.path("l.parquet"))[0][5], LONG);
    std::fs::remove_file(place.path("l.parquet")).unwrap();
    place
        .run(&["convert", "own.csv", "-o", "l.parquet"])
        .ends_with(6)
        .says(&format!("own.csv:3: the amount {LONGER} BBB does not fit"))
        .says("nor does one more")
        .says("--amounts text");
    assert_eq!(place.names(), ["fits.csv", "own.csv"]);
    place
        .run(&["convert", "own.csv", "-o", "l.parquet", "--amounts", "text"])
        .ends_with(0);
    let cells = parquet_cells(&place.path("l.parquet"));
    assert_eq!((&*cells[1][5], &*cells[1][7]), (LONGER, LONGER));
}

#[test]
fn a_text_that_a_spreadsheet_would_run_is_changed_in_the_workbook_alone_and_told() {
    let row = "2023-01-01T00:00:00Z,deposit,@home,,,-1,AAA,,,,,+7,\"=HYPERLINK(\"\"x\"\")\",";
    let row = row.replace(",-1,", ",1,");
    let place = Workplace::with(&[("own.csv", &export(TRANSACTIONS, &[row]))]);
    place
        .run(&["convert", "own.csv", "-o", "l.xlsx"])
        .ends_with(0)
        .says("texts that a spreadsheet could run as a formula begin with ' in the workbook");
    let ledger = sheet(&place.path("l.xlsx"), "ledger");
    assert_eq!(ledger[1][3], "'@home");
    assert_eq!(ledger[1][9], "'+7");
    assert_eq!(ledger[1][13], "'=HYPERLINK(\"x\")");
    place
        .run(&["convert", "own.csv", "-o", "l.sqlite"])
        .ends_with(0);
    let notes = query(
        &database(&place.path("l.sqlite")),
        "SELECT account, order_id, note FROM ledger",
    );
    assert_eq!(notes[1], ["@home", "+7", "=HYPERLINK(\"x\")"]);
}

#[test]
fn a_rejected_row_stands_in_the_workbook_with_its_cells() {
    let text = small() + &unknown_row() + "\n";
    let place = Workplace::with(&[("a.csv", &text)]);
    place
        .run(&["convert", "a.csv", "-o", "l.xlsx"])
        .ends_with(4);
    let rejected = sheet(&place.path("l.xlsx"), "rejected");
    assert_eq!(rejected.len(), 2);
    assert_eq!(rejected[1][..3], ["a.csv", "5", "rejected"]);
    assert!(
        rejected[1][5].contains("Operation: Purchase"),
        "{rejected:?}"
    );
    let summary = sheet(&place.path("l.xlsx"), "summary");
    assert_eq!(summary[1][4..], ["4", "3", "0", "0", "1"]);
}

#[test]
fn what_an_earlier_run_wrote_is_no_export_and_can_be_written_over() {
    for output in ["l.parquet", "l.sqlite", "l.xlsx"] {
        let place = Workplace::with(&[("exports/a.csv", &small())]);
        let output = format!("exports/{output}");
        place
            .run(&["convert", "exports", "-o", &output])
            .ends_with(0);
        let first = std::fs::read(place.path(&output)).unwrap();
        place
            .run(&["convert", "exports", "-o", &output])
            .ends_with(0)
            .says("written by coinfold, left out");
        assert!(first == std::fs::read(place.path(&output)).unwrap());
    }
}

#[test]
fn another_database_among_the_exports_is_told() {
    let place = Workplace::with(&[("exports/a.csv", &small())]);
    let other = Connection::open(place.path("exports/other.sqlite")).unwrap();
    other.execute_batch("CREATE TABLE x (y)").unwrap();
    place
        .run(&["convert", "exports", "-o", "l.csv"])
        .ends_with(4)
        .says("other.sqlite");
}

#[test]
fn what_goes_to_stdout_is_what_goes_to_a_file() {
    let place = Workplace::with(&[("a.csv", &small())]);
    for layout in ["parquet", "sqlite", "xlsx"] {
        let output = format!("l.{layout}");
        place.run(&["convert", "a.csv", "-o", &output]).ends_with(0);
        let piped = place
            .command(&["convert", "a.csv", "--to", layout])
            .output()
            .unwrap();
        assert!(piped.status.success());
        assert!(piped.stdout == std::fs::read(place.path(&output)).unwrap());
    }
    place
        .run(&["convert", "a.csv", "-o", "dry.sqlite", "--dry-run"])
        .ends_with(0);
    assert!(!place.exists("dry.sqlite"));
}

#[test]
fn nothing_is_left_behind_but_the_file() {
    let place = Workplace::with(&[("a.csv", &small())]);
    for output in ["l.parquet", "l.sqlite", "l.xlsx"] {
        place.run(&["convert", "a.csv", "-o", output]).ends_with(0);
    }
    assert_eq!(place.names(), ["a.csv", "l.parquet", "l.sqlite", "l.xlsx"]);
}

#[test]
fn options_that_do_not_go_with_the_layout_are_wrong_usage() {
    let place = Workplace::with(&[("a.csv", &small())]);
    place
        .run(&["convert", "a.csv", "-o", "l.csv", "--amounts", "text"])
        .ends_with(2)
        .says("`--amounts` is for Parquet");
    place
        .run(&["convert", "a.csv", "-o", "l.pdf"])
        .ends_with(2)
        .says(".parquet, .sqlite or .xlsx");
}
