//! What can go wrong between a path and its records, as values with a place.

use std::fmt;
use std::io;

/// Why an input cannot be read. Says which one ([`source_name`](Self::source_name)), where
/// ([`line`](Self::line)), what ([`kind`](Self::kind)) and what to do about it ([`help`](Self::help)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: InputErrorKind,
    source_name: String,
    line: Option<u64>,
}

/// The ways in which an input cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputErrorKind {
    /// Nothing is there (any more).
    NotFound,
    /// It is there and may not be read.
    Denied,
    /// The system failed to read it; its own words.
    Io(String),
    /// It is not text: what it seems to be instead.
    NotText(String),
    /// It passes one of the [limits](super::limits): which one, as a sentence.
    TooLarge(String),
    /// A record of more bytes than a record may have.
    RecordTooLong {
        /// The limit.
        limit_bytes: usize,
    },
    /// A record of more cells than a record may have.
    TooManyColumns {
        /// The limit.
        limit: usize,
    },
    /// A compressed file or archive that is broken, encrypted, or of a kind that cannot be read.
    BadArchive(String),
    /// An archive inside an archive.
    NestedArchive,
    /// An archive or workbook that comes as a stream, which must be a file to be read.
    ArchiveInStream,
    /// A workbook that cannot be read.
    BadWorkbook(String),
    /// A folder that contains itself.
    Loop,
    /// A text encoding that is not known.
    Encoding(String),
    /// The pattern of a glob that no file fits.
    NoMatch,
    /// The pattern of a glob is not well formed.
    BadPattern(String),
}

impl InputError {
    /// An error about the source of this name, `""` if it is not known yet.
    pub fn new(source_name: &str, kind: InputErrorKind) -> InputError {
        InputError(Box::new(Inner {
            kind,
            source_name: source_name.to_owned(),
            line: None,
        }))
    }

    /// The error at a line of the source, 1-based.
    #[must_use]
    pub fn at_line(mut self, line: u64) -> InputError {
        self.0.line = Some(line);
        self
    }

    /// The error of a chunk's reader, which knows neither its source nor how many lines lie before
    /// its chunk, with both put right.
    #[must_use]
    pub fn in_source(mut self, source_name: &str, lines_before: u64) -> InputError {
        self.0.source_name = source_name.to_owned();
        self.0.line = self.0.line.map(|line| line + lines_before);
        self
    }

    /// What an [`io::Error`] means for the source of this name.
    pub(crate) fn from_io(source_name: &str, error: &io::Error) -> InputError {
        if let Some(carried) = Carried::of(error) {
            return InputError::new(source_name, carried.0.clone());
        }
        let kind = match error.kind() {
            io::ErrorKind::NotFound => InputErrorKind::NotFound,
            io::ErrorKind::PermissionDenied => InputErrorKind::Denied,
            _ => InputErrorKind::Io(error.to_string()),
        };
        InputError::new(source_name, kind)
    }

    /// What went wrong.
    pub fn kind(&self) -> &InputErrorKind {
        &self.0.kind
    }

    /// The name of the source, as the person sees it.
    pub fn source_name(&self) -> &str {
        &self.0.source_name
    }

    /// The line where it went wrong, 1-based, if it is about a line.
    pub fn line(&self) -> Option<u64> {
        self.0.line
    }

