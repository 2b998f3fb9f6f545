//! What is written for a tool is read back by the mapping of that tool's own layout: every account has the same amount of
//! every asset again. Words that the tool does not have come back as others, and just as this file says.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rust_decimal::Decimal;
use support::{Line, Workplace, read_ledger, sums};

/// The ledgers that every target is shown with.
const LEDGERS: [&str; 2] = ["every_kind", "several_legs"];

/// A tool whose layout is read too.
struct Tool {
    target: &'static str,
    report: &'static str,
    /// What the person says when the files are read.
    said: &'static [&'static str],
    /// Which kinds come back as which others. With the side, because a word may be for one only.
    comes_back: &'static [(&'static str, &'static [&'static str])],
}

/// For every tool a transfer is two rows, and what has no meaning is a deposit or a withdrawal.
const TOOLS: [Tool; 6] = [
    Tool {
        target: "koinly",
        report: "koinly/template",
        said: &[],
        comes_back: &[
            ("adjustment in", &["deposit"]),
            ("adjustment out", &["withdrawal"]),
            ("burn out", &["lost"]),
            // no deposit may have a fee: it is a row of its own
            ("deposit in", &["deposit", "payment"]),
            ("fee out", &["payment"]),
            ("funding in", &["realized_pnl"]),
            ("funding out", &["fee"]),
            ("gift_received in", &["deposit"]),
            ("interest out", &["fee"]),
            ("liquidation both", &["trade"]),
            ("referral_bonus in", &["staking_reward"]),
            ("stolen out", &["lost"]),
            // a second fee, and a fee that comes back, are rows of their own
            ("trade both", &["fee_rebate", "payment", "trade"]),
            ("transfer both", &["deposit", "withdrawal"]),
            ("unclassified in", &["deposit"]),
            ("unclassified out", &["withdrawal"]),
        ],
    },
    Tool {
        target: "cointracking",
        report: "cointracking/template",
        said: &["--zone", "UTC"],
        comes_back: &[
            ("adjustment in", &["income"]),
            ("adjustment out", &["payment"]),
            ("burn out", &["payment"]),
            ("cashback in", &["referral_bonus"]),
            // a deposit is not changed by its fee
            ("deposit in", &["deposit", "fee"]),
            ("fee_rebate in", &["referral_bonus"]),
            ("fork in", &["airdrop"]),
            ("funding in", &["realized_pnl"]),
            ("funding out", &["fee"]),
            ("liquidation both", &["trade"]),
            ("loan in", &["deposit"]),
            ("loan_repayment out", &["withdrawal"]),
            // a fee in a third coin, and a fee that comes back, are rows of their own
            ("trade both", &["fee", "referral_bonus", "trade"]),
            ("transfer both", &["deposit", "withdrawal"]),
            ("unclassified in", &["deposit"]),
            ("unclassified out", &["withdrawal"]),
        ],
    },
    Tool {
        target: "cointracker",
        report: "cointracker/template",
        said: &[],
        comes_back: &[
            ("adjustment in", &["deposit"]),
            ("adjustment out", &["withdrawal"]),
            ("burn out", &["lost"]),
            ("cashback in", &["income"]),
            ("fee out", &["withdrawal"]),
            ("fee_rebate in", &["income"]),
            ("funding in", &["fee_rebate"]),
            ("funding out", &["fee"]),
            ("interest in", &["income"]),
            ("interest out", &["withdrawal"]),
            ("liquidation both", &["trade"]),
            ("loan in", &["deposit"]),
            ("loan_repayment out", &["withdrawal"]),
            ("payment out", &["withdrawal"]),
            ("referral_bonus in", &["income"]),
            ("stolen out", &["lost"]),
            ("trade both", &["income", "trade", "withdrawal"]),
            ("transfer both", &["deposit", "withdrawal"]),
            ("unclassified in", &["deposit"]),
            ("unclassified out", &["withdrawal"]),
        ],
    },
    Tool {
        target: "coinledger",
        report: "coinledger/template",
        said: &[],
        comes_back: &[
            ("adjustment in", &["deposit"]),
            ("adjustment out", &["withdrawal"]),
            ("burn out", &["lost"]),
            ("cashback in", &["income"]),
            ("fee out", &["payment"]),
            ("fee_rebate in", &["income"]),
            ("funding in", &["income"]),
            ("funding out", &["interest"]),
            ("liquidation both", &["trade"]),
            ("loan in", &["deposit"]),
            ("loan_repayment out", &["withdrawal"]),
            ("realized_pnl in", &["income"]),
            ("realized_pnl out", &["lost"]),
            ("referral_bonus in", &["income"]),
            ("trade both", &["income", "payment", "trade"]),
            ("transfer both", &["deposit", "withdrawal"]),
            ("unclassified in", &["deposit"]),
            ("unclassified out", &["withdrawal"]),
        ],
    },
    Tool {
        target: "bittytax",
        report: "bittytax/records",
        said: &[],
        comes_back: &[
            ("adjustment in", &["deposit"]),
            ("adjustment out", &["withdrawal"]),
            ("burn out", &["lost"]),
            ("fee out", &["payment"]),
            ("funding in", &["fee_rebate"]),
            ("funding out", &["fee"]),
            ("liquidation both", &["trade"]),
            ("stolen out", &["lost"]),
            ("trade both", &["fee_rebate", "payment", "trade"]),
            ("transfer both", &["deposit", "withdrawal"]),
            ("unclassified in", &["deposit"]),
            ("unclassified out", &["withdrawal"]),
        ],
    },
    // Our own layout loses nothing.
    Tool {
        target: "transactions",
        report: "coinfold/transactions",
        said: &[],
        comes_back: &[],
    },
];

