//! Which report each source is, told from its first lines, and where its rows begin.
//!
//! Many files of a run have the same header. What was recognised once is remembered with all of the text that was looked at
//! to tell it, and a file that begins with just that text is the same report.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::RowView;
use super::file::{Facts, FileContext};
use super::options::Options;
use crate::input::{
    CutMode, Document, HeadRecord, InputError, Position, RecordReader, Source, head_records,
};
use crate::mapping::{HeaderLine, Library, Program, Recognised, Unrecognised, bind, recognise};
use crate::model::headers;

/// The header line stands within this many lines.
const HEADER_LINES: usize = 50;

/// Delimiters that are tried.
const DELIMITERS: &[u8] = b",;\t|";

/// How many headers are remembered: more than that are rarely met, and looking among them takes time too.
const REMEMBERED: usize = 64;

/// What a file is, before its rows are read.
pub struct Detected {
    pub recognised: Arc<Recognised>,
    pub encoding: &'static str,
    /// Line on which the header stands, 1-based; none if there is none.
    pub header_line: Option<u64>,
    /// Where the rows begin.
    pub start: Position,
}

/// What detection says of a source.
pub enum Detection {
    Known(Box<Detected>),
    /// With the first lines of the file as they were seen.
    Unknown(Unrecognised, Vec<String>),
    Own,
    Empty,
}

/// A source whose report is known, ready to be read.
pub struct Opened {
    pub document: Document,
    pub detected: Detected,
    pub context: Arc<FileContext>,
}

/// Tells which report a source is.
///
/// # Errors
/// When it cannot be read.
pub fn detect(
    source: &Source,
    library: &Library,
    options: &Options,
) -> Result<Detection, InputError> {
    Detector::new(library, options).detect(source)
}

/// Opens a source as the report that it is, with all facts about it that do not come from its rows.
///
/// # Errors
/// When it cannot be read.
pub fn open(
    source: &Source,
    library: &Library,
    options: &Options,
) -> Result<Result<Opened, Detection>, InputError> {
    Detector::new(library, options).open(source, Vec::new())
}

/// Tells the reports of the sources of one run.
pub struct Detector<'r> {
    library: &'r Library,
    options: &'r Options,
    headers: Mutex<Vec<Arc<Remembered>>>,
    /// Filled from the first on.
    contexts: [OnceLock<Known>; REMEMBERED],
}

/// A header that was recognised.
struct Remembered {
    /// All of the text that was looked at: whole lines, in which the records before and with the header end under every
    /// delimiter.
    text: Box<[u8]>,
    sheet: Option<String>,
    /// The report that the person asked for.
    wanted: Option<String>,
    found: Found,
}

/// Where a header stands, and whose it is.
#[derive(Clone)]
struct Found {
    recognised: Arc<Recognised>,
    header_line: Option<u64>,
    start: Position,
}

/// What rows are read with, of a header and the facts that were given.
struct Known {
    recognised: Arc<Recognised>,
    facts: Facts,
    context: Arc<FileContext>,
}

