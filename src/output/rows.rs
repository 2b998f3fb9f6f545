//! The fates of the rows: what became of each row of each file.

use std::collections::HashMap;
use std::io::{self, Write};

use super::csv_text::{put_cell, put_id, put_number};
use crate::ledger::{EventRef, Ledger};
use crate::model::headers;

/// How much is formatted before it is written, in bytes.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes one line for each row: `file,line,fate,event,reason`.
///
/// # Errors
/// When the output cannot be written.
pub fn write_rows(ledger: &Ledger, out: &mut dyn Write) -> io::Result<u64> {
    let mut ids: HashMap<EventRef, u64> = HashMap::new();
    for event in &ledger.events {
        let view = ledger.view(event);
        ids.extend(view.members.iter().map(|at| (*at, view.id)));
    }
    let mut buffer = headers::ROWS.as_bytes().to_vec();
    let mut lines = 0;
    for (index, file) in ledger.files.iter().enumerate() {
        for row in ledger.rows(index) {
            let fate = ledger.fate(index, &row);
            put_cell(&mut buffer, file.name.as_bytes(), b',');
            buffer.push(b',');
            put_number(&mut buffer, row.line);
            buffer.push(b',');
            buffer.extend_from_slice(fate.fate.word().as_bytes());
            buffer.push(b',');
            if let Some(id) = fate.event.and_then(|at| ids.get(&at)) {
                put_id(&mut buffer, *id);
            }
            buffer.push(b',');
            let reason = match fate
                .column
                .map(|column| &file.rows.context.program.columns[column])
            {
                Some(column) => format!("{}: {}", column.name, fate.reason),
                None => fate.reason,
            };
            put_cell(&mut buffer, reason.as_bytes(), b',');
            buffer.push(b'\n');
            lines += 1;
            if buffer.len() >= BUFFER_BYTES {
                out.write_all(&buffer)?;
                buffer.clear();
            }
        }
    }
    out.write_all(&buffer)?;
    out.flush()?;
    Ok(lines)
}
