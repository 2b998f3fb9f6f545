//! Which report a file is, told from its header line; and where each column of the report is in that file.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::header::{HeaderPattern, normalise};
use super::library::{Library, Mapping, has_one};
use super::program::{Find, Program};

/// How many of the nearest mappings are named for a file that nothing recognises.
const NEAREST: usize = 3;

/// A line that may be a header, from the first lines of a file under one delimiter.
#[derive(Clone, Debug)]
pub struct HeaderLine {
    pub delimiter: u8,
    /// The cells as they stand.
    pub cells: Vec<String>,
    /// Whatever the caller needs to find the line again.
    pub index: usize,
}

/// Where a column of the report is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Missing,
    At(usize),
    /// Cells joined by a blank.
    Joined(Vec<usize>),
    /// Text of the family's capture → position.
    Family(FxHashMap<Box<[u8]>, usize>),
}

/// A program bound to the columns of one file.
#[derive(Clone, Debug)]
pub struct Binding {
    pub places: Vec<Place>,
    /// A text for each capture of the program.
    pub captures: Vec<String>,
    /// The file's header texts.
    pub header: Vec<String>,
    /// The report's column that each of the file's columns is (the first that uses it).
    pub owners: Vec<Option<usize>>,
    /// Columns of the file that the mapping does not know.
    pub unknown: Vec<String>,
    score: Score,
}

/// The most specific mapping wins: known columns of the file first, then how many it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    known: usize,
    required: usize,
}

/// A file whose report is known.
#[derive(Clone, Debug)]
pub struct Recognised {
    pub program: Arc<Program>,
    pub binding: Arc<Binding>,
    pub line: HeaderLine,
}

/// A file whose report is not known, and what comes near.
#[derive(Clone, Debug, Default)]
pub struct Unrecognised {
    /// Two or more mappings that fit equally well.
    pub tie: Vec<String>,
    pub nearest: Vec<Near>,
    /// Mappings that would fit but have errors.
    pub broken: Vec<String>,
}

/// A mapping that some columns of the file fit.
#[derive(Clone, Debug)]
pub struct Near {
    pub id: String,
    pub found: usize,
    pub required: usize,
    /// Columns that are missing, by their first spelling.
    pub missing: Vec<String>,
    /// Columns of the file that the mapping does not know.
    pub extra: Vec<String>,
}

/// Finds the report of a file from its first lines: the first line that is the header of any mapping decides. `only`
/// is the mapping that the person asks for.
pub fn recognise(
    library: &Library,
    lines: &[HeaderLine],
    sheet: Option<&str>,
    only: Option<&str>,
) -> Result<Recognised, Unrecognised> {
    let candidates = || {
        library
            .mappings()
            .iter()
            .filter(|mapping| only.is_none_or(|id| mapping.id == id))
    };
    let mut best_line: BTreeMap<usize, Vec<&HeaderLine>> = BTreeMap::new();
    for line in lines {
        best_line.entry(line.index).or_default().push(line);
    }
    let mut unrecognised = Unrecognised::default();
    for lines in best_line.values() {
        let mut found: Vec<Recognised> = Vec::new();
        for line in lines {
            let normal: Vec<String> = line.cells.iter().map(|cell| normalise(cell)).collect();
            let set: HashSet<&str> = normal.iter().map(String::as_str).collect();
            for mapping in candidates()
                .filter(|mapping| mapping.may_be(&set) && !mapping.required().is_empty())
            {
                let Ok(program) = library.program(mapping) else {
                    if !unrecognised.broken.contains(&mapping.id) {
                        unrecognised.broken.push(mapping.id.clone());
                    }
                    continue;
                };
                let sheet_differs = matches!((&program.sheet, sheet), (Some(wanted), Some(sheet)) if wanted != sheet);
                let delimiter_differs = program
                    .delimiter
                    .is_some_and(|wanted| wanted != line.delimiter && sheet.is_none());
                if !program.has_header || sheet_differs || delimiter_differs {
                    continue;
                }
                if let Some(binding) = bind(&program, &line.cells) {
                    found.push(Recognised {
                        program,
                        binding: Arc::new(binding),
                        line: (*line).clone(),
                    });
                }
            }
        }
        let Some(best) = found.iter().map(|found| found.binding.score).max() else {
            continue;
        };
        found.retain(|found| found.binding.score == best);
        let ids: BTreeSet<&str> = found
            .iter()
            .map(|found| found.program.id.as_str())
            .collect();
        if ids.len() > 1 {
            unrecognised.tie = ids.into_iter().map(str::to_owned).collect();
            return Err(unrecognised);
        }
        return Ok(found.swap_remove(0));
    }
    unrecognised.nearest = nearest(library, candidates(), lines);
    Err(unrecognised)
}

