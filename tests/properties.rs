//! Laws that hold for every export: the ledger does not depend on threads, on chunks, on the order of files, on how an
//! export is split, or on how its text is encoded. The library is used in-process.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use coinfold::convert::{Options, Reading};
use coinfold::input::discover;
use coinfold::ledger::Period;
use coinfold::mapping::Library;
use coinfold::output::{Format, write_ledger, write_rows};
use proptest::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use rust_decimal::Decimal;
use support::*;

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::built_in);
static ONE_THREAD: LazyLock<ThreadPool> =
    LazyLock::new(|| ThreadPoolBuilder::new().num_threads(1).build().unwrap());
static FOUR_THREADS: LazyLock<ThreadPool> =
    LazyLock::new(|| ThreadPoolBuilder::new().num_threads(4).build().unwrap());

/// A ledger and the fates of its rows, as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    ledger: String,
    rows: String,
    breaks: usize,
}

fn fold(pool: &ThreadPool, paths: &[PathBuf], chunk_bytes: Option<usize>) -> Outcome {
    fold_within(pool, paths, chunk_bytes, None)
}

/// As `fold`, with so much memory for rows.
fn fold_within(
    pool: &ThreadPool,
    paths: &[PathBuf],
    chunk_bytes: Option<usize>,
    memory_bytes: Option<u64>,
) -> Outcome {
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    let discovery = discover(&paths).unwrap();
    assert!(discovery.problems.is_empty(), "{:?}", discovery.problems);
    let options = Options {
        chunk_bytes,
        memory_bytes,
        ..Options::default()
    };
    pool.install(|| {
        let mut folded = coinfold::fold(
            &discovery.sources,
            &LIBRARY,
            &options,
            Period::default(),
            &|_| (),
        )
        .unwrap();
        for (name, reading) in &folded.left_out {
            match reading {
                Reading::Failed(error) => panic!("{error}"),
                Reading::Unrecognised(..) => panic!("{name} is not recognised"),
                _ => {}
            }
        }
        let names = folded.ledger.name_texts();
        let (mut ledger, mut rows) = (Vec::new(), Vec::new());
        let (lines, sums) = write_ledger(
            &mut folded.ledger,
            &names,
            &*Format::Csv.layout(),
            &mut ledger,
            &|_| (),
        )
        .unwrap();
        assert_eq!(sums.failure, None);
        let differences = folded
            .ledger
            .totals_read(&names)
            .unwrap_or_else(|_| panic!("a sum does not fit"))
            .differences(&sums.totals());
        assert!(differences.is_empty(), "the proof fails: {differences:?}");
        write_rows(&folded.ledger, &mut rows).unwrap();
        let outcome = Outcome {
            ledger: String::from_utf8(ledger).unwrap(),
            rows: String::from_utf8(rows).unwrap(),
            breaks: folded.ledger.balances.breaks.len(),
        };
        assert_eq!(read_ledger(&outcome.ledger).len() as u64, lines);
        outcome
    })
}

fn plain(paths: &[PathBuf]) -> Outcome {
    fold(&FOUR_THREADS, paths, None)
}

/// The legs without the name of the file.
fn legs(outcome: &Outcome) -> Vec<Line> {
    read_ledger(&outcome.ledger)
        .into_iter()
        .map(|line| Line {
            file: String::new(),
            ..line
        })
        .collect()
}

/// The fates without the names of the files.
fn fates(outcome: &Outcome) -> Vec<RowLine> {
    let rows = csv::Reader::from_reader(outcome.rows.as_bytes())
        .into_deserialize()
        .map(Result::unwrap);
    rows.map(|row: RowLine| RowLine {
        file: String::new(),
        ..row
    })
    .collect()
}

// --- generated exports ----------------------------------------------------------------------------------------------

/// An export as it was thought out: rows of cells, with their times.
#[derive(Clone, Debug)]
struct Export {
    header: Vec<String>,
    rows: Vec<Row>,
    quote_all: bool,
    /// How many rows the mapping must understand.
    understood: usize,
    /// What the rows say that each account and asset has at the end; rows that cannot be understood not counted.
    sums: BTreeMap<(String, String), Decimal>,
}

