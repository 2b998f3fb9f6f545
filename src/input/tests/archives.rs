//! Archives are read as what is in them, without being unpacked to disk.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Folder, gzip, rows_of, text_of};
use crate::input::InputErrorKind;
use crate::input::limits::UNPACKED_FREE_BYTES;

/// A zip file of these members, deflated unless the name says "stored".
pub(super) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let method = if name.contains("stored") {
            zip::CompressionMethod::Stored
        } else {
            zip::CompressionMethod::Deflated
        };
        let options = SimpleFileOptions::default().compression_method(method);
        if name.ends_with('/') {
            writer.add_directory(*name, options).expect("memory");
        } else {
            writer.start_file(*name, options).expect("memory");
            writer.write_all(bytes).expect("memory");
        }
    }
    writer.finish().expect("memory").into_inner()
}

pub(super) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if name.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        builder
            .append_data(&mut header, name, *bytes)
            .expect("memory");
    }
    builder.into_inner().expect("memory")
}

#[test]
fn gzip_is_known_by_its_bytes_and_not_by_its_name() {
    let folder = Folder::new();
    let source = folder.one("a.csv", gzip(b"a,b\n1,2\n"));
    assert_eq!(text_of(&source).expect("reads"), "a,b\n1,2\n");
    assert!(source.name().ends_with("/a.csv") && source.can_reopen());
    let plain = folder.one("plain.csv.gz", "a,b\n");
    assert_eq!(text_of(&plain).expect("reads"), "a,b\n");
    let two = [gzip(b"a,b\n"), gzip(b"1,2\n")].concat();
    assert_eq!(
        text_of(&folder.one("two.gz", two)).expect("reads"),
        "a,b\n1,2\n"
    );
    assert_eq!(
        text_of(&folder.one("empty.gz", gzip(b""))).expect("reads"),
        ""
    );
}

#[test]
fn each_member_of_a_zip_file_is_a_source() {
    let folder = Folder::new();
    let bytes = zip(&[
        ("inner/", b""),
        ("inner/trades.csv", b"a,b\n1,2\n"),
        ("a stored.csv", b"c,d\n"),
        ("inner/packed.csv.gz", &gzip(b"e,f\n")),
        ("__MACOSX/inner/._trades.csv", b"x"),
        (".hidden", b"x"),
        ("image.png", b"\x89PNG\r\n"),
        ("empty.csv", b""),
    ]);
    folder.write("a.zip", bytes);
    let found = folder.discover(&["a.zip"]).expect("found");
    assert_eq!(
        folder.source_names(&found),
        [
            "a.zip/a stored.csv",
            "a.zip/empty.csv",
            "a.zip/inner/packed.csv.gz",
            "a.zip/inner/trades.csv"
        ]
    );
    assert_eq!(folder.problem_names(&found), ["a.zip/image.png"]);
    let texts: Vec<_> = found
        .sources
        .iter()
        .map(|s| text_of(s).expect("reads"))
        .collect();
    assert_eq!(texts, ["c,d\n", "", "e,f\n", "a,b\n1,2\n"]);
    let trades = &found.sources[3];
    assert_eq!(trades.file_name(), "trades.csv");
    assert_eq!(trades.path(), Some(folder.path().join("a.zip").as_path()));
    assert_eq!(
        rows_of(trades),
        [(1, "a|b".to_owned()), (2, "1|2".to_owned())]
    );
}

