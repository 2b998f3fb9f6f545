//! Rows that belong together: gathers them, and checks that each group has the shape that its mapping expects.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::repeated::Repeated;
use super::{Dropped, Event, EventRef, Ledger, LedgerFile};
use crate::convert::{Key, LegText};
use crate::mapping::{Expect, Group};
use crate::model::{Role, Sum};

/// The rows of how many keys are looked at together.
const KEYS_AT_ONCE: usize = 1 << 11;

/// A row of a group: the group's key, the row's time and place.
type GroupRow = (u128, i64, EventRef);

/// The groups of some keys, and the rows of those that have another shape than they should.
#[derive(Default)]
struct Formed {
    /// Rows of all groups, one group after the other.
    rows: Vec<EventRef>,
    /// Time of each group, and how many rows it has.
    groups: Vec<(i64, u32)>,
    misfits: Vec<(Vec<EventRef>, Arc<str>)>,
}

/// Makes the events: one of each row, and one of each group of rows. Rows of groups with another shape than they should
/// have are rejected, all of them.
///
/// # Errors
/// When rows that were put aside cannot be read again.
pub fn form(ledger: &mut Ledger, mut keys: Vec<Key>) -> io::Result<Vec<Event>> {
    let has_groups = |file: &LedgerFile| {
        let rules = &file.rows.context.program.rules;
        rules.iter().any(|rule| rule.group.is_some())
    };
    if !ledger.files.iter().any(has_groups) {
        return Ok(keys.into_iter().map(Event::from).collect());
    }
    let mut rows: Vec<GroupRow> = Vec::new();
    let at_once = ledger.at_once(super::ROWS_AT_ONCE, keys.len());
    // So few at a time that they stay near until they are put behind the others. No group has the key 0.
    let mut part: Vec<GroupRow> = Vec::new();
    let parts: Vec<&[Key]> = keys.chunks(super::ROWS_AT_ONCE).collect();
    let places = |_: &Ledger, keys: &&[Key]| keys.iter().map(|key| key.at).collect();
    ledger.rows_in_parts(&parts, places, |ledger, keys| {
        let row = |key: &Key| {
            let group = ledger.record(key.at).group().unwrap_or(0);
            (group, key.time_ns, key.at)
        };
        keys.par_iter().map(row).collect_into_vec(&mut part);
        rows.extend(part.iter().filter(|(group, ..)| *group != 0));
        Ok(())
    })?;
    drop((part, parts));
    if rows.is_empty() {
        return Ok(keys.into_iter().map(Event::from).collect());
    }
    if rows.len() == keys.len() {
        keys = Vec::new();
    } else {
        let mut of_groups = rows.iter().peekable();
        // Both are in the order of time still.
        keys.retain(|key| of_groups.next_if(|row| row.2 == key.at).is_none());
    }
    let broken = broken_groups(ledger);
    // They are in the order of time, and most rows of one key are neighbours.
    let mut of_keys: Vec<&[GroupRow]> = rows.chunk_by(|one, other| one.0 == other.0).collect();
    let scattered = take_scattered(&mut of_keys);
    add_keys(&mut of_keys, &scattered);
    let mut formed: Vec<Formed> = Vec::new();
    let parts: Vec<&[&[GroupRow]]> = of_keys.chunks(at_once).collect();
    let places = |_: &Ledger, of_keys: &&[&[GroupRow]]| {
        let rows = of_keys.iter().flat_map(|rows| rows.iter());
        rows.map(|row| row.2).collect()
    };
    ledger.rows_in_parts(&parts, places, |ledger, of_keys| {
        formed.par_extend(
            of_keys
                .par_chunks(KEYS_AT_ONCE)
                .map(|of_keys| form_some(ledger, &broken, of_keys)),
        );
        Ok(())
    })?;
    drop(parts);
    drop(of_keys);
    drop((rows, scattered));
    // In the order of time, then of their first rows, beside the events of one row.
    let mut groups: Vec<(Key, (u32, u32))> = Vec::new();
    for part in formed {
        let mut start = ledger.grouped_rows.len();
        ledger.grouped_rows.extend(part.rows);
        for (time_ns, count) in part.groups {
            let at = ledger.grouped_rows[start];
            groups.push((Key { time_ns, at }, (super::number(start), count)));
            start += count as usize;
        }
        for (rows, reason) in part.misfits {
            for at in rows {
                ledger.dropped.insert(at, Dropped::Rejected(reason.clone()));
            }
        }
    }
    groups.par_sort_unstable();
    ledger.groups = groups.iter().map(|(_, rows)| *rows).collect();
    let mut events = Vec::with_capacity(keys.len() + groups.len());
    let mut singles = keys.into_iter().peekable();
    for (number, (key, _)) in groups.into_iter().enumerate() {
        while let Some(single) = singles.next_if(|single| *single < key) {
            events.push(Event::from(single));
        }
        events.push(Event::group(key.time_ns, super::number(number)));
    }
    events.extend(singles.map(Event::from));
    Ok(events)
}

