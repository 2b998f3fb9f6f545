//! What is in a file: itself, the members of an archive, the sheets of a workbook.

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::discover::{Discovery, is_hidden};
use super::error::{Bytes, Carried, InputError, InputErrorKind};
use super::limits::{ARCHIVE_MEMBERS, TAR_BYTES};
use super::sniff::{self, Content};
use super::source::{Place, Source, ZipMember};
use super::unpack::{Raw, open_packed, open_unpacked};
use super::workbook;

/// How much of a file is looked at to tell what it is.
const FIRST_BYTES: usize = 8 * 1024;

/// Adds the sources in a file, or the problem that it is.
pub(super) fn add_file(file: Source, found: &mut Discovery) {
    if let Err(problem) = add(file, Depth::File, found) {
        found.problems.push(problem);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    /// A file of its own, which may be an archive.
    File,
    /// A member of an archive, which may be a workbook or gzip.
    Member,
}

fn add(source: Source, depth: Depth, found: &mut Discovery) -> Result<(), InputError> {
    let nested = || InputError::new(source.name(), InputErrorKind::NestedArchive);
    let first = first_bytes(open_packed(&source)?, &source)?;
    match sniff::content(&first) {
        Content::Zip => add_zip(&source, depth, found),
        Content::Tar if depth == Depth::Member => Err(nested()),
        Content::Tar => add_tar(&source, found),
        Content::Gzip => {
            let first = first_bytes(open_unpacked(&source)?, &source)?;
            match sniff::content(&first) {
                Content::Tar if depth == Depth::File => add_tar(&source, found),
                Content::Zip | Content::Gzip | Content::Tar => Err(nested()),
                Content::Other(_) | Content::Text => add_text(source, &first, found),
            }
        }
        Content::Other(_) | Content::Text => add_text(source, &first, found),
    }
}

fn first_bytes(mut raw: Raw, source: &Source) -> Result<Vec<u8>, InputError> {
    raw.read_first(FIRST_BYTES, source.size_bytes())
        .map_err(|error| InputError::from_io(source.name(), &error))
}

fn add_text(source: Source, first: &[u8], found: &mut Discovery) -> Result<(), InputError> {
    sniff::text_encoding(first, first.len() < FIRST_BYTES, None)
        .map_err(|kind| InputError::new(source.name(), kind))?;
    found.sources.push(source);
    Ok(())
}

/// Adds the sources that `members` returns, in the order of their names; a member's problem is its own.
fn add_members(mut members: Vec<Source>, found: &mut Discovery) {
    members.sort_by(|a, b| a.name().cmp(b.name()));
    for member in members {
        if let Err(problem) = add(member, Depth::Member, found) {
            found.problems.push(problem);
        }
    }
}

fn add_zip(source: &Source, depth: Depth, found: &mut Discovery) -> Result<(), InputError> {
    let mut archive =
        ZipArchive::new(workbook::open(source)?).map_err(|error| zip_error(source, error))?;
    match sort_of_zip(&archive) {
        SortOfZip::Workbook => {
            for sheet in workbook::sheet_names(source)? {
                found.sources.push(source.with_sheet(sheet));
            }
            Ok(())
        }
        SortOfZip::Document(what) => {
            let kind = InputErrorKind::NotText(what.to_owned());
            Err(InputError::new(source.name(), kind))
        }
        SortOfZip::Archive if depth == Depth::Member => Err(InputError::new(
            source.name(),
            InputErrorKind::NestedArchive,
        )),
        SortOfZip::Archive => {
            let members = zip_members(source, &mut archive, found)?;
            add_members(members, found);
            Ok(())
        }
    }
}

/// What a zip file is used as.
enum SortOfZip {
    Archive,
    Workbook,
    /// Something else, and what.
    Document(&'static str),
}

fn sort_of_zip<R: io::Read + io::Seek>(archive: &ZipArchive<R>) -> SortOfZip {
    // Some programs write other separators and capitals, and Excel does not mind.
    let names: HashSet<String> = archive
        .file_names_raw()
        .map(|name| {
            String::from_utf8_lossy(name)
                .replace('\\', "/")
                .to_ascii_lowercase()
        })
        .map(|name| name.trim_start_matches('/').to_owned())
        .collect();
    let has = |name| names.contains(name);
    if has("xl/workbook.xml") {
        SortOfZip::Workbook
    } else if has("xl/workbook.bin") {
        SortOfZip::Document("a binary Excel workbook (.xlsb)")
    } else if has("[content_types].xml") {
        SortOfZip::Document("an Office document")
    } else if has("mimetype") && has("content.xml") {
        SortOfZip::Document("an OpenDocument file (.ods, .odt)")
    } else {
        SortOfZip::Archive
    }
}

fn zip_error(source: &Source, error: ZipError) -> InputError {
    match error {
        ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            InputError::from_io(source.name(), &error)
        }
        error => {
            let kind = InputErrorKind::BadArchive(error.to_string());
            InputError::new(source.name(), kind)
        }
    }
}

/// The members of a zip file that can be read; the others are problems.
fn zip_members<R: io::Read + io::Seek>(
    source: &Source,
    archive: &mut ZipArchive<R>,
    found: &mut Discovery,
) -> Result<Vec<Source>, InputError> {
    check_member_count(archive.len())
        .map_err(|error| InputError::from_io(source.name(), &error))?;
    if archive
        .has_overlapping_files()
        .map_err(|error| zip_error(source, error))?
    {
        let kind = InputErrorKind::BadArchive("its members overlap".to_owned());
        return Err(InputError::new(source.name(), kind));
    }
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let part = archive
            .by_index_raw(index)
            .map_err(|error| zip_error(source, error))?;
        let path = zip_name(&part);
        if !part.is_file() || is_hidden_member(&path) {
            continue;
        }
        let name = member_name(source, &path);
        match zip_member(&part) {
            Ok(member) => members.push(Source::new(
                name,
                source.path().map(Path::to_owned),
                Some(member.compressed_bytes),
                Place::ZipMember(member),
            )),
            Err(cause) => {
                let kind = InputErrorKind::BadArchive(cause);
                found.problems.push(InputError::new(&name, kind));
            }
        }
    }
    Ok(members)
}