#[test]
fn each_member_of_a_tar_archive_is_a_source_packed_or_not() {
    let folder = Folder::new();
    let bytes = tar(&[
        ("dir/", b""),
        ("dir/b.csv", b"a,b\n"),
        ("dir/a.csv", b""),
        ("dir/._a.csv", b"x"),
        ("dir/c.csv.gz", &gzip(b"e,f\n")),
    ]);
    for (name, bytes) in [("a.tgz", gzip(&bytes)), ("a.tar", bytes.clone())] {
        folder.write(name, bytes);
        let found = folder.discover(&[name]).expect("found");
        assert_eq!(found.problems, []);
        let texts: Vec<_> = found
            .sources
            .iter()
            .map(|s| text_of(s).expect("reads"))
            .collect();
        assert_eq!(texts, ["", "a,b\n", "e,f\n"]);
        let members = ["dir/a.csv", "dir/b.csv", "dir/c.csv.gz"];
        assert_eq!(
            folder.source_names(&found),
            members.map(|member| format!("{name}/{member}"))
        );
    }
}

#[test]
fn archives_inside_archives_are_a_problem_that_says_so() {
    let folder = Folder::new();
    let inner_zip = zip(&[("x.csv", b"x\n")]);
    let inner_tar = tar(&[("x.csv", b"x\n")]);
    for (name, bytes) in [
        ("a.zip", zip(&[("inner.zip", &inner_zip)])),
        ("b.zip", zip(&[("inner.tgz", &gzip(&inner_tar))])),
        ("c.zip", zip(&[("inner.tar", &inner_tar)])),
        ("d.tgz", gzip(&tar(&[("inner.zip", &inner_zip)]))),
        ("e.zip.gz", gzip(&inner_zip)),
        ("f.gz.gz", gzip(&gzip(b"x\n"))),
    ] {
        let problem = folder.problem(name, bytes);
        assert_eq!(problem.kind(), &InputErrorKind::NestedArchive, "{name}");
        assert!(problem.help().is_some_and(|help| help.contains("unpack")));
    }
}

#[test]
fn broken_archives_are_errors_not_shorter_texts() {
    let folder = Folder::new();
    let text: Vec<u8> = (0..200_000)
        .flat_map(|n: u32| format!("{n},{}\n", n * 7919).into_bytes())
        .collect();
    let whole = gzip(&text);
    let source = folder.one("cut.gz", &whole[..whole.len() / 2]);
    let error = text_of(&source).expect_err("cut");
    assert_eq!(
        error.kind(),
        &InputErrorKind::BadArchive("it ends too early".to_owned())
    );

    let mut wrong = whole.clone();
    let end = wrong.len();
    wrong[end - 8] ^= 1;
    let error = text_of(&folder.one("wrong.gz", wrong)).expect_err("wrong checksum");
    assert!(
        matches!(error.kind(), InputErrorKind::BadArchive(_)),
        "{error}"
    );

    let mut wrong = zip(&[("a stored.csv", b"a,b\n1,2\n")]);
    let at = wrong
        .windows(3)
        .position(|bytes| bytes == b"1,2")
        .expect("there");
    wrong[at] = b'3';
    let problem = folder.problem("wrong.zip", wrong);
    assert!(problem.to_string().contains("checksum"), "{problem}");

    let whole = zip(&[("a.csv", &text)]);
    let problem = folder.problem("cut.zip", &whole[..whole.len() / 2]);
    assert!(
        matches!(problem.kind(), InputErrorKind::BadArchive(_)),
        "{problem}"
    );

    let whole = tar(&[("a.csv", &text)]);
    let problem = folder.problem("cut.tar", &whole[..whole.len() / 2]);
    assert_eq!(
        problem.kind(),
        &InputErrorKind::BadArchive("it ends too early".to_owned())
    );
    let packed = gzip(&whole);
    let problem = folder.problem("cut.tgz", &packed[..packed.len() / 2]);
    assert_eq!(
        problem.kind(),
        &InputErrorKind::BadArchive("it ends too early".to_owned())
    );
}

