//! Rows that belong together: gathers them, and checks that each group has the shape that its mapping expects.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::repeated::Repeated;
use super::{Dropped, Event, EventRef, Ledger, LedgerFile};
use crate::convert::{Key, LegText};
use crate::mapping::{Expect, Group};
use crate::model::{Role, Sum};

/// How many rows, in the order of time, make a piece: what one thread looks at.
const ROWS_OF_PIECE: usize = 1 << 14;

/// A row of a group, and its number in the order of time.
type GroupRow = (Key, u32);

/// A group's key, and the number of a row in the order of time.
type KeyedRow = (u128, u32);

/// Neighbours in the order of time that have one key.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// The key's upper and lower half.
    key: (u64, u64),
    /// Number of its first row in the order of time.
    start: u32,
    count: u32,
}

impl Run {
    fn key(&self) -> u128 {
        u128::from(self.key.0) << 64 | u128::from(self.key.1)
    }

    fn rows(&self) -> Range<usize> {
        self.start as usize..self.start as usize + self.count as usize
    }
}

/// The groups of a piece: their rows.
#[derive(Default)]
pub struct Groups {
    /// Rows of all groups, those of each group together and in the order of the files.
    rows: Vec<EventRef>,
    /// Where the rows of each group begin, and how many they are.
    groups: Vec<(u32, u32)>,
}

impl Groups {
    pub fn rows_of(&self, group: u32) -> &[EventRef] {
        let (start, count) = self.groups[group as usize];
        &self.rows[start as usize..][..count as usize]
    }
}

/// The groups of some keys, and the rows of those that have another shape than they should.
#[derive(Default)]
struct Formed {
    groups: Groups,
    /// Of each group, the number of its earliest row in the order of time.
    earliest: Vec<u32>,
    misfits: Vec<(Vec<EventRef>, Arc<str>)>,
}

/// Makes the events: one of each row, and one of each group of rows. Rows of groups with another shape than they should
/// have are rejected, all of them. `keys`: of all rows, in the order of time.
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
    let runs = find_runs(ledger, &keys)?;
    let count = runs.iter().map(Vec::len).sum();
    if count == 0 {
        return Ok(keys.into_iter().map(Event::from).collect());
    }
    let run_keys = runs
        .par_iter()
        .flat_map_iter(|runs| runs.iter().map(Run::key));
    let repeated = Repeated::among_many(run_keys, count);
    let mut formed = form_all(ledger, &keys, &runs, &repeated)?;
    for (rows, reason) in formed
        .iter_mut()
        .flat_map(|formed| formed.misfits.drain(..))
    {
        for at in rows {
            ledger.dropped.insert(at, Dropped::Rejected(reason.clone()));
        }
    }
    put_groups(&mut keys, &runs, &formed);
    ledger.groups = formed.into_iter().map(|formed| formed.groups).collect();
    let mut events: Vec<Event> = keys.into_iter().map(Event::from).collect();
    events.shrink_to_fit();
    sort_instants(&mut events, |event| ledger.members(event)[0]);
    Ok(events)
}

/// Of how many pieces the rows are brought back at a time: whole ones, and at least one.
fn pieces_at_once(ledger: &Ledger) -> usize {
    ledger.rows_at_once.div_ceil(ROWS_OF_PIECE)
}

/// The runs of each piece.
fn find_runs(ledger: &mut Ledger, keys: &[Key]) -> io::Result<Vec<Vec<Run>>> {
    let at_once = ledger.at_once(pieces_at_once(ledger) * ROWS_OF_PIECE, keys.len());
    let parts: Vec<(usize, &[Key])> = (0..).step_by(at_once).zip(keys.chunks(at_once)).collect();
    let places = |_: &Ledger, (_, keys): &(usize, &[Key])| keys.iter().map(|key| key.at).collect();
    let mut runs: Vec<Vec<Run>> = Vec::new();
    ledger.rows_in_parts(&parts, places, |ledger, (start, keys)| {
        let of_piece = |(nth, keys): (usize, &[Key])| {
            let groups = keys.iter().map(|key| ledger.record(key.at).group());
            runs_of(start + nth * ROWS_OF_PIECE, groups)
        };
        let pieces = keys.par_chunks(ROWS_OF_PIECE).enumerate();
        runs.par_extend(pieces.map(of_piece));
        Ok(())
    })?;
    Ok(runs)
}

