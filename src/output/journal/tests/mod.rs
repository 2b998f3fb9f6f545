//! Whole journals, from exports to text.

mod balances;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::convert::Options;
use crate::input::discover;
use crate::ledger::Period;
use crate::mapping::Library;

/// A layout in which everything has its place, and nothing is any program's.
const LAYOUT: &str = r#"
date      = "%d.%m.%Y"
before    = ["; top"]
indent    = " "
head      = "{date} {flag} {payee} {kind}"
link      = { written = " ^{hash}", pattern = "[a-z0-9]+" }
tag       = "; {name}: {value}"
posting   = "{account}  {amount} {commodity}"
cost      = "@@ {amount} {commodity}"
assertion = "= {amount} {commodity}"
trades    = "total_cost"
prices_in = ["USD"]
tag_directive       = "tag {name}"
commodity_directive = "commodity {sample} {commodity} since {date}"
commodity_name      = " name {name}"
account_directive   = "account {account} since {date}"

[payee]
replace = { ";" = "," }

[values]
replace = { "," = ";" }

[commodities]
letters  = "upper"
allowed  = '[A-Z0-9]'
stand_in = "X"
plain    = '[A-Z]+'
quote    = "'"

[account_parts]
allowed  = '[\w -]'
stand_in = "-"

[accounts]
asset      = "own:{account}:{asset}"
fee        = "fees"
conversion = "conversion"
transfers  = "transfers"
income     = "income:{kind}"
expense    = "expenses:{kind}"
kinds      = { realized_pnl = { in = "won", out = "lost" }, adjustment = "adjusted:{asset}" }
"#;

fn layout() -> JournalLayout {
    toml::from_str(LAYOUT).unwrap()
}

/// With one line in place of another.
fn layout_with(line: &str, other: &str) -> Result<JournalLayout, String> {
    assert!(LAYOUT.contains(line), "{line}");
    toml::from_str(&LAYOUT.replace(line, other)).map_err(|error| error.to_string())
}

const COLUMNS: &str = "event,time,kind,account,asset,amount,role,value,value_currency,order_id,trade_id,tx_hash,address,note\n";

/// A ledger from lines of legs: `1 day kind account asset amount role`, the columns divided by blanks.
fn ledger_of(legs: &[&str]) -> Ledger {
    let rows = legs.iter().map(|leg| {
        let cells: Vec<&str> = leg.split(' ').collect();
        let [event, day, kind, account, asset, amount, role] = cells[..] else {
            panic!("{leg}")
        };
        let account = account.replace('_', " ");
        format!("{event:0>16},{day}T12:00:00Z,{kind},{account},{asset},{amount},{role},,,,,,,\n")
    });
    ledger_from(
        COLUMNS.to_owned() + &rows.collect::<String>(),
        &Library::built_in(),
    )
}

fn ledger_from(text: String, library: &Library) -> Ledger {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv").display().to_string();
    std::fs::write(&path, text).unwrap();
    let sources = discover(std::slice::from_ref(&path)).unwrap().sources;
    let options = Options {
        named: vec![path],
        ..Options::default()
    };
    let folded = crate::fold(&sources, library, &options, Period::default(), &|_| ()).unwrap();
    assert!(folded.left_out.is_empty(), "the rows were not recognised");
    let mut ledger = folded.ledger;
    let counts = ledger.counts()[0];
    assert_eq!(counts.read, counts.used, "every row is used");
    // The folder's name differs from run to run.
    ledger.files[0].name = "rows.csv".to_owned();
    ledger
}

fn written(
    ledger: &Ledger,
    layout: &JournalLayout,
    options: &[(&str, &str)],
) -> Result<(String, JournalWritten), JournalError> {
    let names = ledger.name_texts();
    let options: BTreeMap<String, String> = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let mut out = Vec::new();
    let journal = write_journal(ledger, &names, layout, &options, &mut out)?;
    let read = ledger.totals_read(&names).unwrap();
    assert_eq!(journal.sums.failure, None);
    assert_eq!(read.differences(&journal.sums.totals()), []);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count() as u64, journal.lines);
    Ok((text, journal))
}

