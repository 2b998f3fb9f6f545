//! What a conversion makes of the rows: the cases that a ledger stands or falls with.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rust_decimal::Decimal;
use support::*;

fn fill(id: &str) -> String {
    us_fill(
        "2023-05-04 03:02:01.5",
        "Buy",
        id,
        "ADA 150",
        "USD 60",
        "60",
        "BNB 0.0002",
    )
}

fn sample(name: &str) -> String {
    fs::read_to_string(samples().join(name)).unwrap()
}

fn rows_of(ledger: &[Line], line: u64) -> Vec<String> {
    ledger
        .iter()
        .filter(|leg| leg.line == line)
        .map(Line::short)
        .collect()
}

// --- single exports -------------------------------------------------------------------------------------------------

#[test]
fn three_byte_equal_fills_in_one_second_all_survive_as_three_events() {
    let place = Workplace::with(&[("us.csv", &export(US, &[fill("1"), fill("1"), fill("1")]))]);
    let ledger = place.converts(0, &["us.csv"]);
    assert_eq!(events(&ledger), 3);
    assert_eq!(
        sums(&ledger)[&("Binance.US".into(), "ADA".into())],
        Decimal::from(450)
    );
    assert_eq!(
        ledger.iter().map(|leg| leg.line).collect::<BTreeSet<_>>(),
        BTreeSet::from([2, 3, 4])
    );
    // The shipped sample has such fills too, on lines 6 to 8.
    place.write(
        "sample.csv",
        sample("binance_us/transactions/2019_underscores.csv"),
    );
    let ledger = place.converts(0, &["sample.csv"]);
    for line in 6..=8 {
        assert_eq!(
            rows_of(&ledger, line),
            [
                "trade 150 ADA",
                "trade -101.25 USD",
                "trade -0.00079513 BNB fee"
            ]
        );
    }
}

#[test]
fn three_equal_fills_of_a_statement_are_one_event_with_all_their_legs() {
    let rows: Vec<String> = (0..3)
        .flat_map(|_| {
            let time = "2021-03-01 09:30:02";
            [
                statement(time, "Buy", "BTC", "0.00512"),
                statement(time, "Buy", "EUR", "-207.36"),
                statement(time, "Fee", "BTC", "-0.00000512"),
            ]
        })
        .collect();
    let place = Workplace::with(&[("statement.csv", &export(STATEMENT, &rows))]);
    let ledger = place.converts(0, &["statement.csv"]);
    assert_eq!((events(&ledger), ledger.len()), (1, 9));
    let sums = sums(&ledger);
    assert_eq!(
        sums[&("Binance/Spot".into(), "BTC".into())],
        "0.01534464".parse().unwrap()
    );
    assert_eq!(
        sums[&("Binance/Spot".into(), "EUR".into())],
        "-622.08".parse().unwrap()
    );
}

#[test]
fn six_dust_rows_make_one_event_that_sums_exactly() {
    let dust = "Small assets exchange BNB";
    let rows = [
        ("2021-04-18 11:40:09", "SNX", "-0.04410000"),
        ("2021-04-18 11:40:09", "BNB", "0.00158201"),
        ("2021-04-18 11:40:09", "USDT", "-0.77319142"),
        ("2021-04-18 11:40:10", "BNB", "0.00150833"),
        ("2021-04-18 11:40:10", "BTC", "-0.000000009999999999"),
        ("2021-04-18 11:40:10", "BNB", "0.00171950"),
    ];
    let text = export(
        STATEMENT,
        &rows.map(|(time, coin, change)| statement(time, dust, coin, change)),
    );
    let place = Workplace::with(&[("statement.csv", &text)]);
    let ledger = place.converts(0, &["statement.csv"]);
    assert_eq!((events(&ledger), ledger.len()), (1, 6));
    assert!(
        ledger
            .iter()
            .all(|leg| leg.kind == "trade" && leg.time == "2021-04-18T11:40:09Z"),
        "{ledger:?}"
    );
    let sums: BTreeMap<String, String> = sums(&ledger)
        .into_iter()
        .map(|((_, asset), sum)| (asset, sum.normalize().to_string()))
        .collect();
    let expected = [
        ("BNB", "0.00480984"),
        ("BTC", "-0.000000009999999999"),
        ("SNX", "-0.0441"),
        ("USDT", "-0.77319142"),
    ];
    assert_eq!(
        sums,
        expected
            .map(|(asset, sum)| (asset.to_owned(), sum.to_owned()))
            .into()
    );
}

