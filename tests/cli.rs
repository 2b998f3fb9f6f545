//! Every command, and every code that a run can end with.

mod support;

use std::fs;

use support::*;

/// A mapping of the person's own, for exports in local time.
const CORNER: &str = r#"
mapping     = 1
exchange    = "Corner Exchange"
report      = "Moves"
how_to_get  = "Ask at the counter"
complete    = true
generations = ["2024: four columns"]

[columns]
time   = { header = "When", type = "time", formats = ["%Y-%m-%d %H:%M:%S"], zone = "local" }
number = { header = "Number", type = "id" }
coin   = { header = "Coin", type = "asset" }
change = { header = "Change", type = "amount" }

[defaults]
account  = "Corner"
trade_id = "number"

[[rule]]
when = "change > 0"
kind = "deposit"
in   = "change coin"

[[rule]]
when = "change < 0"
kind = "withdrawal"
out  = "abs(change) coin"
"#;

const CORNER_EXPORT: &str = "When,Number,Coin,Change
2024-03-30 12:00:00,c1,BTC,0.5
2024-03-31 02:30:00,c2,BTC,0.25
2024-07-01 12:00:00,c3,BTC,-0.125
2024-10-27 02:30:00,c4,BTC,0.0625
2024-10-28 12:00:00,c5,BTC,0.03125
";

fn with_small() -> Workplace {
    Workplace::with(&[("exports/us.csv", &small())])
}

/// A ledger whose second balance does not follow from its rows.
fn broken_balance() -> String {
    export(
        KRAKEN,
        &[
            kraken(
                "LAAAA1-AAAAA-AAAAAA",
                "QAAAA1-AAAAA-AAAAAA",
                "2020-01-01 10:00:00",
                "deposit",
                "ZEUR",
                "100.0000",
                "0.0000",
                "100.0000",
            ),
            kraken(
                "LAAAA2-AAAAA-AAAAAA",
                "QAAAA2-AAAAA-AAAAAA",
                "2020-01-02 10:00:00",
                "deposit",
                "ZEUR",
                "50.0000",
                "0.0000",
                "140.0000",
            ),
        ],
    )
}

// --- exit codes -----------------------------------------------------------------------------------------------------

#[test]
fn a_complete_run_ends_with_0_and_writes_one_line_for_each_leg() {
    let place = with_small();
    let told = place
        .run(&["convert", "exports", "-o", "ledger.csv"])
        .ends_with(0);
    assert_eq!(told.stdout, "", "with -o nothing goes to stdout");
    let ledger = place.ledger("ledger.csv");
    assert_eq!(
        short(&ledger),
        [
            "deposit 1000 USD",
            "trade 0.05 BTC",
            "trade -800 USD",
            "trade -0.8 USD fee",
            "trade 171.25 USD",
            "trade -0.01 BTC",
            "trade -0.17 USD fee",
        ]
    );
    assert_eq!(ledger[1].time, "2023-01-02T09:00:00.5Z");
    assert_eq!(
        (ledger[1].file.as_str(), ledger[1].line),
        ("exports/us.csv", 3)
    );
    told.says("3 rows, every one accounted for")
        .says("2 assets in 1 account, every total matches")
        .says("ledger.csv: 7 lines");
}

#[test]
fn without_an_output_the_ledger_goes_to_stdout_and_the_talk_to_stderr() {
    let place = with_small();
    let told = place.run(&["convert", "exports"]).ends_with(0);
    let on_stdout = read_ledger(&told.stdout);
    assert_eq!(on_stdout, place.converts(0, &["exports"]));
    assert!(
        told.stderr.contains("every one accounted for"),
        "{}",
        told.stderr
    );
}

#[test]
fn quiet_says_nothing_of_a_complete_run() {
    let place = with_small();
    let told = place
        .run(&["convert", "-q", "exports", "-o", "ledger.csv"])
        .ends_with(0);
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("", ""));
}

#[test]
fn a_missing_input_ends_with_1_and_writes_nothing() {
    let place = with_small();
    place
        .run(&["convert", "exports", "no such file.csv", "-o", "ledger.csv"])
        .ends_with(1)
        .says("no such file.csv: there is no such file or folder");
    assert!(!place.exists("ledger.csv"));
}

#[test]
fn an_output_that_cannot_be_written_ends_with_1() {
    let place = with_small();
    place
        .run(&["convert", "exports", "-o", "no/such/folder/ledger.csv"])
        .ends_with(1)
        .says("no/such/folder/ledger.csv: cannot be written");
    assert_eq!(place.names(), ["exports"]);
}

#[test]
fn a_folder_as_output_is_wrong_usage() {
    let place = with_small();
    fs::create_dir(place.path("there.csv")).unwrap();
    for arguments in [
        &["convert", "exports", "-o", "there.csv"][..],
        &[
            "convert",
            "exports",
            "-o",
            "ledger.csv",
            "--rows",
            "there.csv",
        ],
    ] {
        place.run(arguments).ends_with(2).says("name a file in it");
    }
    assert_eq!(place.names(), ["exports", "there.csv"]);
}

#[test]
fn wrong_usage_ends_with_2() {
    let place = with_small();
    for wrong in [
        &["convert"][..],
        &["convert", "exports", "--no-such-option"],
        &["no-such-command"],
        &["convert", "exports", "--zone", "Europe/Nowhere"],
        &["convert", "exports", "--since", "last year"],
        &["convert", "exports", "--threads", "0"],
        &["convert", "exports", "--account", "=exports"],
        &["convert", "exports", "--as", "no/such_mapping"],
        &["convert", "exports", "-o", "ledger.docx"],
        &["convert", "exports", "--to", "docx"],
        &["explain", "exports/us.csv"],
        &["explain", "exports/us.csv:0"],
        &["completions", "no-such-shell"],
    ] {
        let told = place.run(wrong);
        assert_eq!(
            told.code, 2,
            "{wrong:?} ends with another code: {}",
            told.stderr
        );
        assert!(!told.stderr.is_empty(), "{wrong:?} says nothing");
    }
    assert_eq!(
        place.names(),
        ["exports"],
        "wrong usage leaves no file behind"
    );
}

#[test]
fn nothing_recognised_ends_with_3_and_names_the_nearest_mapping() {
    let without_one = small().replace("Operation,", "Was,");
    let place = Workplace::with(&[
        ("us.csv", &without_one),
        ("shopping.csv", "milk,eggs\n1,12\n"),
    ]);
    place
        .run(&["convert", "us.csv", "-o", "ledger.csv"])
        .ends_with(3)
        .says("binance_us/transactions")
        .says("Operation");
    place
        .run(&["convert", "shopping.csv", "-o", "ledger.csv"])
        .ends_with(3);
    assert!(!place.exists("ledger.csv"));
}