/// The runs of rows, of which the first has the number `start`. `groups`: the key of each row, if it has one.
fn runs_of(start: usize, groups: impl Iterator<Item = Option<u128>>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (number, key) in (super::number(start)..).zip(groups) {
        let Some(key) = key else { continue };
        match runs.last_mut() {
            Some(run) if run.key() == key && run.start + run.count == number => run.count += 1,
            _ => runs.push(Run {
                key: ((key >> 64) as u64, key as u64),
                start: number,
                count: 1,
            }),
        }
    }
    runs
}

/// The rows whose keys may have others elsewhere, by key, then in the order of time.
fn scattered_rows(runs: &[Vec<Run>], repeated: &Repeated) -> Vec<KeyedRow> {
    let keyed = |run: &Run| {
        let key = run.key();
        (run.start..run.start + run.count).map(move |number| (key, number))
    };
    let of_piece = |runs: &Vec<Run>| -> Vec<KeyedRow> {
        let scattered = runs.iter().filter(|run| repeated.may_hold(run.key()));
        scattered.flat_map(keyed).collect()
    };
    let mut rows: Vec<KeyedRow> = runs.par_iter().flat_map_iter(of_piece).collect();
    rows.par_sort_unstable();
    rows
}

/// Forms the groups of all runs, piece by piece. Keys whose rows stand in several places belong to the piece of their first row.
fn form_all(
    ledger: &mut Ledger,
    keys: &[Key],
    runs: &[Vec<Run>],
    repeated: &Repeated,
) -> io::Result<Vec<Formed>> {
    let broken = broken_groups(ledger);
    let scattered = scattered_rows(runs, repeated);
    let mut of_keys: Vec<&[KeyedRow]> = scattered.chunk_by(|one, other| one.0 == other.0).collect();
    of_keys.par_sort_unstable_by_key(|rows| rows[0].1);
    let mut others = &of_keys[..];
    let mut pieces: Vec<Piece> = Vec::with_capacity(runs.len());
    for (nth, runs) in runs.iter().enumerate() {
        let is_here = |rows: &&[KeyedRow]| rows[0].1 as usize / ROWS_OF_PIECE <= nth;
        let (scattered, rest) = others.split_at(others.partition_point(is_here));
        pieces.push(Piece { runs, scattered });
        others = rest;
    }
    let at_once = ledger.at_once(pieces_at_once(ledger), pieces.len());
    let parts: Vec<&[Piece]> = pieces.chunks(at_once).collect();
    let places = |_: &Ledger, pieces: &&[Piece]| {
        let mut places: Vec<EventRef> = Vec::new();
        for piece in *pieces {
            let runs = piece.runs_together(repeated);
            places.extend(runs.flat_map(|run| &keys[run.rows()]).map(|key| key.at));
            let scattered = piece.scattered.iter().copied().flatten();
            places.extend(scattered.map(|(_, number)| keys[*number as usize].at));
        }
        places
    };
    let mut formed: Vec<Formed> = Vec::with_capacity(pieces.len());
    ledger.rows_in_parts(&parts, places, |ledger, pieces| {
        let form = |piece: &Piece| form_piece(ledger, keys, &broken, piece, repeated);
        formed.par_extend(pieces.par_iter().map(form));
        Ok(())
    })?;
    Ok(formed)
}

/// The keys of a piece.
struct Piece<'r> {
    runs: &'r [Run],
    /// The rows of each key whose rows may stand in several places.
    scattered: &'r [&'r [KeyedRow]],
}

impl Piece<'_> {
    /// The runs that are all rows of their keys.
    fn runs_together(&self, repeated: &Repeated) -> impl Iterator<Item = &Run> {
        let runs = self.runs.iter();
        runs.filter(|run| !repeated.may_hold(run.key()))
    }
}