    /// What the person can do about it.
    pub fn help(&self) -> Option<String> {
        let help = match self.kind() {
            InputErrorKind::NotFound | InputErrorKind::NoMatch => "check the spelling of the path",
            InputErrorKind::Denied => "allow yourself to read it, for example with `chmod u+r`",
            InputErrorKind::NotText(_) => {
                "give the CSV export (or its .gz, .zip, .tar.gz or .xlsx); leave this file out"
            }
            InputErrorKind::RecordTooLong { .. } => {
                "look at the quotes (\") from that line on: one is opened and not closed"
            }
            InputErrorKind::TooLarge(_) | InputErrorKind::TooManyColumns { .. } => {
                "if it is a real export, please report it"
            }
            InputErrorKind::BadArchive(_) | InputErrorKind::NestedArchive => {
                "unpack it yourself and give the files in it"
            }
            InputErrorKind::BadWorkbook(_) => "open it and save it as .xlsx or .csv",
            InputErrorKind::Loop => "remove the link that leads back",
            InputErrorKind::Encoding(_) => {
                "use a label of the WHATWG Encoding Standard, such as utf-8, utf-16le or windows-1252"
            }
            InputErrorKind::ArchiveInStream => "save it to a file first, and give the file",
            InputErrorKind::Io(_) | InputErrorKind::BadPattern(_) => return None,
        };
        Some(help.to_owned())
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.source_name.is_empty() {
            write!(f, "{}: ", self.0.source_name)?;
        }
        match &self.0.kind {
            InputErrorKind::NotFound => f.write_str("there is no such file or folder"),
            InputErrorKind::Denied => f.write_str("no permission to read it"),
            InputErrorKind::Io(cause) => write!(f, "cannot be read: {cause}"),
            InputErrorKind::NotText(what) => write!(f, "not text, but {what}"),
            InputErrorKind::TooLarge(limit) => f.write_str(limit),
            InputErrorKind::RecordTooLong { limit_bytes } => write!(
                f,
                "the record that begins {} is longer than {}: a quote that is never closed?",
                Place(self.0.line),
                Bytes(*limit_bytes as u64)
            ),
            InputErrorKind::TooManyColumns { limit } => write!(
                f,
                "the record that begins {} has more than {limit} columns",
                Place(self.0.line)
            ),
            InputErrorKind::BadArchive(cause) => write!(f, "cannot be unpacked: {cause}"),
            InputErrorKind::NestedArchive => {
                f.write_str("an archive inside an archive, which is not unpacked")
            }
            InputErrorKind::BadWorkbook(cause) => {
                write!(f, "cannot be read as a workbook: {cause}")
            }
            InputErrorKind::Loop => {
                f.write_str("a link to a folder that it lies in, which is not followed")
            }
            InputErrorKind::Encoding(label) => write!(f, "no text encoding is called {label:?}"),
            InputErrorKind::NoMatch => f.write_str("no file fits this pattern"),
            InputErrorKind::BadPattern(cause) => write!(f, "not a pattern of files: {cause}"),
            InputErrorKind::ArchiveInStream => {
                f.write_str("an archive or workbook, which cannot be read from a stream")
            }
        }
    }
}

impl std::error::Error for InputError {}

/// A line in a sentence.
struct Place(Option<u64>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(line) => write!(f, "on line {line}"),
            None => f.write_str("here"),
        }
    }
}

/// A number of bytes in the largest unit that holds it as a whole number.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut number, mut unit) = (self.0, "bytes");
        for larger in ["KiB", "MiB", "GiB"] {
            if number == 0 || number % 1024 != 0 {
                break;
            }
            (number, unit) = (number / 1024, larger);
        }
        write!(f, "{number} {unit}")
    }
}

/// An [`InputErrorKind`] on its way through [`io::Read`], which can return only an [`io::Error`].
#[derive(Debug)]
pub(crate) struct Carried(pub(crate) InputErrorKind);

impl Carried {
    pub(crate) fn io(kind: InputErrorKind) -> io::Error {
        io::Error::other(Carried(kind))
    }

    /// The kind that an error carries. Libraries wrap errors of the reader that they read from.
    fn of(error: &io::Error) -> Option<&Carried> {
        let mut cause: &(dyn std::error::Error + 'static) = error.get_ref()?;
        loop {
            if let Some(carried) = cause.downcast_ref::<Carried>() {
                return Some(carried);
            }
            cause = match cause.downcast_ref::<io::Error>() {
                Some(wrapped) => wrapped.get_ref()?,
                None => cause.source()?,
            };
        }
    }

    pub(crate) fn is_in(error: &io::Error) -> bool {
        Carried::of(error).is_some()
    }
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        InputError::new("", self.0.clone()).fmt(f)
    }
}

impl std::error::Error for Carried {}
