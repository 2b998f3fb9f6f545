//! The way of one row: raw cells → typed cells → rule → group → legs → fate.

use std::fmt::Write as _;

use crate::convert::{RowView, show_cell};
use crate::input::RecordReader;
use crate::ledger::{FileRow, Ledger, NameTexts};
use crate::mapping::Place;
use crate::model::Fate;

/// Tells the way of a row. `record` is the row as it stands in the file.
pub fn explain_row(
    ledger: &Ledger,
    names: &NameTexts,
    file: usize,
    row: &FileRow,
    record: &[u8],
) -> String {
    let ledger_file = &ledger.files[file];
    let context = &ledger_file.rows.context;
    let program = &context.program;
    let mut text = String::new();
    let line = row.line;
    let _ = writeln!(text, "{}:{line}", ledger_file.name);
    let _ = writeln!(
        text,
        "report    {} · {} ({})",
        program.exchange, program.report, program.id
    );
    let _ = writeln!(text, "cells");
    let mut reader = RecordReader::new(context.delimiter);
    let mut records = reader.start(record);
    if let Ok(Some(record)) = records.next() {
        let view = RowView {
            file: context,
            record,
        };
        for (at, cell) in record.iter().enumerate() {
            let header = context
                .binding
                .header
                .get(at)
                .map_or("(no header)", |header| header.trim());
            let owner = context
                .binding
                .owners
                .get(at)
                .copied()
                .flatten()
                .map(|column| &program.columns[column]);
            let cell = if owner.is_some_and(|column| column.private) {
                "(private)".into()
            } else {
                String::from_utf8_lossy(cell)
            };
            let _ = writeln!(text, "  {header}: {cell}");
        }
        let _ = writeln!(text, "read as");
        for (index, column) in program.columns.iter().enumerate() {
            let there = !matches!(
                context.binding.places[index],
                Place::Missing | Place::Family(_)
            );
            if there && !column.private && !view.cell(index).is_empty() {
                let _ = writeln!(text, "  {} = {}", column.name, show_cell(&view, index));
            }
        }
    }
    let fate = ledger.fate(file, row);
    if let Some(at) = fate.event {
        let rule = &program.rules[usize::from(ledger.record(at).rule())];
        let _ = writeln!(
            text,
            "rule      {} (formats/{}.toml:{})",
            rule.label, program.id, rule.line
        );
        if let Some(event) = ledger.event_of(at) {
            let view = ledger.view(event);
            if view.members.len() > 1 {
                let lines: Vec<String> = view
                    .members
                    .iter()
                    .map(|at| format!("{}:{}", ledger.file(*at).name, ledger.line(*at)))
                    .collect();
                let _ = writeln!(text, "group     {}", lines.join(", "));
            }
            let _ = writeln!(
                text,
                "event     {:016x}  {}  {}",
                view.id, view.time, view.kind
            );
            for (leg, _) in view.legs() {
                let fee = if leg.role == crate::model::Role::Fee {
                    "  (fee)"
                } else {
                    ""
                };
                let worth = leg.value.map_or(String::new(), |(value, currency)| {
                    format!("  worth {value} {}", names.asset(currency))
                });
                let sign = if leg.amount.is_negative() { "" } else { "+" };
                let _ = writeln!(
                    text,
                    "  {sign}{} {} in {}{fee}{worth}",
                    leg.amount,
                    names.asset(leg.asset),
                    names.account(leg.account)
                );
            }
        }
    }
    let column = fate.column.map_or(String::new(), |column| {
        format!("column `{}`: ", program.columns[column].name)
    });
    let reason = match (fate.fate, fate.reason.as_str()) {
        (_, "") => String::new(),
        (Fate::Duplicate, other) => format!(": the same row as {other}"),
        (_, reason) => format!(": {column}{reason}"),
    };
    let _ = writeln!(text, "fate      {}{reason}", fate.fate);
    text
}
