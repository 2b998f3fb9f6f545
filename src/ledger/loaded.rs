//! Events of batches that were put aside, brought back for as long as they are wanted.
//!
//! Where they are wanted nearly in the order of the files, each batch is read when a part of its events is wanted, which is
//! about once. Where they are wanted in quite another order, all of them are laid anew first, part by part as they will be
//! wanted: each byte is read and written a fixed number of times, however many there are.

use std::io;

use rayon::prelude::*;

use super::{EventRef, event_in};
use crate::convert::{AsideFile, Batch, EventRecord, Extent, events};

/// Parts that are brought back one after the other are laid anew where the batches would be read more often than this.
const READS: u64 = 4;

/// In how many goes parts are laid anew at most, where there are many events: in each the batches are read once.
const GOES: usize = 4;

/// How many events are laid anew in one go at least.
const EVENTS_AT_LEAST: usize = 1 << 20;

/// What the events that wait to be laid anew may take, in bytes, all parts together.
const WAITING_BYTES: usize = 16 << 20;

/// Some events of batches that were put aside.
#[derive(Default)]
pub struct Loaded {
    /// Where each event lies in `bytes`, sorted.
    places: Vec<(EventRef, u32)>,
    bytes: Vec<u8>,
}

/// The events of one batch, and where each lies among them.
type OfBatch = (Vec<u8>, Vec<(EventRef, u32)>);

/// How the events of parts are brought back, one part after the other.
pub enum Way {
    /// From the batches that they are in.
    AsTheyLie,
    /// From a file in which those of each part lie together, in the order of the files.
    Laid(AsideFile, Vec<Vec<Extent>>),
}

impl Way {
    /// Finds out how the events of parts are best brought back. `wanted(n)`: those of the nth part.
    ///
    /// # Errors
    /// When they cannot be read, or laid anew.
    pub fn to(
        batches: &[Batch],
        count: usize,
        wanted: impl Fn(usize) -> Vec<EventRef>,
    ) -> io::Result<Way> {
        if !is_scattered(batches, count, &wanted) {
            return Ok(Way::AsTheyLie);
        }
        let of_part = |nth: usize| {
            let mut wanted = wanted(nth);
            wanted.retain(|at| is_aside(batches, *at));
            wanted
        };
        let all: usize = (0..count).map(|nth| of_part(nth).len()).sum();
        let at_once = (all / GOES).max(EVENTS_AT_LEAST);
        Way::lay(batches, count, of_part, at_once, WAITING_BYTES / count)
    }

    /// Lays the events of parts anew: those of as many parts in one go as have `at_once` events together, written whenever
    /// so many bytes of a part wait.
    fn lay(
        batches: &[Batch],
        count: usize,
        of_part: impl Fn(usize) -> Vec<EventRef>,
        at_once: usize,
        waiting_bytes: usize,
    ) -> io::Result<Way> {
        let Some(aside) = batches.iter().find_map(Batch::aside) else {
            return Ok(Way::AsTheyLie);
        };
        let file = aside.new_file()?;
        let mut extents: Vec<Vec<Extent>> = vec![Vec::new(); count];
        let mut first = 0;
        while first < count {
            let mut events: Vec<(EventRef, u32)> = Vec::new();
            let mut end = first;
            while end < count && (end == first || events.len() < at_once) {
                let part = super::number(end - first);
                events.extend(of_part(end).into_iter().map(|at| (at, part)));
                end += 1;
            }
            events.par_sort_unstable();
            let mut waiting: Vec<Vec<u8>> = vec![Vec::new(); end - first];
            let mut arena = Vec::new();
            for of_batch in events.chunk_by(|one, other| one.0.batch == other.0.batch) {
                batches[of_batch[0].0.batch as usize].read_aside(&mut arena)?;
                for (at, part) in of_batch {
                    let part = *part as usize;
                    waiting[part].extend_from_slice(event_in(&arena, *at).bytes());
                    if waiting[part].len() >= waiting_bytes {
                        extents[first + part].push(file.put(&waiting[part])?);
                        waiting[part].clear();
                    }
                }
            }
            for (part, waiting) in waiting.iter().enumerate() {
                extents[first + part].push(file.put(waiting)?);
            }
            first = end;
        }
        Ok(Way::Laid(file, extents))
    }
}

/// Whether the batches would be read many times if the events of parts were brought back from them part by part.
fn is_scattered(batches: &[Batch], count: usize, wanted: impl Fn(usize) -> Vec<EventRef>) -> bool {
    let bytes_of: Vec<u64> = batches
        .iter()
        .map(|batch| batch.aside().map_or(0, |aside| aside.bytes() as u64))
        .collect();
    let most = READS * bytes_of.iter().sum::<u64>();
    let mut last_part = vec![usize::MAX; batches.len()];
    let mut read = 0;
    (0..count).any(|nth| {
        for at in wanted(nth) {
            let batch = at.batch as usize;
            if std::mem::replace(&mut last_part[batch], nth) != nth {
                read += bytes_of[batch];
            }
        }
        read > most
    })
}

fn is_aside(batches: &[Batch], at: EventRef) -> bool {
    batches[at.batch as usize].aside().is_some()
}

