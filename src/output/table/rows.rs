//! From what an event moved to the rows of a target: sides put side by side, fees put where they may stand.

use super::pool::{Flow, Stream};
use super::spread;
use crate::mapping::Expr;
use crate::model::{Kind, NameId};
use crate::target::{FeeRule, Rebate, RowRules, Several, Shape, Side, Transfer};

/// One row, before its words and cells.
#[derive(Clone, Debug)]
pub struct Row {
    pub kind: Kind,
    pub account: NameId,
    /// Where a transfer of one row arrived.
    pub to_account: Option<NameId>,
    /// One, but where a target has numbered columns.
    pub sent: Vec<Flow>,
    pub received: Vec<Flow>,
    /// What stands in the fee columns. A rebate is a negative fee there.
    pub fee: Option<Flow>,
    /// In a row of one leg: which way it goes.
    pub leg: Option<Side>,
    /// The sides of what the row was made of, before it was unfolded into legs.
    pub event_sides: Side,
    /// What the row stands for: the legs, or the parts of legs, that are nowhere else.
    pub takes: Vec<Flow>,
}

impl Row {
    fn of(kind: Kind, account: NameId, sent: Vec<Flow>, received: Vec<Flow>) -> Row {
        let takes = sent.iter().chain(&received).copied().collect();
        let event_sides = sides_of(&sent, &received);
        Row {
            kind,
            account,
            to_account: None,
            sent,
            received,
            fee: None,
            leg: None,
            event_sides,
            takes,
        }
    }

    /// A row made of a fee, or of one that came back.
    fn of_fee(fee: Flow, shape: Shape) -> Row {
        let (kind, sent, received, side) = match fee.stream {
            Stream::Rebate => (Kind::FeeRebate, vec![], vec![fee], Side::In),
            _ => (Kind::Fee, vec![fee], vec![], Side::Out),
        };
        Row {
            leg: (shape == Shape::Leg).then_some(side),
            ..Row::of(kind, fee.account, sent, received)
        }
    }

    pub fn side(&self) -> Side {
        sides_of(&self.sent, &self.received)
    }
}

fn sides_of(sent: &[Flow], received: &[Flow]) -> Side {
    match (sent.is_empty(), received.is_empty()) {
        (false, false) => Side::Both,
        (false, true) => Side::Out,
        (true, false) => Side::In,
        (true, true) => Side::None,
    }
}

/// What the making of rows asks: whether a condition holds for a row, and whether an asset is money of a state.
pub trait Asked {
    fn holds(&self, row: &Row, condition: &Expr) -> bool;
    fn is_fiat(&self, asset: NameId) -> bool;
}

/// Why an event has no rows.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyLegs;

/// The rows of what is left of an event.
///
/// # Errors
/// When the target refuses events of several legs on a side.
pub fn rows(
    kind: Kind,
    left: &[Flow],
    rules: &RowRules,
    max_digits: Option<u8>,
    asked: &dyn Asked,
) -> Result<Vec<Row>, TooManyLegs> {
    let mut left = left.to_vec();
    let mut rows = Vec::new();
    if kind == Kind::Transfer && rules.transfer == Transfer::OneRow {
        rows.extend(moved_between_accounts(&mut left));
    }
    let mut accounts: Vec<NameId> = Vec::new();
    for flow in &left {
        if !accounts.contains(&flow.account) {
            accounts.push(flow.account);
        }
    }
    for account in accounts {
        let of = |stream: Stream| -> Vec<Flow> {
            let same = |flow: &&Flow| flow.account == account && flow.stream == stream;
            left.iter().filter(same).copied().collect()
        };
        let (sent, received) = (of(Stream::Sent), of(Stream::Received));
        let pairs = sides(&sent, &received, rules, max_digits)?;
        let of_account = pairs
            .into_iter()
            .map(|(sent, received)| Row::of(kind, account, sent, received));
        match rules.shape {
            Shape::Event => rows.extend(of_account),
            Shape::Leg => {
                let of_account: Vec<Row> = of_account.collect();
                let whole = Row::of(kind, account, sent, received);
                // A leg is only divided where a part of it says the price of another.
                if of_account.iter().any(|row| carries(row, rules, asked)) {
                    rows.extend(of_account);
                } else {
                    rows.push(whole);
                }
            }
        }
    }
    if rules.shape == Shape::Leg {
        rows = rows
            .into_iter()
            .flat_map(|row| unfolded(row, rules, asked))
            .collect();
    }
    let is_fee = |flow: &&Flow| matches!(flow.stream, Stream::Fee | Stream::Rebate);
    let fees: Vec<Flow> = left.iter().filter(is_fee).copied().collect();
    let mut own_rows = Vec::new();
    for fee in fees {
        if !placed(&mut rows, fee, rules, asked) {
            own_rows.push(Row::of_fee(fee, rules.shape));
        }
    }
    rows.extend(own_rows);
    Ok(rows)
}