/// What the entries say, without their tags.
fn entries(text: &str) -> String {
    let (_, entries) = text.split_once("\n\n").unwrap();
    let plain = entries
        .lines()
        .filter(|line| !line.trim_start().starts_with("; "));
    plain.map(|line| format!("{line}\n")).collect()
}

fn refusal(result: Result<(String, JournalWritten), JournalError>) -> String {
    match result {
        Err(error @ (JournalError::Refused(_) | JournalError::Option(_))) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok((text, _)) => panic!("{text}"),
    }
}

#[test]
fn a_journal_says_everything_that_the_ledger_says() {
    let text = COLUMNS.to_owned()
        + "1,2024-01-03T09:15:30.5Z,trade,Alpha/spot,1btc,0.05,main,2000,USD,O-1,T-1,0xab,addr,\"a, b; \"\"c\"\"\nd\"\n\
           1,2024-01-03T09:15:30.5Z,trade,Alpha/spot,USD,-2000,main,,,O-1,T-1,0xab,addr,\"a, b; \"\"c\"\"\nd\"\n\
           1,2024-01-03T09:15:30.5Z,trade,Alpha/spot,USD,-3.125,fee,,,O-1,T-1,0xab,addr,\"a, b; \"\"c\"\"\nd\"\n\
           2,2024-01-04T00:00:00Z,unclassified,Beta;x,USD,7,main,,,,,,,\n";
    let ledger = ledger_from(text, &Library::built_in());
    let (text, journal) = written(&ledger, &layout(), &[]).unwrap();
    let ids: Vec<String> = ledger
        .events
        .iter()
        .map(|event| format!("{:016x}", ledger.view(event).id))
        .collect();
    let expected = format!(
        "\
; top
tag event
tag time
tag kind
tag source
tag order_id
tag trade_id
tag tx_hash
tag address
tag note
tag worth
commodity 1000.00 '1BTC' since 03.01.2024
 name 1btc
commodity 1000.000 USD since 03.01.2024
account fees since 03.01.2024
account income:unclassified since 04.01.2024
account own:Alpha:spot:1btc since 03.01.2024
account own:Alpha:spot:USD since 03.01.2024
account own:Beta-x:USD since 04.01.2024

03.01.2024 * Alpha trade ^0xab
 ; event: {}
 ; time: 2024-01-03T09:15:30.5Z
 ; kind: trade
 ; source: rows.csv:2+4+6
 ; order_id: O-1
 ; trade_id: T-1
 ; tx_hash: 0xab
 ; address: addr
 ; note: a; b; \"c\" d
 own:Alpha:spot:1btc  0.05 '1BTC' @@ 2000 USD
  ; worth: 2000 USD
 own:Alpha:spot:USD  -2000 USD
 own:Alpha:spot:USD  -3.125 USD
 fees  3.125 USD

04.01.2024 ! Beta,x unclassified
 ; event: {}
 ; time: 2024-01-04T00:00:00Z
 ; kind: unclassified
 ; source: rows.csv:8
 own:Beta-x:USD  7 USD
 income:unclassified  -7 USD

",
        ids[0], ids[1]
    );
    assert_eq!(text, expected);
    let found: Vec<&str> = journal
        .findings
        .iter()
        .map(|one| one.examples[0].as_str())
        .collect();
    assert_eq!(found, ["1btc: 1BTC"]);
}

