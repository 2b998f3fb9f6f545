//! Every target: what its samples must give, and that its files say what the ledger says.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use bigdecimal::{BigDecimal, RoundingMode};
use calamine::Reader;
use coinfold::convert::Options;
use coinfold::input::discover;
use coinfold::ledger::Period;
use coinfold::mapping::Library;
use coinfold::output::{Settings, write_target};
use coinfold::target::{Entry, Targets};
use proptest::prelude::*;
use rust_decimal::Decimal;

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::built_in);
static TARGETS: LazyLock<Targets> = LazyLock::new(Targets::built_in);

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/samples")
}

/// The ledgers that every target is shown with.
const LEDGERS: [&str; 2] = ["every_kind", "several_legs"];

/// Targets of rows and columns; journals have judges of their own.
fn tables() -> impl Iterator<Item = &'static Entry> {
    TARGETS
        .entries()
        .iter()
        .filter(|entry| entry.document().unwrap().journal.is_none())
}

fn convert(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_coinfold"))
        .arg("convert")
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// The extension that a target's sample has: a workbook is shown as the CSV of its rows.
fn extension(entry: &Entry) -> String {
    match entry.target().unwrap().extension.as_str() {
        "xlsx" => "csv".to_owned(),
        other => other.to_owned(),
    }
}

#[test]
fn a_ledger_that_is_read_again_is_the_same_but_for_where_it_comes_from() {
    for name in LEDGERS {
        let ledger = format!("{name}.ledger.csv");
        let (code, again, said) = convert(&samples(), &[&ledger, "--allow-rejected"]);
        assert_eq!(code, 0, "{said}");
        let without_source = |text: &str| -> Vec<Vec<String>> {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let rows = reader.records().map(Result::unwrap);
            rows.map(|row| row.iter().take(14).map(str::to_owned).collect())
                .collect()
        };
        let first = std::fs::read_to_string(samples().join(&ledger)).unwrap();
        assert_eq!(without_source(&again), without_source(&first));
    }
}

/// Files that belong to a sample: `NAME.…`, but for its arguments.
fn files_of(folder: &Path, name: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let file = entry.file_name().into_string().unwrap();
        if file.starts_with(&format!("{name}.")) && !file.ends_with(".args") {
            files.insert(file, std::fs::read_to_string(entry.path()).unwrap());
        }
    }
    files
}

/// Runs a sample: its files, and what was said beforehand as `NAME.preflight.txt`.
fn run(entry: &Entry, name: &str, temporary: &Path) -> BTreeMap<String, String> {
    let ledger = format!("{name}.ledger.csv");
    let own = samples().join(&entry.id);
    let more = std::fs::read_to_string(own.join(format!("{name}.args"))).unwrap_or_default();
    let output = temporary.join(format!("{name}.{}", extension(entry)));
    let mut arguments = vec![
        ledger.as_str(),
        "--to",
        &entry.id,
        "--lossy",
        "--allow-rejected",
    ];
    arguments.extend(more.split_whitespace());
    arguments.extend(["-o", output.to_str().unwrap()]);
    let (code, _, said) = convert(&samples(), &arguments);
    assert_eq!(code, 0, "{}: {said}", entry.id);
    let preflight: String = said
        .lines()
        .skip_while(|line| !line.starts_with("Held against"))
        .take_while(|line| line.starts_with("Held against") || line.starts_with("  "))
        .map(|line| format!("{line}\n"))
        .collect();
    let mut files = files_of(temporary, name);
    files.insert(format!("{name}.preflight.txt"), preflight);
    files
}