/// What left one account and arrived in another, as rows of both.
fn moved_between_accounts(left: &mut Vec<Flow>) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut nth = 0;
    while nth < left.len() {
        let sent = left[nth];
        let arrived = (sent.stream == Stream::Sent)
            .then(|| {
                left.iter().position(|flow| {
                    flow.stream == Stream::Received
                        && flow.asset == sent.asset
                        && flow.account != sent.account
                })
            })
            .flatten();
        let Some(place) = arrived else {
            nth += 1;
            continue;
        };
        let received = left[place];
        rows.push(Row {
            to_account: Some(received.account),
            ..Row::of(Kind::Transfer, sent.account, vec![sent], vec![received])
        });
        left.remove(place.max(nth));
        left.remove(place.min(nth));
        nth = nth.saturating_sub(usize::from(place < nth));
    }
    rows
}

/// What goes out and what comes in, in one row.
type Sides = (Vec<Flow>, Vec<Flow>);

/// The two sides of each row of an account.
fn sides(
    sent: &[Flow],
    received: &[Flow],
    rules: &RowRules,
    max_digits: Option<u8>,
) -> Result<Vec<Sides>, TooManyLegs> {
    let one = |flow: Option<Flow>| flow.into_iter().collect::<Vec<Flow>>();
    if sent.is_empty() && received.is_empty() {
        return Ok(Vec::new());
    }
    if sent.len() <= 1 && received.len() <= 1 {
        return Ok(vec![(sent.to_vec(), received.to_vec())]);
    }
    let pairs = match rules.several {
        Several::Refuse => return Err(TooManyLegs),
        Several::Columns => {
            let chunk = |side: &[Flow], nth: usize| {
                side.chunks(rules.slots)
                    .nth(nth)
                    .map_or(Vec::new(), <[Flow]>::to_vec)
            };
            let count = sent.len().max(received.len()).div_ceil(rules.slots);
            return Ok((0..count)
                .map(|nth| (chunk(sent, nth), chunk(received, nth)))
                .collect());
        }
        Several::InOrder => spread::in_order(sent, received),
        Several::ProRata => {
            let without_values = |side: &[Flow]| -> Vec<Flow> {
                let plain = |flow: &Flow| Flow {
                    value: None,
                    ..*flow
                };
                side.iter().map(plain).collect()
            };
            // Numbers too long to be divided by value are divided evenly, and those too long even for that stand side by side.
            spread::pro_rata(sent, received, max_digits)
                .or_else(|| {
                    spread::pro_rata(&without_values(sent), &without_values(received), max_digits)
                })
                .unwrap_or_else(|| spread::in_order(sent, received))
        }
    };
    Ok(pairs
        .into_iter()
        .map(|(sent, received)| (one(sent), one(received)))
        .collect())
}

/// A row for each leg; or one for both, where one of them is only a price.
fn unfolded(row: Row, rules: &RowRules, asked: &dyn Asked) -> Vec<Row> {
    let one_each = row.sent.len() == 1 && row.received.len() == 1;
    if one_each && (row.to_account.is_some() || carries(&row, rules, asked)) {
        let paid_with_money = asked.is_fiat(row.sent[0].asset);
        let got_money = asked.is_fiat(row.received[0].asset);
        let leg = if got_money && !paid_with_money {
            Side::Out
        } else {
            Side::In
        };
        return vec![Row {
            leg: Some(leg),
            ..row
        }];
    }
    let sent = row.sent.iter().map(|flow| Row {
        leg: Some(Side::Out),
        event_sides: row.event_sides,
        ..Row::of(row.kind, row.account, vec![*flow], vec![])
    });
    let received = row.received.iter().map(|flow| Row {
        leg: Some(Side::In),
        event_sides: row.event_sides,
        ..Row::of(row.kind, row.account, vec![], vec![*flow])
    });
    sent.chain(received).collect()
}