#[test]
fn each_kind_stands_against_its_account() {
    let ledger = ledger_of(&[
        "1 2024-01-01 realized_pnl A USD 5 main",
        "2 2024-01-02 realized_pnl A USD -5 main",
        "3 2024-01-03 adjustment A BTC -1 main",
        "4 2024-01-04 deposit A USD 9 main",
        "5 2024-01-05 interest A USD 1 main",
        "6 2024-01-06 transfer A USD -2 main",
        "6 2024-01-06 transfer B USD 2 main",
        "7 2024-01-07 fee A USD -1 fee",
    ]);
    let (text, _) = written(
        &ledger,
        &layout(),
        &[("interest_account", "interest:{asset}")],
    )
    .unwrap();
    assert_eq!(
        entries(&text),
        "\
01.01.2024 * A realized_pnl
 own:A:USD  5 USD
 won  -5 USD

02.01.2024 * A realized_pnl
 own:A:USD  -5 USD
 lost  5 USD

03.01.2024 * A adjustment
 own:A:BTC  -1 BTC
 adjusted:BTC  1 BTC

04.01.2024 * A deposit
 own:A:USD  9 USD
 transfers  -9 USD

05.01.2024 * A interest
 own:A:USD  1 USD
 interest:USD  -1 USD

06.01.2024 * A transfer
 own:A:USD  -2 USD
 own:B:USD  2 USD

07.01.2024 * A fee
 own:A:USD  -1 USD
 fees  1 USD

"
    );
}

#[test]
fn two_assets_are_never_one_commodity() {
    let ledger = ledger_of(&[
        "1 2024-01-01 deposit A abc 5 main",
        "2 2024-01-02 deposit A ABC 5 main",
    ]);
    let told = refusal(written(&ledger, &layout(), &[]));
    assert_eq!(told, "two assets would have one name (ABC: ABC, abc)");
    let mut renamed = layout();
    renamed.rename("abc", "SMALL");
    let (text, _) = written(&ledger, &renamed, &[]).unwrap();
    assert!(text.contains(" own:A:abc  5 SMALL\n"), "{text}");
}

#[test]
fn two_accounts_are_never_one() {
    let ledger = ledger_of(&[
        "1 2024-01-01 deposit A.b USD 5 main",
        "2 2024-01-02 deposit A-b USD 5 main",
    ]);
    assert_eq!(
        refusal(written(&ledger, &layout(), &[])),
        "two accounts would have one name (own:A-b:USD: A-b, A.b)"
    );
    let told = refusal(written(&ledger, &layout(), &[("asset_account", "mine")]));
    assert_eq!(told, "two accounts would have one name (mine: A-b, A.b)");
    let told = refusal(written(
        &ledger,
        &layout(),
        &[("transfers_account", "own:A-b:USD")],
    ));
    assert!(
        told.contains("one that it stands against would have one name"),
        "{told}"
    );
}

#[test]
fn the_persons_accounts_are_taken_if_they_are_valid() {
    let ledger = ledger_of(&["1 2024-01-01 deposit My_bank/x USD 5 main"]);
    let (text, _) = written(
        &ledger,
        &layout(),
        &[
            ("asset_account", "a:{asset}:{account}"),
            ("deposit_account", "b {kind}"),
        ],
    )
    .unwrap();
    assert!(
        text.contains("\n a:USD:My bank:x  5 USD\n b deposit  -5 USD\n"),
        "{text}"
    );
    for (name, value) in [
        ("asset_acount", "a"),
        ("asset_account", "a:{kind}"),
        ("asset_account", "a::{asset}"),
        ("asset_account", "a;b:{asset}"),
        ("asset_account", "a  b:{asset}"),
        ("asset_account", ""),
        ("trade_account", "a"),
        ("trades", "guess"),
    ] {
        refusal(written(&ledger, &layout(), &[(name, value)]));
    }
}

#[test]
fn every_option_has_a_default_that_is_taken_as_it_is() {
    let options = layout().options();
    assert!(
        options
            .iter()
            .any(|option| option.name == "staking_reward_account")
    );
    let none = BTreeMap::new();
    assert!(Dialect::read(&layout().document, &none).is_ok());
    for option in options
        .iter()
        .filter(|option| !option.default.contains(", "))
    {
        let set = [(option.name.clone(), option.default.clone())].into();
        assert!(
            Dialect::read(&layout().document, &set).is_ok(),
            "{option:?}"
        );
    }
}