impl Loaded {
    /// Brings back those events of the nth part that were put aside, and forgets all others.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn load(
        &mut self,
        batches: &[Batch],
        way: &Way,
        nth: usize,
        mut wanted: Vec<EventRef>,
    ) -> io::Result<()> {
        self.places.clear();
        self.bytes.clear();
        wanted.retain(|at| is_aside(batches, *at));
        wanted.par_sort_unstable();
        match way {
            Way::AsTheyLie => self.load_from_batches(batches, &wanted),
            Way::Laid(file, extents) => self.load_laid(file, &extents[nth], &wanted),
        }
    }

    fn load_from_batches(&mut self, batches: &[Batch], wanted: &[EventRef]) -> io::Result<()> {
        let of_batches: Vec<&[EventRef]> = wanted
            .chunk_by(|one, other| one.batch == other.batch)
            .collect();
        let loaded: io::Result<Vec<OfBatch>> = of_batches
            .into_par_iter()
            .map_init(Vec::new, |arena, wanted| {
                batches[wanted[0].batch as usize].read_aside(arena)?;
                let mut bytes = Vec::new();
                let mut places = Vec::with_capacity(wanted.len());
                for at in wanted {
                    places.push((*at, super::number(bytes.len())));
                    let event = event_in(arena, *at);
                    bytes.extend_from_slice(event.bytes());
                }
                Ok((bytes, places))
            })
            .collect();
        for (bytes, places) in loaded? {
            let start = super::number(self.bytes.len());
            self.bytes.extend_from_slice(&bytes);
            let moved = places.into_iter().map(|(at, place)| (at, start + place));
            self.places.extend(moved);
        }
        Ok(())
    }

    fn load_laid(
        &mut self,
        file: &AsideFile,
        extents: &[Extent],
        wanted: &[EventRef],
    ) -> io::Result<()> {
        for extent in extents {
            let start = self.bytes.len();
            self.bytes.resize(start + extent.length, 0);
            file.read(*extent, &mut self.bytes[start..])?;
        }
        let places = events(&self.bytes).map(|(place, _)| place);
        self.places.extend(wanted.iter().copied().zip(places));
        assert_eq!(
            self.places.len(),
            wanted.len(),
            "each event of a part was laid there"
        );
        Ok(())
    }

    /// An event that was brought back.
    pub fn get(&self, at: EventRef) -> Option<EventRecord<'_>> {
        let place = self.places.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        EventRecord::at(&self.bytes, self.places[place].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn events_are_brought_back_from_wherever_they_were_laid(
            notes in proptest::collection::vec((proptest::collection::vec("[a-z]{0,30}", 1..12), any::<bool>()), 1..6),
            parts_of in proptest::collection::vec(0usize..7, 1..80),
            at_once in 1usize..20,
            waiting_bytes in 0usize..300,
        ) {
            let batches: Vec<Batch> = notes.iter().map(|(notes, is_aside)| Batch::of_notes(notes, *is_aside)).collect();
            let mut all: Vec<(EventRef, &str)> = Vec::new();
            for (number, (batch, (notes, _))) in batches.iter().zip(&notes).enumerate() {
                let places = events(&batch.arena()).map(|(event, _)| event).collect::<Vec<_>>();
                let at = |event| EventRef { batch: number as u32, event };
                all.extend(places.into_iter().map(at).zip(notes.iter().map(String::as_str)));
            }
            let of_part = |nth: usize| -> Vec<(EventRef, &str)> {
                let nths = (0..all.len()).filter(|event| parts_of[event % parts_of.len()] == nth);
                nths.map(|event| all[event]).rev().collect()
            };
            let wanted = |nth: usize| -> Vec<EventRef> { of_part(nth).into_iter().map(|(at, _)| at).collect() };
            let aside = |nth: usize| -> Vec<EventRef> { wanted(nth).into_iter().filter(|at| is_aside(&batches, *at)).collect() };
            let laid = Way::lay(&batches, 7, aside, at_once, waiting_bytes).unwrap();
            let any_aside = notes.iter().any(|(_, is_aside)| *is_aside);
            prop_assert_eq!(matches!(laid, Way::Laid(..)), any_aside);
            let mut loaded = Loaded::default();
            for way in [laid, Way::AsTheyLie] {
                for nth in 0..7 {
                    loaded.load(&batches, &way, nth, wanted(nth)).unwrap();
                    for (at, note) in of_part(nth) {
                        let found = loaded.get(at).map(|event| event.texts()[4]);
                        let expected = is_aside(&batches, at).then_some(note.as_bytes());
                        prop_assert_eq!(found, expected);
                    }
                }
            }
        }
    }

    #[test]
    fn only_what_is_scattered_is_laid_anew() {
        let batches: Vec<Batch> = (0..20)
            .map(|_| Batch::of_notes(&vec!["a".to_owned(); 20], true))
            .collect();
        let all: Vec<EventRef> = (0..)
            .zip(&batches)
            .flat_map(|(number, batch)| {
                let places: Vec<u32> = events(&batch.arena()).map(|(event, _)| event).collect();
                places.into_iter().map(move |event| EventRef {
                    batch: number,
                    event,
                })
            })
            .collect();
        let in_order = |nth: usize| all[nth * 40..][..40].to_vec();
        let in_turn = |nth: usize| all.iter().copied().skip(nth).step_by(10).collect();
        assert!(matches!(
            Way::to(&batches, 10, in_order).unwrap(),
            Way::AsTheyLie
        ));
        assert!(matches!(
            Way::to(&batches, 10, in_turn).unwrap(),
            Way::Laid(..)
        ));
    }
}
