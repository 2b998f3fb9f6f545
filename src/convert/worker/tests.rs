use super::*;
use crate::convert::{Opened, Options, PathRule, open};
use crate::input::{CutMode, RecordReader, discover};
use crate::mapping::cell::Zone;
use crate::mapping::{Library, Test};

/// All that a batch says.
fn said(batch: &Batch) -> String {
    let outcomes = |row: super::super::batch::Row| (row.row, row.line, row.outcome);
    format!(
        "{:?}",
        (
            batch.arena(),
            batch.rows(&batch.arena()).map(outcomes).collect::<Vec<_>>(),
            &batch.rejects,
            &batch.keys,
            (&batch.balances, &batch.uniques, &batch.unclassified),
            (&batch.given_ids, &batch.broken),
            batch
                .sums
                .iter()
                .filter(|(.., sum)| !sum.is_zero())
                .collect::<Vec<_>>(),
            batch
                .kept
                .iter()
                .collect::<std::collections::BTreeMap<_, _>>(),
            batch.records_read,
        )
    )
}

/// Whether a test's words and conditions hold, each looked at in full.
fn holds<'r>(view: &RowView<'r>, test: &'r Test) -> Result<bool, RowError> {
    for asked in &test.words {
        let cell = view.cell(asked.column);
        let mut cell = String::from_utf8_lossy(&cell).into_owned();
        if view.file.program.columns[asked.column].ignore_case {
            cell = cell.to_lowercase();
        }
        if !asked.words.iter().any(|word| **word == *cell.as_bytes()) {
            return Ok(false);
        }
    }
    for condition in &test.conditions {
        if !view.truth(condition)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// As [`Worker::choose`], test by test.
fn chosen_one_by_one(view: &RowView<'_>) -> Result<Option<Candidate>, RowError> {
    let program = &view.file.program;
    for (index, skip) in program.skips.iter().enumerate() {
        if holds(view, &skip.test)? {
            return Ok(Some(Candidate::Skip(index)));
        }
    }
    for (index, rule) in program.rules.iter().enumerate() {
        if holds(view, &rule.test)? {
            return Ok(Some(Candidate::Rule(index)));
        }
    }
    Ok(None)
}

fn add_line(text: &mut Vec<u8>, cells: &[&[u8]]) {
    for (nth, cell) in cells.iter().enumerate() {
        let quoted = String::from_utf8_lossy(cell).replace('"', "\"\"");
        text.extend_from_slice(if nth > 0 { b",\"" } else { b"\"" });
        text.extend_from_slice(quoted.as_bytes());
        text.push(b'"');
    }
    text.push(b'\n');
}

/// The samples' rows as they are, and each with other texts in its cells, one after the other.
#[test]
fn a_plan_says_the_same_as_its_rule() {
    const OTHERS: [&[u8]; 8] = [b"", b"0", b"-1", b" 2.50 ", b"x", b"0.0", b"1,000", b"USD"];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
    let library = Library::built_in();
    let zone = Zone::parse("Europe/Paris").unwrap();
    let everywhere = PathRule {
        value: zone,
        path: None,
        folder: None,
    };
    let options = Options {
        zones: vec![everywhere],
        ..Options::default()
    };
    let (mut rows, mut events) = (0, 0);
    for source in discover(&[folder.to_owned()]).unwrap().sources {
        let Ok(Ok(Opened {
            document,
            detected,
            context,
        })) = open(&source, &library, &options)
        else {
            continue;
        };
        let mut text = Vec::new();
        let mut reader = RecordReader::new(context.delimiter);
        let mut chunks = document.into_chunks(detected.start, context.delimiter, CutMode::Exact);
        while let Ok(Some(chunk)) = chunks.next() {
            let mut records = reader.start(&chunk.text);
            while let Ok(Some(record)) = records.next() {
                let cells: Vec<&[u8]> = record.iter().collect();
                add_line(&mut text, &cells);
                for nth in 0..cells.len() {
                    let mut others = cells.clone();
                    others[nth] = OTHERS[(rows + nth) % OTHERS.len()];
                    add_line(&mut text, &others);
                }
                rows += 1;
            }
        }
        let names = [RunNames::default(), RunNames::default()];
        let [mut by_plan, mut by_rule] = [0, 1].map(|nth| Worker::new(&context, &names[nth]));
        let [mut planned, mut ruled] = [Batch::default(), Batch::default()];
        by_plan.expect_utf_8(true);
        by_rule.expect_utf_8(true);
        let mut reader = RecordReader::new(b',');
        let mut records = reader.start(&text);
        while let Ok(Some(record)) = records.next() {
            let view = RowView {
                file: &context,
                record,
            };
            assert_eq!(by_rule.choose(&view), chosen_one_by_one(&view));
            by_plan.read_row(record, &mut planned);
            ruled.records_read += 1;
            by_rule.read_any(record, &mut ruled);
        }
        events += planned.keys.len();
        let equal = said(&planned) == said(&ruled);
        assert!(equal, "{}", source.name());
        assert_eq!(names[0].assets.texts(), names[1].assets.texts());
        assert_eq!(names[0].accounts.texts(), names[1].accounts.texts());
    }
    assert!(
        rows > 1000 && events > 5 * rows,
        "{rows} rows, {events} events"
    );
}
