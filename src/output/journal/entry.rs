//! An event as postings that balance: what moved in the person's accounts, and what that stands against.

#[cfg(test)]
mod tests;

use super::dialect::Counter;
use super::layout::Trades;
use crate::convert::Leg;
use crate::model::{Amount, Kind, NameId, Overflow, Role, Sum};

/// One line of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    pub to: To,
    /// The person's account; with a counter account, the one that it stands against.
    pub account: NameId,
    pub asset: NameId,
    pub amount: Amount,
    /// What the amount cost in all, without a sign.
    pub cost: Option<(Amount, NameId)>,
    /// What the source says it was worth: of each leg that is in it.
    pub values: Vec<(Amount, NameId)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    Own,
    Counter(Counter),
}

/// Why an event cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryError {
    /// What is left of an asset.
    Unbalanced(NameId, Amount),
    Overflow,
}

impl From<Overflow> for EntryError {
    fn from(_: Overflow) -> EntryError {
        EntryError::Overflow
    }
}

/// How trades are written.
pub struct TradePolicy {
    pub trades: Trades,
    /// By asset: the smaller, the rather it is a price.
    pub price_rank: Vec<usize>,
    /// Most digits of a cost as it is written.
    pub cost_digits: Option<u8>,
    pub least_decimals: u8,
}

/// The postings of an event, in the order of its legs; what they stand against comes after them, the fees' at once.
///
/// # Errors
/// When a sum does not fit, or if the postings did not balance.
pub fn postings(
    kind: Kind,
    legs: &[Leg],
    policy: &TradePolicy,
) -> Result<Vec<Posting>, EntryError> {
    let cost = match kind {
        // Who is liquidated sells, unasked.
        Kind::Trade | Kind::Liquidation if policy.trades == Trades::TotalCost => {
            total_cost(legs, policy)?
        }
        _ => None,
    };
    let mut postings: Vec<Posting> = Vec::with_capacity(legs.len() * 2);
    let mut rests: Vec<(NameId, NameId, Sum)> = Vec::new();
    for leg in legs {
        let own = Posting {
            to: To::Own,
            account: leg.account,
            asset: leg.asset,
            amount: leg.amount,
            cost: None,
            values: leg.value.into_iter().collect(),
        };
        if leg.role == Role::Fee {
            let fee = (!leg.amount.is_zero()).then(|| against(&own, Counter::Fee, leg.amount));
            postings.push(own);
            postings.extend(fee);
            continue;
        }
        match rests.iter_mut().find(|(asset, ..)| *asset == leg.asset) {
            Some((.., rest)) => rest.add(leg.amount)?,
            None => {
                let mut rest = Sum::ZERO;
                rest.add(leg.amount)?;
                rests.push((leg.asset, leg.account, rest));
            }
        }
        let costing = cost
            .as_ref()
            .filter(|cost| cost.bearer == leg.asset && !leg.amount.is_zero());
        let Some(cost) = costing else {
            postings.push(own);
            continue;
        };
        // One cost is that of one posting: the legs that bear it together are written as their sum.
        match postings.iter_mut().find(|posting| posting.cost.is_some()) {
            Some(posting) => {
                posting.amount = posting.amount.checked_add(leg.amount).ok_or(Overflow)?;
                posting.values.extend(leg.value);
            }
            None => postings.push(Posting {
                cost: Some((cost.total, cost.price)),
                ..own
            }),
        }
    }
    if cost.is_none() {
        for (asset, account, rest) in rests {
            let rest = rest.total();
            if !rest.is_zero() {
                let own = Posting {
                    to: To::Own,
                    account,
                    asset,
                    amount: rest,
                    cost: None,
                    values: Vec::new(),
                };
                postings.push(against(&own, counter(kind, rest), rest));
            }
        }
    }
    balanced(&postings)?;
    Ok(postings)
}

fn against(own: &Posting, counter: Counter, amount: Amount) -> Posting {
    Posting {
        to: To::Counter(counter),
        account: own.account,
        asset: own.asset,
        amount: amount.neg(),
        cost: None,
        values: Vec::new(),
    }
}

fn counter(kind: Kind, rest: Amount) -> Counter {
    match kind {
        Kind::Trade => Counter::Conversion,
        Kind::Transfer => Counter::Transfers,
        Kind::Fee => Counter::Fee,
        _ if rest.is_negative() => Counter::Out,
        _ => Counter::In,
    }
}

/// What one asset of a trade cost in the other.
struct Cost {
    bearer: NameId,
    price: NameId,
    total: Amount,
}

/// The cost of a trade of one asset for one other, if its exact total can be said of one posting.
fn total_cost(legs: &[Leg], policy: &TradePolicy) -> Result<Option<Cost>, Overflow> {
    let moved = || {
        legs.iter()
            .filter(|leg| leg.role == Role::Main && !leg.amount.is_zero())
    };
    let mut sent = moved()
        .filter(|leg| leg.amount.is_negative())
        .map(|leg| leg.asset);
    let mut received = moved()
        .filter(|leg| leg.amount.is_positive())
        .map(|leg| leg.asset);
    let (Some(out), Some(came)) = (sent.next(), received.next()) else {
        return Ok(None);
    };
    if out == came || sent.any(|asset| asset != out) || received.any(|asset| asset != came) {
        return Ok(None);
    }
    let rank = |asset: NameId| policy.price_rank[asset.0 as usize];
    let (bearer, price) = if rank(came) < rank(out) {
        (out, came)
    } else {
        (came, out)
    };
    let mut accounts = moved()
        .filter(|leg| leg.asset == bearer)
        .map(|leg| leg.account);
    let first = accounts.next();
    if accounts.any(|account| Some(account) != first) {
        return Ok(None);
    }
    let total_of = |asset: NameId| -> Result<Amount, Overflow> {
        let mut sum = Sum::ZERO;
        moved()
            .filter(|leg| leg.asset == asset)
            .try_for_each(|leg| sum.add(leg.amount))?;
        Ok(sum.total().abs())
    };
    let total = total_of(price)?;
    let fits = |amount: Amount| {
        policy
            .cost_digits
            .is_none_or(|most| digits(amount, policy.least_decimals) <= u32::from(most))
    };
    Ok((fits(total) && fits(total_of(bearer)?)).then_some(Cost {
        bearer,
        price,
        total,
    }))
}

/// How many digits an amount has as it is written, the zeros before the first other not counted.
pub fn digits(amount: Amount, least_decimals: u8) -> u32 {
    let own = amount
        .mantissa()
        .unsigned_abs()
        .checked_ilog10()
        .map_or(0, |log| log + 1);
    own + u32::from(least_decimals.saturating_sub(amount.scale()))
}

/// Asserts that every commodity adds up to nothing, costs taken for what they stand at.
fn balanced(postings: &[Posting]) -> Result<(), EntryError> {
    let mut sums: Vec<(NameId, Sum)> = Vec::new();
    for posting in postings {
        let (amount, asset) = match posting.cost {
            None => (posting.amount, posting.asset),
            Some((total, asset)) if posting.amount.is_negative() => (total.neg(), asset),
            Some((total, asset)) => (total, asset),
        };
        match sums.iter_mut().find(|(known, _)| *known == asset) {
            Some((_, sum)) => sum.add(amount)?,
            None => {
                let mut sum = Sum::ZERO;
                sum.add(amount)?;
                sums.push((asset, sum));
            }
        }
    }
    match sums.iter().find(|(_, sum)| !sum.is_zero()) {
        Some((asset, sum)) => Err(EntryError::Unbalanced(*asset, sum.total())),
        None => Ok(()),
    }
}
