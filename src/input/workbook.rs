//! Sheets of a workbook as CSV text, so that everything after this room sees only text.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use calamine::{DataRef, Reader, SheetType, Xlsx};
use zip::ZipArchive;

use super::error::{Bytes, InputError, InputErrorKind};
use super::limits::{ARCHIVE_MEMBERS, RECORD_CELLS, SHEET_TEXT_BYTES, WORKBOOK_BYTES};
use super::source::{Place, Source};
use super::unpack::open_packed;

/// Bytes that can be read from any place.
pub(crate) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

type Result<T> = std::result::Result<T, InputErrorKind>;

/// The names of the sheets of a workbook that have a cell with something in it.
pub(crate) fn sheet_names(source: &Source) -> std::result::Result<Vec<String>, InputError> {
    in_workbook(source, |workbook| {
        let sheets: Vec<String> = workbook
            .sheets_metadata()
            .iter()
            .filter(|sheet| sheet.typ == SheetType::WorkSheet)
            .map(|sheet| sheet.name.clone())
            .collect();
        let mut filled = Vec::new();
        for sheet in sheets {
            if has_cells(workbook, &sheet)? {
                filled.push(sheet);
            }
        }
        Ok(filled)
    })
}

/// A sheet as CSV text: one record per row, so that a record's line is its row's number.
pub(crate) fn sheet_text(source: &Source, sheet: &str) -> std::result::Result<Vec<u8>, InputError> {
    in_workbook(source, |workbook| render(workbook, sheet))
}

fn in_workbook<T>(
    source: &Source,
    read: impl FnOnce(&mut Xlsx<BufReader<Box<dyn ReadSeek>>>) -> Result<T>,
) -> std::result::Result<T, InputError> {
    let bytes = open(source)?;
    let result = checked(bytes).and_then(|bytes| {
        let mut workbook = Xlsx::new(BufReader::new(bytes)).map_err(bad)?;
        read(&mut workbook)
    });
    result.map_err(|kind| InputError::new(source.name(), kind))
}

/// The workbook's own bytes: from its file, or in memory if it lies in an archive.
pub(crate) fn open(source: &Source) -> std::result::Result<Box<dyn ReadSeek>, InputError> {
    let place = match source.place() {
        Place::Sheet { workbook, .. } => workbook,
        place => place,
    };
    let from_io = |error| InputError::from_io(source.name(), &error);
    if let (Place::File, Some(path)) = (place, source.path()) {
        return Ok(Box::new(File::open(path).map_err(from_io)?));
    }
    let mut bytes = Vec::new();
    let mut raw = open_packed(source)?.take(WORKBOOK_BYTES + 1);
    raw.read_to_end(&mut bytes).map_err(from_io)?;
    if bytes.len() as u64 > WORKBOOK_BYTES {
        return Err(InputError::new(source.name(), too_large()));
    }
    Ok(Box::new(Cursor::new(bytes)))
}

/// The same bytes, once every part of the workbook is known to unpack to what it states and all of
/// them to no more than the limit: after this the parts can be read without counting.
fn checked(mut bytes: Box<dyn ReadSeek>) -> Result<Box<dyn ReadSeek>> {
    let mut archive = ZipArchive::new(&mut bytes).map_err(bad)?;
    if archive.len() > ARCHIVE_MEMBERS {
        return Err(too_large());
    }
    let mut left = WORKBOOK_BYTES;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(bad)?;
        if part.size() > left {
            return Err(too_large());
        }
        let mut limited = part.by_ref().take(left + 1);
        let size = std::io::copy(&mut limited, &mut std::io::sink()).map_err(bad)?;
        left = left.checked_sub(size).ok_or_else(too_large)?;
    }
    bytes.seek(SeekFrom::Start(0)).map_err(bad)?;
    Ok(bytes)
}

fn bad(cause: impl std::fmt::Display) -> InputErrorKind {
    InputErrorKind::BadWorkbook(cause.to_string())
}