#[test]
fn a_rejected_row_ends_with_4_and_all_others_are_in_the_ledger() {
    let place = Workplace::with(&[("us.csv", &(small() + &unknown_row() + "\n"))]);
    let ledger = place.converts(4, &["us.csv"]);
    assert_eq!(events(&ledger), 3);
    place
        .run(&["convert", "us.csv", "-o", "ledger.csv"])
        .says("1 row rejected: ledger.rejected.csv says why");
    assert_eq!(place.converts(0, &["us.csv", "--allow-rejected"]), ledger);
}

#[test]
fn an_unclassified_event_ends_with_4_and_is_in_the_ledger() {
    let row = us_move(
        "2023-02-01 00:00:00",
        "Distribution",
        "Moon Party",
        "5010",
        "BNB 0.5",
        "150",
        "",
    );
    let place = Workplace::with(&[("us.csv", &(small() + &row + "\n"))]);
    let ledger = place.converts(4, &["us.csv"]);
    assert_eq!(ledger.last().unwrap().short(), "unclassified 0.5 BNB");
    assert!(!place.exists("ledger.rejected.csv"), "nothing was rejected");
    place.converts(0, &["us.csv", "--allow-rejected"]);
}

#[test]
fn an_unrecognised_file_beside_a_good_one_ends_with_4() {
    let place = with_small();
    place.write("exports/shopping.csv", "milk,eggs\n1,12\n");
    place
        .run(&["convert", "exports", "-o", "ledger.csv"])
        .ends_with(4)
        .says("exports/shopping.csv: no mapping knows this header");
    assert_eq!(events(&place.ledger("ledger.csv")), 3);
    place.converts(0, &["exports", "--allow-rejected"]);
}

#[test]
fn a_balance_that_does_not_follow_ends_with_5_and_leaves_the_old_output() {
    let place = Workplace::with(&[
        ("kraken.csv", &broken_balance()),
        ("ledger.csv", "the old one"),
    ]);
    let told = place
        .run(&[
            "convert",
            "kraken.csv",
            "-o",
            "ledger.csv",
            "--rows",
            "rows.csv",
        ])
        .ends_with(5);
    told.says("kraken.csv:3: the balance of EUR in Kraken/spot should be 150 after this row, and the file says 140").says("nothing was written");
    assert_eq!(place.text("ledger.csv"), "the old one");
    assert_eq!(place.names(), ["kraken.csv", "ledger.csv"]);
    // The right balance is proved, and said.
    place.write(
        "kraken.csv",
        broken_balance().replace("140.0000", "150.0000"),
    );
    place
        .run(&["convert", "kraken.csv", "-o", "ledger.csv"])
        .ends_with(0)
        .says("1 running balance hold");
}

#[test]
fn a_balance_break_can_be_allowed() {
    let place = Workplace::with(&[("kraken.csv", &broken_balance())]);
    let ledger = place.converts(0, &["kraken.csv", "--allow-balance-breaks"]);
    assert_eq!(short(&ledger), ["deposit 100 EUR", "deposit 50 EUR"]);
}

// --- convert: what it takes -----------------------------------------------------------------------------------------

#[test]
fn stdin_gives_the_same_ledger_as_the_file() {
    let place = with_small();
    let from_file = place.converts(0, &["exports/us.csv"]);
    place
        .run_with_stdin(&["convert", "-", "-o", "piped.csv"], small().as_bytes())
        .ends_with(0);
    let from_pipe = place.ledger("piped.csv");
    assert_eq!(without_places(&from_pipe), without_places(&from_file));
    assert_eq!((from_pipe[0].file.as_str(), from_pipe[0].line), ("-", 2));
    place
        .run_with_stdin(
            &["convert", "-", "-o", "packed.csv"],
            &gzip(small().as_bytes()),
        )
        .ends_with(0);
    assert_eq!(place.text("packed.csv"), place.text("piped.csv"));
}

#[test]
fn a_pattern_takes_what_fits_it_and_nothing_else() {
    let place = Workplace::with(&[("a1.csv", &small()), ("b1.csv", &broken_balance())]);
    let ledger = place.converts(0, &["a*.csv"]);
    assert!(
        ledger.iter().all(|line| line.file == "a1.csv"),
        "{ledger:?}"
    );
    place
        .run(&["convert", "z*.csv"])
        .ends_with(1)
        .says("no file fits this pattern");
}

#[test]
fn folders_are_searched_to_their_end_and_hidden_files_left_out() {
    let place = Workplace::with(&[
        ("exports/2023/us/all.csv", &small()),
        ("exports/.hidden.csv", &broken_balance()),
    ]);
    let ledger = place.converts(0, &["exports"]);
    assert_eq!(ledger[0].file, "exports/2023/us/all.csv");
    assert_eq!(events(&ledger), 3);
}

#[test]
fn packed_exports_give_the_same_ledger() {
    let place = with_small();
    let plain = without_places(&place.converts(0, &["exports"]));
    let text = small();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, "inner/us.csv", text.as_bytes())
        .unwrap();
    place.write("us.csv.gz", gzip(text.as_bytes()));
    place.write("us.zip", zip(&[("inner/us.csv", text.as_bytes())]));
    place.write("us.tar.gz", gzip(&tar.into_inner().unwrap()));
    for (packed, name) in [
        ("us.csv.gz", "us.csv.gz"),
        ("us.zip", "us.zip/inner/us.csv"),
        ("us.tar.gz", "us.tar.gz/inner/us.csv"),
    ] {
        let ledger = place.converts(0, &[packed]);
        assert_eq!(without_places(&ledger), plain, "{packed}");
        assert_eq!(ledger[0].file, name);
    }
}

#[test]
fn since_and_until_leave_out_what_is_outside() {
    let place = with_small();
    let all = place.converts(0, &["exports"]);
    let ledger = place.converts(
        0,
        &[
            "exports",
            "--since",
            "2023-01-02T09:00:00.5Z",
            "--until",
            "2023-01-03",
        ],
    );
    assert_eq!(
        ledger,
        all[1..4],
        "the first instant is in, and the last day is not"
    );
    place.converts(
        0,
        &["exports", "--since", "2023-01-03", "--rows", "rows.csv"],
    );
    let rows = place.fates("rows.csv");
    assert_eq!(
        rows.iter().map(|row| row.fate.as_str()).collect::<Vec<_>>(),
        ["skipped", "skipped", "used"]
    );
    assert_eq!(rows[0].reason, "outside --since and --until");
}