/// Takes the runs of rows out whose key may have others elsewhere; these rows, by key, then by time and place.
fn take_scattered(runs: &mut Vec<&[GroupRow]>) -> Vec<GroupRow> {
    let keys = Repeated::among(runs.iter().map(|run| run[0].0), runs.len());
    let mut scattered = Vec::new();
    runs.retain(|run| {
        let may_have_others = keys.may_hold(run[0].0);
        if may_have_others {
            scattered.extend_from_slice(run);
        }
        !may_have_others
    });
    sort(&mut scattered);
    scattered
}

/// Puts the rows of more keys among those of others. The keys are in the order of their first rows: groups of about one time have
/// rows that lie near each other.
fn add_keys<'r>(of_keys: &mut Vec<&'r [GroupRow]>, scattered: &'r [GroupRow]) {
    if scattered.is_empty() {
        return;
    }
    let first = |rows: &&[GroupRow]| (rows[0].1, rows[0].2);
    let start = of_keys.len();
    of_keys.extend(scattered.chunk_by(|one, other| one.0 == other.0));
    of_keys[start..].par_sort_unstable_by_key(first);
    // Both parts are in order: a stable sort finds that, and merges them.
    of_keys.sort_by_key(first);
}

/// Sorts rows by key, then by time and place. Keys are mostly of few rows, so most of the work is comparing keys alone.
fn sort(rows: &mut [GroupRow]) {
    rows.par_sort_unstable_by_key(|row| row.0);
    for of_key in rows.chunk_by_mut(|one, other| one.0 == other.0) {
        if !of_key.is_sorted() {
            of_key.par_sort_unstable();
        }
    }
}

/// Forms the groups of the rows of some keys.
fn form_some(
    ledger: &Ledger,
    broken: &FxHashMap<u128, Vec<Broken>>,
    of_keys: &[&[GroupRow]],
) -> Formed {
    let mut formed = Formed::default();
    let mut members: Vec<EventRef> = Vec::new();
    for of_key in of_keys {
        let (key, _, first) = of_key[0];
        let program = &ledger.context(ledger.file_index(first)).program;
        let rule = &program.rules[usize::from(ledger.record(first).rule())];
        let Some(group) = &rule.group else { continue };
        cut(ledger, of_key, group, &mut |rows| {
            members.clear();
            members.extend(rows.iter().map(|(.., at)| *at));
            members.sort_unstable();
            let time_ns = rows.iter().map(|(_, time_ns, _)| *time_ns).min();
            let missing = broken
                .get(&key)
                .and_then(|broken| missing_row(ledger, &members, broken, group));
            match missing.or_else(|| misfit(ledger, &members, &group.expect)) {
                None => {
                    formed.rows.extend_from_slice(&members);
                    let group = (time_ns.unwrap_or_default(), super::number(members.len()));
                    formed.groups.push(group);
                }
                Some(why) => {
                    let lines: Vec<String> = members
                        .iter()
                        .take(5)
                        .map(|at| ledger.line(*at).to_string())
                        .collect();
                    let more = if members.len() > 5 { ", …" } else { "" };
                    let reason = format!(
                        "the rows that belong together (lines {}{more}; {}) {why}",
                        lines.join(", "),
                        rule.label
                    );
                    formed.misfits.push((members.clone(), reason.into()));
                }
            }
        });
    }
    formed
}

