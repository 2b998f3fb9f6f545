//! Telling from its first bytes what a file is, by content and never by name.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::error::InputErrorKind;
use super::unpack::GZIP;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Text, as far as its first bytes tell.
    Text,
    /// Something compressed with gzip.
    Gzip,
    /// A zip file, which a workbook is too.
    Zip,
    /// A tar archive.
    Tar,
    /// Something that is not read: what it is called.
    Other(&'static str),
}

/// What files that are not read begin with.
const OTHERS: [(&[u8], &str); 18] = [
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xFF\xD8\xFF", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "an image or sound"),
    (
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        "an old Office file (.xls, .doc)",
    ),
    (b"{\\rtf", "an RTF document"),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive"),
    (b"Rar!\x1A", "a RAR archive"),
    (b"\xFD7zXZ\0", "a file compressed with xz"),
    (b"\x28\xB5\x2F\xFD", "a file compressed with zstd"),
    (b"BZh9", "a file compressed with bzip2"),
    (b"\x04\x22\x4D\x18", "a file compressed with lz4"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"\x7FELF", "a program"),
    (b"\xFF\xFE\0\0", "UTF-32 text, which is not decoded"),
    (b"\0\0\xFE\xFF", "UTF-32 text, which is not decoded"),
];

/// What a file that begins so holds.
pub(crate) fn content(first: &[u8]) -> Content {
    if first.starts_with(&GZIP) {
        Content::Gzip
    } else if first.starts_with(b"PK\x03\x04") || first.starts_with(b"PK\x05\x06") {
        Content::Zip
    } else if is_tar(first) {
        Content::Tar
    } else {
        let other = OTHERS.iter().find(|(magic, _)| first.starts_with(magic));
        other.map_or(Content::Text, |(_, name)| Content::Other(name))
    }
}

/// Is it a tar header? It carries the sum of its own bytes, in which the sum counts as blanks.
fn is_tar(first: &[u8]) -> bool {
    let Some(header) = first.get(..512) else {
        return false;
    };
    let stated = header[148..156].iter().copied();
    let octal = stated
        .skip_while(|&byte| byte == b' ')
        .take_while(|byte| matches!(byte, b'0'..=b'7'))
        .fold(0, |sum, digit| sum * 8 + u32::from(digit - b'0'));
    let sum = |bytes: &[u8]| bytes.iter().copied().map(u32::from).sum::<u32>();
    header[0] != 0 && octal == sum(&header[..148]) + 8 * u32::from(b' ') + sum(&header[156..])
}

/// The encoding of a text that begins so: its byte order mark's; the stated one; UTF-16 if the zeros
/// lie so; UTF-8; or guessed. `is_all`: nothing follows. An error if it is no text.
pub(crate) fn text_encoding(
    first: &[u8],
    is_all: bool,
    label: Option<&str>,
) -> Result<&'static Encoding, InputErrorKind> {
    let stated = label.map(encoding_called).transpose()?;
    match content(first) {
        Content::Text => {}
        Content::Gzip | Content::Tar => return Err(InputErrorKind::NestedArchive),
        Content::Zip => return Err(InputErrorKind::ArchiveInStream),
        Content::Other(what) => return Err(InputErrorKind::NotText(what.to_owned())),
    }
    if let Some((encoding, _)) = Encoding::for_bom(first) {
        return Ok(encoding);
    }
    let is_utf_16 = |&encoding: &_| encoding == UTF_16LE || encoding == UTF_16BE;
    if let Some(utf_16) = stated.filter(is_utf_16) {
        return Ok(utf_16);
    }
    if is_plain_ascii(first) {
        return Ok(stated.unwrap_or(UTF_8));
    }
    let has_zeros = memchr::memchr(0, first).is_some();
    if let Some(utf_16) = has_zeros.then(|| utf_16_by_zeros(first)).flatten() {
        return Ok(utf_16);
    }
    if has_zeros || has_many_controls(first) {
        return Err(InputErrorKind::NotText("binary".to_owned()));
    }
    Ok(stated.unwrap_or_else(|| guess(first, is_all)))
}

fn encoding_called(label: &str) -> Result<&'static Encoding, InputErrorKind> {
    Encoding::for_label_no_replacement(label.as_bytes())
        .ok_or_else(|| InputErrorKind::Encoding(label.to_owned()))
}

fn guess(first: &[u8], is_all: bool) -> &'static Encoding {
    if is_mostly_utf_8(first, is_all) {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(first, is_all);
    detector.guess(None, Utf8Detection::Deny)
}

