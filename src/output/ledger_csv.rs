//! The ledger as CSV: one line for each leg.

use super::csv_text::{put_cell, put_id, put_number};
use super::write::{Layout, Page, Written};
use crate::ledger::{EventRef, EventView};
use crate::model::headers;
use crate::model::short::put_short;

pub struct LedgerCsv;

impl Layout for LedgerCsv {
    fn header(&self) -> &'static str {
        headers::LEDGER
    }

    fn event(&self, view: &EventView<'_>, written: &Written<'_>, page: &mut Page) -> u64 {
        let Page {
            text: out,
            sums,
            times,
        } = page;
        let line_start = out.len();
        put_id(out, view.id);
        out.push(b',');
        times.write(view.time, out);
        out.push(b',');
        put_short(out, view.kind.word().as_bytes());
        out.push(b',');
        let prefix = line_start..out.len();
        // The texts are the same on every line of the event.
        let mut lines = 0;
        let mut texts: std::ops::Range<usize> = 0..0;
        // So is the place, where it is the same row's.
        let mut place: Option<(EventRef, std::ops::Range<usize>)> = None;
        view.for_each_leg_text(|leg, at| {
            if lines > 0 {
                out.extend_from_within(prefix.clone());
            }
            let account = &written.account_cells[leg.account.0 as usize];
            let asset = &written.asset_cells[leg.asset.0 as usize];
            put_short(out, account);
            out.push(b',');
            put_short(out, asset);
            out.push(b',');
            let start = out.len();
            if leg.negative {
                out.push(b'-');
            }
            put_short(out, leg.amount);
            sums.add_at(leg.account.0, leg.asset.0, out, start..out.len(), false);
            out.push(b',');
            put_short(out, leg.role.word().as_bytes());
            out.push(b',');
            if let Some((value, currency)) = leg.value {
                put_short(out, value);
                out.push(b',');
                put_short(out, &written.asset_cells[currency.0 as usize]);
            } else {
                out.push(b',');
            }
            out.push(b',');
            if lines == 0 {
                let start = out.len();
                for text in view.texts {
                    put_cell(out, text, b',');
                    out.push(b',');
                }
                texts = start..out.len();
            } else {
                out.extend_from_within(texts.clone());
            }
            match &place {
                Some((row, range)) if *row == at => out.extend_from_within(range.clone()),
                _ => {
                    let start = out.len();
                    let file = view.ledger.file_index(at);
                    put_short(out, view.ledger.context(file).program.id.as_bytes());
                    out.push(b',');
                    put_short(out, &written.file_cells[file]);
                    out.push(b',');
                    put_number(out, view.line(at));
                    out.push(b'\n');
                    place = Some((at, start..out.len()));
                }
            }
            lines += 1;
        });
        lines
    }
}