#[test]
fn dust_without_bnb_is_rejected_as_a_whole_group() {
    let dust = "Small assets exchange BNB";
    let text = export(
        STATEMENT,
        &[
            statement("2021-04-18 11:40:09", dust, "SNX", "-0.0441"),
            statement("2021-04-18 11:40:09", dust, "USDT", "0.5"),
            statement("2021-04-18 11:40:30", "Deposit", "LTC", "3"),
        ],
    );
    let place = Workplace::with(&[("statement.csv", &text)]);
    let ledger = place.converts(4, &["statement.csv", "--rows", "rows.csv"]);
    assert_eq!(short(&ledger), ["deposit 3 LTC"]);
    let rows = place.fates("rows.csv");
    assert_eq!(
        rows.iter().map(|row| row.fate.as_str()).collect::<Vec<_>>(),
        ["rejected", "rejected", "used"]
    );
    assert!(
        rows[0].reason.contains("lines 2, 3") && rows[0].reason.contains("USDT"),
        "{}",
        rows[0].reason
    );
    assert_eq!(rows[0].reason, rows[1].reason);
    let rejected = place.text("ledger.rejected.csv");
    assert!(
        rejected.contains("SNX,-0.0441") && rejected.contains("USDT,0.5"),
        "{rejected}"
    );
}

#[test]
fn a_kraken_trade_keeps_the_fees_of_both_its_sides() {
    let text = export(
        KRAKEN,
        &[
            kraken(
                "LDDDD0-AAAAA-AAAAAA",
                "QDDDD0-AAAAA-AAAAAA",
                "2016-03-01 00:00:00",
                "deposit",
                "ZEUR",
                "1500.0000",
                "0.0000",
                "1500.0000",
            ),
            kraken(
                "LDDDD1-AAAAA-AAAAAA",
                "TDDDD1-AAAAA-AAAAAA",
                "2016-03-02 18:03:11",
                "trade",
                "ZEUR",
                "-400.1250",
                "0.6400",
                "1099.2350",
            ),
            kraken(
                "LDDDD2-AAAAA-AAAAAA",
                "TDDDD1-AAAAA-AAAAAA",
                "2016-03-02 18:03:11",
                "trade",
                "XXBT",
                "1.0432100000",
                "0.0016000000",
                "1.0416100000",
            ),
        ],
    );
    let place = Workplace::with(&[("kraken.csv", &text)]);
    let ledger = place.converts(0, &["kraken.csv"]);
    assert_eq!(
        short(&ledger[1..]),
        [
            "trade -400.125 EUR",
            "trade -0.64 EUR fee",
            "trade 1.04321 BTC",
            "trade -0.0016 BTC fee"
        ]
    );
    assert_eq!(events(&ledger), 2);
    assert!(
        ledger[1..]
            .iter()
            .all(|leg| leg.trade_id == "TDDDD1-AAAAA-AAAAAA")
    );
    // What the exchange says is left is what the ledger leaves.
    let sums = sums(&ledger);
    assert_eq!(
        sums[&("Kraken/spot".into(), "EUR".into())],
        "1099.2350".parse().unwrap()
    );
    assert_eq!(
        sums[&("Kraken/spot".into(), "BTC".into())],
        "1.04161".parse().unwrap()
    );
}

#[test]
fn a_pending_kraken_deposit_that_stands_twice_counts_once() {
    let text = export(
        KRAKEN,
        &[
            kraken(
                "",
                "QEEEE1-AAAAA-AAAAAA",
                "2016-03-01 09:14:22",
                "deposit",
                "ZEUR",
                "1500.0000",
                "0.0000",
                "",
            ),
            kraken(
                "LEEEE1-AAAAA-AAAAAA",
                "QEEEE1-AAAAA-AAAAAA",
                "2016-03-01 09:16:40",
                "deposit",
                "ZEUR",
                "1500.0000",
                "0.0000",
                "1500.0000",
            ),
        ],
    );
    let place = Workplace::with(&[("kraken.csv", &text)]);
    let ledger = place.converts(0, &["kraken.csv", "--rows", "rows.csv"]);
    assert_eq!(short(&ledger), ["deposit 1500 EUR"]);
    assert_eq!(ledger[0].line, 3, "the settled row is the one that counts");
    let rows = place.fates("rows.csv");
    assert_eq!(rows[0].fate, "skipped");
    assert!(rows[0].reason.contains("txid"), "{}", rows[0].reason);
}

#[test]
fn a_binance_us_sell_whose_dollar_amount_is_blank_takes_what_it_was_worth() {
    let text = export(
        US,
        &[us_fill(
            "2023-02-20 11:09:41",
            "Sell",
            "7001",
            "DOT 10.05",
            "USD ",
            "73.6665",
            "USD 0.0737",
        )],
    );
    let place = Workplace::with(&[("us.csv", &text)]);
    assert_eq!(
        short(&place.converts(0, &["us.csv"])),
        [
            "trade 73.6665 USD",
            "trade -10.05 DOT",
            "trade -0.0737 USD fee"
        ]
    );
    // For another quote the worth in dollars is no amount: the row cannot be understood.
    place.write("us.csv", text.replace(",USD,,", ",BTC,,"));
    let ledger = place.converts(4, &["us.csv"]);
    assert_eq!(ledger, []);
    assert!(place.text("ledger.rejected.csv").contains("7001"));
}