#[test]
fn an_account_may_be_named_for_all_files_or_for_those_of_a_path() {
    let place = Workplace::with(&[("mine/us.csv", &small()), ("hers/us.csv", &small())]);
    let both = place.converts(0, &["mine", "hers"]);
    assert_eq!(events(&both), 3, "the same account told twice counts once");
    let ledger = place.converts(0, &["mine", "hers", "--account", "Hers=hers"]);
    assert_eq!(events(&ledger), 6, "two people's equal rows are two things");
    for line in &ledger {
        let account = if line.file.starts_with("hers/") {
            "Hers"
        } else {
            "Binance.US"
        };
        assert_eq!(line.account, account, "{line:?}");
    }
    let ledger = place.converts(
        0,
        &[
            "mine",
            "hers",
            "--account",
            "Ours",
            "--account",
            "Hers=hers/us.csv",
        ],
    );
    assert_eq!(
        ledger.iter().filter(|line| line.account == "Ours").count(),
        7
    );
    assert_eq!(
        ledger.iter().filter(|line| line.account == "Hers").count(),
        7
    );
}

#[test]
fn a_mapping_in_formats_works_without_rebuilding_and_local_times_ask_for_a_zone() {
    let place = Workplace::with(&[
        ("corner.csv", CORNER_EXPORT),
        ("formats/corner/moves.toml", CORNER),
    ]);
    let nowhere = place
        .run(&["convert", "corner.csv", "-o", "ledger.csv"])
        .ends_with(4);
    assert!(
        nowhere.stderr.contains("--zone"),
        "it does not say how to give the zone: {}",
        nowhere.stderr
    );
    let ledger = place.converts(
        4,
        &[
            "corner.csv",
            "--zone",
            "Europe/Berlin",
            "--rows",
            "rows.csv",
        ],
    );
    assert_eq!(
        ledger
            .iter()
            .map(|line| format!("{} {}", line.time, line.short()))
            .collect::<Vec<_>>(),
        [
            "2024-03-30T11:00:00Z deposit 0.5 BTC",
            "2024-07-01T10:00:00Z withdrawal -0.125 BTC",
            "2024-10-28T11:00:00Z deposit 0.03125 BTC",
        ]
    );
    assert!(
        ledger
            .iter()
            .all(|line| line.format == "corner/moves" && line.account == "Corner")
    );
    let rows = place.fates("rows.csv");
    assert_eq!((rows[1].line, rows[1].fate.as_str()), (3, "rejected"));
    assert!(
        rows[1]
            .reason
            .contains("this hour does not exist in Europe/Berlin"),
        "{}",
        rows[1].reason
    );
    assert_eq!((rows[3].line, rows[3].fate.as_str()), (5, "rejected"));
    assert!(
        rows[3].reason.contains("twice in Europe/Berlin"),
        "{}",
        rows[3].reason
    );
    // Another zone has no such hours there.
    assert_eq!(
        place
            .converts(0, &["corner.csv", "--zone", "Asia/Tokyo=corner.csv"])
            .len(),
        5
    );
    // From another folder it can be named.
    fs::rename(place.path("formats"), place.path("my mappings")).unwrap();
    place
        .run(&["convert", "corner.csv", "--zone", "UTC"])
        .ends_with(3);
    assert_eq!(
        place
            .converts(
                0,
                &["corner.csv", "--zone", "UTC", "--formats", "my mappings"]
            )
            .len(),
        5
    );
}

#[test]
fn two_mappings_that_fit_equally_are_an_error_that_names_both_until_one_is_chosen() {
    let place = Workplace::with(&[
        ("corner.csv", CORNER_EXPORT),
        (
            "formats/corner/moves.toml",
            &CORNER.replace("\"local\"", "\"UTC\""),
        ),
        (
            "formats/korner/moves.toml",
            &CORNER
                .replace("\"local\"", "\"UTC\"")
                .replace("\"Corner\"", "\"Korner\""),
        ),
    ]);
    place
        .run(&["convert", "corner.csv", "-o", "ledger.csv"])
        .ends_with(3)
        .says("corner/moves and korner/moves fit equally well")
        .says("--as");
    assert!(!place.exists("ledger.csv"));
    let told = place.run(&["detect", "corner.csv"]).ends_with(3);
    assert!(
        told.stdout.contains("corner/moves and korner/moves"),
        "{}",
        told.stdout
    );
    for (chosen, account) in [
        ("korner/moves", "Korner"),
        ("corner/moves=corner.csv", "Corner"),
    ] {
        let ledger = place.converts(0, &["corner.csv", "--as", chosen]);
        assert_eq!(ledger.len(), 5);
        assert!(
            ledger.iter().all(|line| line.account == account),
            "{chosen}"
        );
    }
}

#[test]
fn a_mapping_of_ones_own_wins_over_the_built_in_one_of_the_same_id() {
    let place = with_small();
    let built_in = place
        .run(&["formats", "show", "binance_us/transactions", "--source"])
        .ends_with(0)
        .stdout;
    assert!(built_in.contains("account = \"Binance.US\""), "{built_in}");
    place.write(
        "formats/binance_us/transactions.toml",
        built_in.replace("account = \"Binance.US\"", "account = \"Elsewhere\""),
    );
    assert!(
        place
            .converts(0, &["exports"])
            .iter()
            .all(|line| line.account == "Elsewhere")
    );
}

// --- convert: what it writes ----------------------------------------------------------------------------------------

#[test]
fn rows_lists_the_fate_of_every_row() {
    let kraken = export(
        KRAKEN,
        &[
            kraken(
                "",
                "QBBBB1-AAAAA-AAAAAA",
                "2020-01-01 09:59:00",
                "deposit",
                "ZEUR",
                "100.0000",
                "0.0000",
                "",
            ),
            kraken(
                "LBBBB1-AAAAA-AAAAAA",
                "QBBBB1-AAAAA-AAAAAA",
                "2020-01-01 10:00:00",
                "deposit",
                "ZEUR",
                "100.0000",
                "0.0000",
                "100.0000",
            ),
        ],
    );
    let place = Workplace::with(&[
        ("a.csv", &(small() + &unknown_row() + "\n")),
        ("b.csv", &small()),
        ("k.csv", &kraken),
    ]);
    let ledger = place.converts(4, &["a.csv", "b.csv", "k.csv", "--rows", "rows.csv"]);
    let rows = place.fates("rows.csv");
    let told: Vec<String> = rows
        .iter()
        .map(|row| format!("{}:{} {}", row.file, row.line, row.fate))
        .collect();
    assert_eq!(
        told,
        [
            "a.csv:2 used",
            "a.csv:3 used",
            "a.csv:4 used",
            "a.csv:5 rejected",
            "b.csv:2 duplicate",
            "b.csv:3 duplicate",
            "b.csv:4 duplicate",
            "k.csv:2 skipped",
            "k.csv:3 used",
        ]
    );
    for row in &rows {
        let in_ledger = ledger
            .iter()
            .find(|line| line.file == row.file && line.line == row.line);
        assert_eq!(
            in_ledger.map_or("", |line| line.event.as_str()),
            row.event,
            "{row:?}"
        );
        assert_eq!(row.reason.is_empty(), row.fate == "used", "{row:?}");
    }
    assert_eq!(rows[4].reason, "a.csv:2");
}