#[test]
fn a_layout_that_cannot_be_written_with_is_refused_when_it_is_read() {
    for (line, other) in [
        (
            "cost      = \"@@ {amount} {commodity}\"",
            "cost = \"@@ {price}\"",
        ),
        ("fee        = \"fees\"", "fee = \"fees:{fee}\""),
        ("fee        = \"fees\"", "fee = \"fe.es\""),
        ("\"own:{account}:{asset}\"", "\"own:{kind}\""),
        ("{account}  {amount} {commodity}\"", "{account}  {amount}\""),
        ("%d.%m.%Y", "%d.%m.%y"),
        ("%d.%m.%Y", "%d.%m"),
        ("adjustment =", "adjusting ="),
        ("adjustment =", "trade ="),
        ("flag} {payee", "flag} {pay"),
        ("indent    = \" \"", "indent = \" \"\nindents = \"\""),
        ("'[A-Z]+'", "'[A-Z+'"),
    ] {
        assert!(layout_with(line, other).is_err(), "{other}");
    }
    let rooted = "[accounts]\nroots = [\"own\", \"conversion\"]";
    let told = layout_with("[accounts]", rooted).unwrap_err();
    assert!(
        told.contains("`fee`: `fees` must begin with one of `own:`, `conversion:`"),
        "{told}"
    );
}

#[test]
fn amounts_that_a_program_would_round_are_a_loss() {
    let few = layout_with("trades    =", "most_digits = 4\ntrades =").unwrap();
    let ledger = ledger_of(&[
        "1 2024-01-01 deposit A USD 1234 main",
        "2 2024-01-01 deposit A BTC 1.2345 main",
    ]);
    let (_, journal) = written(&ledger, &few, &[]).unwrap();
    let found: Vec<_> = journal.findings.iter().collect();
    assert_eq!(
        (found.len(), found[0].weight, found[0].code.as_str()),
        (1, Weight::Loss, "digits")
    );
    assert_eq!(found[0].examples, ["BTC: 2 amounts"]);
}

#[test]
fn long_texts_are_cut_and_many_rows_stand_on_several_lines() {
    let short = layout_with("replace = { \",\" = \";\" }", "longest_bytes = 30").unwrap();
    let leg = |event: u32, note: &str| {
        format!("{event},2024-01-01T00:00:00Z,deposit,A,USD,1,main,,,,,,,{note}\n")
    };
    let rows: String = (0..19).map(|_| leg(1, "short")).collect();
    let text = COLUMNS.to_owned() + &rows + &leg(2, &"long ".repeat(20));
    let (text, journal) = written(&ledger_from(text, &Library::built_in()), &short, &[]).unwrap();
    let sources: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("source:"))
        .collect();
    assert_eq!(sources[0], " ; source: rows.csv:2+3+4+5+6+7+8+9+10+11");
    let lines: usize = sources
        .iter()
        .map(|line| line.split([':', '+']).count() - 2)
        .sum();
    assert_eq!(lines, 20);
    assert!(
        text.contains(" ; note: long long long long long long...\n"),
        "{text}"
    );
    let found: Vec<_> = journal.findings.iter().collect();
    assert_eq!(
        (found[0].weight, found[0].code.as_str(), found[0].count),
        (Weight::Loss, "text", 1)
    );
}

#[test]
fn every_journal_of_the_targets_adds_up_and_is_the_same_each_time() {
    #[derive(Deserialize)]
    struct Target {
        journal: Option<serde_json::Value>,
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("targets");
    let mut layouts = 0;
    for entry in std::fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let Some(journal) = toml::from_str::<Target>(&text).unwrap().journal else {
            continue;
        };
        let journal: JournalLayout = serde_json::from_value(journal).unwrap();
        layouts += 1;
        for sample in ["every_kind", "several_legs"] {
            let text = std::fs::read_to_string(root.join(format!("samples/{sample}.ledger.csv")));
            let text = text.unwrap();
            let one = ledger_from(text.clone(), &Library::built_in());
            let other = ledger_from(text, &Library::built_in());
            let first = written(&one, &journal, &[]).unwrap().0;
            assert_eq!(first, written(&other, &journal, &[]).unwrap().0);
            let heads = first.matches("kind: ").count();
            assert_eq!(heads, one.events.len(), "{} {sample}", path.display());
        }
    }
    assert!(layouts > 0);
}
