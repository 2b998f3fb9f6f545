//! The parts of a target as they are written, each with what the target says for all.

use super::document::{self, Document};

/// A target without parts, as its only part.
pub fn whole(document: &Document) -> document::Part {
    document::Part {
        name: String::new(),
        when: None,
        columns: Some(document.columns.clone()),
        adds_up: Some(document.adds_up.clone()),
        check: Some(document.check.clone()),
        file: document.file.clone(),
        time: document.time.clone(),
        amounts: document.amounts.clone(),
        rows: document.rows.clone(),
        kinds: document.kinds.clone(),
        otherwise: document.otherwise.clone(),
    }
}

/// A part with what the target says where it says nothing itself.
pub fn merged(document: &Document, part: &document::Part) -> document::Part {
    macro_rules! filled {
        ($own:expr, $shared:expr, $type:ident { $($field:ident),* $(,)? }) => {
            document::$type { $($field: $own.$field.clone().or_else(|| $shared.$field.clone()),)* }
        };
    }
    let shared = whole(document);
    let mut kinds = shared.kinds;
    kinds.extend(part.kinds.clone());
    document::Part {
        name: part.name.clone(),
        when: part.when.clone(),
        columns: part.columns.clone().or(shared.columns),
        adds_up: part.adds_up.clone().or(shared.adds_up),
        check: part.check.clone().or(shared.check),
        file: filled!(
            part.file,
            shared.file,
            FileOptions {
                format,
                extension,
                delimiter,
                quote,
                header,
                before,
                encoding,
                line_end,
                spreadsheet,
                one_per,
                max_rows,
                max_bytes,
                newest_first,
                sheet,
                list,
                around,
            }
        ),
        time: filled!(part.time, shared.time, TimeOptions { format, zone }),
        amounts: filled!(
            part.amounts,
            shared.amounts,
            AmountOptions {
                max_decimals,
                decimal_mark
            }
        ),
        rows: filled!(
            part.rows,
            shared.rows,
            RowOptions {
                shape,
                several,
                slots,
                fee,
                fee_when,
                rebate,
                transfer,
                carries,
                alike,
            }
        ),
        kinds,
        otherwise: filled!(
            part.otherwise,
            shared.otherwise,
            Otherwise {
                incoming,
                out,
                both,
                none
            }
        ),
    }
}
