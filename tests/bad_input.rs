//! Bad input, and bad places for the output: a clear error each, the right code, and nothing half written.

mod support;

use std::fs;
use std::process::Stdio;

use support::*;

/// A folder `out` with a ledger of an earlier run, and what must not happen to it.
struct Earlier(Workplace);

const OLD: &str = "the ledger of an earlier run";

impl Earlier {
    fn with(name: &str, bytes: impl AsRef<[u8]>) -> Earlier {
        let place = Workplace::with(&[("out/ledger.csv", OLD)]);
        place.write(name, bytes);
        Earlier(place)
    }

    /// Converts to the place of the old ledger, which must fail with this code and say this.
    #[track_caller]
    fn refuses(&self, code: i32, arguments: &[&str], why: &str) -> Told {
        let all = [&["convert"], arguments, &["-o", "out/ledger.csv"]].concat();
        let told = self.0.run(&all).ends_with(code).says(why);
        self.is_untouched();
        told
    }

    #[track_caller]
    fn is_untouched(&self) {
        assert_eq!(self.0.text("out/ledger.csv"), OLD);
        let names: Vec<_> = fs::read_dir(self.0.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(
            names,
            ["ledger.csv"],
            "something was left in the output folder"
        );
    }
}

// --- what is in a file ----------------------------------------------------------------------------------------------

#[test]
fn an_empty_file_alone_is_nothing_to_recognise_and_beside_others_a_note() {
    for bytes in ["", "\n\n  \n", "\u{feff}"] {
        let place = Earlier::with("empty.csv", bytes);
        place.refuses(3, &["empty.csv"], "empty.csv: there is nothing in it");
        place.0.write("us.csv", small());
        let ledger = place.0.converts(0, &["empty.csv", "us.csv"]);
        assert_eq!(events(&ledger), 3);
    }
}

#[test]
fn a_header_without_rows_is_complete_and_gives_a_ledger_without_legs() {
    let place = Workplace::with(&[("us.csv", &export(US, &[])), ("cut.csv", US)]);
    for name in ["us.csv", "cut.csv"] {
        assert_eq!(place.converts(0, &[name]), []);
        assert_eq!(
            place.text("ledger.csv").lines().count(),
            1,
            "the header of the ledger"
        );
        place
            .run(&["convert", name, "-o", "ledger.csv"])
            .says("0 rows");
    }
}

#[test]
fn a_binary_file_is_called_what_it_is() {
    let png = [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
        &[0x5a, 0, 0xff, 7].repeat(500),
    ]
    .concat();
    let noise: Vec<u8> = (0u32..5000)
        .map(|nth| (nth.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for bytes in [
        png,
        noise,
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n".to_vec(),
    ] {
        let place = Earlier::with("picture.csv", &bytes);
        place.refuses(3, &["picture.csv"], "picture.csv: not text, but");
        place.0.write("us.csv", small());
        assert_eq!(events(&place.0.converts(4, &["picture.csv", "us.csv"])), 3);
    }
}

#[test]
fn a_row_with_bytes_that_are_no_text_is_rejected_and_the_others_pass() {
    let mut bytes = Vec::new();
    bytes.extend_from_slice((US.to_owned() + "\n").as_bytes());
    for nth in 0..30 {
        let note = if nth == 17 {
            b"broken \xff\xfe here".to_vec()
        } else {
            "Grüße aus Köln, 東京".replace(',', " und").into_bytes()
        };
        let row = us_move(
            &format!("2023-01-01 00:00:{nth:02}"),
            "Deposit",
            "USD Deposit",
            &format!("{nth}"),
            "USD 1",
            "1",
            "",
        );
        bytes.extend_from_slice(row.as_bytes());
        bytes.extend_from_slice(&note);
        bytes.push(b'\n');
    }
    let place = Workplace::new();
    place.write("us.csv", &bytes);
    let ledger = place.converts(4, &["us.csv", "--rows", "rows.csv"]);
    assert_eq!(events(&ledger), 29);
    assert_eq!(ledger[0].note, "Grüße aus Köln und 東京");
    let rows = place.fates("rows.csv");
    let rejected: Vec<&RowLine> = rows.iter().filter(|row| row.fate != "used").collect();
    assert_eq!(
        (rejected.len(), rejected[0].line, rejected[0].fate.as_str()),
        (1, 19, "rejected")
    );
    assert!(
        rejected[0].reason.contains("bytes that are not UTF-8 text"),
        "{}",
        rejected[0].reason
    );
}

#[test]
fn a_row_with_bytes_that_are_no_text_far_down_is_rejected_too() {
    let mut bytes = (US.to_owned() + "\n").into_bytes();
    for nth in 0..6000 {
        let row = us_move(
            "2023-01-01 00:00:00",
            "Deposit",
            "USD Deposit",
            &format!("{nth}"),
            "USD 1",
            "1",
            "",
        );
        bytes.extend_from_slice(row.as_bytes());
        bytes.extend_from_slice(if nth == 5555 {
            b"br\xc3(ken\n"
        } else {
            b"plain\n"
        });
    }
    let place = Workplace::new();
    place.write("us.csv", &bytes);
    let ledger = place.converts(4, &["us.csv"]);
    assert_eq!(events(&ledger), 5999);
    assert!(ledger.iter().all(|leg| leg.trade_id != "5555"));
}

#[test]
fn a_text_in_an_old_encoding_is_decoded_and_not_rejected() {
    let row = |note: &str| {
        us_move(
            "2023-01-01 00:00:00",
            "Deposit",
            "USD Deposit",
            "1",
            "USD 1",
            "1",
            note,
        )
    };
    let text = export(US, &[row("Gebühr für Überweisung an Jürgen in Köln")]);
    let latin: Vec<u8> = text
        .chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap())
        .collect();
    let place = Workplace::new();
    place.write("us.csv", latin);
    assert_eq!(
        place.converts(0, &["us.csv"])[0].note,
        "Gebühr für Überweisung an Jürgen in Köln"
    );
}

#[test]
fn a_million_columns_are_refused_in_the_header_and_in_a_row() {
    let wide = "a,".repeat(1_000_000);
    let place = Earlier::with("wide.csv", &wide);
    let told = place
        .0
        .run(&["convert", "wide.csv", "-o", "out/ledger.csv"]);
    assert!(matches!(told.code, 1 | 3), "{told:?}");
    assert!(
        told.stderr.len() < 10_000,
        "it says {} bytes",
        told.stderr.len()
    );
    place.is_untouched();
    place.0.write("us.csv", small() + &wide + "\n");
    place.refuses(
        1,
        &["us.csv"],
        "us.csv: the record that begins on line 5 has more than 4096 columns",
    );
}

#[test]
fn a_cell_longer_than_the_limit_is_refused_with_the_line_where_it_begins() {
    let mut text = small();
    text.push_str(&us_move(
        "2023-01-05 00:00:00",
        "Deposit",
        "USD Deposit",
        "1",
        "USD 1",
        "1",
        "",
    ));
    text.push('"');
    text.push_str(&"all work and no play\n".repeat(1_000_000));
    text.push_str("\"\n");
    let place = Earlier::with("us.csv", &text);
    place
        .refuses(
            1,
            &["us.csv"],
            "us.csv: the record that begins on line 5 is longer than 16 MiB",
        )
        .says("one is opened and not closed");
}

#[test]
fn a_line_without_end_is_refused() {
    let place = Earlier::with("endless.csv", "x".repeat(20 << 20));
    let told = place
        .0
        .run(&["convert", "endless.csv", "-o", "out/ledger.csv"]);
    assert!(matches!(told.code, 1 | 3), "{told:?}");
    assert!(
        told.stderr.contains("endless.csv") && told.stderr.len() < 10_000,
        "{} bytes",
        told.stderr.len()
    );
    place.is_untouched();
    place.0.write("us.csv", small() + &"x".repeat(20 << 20));
    place.refuses(
        1,
        &["us.csv"],
        "us.csv: the record that begins on line 5 is longer than 16 MiB",
    );
}

#[test]
fn a_quote_that_is_never_closed_does_not_swallow_the_rest_in_silence() {
    let text = small().replacen("2023-01-02 09:00:00.5", "\"2023-01-02 09:00:00.5", 1);
    let place = Workplace::with(&[("us.csv", &text)]);
    let ledger = place.converts(4, &["us.csv", "--rows", "rows.csv"]);
    assert_eq!(short(&ledger), ["deposit 1000 USD"]);
    let rows = place.fates("rows.csv");
    assert_eq!(
        rows.iter().map(|row| row.fate.as_str()).collect::<Vec<_>>(),
        ["used", "rejected"]
    );
}

#[test]
fn rows_with_too_few_or_too_many_cells_are_not_misread() {
    let text = small()
        + "20044518,2023-01-09 00:00:00,Deposit\n"
        + "20044518\n"
        + &small().lines().nth(1).unwrap().replace("5001", "5004")
        + ",one,too many\n";
    let place = Workplace::with(&[("us.csv", &text)]);
    let ledger = place.converts(4, &["us.csv", "--rows", "rows.csv"]);
    let rows = place.fates("rows.csv");
    assert_eq!(rows[3].fate, "rejected", "a deposit of no amount");
    assert_eq!(rows[4].fate, "rejected");
    assert!(
        ledger.iter().all(|leg| leg.line < 5 || leg.line == 7),
        "{ledger:?}"
    );
}

// --- archives -------------------------------------------------------------------------------------------------------

/// Rows enough that half of their archive is not nothing.
fn many() -> String {
    let rows: Vec<String> = (0u64..3000)
        .map(|nth| {
            us_move(
                "2023-01-01 00:00:00",
                "Deposit",
                "USD Deposit",
                &format!("{}", nth * 7_919 % 1_000_003),
                &format!("USD {}", nth * 104_729 % 99_991 + 1),
                "1",
                "",
            )
        })
        .collect();
    export(US, &rows)
}

#[test]
fn a_truncated_gzip_is_an_error_and_none_of_its_rows_are_used() {
    let packed = gzip(many().as_bytes());
    let place = Earlier::with("us.csv.gz", &packed[..packed.len() / 2]);
    place.refuses(
        1,
        &["us.csv.gz"],
        "us.csv.gz: cannot be unpacked: it ends too early",
    );
    // Without its last bytes all rows are there, and the checksum is not.
    place.0.write("us.csv.gz", &packed[..packed.len() - 5]);
    place.refuses(1, &["us.csv.gz"], "cannot be unpacked");
}

#[test]
fn a_gzip_with_a_wrong_checksum_is_an_error() {
    let mut packed = gzip(many().as_bytes());
    let at = packed.len() - 6;
    packed[at] ^= 0x55;
    Earlier::with("us.csv.gz", packed).refuses(1, &["us.csv.gz"], "us.csv.gz: cannot be unpacked");
}

#[test]
fn a_broken_zip_is_an_error() {
    let packed = zip(&[("us.csv", many().as_bytes())]);
    let place = Earlier::with("us.zip", &packed[..packed.len() / 2]);
    place.refuses(1, &["us.zip"], "us.zip: cannot be unpacked");
    // A byte of the member is another: its checksum tells.
    let mut wrong = packed.clone();
    let middle = packed.len() / 2;
    wrong[middle] ^= 0x10;
    place.0.write("us.zip", wrong);
    place.refuses(1, &["us.zip"], "us.zip/us.csv: cannot be unpacked");
}

#[test]
fn a_zip_bomb_is_stopped_before_it_unpacks() {
    let bomb = vec![0u8; 80 << 20];
    let place = Earlier::with("bomb.zip", zip(&[("bomb.csv", &bomb)]));
    let told = place
        .0
        .run(&["convert", "bomb.zip", "-o", "out/ledger.csv"]);
    assert!(matches!(told.code, 1 | 3), "{told:?}");
    assert!(told.stderr.contains("bomb.zip/bomb.csv"), "{}", told.stderr);
    place.is_untouched();
}

#[test]
fn a_bomb_that_begins_like_an_export_is_stopped_too() {
    // Blank lines are no rows: nothing but the ratio tells.
    let bomb = small()
        .into_bytes()
        .into_iter()
        .chain(std::iter::repeat_n(b'\n', 80 << 20))
        .collect::<Vec<u8>>();
    let place = Earlier::with("bomb.zip", zip(&[("us.csv", &bomb)]));
    place.refuses(
        1,
        &["bomb.zip"],
        "bomb.zip/us.csv: unpacks to more than 500 times its size",
    );
    place.0.write("bomb.csv.gz", gzip(&bomb));
    place.refuses(
        1,
        &["bomb.csv.gz"],
        "bomb.csv.gz: unpacks to more than 500 times its size",
    );
}

#[test]
fn an_archive_in_an_archive_is_not_unpacked() {
    let inner = zip(&[("us.csv", small().as_bytes())]);
    let place = Earlier::with("outer.zip", zip(&[("inner.zip", &inner)]));
    place.refuses(
        1,
        &["outer.zip"],
        "outer.zip/inner.zip: an archive inside an archive",
    );
}

#[test]
fn an_archive_on_stdin_is_refused_with_what_to_do() {
    let place = Workplace::new();
    let told = place.run_with_stdin(
        &["convert", "-", "-o", "ledger.csv"],
        &zip(&[("us.csv", small().as_bytes())]),
    );
    told.ends_with(1)
        .says("an archive or workbook, which cannot be read from a stream")
        .says("save it to a file first");
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn an_archive_with_a_way_out_of_its_folder_writes_nothing_there() {
    let place = Workplace::new();
    place.write(
        "in/us.zip",
        zip(&[("../../escaped.csv", small().as_bytes())]),
    );
    let told = place.run(&["convert", "in/us.zip", "-o", "ledger.csv"]);
    assert!(matches!(told.code, 0 | 1), "{told:?}");
    assert!(
        !place.exists("escaped.csv")
            && place
                .names()
                .iter()
                .all(|name| name == "in" || name == "ledger.csv"),
        "{:?}",
        place.names()
    );
}

// --- files and folders ----------------------------------------------------------------------------------------------

#[cfg(unix)]
#[test]
fn a_loop_of_folders_ends_and_loses_nothing() {
    let place = Workplace::with(&[("exports/us.csv", &small())]);
    std::os::unix::fs::symlink("..", place.path("exports/again")).unwrap();
    std::os::unix::fs::symlink(".", place.path("exports/itself")).unwrap();
    let told = place
        .run(&["convert", "exports", "-o", "ledger.csv"])
        .ends_with(0);
    assert_eq!(events(&place.ledger("ledger.csv")), 3, "{}", told.stderr);
    told.says("exports/itself: a link to a folder that it lies in, which is not followed");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_an_error() {
    let place = Earlier::with("exports/us.csv", small());
    std::os::unix::fs::symlink("gone.csv", place.0.path("exports/link.csv")).unwrap();
    place.refuses(
        1,
        &["exports"],
        "exports/link.csv: there is no such file or folder",
    );
    place.refuses(
        1,
        &["exports/link.csv"],
        "exports/link.csv: there is no such file or folder",
    );
}

#[test]
fn a_file_that_disappears_while_the_program_runs_fails_and_gives_no_rows() {
    use coinfold::{convert::Reading, input::InputErrorKind};
    let place = Workplace::with(&[("us.csv", &small()), ("gone.csv", &many())]);
    let paths = ["us.csv", "gone.csv"].map(|name| place.path(name).to_str().unwrap().to_owned());
    let discovery = coinfold::input::discover(&paths).unwrap();
    fs::remove_file(place.path("gone.csv")).unwrap();
    let library = coinfold::mapping::Library::built_in();
    let folded = coinfold::fold(
        &discovery.sources,
        &library,
        &Default::default(),
        Default::default(),
        &|_| (),
    )
    .unwrap();
    assert_eq!(folded.ledger.events.len(), 3);
    let [(name, Reading::Failed(error))] = folded.left_out.as_slice() else {
        panic!("the missing file is not told")
    };
    assert!(name.ends_with("gone.csv"));
    assert_eq!(*error.kind(), InputErrorKind::NotFound);
}

/// Runs the program as somebody who can be refused: root cannot, so for root as nobody. Nothing if that does not work.
#[cfg(unix)]
fn run_as_somebody(place: &Workplace, arguments: &[&str]) -> Option<Told> {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    const NOBODY: u32 = 65_534;
    let trial = place.write("trial", "");
    fs::set_permissions(&trial, fs::Permissions::from_mode(0o000)).unwrap();
    let root = fs::read(&trial).is_ok();
    fs::remove_file(&trial).unwrap();
    let mut command = place.command(arguments);
    command.stdin(Stdio::null());
    if root {
        fs::set_permissions(place.path(""), fs::Permissions::from_mode(0o755)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    match command.output() {
        Ok(_) => Some(told(&mut command)),
        Err(error) => {
            println!(
                "skipped: root is refused nothing, and nobody cannot run the program: {error}"
            );
            None
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_or_folder_that_may_not_be_read_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let place = Earlier::with("us.csv", small());
    fs::set_permissions(place.0.path("us.csv"), fs::Permissions::from_mode(0o000)).unwrap();
    place.0.write("closed/us.csv", small());
    fs::set_permissions(place.0.path("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    for (arguments, why) in [
        (["convert", "us.csv"], "us.csv: no permission to read it"),
        (["convert", "closed"], "closed: no permission to read it"),
    ] {
        let Some(told) = run_as_somebody(&place.0, &arguments) else {
            break;
        };
        assert_eq!(told.stdout, "");
        told.ends_with(1).says(why).says("chmod");
    }
    fs::set_permissions(place.0.path("closed"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let place = Earlier::with("us.csv", small());
    fs::set_permissions(place.0.path("out"), fs::Permissions::from_mode(0o555)).unwrap();
    if let Some(told) = run_as_somebody(&place.0, &["convert", "us.csv", "-o", "out/ledger.csv"]) {
        told.ends_with(1).says("out/ledger.csv: cannot be written");
        place.is_untouched();
    }
    fs::set_permissions(place.0.path("out"), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn no_folder_for_the_list_of_fates_fails_before_the_ledger_is_there() {
    Earlier::with("us.csv", small()).refuses(
        1,
        &["us.csv", "--rows", "no/such/rows.csv"],
        "no/such/rows.csv: cannot be written",
    );
}

#[test]
fn no_folder_for_the_ledger_leaves_no_list_of_fates() {
    let place = Workplace::with(&[("us.csv", &small())]);
    place
        .run(&[
            "convert",
            "us.csv",
            "-o",
            "no/such/ledger.csv",
            "--rows",
            "rows.csv",
        ])
        .ends_with(1)
        .says("no/such/ledger.csv: cannot be written");
    assert_eq!(place.names(), ["us.csv"]);
}

#[test]
fn a_folder_in_the_place_of_the_rejected_file_leaves_nothing_half_written() {
    let place = Workplace::with(&[
        ("us.csv", &(small() + &unknown_row() + "\n")),
        ("out/ledger.rejected.csv/keep", ""),
        ("out/ledger.csv", OLD),
    ]);
    let told = place.run(&[
        "convert",
        "us.csv",
        "-o",
        "out/ledger.csv",
        "--rows",
        "out/rows.csv",
    ]);
    if told.code == 4 {
        // Another name was found.
        assert!(place.text("out/ledger.rejected-2.csv").contains("5009"));
        return;
    }
    told.ends_with(1).says("ledger.rejected.csv");
    assert_eq!(place.text("out/ledger.csv"), OLD);
    assert!(
        !place.exists("out/rows.csv"),
        "the list of fates was written, and the ledger not"
    );
}

// --- no space -------------------------------------------------------------------------------------------------------

/// Runs the program where no file may grow beyond a few hundred bytes, which is what a full disk looks like.
#[cfg(unix)]
fn run_without_space(place: &Workplace, arguments: &[&str]) -> Told {
    let mut shell = std::process::Command::new("sh");
    shell
        .current_dir(place.path(""))
        .env("XDG_CONFIG_HOME", place.path("no configuration"))
        .stdin(Stdio::null());
    shell
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 1 || exit 99; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_coinfold"),
        ])
        .args(arguments);
    told(&mut shell)
}

#[cfg(unix)]
#[test]
fn no_space_for_the_ledger_is_an_error_and_the_old_one_stays() {
    let place = Earlier::with("us.csv", many());
    let told =
        run_without_space(&place.0, &["convert", "us.csv", "-o", "out/ledger.csv"]).ends_with(1);
    told.says("out/ledger.csv: cannot be written")
        .says("what stood there before is as it was");
    place.is_untouched();
    for layout in ["transactions", "jsonl"] {
        run_without_space(
            &place.0,
            &["convert", "us.csv", "-o", "out/ledger.csv", "--to", layout],
        )
        .ends_with(1);
        place.is_untouched();
    }
}

#[cfg(unix)]
#[test]
fn no_space_for_the_rejected_rows_or_the_fates_is_an_error_and_the_old_ledger_stays() {
    // A ledger of one line fits, and many rejected rows do not.
    let rows: Vec<String> = (0..200).map(|_| unknown_row()).collect();
    let place = Earlier::with("us.csv", export(US, &rows));
    run_without_space(&place.0, &["convert", "us.csv", "-o", "out/ledger.csv"])
        .ends_with(1)
        .says("cannot be written");
    place.is_untouched();
    run_without_space(
        &place.0,
        &[
            "convert",
            "us.csv",
            "-o",
            "out/ledger.csv",
            "--rows",
            "out/rows.csv",
        ],
    )
    .ends_with(1)
    .says("cannot be written");
    place.is_untouched();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_behind_stdout_is_an_error() {
    let place = Workplace::with(&[("us.csv", &many())]);
    for arguments in [
        &["convert", "us.csv"][..],
        &["detect", "us.csv"],
        &["formats", "list"],
        &["man"],
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = place.command(arguments);
        let told = told(command.stdin(Stdio::null()).stdout(full));
        assert_eq!(told.code, 1, "{arguments:?}: {}", told.stderr);
        assert!(
            told.stderr.contains("stdout"),
            "{arguments:?}: {}",
            told.stderr
        );
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Workplace::with(&[("us.csv", &many())]);
    let mut child = place
        .command(&["convert", "us.csv"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_a_pipe_is_not_replaced_by_a_file() {
    use std::os::unix::fs::FileTypeExt;
    let place = Workplace::with(&[("us.csv", &small())]);
    let pipe = place.path("pipe.csv");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    // Held open at both ends, so that nobody waits for the other; a device such as /dev/null is the same case.
    let held = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&pipe)
        .unwrap();
    let told = place.run(&["convert", "us.csv", "-o", "pipe.csv"]);
    assert!(
        fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo(),
        "the pipe is gone, a file stands in its place (exit {})",
        told.code
    );
    drop(held);
}