#[test]
fn members_that_cannot_be_unpacked_are_problems_of_their_own() {
    let folder = Folder::new();
    let mut bytes = zip(&[("a.csv", b"a\n"), ("b.csv", b"b\n"), ("c.csv", b"c\n")]);
    // The flag and the method of a member stand in its entry of the central directory.
    let entry = |bytes: &[u8], index: usize| {
        let mut entries = bytes.windows(4).enumerate();
        let at = entries
            .by_ref()
            .filter(|(_, magic)| *magic == b"PK\x01\x02")
            .nth(index);
        at.expect("an entry").0
    };
    let first = entry(&bytes, 0);
    bytes[first + 8] |= 1;
    let third = entry(&bytes, 2);
    bytes[third + 10] = 12;
    folder.write("a.zip", bytes);
    let found = folder.discover(&["a.zip"]).expect("found");
    assert_eq!(folder.source_names(&found), ["a.zip/b.csv"]);
    assert_eq!(folder.problem_names(&found), ["a.zip/a.csv", "a.zip/c.csv"]);
    assert!(
        found.problems[0].to_string().contains("encrypted"),
        "{}",
        found.problems[0]
    );
    assert!(
        found.problems[1].to_string().contains("compressed with"),
        "{}",
        found.problems[1]
    );
}

#[test]
fn a_member_that_states_a_wrong_size_is_an_error() {
    let folder = Folder::new();
    let text = b"a,b\n".repeat(5000);
    let mut bytes = zip(&[("a.csv", &text)]);
    let at = bytes
        .windows(4)
        .position(|magic| magic == b"PK\x01\x02")
        .expect("an entry");
    bytes[at + 24..at + 28].copy_from_slice(&15_000_u32.to_le_bytes());
    let error = text_of(&folder.one("a.zip", bytes)).expect_err("longer");
    assert!(error.to_string().contains("not as long"), "{error}");
}

#[test]
fn a_bomb_of_zeros_is_stopped_early() {
    let folder = Folder::new();
    // Blanks and line ends, which are text; packed about 1030 times.
    let line = [vec![b' '; 65_535], b"\n".to_vec()].concat();
    let bomb = line.repeat(usize::try_from(UNPACKED_FREE_BYTES * 2).expect("fits") / line.len());
    for (name, bytes) in [
        ("bomb.gz", gzip(&bomb)),
        ("bomb.zip", zip(&[("bomb.csv", &bomb)])),
    ] {
        let source = folder.one(name, bytes);
        let document = crate::input::Document::open(&source, None).expect("opens");
        let mut chunks = document.into_chunks(
            crate::input::Position::START,
            b',',
            crate::input::CutMode::Guess,
        );
        let mut seen = 0;
        let error = loop {
            match chunks.next() {
                Ok(Some(chunk)) => seen += chunk.text.len() as u64,
                Ok(None) => panic!("the bomb went off"),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(error.kind(), InputErrorKind::TooLarge(_)),
            "{error}"
        );
        assert!(seen <= UNPACKED_FREE_BYTES + (1 << 20), "{seen}");
        assert!(chunks.next().expect("nothing more").is_none());
    }
}

#[test]
fn a_text_of_very_similar_rows_is_no_bomb() {
    let folder = Folder::new();
    let mut text = Vec::new();
    let mut row = 0_u32;
    while (text.len() as u64) < UNPACKED_FREE_BYTES + (1 << 20) {
        let (hour, day, year) = (row % 24, row / 24 % 28 + 1, row / 672);
        let line =
            format!("{year:04}-01-{day:02} {hour:02}:00:00,Staking,0.00000001,BTC,,,,,completed\n");
        text.extend_from_slice(line.as_bytes());
        row += 1;
    }
    let packed = gzip(&text);
    assert!(
        text.len() / packed.len() > 15,
        "{}",
        text.len() / packed.len()
    );
    let read = text_of(&folder.one("alike.gz", packed)).expect("reads");
    assert_eq!(read.len(), text.len());
}

#[test]
fn member_names_cannot_speak_to_the_terminal() {
    let folder = Folder::new();
    let source = folder.one("a.zip", zip(&[("a\x1B[2Jb.csv", b"x\n")]));
    assert_eq!(source.file_name(), "a\u{FFFD}[2Jb.csv");
}
