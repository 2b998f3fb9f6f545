//! Every encoding and every line end is the same text.

use super::{Folder, document_text, text_of};
use crate::input::limits::HEAD_BYTES;
use crate::input::{Document, InputErrorKind};

const TEXT: &str =
    "Zeit,Betrag,Notiz\r\n2024-01-01,1.5,Gebühr für Überweisung €\r\n2024-01-02,2,Größe\r\n";

fn utf_16(text: &str, encode: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(encode).collect()
}

/// The name of the encoding and the text of a file with these bytes.
fn read(bytes: &[u8], label: Option<&str>) -> (&'static str, String) {
    let folder = Folder::new();
    let source = folder.one("a.csv", bytes);
    let document = Document::open(&source, label).expect("opens");
    let encoding = document.encoding();
    (encoding, document_text(document).expect("reads"))
}

fn with_mark(mark: &[u8], text: &[u8]) -> Vec<u8> {
    [mark, text].concat()
}

#[test]
fn utf_8_is_read_with_and_without_its_mark() {
    assert_eq!(read(TEXT.as_bytes(), None), ("UTF-8", TEXT.to_owned()));
    let marked = with_mark(b"\xEF\xBB\xBF", TEXT.as_bytes());
    assert_eq!(read(&marked, None), ("UTF-8", TEXT.to_owned()));
    assert_eq!(
        read(&marked, Some("windows-1252")).1,
        TEXT,
        "the mark is certain"
    );
}

#[test]
fn utf_16_is_read_with_and_without_its_mark_in_both_orders() {
    let (le, be) = (
        utf_16(TEXT, u16::to_le_bytes),
        utf_16(TEXT, u16::to_be_bytes),
    );
    assert_eq!(read(&le, None), ("UTF-16LE", TEXT.to_owned()));
    assert_eq!(read(&be, None), ("UTF-16BE", TEXT.to_owned()));
    assert_eq!(
        read(&with_mark(b"\xFF\xFE", &le), None),
        ("UTF-16LE", TEXT.to_owned())
    );
    assert_eq!(
        read(&with_mark(b"\xFE\xFF", &be), None),
        ("UTF-16BE", TEXT.to_owned())
    );
    assert_eq!(read(&le, Some("utf-16")).1, TEXT);
    assert_eq!(read(&be, Some("utf-16be")).1, TEXT);
}

#[test]
fn a_large_utf_16_file_is_decoded_over_all_its_blocks() {
    let text = TEXT.repeat(20_000);
    let bytes = with_mark(b"\xFF\xFE", &utf_16(&text, u16::to_le_bytes));
    assert!(read(&bytes, None).1 == text);
}

#[test]
fn legacy_encodings_are_guessed_and_can_be_stated() {
    let (windows, _, _) = encoding_rs::WINDOWS_1252.encode(TEXT);
    assert_eq!(read(&windows, None), ("windows-1252", TEXT.to_owned()));
    assert_eq!(read(&windows, Some("latin1")).1, TEXT);

    let japanese = "日時,数量,備考\n2024-01-01,1.5,入金が完了しました\n2024-01-02,2,手数料\n";
    let (shift_jis, _, _) = encoding_rs::SHIFT_JIS.encode(japanese);
    assert_eq!(read(&shift_jis, None), ("Shift_JIS", japanese.to_owned()));
    assert_eq!(read(&shift_jis, Some("shift_jis")).1, japanese);
}

#[test]
fn an_unknown_label_is_an_error_that_names_it() {
    let folder = Folder::new();
    let source = folder.one("a.csv", TEXT);
    for label in ["utf-9", "", "replacement"] {
        let error = Document::open(&source, Some(label)).expect_err("unknown");
        assert_eq!(error.kind(), &InputErrorKind::Encoding(label.to_owned()));
        assert!(error.to_string().contains(&format!("{label:?}")), "{error}");
    }
}

#[test]
fn a_few_broken_characters_do_not_make_utf_8_something_else() {
    let mut bytes = TEXT.repeat(10).into_bytes();
    bytes.extend_from_slice(b"2024-01-03,3,cut in the mid\xE2\x82\n");
    let folder = Folder::new();
    let document = Document::open(&folder.one("a.csv", &bytes), None).expect("opens");
    assert_eq!(document.encoding(), "UTF-8");
    assert_eq!(
        document.head(),
        bytes,
        "the bytes are passed on, to be rejected with their row"
    );
}