#[derive(Clone, Debug)]
struct Row {
    second: u32,
    cells: Vec<String>,
}

impl Export {
    fn text(&self, rows: &[Row], line_end: &str) -> String {
        let mut text = String::new();
        let lines = std::iter::once(&self.header).chain(rows.iter().map(|row| &row.cells));
        for cells in lines {
            for (nth, cell) in cells.iter().enumerate() {
                if nth > 0 {
                    text.push(',');
                }
                if self.quote_all || cell.contains(['"', ',', '\n', '\r']) {
                    text.push_str(&format!("\"{}\"", cell.replace('"', "\"\"")));
                } else {
                    text.push_str(cell);
                }
            }
            text.push_str(line_end);
        }
        text
    }

    fn whole(&self) -> String {
        self.text(&self.rows, "\n")
    }

    /// Parts between places at which the second changes: what an exchange gives for a part of the time.
    fn cuts(&self) -> Vec<usize> {
        (1..self.rows.len())
            .filter(|at| self.rows[*at].second != self.rows[at - 1].second)
            .collect()
    }
}

fn instant(second: u32) -> String {
    format!(
        "2023-03-{:02} {:02}:{:02}:{:02}",
        1 + second / 86_400,
        second / 3600 % 24,
        second / 60 % 60,
        second % 60
    )
}

/// Few seconds, so that many rows share one; and some far away.
fn second() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0u32..12, 1 => 0u32..2_000_000]
}

/// Notes with all that makes a cell difficult.
fn note() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\n"),
        Just("\r\n"),
        Just("\""),
        Just(","),
        Just(";"),
        Just("\t"),
        Just("|"),
        Just("a note"),
        Just("ünï"),
        Just("₿ 日本"),
        Just("🪙"),
        Just("'"),
        Just("\"\",\n\""),
        Just("2023-03-01"),
    ];
    prop_oneof![2 => Just(String::new()), 1 => prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())]
}

/// A positive amount and how it is written: with padding zeros or without.
fn amount() -> impl Strategy<Value = (Decimal, String)> {
    (1i64..1_000_000_000, 0u32..9, 0usize..3).prop_map(|(mantissa, scale, zeros)| {
        let amount = Decimal::new(mantissa, scale);
        let padding = if scale > 0 {
            "0".repeat(zeros)
        } else {
            String::new()
        };
        (amount, format!("{amount}{padding}"))
    })
}

fn asset() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["BTC", "ETH", "ADA", "USDT", "SHIB"])
}