#[test]
fn every_sample_of_every_target_gives_what_stands_beside_it() {
    let wanted = std::env::var("SAMPLES").unwrap_or_default();
    let mut wrong = String::new();
    let mut count = 0;
    for entry in tables().filter(|entry| entry.id.contains(&wanted)) {
        let folder = samples().join(&entry.id);
        let mut names: BTreeSet<String> = LEDGERS.iter().map(|name| (*name).to_owned()).collect();
        for file in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = file.file_name().into_string().unwrap();
            names.insert(name.split('.').next().unwrap().to_owned());
        }
        for name in names {
            let temporary = tempfile::tempdir().unwrap();
            let given = run(entry, &name, temporary.path());
            let expected = files_of(&folder, &name);
            count += 1;
            if std::env::var_os("DRAFT_SAMPLES").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                for (file, text) in given
                    .iter()
                    .filter(|(file, _)| !expected.contains_key(*file))
                {
                    std::fs::write(folder.join(file), text).unwrap();
                }
                continue;
            }
            let all: BTreeSet<&String> = given.keys().chain(expected.keys()).collect();
            for file in all {
                match (expected.get(file), given.get(file)) {
                    (Some(should), Some(is)) if should == is => {}
                    (Some(should), Some(is)) => {
                        wrong.push_str(&format!("{}/{file} differs:\n", entry.id));
                        let lines = should
                            .lines()
                            .zip(is.lines())
                            .filter(|(one, other)| one != other);
                        for (should, is) in lines.take(5) {
                            wrong.push_str(&format!("  - {should}\n  + {is}\n"));
                        }
                        if should.lines().count() != is.lines().count() {
                            let (should, is) = (should.lines().count(), is.lines().count());
                            wrong.push_str(&format!("  {should} lines expected, {is} given\n"));
                        }
                    }
                    (None, _) => {
                        wrong.push_str(&format!("{}/{file} is given, and not expected\n", entry.id))
                    }
                    (_, None) => {
                        wrong.push_str(&format!("{}/{file} is expected, and not given\n", entry.id))
                    }
                }
            }
        }
    }
    assert!(count > 0);
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn what_a_tool_cannot_take_stops_the_run_and_leaves_the_old_file() {
    for entry in tables() {
        let temporary = tempfile::tempdir().unwrap();
        let output = temporary
            .path()
            .join(format!("upload.{}", extension(entry)));
        std::fs::write(&output, "old").unwrap();
        // No tool has a word for an event whose meaning is not known.
        let arguments = [
            "every_kind.ledger.csv",
            "--to",
            &entry.id,
            "-o",
            output.to_str().unwrap(),
        ];
        let (code, _, said) = convert(&samples(), &arguments);
        assert_eq!(code, 6, "{}: {said}", entry.id);
        assert!(said.contains("`unclassified`"), "{}: {said}", entry.id);
        assert_eq!(std::fs::read_to_string(&output).unwrap(), "old");
        assert_eq!(
            std::fs::read_dir(temporary.path()).unwrap().count(),
            1,
            "{}",
            entry.id
        );
    }
}

#[test]
fn the_preflight_is_data_too() {
    let arguments = [
        "every_kind.ledger.csv",
        "--to",
        "koinly",
        "--dry-run",
        "--json",
        "--lossy",
    ];
    let (code, told, _) = convert(&samples(), &arguments);
    assert_eq!(code, 4);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let findings = told["preflight"].as_array().unwrap();
    let loss = findings
        .iter()
        .find(|finding| {
            finding["message"]
                .as_str()
                .unwrap()
                .contains("`unclassified`")
        })
        .unwrap();
    assert_eq!(loss["weight"], "loss");
    assert_eq!(
        loss["examples"][0].as_str().unwrap().split(' ').nth(1),
        Some("unclassified")
    );
}