#[test]
fn a_negative_staking_reward_goes_out_and_is_no_income() {
    let reward = |id: &str, amount: &str| {
        us_move(
            "2023-04-11 06:00:00.05",
            "Distribution",
            "Staking Rewards",
            id,
            &format!("DOT {amount}"),
            "0.1",
            "",
        )
    };
    let place = Workplace::with(&[(
        "us.csv",
        &export(US, &[reward("1", "0.01733402"), reward("2", "-0.00190674")]),
    )]);
    let ledger = place.converts(0, &["us.csv"]);
    assert_eq!(
        short(&ledger),
        ["staking_reward 0.01733402 DOT", "fee -0.00190674 DOT"]
    );
    assert_eq!(
        sums(&ledger)[&("Binance.US".into(), "DOT".into())],
        "0.01542728".parse().unwrap()
    );
}

#[test]
fn lines_above_the_header_of_a_coinbase_export_are_no_rows() {
    let header = "Timestamp,Transaction Type,Asset,Quantity Transacted,Spot Price Currency,Spot Price at Transaction,Subtotal,Total (inclusive of fees),Fees,Notes";
    let row = r#"2021-06-03T12:00:51Z,Buy,ETH,0.50000000,EUR,2291.50,1145.75,1162.82,17.07,"Bought 0.5 ETH for €1,162.82 EUR""#;
    let preamble = "\"Use this list for your own records,\nit is no advice.\"\n\nTransactions\nUser,somebody@example.org,6f\n";
    let place = Workplace::with(&[
        ("with.csv", &format!("{preamble}{header}\n{row}\n")),
        ("without.csv", &format!("{header}\n{row}\n")),
    ]);
    let with = place.converts(0, &["with.csv"]);
    assert_eq!(
        short(&with),
        [
            "trade 0.5 ETH",
            "trade -1145.75 EUR",
            "trade -17.07 EUR fee"
        ]
    );
    assert_eq!(with[0].line, 7, "lines are counted as the person sees them");
    assert_eq!(
        without_places(&with),
        without_places(&place.converts(0, &["without.csv"]))
    );
    for name in ["2021_fees", "2018_address", "2024_id"] {
        let ledger = place.converts(
            0,
            &[samples()
                .join(format!("coinbase/transactions/{name}.csv"))
                .to_str()
                .unwrap()],
        );
        assert!(
            ledger.len() > 5
                && ledger
                    .iter()
                    .all(|leg| leg.format == "coinbase/transactions"),
            "{name}"
        );
    }
}

#[test]
fn an_unknown_operation_is_kept_as_unclassified_where_its_amounts_are_known() {
    let text = export(
        STATEMENT,
        &[
            statement("2024-03-05 00:01:37", "Deposit", "USDT", "19.05"),
            statement("2024-03-05 00:02:37", "Moon Party", "SOL", "0.0030"),
            statement("2024-03-05 00:03:37", "Moon Tax", "DOGE", "-50.5"),
        ],
    );
    let place = Workplace::with(&[("statement.csv", &text)]);
    let ledger = place.converts(4, &["statement.csv"]);
    assert_eq!(
        short(&ledger),
        [
            "deposit 19.05 USDT",
            "unclassified 0.003 SOL",
            "unclassified -50.5 DOGE"
        ]
    );
}

#[test]
fn an_unknown_operation_is_rejected_where_its_amounts_are_not_known() {
    let place = Workplace::with(&[("us.csv", &export(US, &[unknown_row()]))]);
    let ledger = place.converts(4, &["us.csv", "--rows", "rows.csv"]);
    assert_eq!(ledger, []);
    let rows = place.fates("rows.csv");
    assert_eq!(rows[0].fate, "rejected");
    assert!(
        rows[0].reason.contains("'Card'") && rows[0].reason.contains("'Purchase'"),
        "the reason names the words: {}",
        rows[0].reason
    );
    let sample = samples().join("coinbase/transactions/unknown_operation.csv");
    let ledger = place.converts(4, &[sample.to_str().unwrap()]);
    assert_eq!(
        short(&ledger),
        ["unclassified -0.31 AVAX", "unclassified 1.2046 AVAX"]
    );
}

