//! One file whose report is known: the program, where its columns are, and the facts that come from outside its rows.

use std::sync::Arc;

use super::memo::Memos;
use super::row_hash::{RowHash, Slot};
use crate::input::Record;
use crate::mapping::cell::{DateOrder, TimeReader, Zone};
use crate::mapping::{Binding, Place, Program, normalise};

/// A column's cell does not stand in one place, or not as it is.
const NOT_PLAIN: u32 = u32::MAX;

/// What the rows of a file are read with.
pub struct FileContext {
    pub program: Arc<Program>,
    pub binding: Arc<Binding>,
    /// Without folders; empty where the program does not use it.
    pub file_name: String,
    pub sheet: String,
    /// The zone that the person gave for local times.
    pub zone: Option<Zone>,
    /// Whether the day or the month comes first, where the person said it.
    pub dates: Option<DateOrder>,
    /// The asset that the person said the file is about.
    pub asset: String,
    /// The account's name that the person gave.
    pub account: Option<String>,
    /// The person's own addresses.
    pub own: Vec<String>,
    /// Typed date cells of a workbook come in one form, whatever a text cell would have.
    pub workbook_times: Option<TimeReader>,
    pub delimiter: u8,
    /// It can be read only once: rows that may be rejected later must be kept.
    pub read_once: bool,
    /// Cells that a row can have: those of the header, and those that the mapping names behind it.
    pub known_cells: usize,
    /// Where the cell of a column stands in a record, if it is just that: one cell, and no text in it counts as empty.
    /// Else [`NOT_PLAIN`].
    plain: Vec<u32>,
    /// What derived columns said of cells met before.
    pub(super) memos: Memos,
    /// The places of a record's cells in a row's identity: by the mapping's names of their columns, so that neither their
    /// order nor their spelling matters.
    identity: Vec<Identity>,
    /// What the hash of every row begins with.
    seed_hash: RowHash,
    /// Report, account and owner: rows of different ones are never the same row.
    seed: Vec<u8>,
}

/// What a cell is to a row's identity.
#[derive(Clone, Copy)]
struct Identity {
    /// All ones, or zero if the cell does not belong to it.
    belongs: usize,
    slot: Slot,
}

/// The facts about a file that do not come from its rows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Facts {
    pub file_name: String,
    pub sheet: String,
    pub zone: Option<Zone>,
    pub dates: Option<DateOrder>,
    pub asset: Option<String>,
    pub account: Option<String>,
    pub own: Vec<String>,
    pub is_workbook: bool,
    pub read_once: bool,
}

impl FileContext {
    pub fn new(
        program: Arc<Program>,
        binding: Arc<Binding>,
        delimiter: u8,
        facts: Facts,
    ) -> FileContext {
        let times = program.time_columns();
        let mut identity: Vec<(usize, Slot)> = Vec::new();
        for (at, header) in binding.header.iter().enumerate() {
            let owner = binding.owners[at].map(|column| &program.columns[column]);
            let slot = match owner {
                Some(column) if column.volatile => continue,
                // The instant itself takes part, however the time is written.
                Some(_) if binding.owners[at].is_some_and(|column| times[column]) => continue,
                // Members of a family and parts of a joined column differ by their own header.
                Some(column)
                    if column.family || matches!(column.find_join(), Some(parts) if parts > 1) =>
                {
                    format!("{}/{}", column.name, normalise(header))
                }
                Some(column) => column.name.clone(),
                None if normalise(header).starts_with("coinfold_") => continue,
                // What is not needed differs between generations of a header, and between exports of one row.
                None if program
                    .unused
                    .iter()
                    .any(|pattern| pattern.matches(&normalise(header)).is_some()) =>
                {
                    continue;
                }
                None => format!("?{}", normalise(header)),
            };
            identity.push((at, Slot::of(slot.as_bytes())));
        }
        let mut known_cells = binding.header.len();
        for (place, column) in binding.places.iter().zip(&program.columns) {
            if let Place::At(at) = place
                && *at >= binding.header.len()
            {
                known_cells = known_cells.max(at + 1);
                if !column.volatile {
                    identity.push((*at, Slot::of(column.name.as_bytes())));
                }
            }
        }
        let mut seed = program.id.clone().into_bytes();
        for part in facts.account.iter().chain(&facts.own).chain(&facts.asset) {
            seed.push(0);
            seed.extend_from_slice(part.as_bytes());
        }
        let plain = binding.places.iter().zip(&program.columns);
        let plain = plain
            .map(|(place, column)| match place {
                Place::At(at) if column.blanks.is_empty() => {
                    u32::try_from(*at).unwrap_or(NOT_PLAIN)
                }
                _ => NOT_PLAIN,
            })
            .collect();
        let workbook_times = facts.is_workbook.then(|| {
            TimeReader::new(&["%Y-%m-%d %H:%M:%S%.f", "iso"])
                .expect("these are formats of the language")
        });
        FileContext {
            file_name: facts.file_name,
            sheet: facts.sheet,
            zone: facts.zone,
            dates: facts.dates,
            asset: facts.asset.unwrap_or_default(),
            account: facts.account,
            own: facts.own,
            workbook_times,
            delimiter,
            read_once: facts.read_once,
            known_cells,
            plain,
            memos: Memos::of(&program),
            identity: by_place(&identity),
            seed_hash: RowHash::of(&seed),
            seed,
            program,
            binding,
        }
    }

    /// Where the cell of a column stands in a record, if it is just that.
    #[inline]
    pub(super) fn plain(&self, column: usize) -> Option<usize> {
        Some(self.plain[column])
            .filter(|at| *at != NOT_PLAIN)
            .map(|at| at as usize)
    }

    /// Hash of a row's instant and cells: of those that are not empty, each with its column.
    #[inline]
    pub(super) fn row_hash(&self, time_ns: i64, record: Record<'_>) -> u128 {
        let mut hash = self.seed_hash;
        hash.add_time(time_ns);
        for (cell, identity) in record.cells().zip(&self.identity) {
            if cell.length() & identity.belongs == 0 {
                continue;
            }
            match cell.short() {
                Some(short) => hash.add_short(&identity.slot, short),
                None => hash.add_long(&identity.slot, cell.bytes()),
            }
        }
        hash.value()
    }

    /// Whether two files' rows may be the same rows, or parts of the same groups.
    pub fn scope(&self) -> &[u8] {
        &self.seed
    }
}

/// What each cell is to a row's identity, from the slots of those that belong to it.
fn by_place(slots: &[(usize, Slot)]) -> Vec<Identity> {
    let length = slots.iter().map(|(at, _)| at + 1).max().unwrap_or(0);
    let none = Identity {
        belongs: 0,
        slot: Slot::of(b""),
    };
    let mut places = vec![none; length];
    for (at, slot) in slots {
        let place = &mut places[*at];
        place.slot = match place.belongs {
            0 => *slot,
            _ => place.slot.and(*slot),
        };
        place.belongs = usize::MAX;
    }
    places
}