fn carries(row: &Row, rules: &RowRules, asked: &dyn Asked) -> bool {
    row.side() == Side::Both
        && rules
            .carries
            .as_ref()
            .is_some_and(|condition| asked.holds(row, condition))
}

/// Puts a fee into a row of its account, if the target allows it in one.
fn placed(rows: &mut [Row], fee: Flow, rules: &RowRules, asked: &dyn Asked) -> bool {
    if rules.fee == FeeRule::Row || (fee.stream == Stream::Rebate && rules.rebate == Rebate::Row) {
        return false;
    }
    for row in rows.iter_mut() {
        if row.account != fee.account || row.fee.is_some() {
            continue;
        }
        let mut with = row.clone();
        with.fee = Some(fee);
        with.takes.push(fee);
        if rules.fee == FeeRule::Included && !include(&mut with, fee) {
            continue;
        }
        if rules
            .fee_when
            .as_ref()
            .is_none_or(|condition| asked.holds(&with, condition))
        {
            *row = with;
            return true;
        }
    }
    false
}

/// Takes a fee off what came in, or adds it to what went out, of the same asset.
fn include(row: &mut Row, fee: Flow) -> bool {
    if fee.stream == Stream::Rebate {
        return false;
    }
    let same = |flow: &&mut Flow| flow.asset == fee.asset;
    // In a transfer of one row, what came in is another account's.
    let may_take_off = row.to_account.is_none();
    if may_take_off
        && let Some(flow) = row.received.iter_mut().find(same)
        && let Some(net) = flow.amount.checked_sub(fee.amount)
        && net.is_positive()
    {
        flow.amount = net;
        return true;
    }
    if let Some(flow) = row.sent.iter_mut().find(same)
        && let Some(gross) = flow.amount.checked_add(fee.amount)
    {
        flow.amount = gross;
        return true;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Several;

    /// Money is asset 9; every condition holds unless the row only receives.
    struct World;

    impl Asked for World {
        fn holds(&self, row: &Row, _: &Expr) -> bool {
            row.side() != Side::In
        }

        fn is_fiat(&self, asset: NameId) -> bool {
            asset == NameId(9)
        }
    }

    const RULES: RowRules = RowRules {
        shape: Shape::Event,
        several: Several::ProRata,
        slots: 2,
        fee: FeeRule::Column,
        fee_when: None,
        rebate: Rebate::Row,
        transfer: Transfer::TwoRows,
        carries: None,
    };

    fn flow(account: u32, stream: Stream, amount: &str, asset: u32) -> Flow {
        Flow {
            account: NameId(account),
            asset: NameId(asset),
            stream,
            amount: amount.parse().unwrap(),
            value: None,
        }
    }

    fn said(rows: &[Row]) -> Vec<String> {
        let list = |flows: &[Flow]| {
            let flows: Vec<String> = flows
                .iter()
                .map(|flow| format!("{}×{}", flow.amount, flow.asset.0))
                .collect();
            flows.join("+")
        };
        rows.iter()
            .map(|row| {
                let fee = row.fee.map_or(String::new(), |fee| {
                    format!(" fee {}×{}", fee.amount, fee.asset.0)
                });
                format!(
                    "{} {}: {} → {}{fee}",
                    row.kind,
                    row.account.0,
                    list(&row.sent),
                    list(&row.received)
                )
            })
            .collect()
    }

    fn made(kind: Kind, flows: &[Flow], rules: &RowRules) -> Vec<String> {
        said(&rows(kind, flows, rules, None, &World).unwrap())
    }

    #[test]
    fn a_trade_is_one_row_with_its_fee() {
        let flows = [
            flow(0, Stream::Received, "2", 1),
            flow(0, Stream::Sent, "100", 9),
            flow(0, Stream::Fee, "1", 9),
            flow(0, Stream::Rebate, "0.1", 2),
        ];
        assert_eq!(
            made(Kind::Trade, &flows, &RULES),
            ["trade 0: 100×9 → 2×1 fee 1×9", "fee_rebate 0:  → 0.1×2"]
        );
        let included = RowRules {
            fee: FeeRule::Included,
            ..RULES
        };
        assert_eq!(
            made(Kind::Trade, &flows, &included)[0],
            "trade 0: 101×9 → 2×1 fee 1×9"
        );
        let apart = RowRules {
            fee: FeeRule::Row,
            ..RULES
        };
        assert_eq!(
            made(Kind::Trade, &flows[..3], &apart),
            ["trade 0: 100×9 → 2×1", "fee 0: 1×9 → "]
        );
    }

    #[test]
    fn a_fee_in_the_received_asset_is_taken_off_it_unless_it_is_all_of_it() {
        let included = RowRules {
            fee: FeeRule::Included,
            ..RULES
        };
        let flows = [
            flow(0, Stream::Received, "2", 1),
            flow(0, Stream::Fee, "0.5", 1),
        ];
        assert_eq!(
            made(Kind::Deposit, &flows, &included),
            ["deposit 0:  → 1.5×1 fee 0.5×1"]
        );
        let all = [
            flow(0, Stream::Received, "2", 1),
            flow(0, Stream::Fee, "2", 1),
        ];
        assert_eq!(
            made(Kind::Deposit, &all, &included),
            ["deposit 0:  → 2×1", "fee 0: 2×1 → "]
        );
    }

    #[test]
    fn a_fee_that_may_not_stand_in_the_row_is_a_row_of_its_own() {
        let rules = RowRules {
            fee_when: Some(Expr::FileName),
            ..RULES
        };
        let deposit = [
            flow(0, Stream::Received, "2", 1),
            flow(0, Stream::Fee, "0.5", 1),
        ];
        assert_eq!(
            made(Kind::Deposit, &deposit, &rules),
            ["deposit 0:  → 2×1", "fee 0: 0.5×1 → "]
        );
    }

    #[test]
    fn a_transfer_is_a_row_for_each_account_or_one_for_both() {
        let flows = [
            flow(0, Stream::Sent, "5", 1),
            flow(1, Stream::Received, "5", 1),
            flow(0, Stream::Fee, "0.1", 1),
        ];
        assert_eq!(
            made(Kind::Transfer, &flows, &RULES),
            ["transfer 0: 5×1 →  fee 0.1×1", "transfer 1:  → 5×1"]
        );
        let one = RowRules {
            transfer: Transfer::OneRow,
            ..RULES
        };
        assert_eq!(
            made(Kind::Transfer, &flows, &one),
            ["transfer 0: 5×1 → 5×1 fee 0.1×1"]
        );
    }

    #[test]
    fn a_row_of_one_leg_carries_a_price_where_it_may() {
        let legs = RowRules {
            shape: Shape::Leg,
            ..RULES
        };
        let flows = [
            flow(0, Stream::Received, "2", 1),
            flow(0, Stream::Sent, "100", 9),
        ];
        assert_eq!(
            made(Kind::Trade, &flows, &legs),
            ["trade 0: 100×9 → ", "trade 0:  → 2×1"]
        );
        let priced = RowRules {
            carries: Some(Expr::FileName),
            ..legs
        };
        let carried = rows(Kind::Trade, &flows, &priced, None, &World).unwrap();
        assert_eq!(said(&carried), ["trade 0: 100×9 → 2×1"]);
        assert_eq!(carried[0].leg, Some(Side::In));
    }

    #[test]
    fn several_legs_go_as_the_target_says() {
        let flows = [
            flow(0, Stream::Received, "1", 1),
            flow(0, Stream::Sent, "3", 2),
            flow(0, Stream::Sent, "4", 3),
            flow(0, Stream::Sent, "5", 4),
        ];
        let order = RowRules {
            several: Several::InOrder,
            ..RULES
        };
        assert_eq!(
            made(Kind::Trade, &flows, &order),
            ["trade 0: 3×2 → 1×1", "trade 0: 4×3 → ", "trade 0: 5×4 → "]
        );
        let columns = RowRules {
            several: Several::Columns,
            ..RULES
        };
        assert_eq!(
            made(Kind::Trade, &flows, &columns),
            ["trade 0: 3×2+4×3 → 1×1", "trade 0: 5×4 → "]
        );
        let refuse = RowRules {
            several: Several::Refuse,
            ..RULES
        };
        assert!(rows(Kind::Trade, &flows, &refuse, None, &World).is_err());
    }
}