#[test]
fn what_is_left_out_stands_in_a_ledger_of_its_own() {
    let temporary = tempfile::tempdir().unwrap();
    let output = temporary.path().join("upload.csv");
    let (code, _, said) = convert(
        &samples(),
        &[
            "every_kind.ledger.csv",
            "--to",
            "bitcointax",
            "--lossy",
            "--allow-rejected",
            "-o",
            output.to_str().unwrap(),
        ],
    );
    assert_eq!(code, 0, "{said}");
    let left_out = std::fs::read_to_string(temporary.path().join("upload.left-out.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(left_out.as_bytes());
    let kinds: BTreeSet<String> = reader
        .records()
        .map(|record| record.unwrap()[2].to_owned())
        .collect();
    assert!(
        kinds.contains("deposit") && kinds.contains("transfer"),
        "{kinds:?}"
    );
}

#[test]
fn a_workbook_has_the_cells_that_its_csv_shows() {
    let mut count = 0;
    for entry in tables().filter(|entry| entry.target().unwrap().extension == "xlsx") {
        let temporary = tempfile::tempdir().unwrap();
        let (sheet, text) = (
            temporary.path().join("upload.xlsx"),
            temporary.path().join("upload.csv"),
        );
        for output in [&sheet, &text] {
            let (code, _, said) = convert(
                &samples(),
                &[
                    "every_kind.ledger.csv",
                    "--to",
                    &entry.id,
                    "--lossy",
                    "--allow-rejected",
                    "-o",
                    output.to_str().unwrap(),
                ],
            );
            assert_eq!(code, 0, "{}: {said}", entry.id);
        }
        // A file for each account, where the tool wants it so.
        for text in std::fs::read_dir(temporary.path()).unwrap() {
            let text = text.unwrap().path();
            let sheet = text.with_extension("xlsx");
            if text.extension().unwrap() != "csv" || !sheet.exists() {
                continue;
            }
            let mut workbook = calamine::open_workbook_auto(&sheet).unwrap();
            let range = workbook.worksheet_range_at(0).unwrap().unwrap();
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_path(&text)
                .unwrap();
            for (row, record) in range.rows().zip(reader.records()) {
                let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
                // The mark before what a spreadsheet would run stands in text files only.
                let record: Vec<String> = record
                    .unwrap()
                    .iter()
                    .map(|cell| cell.strip_prefix('\'').unwrap_or(cell).to_owned())
                    .collect();
                let same = |one: &String, other: &String| {
                    let number = |text: &String| text.replace(',', ".").parse::<Decimal>().ok();
                    one == other || (number(one).is_some() && number(one) == number(other))
                };
                assert!(
                    cells.len() == record.len()
                        && cells
                            .iter()
                            .zip(&record)
                            .all(|(one, other)| same(one, other)),
                    "{}: {cells:?} {record:?}",
                    entry.id
                );
                count += 1;
            }
        }
    }
    assert!(count > 30);
}

/// An event that is made up: kind, and legs as asset, amount, is a fee.
#[derive(Clone, Debug)]
struct Made {
    kind: &'static str,
    legs: Vec<(&'static str, Decimal, bool)>,
    valued: bool,
}

fn amounts() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        3 => (1i64..2_000_000_000, 0u32..=8),
        1 => (1i64..2_000_000_000_000_000_000, 8u32..=18),
    ]
    .prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale).normalize())
}

fn events() -> impl Strategy<Value = Vec<Made>> {
    const COINS: [&str; 4] = ["BTC", "ETH", "USD", "ADA"];
    let asset = prop::sample::select(&COINS[..]);
    let fee = || prop::option::weighted(0.4, (prop::sample::select(&COINS[..]), amounts()));
    let one_sided = prop::sample::select(
        &[
            ("deposit", 1),
            ("withdrawal", -1),
            ("income", 1),
            ("mining", 1),
            ("staking_reward", 1),
            ("airdrop", 1),
            ("payment", -1),
            ("gift_sent", -1),
            ("lost", -1),
        ][..],
    );
    let single = (one_sided, asset.clone(), amounts(), fee()).prop_map(
        |((kind, sign), asset, amount, fee)| Made {
            kind,
            legs: std::iter::once((asset, amount * Decimal::from(sign), false))
                .chain(fee.map(|(asset, fee)| (asset, -fee, true)))
                .collect(),
            valued: false,
        },
    );
    let trade = (
        prop::sample::subsequence(&COINS[..], 2..=4),
        prop::collection::vec(amounts(), 4),
        1usize..3,
        fee(),
        any::<bool>(),
    )
        .prop_map(|(assets, amounts, received, fee, valued)| Made {
            kind: "trade",
            legs: assets
                .into_iter()
                .zip(amounts)
                .enumerate()
                .map(|(nth, (asset, amount))| {
                    (
                        asset,
                        if nth < received.min(1) {
                            amount
                        } else {
                            -amount
                        },
                        false,
                    )
                })
                .chain(fee.map(|(asset, fee)| (asset, -fee, true)))
                .collect(),
            valued,
        });
    prop::collection::vec(prop_oneof![single, trade], 1..12)
}

