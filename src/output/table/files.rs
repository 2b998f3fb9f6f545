//! The files that a target writes: CSV, a workbook or JSON, into temporary files that get their names when all is proved.

use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use encoding_rs::WINDOWS_1252;
use rust_xlsxwriter::{Format, Workbook};
use tempfile::NamedTempFile;

use super::cells::Cell;
use crate::model::NameId;
use crate::output::csv_text::put_cell;
use crate::output::spreadsheet::exact_number;
use crate::output::whole_file::{Listed, begin_listed};
use crate::target::document::{Encoding, FileFormat};
use crate::target::{Container, Part};

/// Rows that a sheet of a workbook holds.
const SHEET_ROWS: u32 = 1_048_576;

/// One file, while it is written.
pub struct Sheet {
    pub part: usize,
    pub account: Option<NameId>,
    /// From 1.
    pub number: u32,
    pub rows: u64,
    bytes: u64,
    // Fields are dropped in this order: it is on the list until it is gone.
    content: Content,
    listed: Listed,
}

enum Content {
    Csv(BufWriter<NamedTempFile>),
    Json(BufWriter<NamedTempFile>),
    Workbook(Box<Workbook>, NamedTempFile),
}

/// A file that is written, and has no name yet.
pub struct Finished {
    pub part: usize,
    pub account: Option<NameId>,
    pub number: u32,
    pub rows: u64,
    // Fields are dropped in this order: it is on the list until it is gone.
    file: NamedTempFile,
    listed: Listed,
}

impl Sheet {
    /// Begins a file in a folder (that of the output, so that it can be renamed).
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(
        folder: Option<&Path>,
        nth_part: usize,
        part: &Part,
        headers: &[String],
        account: Option<NameId>,
        number: u32,
    ) -> io::Result<Sheet> {
        let container = &part.file;
        let (file, listed) = match folder {
            Some(folder) => begin_listed(folder)?,
            None => begin_listed(&std::env::temp_dir())?,
        };
        let content = match container.format {
            FileFormat::Xlsx => {
                let mut workbook = Workbook::new();
                // No clock reaches an output.
                let epoch = rust_xlsxwriter::ExcelDateTime::from_ymd(2000, 1, 1)
                    .map_err(io::Error::other)?;
                let properties =
                    rust_xlsxwriter::DocProperties::new().set_creation_datetime(&epoch);
                workbook.set_properties(&properties);
                let sheet = workbook
                    .add_worksheet_with_constant_memory()
                    .map_err(io::Error::other)?;
                sheet.set_name(&container.sheet).map_err(io::Error::other)?;
                let bold = Format::new().set_bold();
                for (column, header) in (0u16..).zip(headers) {
                    sheet
                        .write_string_with_format(0, column, header, &bold)
                        .map_err(io::Error::other)?;
                }
                Content::Workbook(Box::new(workbook), file)
            }
            FileFormat::Json => {
                let mut out = BufWriter::new(file);
                write_json_head(&mut out, container)?;
                Content::Json(out)
            }
            FileFormat::Csv | FileFormat::Journal => Content::Csv(BufWriter::new(file)),
        };
        let mut sheet = Sheet {
            part: nth_part,
            account,
            number,
            rows: 0,
            bytes: 0,
            content,
            listed,
        };
        if let Content::Csv(out) = &mut sheet.content {
            let mut head = Vec::new();
            if container.encoding == Encoding::Utf8Bom {
                head.extend_from_slice(b"\xef\xbb\xbf");
            }
            for line in &container.before {
                head.extend_from_slice(line.as_bytes());
                head.extend_from_slice(container.line_end.as_bytes());
            }
            if container.header {
                let headers = headers.iter().map(String::as_str);
                put_line(&mut head, headers, container);
            }
            let head = encoded(head, container.encoding);
            out.write_all(&head)?;
            sheet.bytes = head.len() as u64;
        }
        Ok(sheet)
    }

    /// Whether so many rows of so many bytes still fit.
    pub fn has_room(&self, rows: u64, bytes: u64, container: &Container) -> bool {
        let fits = |used: u64, more: u64, most: Option<u64>| {
            most.is_none_or(|most| used == 0 || used + more <= most)
        };
        let sheet_rows = match self.content {
            Content::Workbook(..) => Some(u64::from(SHEET_ROWS) - 1),
            _ => None,
        };
        fits(self.rows, rows, container.max_rows)
            && fits(self.rows, rows, sheet_rows)
            && (self.rows == 0 || fits(self.bytes, bytes, container.max_bytes))
    }

