//! Cells of CSV, appended to a buffer.

/// Appends a cell, in quotes only where it needs them.
pub fn put_cell(out: &mut Vec<u8>, cell: &[u8], delimiter: u8) {
    let special = |byte: &u8| *byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r');
    let edged =
        matches!(cell.first(), Some(b' ' | b'\t')) || matches!(cell.last(), Some(b' ' | b'\t'));
    if !edged && !cell.iter().any(special) {
        out.extend_from_slice(cell);
        return;
    }
    out.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// Appends a whole number.
pub fn put_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends an event's id: 16 hex digits.
pub fn put_id(out: &mut Vec<u8>, id: u64) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.extend(
        (0..16)
            .rev()
            .map(|nibble| HEX[(id >> (nibble * 4)) as usize & 15]),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_only_where_they_must_be() {
        let cell = |text: &str| {
            let mut out = Vec::new();
            put_cell(&mut out, text.as_bytes(), b',');
            String::from_utf8(out).unwrap()
        };
        assert_eq!(cell("plain; text"), "plain; text");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"x\""), "\"say \"\"x\"\"\"");
        assert_eq!(cell("two\nlines"), "\"two\nlines\"");
    }

    #[test]
    fn numbers_and_ids_are_written_plainly() {
        let mut out = Vec::new();
        put_number(&mut out, u64::MAX);
        out.push(b' ');
        put_number(&mut out, 0);
        out.push(b' ');
        put_id(&mut out, 0x0123_4567_89ab_cdef);
        assert_eq!(out, b"18446744073709551615 0 0123456789abcdef");
    }
}
