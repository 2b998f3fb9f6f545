//! The fates of the rows: what became of each row of each file.

use std::io::{self, Write};

use super::csv_text::{put_cell, put_id, put_number};
use crate::ledger::Ledger;
use crate::model::{Fate, headers};

/// How much is formatted before it is written, in bytes.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes one line for each row: `file,line,fate,event,reason`.
///
/// # Errors
/// When the output cannot be written, or rows that were put aside cannot be read again.
pub fn write_rows(ledger: &Ledger, out: &mut dyn Write) -> io::Result<u64> {
    let of_groups = ledger.ids_of_groups()?;
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
            if let Some(at) = fate.event.filter(|_| fate.fate == Fate::Used) {
                put_id(&mut buffer, of_groups.get(&at).copied().unwrap_or(row.id));
            }
            buffer.push(b',');
            let reason = fate.told(&file.rows.context.program);
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
