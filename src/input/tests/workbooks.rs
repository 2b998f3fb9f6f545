//! Sheets of a workbook are texts like any other.

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

use super::archives::{tar, zip};
use super::{Folder, gzip, rows_of, text_of};
use crate::input::{Document, InputErrorKind};

pub(super) fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book
        .add_worksheet()
        .set_name("Account History")
        .expect("a name");
    let texts = ["Date", "Side", "Amount, \"net\"", "Two\nlines\r\nof it"];
    for (column, text) in texts.into_iter().enumerate() {
        sheet.write(0, column as u16, text).expect("a cell");
    }
    let format = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000");
    let times = [
        "2024-02-29T23:59:59.500",
        "1999-12-31",
        "2024-01-01T00:00:00.001",
    ];
    for (row, time) in times.into_iter().enumerate() {
        let time = ExcelDateTime::parse_from_str(time).expect("a time");
        sheet
            .write_with_format(row as u32 + 3, 0, &time, &format)
            .expect("a cell");
    }
    let numbers = [0.1, 100.0, 0.000_000_01, 1e21, -0.0, 1.0 / 3.0, 12345.678];
    for (column, number) in numbers.into_iter().enumerate() {
        sheet.write(3, column as u16 + 1, number).expect("a cell");
    }
    sheet.write(4, 1, true).expect("a cell");
    sheet.write(4, 2, false).expect("a cell");
    sheet
        .write(4, 3, Formula::new("=NA()").set_result("#N/A"))
        .expect("a cell");
    sheet.write(4, 4, "").expect("a cell");
    let time = ExcelDateTime::from_hms_milli(7, 8, 9, 0).expect("a time");
    let clock = Format::new().set_num_format("hh:mm:ss");
    sheet
        .write_with_format(5, 1, &time, &clock)
        .expect("a cell");
    book.add_worksheet().set_name("Empty").expect("a name");
    book.add_worksheet()
        .set_name("Second")
        .expect("a name")
        .write(1, 1, "x")
        .expect("a cell");
    book.save_to_buffer().expect("memory")
}

const TEXT: &str = r#"Date,Side,"Amount, ""net""",Two lines of it


2024-02-29 23:59:59.500,0.1,100,0.00000001,1000000000000000000000,0,0.3333333333333333,12345.678
1999-12-31 00:00:00,TRUE,FALSE,#N/A
2024-01-01 00:00:00.001,07:08:09
"#;

#[test]
fn each_sheet_with_something_in_it_is_a_source() {
    let folder = Folder::new();
    folder.write("a.xlsx", workbook());
    let found = folder.discover(&["a.xlsx"]).expect("found");
    assert_eq!(found.problems, []);
    assert_eq!(
        folder.source_names(&found),
        ["a.xlsx#Account History", "a.xlsx#Second"]
    );
    let first = &found.sources[0];
    assert_eq!(
        (first.file_name(), first.sheet()),
        ("a.xlsx", Some("Account History"))
    );
    assert!(first.is_workbook() && first.can_reopen());
    assert_eq!(text_of(first).expect("reads"), TEXT);
    let lines: Vec<u64> = rows_of(first).iter().map(|row| row.0).collect();
    assert_eq!(lines, [1, 4, 5, 6], "a record's line is its row's number");
    assert_eq!(text_of(&found.sources[1]).expect("reads"), "\n,x\n");
    assert_eq!(rows_of(&found.sources[1]), [(2, "|x".to_owned())]);
}

#[test]
fn a_workbook_in_an_archive_is_read_in_memory() {
    let folder = Folder::new();
    for (name, bytes) in [
        ("a.zip", zip(&[("in/b.xlsx", &workbook())])),
        ("a.tgz", gzip(&tar(&[("in/b.xlsx", &workbook())]))),
    ] {
        folder.write(name, bytes);
        let found = folder.discover(&[name]).expect("found");
        let names = ["Account History", "Second"].map(|sheet| format!("{name}/in/b.xlsx#{sheet}"));
        assert_eq!(folder.source_names(&found), names);
        assert_eq!(found.sources[0].file_name(), "b.xlsx");
        assert_eq!(text_of(&found.sources[0]).expect("reads"), TEXT);
    }
}

#[test]
fn a_broken_workbook_is_a_problem() {
    let folder = Folder::new();
    let problem = folder.problem("a.xlsx", zip(&[("xl/workbook.xml", b"<workbook")]));
    assert!(
        matches!(problem.kind(), InputErrorKind::BadWorkbook(_)),
        "{problem}"
    );
    let problem = folder.problem("a.docx", zip(&[("[Content_Types].xml", b"<a/>")]));
    assert_eq!(
        problem.kind(),
        &InputErrorKind::NotText("an Office document".to_owned())
    );
}

#[test]
fn a_workbook_that_unpacks_to_too_much_is_not_read() {
    let folder = Folder::new();
    let zeros = vec![0; 257 << 20];
    let problem = folder.problem(
        "a.xlsx",
        zip(&[("xl/workbook.xml", b"<a/>"), ("xl/z.xml", &zeros)]),
    );
    assert!(
        matches!(problem.kind(), InputErrorKind::TooLarge(_)),
        "{problem}"
    );
}

#[test]
fn a_workbook_that_changes_into_something_else_is_an_error() {
    let folder = Folder::new();
    folder.write("a.xlsx", workbook());
    let found = folder.discover(&["a.xlsx"]).expect("found");
    folder.write("a.xlsx", "a,b\n");
    let error = Document::open(&found.sources[0], None).expect_err("changed");
    assert!(
        matches!(error.kind(), InputErrorKind::BadWorkbook(_)),
        "{error}"
    );
}