    /// Appends a row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn row(
        &mut self,
        cells: &[Cell],
        headers: &[String],
        container: &Container,
    ) -> io::Result<()> {
        match &mut self.content {
            Content::Csv(out) => {
                let line = line(cells, container);
                out.write_all(&line)?;
                self.bytes += line.len() as u64;
            }
            Content::Json(out) => {
                let object = json_object(cells, headers);
                let before = if self.rows == 0 { "\n    " } else { ",\n    " };
                out.write_all(before.as_bytes())?;
                out.write_all(object.as_bytes())?;
                self.bytes += (object.len() + before.len()) as u64;
            }
            Content::Workbook(workbook, _) => {
                let sheet = workbook.worksheet_from_index(0).map_err(io::Error::other)?;
                let row = u32::try_from(self.rows + 1).map_err(io::Error::other)?;
                for (column, cell) in (0u16..).zip(cells) {
                    let written = match exact_number(&cell.text).filter(|_| cell.number) {
                        Some(number) => sheet.write_number(row, column, number),
                        None if cell.text.is_empty() => continue,
                        None => sheet.write_string(row, column, &cell.text),
                    };
                    written.map_err(io::Error::other)?;
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// # Errors
    /// When not all of it can be written.
    pub fn finish(self, container: &Container) -> io::Result<Finished> {
        let file = match self.content {
            Content::Csv(out) => out.into_inner().map_err(io::IntoInnerError::into_error)?,
            Content::Json(mut out) => {
                out.write_all(if container.list.is_some() {
                    b"\n  ]\n}\n"
                } else {
                    b"\n]\n"
                })?;
                out.into_inner().map_err(io::IntoInnerError::into_error)?
            }
            Content::Workbook(mut workbook, mut file) => {
                workbook
                    .save_to_writer(file.as_file_mut())
                    .map_err(io::Error::other)?;
                file
            }
        };
        Ok(Finished {
            part: self.part,
            account: self.account,
            number: self.number,
            rows: self.rows,
            file,
            listed: self.listed,
        })
    }
}

impl Finished {
    /// Gives the file its name.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn name(self, path: &Path) -> io::Result<()> {
        self.file.persist(path).map_err(|error| error.error)?;
        drop(self.listed);
        Ok(())
    }

    /// Copies it to a stream instead.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn copy(mut self, out: &mut dyn Write) -> io::Result<()> {
        let file = self.file.as_file_mut();
        file.rewind()?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return out.flush();
            }
            out.write_all(&buffer[..count])?;
        }
    }
}

/// How many bytes a row takes in a text file.
pub fn line(cells: &[Cell], container: &Container) -> Vec<u8> {
    let mut line = Vec::new();
    put_line(
        &mut line,
        cells.iter().map(|cell| cell.text.as_str()),
        container,
    );
    encoded(line, container.encoding)
}

fn put_line<'c>(line: &mut Vec<u8>, cells: impl Iterator<Item = &'c str>, container: &Container) {
    for (nth, cell) in cells.enumerate() {
        if nth > 0 {
            line.push(container.delimiter);
        }
        if container.quote_always {
            line.push(b'"');
            line.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            line.push(b'"');
        } else {
            put_cell(line, cell.as_bytes(), container.delimiter);
        }
    }
    line.extend_from_slice(container.line_end.as_bytes());
}

fn encoded(text: Vec<u8>, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => text,
        Encoding::Windows1252 => WINDOWS_1252
            .encode(&String::from_utf8_lossy(&text))
            .0
            .into_owned(),
    }
}

/// Whether a text can be written in an encoding.
pub fn fits_encoding(text: &str, encoding: Encoding) -> bool {
    encoding != Encoding::Windows1252 || !WINDOWS_1252.encode(text).2
}

fn write_json_head(out: &mut dyn Write, container: &Container) -> io::Result<()> {
    let Some(list) = &container.list else {
        return out.write_all(b"[");
    };
    out.write_all(b"{\n")?;
    for (key, value) in &container.around {
        let key = serde_json::to_string(key).map_err(io::Error::other)?;
        let value = serde_json::to_string(value).map_err(io::Error::other)?;
        writeln!(out, "  {key}: {value},")?;
    }
    let list = serde_json::to_string(list).map_err(io::Error::other)?;
    write!(out, "  {list}: [")
}

fn json_object(cells: &[Cell], headers: &[String]) -> String {
    let mut object = String::from("{");
    // What is blank is not said: a key of nothing may be looked up.
    let said = cells
        .iter()
        .zip(headers)
        .filter(|(cell, _)| !cell.text.is_empty());
    for (nth, (cell, header)) in said.enumerate() {
        if nth > 0 {
            object.push_str(", ");
        }
        object.push_str(&serde_json::Value::from(header.as_str()).to_string());
        object.push_str(": ");
        let is_number =
            cell.number && crate::output::readback::read(cell.text.as_bytes()).is_some();
        if is_number {
            object.push_str(&cell.text);
        } else {
            object.push_str(&serde_json::Value::from(cell.text.as_str()).to_string());
        }
    }
    object.push('}');
    object
}

/// A name as a part of a file's name.
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-') {
            slug.push(letter);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug
}

/// `OUT.csv` with words before its extension: `OUT.part.account.csv`.
pub fn named(output: &Path, words: &[String]) -> PathBuf {
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let mut name = stem.into_owned();
    for word in words {
        name.push('.');
        name.push_str(word);
    }
    if let Some(extension) = output.extension() {
        name.push('.');
        name.push_str(&extension.to_string_lossy());
    }
    output.with_file_name(name)
}
