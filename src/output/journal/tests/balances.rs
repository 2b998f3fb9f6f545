//! Balances that exports state, in journals.

use super::{layout, layout_with, ledger_from, written};
use crate::ledger::Ledger;
use crate::mapping::Library;
use crate::output::Weight;

const WITH_BALANCES: &str = r#"
mapping    = 1
exchange   = "Alpha"
report     = "History"
how_to_get = "from Alpha"

[columns]
time    = { header = "when", type = "time", formats = ["iso"], zone = "UTC" }
wallet  = "wallet"
coin    = { header = "coin", type = "asset" }
moved   = { header = "moved", type = "amount" }
balance = { header = "balance", type = "amount", optional = true }

[[rule]]
kind    = "deposit"
account = "{wallet}"
move    = "moved coin"
balance = "balance coin"
"#;

fn with_balances(rows: &str) -> Ledger {
    let mut library = Library::built_in();
    library.insert(
        "alpha/history",
        "alpha.toml".to_owned(),
        WITH_BALANCES.to_owned(),
    );
    ledger_from(format!("when,wallet,coin,moved,balance\n{rows}"), &library)
}

#[test]
fn a_balance_is_asserted_at_the_end_of_a_day_that_comes_to_it() {
    let ledger = with_balances(
        "2024-01-01T01:00:00Z,A,USD,5,5\n\
         2024-01-01T02:00:00Z,A,USD,2.5,7.5\n\
         2024-01-01T03:00:00Z,A,BTC,1,1\n\
         2024-01-02T00:00:00Z,A,USD,1,8.5\n\
         2024-01-03T00:00:00Z,A,USD,1,\n",
    );
    let (text, journal) = written(&ledger, &layout(), &[]).unwrap();
    let own: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with(" own"))
        .collect();
    assert_eq!(
        own,
        [
            " own:A:USD  5 USD",
            " own:A:USD  2.5 USD = 7.5 USD",
            " own:A:BTC  1 BTC = 1 BTC",
            " own:A:USD  1 USD = 8.5 USD",
            " own:A:USD  1 USD",
        ]
    );
    assert_eq!(journal.findings.iter().count(), 0);
    let next_day = layout_with(
        "assertion = \"= {amount} {commodity}\"",
        "balance = \"{date} balance {account}  {amount} {commodity}\"",
    );
    let (text, _) = written(&ledger, &next_day.unwrap(), &[]).unwrap();
    let balances: Vec<&str> = text
        .lines()
        .filter(|line| line.contains(" balance "))
        .collect();
    assert_eq!(
        balances,
        [
            "02.01.2024 balance own:A:USD  7.5 USD",
            "02.01.2024 balance own:A:BTC  1 BTC",
            "03.01.2024 balance own:A:USD  8.5 USD",
        ]
    );
}

#[test]
fn a_balance_that_the_journal_does_not_come_to_is_not_asserted() {
    // A history that begins in its middle, and comes to what is stated only on its third day.
    let ledger = with_balances(
        "2024-01-01T00:00:00Z,A,USD,5,15\n\
         2024-01-02T00:00:00Z,A,USD,-10,5\n",
    );
    let (text, journal) = written(&ledger, &layout(), &[]).unwrap();
    assert!(!text.contains(" = "), "{text}");
    let found: Vec<_> = journal.findings.iter().collect();
    assert_eq!((found[0].weight, found[0].count), (Weight::Note, 2));
    assert_eq!(found[0].examples[0], "01.01.2024 A USD: 15 stated, 5 here");
}

#[test]
fn rows_of_one_instant_may_state_their_balances_in_any_order() {
    let ledger = with_balances(
        "2024-01-02T00:00:00Z,A,USD,1,8\n\
         2024-01-01T00:00:00Z,A,USD,2,7\n\
         2024-01-01T00:00:00Z,A,USD,5,5\n",
    );
    let (text, journal) = written(&ledger, &layout(), &[]).unwrap();
    assert_eq!(text.matches(" = 7 USD").count(), 1, "{text}");
    assert_eq!(text.matches(" = 8 USD").count(), 1, "{text}");
    assert_eq!(journal.findings.iter().count(), 0);
}

#[test]
fn the_balance_of_an_account_with_others_below_it_is_not_asserted() {
    let ledger = with_balances(
        "2024-01-01T00:00:00Z,A,USD,5,5\n\
         2024-01-01T00:00:00Z,A/USD,BTC,2,2\n",
    );
    let (text, _) = written(&ledger, &layout(), &[]).unwrap();
    assert!(text.contains(" own:A:USD  5 USD\n"), "{text}");
    assert!(text.contains(" own:A:USD:BTC  2 BTC = 2 BTC\n"), "{text}");
}