impl<'r> Detector<'r> {
    pub fn new(library: &'r Library, options: &'r Options) -> Detector<'r> {
        Detector {
            library,
            options,
            headers: Mutex::default(),
            contexts: [const { OnceLock::new() }; REMEMBERED],
        }
    }

    /// Tells which report a source is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn detect(&self, source: &Source) -> Result<Detection, InputError> {
        let document = Document::open(source, None)?;
        Ok(self.detect_document(&document, source))
    }

    /// Opens a source as the report that it is, with all facts about it that do not come from its rows. Its text is read
    /// into `memory`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn open(
        &self,
        source: &Source,
        memory: Vec<u8>,
    ) -> Result<Result<Opened, Detection>, InputError> {
        let mut document = Document::open_in(source, None, memory)?;
        let mut detected = match self.detect_document(&document, source) {
            Detection::Known(detected) => detected,
            other => return Ok(Err(other)),
        };
        let encoding = detected.recognised.program.encoding.clone();
        if encoding.is_some() && source.can_reopen() {
            // What the mapping states goes before what was guessed, for the header line too.
            document = Document::open(source, encoding.as_deref())?;
            detected = match self.detect_document(&document, source) {
                Detection::Known(detected) => detected,
                other => return Ok(Err(other)),
            };
        }
        let program = &detected.recognised.program;
        let file_name = match program.uses_file_name {
            true => source.file_name().to_owned(),
            false => String::new(),
        };
        let options = self.options;
        let facts = Facts {
            file_name,
            sheet: source.sheet().unwrap_or_default().to_owned(),
            zone: options.zone_of(source),
            dates: options.dates_of(source),
            asset: options.asset_of(source),
            account: options.account_of(source),
            own: own_addresses(source, program, &detected, options)?,
            is_workbook: source.is_workbook(),
            read_once: !source.can_reopen(),
        };
        let context = self.context(&detected.recognised, facts);
        Ok(Ok(Opened {
            document,
            detected: *detected,
            context,
        }))
    }

    /// What the rows of a file are read with: the same for files that have all of it in common.
    fn context(&self, recognised: &Arc<Recognised>, facts: Facts) -> Arc<FileContext> {
        let Recognised {
            program,
            binding,
            line,
        } = &**recognised;
        let make = |facts| {
            let (program, binding) = (program.clone(), binding.clone());
            Arc::new(FileContext::new(program, binding, line.delimiter, facts))
        };
        for place in &self.contexts {
            let known = place.get_or_init(|| Known {
                recognised: recognised.clone(),
                context: make(facts.clone()),
                facts: facts.clone(),
            });
            if Arc::ptr_eq(&known.recognised, recognised) && known.facts == facts {
                return known.context.clone();
            }
        }
        make(facts)
    }

    /// The same context for as long as the run lasts, if it is one that files may have in common.
    pub(super) fn lasting(&self, context: &FileContext) -> Option<&FileContext> {
        let known = self.contexts.iter().map_while(OnceLock::get);
        known
            .map(|known| &*known.context)
            .find(|lasting| std::ptr::eq(*lasting, context))
    }

    fn detect_document(&self, document: &Document, source: &Source) -> Detection {
        let head = document.head();
        if head.iter().all(u8::is_ascii_whitespace) {
            return Detection::Empty;
        }
        let is_named = || self.options.named.iter().any(|path| path == source.name());
        if headers::is_own(head) && !(headers::is_ledger(head) && is_named()) {
            return Detection::Own;
        }
        let wanted = self.options.report_of(source);
        match self.find(head, source.sheet(), wanted) {
            Ok(found)
                if found.header_line.is_some() && is_own_output(&found, head) && !is_named() =>
            {
                Detection::Own
            }
            Ok(found) => Detection::Known(Box::new(Detected {
                recognised: found.recognised,
                encoding: document.encoding(),
                header_line: found.header_line,
                start: found.start,
            })),
            Err(unrecognised) => {
                let text = String::from_utf8_lossy(head);
                let first = text.lines().filter(|line| !line.trim().is_empty()).take(3);
                Detection::Unknown(unrecognised, first.map(str::to_owned).collect())
            }
        }
    }

    /// The header in the first lines of a text. Sheets of workbooks have a name.
    fn find(
        &self,
        head: &[u8],
        sheet: Option<&str>,
        wanted: Option<&str>,
    ) -> Result<Found, Unrecognised> {
        let lock = || self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |known: &&Arc<Remembered>| {
            head.starts_with(&known.text)
                && known.sheet.as_deref() == sheet
                && known.wanted.as_deref() == wanted
        };
        if let Some(known) = lock().iter().find(is_it) {
            return Ok(known.found.clone());
        }
        let found = find_anew(self.library, head, sheet, wanted)?;
        if let Some(line) = found.header_line
            && let Some(text) = looked_at(head, sheet, line)
        {
            let mut headers = lock();
            // Another thread may have come to know it at the same time.
            if let Some(known) = headers.iter().find(is_it) {
                return Ok(known.found.clone());
            }
            if headers.len() < REMEMBERED {
                headers.push(Arc::new(Remembered {
                    text: text.into(),
                    sheet: sheet.map(str::to_owned),
                    wanted: wanted.map(str::to_owned),
                    found: found.clone(),
                }));
            }
        }
        Ok(found)
    }
}

