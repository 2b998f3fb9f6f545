//! The transactions layout: one row for each event with what was sent, received and paid as fee.
//!
//! An event with several legs on a side, or in several accounts, becomes several rows of the same `event`: its legs are
//! put side by side in their order, so that the rows add up exactly to the legs.

use super::csv_text::{Lines, is_plain, quoted};
use super::write::{Layout, Page, Written};
use crate::convert::{Leg, LegText};
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

    fn event(&self, view: &EventView<'_>, written: &Written<'_>, page: &mut Page) -> u64 {
        // Most events are one row: one account, and one leg on a side.
        let mut row: [Option<LegText<'_>>; 3] = [None; 3];
        let mut account = None;
        let mut is_one_row = true;
        view.for_each_leg_text(|leg, _| {
            is_one_row &= *account.get_or_insert(leg.account) == leg.account;
            let place = &mut row[Side::of(leg) as usize];
            is_one_row &= place.is_none();
            *place = Some(*leg);
        });
        match account {
            Some(account) if is_one_row => {
                put_row(view, written, page, account, &row);
                1
            }
            _ => {
                let mut legs = Vec::new();
                view.for_each_leg_text(|leg, _| legs.push(Some(*leg)));
                put_rows(view, written, page, &mut legs)
            }
        }
    }
}

/// Writes the rows of an event, account by account; takes its legs away as they are written.
fn put_rows(
    view: &EventView<'_>,
    written: &Written<'_>,
    page: &mut Page,
    legs: &mut [Option<LegText<'_>>],
) -> u64 {
    let mut lines = 0;
    while let Some(account) = legs.iter().flatten().map(|leg| leg.account).next() {
        loop {
            let mut next = |wanted: Side| {
                legs.iter_mut()
                    .find(|leg| {
                        leg.is_some_and(|leg| leg.account == account && Side::of(&leg) == wanted)
                    })
                    .and_then(Option::take)
            };
            let row = [next(Side::Sent), next(Side::Received), next(Side::Fee)];
            if row.iter().all(Option::is_none) {
                break;
            }
            put_row(view, written, page, account, &row);
            lines += 1;
        }
    }
    lines
}

/// Where in a row a leg stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Sent,
    Received,
    Fee,
}

impl Side {
    fn of(leg: &LegText<'_>) -> Side {
        match leg.role {
            Role::Fee => Side::Fee,
            Role::Main if leg.negative => Side::Sent,
            Role::Main => Side::Received,
        }
    }
}

/// Writes a row: an account, and what was sent, received and paid as a fee.
fn put_row(
    view: &EventView<'_>,
    written: &Written<'_>,
    page: &mut Page,
    account: NameId,
    row: &[Option<LegText<'_>>; 3],
) {
    let mut out = Lines::new(&mut page.lines, &mut page.text);
    let (time, length) = page.times.text(view.time);
    out.put_block(time, length);
    out.put_ready(&written.kinds[view.kind as usize]);
    out.put_ready(&written.accounts[account.0 as usize]);
    out.put_byte(b',');
    for (leg, side) in row.iter().zip([Side::Sent, Side::Received, Side::Fee]) {
        if let Some(leg) = leg {
            // What goes out is written without its sign; a rebate, which is a fee that comes in, with a minus.
            let goes_out = side != Side::Received;
            let minus = leg.negative != goes_out && !leg.amount().is(b"0");
            let place = out.put_amount(minus, leg.amount());
            page.sums
                .add_at(account.0, leg.asset.0, out.written(), place, goes_out);
            out.put_ready(&written.assets[leg.asset.0 as usize]);
        } else {
            out.put_bytes(b",,");
        }
    }
    let [sent, received, _] = row;
    let value = received.as_ref().and_then(LegText::value);
    if let Some((value, currency)) = value.or_else(|| sent.as_ref().and_then(LegText::value)) {
        out.put_within(value);
        out.put_ready(&written.assets[currency.0 as usize]);
    } else {
        out.put_bytes(b",,");
    }
    put_ids(&mut out, view);
    out.put_byte(b',');
    out.put_cell(view.texts[4]);
    out.put_byte(b',');
    out.put_id(view.id);
    out.put_byte(b'\n');
    out.finish();
}

/// The source's ids of an event as one cell.
#[inline]
fn put_ids(out: &mut Lines<'_>, view: &EventView<'_>) {
    let ids = view.texts.first_chunk().expect("three ids");
    if !out.put_joined(ids) {
        put_other_ids(out, view);
    }
}

/// As [`put_ids`], of ids that are long or may need quotes.
#[inline(never)]
fn put_other_ids(out: &mut Lines<'_>, view: &EventView<'_>) {
    let ids = view.texts[..3].iter().filter(|id| !id.is_empty());
    if !ids.clone().all(|id| is_plain(id, b',')) {
        out.put(&quoted(&self::ids(view)));
        return;
    }
    let mut is_first = true;
    for id in ids {
        if !std::mem::replace(&mut is_first, false) {
            out.put_byte(b' ');
        }
        out.put(id);
    }
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