#[test]
fn amounts_of_any_length_and_spelling_are_exact() {
    let rows = [
        (
            "1",
            "SHIB 123456789012345678.123456789012345678",
            "123456789012345678.123456789012345678",
        ),
        ("2", "BTC 8E-08", "0.00000008"),
        ("3", "BTC +1.500", "1.5"),
        ("4", "PEPE 0.000000000000000001", "0.000000000000000001"),
    ];
    let text = export(
        US,
        &rows.map(|(id, coin, _)| {
            us_move(
                "2023-01-01 00:00:00",
                "Deposit",
                "Crypto Deposit",
                id,
                coin,
                "1",
                "",
            )
        }),
    );
    let place = Workplace::with(&[("us.csv", &text)]);
    let ledger = place.converts(0, &["us.csv"]);
    assert_eq!(
        ledger
            .iter()
            .map(|leg| leg.amount.as_str())
            .collect::<Vec<_>>(),
        rows.map(|(_, _, written)| written)
    );
    // What is no number, or has more digits than are kept, is refused and never rounded.
    for wrong in [
        "1,5",
        "1.2.3",
        "0x10",
        "NaN",
        "1e400",
        "0.12345678901234567890123456789012345678901",
        "--5",
    ] {
        let text = export(
            US,
            &[us_move(
                "2023-01-01 00:00:00",
                "Deposit",
                "Crypto Deposit",
                "9",
                &format!("BTC \"{wrong}\""),
                "1",
                "",
            )],
        );
        place.write("us.csv", text);
        assert_eq!(
            place.converts(4, &["us.csv"]),
            [],
            "{wrong} is no exact amount"
        );
    }
}

#[test]
fn the_ledger_is_ordered_by_time_and_then_by_the_rows_of_the_files() {
    let deposit =
        |time: &str, id: &str| us_move(time, "Deposit", "USD Deposit", id, "USD 1", "1", "");
    let place = Workplace::with(&[
        (
            "b.csv",
            &export(
                US,
                &[
                    deposit("2023-01-02 00:00:00", "3"),
                    deposit("2023-01-01 00:00:00", "1"),
                ],
            ),
        ),
        (
            "a.csv",
            &export(
                US,
                &[
                    deposit("2023-01-02 00:00:00", "2"),
                    deposit("2023-01-01 23:59:59.999999999", "0"),
                ],
            ),
        ),
    ]);
    for arguments in [["a.csv", "b.csv"], ["b.csv", "a.csv"]] {
        let ledger = place.converts(0, &arguments);
        let order: Vec<&str> = ledger.iter().map(|leg| leg.trade_id.as_str()).collect();
        assert_eq!(order, ["1", "0", "2", "3"]);
        assert_eq!(ledger[1].time, "2023-01-01T23:59:59.999999999Z");
    }
}

// --- overlapping exports --------------------------------------------------------------------------------------------

fn year() -> String {
    export(
        US,
        &[
            us_move(
                "2023-01-02 08:00:00",
                "Deposit",
                "USD Deposit",
                "1",
                "USD 1000",
                "1000",
                "",
            ),
            fill("2"),
            fill("2"),
            fill("2"),
            us_fill(
                "2023-06-01 00:00:00",
                "Sell",
                "3",
                "ADA 100",
                "USD 40",
                "40",
                "USD 0.04",
            ),
            us_move(
                "2023-07-04 12:00:00",
                "Distribution",
                "Others",
                "4",
                "BNB 0.0041",
                "0.99",
                "\"a note, of\ntwo lines\"",
            ),
        ],
    )
}

/// The ledger of the year alone, and of the year with another file.
fn once_and_twice(other: &str, bytes: impl AsRef<[u8]>) -> (Vec<Line>, Vec<Line>, Vec<RowLine>) {
    let place = Workplace::with(&[("year.csv", &year())]);
    let once = place.converts(0, &["year.csv"]);
    place.write(other, bytes);
    let twice = place.converts(0, &["year.csv", other, "--rows", "rows.csv"]);
    (
        without_places(&once),
        without_places(&twice),
        place.fates("rows.csv"),
    )
}

#[track_caller]
fn assert_counts_once(other: &str, bytes: impl AsRef<[u8]>) {
    let (once, twice, rows) = once_and_twice(other, bytes);
    assert_same(
        &twice,
        &once,
        &format!("{other}: the same year twice is not the same as once"),
    );
    assert_eq!(
        rows.iter().filter(|row| row.fate == "duplicate").count(),
        6,
        "{other}: {rows:?}"
    );
}

#[test]
fn the_same_year_twice_is_the_same_ledger_as_once_whatever_the_name_and_the_packing() {
    assert_counts_once("another name.csv", year());
    assert_counts_once("another/folder/year.csv", year());
    assert_counts_once("year.csv.gz", gzip(year().as_bytes()));
    assert_counts_once("year.zip", zip(&[("reports/year.csv", year().as_bytes())]));
    assert_counts_once(
        "crlf.csv",
        year().replace('\n', "\r\n").replace("of\r\ntwo", "of\ntwo"),
    );
    assert_counts_once("wide.csv", utf16(&year(), true));
    assert_counts_once(
        "tabs.tsv",
        year()
            .replace("\"a note, of\ntwo lines\"", "\"a note; of\ntwo lines\"")
            .replace(',', "\t")
            .replace(';', ","),
    );
}