/// Sheets of workbooks are our own text.
fn delimiters_of(sheet: Option<&str>) -> &'static [u8] {
    match sheet {
        Some(_) => b",",
        None => DELIMITERS,
    }
}

/// The beginning of a text that says which of its records begin on a line or before it, and what is in them, whatever
/// follows. `None` if what follows may change that.
fn looked_at<'h>(head: &'h [u8], sheet: Option<&str>, line: u64) -> Option<&'h [u8]> {
    let limit = usize::try_from(line).ok()?.checked_add(1)?;
    let mut end = 0;
    // A delimiter that does not occur here may do so in a text that begins as this one.
    for delimiter in delimiters_of(sheet).iter().copied() {
        let records = head_records(head, delimiter, limit);
        let count = records.partition_point(|record| record.line <= line);
        // The record before another one is whole.
        let (before, [_, ..]) = records.split_at(count) else {
            return None;
        };
        end = end.max(before.last().map_or(0, |record| record.end.byte));
    }
    let text = head.get(..usize::try_from(end).ok()?)?;
    let lines = memchr::memchr_iter(b'\n', text).count() as u64;
    (text.ends_with(b"\n") && lines >= line).then_some(text)
}

/// The header in the first lines of a text that is met for the first time.
fn find_anew(
    library: &Library,
    head: &[u8],
    sheet: Option<&str>,
    wanted: Option<&str>,
) -> Result<Found, Unrecognised> {
    let mut lines = Vec::new();
    let mut ends = Vec::new();
    for delimiter in delimiters_of(sheet).iter().copied() {
        // What does not occur separates no cells.
        if delimiter != b',' && memchr::memchr(delimiter, head).is_none() {
            continue;
        }
        for HeadRecord { cells, line, end } in head_records(head, delimiter, HEADER_LINES) {
            // One cell alone is no header under any delimiter, unless a mapping asks for just that.
            if line <= HEADER_LINES as u64 && (cells.len() > 1 || delimiter == b',') {
                let index = usize::try_from(line).unwrap_or(usize::MAX);
                lines.push(HeaderLine {
                    delimiter,
                    cells,
                    index,
                });
                ends.push((delimiter, index, end));
            }
        }
    }
    if let Some(headless) = wanted.and_then(|id| headless(library, id, &lines)) {
        return Ok(Found {
            recognised: Arc::new(headless),
            header_line: None,
            start: Position::START,
        });
    }
    let recognised = recognise(library, &lines, sheet, wanted)?;
    let line = &recognised.line;
    let end = ends
        .iter()
        .find(|(delimiter, index, _)| *delimiter == line.delimiter && *index == line.index);
    Ok(Found {
        header_line: Some(line.index as u64),
        start: end.map_or(Position::START, |(.., end)| *end),
        recognised: Arc::new(recognised),
    })
}

