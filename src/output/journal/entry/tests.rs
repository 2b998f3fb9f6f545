use super::*;
use proptest::prelude::*;

const BTC: u32 = 0;
const USD: u32 = 1;
const ETH: u32 = 2;

fn policy() -> TradePolicy {
    TradePolicy {
        trades: Trades::TotalCost,
        price_rank: vec![1, 0, usize::MAX],
        cost_digits: None,
        least_decimals: 0,
    }
}

fn leg(account: u32, asset: u32, amount: &str, role: Role) -> Leg {
    Leg {
        account: NameId(account),
        asset: NameId(asset),
        amount: amount.parse().unwrap(),
        role,
        value: None,
    }
}

fn main(asset: u32, amount: &str) -> Leg {
    leg(0, asset, amount, Role::Main)
}

fn fee(asset: u32, amount: &str) -> Leg {
    leg(0, asset, amount, Role::Fee)
}

/// `own BTC 1 @@ 2 USD`, one for each posting.
fn told(kind: Kind, legs: &[Leg]) -> Vec<String> {
    told_by(kind, legs, &policy())
}

fn told_by(kind: Kind, legs: &[Leg], policy: &TradePolicy) -> Vec<String> {
    let asset = |id: NameId| ["BTC", "USD", "ETH"][id.0 as usize];
    postings(kind, legs, policy)
        .unwrap()
        .iter()
        .map(|posting| {
            let to = match posting.to {
                To::Own => "own".to_owned(),
                To::Counter(counter) => format!("{counter:?}").to_lowercase(),
            };
            let cost = posting.cost.map_or(String::new(), |(total, in_asset)| {
                format!(" @@ {total} {}", asset(in_asset))
            });
            format!("{to} {} {}{cost}", posting.amount, asset(posting.asset))
        })
        .collect()
}

#[test]
fn a_trade_has_its_exact_cost_at_what_is_not_the_price() {
    assert_eq!(
        told(Kind::Trade, &[main(USD, "-100"), main(BTC, "3")]),
        ["own -100 USD", "own 3 BTC @@ 100 USD"]
    );
    assert_eq!(
        told(Kind::Trade, &[main(BTC, "-3"), main(USD, "100")]),
        ["own -3 BTC @@ 100 USD", "own 100 USD"]
    );
    assert_eq!(
        told(Kind::Trade, &[main(BTC, "-3"), main(ETH, "7")]),
        ["own -3 BTC", "own 7 ETH @@ 3 BTC"]
    );
}

#[test]
fn a_trade_of_several_fills_of_one_pair_has_one_cost() {
    assert_eq!(
        told(
            Kind::Trade,
            &[
                main(USD, "-1"),
                main(BTC, "2"),
                main(USD, "-3.5"),
                main(BTC, "4")
            ]
        ),
        ["own -1 USD", "own 6 BTC @@ 4.5 USD", "own -3.5 USD"]
    );
}

#[test]
fn a_trade_of_more_than_two_assets_goes_through_the_conversion_account() {
    assert_eq!(
        told(
            Kind::Trade,
            &[main(USD, "-1"), main(ETH, "-2"), main(BTC, "4")]
        ),
        [
            "own -1 USD",
            "own -2 ETH",
            "own 4 BTC",
            "conversion 1 USD",
            "conversion 2 ETH",
            "conversion -4 BTC"
        ]
    );
}

#[test]
fn a_trade_with_one_side_or_an_asset_on_both_goes_through_the_conversion_account() {
    assert_eq!(
        told(Kind::Trade, &[main(BTC, "4")]),
        ["own 4 BTC", "conversion -4 BTC"]
    );
    assert_eq!(
        told(
            Kind::Trade,
            &[main(BTC, "-4"), main(BTC, "1"), main(USD, "5")]
        ),
        [
            "own -4 BTC",
            "own 1 BTC",
            "own 5 USD",
            "conversion 3 BTC",
            "conversion -5 USD"
        ]
    );
    assert_eq!(
        told(Kind::Trade, &[main(BTC, "0"), main(USD, "-5")]),
        ["own 0 BTC", "own -5 USD", "conversion 5 USD"]
    );
}

#[test]
fn a_cost_is_not_spread_over_two_accounts() {
    let legs = [
        main(USD, "-10"),
        main(BTC, "1"),
        leg(1, BTC, "1", Role::Main),
    ];
    assert_eq!(
        told(Kind::Trade, &legs)[3..],
        ["conversion 10 USD", "conversion -2 BTC"]
    );
}