#[test]
fn the_same_year_with_the_other_generation_of_the_header_counts_once() {
    assert_counts_once("old_header.csv", year().replacen(US, US_OLD, 1));
}

#[test]
fn the_same_year_with_the_columns_in_another_order_counts_once() {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(year().as_bytes().to_vec().leak() as &[u8]);
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in reader.records() {
        let record = record.unwrap();
        writer.write_record(record.iter().rev()).unwrap();
    }
    assert_counts_once("reversed.csv", writer.into_inner().unwrap());
}

#[test]
fn a_kraken_export_with_a_later_header_counts_once() {
    let old = sample("kraken/ledgers/2013_ten_columns.csv");
    let mut with_wallet = String::new();
    for (nth, line) in old.lines().enumerate() {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.insert(
            7,
            if nth == 0 {
                "\"wallet\""
            } else {
                "\"spot / main\""
            },
        );
        with_wallet += &(cells.join(",") + "\n");
    }
    let place = Workplace::with(&[("2013.csv", &old), ("2022.csv", &with_wallet)]);
    let once = place.converts(0, &["2022.csv"]);
    let twice = place.converts(0, &["2013.csv", "2022.csv", "--rows", "rows.csv"]);
    assert_eq!(
        without_places(&twice),
        without_places(&once),
        "the rows that tell more are kept"
    );
    let rejected: Vec<RowLine> = place
        .fates("rows.csv")
        .into_iter()
        .filter(|row| row.fate == "rejected")
        .collect();
    assert_eq!(rejected, []);
    // Under other names, so that the files come in the other order, the same.
    place.write("a.csv", &with_wallet);
    let other_order = place.converts(0, &["2013.csv", "a.csv"]);
    assert_eq!(without_places(&other_order), without_places(&once));
}

#[test]
fn two_equal_rows_in_one_file_and_three_in_another_are_three() {
    let place = Workplace::with(&[
        ("a.csv", &export(US, &[fill("2"), fill("2")])),
        ("b.csv", &export(US, &[fill("2"), fill("2"), fill("2")])),
    ]);
    for arguments in [["a.csv", "b.csv"], ["b.csv", "a.csv"]] {
        let ledger = place.converts(0, &[&arguments[..], &["--rows", "rows.csv"]].concat());
        assert_eq!(events(&ledger), 3);
        assert_eq!(
            sums(&ledger)[&("Binance.US".into(), "ADA".into())],
            Decimal::from(450)
        );
        let fates: Vec<String> = place
            .fates("rows.csv")
            .iter()
            .map(|row| format!("{} {}", row.file, row.fate))
            .collect();
        assert_eq!(
            fates,
            [
                "a.csv duplicate",
                "a.csv duplicate",
                "b.csv used",
                "b.csv used",
                "b.csv used"
            ]
        );
    }
    // A third file with one of them changes nothing.
    place.write("c.csv", export(US, &[fill("2")]));
    assert_eq!(events(&place.converts(0, &["a.csv", "b.csv", "c.csv"])), 3);
}

#[test]
fn overlapping_months_join_without_gap_or_double() {
    let days: Vec<String> = (1..=28)
        .map(|day| {
            us_fill(
                &format!("2023-02-{day:02} 12:00:00"),
                "Buy",
                &format!("8{day:02}"),
                "ADA 1",
                "USD 0.4",
                "0.4",
                "USD 0.001",
            )
        })
        .collect();
    let place = Workplace::with(&[
        ("all.csv", &export(US, &days)),
        ("1.csv", &export(US, &days[..15])),
        ("2.csv", &export(US, &days[10..25])),
        ("3.csv", &export(US, &days[20..])),
    ]);
    let whole = place.converts(0, &["all.csv"]);
    let told = place
        .run(&["convert", "3.csv", "1.csv", "2.csv", "-o", "ledger.csv"])
        .ends_with(0);
    assert_eq!(
        without_places(&place.ledger("ledger.csv")),
        without_places(&whole)
    );
    told.says("10 duplicates (2023-02-11 … 2023-02-25)");
}

