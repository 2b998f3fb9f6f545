//! Events of batches that were put aside, brought back for as long as they are wanted.

use std::io;

use rayon::prelude::*;

use super::{EventRef, event_in};
use crate::convert::{Batch, EventRecord};

/// Some events of batches that were put aside.
#[derive(Default)]
pub struct Loaded {
    /// Where each event lies in `bytes`, sorted.
    places: Vec<(EventRef, u32)>,
    bytes: Vec<u8>,
}

/// The events of one batch, and where each lies among them.
type OfBatch = (Vec<u8>, Vec<(EventRef, u32)>);

impl Loaded {
    /// Brings back those of the wanted events that were put aside, and forgets all others.
    pub fn load(
        &mut self,
        batches: &[Batch],
        wanted: impl Iterator<Item = EventRef>,
    ) -> io::Result<()> {
        self.places.clear();
        self.bytes.clear();
        let mut wanted: Vec<EventRef> = wanted
            .filter(|at| batches[at.batch as usize].held().is_none())
            .collect();
        wanted.par_sort_unstable();
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

    /// An event that was brought back.
    pub fn get(&self, at: EventRef) -> Option<EventRecord<'_>> {
        let place = self.places.binary_search_by_key(&at, |(at, _)| *at).ok()?;
        EventRecord::at(&self.bytes, self.places[place].1)
    }
}