fn ledger_of(events: &[Made]) -> String {
    let mut text = String::from(
        "event,time,kind,account,asset,amount,role,value,value_currency,order_id,trade_id,tx_hash,address,note,format,file,line\n",
    );
    for (nth, event) in events.iter().enumerate() {
        for (asset, amount, is_fee) in &event.legs {
            let role = if *is_fee { "fee" } else { "main" };
            let value = if event.valued && !is_fee {
                "12.5,USD"
            } else {
                ","
            };
            text.push_str(&format!(
                "e{nth},2024-01-{:02}T10:00:00Z,{},Alpha,{asset},{amount},{role},{value},,,,,,x,x.csv,1\n",
                nth + 1,
                event.kind
            ));
        }
    }
    text
}

/// Headers of a target or of one of its parts, as they are written.
fn headers_of(part: &toml::Table) -> Vec<String> {
    let header = |column: &toml::Value| match column {
        toml::Value::Array(pair) => pair[0].as_str().unwrap().to_owned(),
        other => other["header"].as_str().unwrap().to_owned(),
    };
    part["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(header)
        .collect()
}

/// What a file says was moved, by asset, as its target's `adds_up` says; read with other code than the program's.
fn sums_in(path: &Path, part: &toml::Table, sums: &mut BTreeMap<String, BigDecimal>) {
    let format = part
        .get("file")
        .and_then(|file| file.get("format"))
        .and_then(toml::Value::as_str);
    let rows: Vec<BTreeMap<String, String>> = if format == Some("json") {
        let text = std::fs::read_to_string(path).unwrap();
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(list.is_array() || list.is_object());
        // Digit by digit: as a float, a number would lose some.
        let pair = regex::Regex::new(r#""([^"]+)": (?:"((?:[^"\\]|\\.)*)"|(-?[0-9.]+))"#).unwrap();
        let rows = text.lines().filter(|line| line.starts_with("    {"));
        rows.map(|line| {
            let mut row: BTreeMap<String, String> = headers_of(part)
                .into_iter()
                .map(|header| (header, String::new()))
                .collect();
            row.extend(pair.captures_iter(line).map(|found| {
                let value = found.get(2).or(found.get(3)).unwrap();
                (found[1].to_owned(), value.as_str().to_owned())
            }));
            row
        })
        .collect()
    } else {
        let delimiter = part
            .get("file")
            .and_then(|file| file.get("delimiter"))
            .and_then(toml::Value::as_str);
        let headers: Vec<String> = headers_of(part);
        let has_headers = part
            .get("file")
            .and_then(|file| file.get("header"))
            .and_then(toml::Value::as_bool)
            .unwrap_or(true);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter.map_or(b',', |text| text.as_bytes()[0]))
            .has_headers(has_headers)
            .from_path(path)
            .unwrap();
        reader
            .records()
            .map(|record| {
                headers
                    .iter()
                    .cloned()
                    .zip(record.unwrap().iter().map(str::to_owned))
                    .collect()
            })
            .collect()
    };
    let comma = part
        .get("amounts")
        .and_then(|amounts| amounts.get("decimal_mark"))
        .and_then(toml::Value::as_str)
        == Some(",");
    let number = |text: &str| -> BigDecimal {
        if comma {
            text.replace(',', ".")
        } else {
            text.to_owned()
        }
        .parse()
        .unwrap()
    };
    for row in rows {
        for entry in part["adds_up"].as_array().unwrap() {
            let key = |name: &str| entry.get(name).and_then(toml::Value::as_str);
            let fits = entry
                .get("when")
                .and_then(toml::Value::as_table)
                .is_none_or(|when| {
                    when.iter().all(|(header, words)| match words {
                        toml::Value::Array(words) => {
                            words.iter().any(|word| word.as_str() == Some(&row[header]))
                        }
                        word => word.as_str() == Some(&row[header]),
                    })
                });
            let amount = &row[key("amount").unwrap()];
            if !fits || amount.is_empty() {
                continue;
            }
            let mut amount = number(amount);
            if let Some(times) = key("times") {
                amount *= number(&row[times]);
            }
            if let Some(digits) = entry.get("digits").and_then(toml::Value::as_integer) {
                amount = amount.with_scale_round(digits, RoundingMode::HalfEven);
            }
            if key("way") == Some("out") {
                amount = -amount;
            }
            let option = |text: &str| {
                let mut text = text.to_owned();
                for (name, option) in part
                    .get("options")
                    .and_then(toml::Value::as_table)
                    .into_iter()
                    .flatten()
                {
                    let default = option
                        .get("default")
                        .and_then(toml::Value::as_str)
                        .unwrap_or("");
                    text = text.replace(&format!("{{{name}}}"), default);
                }
                text
            };
            let asset = match key("asset").unwrap().strip_prefix('\'') {
                Some(said) => option(said.trim_end_matches('\'')),
                None => {
                    let code = row[key("asset").unwrap()].clone();
                    let suffix = option(key("suffix").unwrap_or(""));
                    code.strip_suffix(&suffix).unwrap_or(&code).to_owned()
                }
            };
            *sums.entry(asset).or_default() += amount;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_file_without_losses_says_what_the_ledger_says(events in events()) {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("history.csv");
        std::fs::write(&path, ledger_of(&events)).unwrap();
        let name = path.to_str().unwrap().to_owned();
        let discovery = discover(std::slice::from_ref(&name)).unwrap();
        let options = Options { named: vec![name], ..Options::default() };
        let folded = coinfold::fold(&discovery.sources, &LIBRARY, &options, Period::default(), &|_| ()).unwrap();
        let names = folded.ledger.name_texts();
        let mut expected: BTreeMap<String, BigDecimal> = BTreeMap::new();
        for (asset, amount, _) in events.iter().flat_map(|event| &event.legs) {
            *expected.entry((*asset).to_owned()).or_default() += amount.to_string().parse::<BigDecimal>().unwrap();
        }
        for entry in tables() {
            let mut target = entry.target().unwrap_or_else(|_| panic!("{} does not compile", entry.id));
            for part in &mut target.parts {
                if part.file.format == coinfold::target::document::FileFormat::Xlsx {
                    part.file.format = coinfold::target::document::FileFormat::Csv;
                }
            }
            let settings = Settings { options: BTreeMap::new(), renames: BTreeMap::new(), targets: &TARGETS };
            let folder = tempfile::tempdir().unwrap();
            let written = write_target(&folded.ledger, &names, &target, &settings, Some(folder.path())).unwrap();
            prop_assert!(written.unproved.is_empty(), "{}: {:?}", entry.id, written.unproved);
            if written.findings.any_loss() {
                continue;
            }
            let document: toml::Table = entry.text.parse().unwrap();
            let mut sums: BTreeMap<String, BigDecimal> = BTreeMap::new();
            let parts: Vec<toml::Table> = match document.get("part").and_then(toml::Value::as_array) {
                None => vec![document.clone()],
                Some(parts) => parts
                    .iter()
                    .map(|part| {
                        let mut merged = document.clone();
                        merged.extend(part.as_table().unwrap().clone());
                        merged
                    })
                    .collect(),
            };
            let files = written.finish(&folder.path().join("out.csv")).unwrap_or_else(|_| panic!("named"));
            for (path, _) in files {
                let file = path.file_name().unwrap().to_string_lossy().into_owned();
                let part = parts.iter().find(|part| {
                    parts.len() == 1 || {
                        let delimiter = part.get("file").and_then(|file| file.get("delimiter")).and_then(toml::Value::as_str);
                        let mut reader = csv::ReaderBuilder::new()
                            .delimiter(delimiter.map_or(b',', |text| text.as_bytes()[0]))
                            .from_path(&path)
                            .unwrap();
                        reader.headers().unwrap().iter().eq(headers_of(part))
                    }
                });
                let part = part.unwrap_or_else(|| panic!("{}: {file} has no header of its target", entry.id));
                sums_in(&path, part, &mut sums);
            }
            let renamed: BTreeMap<String, String> = document
                .get("assets").and_then(|assets| assets.get("rename")).and_then(toml::Value::as_table)
                .into_iter().flatten()
                .map(|(code, name)| (name.as_str().unwrap().to_owned(), code.clone()))
                .collect();
            let mut by_asset: BTreeMap<String, BigDecimal> = BTreeMap::new();
            for (code, sum) in sums {
                *by_asset.entry(renamed.get(&code).cloned().unwrap_or(code)).or_default() += sum;
            }
            let assets: BTreeSet<&String> = by_asset.keys().chain(expected.keys()).collect();
            for asset in assets {
                let of = |sums: &BTreeMap<String, BigDecimal>| sums.get(asset).cloned().unwrap_or_default();
                prop_assert_eq!(of(&by_asset), of(&expected), "{}: {}", &entry.id, asset);
            }
        }
    }
}