#[derive(Clone, Debug)]
enum UsRow {
    Fill {
        buy: bool,
        base: &'static str,
        base_qty: (Decimal, String),
        quote_qty: (Decimal, String),
        fee: Option<(Decimal, String)>,
    },
    Deposit {
        coin: &'static str,
        qty: (Decimal, String),
    },
    Withdrawal {
        coin: &'static str,
        qty: (Decimal, String),
        fee: (Decimal, String),
    },
    /// Not known, with a sign: unclassified.
    Distribution {
        coin: &'static str,
        qty: (Decimal, String),
        out: bool,
    },
    /// Not known, without a sign: rejected.
    Unknown {
        coin: &'static str,
        qty: (Decimal, String),
    },
    /// An amount that is none.
    Broken { coin: &'static str },
}

fn us_row() -> impl Strategy<Value = UsRow> {
    prop_oneof![
        6 => (any::<bool>(), asset(), amount(), amount(), prop::option::of(amount()))
            .prop_map(|(buy, base, base_qty, quote_qty, fee)| UsRow::Fill { buy, base, base_qty, quote_qty, fee }),
        2 => (asset(), amount()).prop_map(|(coin, qty)| UsRow::Deposit { coin, qty }),
        2 => (asset(), amount(), amount()).prop_map(|(coin, qty, fee)| UsRow::Withdrawal { coin, qty, fee }),
        1 => (asset(), amount(), any::<bool>()).prop_map(|(coin, qty, out)| UsRow::Distribution { coin, qty, out }),
        1 => (asset(), amount()).prop_map(|(coin, qty)| UsRow::Unknown { coin, qty }),
        1 => asset().prop_map(|coin| UsRow::Broken { coin }),
    ]
}

fn us_export() -> impl Strategy<Value = Export> {
    let row = (
        us_row(),
        second(),
        note(),
        0u32..40,
        prop_oneof![5 => Just(1usize), 1 => 2usize..4],
    );
    (
        prop::collection::vec(row, 1..40),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(mut drawn, old_header, quote_all)| {
            drawn.sort_by_key(|(_, second, ..)| *second);
            let mut rows = Vec::new();
            let mut understood = 0;
            let mut sums: BTreeMap<(String, String), Decimal> = BTreeMap::new();
            for (row, second, note, id, copies) in drawn {
                let mut cells = vec![String::new(); 21];
                cells[0] = "20044518".into();
                cells[1] = instant(second);
                cells[5] = format!("{id}");
                cells[18] = "Wallet".into();
                cells[20] = note;
                let mut put = |at: usize, text: &str| cells[at] = text.to_owned();
                let mut moves: Vec<(&str, Decimal)> = Vec::new();
                match &row {
                    UsRow::Fill {
                        buy,
                        base,
                        base_qty,
                        quote_qty,
                        fee,
                    } => {
                        put(2, "Spot Trading");
                        put(3, if *buy { "Buy" } else { "Sell" });
                        put(9, base);
                        put(10, &base_qty.1);
                        put(12, "USD");
                        put(13, &quote_qty.1);
                        let sign = if *buy {
                            Decimal::ONE
                        } else {
                            Decimal::NEGATIVE_ONE
                        };
                        moves.extend([(*base, base_qty.0 * sign), ("USD", quote_qty.0 * -sign)]);
                        if let Some(fee) = fee {
                            put(15, "BNB");
                            put(16, &fee.1);
                            moves.push(("BNB", -fee.0));
                        }
                    }
                    UsRow::Deposit { coin, qty } => {
                        put(2, "Deposit");
                        put(3, "Crypto Deposit");
                        put(6, coin);
                        put(7, &qty.1);
                        moves.push((coin, qty.0));
                    }
                    UsRow::Withdrawal { coin, qty, fee } => {
                        put(2, "Withdrawal");
                        put(3, "Crypto Withdrawal");
                        put(6, coin);
                        put(7, &qty.1);
                        put(15, coin);
                        put(16, &fee.1);
                        moves.extend([(*coin, -qty.0), (*coin, -fee.0)]);
                    }
                    UsRow::Distribution { coin, qty, out } => {
                        put(2, "Distribution");
                        put(3, "Moon Party");
                        put(6, coin);
                        put(7, &format!("{}{}", if *out { "-" } else { "" }, qty.1));
                        moves.push((coin, if *out { -qty.0 } else { qty.0 }));
                    }
                    UsRow::Unknown { coin, qty } => {
                        put(2, "Card");
                        put(3, "Purchase");
                        put(6, coin);
                        put(7, &qty.1);
                    }
                    UsRow::Broken { coin } => {
                        put(2, "Deposit");
                        put(3, "Crypto Deposit");
                        put(6, coin);
                        put(7, "1.2.3");
                    }
                }
                for _ in 0..copies {
                    understood += usize::from(!moves.is_empty());
                    for (coin, qty) in &moves {
                        *sums
                            .entry(("Binance.US".to_owned(), (*coin).to_owned()))
                            .or_default() += qty;
                    }
                    rows.push(Row {
                        second,
                        cells: cells.clone(),
                    });
                }
            }
            let header = if old_header { US_OLD } else { US };
            Export {
                header: header.split(',').map(str::to_owned).collect(),
                rows,
                quote_all,
                understood,
                sums,
            }
        })
}

#[derive(Clone, Debug)]
enum KrakenEvent {
    Trade {
        sold: &'static str,
        bought: &'static str,
        sold_qty: i64,
        bought_qty: i64,
        fees: (i64, i64),
    },
    Deposit {
        coin: &'static str,
        qty: i64,
        pending: bool,
    },
    Withdrawal {
        coin: &'static str,
        qty: i64,
        fee: i64,
    },
    Stake {
        qty: i64,
    },
    Unknown {
        coin: &'static str,
        qty: i64,
    },
}

/// What is known of a row before its balance is: second, reference, type, subtype, code, amount, fee, pending.
type Booked = (
    u32,
    String,
    &'static str,
    &'static str,
    &'static str,
    i64,
    i64,
    bool,
);

fn kraken_event() -> impl Strategy<Value = KrakenEvent> {
    let code = || {
        prop::sample::select(vec![
            ("XXBT", "ZEUR"),
            ("XETH", "ZUSD"),
            ("DOT", "XXBT"),
            ("ZEUR", "XETH"),
        ])
    };
    let qty = || 1i64..90_000_000;
    prop_oneof![
        4 => (code(), qty(), qty(), (0i64..500, 0i64..500)).prop_map(|((bought, sold), sold_qty, bought_qty, fees)| KrakenEvent::Trade { sold, bought, sold_qty, bought_qty, fees }),
        2 => (code(), qty(), any::<bool>()).prop_map(|((coin, _), qty, pending)| KrakenEvent::Deposit { coin, qty, pending }),
        1 => (code(), qty(), 0i64..500).prop_map(|((_, coin), qty, fee)| KrakenEvent::Withdrawal { coin, qty, fee }),
        1 => qty().prop_map(|qty| KrakenEvent::Stake { qty }),
        1 => (code(), -50_000i64..50_000).prop_map(|((coin, _), qty)| KrakenEvent::Unknown { coin, qty: if qty == 0 { 1 } else { qty } }),
    ]
}

fn kraken_export() -> impl Strategy<Value = Export> {
    let event = (kraken_event(), second(), 0u32..3);
    (
        prop::collection::vec(event, 1..25),
        any::<bool>(),
        any::<bool>(),
        0u32..1000,
    )
        .prop_map(|(drawn, newest_first, quote_all, number)| {
            let header: Vec<String> = KRAKEN
                .replace('"', "")
                .split(',')
                .map(str::to_owned)
                .collect();
            let mut booked: Vec<Booked> = Vec::new();
            for (nth, (event, second, later)) in drawn.into_iter().enumerate() {
                let refid = format!("R{number:04}-{nth:05}");
                let mut book = |second: u32, kind, subtype, code, amount, fee, pending| {
                    booked.push((
                        second,
                        refid.clone(),
                        kind,
                        subtype,
                        code,
                        amount,
                        fee,
                        pending,
                    ))
                };
                match event {
                    KrakenEvent::Trade {
                        sold,
                        bought,
                        sold_qty,
                        bought_qty,
                        fees,
                    } => {
                        book(second, "trade", "", sold, -sold_qty, fees.0, false);
                        // The second row may come later, between rows of other trades.
                        book(
                            second + later,
                            "trade",
                            "",
                            bought,
                            bought_qty,
                            fees.1.min(bought_qty),
                            false,
                        );
                    }
                    KrakenEvent::Deposit { coin, qty, pending } => {
                        if pending {
                            book(second, "deposit", "", coin, qty, 0, true);
                        }
                        book(second + later, "deposit", "", coin, qty, 0, false);
                    }
                    KrakenEvent::Withdrawal { coin, qty, fee } => {
                        book(second, "withdrawal", "", coin, -qty, fee, false)
                    }
                    KrakenEvent::Stake { qty } => {
                        book(second, "transfer", "spottostaking", "DOT", -qty, 0, false);
                        book(
                            second + later,
                            "transfer",
                            "stakingfromspot",
                            "DOT.S",
                            qty,
                            0,
                            false,
                        );
                    }
                    KrakenEvent::Unknown { coin, qty } => {
                        book(second, "moonshot", "", coin, qty, 0, false)
                    }
                }
            }
            booked.sort_by_key(|row| row.0);
            let decimal = |mantissa: i64| Decimal::new(mantissa, 5).to_string();
            let mut balances: BTreeMap<&str, i64> = BTreeMap::new();
            let mut rows = Vec::new();
            let mut understood = 0;
            for (nth, (second, refid, kind, subtype, code, amount, fee, pending)) in
                booked.into_iter().enumerate()
            {
                let balance = if pending {
                    String::new()
                } else {
                    understood += 1;
                    let balance = balances.entry(code).or_default();
                    *balance += amount - fee;
                    decimal(*balance)
                };
                let txid = if pending {
                    String::new()
                } else {
                    format!("L{number:04}-{nth:05}")
                };
                let cells = [
                    &txid,
                    &refid,
                    &instant(second),
                    kind,
                    subtype,
                    "currency",
                    code,
                    &decimal(amount),
                    &decimal(fee),
                    &balance,
                ];
                rows.push(Row {
                    second,
                    cells: cells.map(str::to_owned).to_vec(),
                });
            }
            let places = [
                ("XXBT", "spot", "BTC"),
                ("ZEUR", "spot", "EUR"),
                ("XETH", "spot", "ETH"),
                ("ZUSD", "spot", "USD"),
                ("DOT", "spot", "DOT"),
                ("DOT.S", "spot/S", "DOT"),
            ];
            let mut sums = BTreeMap::new();
            for (code, balance) in balances {
                let (_, place, asset) = places.iter().find(|(known, ..)| *known == code).unwrap();
                sums.insert(
                    (format!("Kraken/{place}"), (*asset).to_owned()),
                    Decimal::new(balance, 5),
                );
            }
            if newest_first {
                rows.reverse();
            }
            Export {
                header,
                rows,
                quote_all,
                understood,
                sums,
            }
        })
}

fn any_export() -> impl Strategy<Value = Export> {
    prop_oneof![us_export(), kraken_export()]
}

fn without_zeros(sums: BTreeMap<(String, String), Decimal>) -> BTreeMap<(String, String), Decimal> {
    sums.into_iter()
        .filter(|(_, sum)| !sum.is_zero())
        .map(|(place, sum)| (place, sum.normalize()))
        .collect()
}

/// Rows and legs are as they are in the plain file; only the name of the file is another.
fn assert_as_plain(found: &Outcome, expected: &Outcome) -> Result<(), TestCaseError> {
    prop_assert_eq!(legs(found), legs(expected));
    prop_assert_eq!(fates(found), fates(expected));
    prop_assert_eq!(found.breaks, expected.breaks);
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn the_ledger_has_what_the_rows_say_and_nothing_else(export in any_export()) {
        let place = Workplace::new();
        let outcome = plain(&[place.write("export.csv", export.whole())]);
        let found = read_ledger(&outcome.ledger);
        prop_assert_eq!(without_zeros(sums(&found)), without_zeros(export.sums.clone()));
        let rows = fates(&outcome);
        prop_assert_eq!(rows.len(), export.rows.len());
        prop_assert_eq!(rows.iter().filter(|row| row.fate == "used").count(), export.understood);
        prop_assert_eq!(outcome.breaks, 0);
        // Lines are those of the file as an editor shows it.
        let mut line = 2;
        for (row, thought) in rows.iter().zip(&export.rows) {
            prop_assert_eq!(row.line, line);
            line += 1 + thought.cells.iter().map(|cell| cell.matches('\n').count() as u64).sum::<u64>();
        }
    }

    #[test]
    fn one_thread_and_four_give_the_same_bytes(exports in prop::collection::vec(any_export(), 1..4), chunk_bytes in prop::option::of(16usize..2000)) {
        let place = Workplace::new();
        let paths: Vec<PathBuf> = exports.iter().enumerate().map(|(nth, export)| place.write(&format!("{nth}.csv"), export.whole())).collect();
        prop_assert_eq!(fold(&ONE_THREAD, &paths, chunk_bytes), fold(&FOUR_THREADS, &paths, chunk_bytes));
    }

    #[test]
    fn rows_that_are_put_aside_give_the_same_bytes(
        exports in prop::collection::vec(any_export(), 1..4), chunk_bytes in prop::option::of(16usize..2000), is_enough in any::<bool>(),
    ) {
        let place = Workplace::new();
        let paths: Vec<PathBuf> = exports.iter().enumerate().map(|(nth, export)| place.write(&format!("{nth}.csv"), export.whole())).collect();
        // Nothing stays in memory; or about half of it does.
        let memory_bytes = if is_enough { (48 << 20) + 4096 } else { 1 };
        let aside = fold_within(&FOUR_THREADS, &paths, chunk_bytes, Some(memory_bytes));
        prop_assert_eq!(aside, fold(&ONE_THREAD, &paths, chunk_bytes));
    }

    #[test]
    fn chunks_of_any_size_give_the_same_bytes(export in any_export(), chunk_bytes in prop_oneof![1usize..200, 200usize..6000]) {
        let place = Workplace::new();
        let paths = [place.write("export.csv", export.whole())];
        prop_assert_eq!(fold(&FOUR_THREADS, &paths, Some(chunk_bytes)), plain(&paths));
    }

    #[test]
    fn the_order_in_which_files_are_named_changes_nothing(
        exports in prop::collection::vec(any_export(), 2..4),
        copy in any::<bool>(),
        order in Just((0usize..5).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let place = Workplace::new();
        let mut paths: Vec<PathBuf> = exports.iter().enumerate().map(|(nth, export)| place.write(&format!("{nth}.csv"), export.whole())).collect();
        if copy {
            paths.push(place.write("copy/of the first.csv", exports[0].whole()));
        }
        let turned: Vec<PathBuf> = order.iter().filter_map(|at| paths.get(*at).cloned()).collect();
        prop_assert_eq!(plain(&turned), plain(&paths));
    }

    #[test]
    fn a_split_export_gives_the_ledger_of_the_whole_one(export in any_export(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..4)) {
        let place = Workplace::new();
        let possible = export.cuts();
        let mut ends: Vec<usize> = if possible.is_empty() { Vec::new() } else { cuts.iter().map(|cut| *cut.get(&possible)).collect() };
        ends.extend([0, export.rows.len()]);
        ends.sort_unstable();
        ends.dedup();
        let parts: Vec<PathBuf> = ends.windows(2).enumerate().map(|(nth, ends)| place.write(&format!("parts/{nth}.csv"), export.text(&export.rows[ends[0]..ends[1]], "\n"))).collect();
        let whole = plain(&[place.write("whole.csv", export.whole())]);
        let split = plain(&parts);
        prop_assert_eq!(without_places(&legs(&split)), without_places(&legs(&whole)));
        prop_assert_eq!(fates(&split).len(), export.rows.len());
    }

    #[test]
    fn an_export_split_with_overlap_gives_the_ledger_of_the_whole_one(export in any_export(), cuts in prop::array::uniform4(any::<prop::sample::Index>())) {
        let place = Workplace::new();
        let mut possible = export.cuts();
        possible.extend([0, export.rows.len()]);
        let mut at = cuts.map(|cut| *cut.get(&possible));
        at.sort_unstable();
        let all = export.rows.len();
        // Each part begins before the one above it ends.
        let parts: Vec<PathBuf> = [(0, at[1]), (at[0], at[3]), (at[2], all)].into_iter().enumerate()
            .map(|(nth, (start, end))| place.write(&format!("parts/{nth}.csv"), export.text(&export.rows[start..end], "\n")))
            .collect();
        let whole = plain(&[place.write("whole.csv", export.whole())]);
        let split = plain(&parts);
        prop_assert_eq!(without_places(&legs(&split)), without_places(&legs(&whole)));
        // Together with the whole export it is still the same.
        let with_whole = plain(&[&parts[..], &[place.path("whole.csv")]].concat());
        prop_assert_eq!(without_places(&legs(&with_whole)), without_places(&legs(&whole)));
    }

    #[test]
    fn line_ends_and_encodings_change_nothing(export in any_export(), chunk_bytes in prop::option::of(16usize..2000)) {
        let place = Workplace::new();
        let text = export.whole();
        let expected = plain(&[place.write("plain/export.csv", &text)]);
        let variants: [(&str, Vec<u8>); 8] = [
            ("crlf", export.text(&export.rows, "\r\n").into_bytes()),
            ("cr", export.text(&export.rows, "\r").into_bytes()),
            ("mark", format!("\u{feff}{text}").into_bytes()),
            ("utf-16le", utf16(&text, true)),
            ("utf-16be", utf16(&text, false)),
            ("utf-16le crlf", utf16(&export.text(&export.rows, "\r\n"), true)),
            ("no last line end", text.strip_suffix('\n').unwrap().as_bytes().to_vec()),
            ("gzip", gzip(text.as_bytes())),
        ];
        for (variant, bytes) in variants {
            let found = fold(&FOUR_THREADS, &[place.write(&format!("{variant}/export.csv"), bytes)], chunk_bytes);
            assert_as_plain(&found, &expected).map_err(|error| TestCaseError::fail(format!("{variant}: {error}")))?;
        }
    }
}

// --- samples --------------------------------------------------------------------------------------------------------

/// All shipped samples that are text, but those that are known for what they are only if the person says so.
fn sample_files() -> Vec<PathBuf> {
    let project = std::fs::read_to_string(samples().join("coinfold.toml")).unwrap();
    let project: toml::Table = project.parse().unwrap();
    let asked_for: Vec<PathBuf> = project["file"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| file.get("as").is_some())
        .map(|file| samples().join(file["path"].as_str().unwrap()))
        .collect();
    let mut found = Vec::new();
    let mut folders = vec![samples()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".csv")
                && !name.ends_with(".ledger.csv")
                && !name.ends_with(".rows.csv")
            {
                found.push(path);
            }
        }
    }
    found.retain(|path| !asked_for.contains(path));
    found.sort();
    assert!(found.len() > 100, "only {} samples were found", found.len());
    found
}

