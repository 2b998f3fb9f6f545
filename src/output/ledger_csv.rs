//! The ledger as CSV: one line for each leg.

use super::csv_text::{Lines, Mark};
use super::write::{Layout, Page, Written};
use crate::ledger::{EventRef, EventView};
use crate::model::{Role, headers};

pub struct LedgerCsv;

/// Where the first line of an event, and of a row in it, has what the others copy.
#[derive(Clone, Copy)]
struct Shared {
    start: Mark,
    /// Behind the kind.
    start_end: Mark,
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

    fn event(&self, view: &EventView<'_>, written: &Written<'_>, page: &mut Page) -> u64 {
        let Page {
            text,
            sums,
            times,
            lines,
        } = page;
        let mut out = Lines::new(lines, text);
        let mut count = 0;
        let mut shared: Option<Shared> = None;
        view.for_each_leg_text(|leg, at| {
            let start = out.mark();
            let last = shared.filter(|last| out.repeat(last.start, last.start_end));
            if last.is_none() {
                out.put_id(view.id);
                out.put_byte(b',');
                let (time, length) = times.text(view.time);
                out.put_block(time, length);
                out.put_ready(&written.kinds[view.kind as usize]);
            }
            let start_end = out.mark();
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
            if last.is_some_and(|last| last.row == at && out.repeat(last.texts, last.end)) {
                return;
            }
            let texts = out.mark();
            if !last.is_some_and(|last| out.repeat(last.texts, last.texts_end)) {
                for text in view.texts {
                    out.put_cell(text);
                    out.put_byte(b',');
                }
            }
            let texts_end = out.mark();
            out.put_ready(&written.files[view.ledger.file_index(at)]);
            out.put_number(view.line(at));
            out.put_byte(b'\n');
            shared = Some(Shared {
                start,
                start_end,
                texts,
                texts_end,
                end: out.mark(),
                row: at,
            });
        });
        out.finish();
        count
    }
}