/// Forms the groups of a piece.
fn form_piece(
    ledger: &Ledger,
    keys: &[Key],
    broken: &FxHashMap<u128, Vec<Broken>>,
    piece: &Piece,
    repeated: &Repeated,
) -> Formed {
    let mut forming = Forming {
        ledger,
        broken,
        members: Vec::new(),
        formed: Formed::default(),
    };
    let mut rows: Vec<GroupRow> = Vec::new();
    for run in piece.runs_together(repeated) {
        rows.clear();
        rows.extend(keys[run.rows()].iter().copied().zip(run.start..));
        forming.form_key(run.key(), &rows);
    }
    for of_key in piece.scattered {
        rows.clear();
        let numbers = of_key.iter().map(|(_, number)| *number);
        rows.extend(numbers.map(|number| (keys[number as usize], number)));
        forming.form_key(of_key[0].0, &rows);
    }
    forming.formed
}

/// Forms groups, key by key.
struct Forming<'l> {
    ledger: &'l Ledger,
    broken: &'l FxHashMap<u128, Vec<Broken>>,
    /// Of the group that is being formed.
    members: Vec<EventRef>,
    formed: Formed,
}

impl Forming<'_> {
    /// Forms the groups of a key. `rows`: all of its rows, in the order of time.
    fn form_key(&mut self, key: u128, rows: &[GroupRow]) {
        let ledger = self.ledger;
        let first = rows[0].0.at;
        let program = &ledger.context(ledger.file_index(first)).program;
        let rule = &program.rules[usize::from(ledger.record(first).rule())];
        let Some(group) = &rule.group else { return };
        cut(ledger, rows, group, &mut |rows| {
            self.form_group(key, rows, group, &rule.label);
        });
    }

    fn form_group(&mut self, key: u128, rows: &[GroupRow], group: &Group, label: &str) {
        let (ledger, members) = (self.ledger, &mut self.members);
        members.clear();
        members.extend(rows.iter().map(|(row, _)| row.at));
        members.sort_unstable();
        let broken = self.broken.get(&key);
        let missing = broken.and_then(|broken| missing_row(ledger, members, broken, group));
        match missing.or_else(|| misfit(ledger, members, &group.expect)) {
            None => {
                let Groups { rows: all, groups } = &mut self.formed.groups;
                groups.push((super::number(all.len()), super::number(members.len())));
                all.extend_from_slice(members);
                let earliest = rows.iter().map(|(_, number)| *number).min();
                self.formed.earliest.push(earliest.unwrap_or_default());
            }
            Some(why) => {
                let lines: Vec<String> = members
                    .iter()
                    .take(5)
                    .map(|at| ledger.line(*at).to_string())
                    .collect();
                let more = if members.len() > 5 { ", …" } else { "" };
                let reason = format!(
                    "the rows that belong together (lines {}{more}; {label}) {why}",
                    lines.join(", "),
                );
                self.formed.misfits.push((members.clone(), reason.into()));
            }
        }
    }
}

/// Puts each group where its earliest row stands, and takes the rows of groups out.
fn put_groups(keys: &mut Vec<Key>, runs: &[Vec<Run>], formed: &[Formed]) {
    let piece_of = |number: u32| number as usize / ROWS_OF_PIECE;
    // The groups that stand in another piece than that of the first row of their key.
    let mut strays: Vec<(u32, EventRef)> = Vec::new();
    for (piece, formed) in formed.iter().enumerate() {
        let groups = formed.earliest.iter().zip(0..);
        let elsewhere = groups.filter(|(number, _)| piece_of(**number) != piece);
        strays.extend(elsewhere.map(|(number, group)| (*number, Event::group(piece, group))));
    }
    strays.sort_unstable();
    let put = |(piece, keys): (usize, &mut [Key])| {
        let groups = formed[piece].earliest.iter().zip(0..);
        let here = groups.filter(|(number, _)| piece_of(**number) == piece);
        let mut groups: Vec<(u32, EventRef)> = here
            .map(|(number, group)| (*number, Event::group(piece, group)))
            .collect();
        let start = strays.partition_point(|(number, _)| piece_of(*number) < piece);
        let strays = strays[start..].iter();
        groups.extend(strays.take_while(|(number, _)| piece_of(*number) == piece));
        groups.sort_unstable();
        put_groups_of_piece(keys, piece * ROWS_OF_PIECE, &runs[piece], &groups)
    };
    let pieces = keys.par_chunks_mut(ROWS_OF_PIECE).enumerate();
    let counts: Vec<usize> = pieces.map(put).collect();
    let mut end = 0;
    for (piece, count) in counts.into_iter().enumerate() {
        let start = piece * ROWS_OF_PIECE;
        keys.copy_within(start..start + count, end);
        end += count;
    }
    keys.truncate(end);
}