/// The text with CRLF at the end of its lines, but not within quotes.
fn with_crlf(text: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    let mut last = ' ';
    for character in text.chars() {
        quoted ^= character == '"';
        if character == '\n' && last != '\r' && !quoted {
            out.push('\r');
        }
        out.push(character);
        last = character;
    }
    out
}

/// Every sample in a variant gives what it gives plain. Its name stays, as a mapping may look at it.
fn every_sample_as(variant: impl Fn(&str) -> Vec<u8>, chunk_bytes: Option<usize>) {
    let place = Workplace::new();
    let mut wrong = Vec::new();
    for path in sample_files() {
        let Ok(text) = String::from_utf8(std::fs::read(&path).unwrap()) else {
            continue;
        };
        let text = text.trim_start_matches('\u{feff}');
        let name = Path::new("variant").join(path.strip_prefix(samples()).unwrap());
        let expected = plain(std::slice::from_ref(&path));
        let found = fold(
            &FOUR_THREADS,
            &[place.write(name.to_str().unwrap(), variant(text))],
            chunk_bytes,
        );
        if legs(&found) != legs(&expected)
            || fates(&found) != fates(&expected)
            || found.breaks != expected.breaks
        {
            wrong.push(path.strip_prefix(samples()).unwrap().display().to_string());
        }
    }
    assert!(
        wrong.is_empty(),
        "these samples give another ledger: {wrong:#?}"
    );
}

#[test]
fn every_sample_gives_the_same_ledger_in_utf_16_little_endian() {
    every_sample_as(|text| utf16(text, true), None);
}

#[test]
fn every_sample_gives_the_same_ledger_in_utf_16_big_endian() {
    every_sample_as(|text| utf16(text, false), None);
}

#[test]
fn every_sample_gives_the_same_ledger_with_crlf() {
    every_sample_as(|text| with_crlf(text).into_bytes(), None);
}

#[test]
fn every_sample_gives_the_same_ledger_with_and_without_a_byte_order_mark() {
    every_sample_as(|text| text.as_bytes().to_vec(), None);
    every_sample_as(|text| format!("\u{feff}{text}").into_bytes(), None);
}

#[test]
fn every_sample_gives_the_same_ledger_in_chunks_of_64_bytes() {
    every_sample_as(|text| text.as_bytes().to_vec(), Some(64));
    every_sample_as(|text| utf16(&with_crlf(text), true), Some(64));
}
