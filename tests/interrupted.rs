//! A run that is ended early leaves nothing behind, and what stood there before stays.
#![cfg(unix)]

mod support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::*;

/// A statement with this many deposits, one a second.
fn statement(rows: u32) -> String {
    let mut text = String::from("User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n");
    for row in 0..rows {
        let (day, hour, minute, second) =
            (1 + row / 86_400, row / 3600 % 24, row / 60 % 60, row % 60);
        writeln!(
            text,
            "1,2024-01-{day:02} {hour:02}:{minute:02}:{second:02},Spot,Deposit,BTC,0.{row:08},"
        )
        .unwrap();
    }
    text
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args(["-s", signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// A run that has read the beginning of its input from a pipe, and waits for the rest.
fn waiting(command: &mut Command) -> Child {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Many times what a pipe holds: when all of it is taken, the program is at work.
    let stdin = child.stdin.as_mut().unwrap();
    stdin.write_all(statement(20_000).as_bytes()).unwrap();
    child
}

#[test]
fn a_signal_ends_a_run_that_waits_and_the_code_tells_which() {
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let place = Workplace::with(&[("ledger.csv", "of an earlier run\n")]);
        let mut child = waiting(&mut place.command(&["convert", "-", "-o", "ledger.csv"]));
        // Its input must not end before it does.
        let _open = child.stdin.take();
        send(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(128 + number), "{signal}");
        assert_eq!(place.text("ledger.csv"), "of an earlier run\n");
        assert_eq!(place.names(), ["ledger.csv"]);
    }
}

#[test]
fn a_signal_while_it_writes_leaves_no_unfinished_file() {
    let place = Workplace::with(&[
        ("ledger.csv", "of an earlier run\n"),
        ("statement.csv", &statement(300_000)),
    ]);
    let arguments = ["convert", "statement.csv", "-o", "ledger.csv", "--quiet"];
    interrupt_as_it_writes(&mut place.command(&arguments), &place);
    assert_eq!(place.text("ledger.csv"), "of an earlier run\n");
    assert_eq!(place.names(), ["ledger.csv", "statement.csv"]);
}

#[test]
fn a_signal_while_it_writes_for_a_tool_leaves_no_unfinished_file() {
    for tool in ["bittytax", "accointing"] {
        let place = Workplace::with(&[("statement.csv", &statement(300_000))]);
        let arguments = ["convert", "statement.csv", "-o", "upload.csv", "--quiet"];
        let mut command = place.command(&arguments);
        interrupt_as_it_writes(command.args(["--to", tool]), &place);
        assert_eq!(place.names(), ["statement.csv"], "{tool}");
    }
}

#[test]
fn a_signal_while_it_writes_to_stdout_leaves_nothing_in_the_folder_of_temporary_files() {
    for layout in ["sqlite", "bittytax"] {
        let place = Workplace::with(&[("statement.csv", &statement(300_000))]);
        let temporary = Workplace::new();
        let arguments = ["convert", "statement.csv", "--to", layout, "--quiet"];
        let mut command = place.command(&arguments);
        command.env("TMPDIR", temporary.path(""));
        interrupt_as_it_writes(command.stdout(Stdio::null()), &temporary);
        assert_eq!(temporary.names(), [""; 0], "{layout}");
    }
}

/// Interrupts a run as soon as an unfinished file of it is in a place.
fn interrupt_as_it_writes(command: &mut Command, place: &Workplace) {
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It is there already when the signal is to be sent: a busy system may be slow to start it.
    let script = format!("read -r now; kill -s INT {}", child.id());
    let mut sender = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let unfinished = |name: &String| name.starts_with(".coinfold-");
    while !place.names().iter().any(unfinished) {
        assert!(begin.elapsed() < Duration::from_secs(120), "it never wrote");
        assert_eq!(child.try_wait().unwrap(), None, "it ended unseen");
        std::thread::sleep(Duration::from_micros(200));
    }
    let mut line = sender.stdin.take().unwrap();
    line.write_all(b"now\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(sender.wait().unwrap().success());
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_that_the_starter_has_it_ignore_stays_ignored() {
    let place = Workplace::new();
    let program = env!("CARGO_BIN_EXE_coinfold");
    let script = format!("trap '' HUP; exec '{program}' convert - -o ledger.csv");
    let mut command = Command::new("sh");
    let mut child = waiting(command.args(["-c", &script]).current_dir(place.path("")));
    send("HUP", &child);
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(place.ledger("ledger.csv").len(), 20_000);
}
