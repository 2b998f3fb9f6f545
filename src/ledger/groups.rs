//! Rows that belong together: gathers them, and checks that each group has the shape that its mapping expects.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Dropped, Event, EventRef, Ledger};
use crate::convert::Leg;
use crate::mapping::{Expect, Group};
use crate::model::{Role, Sum};

/// Makes one event of each group of rows. Rows of groups with another shape are rejected, all of them.
pub fn form(ledger: &mut Ledger, rows: &[EventRef]) -> Vec<Event> {
    // By key, then by time, then as they stand in the files.
    let mut sorted: Vec<(u128, i64, EventRef)> = rows
        .iter()
        .map(|at| {
            let record = ledger.record(*at);
            (record.group().unwrap_or_default(), record.time().ns(), *at)
        })
        .collect();
    sorted.sort_unstable();
    let broken = broken_groups(ledger);
    let mut events = Vec::new();
    let mut rest = sorted.as_slice();
    while let Some((key, _, first)) = rest.first() {
        let same = rest.iter().take_while(|(other, ..)| other == key).count();
        let (of_key, others) = rest.split_at(same);
        rest = others;
        let program = ledger.context(ledger.file_index(*first)).program.clone();
        let rule = &program.rules[ledger.record(*first).rule as usize];
        let Some(group) = &rule.group else { continue };
        for mut members in cut(ledger, of_key, group) {
            let time_ns = members
                .iter()
                .map(|at| ledger.record(*at).time().ns())
                .min()
                .unwrap_or_default();
            members.sort_unstable();
            let missing = broken
                .get(key)
                .and_then(|broken| missing_row(ledger, &members, broken, group));
            match missing.or_else(|| misfit(ledger, &members, &group.expect)) {
                None => {
                    let number = super::number(ledger.groups.len());
                    events.push(Event::group(time_ns, members[0], number));
                    ledger.groups.push(members.into());
                }
                Some(why) => {
                    let lines: Vec<String> = members
                        .iter()
                        .take(5)
                        .map(|at| ledger.line(*at).to_string())
                        .collect();
                    let more = if members.len() > 5 { ", …" } else { "" };
                    let reason: Arc<str> = format!(
                        "the rows that belong together (lines {}{more}; {}) {why}",
                        lines.join(", "),
                        rule.label
                    )
                    .into();
                    for at in members {
                        ledger.dropped.insert(at, Dropped::Rejected(reason.clone()));
                    }
                }
            }
        }
    }
    events
}

/// A row of a group that could not be read: its time, if that could, and where it stands.
type Broken = (Option<i64>, usize, u64);

/// By key, the rows that could not be read.
fn broken_groups(ledger: &Ledger) -> FxHashMap<u128, Vec<Broken>> {
    let mut broken: FxHashMap<u128, Vec<Broken>> = FxHashMap::default();
    for (index, file) in ledger.files.iter().enumerate() {
        for batch in &file.rows.batches {
            for group in &batch.broken {
                let line = batch.line(group.row as usize);
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
fn cut(ledger: &Ledger, rows: &[(u128, i64, EventRef)], group: &Group) -> Vec<Vec<EventRef>> {
    if group.adjacent {
        return neighbours(ledger, rows, group);
    }
    let Some(window_ns) = group.window_ns else {
        return vec![rows.iter().map(|(.., at)| *at).collect()];
    };
    let mut groups: Vec<Vec<EventRef>> = Vec::new();
    let mut start_ns = i64::MIN;
    for (_, time_ns, at) in rows {
        if groups.is_empty() || time_ns.saturating_sub(start_ns) > window_ns {
            groups.push(Vec::new());
            start_ns = *time_ns;
        }
        if let Some(last) = groups.last_mut() {
            last.push(*at);
        }
    }
    groups
}

fn neighbours(
    ledger: &Ledger,
    rows: &[(u128, i64, EventRef)],
    group: &Group,
) -> Vec<Vec<EventRef>> {
    let most = group.expect.rows.map_or(usize::MAX, |rows| rows.most);
    let mut in_file: Vec<(usize, u64, EventRef)> = rows
        .iter()
        .map(|(.., at)| (ledger.file_index(*at), row_number(ledger, *at), *at))
        .collect();
    in_file.sort_unstable();
    let mut groups: Vec<Vec<EventRef>> = Vec::new();
    let mut last: Option<(usize, u64)> = None;
    for (file, row, at) in in_file {
        let follows = last == Some((file, row.wrapping_sub(1)))
            && groups.last().is_some_and(|group| group.len() < most);
        match groups.last_mut().filter(|_| follows) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
        last = Some((file, row));
    }
    groups
}

/// Number of a row within its file.
fn row_number(ledger: &Ledger, at: EventRef) -> u64 {
    let file = ledger.file(at);
    let before = &file.rows.batches[..(at.batch - file.first_batch) as usize];
    before
        .iter()
        .map(|batch| batch.rows.len() as u64)
        .sum::<u64>()
        + u64::from(ledger.record(at).row)
}

/// What is wrong with the shape of a group, if anything.
fn misfit(ledger: &Ledger, members: &[EventRef], expect: &Expect) -> Option<String> {
    let mut legs: Vec<Leg> = Vec::new();
    for at in members {
        let mut body = ledger.batch(*at).body(at.event as usize);
        legs.extend(std::iter::from_fn(|| body.next_leg()).filter(|leg| !leg.amount.is_zero()));
    }
    let main = |negative: bool| {
        legs.iter()
            .filter(move |leg| leg.role == Role::Main && leg.amount.is_negative() == negative)
    };
    let incoming = main(false).count();
    let out = main(true).count();
    let fees = legs.iter().filter(|leg| leg.role == Role::Fee).count();
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
                .add(leg.amount)
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