#[test]
fn a_dry_run_proves_and_writes_nothing() {
    let place = with_small();
    let told = place
        .run(&["convert", "exports", "--dry-run", "-o", "ledger.csv"])
        .ends_with(0);
    assert_eq!(told.stdout, "");
    told.says("every total matches");
    assert_eq!(place.names(), ["exports"]);
    let told = place.run(&["convert", "exports", "--dry-run"]).ends_with(0);
    assert_eq!(told.stdout, "");
    place.write("exports/kraken.csv", broken_balance());
    place.run(&["convert", "exports", "--dry-run"]).ends_with(5);
}

#[test]
fn a_dry_run_writes_no_list_of_fates_either() {
    let place = with_small();
    place
        .run(&["convert", "exports", "--dry-run", "--rows", "rows.csv"])
        .ends_with(0);
    assert_eq!(
        place.names(),
        ["exports"],
        "`--dry-run` says that it writes nothing"
    );
}

#[test]
fn json_tells_a_conversion_as_data() {
    let place = Workplace::with(&[("us.csv", &(small() + &unknown_row() + "\n"))]);
    let told = place
        .run(&["convert", "us.csv", "-o", "ledger.csv", "--json"])
        .ends_with(4);
    let json = told.json();
    assert_eq!(json["outcome"], "incomplete");
    assert_eq!(json["rows"]["read"], 4);
    assert_eq!(json["rows"]["used"], 3);
    assert_eq!(json["rows"]["rejected"], 1);
    assert_eq!((&json["events"], &json["lines"]), (&3.into(), &7.into()));
    assert_eq!((&json["accounts"], &json["assets"]), (&1.into(), &2.into()));
    assert_eq!(json["files"][0]["file"], "us.csv");
    assert_eq!(json["reports"][0]["format"], "binance_us/transactions");
    assert_eq!(json["output"], "ledger.csv");
    assert_eq!(json["rejected_files"][0], "ledger.rejected.csv");
    let problem = json["problems"]
        .as_array()
        .unwrap()
        .iter()
        .find(|problem| problem["code"] == "rejected")
        .expect("the rejected row is told");
    assert_eq!(
        (&problem["file"], &problem["line"]),
        (&"us.csv".into(), &5.into())
    );
    let dry = place
        .run(&[
            "convert",
            "us.csv",
            "--dry-run",
            "--json",
            "--allow-rejected",
        ])
        .ends_with(0)
        .json();
    assert_eq!(dry["rows"], json["rows"]);
}

#[test]
fn json_tells_a_failed_proof_and_an_unknown_file_as_data() {
    let place = Workplace::with(&[
        ("kraken.csv", &broken_balance()),
        ("shopping.csv", "milk,eggs\n1,12\n"),
    ]);
    let json = place
        .run(&["convert", "kraken.csv", "-o", "ledger.csv", "--json"])
        .ends_with(5)
        .json();
    assert_eq!(json["outcome"], "proof_failed");
    assert!(
        json["problems"]
            .as_array()
            .unwrap()
            .iter()
            .any(|problem| problem["code"] == "balance" && problem["line"] == 3),
        "{json}"
    );
    let json = place
        .run(&["convert", "shopping.csv", "-o", "ledger.csv", "--json"])
        .ends_with(3)
        .json();
    assert_eq!(json["outcome"], "nothing_recognised");
    assert!(
        json["problems"]
            .as_array()
            .unwrap()
            .iter()
            .any(|problem| problem["code"] == "unrecognised"),
        "{json}"
    );
}

#[test]
fn json_lines_have_the_fields_of_the_csv() {
    let place = Workplace::with(&[(
        "us.csv",
        &(small()
            + &us_move(
                "2023-02-01 00:00:00",
                "Distribution",
                "Others",
                "5011",
                "VTHO 3.5",
                "0.01",
                "\"two\nlines, \"\"quoted\"\"\"",
            )
            + "\n"),
    )]);
    let from_csv = place.converts(0, &["us.csv"]);
    place
        .run(&["convert", "us.csv", "-o", "ledger.jsonl"])
        .ends_with(0);
    let lines: Vec<Line> = place
        .text("ledger.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert_eq!(lines, from_csv);
    assert_eq!(lines.last().unwrap().note, "two\nlines, \"quoted\"");
    // The layout can be said where no extension says it.
    let told = place
        .run(&["convert", "us.csv", "--to", "jsonl"])
        .ends_with(0);
    assert_eq!(told.stdout, place.text("ledger.jsonl"));
}

#[test]
fn transactions_can_be_read_back_with_the_same_sums_and_events() {
    let dust = export(
        STATEMENT,
        &[
            statement(
                "2021-04-18 11:40:09",
                "Small assets exchange BNB",
                "SNX",
                "-0.0441",
            ),
            statement(
                "2021-04-18 11:40:09",
                "Small assets exchange BNB",
                "BNB",
                "0.00158201",
            ),
            statement(
                "2021-04-18 11:40:09",
                "Small assets exchange BNB",
                "USDT",
                "-0.77319142",
            ),
            statement(
                "2021-04-18 11:40:10",
                "Small assets exchange BNB",
                "BNB",
                "0.00150833",
            ),
            statement("2021-04-18 11:40:11", "Deposit", "LTC", "3"),
        ],
    );
    let earn = fs::read_to_string(samples().join("kraken/ledgers/2024_subclass.csv")).unwrap();
    let place = Workplace::with(&[
        ("exports/us.csv", &small()),
        ("exports/dust.csv", &dust),
        ("exports/earn.csv", &earn),
    ]);
    let ledger = place.converts(0, &["exports"]);
    place
        .run(&[
            "convert",
            "exports",
            "--to",
            "transactions",
            "-o",
            "transactions.csv",
        ])
        .ends_with(0);
    let text = place.text("transactions.csv");
    assert!(text.starts_with("time,kind,account,sent_amount,sent_asset,received_amount,received_asset,fee_amount,fee_asset,value,value_currency,ids,note,event\n"), "{text}");
    let again = place.converts(0, &["transactions.csv"]);
    assert_eq!(sums(&again), sums(&ledger));
    assert_eq!(events(&again), events(&ledger));
    assert!(
        again
            .iter()
            .all(|line| line.format == "coinfold/transactions")
    );
    let kinds = |ledger: &[Line]| {
        let mut kinds: Vec<(String, String)> = ledger
            .iter()
            .map(|line| (line.time.clone(), line.kind.clone()))
            .collect();
        kinds.sort();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds(&again), kinds(&ledger));
}

#[test]
fn an_output_over_an_input_is_refused_and_the_input_stays() {
    let place = with_small();
    for output in ["exports/us.csv", "./exports/../exports/us.csv"] {
        place
            .run(&["convert", "exports", "-o", output])
            .ends_with(2)
            .says("is an input");
        place
            .run(&["convert", "exports", "-o", "ledger.csv", "--rows", output])
            .ends_with(2)
            .says("is an input");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("exports/us.csv", place.path("link.csv")).unwrap();
        place
            .run(&["convert", "exports", "-o", "link.csv"])
            .ends_with(2);
    }
    assert_eq!(place.text("exports/us.csv"), small());
    assert!(!place.exists("ledger.csv"));
}

#[test]
fn one_file_cannot_be_both_the_ledger_and_the_list_of_fates() {
    let place = with_small();
    place
        .run(&["convert", "exports", "-o", "one.csv", "--rows", "one.csv"])
        .ends_with(2);
    assert_eq!(place.names(), ["exports"]);
}

#[cfg(unix)]
#[test]
fn what_is_written_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Workplace::with(&[
        ("us.csv", &(small() + &unknown_row() + "\n")),
        ("ledger.csv", "open to all"),
    ]);
    fs::set_permissions(place.path("ledger.csv"), fs::Permissions::from_mode(0o644)).unwrap();
    place.converts(4, &["us.csv", "--rows", "rows.csv"]);
    for name in ["ledger.csv", "rows.csv", "ledger.rejected.csv"] {
        let mode = fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name} has {mode:o}");
    }
}