fn too_large() -> InputErrorKind {
    InputErrorKind::TooLarge(format!(
        "a workbook that unpacks to more than {}",
        Bytes(WORKBOOK_BYTES)
    ))
}

fn has_cells<R: Read + Seek>(workbook: &mut Xlsx<R>, sheet: &str) -> Result<bool> {
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(bad)?;
    while let Some(cell) = cells.next_cell().map_err(bad)? {
        if !is_empty(cell.get_value()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_empty(value: &DataRef<'_>) -> bool {
    match value {
        DataRef::Empty => true,
        DataRef::String(text) => text.is_empty(),
        DataRef::SharedString(text) => text.is_empty(),
        _ => false,
    }
}

fn render<R: Read + Seek>(workbook: &mut Xlsx<R>, sheet: &str) -> Result<Vec<u8>> {
    let is_1904 = workbook.has_1904_epoch();
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(bad)?;
    let mut text = SheetText::default();
    let mut value = String::new();
    while let Some(cell) = cells.next_cell().map_err(bad)? {
        if is_empty(cell.get_value()) {
            continue;
        }
        let (row, column) = cell.get_position();
        value.clear();
        write_value(cell.get_value(), is_1904, &mut value);
        text.add(row, column, &value)?;
    }
    Ok(text.finish())
}

/// CSV text that grows cell by cell.
#[derive(Debug, Default)]
struct SheetText {
    text: Vec<u8>,
    row: u32,
    column: u32,
    begun: bool,
}

impl SheetText {
    fn add(&mut self, row: u32, column: u32, value: &str) -> Result<()> {
        let next = (self.row, self.column + u32::from(self.begun));
        if (row, column) < next {
            return Err(bad("its cells are not in order"));
        }
        if column as usize >= RECORD_CELLS {
            return Err(InputErrorKind::TooManyColumns {
                limit: RECORD_CELLS,
            });
        }
        if row > self.row {
            let line_ends = (row - self.row) as usize;
            self.text.resize(self.text.len() + line_ends, b'\n');
            (self.row, self.column) = (row, 0);
        }
        let commas = (column - self.column) as usize;
        self.text.resize(self.text.len() + commas, b',');
        self.column = column;
        self.begun = true;
        self.push(value);
        if self.text.len() > SHEET_TEXT_BYTES {
            return Err(InputErrorKind::TooLarge(format!(
                "a sheet of more than {}",
                Bytes(SHEET_TEXT_BYTES as u64)
            )));
        }
        Ok(())
    }

    /// Writes a cell, in quotes if it needs them. Its line breaks become blanks: a row is a line.
    fn push(&mut self, value: &str) {
        let quoted = value.contains([',', '"']);
        if quoted {
            self.text.push(b'"');
        }
        let mut bytes = value.bytes().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => self.text.extend_from_slice(b"\"\""),
                b'\r' if bytes.peek() == Some(&b'\n') => {}
                b'\r' | b'\n' => self.text.push(b' '),
                _ => self.text.push(byte),
            }
        }
        if quoted {
            self.text.push(b'"');
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.begun {
            self.text.push(b'\n');
        }
        self.text
    }
}

fn write_value(value: &DataRef<'_>, is_1904: bool, text: &mut String) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _ = match value {
        DataRef::Empty => Ok(()),
        DataRef::Int(number) => write!(text, "{number}"),
        DataRef::Float(number) => write!(text, "{}", number + 0.0),
        DataRef::String(string) => write!(text, "{string}"),
        DataRef::SharedString(string) => write!(text, "{string}"),
        DataRef::Bool(yes) => write!(text, "{}", if *yes { "TRUE" } else { "FALSE" }),
        DataRef::DateTime(time) => {
            let serial = Serial {
                days: time.as_f64(),
                is_duration: time.is_duration(),
                is_1904,
            };
            write!(text, "{serial}")
        }
        DataRef::DateTimeIso(time) => write!(text, "{}", time.replacen('T', " ", 1)),
        DataRef::DurationIso(duration) => write!(text, "{duration}"),
        DataRef::Error(error) => write!(text, "{error}"),
    };
}

/// A date as a workbook holds it: days since its epoch, of which only milliseconds are exact.
struct Serial {
    days: f64,
    is_duration: bool,
    is_1904: bool,
}

const DAY_MILLISECONDS: i64 = 24 * 60 * 60 * 1000;

impl std::fmt::Display for Serial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // 9999-12-31 is the last day that a workbook knows.
        if !(0.0..2_958_466.0).contains(&self.days) {
            return write!(f, "{}", self.days);
        }
        #[allow(clippy::cast_possible_truncation)] // in range, as was seen
        let milliseconds = (self.days * DAY_MILLISECONDS as f64).round() as i64;
        let (mut day, mut time) = (
            milliseconds / DAY_MILLISECONDS,
            milliseconds % DAY_MILLISECONDS,
        );
        if self.is_duration {
            (day, time) = (0, milliseconds);
        }
        if self.days >= 1.0 && !self.is_duration {
            let (year, month, day) = civil_date(self.days_since_1970(day));
            write!(f, "{year:04}-{month:02}-{day:02} ")?;
        } else {
            // A time of day (of no day), or one rounded up to a whole one.
            time += day * DAY_MILLISECONDS;
        }
        let (seconds, milliseconds) = (time / 1000, time % 1000);
        let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hour:02}:{minute:02}:{:02}", seconds % 60)?;
        if milliseconds > 0 {
            write!(f, ".{milliseconds:03}")?;
        }
        Ok(())
    }
}