#[test]
fn a_cost_of_too_many_digits_goes_through_the_conversion_account() {
    let few = TradePolicy {
        cost_digits: Some(5),
        least_decimals: 2,
        ..policy()
    };
    assert_eq!(
        told_by(Kind::Trade, &[main(USD, "-100"), main(BTC, "3")], &few)[1],
        "own 3 BTC @@ 100 USD"
    );
    for (paid, got) in [("-1000", "3"), ("-100", "1.00001")] {
        let told = told_by(Kind::Trade, &[main(USD, paid), main(BTC, got)], &few);
        assert!(told[2].starts_with("conversion"), "{told:?}");
    }
}

#[test]
fn trades_can_all_go_through_the_conversion_account() {
    let conversion = TradePolicy {
        trades: Trades::Conversion,
        ..policy()
    };
    assert_eq!(
        told_by(
            Kind::Trade,
            &[main(USD, "-100"), main(BTC, "3")],
            &conversion
        )[2..],
        ["conversion 100 USD", "conversion -3 BTC"]
    );
}

#[test]
fn a_fee_stands_against_the_fees_and_a_rebate_lessens_them() {
    assert_eq!(
        told(
            Kind::Trade,
            &[
                main(USD, "-100"),
                fee(USD, "-0.1"),
                main(BTC, "3"),
                fee(ETH, "0.2")
            ]
        ),
        [
            "own -100 USD",
            "own -0.1 USD",
            "fee 0.1 USD",
            "own 3 BTC @@ 100 USD",
            "own 0.2 ETH",
            "fee -0.2 ETH"
        ]
    );
    assert_eq!(
        told(Kind::Fee, &[fee(BTC, "-1")]),
        ["own -1 BTC", "fee 1 BTC"]
    );
    assert_eq!(
        told(Kind::Fee, &[main(BTC, "-1")]),
        ["own -1 BTC", "fee 1 BTC"]
    );
}

#[test]
fn a_transfer_that_nets_to_zero_stands_against_nothing() {
    let moved = [main(BTC, "-1"), leg(1, BTC, "1", Role::Main)];
    for kind in [Kind::Transfer, Kind::Deposit] {
        assert_eq!(told(kind, &moved), ["own -1 BTC", "own 1 BTC"]);
    }
    assert_eq!(
        told(
            Kind::Transfer,
            &[main(BTC, "-1"), leg(1, BTC, "0.9", Role::Main)]
        ),
        ["own -1 BTC", "own 0.9 BTC", "transfers 0.1 BTC"]
    );
}

#[test]
fn other_kinds_stand_against_their_account_by_the_way_they_go() {
    assert_eq!(told(Kind::RealizedPnl, &[main(BTC, "2")])[1], "in -2 BTC");
    assert_eq!(told(Kind::RealizedPnl, &[main(BTC, "-2")])[1], "out 2 BTC");
}

#[test]
fn an_event_of_nothing_is_one_posting_of_nothing() {
    assert_eq!(told(Kind::Deposit, &[main(BTC, "0")]), ["own 0 BTC"]);
    assert_eq!(told(Kind::Fee, &[fee(BTC, "0")]), ["own 0 BTC"]);
}

#[test]
fn postings_that_do_not_balance_are_an_error() {
    let own = postings(Kind::Deposit, &[main(BTC, "1")], &policy()).unwrap();
    assert_eq!(
        balanced(&own[..1]),
        Err(EntryError::Unbalanced(NameId(BTC), "1".parse().unwrap()))
    );
    let huge = "1".to_owned() + &"0".repeat(38);
    assert_eq!(
        postings(
            Kind::Deposit,
            &[main(BTC, &huge), main(BTC, &huge)],
            &policy()
        ),
        Err(EntryError::Overflow)
    );
}

proptest! {
    #[test]
    fn the_postings_of_a_persons_accounts_add_up_to_the_legs_and_all_balance(
        kind in 0..Kind::ALL.len(),
        parts in proptest::collection::vec((0u32..2, 0u32..3, -1000i64..1000, 0u32..4, any::<bool>()), 1..9),
    ) {
        let legs: Vec<Leg> = parts.iter().map(|(account, asset, mantissa, scale, is_fee)| Leg {
            account: NameId(*account),
            asset: NameId(*asset),
            amount: Amount::from_parts(i128::from(*mantissa), *scale).unwrap(),
            role: if *is_fee { Role::Fee } else { Role::Main },
            value: None,
        }).collect();
        let postings = postings(Kind::ALL[kind], &legs, &policy()).unwrap();
        for account in 0..2 {
            for asset in 0..3 {
                let place = (NameId(account), NameId(asset));
                let mut left = Sum::ZERO;
                for leg in legs.iter().filter(|leg| (leg.account, leg.asset) == place) {
                    left.add(leg.amount).unwrap();
                }
                for posting in postings.iter().filter(|one| one.to == To::Own && (one.account, one.asset) == place) {
                    left.sub(posting.amount).unwrap();
                }
                prop_assert!(left.is_zero());
            }
        }
    }
}