#[test]
fn a_second_run_in_the_same_folder_leaves_its_own_files_out() {
    let place = Workplace::with(&[("us.csv", &small())]);
    let first = place.converts(0, &[".", "--rows", "rows.csv"]);
    let names = place.names();
    let second = place.converts(0, &[".", "--rows", "rows.csv"]);
    assert_eq!(second, first);
    assert_eq!(place.names(), names);
}

#[test]
fn a_second_run_in_the_same_folder_leaves_its_json_lines_out_too() {
    let place = Workplace::with(&[("us.csv", &small())]);
    place
        .run(&["convert", ".", "-o", "ledger.jsonl"])
        .ends_with(0);
    let first = place.text("ledger.jsonl");
    place
        .run(&["convert", ".", "-o", "ledger.jsonl"])
        .ends_with(0);
    assert_eq!(place.text("ledger.jsonl"), first);
    assert_eq!(events(&place.converts(0, &["."])), 3);
}

#[test]
fn transactions_that_lie_among_the_exports_they_come_from_are_not_counted_twice_in_silence() {
    let place = with_small();
    let once = place.converts(0, &["exports"]);
    place
        .run(&[
            "convert",
            "exports",
            "--to",
            "transactions",
            "-o",
            "exports/transactions.csv",
        ])
        .ends_with(0);
    let told = place.run(&["convert", "exports", "-o", "ledger.csv"]);
    let told_so = told
        .stderr
        .lines()
        .any(|line| line.contains("transactions.csv") && line.contains("twice"));
    assert!(
        told_so || sums(&place.ledger("ledger.csv")) == sums(&once),
        "everything counts twice, and all that is said is:\n{}",
        told.stderr
    );
}

#[test]
fn a_second_run_in_the_same_folder_does_not_pile_up_rejected_rows() {
    let place = Workplace::with(&[("us.csv", &(small() + &unknown_row() + "\n"))]);
    let first = place.converts(4, &["."]);
    let names = place.names();
    let second = place.converts(4, &["."]);
    assert_eq!(second, first);
    assert_eq!(
        place.names(),
        names,
        "the rejected rows of the first run are told again, once more with each run"
    );
}

#[test]
fn a_rejected_file_that_was_mended_in_its_folder_is_not_lost_in_the_next_run() {
    let place = Workplace::with(&[("us.csv", &(small() + &unknown_row() + "\n"))]);
    place.converts(4, &["."]);
    let mended = place
        .text("ledger.rejected.csv")
        .replace("Card,Purchase", "Deposit,Crypto Deposit");
    place.write("ledger.rejected.csv", &mended);
    place
        .run(&["convert", ".", "-o", "ledger.csv"])
        .ends_with(4)
        .says("ledger.rejected.csv");
    assert_eq!(
        place.text("ledger.rejected.csv"),
        mended,
        "what the person mended is gone"
    );
}

// --- rejected rows --------------------------------------------------------------------------------------------------

#[test]
fn rejected_rows_are_written_in_their_own_columns_with_the_reason_and_can_be_mended() {
    let us = small()
        + &us_fill(
            "2023-02-01 10:00:00",
            "Buy",
            "6001",
            "BTC 0.0l",
            "USD 200",
            "200",
            "USD 0.2",
        )
        + "\n"
        + &unknown_row()
        + "\n";
    let place = Workplace::with(&[("us.csv", &us)]);
    let ledger = place.converts(4, &["us.csv"]);
    let rejected = place.text("ledger.rejected.csv");
    let mut reader = csv::Reader::from_reader(rejected.as_bytes());
    let header = reader.headers().unwrap().clone();
    assert_eq!(header.iter().take(21).collect::<Vec<_>>().join(","), US);
    assert_eq!(
        header.iter().skip(21).collect::<Vec<_>>(),
        ["coinfold_reason", "coinfold_row"]
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[0].iter().take(21).collect::<Vec<_>>().join(","),
        us.lines().nth(4).unwrap()
    );
    assert!(
        rows[0][21].contains("base_qty") && rows[0][21].contains("0.0l"),
        "the reason names the column and the cell: {}",
        &rows[0][21]
    );
    assert_eq!(&rows[0][22], "us.csv:5");
    assert_eq!(&rows[1][22], "us.csv:6");
    // Mended and converted on its own, it gives the row that was missing, and the other one again.
    place.write("mended.csv", rejected.replace("0.0l", "0.01"));
    let mended = {
        place
            .run(&["convert", "mended.csv", "-o", "mended-ledger.csv"])
            .ends_with(4);
        place.ledger("mended-ledger.csv")
    };
    assert_eq!(
        short(&mended),
        ["trade 0.01 BTC", "trade -200 USD", "trade -0.2 USD fee"]
    );
    // Together with the first export it is a new row, and the same event as if the export had been right at once.
    let together = place.converts(4, &["us.csv", "mended.csv"]);
    assert_eq!(events(&together), events(&ledger) + 1);
    place.write("right.csv", us.replace("0.0l", "0.01"));
    let right = place.converts(4, &["right.csv"]);
    assert_eq!(without_places(&together), without_places(&right));
}

