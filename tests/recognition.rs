//! No two mappings claim the same header: each is recognised by the header that it describes, and no other is.

use coinfold::mapping::document::{ColumnTable, Document};
use coinfold::mapping::{HeaderLine, Library, recognise};

/// A header text that a spelling stands for: captures are filled with something that may stand there.
fn written(spelling: &str) -> String {
    let mut text = spelling.to_owned();
    while let (Some(open), Some(close)) = (text.find('{'), text.find('}')) {
        text.replace_range(open..=close, "XYZ");
    }
    text.replace('*', "x")
}

/// The header of a report: all columns, or only those that must be there. `None` if its columns are not found by header alone.
fn header(document: &Document, with_optional: bool) -> Option<Vec<String>> {
    let mut cells: Vec<String> = Vec::new();
    let mut times: Vec<String> = Vec::new();
    let wanted = |column: &&ColumnTable| with_optional || !(column.optional || column.family);
    for column in document
        .columns
        .values()
        .map(|column| &column.0)
        .filter(wanted)
    {
        if column.at.is_some() && !column.optional {
            return None;
        }
        let spellings = column.header.iter().chain(column.join.iter().flatten());
        for spelling in spellings {
            let text = written(spelling.0.first()?);
            // A header that stands several times stands as often as the highest number asks.
            let stands = times.iter().filter(|known| **known == text).count();
            for _ in stands..column.nth.unwrap_or(1) {
                cells.push(text.clone());
                times.push(text.clone());
            }
        }
    }
    if with_optional {
        for text in &document.unused {
            let text = written(text);
            if !cells.contains(&text) {
                cells.push(text);
            }
        }
    }
    Some(cells)
}

#[test]
fn every_mapping_is_recognised_by_its_own_header_and_no_other_is() {
    let library = Library::built_in();
    let mut wrong = Vec::new();
    let mut count = 0;
    for mapping in library.mappings() {
        let document = mapping.document().unwrap();
        if document.file.header == Some(false) {
            continue;
        }
        for with_optional in [true, false] {
            let Some(cells) = header(&document, with_optional) else {
                continue;
            };
            count += 1;
            let delimiter = document
                .file
                .delimiter
                .as_ref()
                .map_or(b',', |text| text.as_bytes()[0]);
            let line = HeaderLine {
                delimiter,
                cells,
                index: 0,
            };
            let what = if with_optional {
                "all its columns"
            } else {
                "the columns that must be there"
            };
            match recognise(&library, &[line], document.file.sheet.as_deref(), None) {
                Ok(found) if found.program.id == mapping.id => {}
                Ok(found) => wrong.push(format!(
                    "{} with {what} is taken for {}",
                    mapping.id, found.program.id
                )),
                Err(not) => wrong.push(format!("{} with {what}: {:?}", mapping.id, not.tie)),
            }
        }
    }
    assert!(count > 100);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
