//! The transactions layout: one row for each event with what was sent, received and paid as fee.
//!
//! An event with several legs on a side, or in several accounts, becomes several rows of the same `event`: its legs are
//! put side by side in their order, so that the rows add up exactly to the legs.

use super::csv_text::{put_cell, put_id};
use super::readback::WrittenSums;
use super::write::{Layout, Written};
use crate::convert::Leg;
use crate::ledger::EventView;
use crate::model::headers;
use crate::model::{Amount, NameId, Role};

pub struct Transactions;

/// One row: of an event, one account's next leg that goes out, that comes in, and that is a fee.
pub(super) struct Paired {
    pub account: NameId,
    pub sent: Option<Leg>,
    pub received: Option<Leg>,
    pub fee: Option<Leg>,
}

impl Paired {
    /// What the source says that the row was worth: what came in, or else what went out.
    pub fn value(&self) -> Option<(Amount, NameId)> {
        self.received
            .and_then(|leg| leg.value)
            .or_else(|| self.sent.and_then(|leg| leg.value))
    }
}

#[derive(Default)]
struct Sides {
    sent: Vec<Leg>,
    received: Vec<Leg>,
    fees: Vec<Leg>,
}

impl Layout for Transactions {
    fn header(&self) -> &'static str {
        headers::TRANSACTIONS
    }

    fn event(
        &self,
        view: &EventView<'_>,
        written: &Written<'_>,
        out: &mut Vec<u8>,
        sums: &mut WrittenSums,
    ) -> u64 {
        let ids = ids(view);
        let mut lines = 0;
        for row in paired(view) {
            view.time.write_to(out);
            out.push(b',');
            out.extend_from_slice(view.kind.word().as_bytes());
            out.push(b',');
            out.extend_from_slice(&written.account_cells[row.account.0 as usize]);
            for (leg, sign) in [(&row.sent, -1), (&row.received, 1), (&row.fee, -1)] {
                out.push(b',');
                if let Some(leg) = leg {
                    put_amount(out, leg, sign, written, sums);
                } else {
                    out.push(b',');
                }
            }
            out.push(b',');
            if let Some((value, currency)) = row.value() {
                value.write_to(out);
                out.push(b',');
                out.extend_from_slice(&written.asset_cells[currency.0 as usize]);
            } else {
                out.push(b',');
            }
            out.push(b',');
            put_cell(out, &ids, b',');
            out.push(b',');
            put_cell(out, view.texts[4], b',');
            out.push(b',');
            put_id(out, view.id);
            out.push(b'\n');
            lines += 1;
        }
        lines
    }
}

/// Amount and asset; what goes out is written without its sign (a rebate, which is a fee that comes in, with a minus).
fn put_amount(
    out: &mut Vec<u8>,
    leg: &Leg,
    sign: i128,
    written: &Written<'_>,
    sums: &mut WrittenSums,
) {
    let start = out.len();
    if sign < 0 {
        leg.amount.neg()
    } else {
        leg.amount
    }
    .write_to(out);
    sums.add(
        written.names.account(leg.account),
        written.names.asset(leg.asset),
        &out[start..],
        sign,
    );
    out.push(b',');
    out.extend_from_slice(&written.asset_cells[leg.asset.0 as usize]);
}

/// An event's legs, paired in their order, account by account.
pub(super) fn paired(view: &EventView<'_>) -> Vec<Paired> {
    let mut accounts: Vec<(NameId, Sides)> = Vec::new();
    view.for_each_leg(|leg, _| {
        let place = accounts
            .iter()
            .position(|(account, _)| *account == leg.account)
            .unwrap_or_else(|| {
                accounts.push((leg.account, Sides::default()));
                accounts.len() - 1
            });
        let sides = &mut accounts[place].1;
        match leg.role {
            Role::Fee => sides.fees.push(*leg),
            Role::Main if leg.amount.is_negative() => sides.sent.push(*leg),
            Role::Main => sides.received.push(*leg),
        }
    });
    let mut rows = Vec::new();
    for (account, sides) in accounts {
        let count = sides
            .sent
            .len()
            .max(sides.received.len())
            .max(sides.fees.len());
        rows.extend((0..count).map(|row| Paired {
            account,
            sent: sides.sent.get(row).copied(),
            received: sides.received.get(row).copied(),
            fee: sides.fees.get(row).copied(),
        }));
    }
    rows
}

/// The source's ids of an event, with blanks between them.
pub(super) fn ids(view: &EventView<'_>) -> Vec<u8> {
    let mut ids = Vec::new();
    for id in &view.texts[..3] {
        if !id.is_empty() {
            if !ids.is_empty() {
                ids.push(b' ');
            }
            ids.extend_from_slice(id);
        }
    }
    ids
}
