//! The transactions layout: one row for each event with what was sent, received and paid as fee.
//!
//! An event with several legs on a side, or in several accounts, becomes several rows of the same `event`: its legs are
//! put side by side in their order, so that the rows add up exactly to the legs.

use super::csv_text::{Lines, is_plain, quoted};
use super::readback::WrittenSums;
use super::write::{Layout, Page, Written};
use crate::convert::{Leg, LegText};
use crate::ledger::{Event, EventView, Views};
use crate::mapping::TEXT_COUNT;
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

    fn events<'l>(
        &self,
        views: &Views<'l>,
        events: &'l [Event],
        written: &Written<'_>,
        page: &mut Page,
    ) -> u64 {
        let mut lines = 0;
        for event in events {
            lines += put_event(views, event, written, page);
        }
        lines
    }
}

/// Writes the rows of an event.
#[inline(always)]
fn put_event(views: &Views<'_>, event: &Event, written: &Written<'_>, page: &mut Page) -> u64 {
    if event.is_one_row() {
        let view = views.view(event);
        let mut row = [None; 3];
        let mut legs = view.leg_texts_of_first_row();
        if let Some(account) = one_row(&mut legs, &mut row) {
            put_row(&view, written, page, account, &row);
            return 1;
        }
        // The view is made anew: otherwise it would have to lie in memory for every event.
    }
    put_group(views, event, written, page)
}

/// The legs of a row, by their sides.
type Row<'l> = [Option<LegText<'l>>; 3];

/// Makes a row of legs and gives its account, if that is one row, as most events are: of one account, and one leg on a
/// side.
#[inline(always)]
fn one_row<'l>(legs: &mut impl Iterator<Item = LegText<'l>>, row: &mut Row<'l>) -> Option<NameId> {
    let first = legs.next()?;
    let account = first.account;
    row[Side::of(&first) as usize] = Some(first);
    for leg in legs {
        let place = &mut row[Side::of(&leg) as usize];
        if leg.account != account || place.is_some() {
            return None;
        }
        *place = Some(leg);
    }
    Some(account)
}

/// As [`put_event`], of an event that is several rows of a file or of this layout.
#[inline(never)]
fn put_group(views: &Views<'_>, event: &Event, written: &Written<'_>, page: &mut Page) -> u64 {
    let view = views.view(event);
    let mut row = [None; 3];
    let mut legs = view.leg_texts().map(|(leg, _)| leg);
    if let Some(account) = one_row(&mut legs, &mut row) {
        put_row(&view, written, page, account, &row);
        return 1;
    }
    let legs = view.leg_texts().map(|(leg, _)| Some(leg));
    put_rows(&view, written, page, &mut legs.collect::<Vec<_>>())
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
#[inline(always)]
fn put_row(
    view: &EventView<'_>,
    written: &Written<'_>,
    page: &mut Page,
    account: NameId,
    row: &Row<'_>,
) {
    let mut out = Lines::new(&mut page.lines, &mut page.text);
    let (time, length) = page.times.text(view.time);
    out.put_block(time, length);
    out.put_ready(&written.kinds[view.kind as usize]);
    out.put_ready(&written.accounts[account.0 as usize]);
    out.put_byte(b',');
    let [sent, received, fee] = row;
    put_leg(&mut out, &mut page.sums, written, Side::Sent, sent);
    put_leg(&mut out, &mut page.sums, written, Side::Received, received);
    put_leg(&mut out, &mut page.sums, written, Side::Fee, fee);
    let value = received.as_ref().and_then(LegText::value);
    if let Some((value, currency)) = value.or_else(|| sent.as_ref().and_then(LegText::value)) {
        out.put_within(value);
        out.put_ready(&written.assets[currency.0 as usize]);
    } else {
        out.put_bytes(b",,");
    }
    let mut out = put_ids_and_note(out, view);
    out.put_byte(b',');
    out.put_id(view.id);
    out.put_byte(b'\n');
    out.finish();
}

/// Writes an amount and its asset.
#[inline(always)]
fn put_leg(
    out: &mut Lines<'_>,
    sums: &mut WrittenSums,
    written: &Written<'_>,
    side: Side,
    leg: &Option<LegText<'_>>,
) {
    let Some(leg) = leg else {
        out.put_bytes(b",,");
        return;
    };
    // What goes out is written without its sign; a rebate, which is a fee that comes in, with a minus.
    let goes_out = side != Side::Received;
    let minus = side == Side::Fee && !leg.negative && !leg.amount().is(b"0");
    let place = out.put_amount(minus, leg.amount());
    sums.add_at(leg.account.0, leg.asset.0, out.written(), place, goes_out);
    out.put_ready(&written.assets[leg.asset.0 as usize]);
}

/// So many of the first texts of an event are ids.
const IDS: usize = 3;
/// The place of the note among them.
const NOTE: usize = 4;

/// The source's ids of an event as one cell, and its note as another.
#[inline(always)]
fn put_ids_and_note<'p>(mut out: Lines<'p>, view: &EventView<'_>) -> Lines<'p> {
    let mut note: &[u8] = &[];
    let is_joined = view.texts_there().is_some_and(|texts| {
        out.put_joined(texts.filter_map(|(nth, text)| {
            if nth == NOTE {
                note = text;
            }
            (nth < IDS).then_some(text)
        }))
    });
    if !is_joined {
        let texts = view.texts();
        note = texts[NOTE];
        out = put_other_ids(out, &texts);
    }
    out.put_byte(b',');
    out.put_cell(note);
    out
}

/// Puts the ids among texts, whatever they are.
#[inline(never)]
fn put_other_ids<'p>(mut out: Lines<'p>, texts: &[&[u8]; TEXT_COUNT]) -> Lines<'p> {
    let ids = texts[..IDS].iter().filter(|id| !id.is_empty());
    if ids.clone().all(|id| is_plain(id, b',')) {
        let mut is_first = true;
        for id in ids {
            if !std::mem::replace(&mut is_first, false) {
                out.put_byte(b' ');
            }
            out.put(id);
        }
    } else {
        out.put(&quoted(&joined(texts)));
    }
    out
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
    joined(&view.texts())
}

/// The ids among texts, with blanks between them.
fn joined(texts: &[&[u8]; TEXT_COUNT]) -> Vec<u8> {
    let ids = texts[..IDS].iter().filter(|id| !id.is_empty());
    ids.copied().collect::<Vec<_>>().join(&b' ')
}
