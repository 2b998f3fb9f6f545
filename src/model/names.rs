//! Names of assets and accounts, each stored once and known by a number.
//!
//! The numbers depend on which thread came first, so they never reach an output: everything that is written or ordered
//! goes by the text.

use std::sync::{Arc, RwLock};

use rustc_hash::FxHashMap;

/// A name's number within one [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(pub u32);

/// A table of names that many threads may add to.
#[derive(Default)]
pub struct Names {
    table: RwLock<Table>,
}

#[derive(Default)]
struct Table {
    ids: FxHashMap<Arc<str>, NameId>,
    texts: Vec<Arc<str>>,
}

impl Names {
    /// The number of a name, given to it now if it has none.
    pub fn id(&self, name: &str) -> NameId {
        if let Some(id) = self
            .table
            .read()
            .expect("no panic while held")
            .ids
            .get(name)
        {
            return *id;
        }
        let mut table = self.table.write().expect("no panic while held");
        if let Some(id) = table.ids.get(name) {
            return *id;
        }
        let id = NameId(u32::try_from(table.texts.len()).expect("fewer than 2^32 names"));
        let text: Arc<str> = name.into();
        table.texts.push(text.clone());
        table.ids.insert(text, id);
        id
    }

    /// All names by number, as they are now.
    pub fn texts(&self) -> Vec<Arc<str>> {
        self.table
            .read()
            .expect("no panic while held")
            .texts
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number() {
        let names = Names::default();
        let first = names.id("BTC");
        let second = names.id("ETH");
        assert_ne!(first, second);
        assert_eq!(names.id("BTC"), first);
        assert_eq!(&*names.texts()[second.0 as usize], "ETH");
    }
}
