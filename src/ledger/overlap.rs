//! Overlapping exports: which rows of several files are the same occurrence of the same row; and rows that claim one id.
//!
//! Equal rows have equal times, so they are neighbours once all rows are in the order of time: no table of all rows is
//! needed.

use std::io;

use rayon::prelude::*;

use super::repeated::Repeated;
use super::{Dropped, EventRef, Key, Ledger, event_in};
use crate::mapping::Place;

/// How many rows are looked at together.
const ROWS_AT_ONCE: usize = 1 << 14;

/// Marks duplicates and numbers the occurrences of equal rows. A row that occurs m times in one file and n times in
/// another occurred max(m, n) times.
///
/// # Errors
/// When rows that were put aside cannot be read again.
pub fn find(ledger: &mut Ledger, keys: &[Key]) -> io::Result<()> {
    // Rows of one instant are looked at together.
    let at_once = ledger.at_once(ledger.rows_at_once / 4, ROWS_AT_ONCE);
    let mut parts: Vec<&[Key]> = Vec::new();
    let mut rest = keys;
    while !rest.is_empty() {
        let mut end = at_once.min(rest.len());
        let time_ns = rest[end - 1].time_ns;
        end += rest[end..]
            .iter()
            .take_while(|key| key.time_ns == time_ns)
            .count();
        let (part, others) = rest.split_at(end);
        parts.push(part);
        rest = others;
    }
    let at_once = ledger.at_once(4, parts.len());
    let parts: Vec<&[&[Key]]> = parts.chunks(at_once).collect();
    let shared = |_: &Ledger, parts: &&[&[Key]]| {
        let shared = parts.iter().flat_map(|part| instants(part)).flatten();
        shared.map(|key| key.at).collect()
    };
    ledger.rows_in_parts(&parts, shared, |ledger, parts| {
        let found: Vec<Vec<Box<[EventRef]>>> = parts
            .par_iter()
            .map(|part| equal_rows(ledger, part))
            .collect();
        for equal in found.into_iter().flatten() {
            settle(ledger, &equal);
        }
        Ok(())
    })
}

/// The instants that several rows share.
fn instants(keys: &[Key]) -> impl Iterator<Item = &[Key]> {
    keys.chunk_by(|one, other| one.time_ns == other.time_ns)
        .filter(|instant| instant.len() > 1)
}

/// The rows that are equal to others, in the order of the files.
fn equal_rows(ledger: &Ledger, keys: &[Key]) -> Vec<Box<[EventRef]>> {
    let mut equal = Vec::new();
    let mut hashes: Vec<(u128, u8, EventRef)> = Vec::new();
    for instant in instants(keys) {
        hashes.clear();
        hashes.extend(instant.iter().map(|key| {
            let record = ledger.record(key.at);
            (record.hash(), record.nth(), key.at)
        }));
        hashes.sort_unstable();
        let same = hashes.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
        equal.extend(
            same.filter(|same| same.len() > 1)
                .map(|same| same.iter().map(|(.., at)| *at).collect()),
        );
    }
    equal
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
    let most = by_file
        .iter()
        .map(|(_, rows)| rows.len())
        .max()
        .unwrap_or(0);
    let Some(keeper) = by_file.iter().position(|(_, rows)| rows.len() == most) else {
        return;
    };
    let kept = by_file.swap_remove(keeper).1;
    for (occurrence, at) in kept.iter().enumerate().skip(1) {
        ledger.occurrences.insert(*at, super::number(occurrence));
    }
    for (_, rows) in by_file {
        for (occurrence, at) in rows.into_iter().enumerate() {
            ledger
                .dropped
                .insert(at, Dropped::DuplicateOf(kept[occurrence]));
        }
    }
}

/// A unique id, and the row and the column that claim it.
pub type Claim = (u128, EventRef, u32);

/// The unique ids that may be claimed several times.
pub fn repeated_claims(ledger: &Ledger) -> Vec<Claim> {
    let most = ledger.batches().map(|(_, batch)| batch.uniques.len()).sum();
    // Nearly all ids stand there once, and need not be sorted.
    let repeated = Repeated::among(claims(ledger).map(|(id, ..)| id), most);
    let mut found = Vec::new();
    claims(ledger)
        .filter(|(id, ..)| repeated.may_hold(*id))
        .for_each(|claim| found.push(claim));
    found
}

