//! Every sample gives the ledger that stands beside it, and is recognised as its own report.
//!
//! `samples/<exchange>/<report>/NAME.csv` has `NAME.ledger.csv` (in `event` any labels that tell events apart, in `file`
//! the name without folders), and where rows are not used `NAME.rows.csv`. Options of a sample stand in `NAME.args`.
//! `SAMPLES=kraken cargo test --test samples` looks at one folder only.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

type Rows = Vec<Vec<String>>;

fn read(path: &Path) -> Rows {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_path(path)
        .unwrap();
    reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

/// All samples: the export, and the expected ledger.
fn samples() -> Vec<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for exchange in folders(&root.join("samples")) {
        for report in folders(&exchange) {
            let mut files: Vec<PathBuf> = std::fs::read_dir(&report)
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            files.sort();
            for ledger in files
                .iter()
                .filter(|path| path.to_string_lossy().ends_with(".ledger.csv"))
            {
                let stem = ledger
                    .to_string_lossy()
                    .trim_end_matches(".ledger.csv")
                    .to_owned();
                let export = files.iter().find(|path| {
                    let text = path.to_string_lossy();
                    let rest = text.strip_prefix(&stem);
                    rest.is_some_and(|rest| {
                        rest.starts_with('.')
                            && !matches!(rest, ".ledger.csv" | ".rows.csv" | ".args")
                    })
                });
                let export = export
                    .unwrap_or_else(|| panic!("{} has no export beside it", ledger.display()));
                found.push((
                    export.strip_prefix(root).unwrap().to_owned(),
                    ledger.clone(),
                ));
            }
        }
    }
    found
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn arguments(ledger: &Path) -> Vec<String> {
    let path = ledger.to_string_lossy().replace(".ledger.csv", ".args");
    std::fs::read_to_string(path).map_or(Vec::new(), |text| {
        text.split_whitespace().map(str::to_owned).collect()
    })
}

/// The events' labels in the order in which they first occur, so that any labels compare.
fn relabel(rows: &mut Rows) {
    let mut labels: HashMap<String, usize> = HashMap::new();
    for row in rows.iter_mut().skip(1) {
        let next = labels.len() + 1;
        let label = *labels.entry(row[0].clone()).or_insert(next);
        row[0] = format!("event {label}");
    }
}

fn check(export: &Path, ledger: &Path, binary: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv");
    let rows_out = folder.path().join("rows.csv");
    let output = Command::new(binary)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("convert")
        .arg(export)
        .args([
            "-o",
            out.to_str().unwrap(),
            "--rows",
            rows_out.to_str().unwrap(),
        ])
        .args(arguments(ledger))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if !out.exists() {
        return Err(format!("exit {:?}\n{told}", output.status.code()));
    }
    let mut found = read(&out);
    let id = export
        .components()
        .skip(1)
        .take(2)
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/");
    for row in found.iter_mut().skip(1) {
        if row[14] != id {
            return Err(format!("recognised as {}", row[14]));
        }
        row[15] = row[15]
            .rsplit('/')
            .next()
            .unwrap()
            .split('#')
            .next()
            .unwrap()
            .to_owned();
    }
    let mut expected = read(ledger);
    relabel(&mut found);
    relabel(&mut expected);
    let mut wrong = String::new();
    for index in 0..found.len().max(expected.len()) {
        let line = |rows: &Rows| {
            rows.get(index)
                .map_or("(nothing)".to_owned(), |row| row.join(","))
        };
        if line(&found) != line(&expected) {
            wrong.push_str(&format!(
                "  line {}\n    expected {}\n    found    {}\n",
                index + 1,
                line(&expected),
                line(&found)
            ));
        }
    }
    let rows_path = PathBuf::from(ledger.to_string_lossy().replace(".ledger.csv", ".rows.csv"));
    let fates: BTreeMap<u64, (String, String)> = read(&rows_out)
        .into_iter()
        .skip(1)
        .filter(|row| row[2] != "used")
        .map(|row| (row[1].parse().unwrap(), (row[2].clone(), row[4].clone())))
        .collect();
    let expected_fates: BTreeMap<u64, (String, String)> = if rows_path.exists() {
        read(&rows_path)
            .into_iter()
            .skip(1)
            .map(|row| {
                (
                    row[0].parse().unwrap(),
                    (row[1].clone(), row.get(2).cloned().unwrap_or_default()),
                )
            })
            .collect()
    } else {
        BTreeMap::new()
    };
    for line in fates
        .keys()
        .chain(expected_fates.keys())
        .collect::<std::collections::BTreeSet<_>>()
    {
        let (found, expected) = (fates.get(line), expected_fates.get(line));
        let agree = match (found, expected) {
            (Some((fate, reason)), Some((wanted, why))) => {
                fate == wanted && (why.is_empty() || reason == why)
            }
            _ => false,
        };
        if !agree {
            wrong.push_str(&format!(
                "  row on line {line}\n    expected {expected:?}\n    found    {found:?}\n"
            ));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

#[test]
fn every_sample_gives_the_ledger_beside_it() {
    let binary =
        std::env::var("COINFOLD_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_coinfold").to_owned());
    let wanted = std::env::var("SAMPLES").unwrap_or_default();
    let samples: Vec<_> = samples()
        .into_iter()
        .filter(|(export, _)| export.to_string_lossy().contains(&wanted))
        .collect();
    assert!(
        !samples.is_empty(),
        "no samples in a folder like `{wanted}`"
    );
    let mut failures = 0;
    for (export, ledger) in &samples {
        if let Err(why) = check(export, ledger, &binary) {
            failures += 1;
            println!("{}\n{why}", export.display());
        }
    }
    println!("{} samples, {failures} wrong", samples.len());
    assert_eq!(failures, 0, "samples that do not give their ledger");
}