#[test]
fn rejected_rows_of_several_reports_stand_in_a_file_each() {
    let kraken = export(
        KRAKEN,
        &[kraken(
            "LCCCC1-AAAAA-AAAAAA",
            "QCCCC1-AAAAA-AAAAAA",
            "2020-01-01 1O:00:00",
            "deposit",
            "ZEUR",
            "100",
            "0",
            "100",
        )],
    );
    let place = Workplace::with(&[
        ("us.csv", &(small() + &unknown_row() + "\n")),
        ("kraken.csv", &kraken),
    ]);
    place.converts(4, &["us.csv", "kraken.csv"]);
    assert!(
        place
            .text("ledger.rejected.binance_us-transactions.csv")
            .contains("5009")
    );
    assert!(
        place
            .text("ledger.rejected.kraken-ledgers.csv")
            .contains("LCCCC1-AAAAA-AAAAAA")
    );
}

#[test]
fn rejected_rows_of_an_earlier_run_are_removed_when_they_are_no_longer_rejected() {
    let place = Workplace::with(&[("us.csv", &(small() + &unknown_row() + "\n"))]);
    place.converts(4, &["us.csv"]);
    assert!(place.exists("ledger.rejected.csv"));
    place.write("us.csv", small());
    place.write("ledger.rejected.notes.csv", "what,I think\nof,it\n");
    place.converts(0, &["us.csv"]);
    assert!(
        !place.exists("ledger.rejected.csv"),
        "it tells of a row that is no longer rejected"
    );
    assert!(place.exists("ledger.rejected.notes.csv"), "it is not ours");
}

#[test]
fn an_input_with_the_name_of_the_rejected_file_is_never_overwritten() {
    let mine = export(US, &[unknown_row()]);
    let place = Workplace::with(&[("ledger.rejected.csv", &mine), ("us.csv", &small())]);
    place
        .run(&[
            "convert",
            "us.csv",
            "ledger.rejected.csv",
            "-o",
            "ledger.csv",
        ])
        .ends_with(4);
    assert_eq!(place.text("ledger.rejected.csv"), mine);
    assert!(
        place
            .text("ledger.rejected-2.csv")
            .contains("coinfold_reason")
    );
}

#[test]
fn a_file_of_the_person_with_the_name_of_the_rejected_file_is_not_overwritten() {
    let place = Workplace::with(&[
        ("ledger.rejected.csv", "what,I think\nof,it\n"),
        ("us.csv", &(small() + &unknown_row() + "\n")),
    ]);
    place.converts(4, &["us.csv"]);
    assert_eq!(place.text("ledger.rejected.csv"), "what,I think\nof,it\n");
}

// --- detect ---------------------------------------------------------------------------------------------------------

#[test]
fn detect_says_which_report_each_file_is() {
    let place = with_small();
    let told = place.run(&["detect", "exports"]).ends_with(0);
    assert_eq!(
        told.stdout,
        "exports/us.csv: Binance.US · Transaction history (tax statement) (binance_us/transactions)\n"
    );
    place.write("exports/kraken.csv", broken_balance());
    place.write("exports/shopping.csv", "milk,eggs\n1,12\n");
    let told = place.run(&["detect", "exports"]).ends_with(4);
    assert!(
        told.stdout
            .contains("exports/kraken.csv: Kraken · Ledgers (kraken/ledgers)"),
        "{}",
        told.stdout
    );
    assert!(
        told.stdout.contains("exports/shopping.csv: not known"),
        "{}",
        told.stdout
    );
    place.run(&["detect", "exports/shopping.csv"]).ends_with(3);
    place
        .run(&["detect", "exports/no such file.csv"])
        .ends_with(1);
    assert_eq!(place.names(), ["exports"], "detect writes nothing");
}

#[test]
fn detect_shows_the_nearest_mapping_with_missing_and_extra_columns() {
    let place = Workplace::with(&[("us.csv", &small().replace("Operation,", "Was,"))]);
    let told = place.run(&["detect", "us.csv"]).ends_with(3);
    let near = told
        .stdout
        .lines()
        .position(|line| line.contains("near: binance_us/transactions"))
        .expect(&told.stdout);
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(lines[near + 1].trim(), "missing: Operation");
    assert_eq!(lines[near + 2].trim(), "extra: Was");
}