#[test]
fn broken_bytes_after_the_head_are_passed_on() {
    let mut bytes = "1,2\n".repeat(HEAD_BYTES).into_bytes();
    bytes.extend_from_slice(b"3,\xFF\n");
    let folder = Folder::new();
    let source = folder.one("a.csv", &bytes);
    let document = Document::open(&source, None).expect("opens");
    let mut chunks = document.into_chunks_of(
        crate::input::Position::START,
        b',',
        crate::input::CutMode::Guess,
        1 << 16,
    );
    let mut last = Vec::new();
    while let Some(chunk) = chunks.next().expect("reads") {
        last = chunk.text;
    }
    assert!(last.ends_with(b"3,\xFF\n"));
}

#[test]
fn what_cannot_be_decoded_is_seen_to_be_broken() {
    // Half of a pair, which is no character.
    let mut bytes = utf_16("date,amount\n2024,", u16::to_le_bytes);
    bytes.extend_from_slice(&[0x00, 0xD8]);
    bytes.extend(utf_16("\n", u16::to_le_bytes));
    let folder = Folder::new();
    let document = Document::open(&folder.one("a.csv", &bytes), None).expect("opens");
    assert_eq!(document.head(), b"date,amount\n2024,\xFF\n");
}

#[test]
fn a_character_cut_by_the_end_of_the_head_is_whole() {
    // Two bytes each, so that one of two shifts cuts a character at any even place.
    for shift in ["", "x"] {
        let text = format!("{shift}{}\n", "ü".repeat(HEAD_BYTES));
        let (encoding, read) = read(text.as_bytes(), None);
        assert_eq!(encoding, "UTF-8");
        assert!(read == text);
    }
}

#[test]
fn lines_that_end_with_a_carriage_return_alone_become_lines() {
    assert_eq!(read(b"a,b\rc,d\re,f", None).1, "a,b\nc,d\ne,f");
    assert_eq!(read(b"a,\"x\ny\"\rc,d\r", None).1, "a,\"x\ny\"\nc,d\n");
    let long = "a,b\r".repeat(HEAD_BYTES);
    let expected = long.replace('\r', "\n");
    assert!(read(long.as_bytes(), None).1 == expected);
    // Half of the line ends' bytes lie in another block.
    let mixed = format!("{}x\r\ny\r", "a,b\r".repeat(HEAD_BYTES));
    let expected = format!("{}x\r\ny\n", "a,b\n".repeat(HEAD_BYTES));
    assert!(read(mixed.as_bytes(), None).1 == expected);
}

#[test]
fn other_line_ends_stay_as_they_are() {
    for text in [
        "a,b\nc,d\n",
        "a,b\r\nc,d\r\n",
        "a,\"x\ry\"\nc,d\n",
        "",
        "a",
        "\n\n",
    ] {
        assert_eq!(read(text.as_bytes(), None).1, text);
    }
}

#[test]
fn an_empty_file_has_an_empty_head() {
    let folder = Folder::new();
    let source = folder.one("empty.csv", "");
    let document = Document::open(&source, None).expect("opens");
    assert_eq!(document.head(), b"");
    assert_eq!(text_of(&source).expect("reads"), "");
    assert_eq!(read(b"\xEF\xBB\xBF", None).1, "");
    assert_eq!(read(b"\xFF\xFE", None).1, "");
}

#[test]
fn binary_files_are_not_text_and_are_called_by_their_name() {
    let folder = Folder::new();
    for (bytes, name) in [
        (&b"%PDF-1.7\nabc"[..], "a PDF document"),
        (b"\x89PNG\r\n\x1A\n", "a PNG image"),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
            "an old Office file (.xls, .doc)",
        ),
        (b"a,b\0c\nd,e,f,g,h", "binary"),
        (b"\x01\x02\x03\x04\x05\x06\x07", "binary"),
        (b"\xFF\xFE\0\0a\0\0\0", "UTF-32 text, which is not decoded"),
    ] {
        let problem = folder.problem("a.bin", bytes);
        assert_eq!(problem.kind(), &InputErrorKind::NotText(name.to_owned()));
        assert!(problem.to_string().contains(name), "{problem}");
        assert!(problem.help().is_some());
    }
}