/// UTF-16 without a byte order mark: of Latin letters, digits and commas every other byte is zero.
fn utf_16_by_zeros(first: &[u8]) -> Option<&'static Encoding> {
    let pairs = first.len() / 2;
    let zeros = |place: usize| {
        first
            .iter()
            .skip(place)
            .step_by(2)
            .filter(|&&byte| byte == 0)
    };
    let (even, odd) = (zeros(0).count(), zeros(1).count());
    if pairs >= 2 && odd * 3 > pairs && even * 10 < pairs {
        Some(UTF_16LE)
    } else if pairs >= 2 && even * 3 > pairs && odd * 10 < pairs {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Is it nothing but printable ASCII, blanks and line ends? So it is with nearly every export.
fn is_plain_ascii(first: &[u8]) -> bool {
    // Not `all`: it would stop at a byte, and so look at each alone.
    let is_plain = |bytes: &[u8]| {
        (bytes.iter()).fold(true, |plain, &byte| {
            plain & ((byte.wrapping_sub(b' ') <= b'~' - b' ') | (byte.wrapping_sub(9) <= 13 - 9))
        })
    };
    let (blocks, rest) = first.as_chunks::<256>();
    blocks.iter().all(|block| is_plain(block)) && is_plain(rest)
}

/// Is more than a tenth of it control characters that no text has?
fn has_many_controls(first: &[u8]) -> bool {
    let is_control = |byte: &&u8| matches!(byte, 1..=8 | 14..=26 | 28..=31 | 127);
    // In pieces whose controls one byte can count.
    let controls = |bytes: &[u8]| {
        let count = bytes.iter().map(|byte| u8::from(is_control(&byte)));
        usize::from(count.fold(0_u8, u8::wrapping_add))
    };
    let controls: usize = first.chunks(255).map(controls).sum();
    controls * 10 > first.len()
}

/// Is it UTF-8? A text with a few broken characters (cut in the middle by who wrote it) is, if many
/// whole ones stand beside them: read as anything else, all of them would become nonsense.
fn is_mostly_utf_8(first: &[u8], is_all: bool) -> bool {
    let error = match std::str::from_utf8(first) {
        Ok(_) => return true,
        Err(error) => error,
    };
    // The end of the head may have cut a character.
    let is_cut = !is_all && error.error_len().is_none();
    let (mut whole, mut broken) = (0, 0);
    for piece in first.utf8_chunks() {
        whole += piece.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!piece.invalid().is_empty());
    }
    broken -= usize::from(is_cut);
    broken == 0 || whole > 8 * broken
}

/// Length of the byte order mark of a text in this encoding, 0 if it has none.
pub(crate) fn bom_bytes(first: &[u8], encoding: &'static Encoding) -> usize {
    match Encoding::for_bom(first) {
        Some((of_mark, length)) if of_mark == encoding => length,
        _ => 0,
    }
}

/// Do the lines of a text end with `\r` alone? Then no `\n` stands outside of quotes.
pub(crate) fn lines_end_with_cr(text: &[u8]) -> bool {
    let mut quoted = false;
    let mut found = false;
    // The last byte may be half of a line end.
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    for &byte in text {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => return false,
            b'\r' if !quoted => found = true,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = || prop_oneof![1 => any::<u8>(), 3 => 0_u8..33, 3 => 125_u8..129];
        let text = || prop::collection::vec(prop_oneof![1 => 9_u8..14, 5 => b' '..=b'~'], 0..600);
        (text(), prop::collection::vec(byte(), 0..60), text())
            .prop_map(|(before, odd, after)| [before, odd, after].concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn plain_ascii_is_what_every_other_test_would_let_pass(bytes in bytes(), is_all: bool) {
            let is_plain = |byte: &u8| matches!(byte, 9..=13 | b' '..=b'~');
            prop_assert_eq!(is_plain_ascii(&bytes), bytes.iter().all(is_plain));
            if is_plain_ascii(&bytes) {
                prop_assert!(utf_16_by_zeros(&bytes).is_none());
                prop_assert!(!bytes.contains(&0) && !has_many_controls(&bytes));
                prop_assert_eq!(guess(&bytes, is_all), UTF_8);
            }
        }

        #[test]
        fn controls_are_counted_over_any_length(bytes in bytes()) {
            let is_control = |byte: &&u8| matches!(byte, 1..=8 | 14..=26 | 28..=31 | 127);
            let controls = bytes.iter().filter(is_control).count();
            prop_assert_eq!(has_many_controls(&bytes), controls * 10 > bytes.len());
        }
    }
}