/// What was written for a tool, read back. Nothing of it may be left over.
fn back(tool: &Tool, ledger: &str) -> Vec<Line> {
    let place = Workplace::with(&[("history.csv", ledger)]);
    let to = ["--to", tool.target, "--allow-rejected", "-q"];
    let mut written = [&["convert", "history.csv", "-o", "upload.csv"], &to[..]].concat();
    if !tool.comes_back.is_empty() {
        written.push("--lossy");
    }
    place.run(&written).ends_with(0);
    let uploads: Vec<String> = place
        .names()
        .into_iter()
        .filter(|name| name.starts_with("upload."))
        .collect();
    // A file for each account says only in its name whose it is.
    let accounts: BTreeSet<String> = read_ledger(ledger)
        .into_iter()
        .map(|line| line.account)
        .collect();
    let of_accounts: Vec<String> = accounts
        .iter()
        .map(|account| (account, format!("upload.{}.csv", account.replace('/', "-"))))
        .filter(|(_, file)| uploads.contains(file))
        .map(|(account, file)| format!("--account={account}={file}"))
        .collect();
    assert_eq!(
        of_accounts.len().max(1),
        uploads.len(),
        "{}: {uploads:?}",
        tool.target
    );
    let read: Vec<&str> = ["convert", "-o", "back.csv", "--rows", "rows.csv", "-q"]
        .into_iter()
        .chain(["--allow-rejected"])
        .chain(tool.said.iter().copied())
        .chain(of_accounts.iter().map(String::as_str))
        .chain(uploads.iter().map(String::as_str))
        .collect();
    place.run(&read).ends_with(0);
    for row in place.fates("rows.csv") {
        assert_eq!(row.fate, "used", "{}: {row:?}", tool.target);
    }
    let back = place.ledger("back.csv");
    for line in &back {
        assert_eq!(line.format, tool.report);
    }
    back
}

/// Codes that the target writes otherwise: the code there, and ours.
fn renamed(target: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("targets/{target}.toml"));
    let Ok(text) = std::fs::read_to_string(path) else {
        return BTreeMap::new();
    };
    let document: toml::Table = text.parse().unwrap();
    document
        .get("assets")
        .and_then(|assets| assets.get("rename"))
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
        .map(|(code, name)| (name.as_str().unwrap().to_owned(), code.clone()))
        .collect()
}

/// What each account has of each asset, without what it has none of.
fn holdings(lines: &[Line]) -> BTreeMap<(String, String), Decimal> {
    let mut holdings = sums(lines);
    holdings.retain(|_, sum| !sum.is_zero());
    holdings
}

/// Times to the second: none of the tools has more.
fn second(line: &Line) -> String {
    line.time
        .chars()
        .take("2024-01-01T00:00:00".len())
        .collect()
}