#[test]
fn one_unique_id_with_two_contents_is_a_conflict_and_both_rows_are_rejected() {
    let row = |amount: &str, balance: &str| {
        let kept = kraken(
            "LFFFF0-AAAAA-AAAAAA",
            "QFFFF0-AAAAA-AAAAAA",
            "2020-01-01 00:00:00",
            "deposit",
            "XLTC",
            "7",
            "0",
            "7",
        );
        export(
            KRAKEN,
            &[
                kept,
                kraken(
                    "LFFFF1-AAAAA-AAAAAA",
                    "QFFFF1-AAAAA-AAAAAA",
                    "2020-01-02 00:00:00",
                    "deposit",
                    "ZEUR",
                    amount,
                    "0",
                    balance,
                ),
            ],
        )
    };
    let place = Workplace::with(&[
        ("a.csv", &row("100.0000", "100.0000")),
        ("b.csv", &row("200.0000", "200.0000")),
    ]);
    for arguments in [["a.csv", "b.csv"], ["b.csv", "a.csv"]] {
        let ledger = place.converts(4, &[&arguments[..], &["--rows", "rows.csv"]].concat());
        assert_eq!(
            short(&ledger),
            ["deposit 7 LTC"],
            "the row that both tell alike stays, once"
        );
        let rows = place.fates("rows.csv");
        let rejected: Vec<&RowLine> = rows.iter().filter(|row| row.fate == "rejected").collect();
        assert_eq!(
            rejected
                .iter()
                .map(|row| (row.file.as_str(), row.line))
                .collect::<Vec<_>>(),
            [("a.csv", 3), ("b.csv", 3)]
        );
        assert!(
            rejected[0].reason.contains("conflict")
                && rejected[0].reason.contains("b.csv:3")
                && rejected[0].reason.contains("txid"),
            "{}",
            rejected[0].reason
        );
        assert!(
            rejected[1].reason.contains("a.csv:3"),
            "{}",
            rejected[1].reason
        );
        let rejected = place.text("ledger.rejected.csv");
        assert!(
            rejected.contains(",100.0000,") && rejected.contains(",200.0000,"),
            "both stand in the rejected file with their cells: {rejected}"
        );
    }
}

// --- groups that cross files ----------------------------------------------------------------------------------------

#[test]
fn a_group_whose_rows_lie_in_two_files_is_one_event() {
    let eur = kraken(
        "LGGGG1-AAAAA-AAAAAA",
        "TGGGG1-AAAAA-AAAAAA",
        "2020-12-31 23:59:59",
        "trade",
        "ZEUR",
        "-100",
        "0.16",
        "900",
    );
    let btc = kraken(
        "LGGGG2-AAAAA-AAAAAA",
        "TGGGG1-AAAAA-AAAAAA",
        "2021-01-01 00:00:00",
        "trade",
        "XXBT",
        "0.004",
        "0",
        "0.004",
    );
    let place = Workplace::with(&[
        ("2020.csv", &export(KRAKEN, std::slice::from_ref(&eur))),
        ("2021.csv", &export(KRAKEN, std::slice::from_ref(&btc))),
        ("all.csv", &export(KRAKEN, &[eur, btc])),
    ]);
    let whole = place.converts(0, &["all.csv"]);
    assert_eq!(
        short(&whole),
        ["trade -100 EUR", "trade -0.16 EUR fee", "trade 0.004 BTC"]
    );
    assert_eq!(events(&whole), 1);
    let split = place.converts(0, &["2021.csv", "2020.csv"]);
    assert_eq!(without_places(&split), without_places(&whole));
    assert_eq!(
        split
            .iter()
            .map(|leg| leg.file.as_str())
            .collect::<Vec<_>>(),
        ["2020.csv", "2020.csv", "2021.csv"]
    );
    assert_eq!(
        without_places(&place.converts(0, &["all.csv", "2020.csv", "2021.csv"])),
        without_places(&whole)
    );
    // Half of it alone has not the shape of a trade.
    assert_eq!(place.converts(4, &["2020.csv"]), []);
}

#[test]
fn rows_of_one_second_in_two_files_of_a_statement_are_one_event() {
    let rows = [
        statement("2021-03-01 09:30:02", "Buy", "BTC", "0.005"),
        statement("2021-03-01 09:30:02", "Buy", "EUR", "-200"),
        statement("2021-03-01 09:30:02", "Fee", "BTC", "-0.000005"),
    ];
    let place = Workplace::with(&[
        ("1.csv", &export(STATEMENT, &rows[..2])),
        ("2.csv", &export(STATEMENT, &rows[2..])),
        ("all.csv", &export(STATEMENT, &rows)),
    ]);
    let whole = place.converts(0, &["all.csv"]);
    assert_eq!(events(&whole), 1);
    assert_eq!(
        without_places(&place.converts(0, &["1.csv", "2.csv"])),
        without_places(&whole)
    );
}