/// Whether a file holds rows that an earlier run rejected, or transactions that it wrote (whose last cell is an event's
/// id, which nobody makes by hand).
fn is_own_output(found: &Found, head: &[u8]) -> bool {
    if head.starts_with(headers::TRANSACTIONS.as_bytes()) {
        let first = head_records(head, b',', 2).into_iter().nth(1);
        let event = first.and_then(|record| record.cells.into_iter().next_back());
        return event.is_some_and(|event| {
            event.len() == 16 && event.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
    }
    let binding = &found.recognised.binding;
    binding
        .header
        .iter()
        .any(|header| header == "coinfold_reason")
}

/// A mapping without header that the person asked for.
fn headless(library: &Library, id: &str, lines: &[HeaderLine]) -> Option<Recognised> {
    let program = library
        .program(library.get(id)?)
        .ok()
        .filter(|program| !program.has_header)?;
    let delimiter = program.delimiter.or_else(|| {
        lines
            .iter()
            .max_by_key(|line| line.cells.len())
            .map(|line| line.delimiter)
    })?;
    let width = lines
        .iter()
        .find(|line| line.delimiter == delimiter)
        .map_or(0, |line| line.cells.len());
    let binding = Arc::new(bind(&program, &vec![String::new(); width])?);
    let line = HeaderLine {
        delimiter,
        cells: Vec::new(),
        index: 0,
    };
    Some(Recognised {
        program,
        binding,
        line,
    })
}

/// Whose history a file is: said by the person, or by the file's name, or by the one address that every row has.
fn own_addresses(
    source: &Source,
    program: &Program,
    detected: &Detected,
    options: &Options,
) -> Result<Vec<String>, InputError> {
    let Some(own) = &program.own else {
        return Ok(Vec::new());
    };
    let given = options.addresses_of(source);
    if !given.is_empty() || !source.can_reopen() {
        return Ok(given);
    }
    if let Some(found) = own
        .file_name
        .as_ref()
        .and_then(|regex| regex.captures(source.file_name()))
    {
        let text = found
            .get(1)
            .or_else(|| found.get(0))
            .map_or("", |found| found.as_str());
        return Ok(vec![text.to_lowercase()]);
    }
    if own.columns.is_empty() {
        return Ok(Vec::new());
    }
    let document = Document::open(source, program.encoding.as_deref())?;
    let line = &detected.recognised.line;
    let facts = Facts::default();
    let context = FileContext::new(
        detected.recognised.program.clone(),
        detected.recognised.binding.clone(),
        line.delimiter,
        facts,
    );
    let mut chunks = document.into_chunks(detected.start, line.delimiter, CutMode::Exact);
    let mut shared: Option<Vec<String>> = None;
    while let Some(chunk) = chunks.next()? {
        let mut reader = RecordReader::new(line.delimiter);
        let mut records = reader.start(&chunk.text);
        while let Some(record) = records
            .next()
            .map_err(|error| error.in_source(source.name(), chunk.lines_before))?
        {
            let view = RowView {
                file: &context,
                record,
            };
            let here: Vec<String> = own
                .columns
                .iter()
                .map(|column| String::from_utf8_lossy(&view.cell(*column)).to_lowercase())
                .filter(|text| !text.is_empty())
                .collect();
            if here.is_empty() {
                continue;
            }
            match &mut shared {
                None => shared = Some(here),
                Some(shared) => shared.retain(|address| here.contains(address)),
            }
        }
        chunks.recycle(chunk.text);
    }
    let mut shared = shared.unwrap_or_default();
    shared.dedup();
    // More than one address that all rows share (a file of one row) tells nothing.
    Ok(if shared.len() == 1 {
        shared
    } else {
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::input::discover;

    /// What is found, as far as it matters.
    fn told(found: &Result<Found, Unrecognised>) -> String {
        match found {
            Ok(found) => {
                let Recognised {
                    program,
                    binding,
                    line,
                } = &*found.recognised;
                let (header_line, start) = (found.header_line, found.start);
                format!(
                    "{} {binding:?} {line:?} {header_line:?} {start:?}",
                    program.id
                )
            }
            Err(unrecognised) => format!("{unrecognised:?}"),
        }
    }

    /// Heads of all samples, each of a sheet or not.
    fn sample_heads() -> Vec<(Vec<u8>, Option<String>)> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
        let sources = discover(&[folder.to_owned()]).unwrap().sources;
        let head = |source: &Source| {
            let document = Document::open(source, None).ok()?;
            Some((document.head().to_vec(), source.sheet().map(str::to_owned)))
        };
        sources.iter().filter_map(head).collect()
    }

    #[test]
    fn what_is_remembered_is_what_is_found_anew() {
        let library = Library::built_in();
        let options = Options::default();
        let heads = sample_heads();
        let mut remembered = 0;
        // Few together, so that all are remembered.
        for heads in heads.chunks(REMEMBERED / 4) {
            let detector = Detector::new(&library, &options);
            for (head, sheet) in heads {
                let sheet = sheet.as_deref();
                let first = detector.find(head, sheet, None);
                let Some(line) = first.as_ref().ok().and_then(|found| found.header_line) else {
                    continue;
                };
                let Some(text) = looked_at(head, sheet, line) else {
                    continue;
                };
                remembered += 1;
                let ends: [&[u8]; 7] = [
                    b"",
                    b"\n",
                    b"x",
                    b"\"x,y\n",
                    b"a;b\tc|d\n",
                    b"\",\"\r\n",
                    &head[..text.len() / 2],
                ];
                for end in ends {
                    let other = [text, end].concat();
                    let known = detector.find(&other, sheet, None);
                    assert_eq!(
                        told(&known),
                        told(&find_anew(&library, &other, sheet, None))
                    );
                    let same = |one: &Found| {
                        Arc::ptr_eq(&one.recognised, &first.as_ref().unwrap().recognised)
                    };
                    assert!(known.as_ref().is_ok_and(same), "it is found by its text");
                }
            }
        }
        assert!(remembered > 200, "{remembered}");
    }

    #[test]
    fn what_was_asked_for_and_the_sheet_tell_headers_apart() {
        let library = Library::built_in();
        let options = Options::default();
        let detector = Detector::new(&library, &options);
        let head = b"time,kind,account,sent_amount,sent_asset,received_amount,received_asset,fee_amount,fee_asset,value,value_currency,ids,note,event\nx\n";
        let id = detector
            .find(head, None, None)
            .unwrap()
            .recognised
            .program
            .id
            .clone();
        assert!(detector.find(head, None, Some(&id)).is_ok());
        assert!(detector.find(head, None, Some("none/such")).is_err());
        assert!(detector.find(head, Some("Sheet1"), None).is_ok());
        assert_eq!(detector.headers.lock().unwrap().len(), 3);
    }

    #[test]
    fn files_share_what_they_are_read_with_only_if_all_facts_are_the_same() {
        let library = Library::built_in();
        let options = Options::default();
        let detector = Detector::new(&library, &options);
        let head = crate::model::headers::TRANSACTIONS.as_bytes();
        let found = detector.find(&[head, b"x\n"].concat(), None, None).unwrap();
        let facts = |account: Option<&str>, file_name: &str| Facts {
            account: account.map(str::to_owned),
            file_name: file_name.to_owned(),
            ..Facts::default()
        };
        let context = |facts| detector.context(&found.recognised, facts);
        let first = context(facts(None, ""));
        assert!(Arc::ptr_eq(&first, &context(facts(None, ""))));
        assert!(!Arc::ptr_eq(&first, &context(facts(Some("Joint"), ""))));
        assert!(!Arc::ptr_eq(&first, &context(facts(None, "a.csv"))));
        assert_eq!(
            context(facts(Some("Joint"), "")).account.as_deref(),
            Some("Joint")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        /// A text that begins as one that was met: its records up to that line are the same, whatever follows.
        #[test]
        fn what_was_looked_at_decides_whatever_follows(
            head in "[a\",;\n\r|]{0,60}",
            after in "[a\",;\n\r|\t]{0,30}",
            line in 1_u64..5,
        ) {
            if let Some(text) = looked_at(head.as_bytes(), None, line) {
                let other = [text, after.as_bytes()].concat();
                for delimiter in DELIMITERS.iter().copied() {
                    let up_to_line = |head: &[u8]| -> Vec<HeadRecord> {
                        let records = head_records(head, delimiter, HEADER_LINES).into_iter();
                        records.take_while(|record| record.line <= line).collect()
                    };
                    prop_assert_eq!(up_to_line(head.as_bytes()), up_to_line(&other));
                }
            }
        }
    }
}
