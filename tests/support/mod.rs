//! What the whole-program tests share: a folder of its own for each test, the program run in it, ledgers read back, and
//! exports written cell by cell. All rows are invented.
#![allow(dead_code)] // each test file uses a part

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rust_decimal::Decimal;
use serde::Deserialize;

/// A folder in which a test works. It holds no mappings of its own unless the test writes some.
pub struct Workplace(tempfile::TempDir);

/// How a run of the program ended, and what it said.
#[derive(Debug)]
pub struct Told {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Told {
    /// Fails the test unless the run ended with this code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Told {
        assert_eq!(
            self.code, code,
            "the exit code is another\nstdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }

    /// Fails the test unless stderr has this text.
    #[track_caller]
    pub fn says(self, text: &str) -> Told {
        assert!(
            self.stderr.contains(text),
            "stderr does not say `{text}`:\n{}",
            self.stderr
        );
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is no JSON: {error}\n{}", self.stdout))
    }
}

impl Workplace {
    pub fn new() -> Workplace {
        Workplace(tempfile::tempdir().unwrap())
    }

    /// With these files in it.
    pub fn with(files: &[(&str, &str)]) -> Workplace {
        let place = Workplace::new();
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders that it needs.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name))
            .unwrap_or_else(|error| panic!("{name}: {error}; there is {:?}", self.names()))
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// All that lies in the folder itself, hidden files too.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The program, about to run in this folder. It finds no mappings of the person who runs the tests.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coinfold"));
        command
            .current_dir(self.0.path())
            .env("XDG_CONFIG_HOME", self.path("no configuration"))
            .env_remove("APPDATA")
            .args(arguments);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Told {
        told(self.command(arguments).stdin(Stdio::null()))
    }