#[test]
fn groups_of_two_accounts_are_never_mixed() {
    let eur = kraken(
        "LHHHH1-AAAAA-AAAAAA",
        "THHHH1-AAAAA-AAAAAA",
        "2020-12-31 23:59:59",
        "trade",
        "ZEUR",
        "-100",
        "0.16",
        "900",
    );
    let btc = kraken(
        "LHHHH2-AAAAA-AAAAAA",
        "THHHH1-AAAAA-AAAAAA",
        "2021-01-01 00:00:00",
        "trade",
        "XXBT",
        "0.004",
        "0",
        "0.004",
    );
    let place = Workplace::with(&[
        ("mine.csv", &export(KRAKEN, &[eur])),
        ("hers.csv", &export(KRAKEN, &[btc])),
    ]);
    let ledger = place.converts(4, &["mine.csv", "hers.csv", "--account", "Hers=hers.csv"]);
    assert_eq!(ledger, [], "half a trade in each account is no trade");
}

// --- ids ------------------------------------------------------------------------------------------------------------

fn id_of(ledger: &[Line], trade_id: &str) -> String {
    let ids: BTreeSet<&str> = ledger
        .iter()
        .filter(|leg| leg.trade_id == trade_id)
        .map(|leg| leg.event.as_str())
        .collect();
    assert_eq!(ids.len(), 1, "{trade_id} has the ids {ids:?}");
    ids.first().unwrap().to_string()
}

#[test]
fn event_ids_survive_another_name_a_wider_export_and_another_order_of_columns() {
    let sell = us_fill(
        "2023-06-01 00:00:00",
        "Sell",
        "3",
        "ADA 100",
        "USD 40",
        "40",
        "USD 0.04",
    );
    let alone = export(US, std::slice::from_ref(&sell));
    let place = Workplace::with(&[("alone.csv", &alone)]);
    let id = id_of(&place.converts(0, &["alone.csv"]), "3");
    // This id stands in the books of people who keep them: it may only change with a new version of the ledger.
    assert_eq!(id, GOLDEN_ROW, "the id of a row has changed");
    let mut reversed = String::new();
    for line in alone.lines() {
        reversed += &(line.split(',').rev().collect::<Vec<_>>().join(",") + "\n");
    }
    for (name, text) in [
        ("elsewhere/another name.csv", alone.as_str()),
        ("wider.csv", &year()),
        ("reversed.csv", &reversed),
    ] {
        place.write(name, text);
        assert_eq!(id_of(&place.converts(0, &[name]), "3"), id, "{name}");
        assert_eq!(
            id_of(&place.converts(0, &[name, "alone.csv"]), "3"),
            id,
            "{name} and alone.csv"
        );
    }
    // Another cell is another row.
    place.write("other.csv", alone.replace(",0.04,", ",0.05,"));
    assert_ne!(id_of(&place.converts(0, &["other.csv"]), "3"), id);
}

/// Ids that were given out.
const GOLDEN_ROW: &str = "1b0295b4fcb742cc";
const GOLDEN_GROUP: &str = "490c03f33f3f5921";

#[test]
fn the_id_of_a_group_does_not_depend_on_the_order_of_its_rows() {
    let rows = [
        statement("2021-03-01 09:30:02", "Buy", "BTC", "0.005"),
        statement("2021-03-01 09:30:02", "Buy", "EUR", "-200"),
        statement("2021-03-01 09:30:02", "Fee", "BTC", "-0.000005"),
    ];
    let place = Workplace::with(&[("statement.csv", &export(STATEMENT, &rows))]);
    let id = place.converts(0, &["statement.csv"])[0].event.clone();
    assert_eq!(id, GOLDEN_GROUP, "the id of a group has changed");
    let turned: Vec<String> = rows.iter().rev().cloned().collect();
    place.write("turned.csv", export(STATEMENT, &turned));
    assert_eq!(place.converts(0, &["turned.csv"])[0].event, id);
}

#[test]
fn equal_rows_have_ids_of_their_own_which_a_second_export_keeps() {
    let place = Workplace::with(&[
        ("a.csv", &export(US, &[fill("2"), fill("2"), fill("2")])),
        ("b.csv", &export(US, &[fill("1"), fill("2"), fill("2")])),
    ]);
    let ids = |ledger: &[Line]| {
        ledger
            .iter()
            .filter(|leg| leg.trade_id == "2")
            .map(|leg| leg.event.clone())
            .collect::<BTreeSet<_>>()
    };
    let three = ids(&place.converts(0, &["a.csv"]));
    let two = ids(&place.converts(0, &["b.csv"]));
    assert_eq!((three.len(), two.len()), (3, 2));
    assert!(two.is_subset(&three), "{two:?} {three:?}");
    assert_eq!(ids(&place.converts(0, &["a.csv", "b.csv"])), three);
}