/// The name of a member: UTF-8 if it is, whatever the flag beside it says (macOS does not set it).
fn zip_name<R: Read>(part: &zip::read::ZipFile<'_, R>) -> String {
    let raw = part.name_raw();
    match (str::from_utf8(raw), part.name()) {
        (Ok(name), _) => name.to_owned(),
        (Err(_), Ok(name)) => name.into_owned(),
        (Err(_), Err(_)) => String::from_utf8_lossy(raw).into_owned(),
    }
}

/// Where a member lies, or why it cannot be read.
fn zip_member<R: Read>(part: &zip::read::ZipFile<'_, R>) -> Result<ZipMember, String> {
    if part.encrypted() {
        return Err("it is encrypted".to_owned());
    }
    let method = part.compression();
    let deflated = method == zip::CompressionMethod::Deflated;
    if !deflated && method != zip::CompressionMethod::Stored {
        return Err(format!(
            "it is compressed with {method}, which is not known"
        ));
    }
    Ok(ZipMember {
        start_byte: part.data_start().ok_or("it has no beginning")?,
        compressed_bytes: part.compressed_size(),
        unpacked_bytes: part.size(),
        crc32: part.crc32(),
        deflated,
    })
}

/// Reads the members of a tar archive into memory: it can be read only from its beginning.
fn add_tar(source: &Source, found: &mut Discovery) -> Result<(), InputError> {
    let members = tar_members(source, open_unpacked(source)?)
        .map_err(|error| InputError::from_io(source.name(), &error))?;
    add_members(members, found);
    Ok(())
}

fn tar_members(source: &Source, raw: Raw) -> io::Result<Vec<Source>> {
    let mut archive = tar::Archive::new(raw);
    let mut members = Vec::new();
    let mut left = TAR_BYTES;
    for (index, entry) in archive.entries()?.enumerate() {
        check_member_count(index + 1)?;
        let entry = entry.map_err(broken_tar)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() || is_hidden_member(&path) {
            continue;
        }
        let stated = entry.size();
        let mut bytes = Vec::new();
        entry
            .take(left + 1)
            .read_to_end(&mut bytes)
            .map_err(broken_tar)?;
        let size = bytes.len() as u64;
        left = left.checked_sub(size).ok_or_else(|| {
            let what = format!("a tar archive of more than {}", Bytes(TAR_BYTES));
            Carried::io(InputErrorKind::TooLarge(what))
        })?;
        if size < stated {
            return Err(broken_tar(io::ErrorKind::UnexpectedEof.into()));
        }
        members.push(Source::new(
            member_name(source, &path),
            source.path().map(Path::to_owned),
            Some(size),
            Place::Memory(Arc::from(bytes)),
        ));
    }
    Ok(members)
}

/// What an error of a tar archive means: unless it is ours already, that the archive is broken.
fn broken_tar(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Carried::io(InputErrorKind::BadArchive("it ends too early".to_owned()))
        }
        _ if Carried::is_in(&error) => error,
        _ => Carried::io(InputErrorKind::BadArchive(error.to_string())),
    }
}

fn check_member_count(count: usize) -> io::Result<()> {
    if count <= ARCHIVE_MEMBERS {
        return Ok(());
    }
    let what = format!("an archive of more than {ARCHIVE_MEMBERS} members");
    Err(Carried::io(InputErrorKind::TooLarge(what)))
}

fn is_hidden_member(path: &str) -> bool {
    path.split(['/', '\\'])
        .any(|part| part != "." && part != ".." && is_hidden(part))
}

/// The name of a member as the person sees it. An archive may hold any bytes as a name: those that
/// would do something to a terminal are replaced.
fn member_name(archive: &Source, path: &str) -> String {
    let path = path.trim_start_matches("./");
    let path: String = path
        .chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect();
    format!("{}/{path}", archive.name())
}