/// A row of a group that could not be read: its time, if that could, and where it stands.
type Broken = (Option<i64>, usize, u64);

/// By key, the rows that could not be read.
fn broken_groups(ledger: &Ledger) -> FxHashMap<u128, Vec<Broken>> {
    let mut broken: FxHashMap<u128, Vec<Broken>> = FxHashMap::default();
    for (index, file) in ledger.files.iter().enumerate() {
        for batch in &ledger.batches[file.batches.clone()] {
            for group in &batch.broken {
                let line = batch.line(group.line);
                let of_key = broken.entry(group.key).or_default();
                of_key.push((group.time_ns, index, line));
            }
        }
    }
    broken
}

/// Why a group is not complete, if one of the rows that could not be read may belong to it.
fn missing_row(
    ledger: &Ledger,
    members: &[EventRef],
    broken: &[Broken],
    group: &Group,
) -> Option<String> {
    let times = || members.iter().map(|at| ledger.record(*at).time().ns());
    let (first, last) = (times().min()?, times().max()?);
    // Where time or place cuts groups of one key apart, a row at another time is another group's.
    let window_ns = match (group.window_ns, group.adjacent) {
        (Some(window_ns), _) => window_ns,
        (None, true) => 0,
        (None, false) => i64::MAX,
    };
    let belongs = |time_ns: i64| {
        time_ns >= first.saturating_sub(window_ns) && time_ns <= last.saturating_add(window_ns)
    };
    let (_, file, line) = broken
        .iter()
        .find(|(time_ns, ..)| time_ns.is_none_or(belongs))?;
    let here = members.iter().all(|at| ledger.file_index(*at) == *file);
    let place = if here {
        format!("line {line}")
    } else {
        format!("{}:{line}", ledger.files[*file].name)
    };
    Some(format!(
        "are not all: {place}, which belongs to them, could not be read"
    ))
}

/// Cuts rows of one key into groups: by the window of time, or by being neighbours.
fn cut(ledger: &Ledger, rows: &[GroupRow], group: &Group, each: &mut dyn FnMut(&[GroupRow])) {
    if group.adjacent {
        return neighbours(ledger, rows, group, each);
    }
    let mut rest = rows;
    while let Some((_, start_ns, _)) = rest.first() {
        let count = match group.window_ns {
            None => rest.len(),
            Some(window_ns) => rest
                .iter()
                .take_while(|(_, time_ns, _)| time_ns.saturating_sub(*start_ns) <= window_ns)
                .count(),
        };
        let (one, others) = rest.split_at(count);
        each(one);
        rest = others;
    }
}

fn neighbours(
    ledger: &Ledger,
    rows: &[GroupRow],
    group: &Group,
    each: &mut dyn FnMut(&[GroupRow]),
) {
    let most = group.expect.rows.map_or(usize::MAX, |rows| rows.most);
    let mut in_file: Vec<(usize, u64, GroupRow)> = rows
        .iter()
        .map(|row| (ledger.file_index(row.2), row_number(ledger, row.2), *row))
        .collect();
    in_file.sort_unstable_by_key(|(file, row, (.., at))| (*file, *row, *at));
    let mut one: Vec<GroupRow> = Vec::new();
    let mut last: Option<(usize, u64)> = None;
    for (file, number, row) in in_file {
        let follows = last == Some((file, number.wrapping_sub(1))) && one.len() < most;
        if !follows && !one.is_empty() {
            each(&one);
            one.clear();
        }
        one.push(row);
        last = Some((file, number));
    }
    if !one.is_empty() {
        each(&one);
    }
}

/// Number of a row within its file.
fn row_number(ledger: &Ledger, at: EventRef) -> u64 {
    ledger.rows_before[at.batch as usize] + u64::from(ledger.record(at).row())
}

/// The legs of a group's rows that are not of zero.
#[inline]
fn for_each_leg<'l>(ledger: &'l Ledger, members: &[EventRef], mut each: impl FnMut(LegText<'l>)) {
    for at in members {
        for leg in ledger.record(*at).legs() {
            if !leg.amount().is(b"0") {
                each(leg);
            }
        }
    }
}

