//! Rows that do not fit in the memory that is given wait in a temporary file; nobody can tell from what is written.

mod support;

use std::fs;
use std::path::Path;

use support::*;

/// The samples, as a person would keep them in one folder.
fn samples() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/samples").to_owned()
}

/// What a run writes of all samples: the ledger, the fates, and the rejected rows.
fn written(place: &Workplace, arguments: &[&str]) -> Vec<(String, String)> {
    let mut all = vec!["convert"];
    let samples = samples();
    all.extend([samples.as_str(), "--allow-rejected", "--rows", "rows.csv"]);
    all.extend(arguments);
    place.run(&all).ends_with(0);
    let mut files: Vec<(String, String)> = place
        .names()
        .into_iter()
        .map(|name| (name.clone(), place.text(&name)))
        .collect();
    files.sort();
    for (name, _) in &files {
        fs::remove_file(place.path(name)).unwrap();
    }
    files
}

#[test]
fn all_samples_are_written_alike_whatever_the_memory_the_threads_and_the_chunks() {
    let place = Workplace::new();
    for layout in ["csv", "transactions", "jsonl"] {
        let out = ["--to", layout, "-o", "out.csv"];
        let plain = written(&place, &[&out[..], &["--threads", "1"]].concat());
        assert!(
            plain
                .iter()
                .any(|(name, text)| name == "out.csv" && text.lines().count() > 1000)
        );
        for others in [
            &["--memory", "1", "--threads", "1"][..],
            &["--memory", "1", "--threads", "3", "--chunk-bytes", "700"],
            &["--memory", "49M", "--threads", "2", "--chunk-bytes", "100"],
            &["--threads", "4", "--chunk-bytes", "333"],
        ] {
            let other = written(&place, &[&out[..], others].concat());
            for ((name, text), (other_name, other_text)) in plain.iter().zip(&other) {
                assert_eq!(name, other_name, "{layout} {others:?}");
                assert!(text == other_text, "{layout} {others:?}: {name} differs");
            }
            assert_eq!(plain.len(), other.len(), "{layout} {others:?}");
        }
    }
}

#[test]
fn where_rows_cannot_be_put_aside_the_message_says_what_it_was_for() {
    let place = Workplace::new();
    let out = Path::new("no such folder").join("ledger.csv");
    let told = place.run(&[
        "convert",
        &samples(),
        "--memory",
        "1",
        "-o",
        out.to_str().unwrap(),
    ]);
    assert_eq!(told.code, 1);
    assert!(told.stderr.contains("--memory"), "{}", told.stderr);
}

#[test]
fn a_size_of_memory_is_a_number_with_a_unit() {
    let place = Workplace::with(&[("a.csv", "x\n")]);
    for wrong in ["much", "0", "-1", "1.5G"] {
        place
            .run(&["convert", "a.csv", "--memory", wrong])
            .ends_with(2);
    }
}