/// Rejects rows that have the same unique id and different contents: which of them is right, nobody here can know.
/// Rows of two files that differ only in how they are written (another header generation, padding zeros, a fraction of a
/// second) say the same and count once. `ids`: those that may be claimed several times.
pub fn reject_conflicts(ledger: &mut Ledger, mut ids: Vec<Claim>) {
    ids.retain(|(_, at, _)| !ledger.dropped.contains_key(at));
    ids.par_sort_unstable();
    let claims = ids.chunk_by(|one, other| one.0 == other.0);
    let mut several: Vec<Vec<(EventRef, u32)>> = claims
        .filter(|claims| claims.len() > 1)
        .map(|claims| {
            claims
                .iter()
                .map(|(_, at, column)| (*at, *column))
                .collect()
        })
        .collect();
    // As the second row of each stands in the files.
    several.sort_unstable_by_key(|claims| claims[1]);
    for claims in several {
        let knows = |at: EventRef| {
            let places = &ledger.context(ledger.file_index(at)).binding.places;
            places
                .iter()
                .filter(|place| **place != Place::Missing)
                .count()
        };
        let hash = |at: EventRef| {
            let arena = ledger.batch(at).arena();
            let record = event_in(&arena, at);
            record.hash()
        };
        // The row that tells most is kept; of equals, the first.
        let Some(keeper) = claims
            .iter()
            .map(|(at, _)| *at)
            .min_by_key(|at| (std::cmp::Reverse(knows(*at)), *at))
        else {
            continue;
        };
        let others: Vec<(EventRef, u32)> = claims
            .iter()
            .copied()
            .filter(|(at, _)| hash(*at) != hash(keeper))
            .collect();
        for (at, column) in others {
            if ledger.file_index(at) != ledger.file_index(keeper)
                && say_the_same(ledger, keeper, at)
            {
                for (event, kept) in ledger
                    .events_of_row(at)
                    .into_iter()
                    .zip(ledger.events_of_row(keeper))
                {
                    ledger
                        .dropped
                        .entry(event)
                        .or_insert(Dropped::DuplicateOf(kept));
                }
                continue;
            }
            let name = ledger.context(ledger.file_index(at)).program.columns[column as usize]
                .name
                .clone();
            for (row, other) in [(keeper, at), (at, keeper)] {
                let place = format!("{}:{}", ledger.file(other).name, ledger.line(other));
                let reason: std::sync::Arc<str> = format!(
                    "conflict: the row at {place} has the same `{name}` and different contents"
                )
                .into();
                for event in ledger.events_of_row(row) {
                    ledger
                        .dropped
                        .entry(event)
                        .or_insert_with(|| Dropped::Rejected(reason.clone()));
                }
            }
        }
    }
}

/// All unique ids.
fn claims(ledger: &Ledger) -> impl Iterator<Item = Claim> {
    ledger.batches().flat_map(|(batch_number, batch)| {
        batch.uniques.iter().map(move |unique| {
            let at = EventRef {
                batch: batch_number,
                event: unique.event,
            };
            (unique.id, at, unique.column)
        })
    })
}

/// Whether two rows moved the same amounts of the same assets, for the same reason, in the same second.
fn say_the_same(ledger: &Ledger, one: EventRef, other: EventRef) -> bool {
    let tell = |row: EventRef| -> Vec<_> {
        ledger
            .events_of_row(row)
            .into_iter()
            .map(|at| {
                let arena = ledger.batch(at).arena();
                let record = event_in(&arena, at);
                let legs: Vec<_> = record
                    .legs()
                    .map(|leg| leg.read())
                    .map(|leg| (leg.asset, leg.amount, leg.role))
                    .collect();
                (
                    record.kind(),
                    record.time().ns().div_euclid(1_000_000_000),
                    legs,
                )
            })
            .collect()
    };
    tell(one) == tell(other)
}