#[test]
fn detect_finds_the_header_below_other_lines_and_with_columns_that_nobody_knows() {
    let text = format!(
        "Exported for you\n\n{}",
        small()
            .replace("Additional Note", "Additional Note,Mood")
            .replace(",,\n", ",,,fine\n")
    );
    let place = Workplace::with(&[("us.csv", &text)]);
    let json = place
        .run(&["detect", "us.csv", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(json[0]["header_line"], 3);
    assert_eq!(json[0]["unknown_columns"][0], "Mood");
    place
        .run(&["convert", "us.csv", "-o", "ledger.csv"])
        .ends_with(0)
        .says("Mood");
    assert_eq!(events(&place.ledger("ledger.csv")), 3);
    assert_eq!(place.ledger("ledger.csv")[0].line, 4);
}

#[test]
fn detect_as_json_has_an_object_for_each_file() {
    let place = with_small();
    place.write("exports/semicolons.csv", small().replace(',', ";"));
    place.write("exports/shopping.csv", "milk,eggs\n1,12\n");
    place.write("exports/wide.csv", utf16(&small(), true));
    let json = place
        .run(&["detect", "exports", "--json"])
        .ends_with(4)
        .json();
    let files: Vec<&str> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["file"].as_str().unwrap())
        .collect();
    assert_eq!(
        files,
        [
            "exports/semicolons.csv",
            "exports/shopping.csv",
            "exports/us.csv",
            "exports/wide.csv"
        ]
    );
    assert_eq!(
        (&json[0]["format"], &json[0]["delimiter"]),
        (&"binance_us/transactions".into(), &";".into())
    );
    assert!(json[1]["format"].is_null());
    assert_eq!(
        (&json[2]["exchange"], &json[2]["header_line"]),
        (&"Binance.US".into(), &1.into())
    );
    assert_eq!(
        (&json[3]["format"], &json[3]["encoding"]),
        (&"binance_us/transactions".into(), &"UTF-16LE".into())
    );
}

// --- explain --------------------------------------------------------------------------------------------------------

#[test]
fn explain_tells_the_way_of_a_row_of_an_export() {
    let place = with_small();
    let text = place
        .run(&["explain", "exports/us.csv:3"])
        .ends_with(0)
        .stdout;
    for expected in [
        "exports/us.csv:3",
        "Binance.US · Transaction history (tax statement) (binance_us/transactions)",
        "Time: 2023-01-02 09:00:00.5",
        "base_qty = 0.05",
        "+0.05 BTC in Binance.US  worth 800 USD",
        "-800 USD in Binance.US",
        "-0.8 USD in Binance.US  (fee)",
        "fate      used",
    ] {
        assert!(text.contains(expected), "`{expected}` is missing:\n{text}");
    }
    assert!(
        !text.contains("20044518"),
        "the user's number is private:\n{text}"
    );
    let rule = text.lines().find(|line| line.starts_with("rule")).unwrap();
    assert!(
        rule.contains("formats/binance_us/transactions.toml:"),
        "{rule}"
    );
}

#[test]
fn explain_tells_the_way_back_from_a_line_of_a_ledger() {
    let place = with_small();
    let ledger = place.converts(0, &["exports"]);
    let told = place
        .run(&["explain", "ledger.csv:6"])
        .ends_with(0)
        .says("ledger.csv:6 comes from exports/us.csv:4");
    assert!(
        told.stdout
            .contains(&format!("event     {}", ledger[4].event)),
        "{}",
        told.stdout
    );
    place.run(&["explain", "ledger.csv:99"]).ends_with(1);
}

#[test]
fn explain_tells_why_a_row_is_not_in_the_ledger() {
    let place = Workplace::with(&[
        ("a.csv", &(small() + &unknown_row() + "\n")),
        ("b.csv", &small()),
    ]);
    let text = place.run(&["explain", "a.csv:5"]).ends_with(0).stdout;
    assert!(text.contains("fate      rejected: "), "{text}");
    let text = place
        .run(&["explain", "b.csv:2", "a.csv"])
        .ends_with(0)
        .stdout;
    assert!(
        text.contains("fate      duplicate: the same row as a.csv:2"),
        "{text}"
    );
    let text = place.run(&["explain", "a.csv:1"]).ends_with(0).stdout;
    assert!(text.contains("header"), "{text}");
    place
        .run(&["explain", "a.csv:77"])
        .ends_with(1)
        .says("no row on line 77");
    place.run(&["explain", "c.csv:2"]).ends_with(1);
}

#[test]
fn explain_shows_the_rows_of_a_group_and_of_a_member_of_an_archive() {
    let text = export(
        STATEMENT,
        &[
            statement("2021-03-01 09:30:02", "Buy", "BTC", "0.005"),
            statement("2021-03-01 09:30:02", "Buy", "EUR", "-200"),
            statement("2021-03-01 09:30:02", "Fee", "BTC", "-0.000005"),
        ],
    );
    let place = Workplace::new();
    place.write("all.zip", zip(&[("statement.csv", text.as_bytes())]));
    place.converts(0, &["all.zip"]);
    let told = place
        .run(&["explain", "ledger.csv:4"])
        .ends_with(0)
        .says("ledger.csv:4 comes from all.zip/statement.csv:4")
        .stdout;
    assert!(
        told.contains(
            "group     all.zip/statement.csv:2, all.zip/statement.csv:3, all.zip/statement.csv:4"
        ),
        "{told}"
    );
    assert!(
        told.contains("-0.000005 BTC in Binance/Spot  (fee)"),
        "{told}"
    );
}

// --- formats, completions, man, help --------------------------------------------------------------------------------

#[test]
fn the_formats_commands_answer() {
    let place = Workplace::with(&[("formats/corner/moves.toml", CORNER)]);
    let json = place
        .run(&["formats", "list", "--json"])
        .ends_with(0)
        .json();
    let ids: Vec<&str> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|format| format["id"].as_str().unwrap())
        .collect();
    for id in [
        "binance_us/transactions",
        "kraken/ledgers",
        "coinfold/transactions",
        "corner/moves",
    ] {
        assert!(ids.contains(&id), "{id} is not in {ids:?}");
    }
    let shown = place
        .run(&["formats", "show", "corner/moves"])
        .ends_with(0)
        .stdout;
    assert!(
        shown.contains("Corner Exchange") && shown.contains("Ask at the counter"),
        "{shown}"
    );
    assert_ne!(place.run(&["formats", "show", "no/such"]).code, 0);
    let schema = place.run(&["formats", "schema"]).ends_with(0).json();
    assert!(schema["properties"]["columns"].is_object(), "{schema}");
    place
        .run(&["formats", "check", "formats/corner/moves.toml"])
        .ends_with(0);
    place.write(
        "formats/corner/moves.toml",
        CORNER.replace("abs(change)", "abs(chance)"),
    );
    place
        .run(&["formats", "check", "formats/corner/moves.toml"])
        .ends_with(1);
}

#[test]
fn a_run_beside_a_broken_mapping_of_ones_own_says_what_is_wrong_with_it() {
    let place = Workplace::with(&[
        ("us.csv", &small()),
        (
            "formats/corner/moves.toml",
            &CORNER.replace("abs(change)", "abs(chance)"),
        ),
    ]);
    let told = place.run(&["convert", "us.csv", "-o", "ledger.csv"]);
    assert!(
        told.code == 0 || told.stderr.contains("formats/corner/moves.toml"),
        "it ends with {} and does not name the mapping: {}",
        told.code,
        told.stderr
    );
    place.write("corner.csv", CORNER_EXPORT);
    let told = place.run(&["convert", "corner.csv", "-o", "ledger.csv"]);
    assert_ne!(told.code, 0);
    assert!(
        told.stderr.contains("chance") || told.stderr.contains("formats check"),
        "{}",
        told.stderr
    );
}

#[test]
fn completions_name_the_commands_and_options_for_every_shell() {
    let place = Workplace::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = place.run(&["completions", shell]).ends_with(0).stdout;
        for word in [
            "coinfold",
            "convert",
            "detect",
            "explain",
            "formats",
            "allow-rejected",
        ] {
            assert!(text.contains(word), "{shell}: `{word}` is missing");
        }
    }
}

#[test]
fn the_manual_page_is_roff_and_names_the_commands() {
    let text = Workplace::new().run(&["man"]).ends_with(0).stdout;
    assert!(text.contains(".TH coinfold 1"), "{text}");
    for word in ["convert", "detect", "explain", "formats", "completions"] {
        assert!(text.contains(word), "`{word}` is missing");
    }
}