/// What is wrong with the shape of a group, if anything.
fn misfit(ledger: &Ledger, members: &[EventRef], expect: &Expect) -> Option<String> {
    if expect.is_anything() {
        return None;
    }
    let (mut incoming, mut out, mut fees) = (0, 0, 0);
    for_each_leg(ledger, members, |leg| match (leg.role, leg.negative) {
        (Role::Main, false) => incoming += 1,
        (Role::Main, true) => out += 1,
        (Role::Fee, _) => fees += 1,
    });
    let counts = [
        (expect.rows, members.len(), "are", "rows"),
        (expect.incoming, incoming, "bring in", "amounts"),
        (expect.out, out, "give out", "amounts"),
        (expect.fees, fees, "have", "fees"),
    ];
    for (wanted, found, verb, noun) in counts {
        if let Some(wanted) = wanted.filter(|wanted| !wanted.holds(found)) {
            return Some(format!(
                "{verb} {found} {noun}, and should {} {wanted}",
                if verb == "are" { "be" } else { verb }
            ));
        }
    }
    // Most groups are done with here, and need no names.
    if expect.in_assets.is_none() && expect.out_assets.is_none() && !expect.balanced {
        return None;
    }
    let mut legs = Vec::new();
    for_each_leg(ledger, members, |leg| legs.push(leg));
    let main = |negative: bool| {
        legs.iter()
            .filter(move |leg| leg.role == Role::Main && leg.negative == negative)
    };
    let texts = ledger.names.assets.texts();
    for (allowed, negative, verb) in [
        (&expect.in_assets, false, "bring in"),
        (&expect.out_assets, true, "give out"),
    ] {
        let Some(allowed) = allowed else { continue };
        let other = main(negative)
            .map(|leg| &texts[leg.asset.0 as usize])
            .find(|asset| !allowed.iter().any(|code| **code == ***asset));
        if let Some(other) = other {
            return Some(format!(
                "{verb} {other}, and should {verb} only {}",
                allowed.join(", ")
            ));
        }
    }
    if expect.balanced {
        let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
        for leg in legs.iter().filter(|leg| leg.role == Role::Main) {
            if sums
                .entry(&texts[leg.asset.0 as usize])
                .or_default()
                .add(leg.read().amount)
                .is_err()
            {
                return Some("have amounts whose sum does not fit".to_owned());
            }
        }
        if let Some((asset, sum)) = sums.iter().find(|(_, sum)| !sum.is_zero()) {
            return Some(format!(
                "should add up to zero, and leave {} {asset}",
                sum.total()
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_stand_by_key_then_by_time_then_by_place(
            rows in prop::collection::vec((0..20u128, -2..3i64, (0..3u32, 0..9u32)), 0..200)
        ) {
            let row = |(key, time_ns, (batch, event))| (key << 70, time_ns, EventRef { batch, event });
            let mut rows: Vec<GroupRow> = rows.into_iter().map(row).collect();
            let mut as_they_compare = rows.clone();
            as_they_compare.sort();
            sort(&mut rows);
            prop_assert_eq!(rows, as_they_compare);
        }

        #[test]
        fn rows_of_a_key_are_found_wherever_they_stand(
            rows in prop::collection::vec((0..20u128, 1..4usize, 0..3i64), 0..100)
        ) {
            let mut time_ns = 0;
            let mut by_time: Vec<GroupRow> = Vec::new();
            for (key, count, pause) in rows {
                time_ns += pause;
                for _ in 0..count {
                    let at = EventRef { batch: 0, event: by_time.len() as u32 };
                    by_time.push((key, time_ns, at));
                }
            }
            let mut expected: BTreeMap<u128, Vec<GroupRow>> = BTreeMap::new();
            for row in &by_time {
                expected.entry(row.0).or_default().push(*row);
            }
            let mut expected: Vec<Vec<GroupRow>> = expected.into_values().collect();
            expected.sort_by_key(|rows| (rows[0].1, rows[0].2));
            let mut of_keys: Vec<&[GroupRow]> = by_time.chunk_by(|one, other| one.0 == other.0).collect();
            let scattered = take_scattered(&mut of_keys);
            add_keys(&mut of_keys, &scattered);
            prop_assert_eq!(of_keys, expected);
        }
    }
}