/// Puts groups in the place of the rows of a piece; how many keys are left, at its beginning. `first`: number of its first
/// row. `groups`: by the numbers of their earliest rows.
fn put_groups_of_piece(
    keys: &mut [Key],
    first: usize,
    runs: &[Run],
    groups: &[(u32, EventRef)],
) -> usize {
    let mut groups = groups.iter().peekable();
    // Each group stands for a row of its own: no key is written over before it has moved.
    let (mut from, mut to) = (0, 0);
    for run in runs {
        let rows = run.rows();
        let start = rows.start - first;
        keys.copy_within(from..start, to);
        to += start - from;
        from = rows.end - first;
        while let Some((number, at)) =
            groups.next_if(|(number, _)| rows.contains(&(*number as usize)))
        {
            let time_ns = keys[*number as usize - first].time_ns;
            keys[to] = Key { time_ns, at: *at };
            to += 1;
        }
    }
    let length = keys.len();
    keys.copy_within(from.., to);
    to + length - from
}

/// Sorts the events of each instant by their first rows, as these stand in the files. Events are in the order of time.
fn sort_instants(events: &mut [Event], first: impl Fn(&Event) -> EventRef + Sync) {
    let mut pieces: Vec<&mut [Event]> = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let least = ROWS_OF_PIECE.min(rest.len());
        let time_ns = rest[least - 1].time_ns();
        let more = rest[least..].iter();
        let same = more.take_while(|event| event.time_ns() == time_ns).count();
        let (piece, others) = rest.split_at_mut(least + same);
        pieces.push(piece);
        rest = others;
    }
    pieces.into_par_iter().for_each(|events| {
        for instant in events.chunk_by_mut(|one, other| one.time_ns() == other.time_ns()) {
            if instant.len() > 1 && !instant.is_sorted_by_key(&first) {
                instant.sort_unstable_by_key(&first);
            }
        }
    });
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
    while let Some((first, _)) = rest.first() {
        let start_ns = first.time_ns;
        let count = match group.window_ns {
            None => rest.len(),
            Some(window_ns) => rest
                .iter()
                .take_while(|(row, _)| row.time_ns.saturating_sub(start_ns) <= window_ns)
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
        .map(|row| {
            let at = row.0.at;
            (ledger.file_index(at), row_number(ledger, at), *row)
        })
        .collect();
    in_file.sort_unstable_by_key(|(file, number, (row, _))| (*file, *number, row.at));
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

    /// Rows by key, found by runs of pieces of so many rows.
    fn by_key(rows: &[Option<u128>], of_piece: usize) -> BTreeMap<u128, Vec<u32>> {
        let pieces = rows.chunks(of_piece).enumerate();
        let runs: Vec<Vec<Run>> = pieces
            .map(|(nth, rows)| runs_of(nth * of_piece, rows.iter().copied()))
            .collect();
        let all = || runs.iter().flatten();
        let repeated = Repeated::among_many(runs.par_iter().flatten().map(Run::key), all().count());
        let mut found: BTreeMap<u128, Vec<u32>> = BTreeMap::new();
        for runs in &runs {
            let piece = Piece {
                runs,
                scattered: &[],
            };
            for run in piece.runs_together(&repeated) {
                let before =
                    found.insert(run.key(), run.rows().map(|number| number as u32).collect());
                assert_eq!(before, None);
            }
        }
        let scattered = scattered_rows(&runs, &repeated);
        for rows in scattered.chunk_by(|one, other| one.0 == other.0) {
            let before = found.insert(rows[0].0, rows.iter().map(|row| row.1).collect());
            assert_eq!(before, None);
        }
        found
    }

    fn row(number: u32, time_ns: i64) -> Key {
        let at = EventRef {
            batch: 0,
            event: number,
        };
        Key { time_ns, at }
    }

    proptest! {
        #[test]
        fn rows_of_a_key_are_found_wherever_they_stand(
            runs in prop::collection::vec((prop::option::weighted(0.9, 0..30u128), 1..4usize), 0..100),
            of_piece in 1..50usize,
        ) {
            let rows: Vec<Option<u128>> = runs
                .into_iter()
                .flat_map(|(key, count)| std::iter::repeat_n(key.map(|key| key << 62), count))
                .collect();
            let mut expected: BTreeMap<u128, Vec<u32>> = BTreeMap::new();
            for (row, number) in rows.iter().zip(0..) {
                if let Some(key) = row {
                    expected.entry(*key).or_default().push(number);
                }
            }
            prop_assert_eq!(by_key(&rows, of_piece), expected);
        }

        #[test]
        fn groups_stand_where_their_earliest_rows_stood(
            // Whether a row is of a group, and the earliest of one.
            rows in prop::collection::vec((any::<bool>(), any::<bool>(), 0..3u128), 0..100),
            first in 0..100usize,
        ) {
            let runs = runs_of(first, rows.iter().map(|(is_grouped, _, key)| is_grouped.then_some(*key)));
            let mut keys: Vec<Key> = (0..).zip(&rows).map(|(number, _)| row(number, i64::from(number))).collect();
            let mut groups = Vec::new();
            let mut expected = Vec::new();
            for (key, (is_grouped, is_earliest, _)) in keys.iter().zip(&rows) {
                if !is_grouped {
                    expected.push(*key);
                } else if *is_earliest {
                    let at = Event::group(3, key.at.event);
                    groups.push((key.at.event + first as u32, at));
                    expected.push(Key { at, ..*key });
                }
            }
            let count = put_groups_of_piece(&mut keys, first, &runs, &groups);
            prop_assert_eq!(&keys[..count], &expected[..]);
        }
    }

    #[test]
    fn groups_stand_in_the_pieces_of_their_earliest_rows() {
        let count = 2 * ROWS_OF_PIECE + 10;
        let mut keys: Vec<Key> = (0..count as u32)
            .map(|number| row(number, i64::from(number)))
            .collect();
        // One key, whose rows begin in the first piece, has groups in all pieces, and the first piece's come last.
        let groups = [count as u32 - 1, ROWS_OF_PIECE as u32 + 4, 5];
        let runs: Vec<Vec<Run>> = (0..3)
            .map(|piece| {
                let start = piece * ROWS_OF_PIECE;
                let numbers = start..count.min(start + ROWS_OF_PIECE);
                runs_of(
                    start,
                    numbers.map(|number| groups.contains(&(number as u32)).then_some(7)),
                )
            })
            .collect();
        let mut formed: Vec<Formed> = (0..3).map(|_| Formed::default()).collect();
        formed[0].earliest = groups.to_vec();
        let mut expected = keys.clone();
        for (group, number) in (0..).zip(groups) {
            expected[number as usize].at = Event::group(0, group);
        }
        put_groups(&mut keys, &runs, &formed);
        assert_eq!(keys, expected);
    }

    #[test]
    fn events_of_an_instant_stand_as_their_first_rows() {
        // One instant goes from the first piece into the second.
        let count = 2 * ROWS_OF_PIECE as u32;
        let time_of = |number: u32| i64::from(number) / (i64::from(count) / 3);
        let mut events: Vec<Event> = (0..count)
            .map(|number| Event::from(row(number, time_of(number))))
            .collect();
        let first = |event: &Event| EventRef {
            batch: 0,
            event: event.at().event.wrapping_mul(0x9e37_79b1),
        };
        let mut expected = events.clone();
        expected.sort_by_key(|event| (event.time_ns(), first(event)));
        assert_ne!(events, expected);
        sort_instants(&mut events, first);
        assert_eq!(events, expected);
    }
}