#[test]
fn every_command_has_a_help_with_an_example() {
    let place = Workplace::new();
    for command in [
        &[][..],
        &["convert"],
        &["detect"],
        &["explain"],
        &["formats"],
        &["formats", "list"],
        &["formats", "show"],
        &["formats", "check"],
        &["formats", "schema"],
        &["completions"],
        &["man"],
    ] {
        let arguments = [command, &["--help"]].concat();
        let text = place.run(&arguments).ends_with(0).stdout;
        assert!(text.contains("Usage: coinfold"), "{arguments:?}:\n{text}");
        let example = text.split_once("Example").map_or("", |(_, behind)| behind);
        assert!(
            example.contains(&format!("coinfold {}", command.join(" "))),
            "{arguments:?} has no example:\n{text}"
        );
    }
    let version = place.run(&["--version"]).ends_with(0).stdout;
    assert_eq!(version, format!("coinfold {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn no_command_at_all_is_wrong_usage_and_shows_the_commands() {
    let told = Workplace::new().run(&[]).ends_with(2);
    assert!(told.stderr.contains("convert"), "{}", told.stderr);
}

#[test]
fn a_row_rejected_with_its_group_keeps_its_cells_when_it_came_from_stdin() {
    let place = Workplace::with(&[]);
    let half_a_trade = "txid,refid,time,type,subtype,aclass,asset,amount,fee,balance\n\
        LAAAAA-AAAAA-AAAAAA,TBBBBB-BBBBB-BBBBBB,2020-01-02 03:04:05,trade,,currency,ZEUR,-12.3400,0.0200,87.6400\n";
    place
        .run_with_stdin(
            &["convert", "-", "-o", "ledger.csv"],
            half_a_trade.as_bytes(),
        )
        .ends_with(4);
    let rejected = place.text("ledger.rejected.csv");
    assert!(
        rejected.contains("LAAAAA-AAAAA-AAAAAA,TBBBBB-BBBBB-BBBBBB,2020-01-02 03:04:05,trade"),
        "{rejected}"
    );
}

#[test]
fn a_project_file_says_once_what_no_export_says() {
    let place = Workplace::with(&[
        ("exports/2024/corner.csv", CORNER_EXPORT),
        ("formats/corner/moves.toml", CORNER),
        (
            "exports/coinfold.toml",
            "[[file]]\npath = \"2024\"\nzone = \"Asia/Tokyo\"\naccount = \"Shop\"\n\n[[file]]\npath = \"2024/*.tsv\"\nzone = \"UTC\"\n",
        ),
    ]);
    // Whether the folder, the folder below it, or the file itself is named.
    for path in [
        "exports",
        "exports/2024",
        "exports/2024/corner.csv",
        "./exports/2024/",
    ] {
        let told = place
            .run(&["convert", path, "-o", "ledger.csv"])
            .ends_with(0);
        assert!(told.stderr.contains("coinfold.toml"), "{}", told.stderr);
        let ledger = read_ledger(&place.text("ledger.csv"));
        assert_eq!(ledger.len(), 5, "{path}");
        assert!(ledger.iter().all(|line| line.account == "Shop"));
        assert_eq!(ledger[0].time, "2024-03-30T03:00:00Z");
    }
    // What is said now of the path counts more; what is said of nothing in particular counts less.
    let now = place.converts(
        0,
        &[
            "exports",
            "--account",
            "Stall=exports/2024",
            "--zone",
            "UTC",
        ],
    );
    assert_eq!(
        (now[0].account.as_str(), now[0].time.as_str()),
        ("Stall", "2024-03-30T03:00:00Z")
    );
    // It is no export, and what is wrong in it is told.
    assert!(
        !place
            .run(&["detect", "exports"])
            .ends_with(0)
            .stdout
            .contains("coinfold.toml")
    );
    place.write(
        "exports/coinfold.toml",
        "[[file]]\npath = \"2024\"\nzones = \"UTC\"\n",
    );
    place
        .run(&["convert", "exports", "-o", "ledger.csv"])
        .ends_with(2)
        .says("unknown field `zones`");
    place.write(
        "exports/coinfold.toml",
        "[[file]]\npath = \"2024\"\nzone = \"Mars\"\n",
    );
    place
        .run(&["convert", "exports", "-o", "ledger.csv"])
        .ends_with(2)
        .says("`Mars` is no zone");
}

#[test]
fn a_time_that_brings_its_own_zone_needs_none_from_the_person() {
    let place = Workplace::with(&[
        (
            "shop.csv",
            "When,Got,Paid out\n2024-03-30T12:00:00+02:00,0.5 BTC,\n2024-03-30 13:00:00,0.25 BTC,\n",
        ),
        (
            "formats/shop/moves.toml",
            "mapping = 1\nexchange = 'Shop'\nreport = 'Moves'\nhow_to_get = 'ask'\n[columns]\ntime = { header = 'When', type = 'time', formats = ['iso'], zone = 'local' }\ngot = { header = 'Got', type = 'money' }\nout = { header = 'Paid out', type = 'money' }\n[defaults]\naccount = 'Shop'\n[[rule]]\nkind = 'deposit'\nin = 'got'\n",
        ),
    ]);
    let told = place
        .run(&["convert", "shop.csv", "-o", "ledger.csv"])
        .ends_with(4)
        .says("--zone");
    assert!(told.stderr.contains("shop.csv:3"), "{}", told.stderr);
    let ledger = read_ledger(&place.text("ledger.csv"));
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].time, "2024-03-30T10:00:00Z");
}

#[test]
fn a_cell_behind_the_header_can_be_named() {
    let mapping = |column: &str| {
        format!(
            "mapping = 1\nexchange = 'Old'\nreport = 'Moves'\nhow_to_get = 'ask'\n[columns]\ntime = {{ header = 'Time', type = 'time', formats = ['iso'], zone = 'UTC' }}\ngot = {{ header = 'Got', type = 'amount' }}\n{column}[defaults]\naccount = 'Old'\n[[rule]]\nkind = 'deposit'\nin = \"got coin\"\n"
        )
    };
    let place = Workplace::with(&[(
        "old.csv",
        "Time,Got\n2018-03-30 12:00:00,0.5,BTC\n2018-03-30 12:00:00,0.5,ETH\n",
    )]);
    place.write(
        "formats/old/moves.toml",
        mapping("coin = { at = 3, type = 'asset', optional = true }\n"),
    );
    let ledger = place.converts(0, &["old.csv"]);
    assert_eq!(
        ledger.iter().map(|line| line.short()).collect::<Vec<_>>(),
        ["deposit 0.5 BTC", "deposit 0.5 ETH"]
    );
    place.write("old.csv", "Time,Got\n2018-03-30 12:00:00,0.5,BTC,more\n");
    place
        .run(&["convert", "old.csv", "-o", "ledger.csv"])
        .ends_with(4)
        .says("the row has 4 cells");
}
