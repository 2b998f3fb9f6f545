//! The ledger as CSV: one line for each leg.

use super::csv_text::{Lines, Mark, id_text};
use super::write::{Layout, Page, Written};
use crate::convert::LegText;
use crate::ledger::{Event, EventRef, EventView, Views};
use crate::mapping::TEXT_COUNT;
use crate::model::{Role, headers};

pub struct LedgerCsv;

/// Where the first line of an event, and of a row in it, has what the others copy.
#[derive(Clone, Copy)]
struct Shared {
    texts: Mark,
    /// Behind the texts; there the place of the row begins.
    texts_end: Mark,
    end: Mark,
    /// The row whose place that is.
    row: EventRef,
}

impl Layout for LedgerCsv {
    fn header(&self) -> &'static str {
        headers::LEDGER
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

/// Writes the lines of an event.
#[inline(always)]
fn put_event(views: &Views<'_>, event: &Event, written: &Written<'_>, page: &mut Page) -> u64 {
    if !event.is_one_row() {
        return put_any(views.view(event), written, page);
    }
    let view = views.view(event);
    let at = view.members[0];
    let legs = view.leg_texts_of_first_row().map(|leg| (leg, at));
    put_lines(&view, legs, written, page)
}

/// As [`put_event`], of an event that may be several rows.
#[inline(never)]
pub(super) fn put_any(view: EventView<'_>, written: &Written<'_>, page: &mut Page) -> u64 {
    put_lines(&view, view.leg_texts(), written, page)
}

/// Writes a line for each leg.
#[inline(always)]
fn put_lines<'l>(
    view: &EventView<'_>,
    legs: impl Iterator<Item = (LegText<'l>, EventRef)>,
    written: &Written<'_>,
    page: &mut Page,
) -> u64 {
    let Page {
        text,
        sums,
        times,
        lines,
    } = page;
    let mut out = Lines::new(lines, text);
    // What every line begins with: the id and the time.
    let mut start = [0; 64];
    let (time, time_length) = times.text(view.time);
    start[..16].copy_from_slice(&id_text(view.id));
    start[16] = b',';
    start[17..17 + time.len()].copy_from_slice(time);
    let kind = &written.kinds[view.kind as usize];
    let mut count = 0;
    let mut shared: Option<Shared> = None;
    for (leg, at) in legs {
        out.put_block(&start, 17 + time_length);
        out.put_ready(kind);
        out.put_ready(&written.accounts[leg.account.0 as usize]);
        out.put_ready(&written.assets[leg.asset.0 as usize]);
        let place = out.put_amount(leg.negative, leg.amount());
        sums.add_at(leg.account.0, leg.asset.0, out.written(), place, false);
        let (role, length) = match leg.role {
            Role::Main => (b",main,", 6),
            Role::Fee => (b",fee, ", 5),
        };
        out.put_block(role, length);
        if let Some((value, currency)) = leg.value() {
            out.put_within(value);
            out.put_ready(&written.assets[currency.0 as usize]);
        } else {
            out.put_bytes(b",,");
        }
        count += 1;
        let last = shared;
        if last.is_some_and(|last| last.row == at && out.repeat(last.texts, last.end)) {
            continue;
        }
        let texts = out.mark();
        if !last.is_some_and(|last| out.repeat(last.texts, last.texts_end)) {
            put_texts(&mut out, view);
        }
        let texts_end = out.mark();
        out.put_ready(&written.files[view.ledger.file_index(at)]);
        out.put_number(view.line(at));
        out.put_byte(b'\n');
        shared = Some(Shared {
            texts,
            texts_end,
            end: out.mark(),
            row: at,
        });
    }
    out.finish();
    count
}

/// Puts all texts of an event as cells, each with a comma behind it.
#[inline(always)]
fn put_texts(out: &mut Lines<'_>, view: &EventView<'_>) {
    let Some(texts) = view.texts_there() else {
        for text in &view.texts() {
            out.put_cell(text);
            out.put_byte(b',');
        }
        return;
    };
    let mut commas = 0;
    for (nth, text) in texts {
        out.put_block(b",,,,,,,,", nth - commas);
        commas = nth;
        out.put_cell(text);
    }
    out.put_block(b",,,,,,,,", TEXT_COUNT - commas);
}
