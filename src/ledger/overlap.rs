//! Overlapping exports: which rows of several files are the same occurrence of the same row; and rows that claim one id.
//!
//! Equal rows have equal times, so they are neighbours once all rows are in the order of time: no table of all rows is
//! needed.

use rustc_hash::FxHashMap;

use super::{Dropped, EventRef, Key, Ledger};

/// Marks duplicates and numbers the occurrences of equal rows. A row that occurs m times in one file and n times in
/// another occurred max(m, n) times.
pub fn find(ledger: &mut Ledger, keys: &[Key]) {
    let mut hashes: Vec<(u128, u8, EventRef)> = Vec::new();
    let mut start = 0;
    while start < keys.len() {
        let mut end = start + 1;
        while end < keys.len() && keys[end].time_ns == keys[start].time_ns {
            end += 1;
        }
        if end - start > 1 {
            hashes.clear();
            hashes.extend(keys[start..end].iter().map(|key| {
                let record = ledger.record(key.at);
                (record.hash(), record.nth, key.at)
            }));
            hashes.sort_unstable();
            let mut rest = hashes.as_slice();
            while let Some((hash, nth, _)) = rest.first() {
                let same = rest.iter().take_while(|(other, other_nth, _)| other == hash && other_nth == nth).count();
                if same > 1 {
                    let equal: Vec<EventRef> = rest[..same].iter().map(|(.., at)| *at).collect();
                    settle(ledger, &equal);
                }
                rest = &rest[same..];
            }
        }
        start = end;
    }
}

/// Equal rows, in the order of the files: those of the file that has the most are the occurrences, all others are
/// duplicates of them.
fn settle(ledger: &mut Ledger, equal: &[EventRef]) {
    let mut by_file: Vec<(usize, Vec<EventRef>)> = Vec::new();
    for at in equal {
        let file = ledger.file_index(*at);
        match by_file.last_mut().filter(|(last, _)| *last == file) {
            Some((_, rows)) => rows.push(*at),
            None => by_file.push((file, vec![*at])),
        }
    }
    let most = by_file.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
    let Some(keeper) = by_file.iter().position(|(_, rows)| rows.len() == most) else { return };
    let kept = by_file.swap_remove(keeper).1;
    for (occurrence, at) in kept.iter().enumerate().skip(1) {
        ledger.occurrences.insert(*at, super::number(occurrence));
    }
    for (_, rows) in by_file {
        for (occurrence, at) in rows.into_iter().enumerate() {
            ledger.dropped.insert(at, Dropped::DuplicateOf(kept[occurrence]));
        }
    }
}

/// Rejects rows that have the same unique id and different contents: which of them is right, nobody here can know.
pub fn reject_conflicts(ledger: &mut Ledger) {
    let mut first_of: FxHashMap<u128, (EventRef, u128)> = FxHashMap::default();
    let mut conflicts: Vec<(EventRef, EventRef, u32)> = Vec::new();
    for (batch_number, batch) in ledger.batches() {
        for unique in &batch.uniques {
            let at = EventRef { batch: batch_number, event: unique.event };
            if ledger.dropped.contains_key(&at) {
                continue;
            }
            let hash = batch.events[unique.event as usize].hash();
            match first_of.get(&unique.id) {
                None => {
                    first_of.insert(unique.id, (at, hash));
                }
                Some((_, first_hash)) if *first_hash == hash => {}
                Some((first, _)) => conflicts.push((*first, at, unique.column)),
            }
        }
    }
    for (first, second, column) in conflicts {
        let column = &ledger.context(ledger.file_index(second)).program.columns[column as usize];
        let name = column.name.clone();
        for (row, other) in [(first, second), (second, first)] {
            let place = format!("{}:{}", ledger.file(other).name, ledger.line(other));
            let reason: std::sync::Arc<str> =
                format!("conflict: the row at {place} has the same `{name}` and different contents").into();
            for at in ledger.events_of_row(row) {
                ledger.dropped.entry(at).or_insert_with(|| Dropped::Rejected(reason.clone()));
            }
        }
    }
}