#[test]
fn one_text_of_a_time_in_two_zones_is_two_events_with_two_ids() {
    let text = export(
        "User ID,Time,Account,Operation,Coin,Change,Remark",
        &["31557008,25-07-14 09:00:00,Spot,Deposit,LTC,3,".to_owned()],
    );
    let place = Workplace::with(&[("a(UTC+7).csv", &text), ("b.csv", &text)]);
    let ledger = place.converts(0, &["a(UTC+7).csv", "b.csv"]);
    assert_eq!(
        ledger
            .iter()
            .map(|leg| leg.time.as_str())
            .collect::<Vec<_>>(),
        ["2025-07-14T02:00:00Z", "2025-07-14T09:00:00Z"]
    );
    assert_ne!(ledger[0].event, ledger[1].event, "two events share one id");
}

#[test]
fn an_id_is_sixteen_hex_digits_and_no_two_events_share_one() {
    let place = Workplace::new();
    place
        .run(&[
            "convert",
            samples().to_str().unwrap(),
            "-o",
            "ledger.csv",
            "--account",
            "One",
        ])
        .ends_with(4);
    let ledger = place.ledger("ledger.csv");
    let mut places: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for leg in &ledger {
        assert!(
            leg.event.len() == 16
                && leg
                    .event
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)),
            "{}",
            leg.event
        );
        let known = places.entry(&leg.event).or_insert((&leg.time, &leg.format));
        assert_eq!(
            *known,
            (leg.time.as_str(), leg.format.as_str()),
            "two events have the id {}",
            leg.event
        );
    }
}

// --- all samples at once --------------------------------------------------------------------------------------------

#[test]
fn all_samples_at_once_are_recognised_and_the_proof_holds() {
    let place = Workplace::new();
    let told = place
        .run(&[
            "convert",
            samples().to_str().unwrap(),
            "-o",
            "ledger.csv",
            "--rows",
            "rows.csv",
            "--json",
        ])
        .ends_with(4);
    let json = told.json();
    let unknown: Vec<String> = json["problems"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|problem| problem["code"] == "unrecognised")
        .map(|problem| problem["message"].to_string() + &problem["file"].to_string())
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
    let rows = &json["rows"];
    let count = |key: &str| rows[key].as_u64().unwrap();
    assert_eq!(
        count("read"),
        count("used") + count("skipped") + count("duplicate") + count("rejected")
    );
    let fates = place.fates("rows.csv");
    assert_eq!(fates.len() as u64, count("read"));
    for fate in ["used", "skipped", "duplicate", "rejected"] {
        assert_eq!(
            fates.iter().filter(|row| row.fate == fate).count() as u64,
            count(fate),
            "{fate}"
        );
    }
    assert_eq!(
        place.ledger("ledger.csv").len() as u64,
        json["lines"].as_u64().unwrap()
    );
}

#[test]
fn a_row_that_cannot_be_read_takes_its_group_with_it() {
    let mapping = "mapping = 1\nexchange = 'Pairs'\nreport = 'Moves'\nhow_to_get = 'ask'\n[columns]\ntime = { header = 'Time', type = 'time', formats = ['iso'], zone = 'UTC' }\norder = 'Order'\nkind_of = { header = 'Type', type = 'choice' }\namount = { header = 'Amount', type = 'amount' }\ncoin = { header = 'Coin', type = 'asset' }\n[defaults]\naccount = 'Pairs'\n[[rule]]\nwhen = { kind_of = ['trade', 'fee'] }\nby = ['order']\nkind = 'trade'\nmove = 'amount coin'\nrole = { fee = \"kind_of == 'fee'\" }\n";
    let row = |nth: u32, order: &str, kind: &str, amount: &str, coin: &str| {
        format!("2024-01-01 00:00:{nth:02},{order},{kind},{amount},{coin}\n")
    };
    let text = "Time,Order,Type,Amount,Coin\n".to_owned()
        + &row(1, "A", "trade", "1", "BTC")
        + &row(1, "A", "trade", "-100", "USD")
        + &row(1, "A", "fee", "one", "USD")
        + &row(2, "B", "trade", "2", "BTC")
        + &row(2, "B", "trade", "-200", "USD");
    let place = Workplace::with(&[("pairs.csv", &text), ("formats/pairs/moves.toml", mapping)]);
    let ledger = place.converts(4, &["pairs.csv", "--rows", "rows.csv"]);
    // A trade without its fee would be wrong: the whole of it waits for the person.
    assert_eq!(
        ledger.iter().map(|line| line.short()).collect::<Vec<_>>(),
        ["trade 2 BTC", "trade -200 USD"]
    );
    let fates = place.fates("rows.csv");
    let rejected = fates.iter().filter(|row| row.fate == "rejected").count();
    assert_eq!(rejected, 3);
    assert!(
        fates[0].reason.contains("line 4, which belongs to them"),
        "{}",
        fates[0].reason
    );
}
