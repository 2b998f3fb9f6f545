//! The ledger as JSON Lines: one object for each leg, with the fields of the CSV. Amounts are texts: a JSON number would
//! lose digits in most readers.

use super::csv_text::{put_id, put_number};
use super::write::{Layout, Page, Written};
use crate::ledger::{Event, EventView, Views};

pub struct JsonLines;

const TEXT_KEYS: [&str; crate::mapping::TEXT_COUNT] =
    ["order_id", "trade_id", "tx_hash", "address", "note"];

impl Layout for JsonLines {
    fn header(&self) -> &'static str {
        ""
    }

    fn events<'l>(
        &self,
        views: &Views<'l>,
        events: &'l [Event],
        written: &Written<'_>,
        page: &mut Page,
    ) -> u64 {
        let views = events.iter().map(|event| views.view(event));
        views.map(|view| put_event(&view, written, page)).sum()
    }
}

/// Writes an object for each leg of an event.
fn put_event(view: &EventView<'_>, written: &Written<'_>, page: &mut Page) -> u64 {
    let Page {
        text: out,
        sums,
        times,
        ..
    } = page;
    let mut lines = 0;
    view.for_each_leg_text(|leg, at| {
        let account = written.names.account(leg.account);
        let asset = written.names.asset(leg.asset);
        out.extend_from_slice(b"{\"event\":\"");
        put_id(out, view.id);
        out.extend_from_slice(b"\",\"time\":\"");
        times.write(view.time, out);
        out.push(b'"');
        put_text(out, "kind", view.kind.word());
        put_text(out, "account", account);
        put_text(out, "asset", asset);
        out.extend_from_slice(b",\"amount\":\"");
        let start = out.len();
        if leg.negative {
            out.push(b'-');
        }
        out.extend_from_slice(leg.amount().bytes());
        sums.add_at(leg.account.0, leg.asset.0, out, start..out.len(), false);
        out.push(b'"');
        put_text(out, "role", leg.role.word());
        let (value, currency) = match leg.value() {
            Some((value, currency)) => (value.bytes(), written.names.asset(currency)),
            None => (&b""[..], ""),
        };
        put_text(out, "value", &String::from_utf8_lossy(value));
        put_text(out, "value_currency", currency);
        for (key, text) in TEXT_KEYS.iter().zip(view.texts()) {
            put_text(out, key, &String::from_utf8_lossy(text));
        }
        let file = view.ledger.file_index(at);
        put_text(out, "format", &view.ledger.context(file).program.id);
        put_text(out, "file", &view.ledger.files[file].name);
        out.extend_from_slice(b",\"line\":");
        put_number(out, view.line(at));
        out.extend_from_slice(b"}\n");
        lines += 1;
    });
    lines
}

fn put_text(out: &mut Vec<u8>, key: &str, text: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    serde_json::to_writer(&mut *out, text).expect("a buffer takes a text");
}