/// Binds a program to a header line: `None` if a column that must be there is not.
pub fn bind(program: &Program, header: &[String]) -> Option<Binding> {
    let normal: Vec<String> = header.iter().map(|cell| normalise(cell)).collect();
    let mut binding = Binding {
        places: Vec::with_capacity(program.columns.len()),
        captures: vec![String::new(); program.captures.len()],
        header: header.to_vec(),
        owners: vec![None; header.len()],
        unknown: Vec::new(),
        score: Score {
            known: 0,
            required: 0,
        },
    };
    let mut captured: BTreeMap<String, String> = BTreeMap::new();
    let exact = exact_positions(program, &normal);
    for (index, column) in program.columns.iter().enumerate() {
        let place = match &column.find {
            Find::Header(patterns, _) if column.family => {
                let mut members = FxHashMap::default();
                for (at, text) in normal.iter().enumerate() {
                    let found = patterns
                        .iter()
                        .filter(|_| !exact[at])
                        .find_map(|pattern| pattern.matches(text));
                    if let Some(key) = found
                        .and_then(|captures| captures.into_values().next())
                        .filter(|key| !key.is_empty())
                    {
                        members
                            .entry(key.into_bytes().into_boxed_slice())
                            .or_insert(at);
                        binding.owners[at].get_or_insert(index);
                    }
                }
                Place::Family(members)
            }
            Find::Header(patterns, nth) => {
                match find(patterns, *nth, &normal, &exact, &mut captured) {
                    Some(at) => Place::At(at),
                    None => Place::Missing,
                }
            }
            // Rows may be longer than their header: what may be missing may also lie behind it.
            Find::At(at) if *at < header.len() || !program.has_header || column.optional => {
                Place::At(*at)
            }
            Find::At(_) => Place::Missing,
            Find::Join(parts) => {
                let places: Option<Vec<usize>> = parts
                    .iter()
                    .map(|part| find(part, 1, &normal, &exact, &mut captured))
                    .collect();
                places.map_or(Place::Missing, Place::Joined)
            }
        };
        if place == Place::Missing && !column.optional {
            return None;
        }
        if !column.optional && !column.family {
            binding.score.required += 1;
        }
        match &place {
            Place::At(at) => {
                if let Some(owner) = binding.owners.get_mut(*at) {
                    owner.get_or_insert(index);
                }
            }
            Place::Joined(places) => places.iter().for_each(|at| {
                binding.owners[*at].get_or_insert(index);
            }),
            Place::Missing | Place::Family(_) => {}
        }
        binding.places.push(place);
    }
    for (name, text) in captured {
        if let Some(index) = program.captures.iter().position(|known| *known == name) {
            binding.captures[index] = text;
        }
    }
    for (at, text) in normal.iter().enumerate() {
        let ours = text.starts_with("coinfold_");
        let known = binding.owners[at].is_some()
            || text.is_empty()
            || program
                .unused
                .iter()
                .any(|pattern| pattern.matches(text).is_some());
        binding.score.known += usize::from(known && !text.is_empty());
        if !known && !ours {
            binding.unknown.push(header[at].trim().to_owned());
        }
    }
    Some(binding)
}

/// Which columns of the file are named by an exact text: a pattern with captures does not take them.
fn exact_positions(program: &Program, normal: &[String]) -> Vec<bool> {
    let exact: HashSet<&str> = program
        .header_patterns()
        .into_iter()
        .filter_map(HeaderPattern::literal)
        .collect();
    normal
        .iter()
        .map(|text| exact.contains(text.as_str()))
        .collect()
}

/// The nth column with one of these spellings, tried in their order. What it captures must agree with what is captured
/// already.
fn find(
    patterns: &[HeaderPattern],
    nth: usize,
    normal: &[String],
    exact: &[bool],
    captured: &mut BTreeMap<String, String>,
) -> Option<usize> {
    for pattern in patterns {
        let free = |at: &usize| pattern.literal().is_some() || !exact[*at];
        let fits = normal
            .iter()
            .enumerate()
            .filter(|(at, _)| free(at))
            .filter_map(|(at, text)| pattern.matches(text).map(|captures| (at, captures)));
        let agrees = |captures: &BTreeMap<String, String>| {
            captures
                .iter()
                .all(|(name, text)| captured.get(name).is_none_or(|known| known == text))
        };
        if let Some((at, captures)) = fits.filter(|(_, captures)| agrees(captures)).nth(nth - 1) {
            captured.extend(captures);
            return Some(at);
        }
    }
    None
}