/// `KIND SIDE` of each event by its time; in the ledgers here no two events have the same.
fn kinds_by_time(ledger: &[Line]) -> BTreeMap<String, String> {
    let mut events: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in ledger {
        events.entry(&line.event).or_default().push(line);
    }
    let count = events.len();
    let kinds: BTreeMap<String, String> = events
        .into_values()
        .map(|legs| {
            let is = |sign: fn(&Decimal) -> bool| {
                legs.iter()
                    .any(|leg| leg.role == "main" && sign(&leg.decimal()))
            };
            let side = match (is(Decimal::is_sign_positive), is(Decimal::is_sign_negative)) {
                (true, true) => "both",
                (true, false) => "in",
                _ => "out",
            };
            (second(legs[0]), format!("{} {side}", legs[0].kind))
        })
        .collect();
    assert_eq!(kinds.len(), count, "two events have the same time");
    kinds
}

fn ledgers() -> impl Iterator<Item = String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/samples");
    LEDGERS.iter().map(move |name| {
        std::fs::read_to_string(folder.join(format!("{name}.ledger.csv"))).unwrap()
    })
}

#[test]
fn every_account_has_what_it_had() {
    for tool in &TOOLS {
        let names = renamed(tool.target);
        for ledger in ledgers() {
            let mut back = back(tool, &ledger);
            for line in &mut back {
                if let Some(code) = names.get(&line.asset) {
                    line.asset.clone_from(code);
                }
            }
            assert_eq!(
                holdings(&back),
                holdings(&read_ledger(&ledger)),
                "{}",
                tool.target
            );
        }
    }
}

#[test]
fn kinds_come_back_as_the_table_says() {
    for tool in &TOOLS {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for ledger in ledgers() {
            let mut returned: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for line in back(tool, &ledger) {
                returned.entry(second(&line)).or_default().insert(line.kind);
            }
            for (time, kind) in kinds_by_time(&read_ledger(&ledger)) {
                let kinds = returned
                    .remove(&time)
                    .unwrap_or_else(|| panic!("{}: {kind} of {time} is lost", tool.target));
                found.entry(kind).or_default().extend(kinds);
            }
            assert!(returned.is_empty(), "{}: {returned:?}", tool.target);
        }
        found.retain(|kind, kinds| {
            let own = kind.split(' ').next().unwrap();
            !kinds.iter().eq([own])
        });
        let expected: BTreeMap<String, BTreeSet<String>> = tool
            .comes_back
            .iter()
            .map(|(kind, kinds)| {
                let kinds = kinds.iter().map(|kind| (*kind).to_owned());
                ((*kind).to_owned(), kinds.collect())
            })
            .collect();
        assert_eq!(found, expected, "{}", tool.target);
    }
}

#[test]
fn codes_that_a_tool_has_for_itself_are_ours_again() {
    let mut count = 0;
    for tool in &TOOLS {
        let mut ledger = String::from(
            "event,time,kind,account,asset,amount,role,value,value_currency,order_id,trade_id,tx_hash,address,note,format,file,line\n",
        );
        for (nth, code) in renamed(tool.target).values().enumerate() {
            count += 1;
            ledger.push_str(&format!(
                "e{nth},2024-01-{:02}T10:00:00Z,deposit,Alpha,{code},1.5,main,,,,,,,,alpha/history,alpha.csv,{}\n",
                nth + 1,
                nth + 2
            ));
        }
        if ledger.lines().count() > 1 {
            let back = back(tool, &ledger);
            assert_eq!(
                holdings(&back),
                holdings(&read_ledger(&ledger)),
                "{}",
                tool.target
            );
        }
    }
    assert!(count > 0);
}

#[test]
fn a_time_without_a_zone_is_in_the_one_that_is_said() {
    let sample = support::samples().join("cointracking/template/eleven_columns.csv");
    let place = Workplace::new();
    let ledger = place.converts(0, &[sample.to_str().unwrap(), "--zone", "Europe/Berlin"]);
    let last: Vec<&str> = ledger[ledger.len() - 2..]
        .iter()
        .map(|line| line.time.as_str())
        .collect();
    assert_eq!(last, ["2021-07-22T08:00:00Z", "2021-07-22T08:30:00Z"]);
}