    /// The same with bytes on stdin.
    pub fn run_with_stdin(&self, arguments: &[&str], bytes: &[u8]) -> Told {
        let mut command = self.command(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that has seen enough may be gone.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        from_output(child.wait_with_output().unwrap())
    }

    /// `convert ARGUMENTS -o ledger.csv`, which must end with this code, and the ledger.
    #[track_caller]
    pub fn converts(&self, code: i32, arguments: &[&str]) -> Vec<Line> {
        let all: Vec<&str> = ["convert"]
            .iter()
            .chain(arguments)
            .chain(&["-o", "ledger.csv"])
            .copied()
            .collect();
        self.run(&all).ends_with(code);
        self.ledger("ledger.csv")
    }

    pub fn ledger(&self, name: &str) -> Vec<Line> {
        read_ledger(&self.text(name))
    }

    /// What became of each row, as `--rows` wrote it.
    pub fn fates(&self, name: &str) -> Vec<RowLine> {
        csv::Reader::from_reader(self.text(name).as_bytes())
            .deserialize()
            .map(|line| line.unwrap())
            .collect()
    }
}

pub fn told(command: &mut Command) -> Told {
    from_output(command.output().unwrap())
}

fn from_output(output: std::process::Output) -> Told {
    Told {
        code: output
            .status
            .code()
            .unwrap_or_else(|| panic!("the program was stopped: {output:?}")),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A line of a ledger.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Line {
    pub event: String,
    pub time: String,
    pub kind: String,
    pub account: String,
    pub asset: String,
    pub amount: String,
    pub role: String,
    pub value: String,
    pub value_currency: String,
    pub order_id: String,
    pub trade_id: String,
    pub tx_hash: String,
    pub address: String,
    pub note: String,
    pub format: String,
    pub file: String,
    pub line: u64,
}

impl Line {
    /// `kind amount asset role`, which is what most tests look at.
    pub fn short(&self) -> String {
        let fee = if self.role == "fee" { " fee" } else { "" };
        format!("{} {} {}{fee}", self.kind, self.amount, self.asset)
    }

    pub fn decimal(&self) -> Decimal {
        self.amount.parse().unwrap()
    }
}

/// A line of the list of fates.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct RowLine {
    pub file: String,
    pub line: u64,
    pub fate: String,
    pub event: String,
    pub reason: String,
}

pub fn read_ledger(text: &str) -> Vec<Line> {
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .map(|line| line.unwrap())
        .collect()
}

pub fn short(ledger: &[Line]) -> Vec<String> {
    ledger.iter().map(Line::short).collect()
}

/// What each account has of each asset at the end.
pub fn sums(ledger: &[Line]) -> BTreeMap<(String, String), Decimal> {
    let mut sums = BTreeMap::new();
    for line in ledger {
        *sums
            .entry((line.account.clone(), line.asset.clone()))
            .or_insert(Decimal::ZERO) += line.decimal();
    }
    sums
}

/// How many events there are.
pub fn events(ledger: &[Line]) -> usize {
    ledger
        .iter()
        .map(|line| line.event.as_str())
        .collect::<std::collections::BTreeSet<_>>()
        .len()
}

/// The ledger without the names of the files and the lines, for two ways to the same rows.
pub fn without_places(ledger: &[Line]) -> Vec<Line> {
    ledger
        .iter()
        .cloned()
        .map(|line| Line {
            file: String::new(),
            line: 0,
            ..line
        })
        .collect()
}

/// Fails the test at the first line in which two ledgers differ.
#[track_caller]
pub fn assert_same(found: &[Line], expected: &[Line], what: &str) {
    for nth in 0..found.len().max(expected.len()) {
        assert_eq!(
            found.get(nth),
            expected.get(nth),
            "{what}: leg {} of {} and {} legs",
            nth + 1,
            found.len(),
            expected.len()
        );
    }
}

// --- exports --------------------------------------------------------------------------------------------------------

/// Header of a Binance.US export of 2019 to 2022.
pub const US_OLD: &str = "User_Id,Time,Category,Operation,Order_Id,Transaction_Id,Primary_Asset,Realized_Amount_For_Primary_Asset,\
Realized_Amount_For_Primary_Asset_In_USD_Value,Base_Asset,Realized_Amount_For_Base_Asset,Realized_Amount_For_Base_Asset_In_USD_Value,\
Quote_Asset,Realized_Amount_For_Quote_Asset,Realized_Amount_For_Quote_Asset_In_USD_Value,Fee_Asset,Realized_Amount_For_Fee_Asset,\
Realized_Amount_For_Fee_Asset_In_USD_Value,Payment_Method,Withdrawal_Method,Additional_Note";

/// The same columns since 2023.
pub const US: &str = "User ID,Time,Category,Operation,Order ID,Transaction ID,Primary Asset,Realized Amount For Primary Asset,\
Realized Amount for Primary Asset in USD,Base Asset,Realized Amount For Base Asset,Realized Amount For Base Asset In USD,Quote Asset,\
Realized Amount for Quote Asset,Realized Amount for Quote Asset in USD,Fee Asset,Realized Amount for Fee Asset,\
Realized Amount for Fee Asset in USD,Payment Method,Withdraw Method,Additional Note";

/// A fill: `sold` or `bought` is `BTC 0.5`, and so on.
pub fn us_fill(
    time: &str,
    side: &str,
    id: &str,
    base: &str,
    quote: &str,
    usd: &str,
    fee: &str,
) -> String {
    let cells = |text: &str| text.replacen(' ', ",", 1);
    let (base, quote, fee) = (cells(base), cells(quote), cells(fee));
    format!(
        "20044518,{time},Spot Trading,{side},88{id},{id},,,,{base},{usd},{quote},{usd},{fee},0.02,Wallet,,"
    )
}

/// A row of one asset: a deposit, a withdrawal, a distribution.
pub fn us_move(
    time: &str,
    category: &str,
    operation: &str,
    id: &str,
    coin: &str,
    usd: &str,
    note: &str,
) -> String {
    let coin = coin.replacen(' ', ",", 1);
    let not_there = ",".repeat(12);
    format!("20044518,{time},{category},{operation},,{id},{coin},{usd}{not_there}{note}")
}

pub fn export(header: &str, rows: &[String]) -> String {
    let mut text = header.to_owned() + "\n";
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    text
}

/// Header of a Kraken ledger, the oldest.
pub const KRAKEN: &str =
    r#""txid","refid","time","type","subtype","aclass","asset","amount","fee","balance""#;

/// A row of a Kraken ledger; the word for what it is may have a subtype behind a blank.
#[allow(clippy::too_many_arguments)] // one for each cell
pub fn kraken(
    txid: &str,
    refid: &str,
    time: &str,
    what: &str,
    asset: &str,
    amount: &str,
    fee: &str,
    balance: &str,
) -> String {
    let (kind, subtype) = what.split_once(' ').unwrap_or((what, ""));
    let balance = if balance.is_empty() { "\"\"" } else { balance };
    format!(
        r#""{txid}","{refid}","{time}","{kind}","{subtype}","currency","{asset}",{amount},{fee},{balance}"#
    )
}

/// Header of a Binance statement.
pub const STATEMENT: &str = "User_ID,UTC_Time,Account,Operation,Coin,Change,Remark";

pub fn statement(time: &str, operation: &str, coin: &str, change: &str) -> String {
    format!("31557008,{time},Spot,{operation},{coin},{change},")
}

/// A small export that is complete: a deposit, a buy, a sell.
pub fn small() -> String {
    export(
        US,
        &[
            us_move(
                "2023-01-02 08:00:00",
                "Deposit",
                "USD Deposit",
                "5001",
                "USD 1000",
                "1000",
                "",
            ),
            us_fill(
                "2023-01-02 09:00:00.5",
                "Buy",
                "5002",
                "BTC 0.05",
                "USD 800",
                "800",
                "USD 0.8",
            ),
            us_fill(
                "2023-01-03 10:30:00",
                "Sell",
                "5003",
                "BTC 0.01",
                "USD 171.25",
                "171.25",
                "USD 0.17",
            ),
        ],
    )
}

/// A row that no rule of its mapping knows, and whose amounts are unsigned.
pub fn unknown_row() -> String {
    us_move(
        "2023-02-01 00:00:00",
        "Card",
        "Purchase",
        "5009",
        "USD 20",
        "20",
        "",
    )
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The folder of the shipped samples.
pub fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

pub fn utf16(text: &str, little: bool) -> Vec<u8> {
    let unit = |unit: u16| {
        if little {
            unit.to_le_bytes()
        } else {
            unit.to_be_bytes()
        }
    };
    std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(unit)
        .collect()
}