fn nearest<'m>(
    library: &Library,
    candidates: impl Iterator<Item = &'m Mapping>,
    lines: &[HeaderLine],
) -> Vec<Near> {
    let normal: Vec<Vec<String>> = lines
        .iter()
        .map(|line| line.cells.iter().map(|cell| normalise(cell)).collect())
        .collect();
    let sets: Vec<HashSet<&str>> = normal
        .iter()
        .map(|line| line.iter().map(String::as_str).collect())
        .collect();
    let mut found: Vec<Near> = Vec::new();
    for mapping in candidates.filter(|mapping| !mapping.required().is_empty()) {
        let hits = |set: &HashSet<&str>| {
            mapping
                .required()
                .iter()
                .filter(|spellings| has_one(spellings, set))
                .count()
        };
        let Some((best, hits)) = sets
            .iter()
            .enumerate()
            .map(|(index, set)| (index, hits(set)))
            .max_by_key(|(index, hits)| (*hits, usize::MAX - index))
        else {
            continue;
        };
        if hits * 3 < mapping.required().len() || hits == 0 {
            continue;
        }
        let first = |spellings: &&Vec<HeaderPattern>| {
            spellings
                .first()
                .map_or(String::new(), HeaderPattern::to_string)
        };
        let known = |text: &String| {
            mapping
                .required()
                .iter()
                .flatten()
                .any(|pattern| pattern.matches(text).is_some())
        };
        found.push(Near {
            id: mapping.id.clone(),
            found: hits,
            required: mapping.required().len(),
            missing: mapping
                .required()
                .iter()
                .filter(|spellings| !has_one(spellings, &sets[best]))
                .map(|spellings| first(&spellings))
                .collect(),
            extra: normal[best]
                .iter()
                .filter(|text| !text.is_empty() && !known(text))
                .cloned()
                .collect(),
        });
    }
    found.sort_by_key(|near| (near.missing.len(), std::cmp::Reverse(near.found)));
    found.truncate(NEAREST);
    for near in &mut found {
        let Some(Ok(program)) = library
            .get(&near.id)
            .map(|mapping| library.program(mapping))
        else {
            continue;
        };
        let known = program.header_patterns();
        near.extra
            .retain(|text| known.iter().all(|pattern| pattern.matches(text).is_none()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(mappings: &[(&str, &str)]) -> Library {
        let mut library = Library::built_in();
        for (id, columns) in mappings {
            let text = format!(
                "mapping = 1\nexchange = 'X'\nreport = 'Y'\nhow_to_get = ''\n[columns]\n{columns}\n[otherwise]\nkind = 'deposit'\nmove = 'zqty BTC'\n"
            );
            library.insert(id, format!("{id}.toml"), text);
        }
        library
    }

    fn line(cells: &[&str]) -> Vec<HeaderLine> {
        vec![HeaderLine {
            delimiter: b',',
            cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
            index: 0,
        }]
    }

    const TIME: &str = "time = { header = 'ztime', type = 'time', formats = ['iso'], zone = 'UTC' }\nzqty = { header = ['zqty', 'zamount'], type = 'amount' }";

    #[test]
    fn the_mapping_that_knows_most_columns_wins_in_any_order() {
        let more = format!("{TIME}\nextra = 'zextra'");
        let library = library(&[("t/less", TIME), ("t/more", &more)]);
        let found = recognise(
            &library,
            &line(&["zextra", " zamount ", "ztime", "new"]),
            None,
            None,
        )
        .unwrap();
        assert_eq!(found.program.id, "t/more");
        assert_eq!(found.binding.unknown, ["new"]);
        let found = recognise(&library, &line(&["zqty", "ztime"]), None, None).unwrap();
        assert_eq!(found.program.id, "t/less");
    }

    #[test]
    fn a_tie_names_both() {
        let library = library(&[("t/one", TIME), ("t/two", TIME)]);
        let tie = recognise(&library, &line(&["zqty", "ztime"]), None, None)
            .unwrap_err()
            .tie;
        assert_eq!(tie, ["t/one", "t/two"]);
        assert!(recognise(&library, &line(&["zqty", "ztime"]), None, Some("t/two")).is_ok());
    }

    #[test]
    fn what_comes_near_is_named_with_its_differences() {
        let library = library(&[("t/one", TIME)]);
        let near = recognise(&library, &line(&["ztime", "zprice"]), None, None)
            .unwrap_err()
            .nearest;
        assert_eq!(near[0].id, "t/one");
        assert_eq!(near[0].missing, ["zqty"]);
        assert_eq!(near[0].extra, ["zprice"]);
    }
}
