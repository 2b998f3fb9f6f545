//! Whole-program tests of `coinfold formats list`, `show`, `check` and `schema`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Runs `coinfold formats …` in a folder, apart from the person's own settings.
fn formats(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coinfold"));
    command.arg("formats").args(arguments).current_dir(folder);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "APPDATA"] {
        command.env_remove(name);
    }
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder);
    command.output().expect("the program runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("what it prints is UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("what it says is UTF-8")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

fn empty_folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("there is a place for temporary files")
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("it is below the folder")).expect("a folder is made");
    fs::write(path, text).expect("a file is written");
}

/// `id → text` of the mappings of this repository.
fn mappings() -> BTreeMap<String, String> {
    let formats = repository().join("formats");
    let mut found = BTreeMap::new();
    for exchange in fs::read_dir(&formats).expect("it is there").flatten() {
        let exchange_name = exchange.file_name().to_string_lossy().into_owned();
        if exchange_name == "assets" {
            continue;
        }
        for report in fs::read_dir(exchange.path())
            .expect("it is a folder")
            .flatten()
        {
            let path = report.path();
            let stem = path.file_stem().expect("it has a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("it is a text");
            found.insert(format!("{exchange_name}/{stem}"), text);
        }
    }
    found
}

#[test]
fn each_wrong_mapping_gets_just_the_messages_beside_it() {
    let fixtures = repository().join("tests/diagnostics");
    let rewrite = std::env::var_os("COINFOLD_REWRITE_DIAGNOSTICS").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(&fixtures).expect("it is there").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        count += 1;
        let name = path.file_stem().expect("it has a name").to_string_lossy();
        let folder = empty_folder();
        let file = format!("formats/fixture/{name}.toml");
        let text = fs::read_to_string(&path).expect("it is a text");
        write(folder.path(), &file, &text);
        let output = formats(folder.path(), &["check", &file]);
        let expected_path = path.with_extension("txt");
        if rewrite {
            fs::write(&expected_path, &output.stdout).expect("a file is written");
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if code(&output) != 1 || expected.is_empty() || stdout(&output) != expected {
            wrong.push(format!(
                "== {name} (exit {})\n{}{}",
                code(&output),
                stdout(&output),
                stderr(&output)
            ));
        }
    }
    assert!(count >= 20, "only {count} fixtures were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const SOUND: &str = r#"mapping     = 1
exchange    = "Mine"
report      = "Transactions"
how_to_get  = "Mine → Export"
generations = ["with a type", "without"]

[columns]
time = { header = "Mine time", type = "time", formats = ["iso"], zone = "UTC" }
type = { header = "Mine type", type = "choice", optional = true }
qty  = { header = "Mine amount", type = "amount" }

[[skip]]
when    = { type = "failed" }
because = "it never happened"

[[rule]]
move  = "qty BTC"
cases = [
  { type = "in", kind = "deposit" },
  { type = "out", kind = "withdrawal" },
]

[otherwise]
kind = "unclassified"
move = "qty BTC"
"#;

const LEDGER: &str = "event,time,kind,account,asset,amount,role\n";

#[test]
fn a_sound_mapping_passes_in_silence_and_the_missing_samples_folder_is_only_noted() {
    let folder = empty_folder();
    write(folder.path(), "formats/mine/transactions.toml", SOUND);
    let output = formats(folder.path(), &["check", "formats"]);
    assert_eq!(stdout(&output), "");
    assert!(
        stderr(&output).contains("no samples folder beside"),
        "{}",
        stderr(&output)
    );
    assert!(stderr(&output).ends_with("1 file checked: 0 errors, 0 warnings\n"));
    assert_eq!(code(&output), 0);
    let quiet = formats(
        folder.path(),
        &["check", "formats/mine/transactions.toml", "--quiet"],
    );
    assert_eq!(
        (stdout(&quiet), stderr(&quiet), code(&quiet)),
        (String::new(), String::new(), 0)
    );
    let data = formats(folder.path(), &["check", "formats", "--json"]);
    assert_eq!((json(&data), code(&data)), (Value::Array(Vec::new()), 0));
}

/// The messages of `formats check formats --json`, with the line if there is one.
fn messages(folder: &Path) -> Vec<(Option<u64>, String)> {
    let output = formats(folder, &["check", "formats", "--json"]);
    let Value::Array(found) = json(&output) else {
        panic!("it is a list")
    };
    assert_eq!(code(&output), i32::from(!found.is_empty()));
    let message = |one: &Value| {
        (
            one["line"].as_u64(),
            one["message"].as_str().unwrap_or("").to_owned(),
        )
    };
    found.iter().map(message).collect()
}

#[test]
fn every_rule_case_and_skip_needs_a_sample_and_every_sample_its_ledger() {
    let folder = empty_folder();
    let path = folder.path();
    write(path, "formats/mine/transactions.toml", SOUND);
    write(path, "samples/other/readme.txt", "");
    let none = |message: &str| (None, message.to_owned());
    assert_eq!(
        messages(path),
        [none("there are no samples of this report")]
    );

    let first = "Mine time,Mine type,Mine amount\n2024-01-01T00:00:00Z,in,1\n";
    write(path, "samples/mine/transactions/typed.csv", first);
    write(path, "samples/mine/transactions/gone.ledger.csv", LEDGER);
    let at = |line: u64, message: &str| (Some(line), message.to_owned());
    assert_eq!(
        messages(path),
        [
            none("sample `typed.csv` has no ledger beside it"),
            none("`gone.ledger.csv` has no sample beside it"),
            at(
                5,
                "there are 2 header generations and 0 samples with a ledger"
            ),
            at(12, "no sample reaches this skip"),
            at(20, "no sample reaches this rule"),
            at(23, "no sample reaches [otherwise]"),
        ]
    );

    fs::remove_file(path.join("samples/mine/transactions/gone.ledger.csv")).expect("it was there");
    let all = format!("{first}2024-01-02T00:00:00Z,out,-1\n2024-01-03T00:00:00Z,failed,5\n");
    write(path, "samples/mine/transactions/typed.csv", &all);
    write(path, "samples/mine/transactions/typed.ledger.csv", LEDGER);
    write(
        path,
        "samples/mine/transactions/plain.csv",
        "Mine amount;Mine time\n3;2024-01-01T00:00:00Z\n",
    );
    write(path, "samples/mine/transactions/plain.ledger.csv", LEDGER);
    write(
        path,
        "samples/mine/transactions/plain.rows.csv",
        "line,fate,reason\n",
    );
    assert_eq!(messages(path), []);
}

#[test]
fn a_sample_that_is_another_report_is_named() {
    let folder = empty_folder();
    let path = folder.path();
    let narrow = SOUND.replace(
        "type = { header = \"Mine type\", type = \"choice\", optional = true }\n",
        "",
    );
    let start = narrow.find("[[skip]]").expect("it is there");
    let end = narrow.find("[otherwise]").expect("it is there");
    let narrow = format!("{}{}", &narrow[..start], &narrow[end..]).replace(", \"without\"", "");
    write(path, "formats/mine/narrow.toml", &narrow);
    write(path, "formats/mine/transactions.toml", SOUND);
    let header = "Mine time,Mine type,Mine amount\n";
    for (id, rows) in [
        ("narrow", "2024-01-01T00:00:00Z,in,1\n"),
        (
            "transactions",
            "2024-01-01T00:00:00Z,in,1\n2024-01-01T00:00:00Z,out,-1\n2024-01-01T00:00:00Z,failed,1\n2024-01-01T00:00:00Z,,1\n",
        ),
    ] {
        write(
            path,
            &format!("samples/mine/{id}/one.csv"),
            &format!("{header}{rows}"),
        );
        write(path, &format!("samples/mine/{id}/one.ledger.csv"), LEDGER);
    }
    write(
        path,
        "samples/mine/transactions/two.csv",
        "Time,What\n1,2\n",
    );
    write(path, "samples/mine/transactions/two.ledger.csv", LEDGER);
    let found: Vec<String> = messages(path)
        .into_iter()
        .map(|(_, message)| message)
        .collect();
    assert_eq!(
        found,
        [
            "sample `one.csv` is recognised as mine/transactions",
            "no sample reaches [otherwise]",
            "sample `two.csv` is not recognised",
        ]
    );
}

#[test]
fn a_ledger_of_ours_is_a_sample_too() {
    let ledger = ["check", "formats/coinfold/ledger.toml", "--quiet"];
    let output = formats(&repository(), &ledger);
    assert_eq!(
        (stdout(&output), stderr(&output), code(&output)),
        (String::new(), String::new(), 0)
    );
}

#[test]
fn the_mapping_that_is_checked_is_the_file_and_not_the_built_in_one_of_its_id() {
    let folder = empty_folder();
    let (id, text) = mappings().pop_first().expect("there are mappings");
    write(
        folder.path(),
        &format!("formats/{id}.toml"),
        &text.replace("how_to_get", "how_two_get"),
    );
    let output = formats(
        folder.path(),
        &["check", &format!("formats/{id}.toml"), "--json"],
    );
    let found = json(&output);
    assert_eq!(found[0]["file"], format!("formats/{id}.toml"));
    assert_eq!(found[0]["level"], "error");
    assert_eq!(found[0]["message"], "there is no key `how_two_get` here");
    assert_eq!(found[0]["help"], "did you mean `how_to_get`?");
    assert!(
        found[0]["line"].as_u64().is_some() && found[0]["column"].as_u64().is_some(),
        "{found}"
    );
}

#[test]
fn alias_tables_are_checked_and_used() {
    let folder = empty_folder();
    let mapping = SOUND.replace("[columns]", "assets = [\"mine\"]\n[columns]");
    write(folder.path(), "formats/mine/transactions.toml", &mapping);
    write(
        folder.path(),
        "formats/assets/mine.toml",
        "[alias]\nXBT = \"BTC\"\n",
    );
    assert_eq!(messages(folder.path()), []);
    let wrong = "strip = ['(']\n[alias]\nXBT = \"BTC\"\n";
    write(folder.path(), "formats/assets/mine.toml", wrong);
    let lines: Vec<Option<u64>> = messages(folder.path())
        .into_iter()
        .map(|(line, _)| line)
        .collect();
    assert_eq!(lines, [Some(1), Some(7)]);
}

#[test]
fn colour_is_only_shown_when_asked_for() {
    let folder = empty_folder();
    write(
        folder.path(),
        "formats/mine/transactions.toml",
        &SOUND.replace("qty BTC", "qty"),
    );
    let run = |name: &str, value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coinfold"));
        command
            .args(["formats", "check", "formats"])
            .current_dir(folder.path());
        command
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env(name, value);
        command
            .output()
            .expect("the program runs")
            .stdout
            .contains(&0x1b)
    };
    assert!(!run("NO_COLOR", "1"));
    assert!(!run("CLICOLOR", "1"));
    assert!(run("CLICOLOR_FORCE", "1"));
}

#[test]
fn what_cannot_be_checked_is_an_error_and_not_a_pass() {
    let folder = empty_folder();
    assert_eq!(code(&formats(folder.path(), &["check"])), 2);
    let missing = formats(folder.path(), &["check", "gone.toml"]);
    assert_eq!(code(&missing), 1);
    assert!(stderr(&missing).contains("gone.toml"));
    fs::create_dir(folder.path().join("formats")).expect("a folder is made");
    let empty = formats(folder.path(), &["check", "formats"]);
    assert_eq!(code(&empty), 1);
    assert!(stderr(&empty).contains("no mapping"), "{}", stderr(&empty));
}

#[test]
fn list_names_every_mapping() {
    let folder = empty_folder();
    let known = mappings();
    let output = formats(folder.path(), &["list"]);
    assert_eq!(code(&output), 0);
    let table = stdout(&output);
    let ids: Vec<&str> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(ids, known.keys().map(String::as_str).collect::<Vec<_>>());
    let width = table.lines().next().map_or(0, |line| line.chars().count());
    assert!(
        table.lines().all(|line| line.chars().count() == width),
        "{table}"
    );

    let data = json(&formats(folder.path(), &["list", "--json"]));
    let listed = data.as_array().expect("it is a list");
    assert_eq!(listed.len(), known.len());
    for one in listed {
        let written: toml::Table = known[one["id"].as_str().expect("it has an id")]
            .parse()
            .expect("it is TOML");
        let generations = written["generations"].as_array().map_or(0, Vec::len);
        assert_eq!(
            one["generations"].as_u64(),
            Some(generations as u64),
            "{one}"
        );
        assert_eq!(one["how_to_get"].as_str(), written["how_to_get"].as_str());
        assert_eq!(one["exchange"].as_str(), written["exchange"].as_str());
        assert_eq!(one["built_in"], true);
        assert!(
            one["rules"].as_u64().is_some_and(|rules| rules > 0),
            "{one}"
        );
        assert!(
            one["values"].is_u64() && one["file"].is_string() && one.get("complete").is_some(),
            "{one}"
        );
    }
}

#[test]
fn list_counts_cases_as_rules_and_knows_the_words_of_choices() {
    let folder = empty_folder();
    write(folder.path(), "formats/mine/transactions.toml", SOUND);
    let data = json(&formats(folder.path(), &["list", "--json"]));
    let mine = data
        .as_array()
        .and_then(|list| list.iter().find(|one| one["id"] == "mine/transactions"));
    let mine = mine.expect("a mapping in ./formats is known");
    assert_eq!(
        (mine["rules"].as_u64(), mine["values"].as_u64()),
        (Some(3), Some(3)),
        "{mine}"
    );
    assert_eq!(mine["built_in"], false);
}

#[test]
fn the_markdown_table_has_a_line_for_each_exchange_and_each_has_a_page() {
    let folder = empty_folder();
    let table = stdout(&formats(folder.path(), &["list", "--markdown"]));
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[1].starts_with("|---"));
    let mut reports = 0;
    for line in &lines[2..] {
        let cells: Vec<&str> = line.split(" | ").collect();
        assert_eq!(cells.len(), 4, "{line}");
        reports += cells[1].parse::<usize>().unwrap();
    }
    assert_eq!(reports, mappings().len());
    let known = mappings();
    let folders: std::collections::BTreeSet<&str> = known
        .keys()
        .map(|id| id.split('/').next().unwrap())
        .collect();
    for exchange in folders {
        assert!(
            table.contains(&format!("(docs/exchanges/{exchange}.md)")),
            "{exchange}"
        );
        let page = stdout(&formats(folder.path(), &["show", exchange, "--markdown"]));
        let of_exchange = |id: &&String| id.split('/').next() == Some(exchange);
        for id in known.keys().filter(of_exchange) {
            assert!(page.contains(&format!("`{id}` · ")), "{page}");
        }
    }
}

#[test]
fn show_tells_what_a_mapping_does() {
    let folder = empty_folder();
    write(folder.path(), "formats/mine/transactions.toml", SOUND);
    let output = formats(folder.path(), &["show", "mine/transactions"]);
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    let expected = "\
Mine: Transactions
Mapping       mine/transactions (formats/mine/transactions.toml)
How to get it Mine → Export
Generations   with a type
              without

Columns
  time  time in UTC       “Mine time”
  type  choice, optional  “Mine type”
  qty   amount            “Mine amount”

Rows that are left out
  if type is “failed”
     because it never happened

Rules: the first that fits makes the event
  1. one of these
      moves as signed: qty BTC
      - if type is “in” → deposit
      - if type is “out” → withdrawal
  Any other row → unclassified
      moves as signed: qty BTC
";
    assert_eq!(stdout(&output), expected);
    let source = formats(folder.path(), &["show", "mine/transactions", "--source"]);
    assert_eq!(stdout(&source), SOUND);
    let data = json(&formats(
        folder.path(),
        &["show", "mine/transactions", "--json"],
    ));
    assert_eq!(data["mapping"]["columns"]["qty"]["header"], "Mine amount");
}

#[test]
fn show_can_tell_of_every_built_in_mapping() {
    let folder = empty_folder();
    for (id, text) in mappings() {
        let output = formats(folder.path(), &["show", &id]);
        let shown = stdout(&output);
        assert_eq!(code(&output), 0, "{id}");
        let written: toml::Table = text.parse().expect("it is TOML");
        for name in written["columns"]
            .as_table()
            .expect("columns are a table")
            .keys()
        {
            assert!(shown.contains(&format!("  {name} ")), "{id}: {name}");
        }
        for skip in written
            .get("skip")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
        {
            let because = skip["because"].as_str().expect("it is a text");
            assert!(shown.contains(because), "{id}: {because}");
        }
    }
}

#[test]
fn a_mapping_that_does_not_exist_is_wrong_usage_and_near_ones_are_named() {
    let folder = empty_folder();
    write(folder.path(), "formats/mine/transactions.toml", SOUND);
    let output = formats(folder.path(), &["show", "mine/transaction"]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("did you mean `mine/transactions`?"),
        "{}",
        stderr(&output)
    );
    let output = formats(folder.path(), &["show", "mine"]);
    assert!(
        stderr(&output).contains("`mine/transactions`"),
        "{}",
        stderr(&output)
    );
    assert_eq!(stdout(&output), "");
}

#[test]
fn help_of_every_command_has_an_example() {
    let folder = empty_folder();
    for command in ["list", "show", "check", "schema"] {
        let output = formats(folder.path(), &[command, "--help"]);
        assert_eq!(code(&output), 0);
        assert!(
            stdout(&output).contains(&format!("\n  coinfold formats {command}")),
            "{}",
            stdout(&output)
        );
    }
}

/// What of a value does not fit a JSON Schema: the part of the draft that the schema of mappings uses.
fn misfits(schema: &Value, value: &Value, root: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    match schema {
        Value::Bool(true) => return found,
        Value::Bool(false) => return vec![format!("{at}: nothing is allowed here")],
        _ => {}
    }
    for key in schema.as_object().expect("a schema is an object").keys() {
        const KNOWN: &[&str] = &[
            "$schema",
            "$ref",
            "$defs",
            "title",
            "description",
            "type",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "anyOf",
            "oneOf",
            "enum",
            "const",
            "default",
            "format",
            "minimum",
            "maximum",
        ];
        assert!(
            KNOWN.contains(&key.as_str()),
            "this test does not know `{key}`"
        );
    }
    if let Some(name) = schema["$ref"].as_str() {
        let target = root
            .pointer(name.trim_start_matches('#'))
            .expect("a reference leads somewhere");
        found.extend(misfits(target, value, root, at));
    }
    if let Some(kinds) = schema.get("type") {
        let kinds: Vec<&str> = match kinds {
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        if !kinds.contains(&kind) {
            found.push(format!("{at}: {kind} is none of {kinds:?}"));
        }
    }
    for key in ["anyOf", "oneOf"] {
        let Some(ways) = schema[key].as_array() else {
            continue;
        };
        let tried: Vec<Vec<String>> = ways
            .iter()
            .map(|way| misfits(way, value, root, at))
            .collect();
        if tried.iter().all(|found| !found.is_empty()) {
            found.push(format!("{at}: fits nothing of {key}: {tried:?}"));
        }
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|words| !words.contains(value))
        || schema.get("const").is_some_and(|only| only != value)
    {
        found.push(format!("{at}: {value} is not one of the words"));
    }
    if let Value::Object(object) = value {
        for name in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !object.contains_key(name) {
                found.push(format!("{at}: `{name}` is missing"));
            }
        }
        for (name, inner) in object {
            let place = format!("{at}.{name}");
            if let Some(property) = schema
                .get("properties")
                .and_then(|properties| properties.get(name))
            {
                found.extend(misfits(property, inner, root, &place));
            } else if let Some(others) = schema.get("additionalProperties") {
                found.extend(misfits(others, inner, root, &place));
            }
        }
    }
    if let (Value::Array(list), Some(items)) = (value, schema.get("items")) {
        for (nth, inner) in list.iter().enumerate() {
            found.extend(misfits(items, inner, root, &format!("{at}[{nth}]")));
        }
    }
    found
}

#[test]
fn every_built_in_mapping_fits_the_schema_and_a_wrong_one_does_not() {
    let folder = empty_folder();
    let output = formats(folder.path(), &["schema"]);
    assert_eq!(code(&output), 0);
    let schema = json(&output);
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for key in ["mapping", "exchange", "report", "how_to_get", "columns"] {
        assert!(required.contains(&key), "{key}");
    }
    let fits = |text: &str| {
        let table: toml::Table = text.parse().expect("it is TOML");
        let value = serde_json::to_value(table).expect("TOML is JSON too");
        misfits(&schema, &value, &schema, "")
    };
    for (id, text) in mappings() {
        assert_eq!(fits(&text), Vec::<String>::new(), "{id}");
    }
    assert_eq!(fits(SOUND), Vec::<String>::new());
    for (right, wrong) in [
        ("how_to_get ", "how_two_get"),
        ("because = ", "becuase = "),
        ("type = \"amount\"", "type = \"number\""),
        ("kind = \"unclassified\"", "kind = 7"),
        ("header = \"Mine time\"", "headers = \"Mine time\""),
    ] {
        assert!(SOUND.contains(right), "{right}");
        assert!(!fits(&SOUND.replace(right, wrong)).is_empty(), "{wrong}");
    }
}