impl Serial {
    fn days_since_1970(&self, day: i64) -> i64 {
        match (self.is_1904, day) {
            (true, day) => day - 24_107,
            // Serial 60 is the 29th of February 1900, a day that was not: it counts as the 28th.
            (false, 60..) => day - 25_569,
            (false, day) => day - 25_568,
        }
    }
}

/// Year, month and day of a number of days since 1970-01-01.
/// Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn civil_date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serial(days: f64, is_duration: bool, is_1904: bool) -> String {
        Serial {
            days,
            is_duration,
            is_1904,
        }
        .to_string()
    }

    #[test]
    fn dates_are_those_that_the_workbook_shows() {
        for (days, shown) in [
            (1.0, "1900-01-01 00:00:00"),
            (59.0, "1900-02-28 00:00:00"),
            (61.0, "1900-03-01 00:00:00"),
            (25_569.0, "1970-01-01 00:00:00"),
            (45_351.999_994_212_96, "2024-02-29 23:59:59.500"),
            (45_351.999_999_999_9, "2024-03-01 00:00:00"),
            (2_958_465.0, "9999-12-31 00:00:00"),
            (0.0, "00:00:00"),
            (0.5, "12:00:00"),
            (0.297_326_388_888_888_9, "07:08:09"),
            (-1.5, "-1.5"),
            (2_958_466.0, "2958466"),
        ] {
            assert_eq!(serial(days, false, false), shown);
        }
        assert_eq!(serial(24_107.0, false, true), "1970-01-01 00:00:00");
        assert_eq!(serial(1.0, false, true), "1904-01-02 00:00:00");
        assert_eq!(serial(1.5, true, false), "36:00:00");
    }

    #[test]
    fn sheets_that_would_grow_without_measure_are_refused() {
        let mut text = SheetText::default();
        text.add(5, 3, "x").expect("in order");
        assert!(matches!(
            text.add(5, 3, "y"),
            Err(InputErrorKind::BadWorkbook(_))
        ));
        assert!(matches!(
            text.add(4, 9, "y"),
            Err(InputErrorKind::BadWorkbook(_))
        ));
        let wide = text.add(6, 16_383, "y");
        assert!(matches!(wide, Err(InputErrorKind::TooManyColumns { .. })));
        assert_eq!(text.finish(), b"\n\n\n\n\n,,,x\n");
    }
}
