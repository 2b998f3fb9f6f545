//! Where things stand in the text of a mapping, found by its TOML and not by looking for words.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One step into a TOML document.
#[derive(Clone, Copy, Debug)]
pub enum Step<'s> {
    Key(&'s str),
    Nth(usize),
}

/// The places of a mapping's text.
pub struct Places<'t> {
    text: &'t str,
    root: DeTable<'t>,
}

impl<'t> Places<'t> {
    /// A text that is no TOML has no places: every answer is the whole first line then.
    pub fn new(text: &'t str) -> Places<'t> {
        let root = DeTable::parse(text)
            .map(Spanned::into_inner)
            .unwrap_or_default();
        Places { text, root }
    }

    /// Where the key at the end of a path stands.
    pub fn key(&self, path: &[Step]) -> Option<Range<usize>> {
        let (last, way) = path.split_last()?;
        let Step::Key(name) = last else { return None };
        let table = match way {
            [] => &self.root,
            way => self.value(way)?.get_ref().as_table()?,
        };
        let (key, _) = entry(table, name)?;
        Some(key.span())
    }

    /// Where what is behind a path stands: its first line, if it has several.
    pub fn of(&self, path: &[Step]) -> Option<Range<usize>> {
        self.value(path).map(|value| self.first_line(value.span()))
    }

    /// Where a word stands that is listed under a key, anywhere behind a path.
    pub fn word(&self, path: &[Step], key: &str, word: &str) -> Option<Range<usize>> {
        let below = self.value(path)?;
        word_below(below, key, word, false)
    }

    /// The nth text equal to `word` in the list behind a path.
    pub fn nth_item(&self, path: &[Step], word: &str, nth: usize) -> Option<Range<usize>> {
        let list = self.value(path)?.get_ref().as_array()?;
        let same = list
            .iter()
            .filter(|item| item.get_ref().as_str() == Some(word));
        same.map(Spanned::span).nth(nth)
    }

    fn value(&self, path: &[Step]) -> Option<&Spanned<DeValue<'t>>> {
        let (first, rest) = path.split_first()?;
        let Step::Key(name) = first else { return None };
        rest.iter()
            .try_fold(entry(&self.root, name)?.1, |value, step| match step {
                Step::Key(name) => Some(entry(value.get_ref().as_table()?, name)?.1),
                Step::Nth(nth) => value.get_ref().as_array()?.get(*nth),
            })
    }

    fn first_line(&self, span: Range<usize>) -> Range<usize> {
        let end = self.text.get(span.clone()).and_then(|text| text.find('\n'));
        let end = end.map_or(span.end, |newline| span.start + newline);
        span.start..end
    }
}

fn entry<'d, 't>(
    table: &'d DeTable<'t>,
    name: &str,
) -> Option<(
    &'d Spanned<std::borrow::Cow<'t, str>>,
    &'d Spanned<DeValue<'t>>,
)> {
    table.iter().find(|(key, _)| key.get_ref() == name)
}

fn word_below(
    value: &Spanned<DeValue>,
    key: &str,
    word: &str,
    under_key: bool,
) -> Option<Range<usize>> {
    match value.get_ref() {
        DeValue::String(text) if under_key && text == word => Some(value.span()),
        DeValue::Array(list) => list
            .iter()
            .find_map(|item| word_below(item, key, word, under_key)),
        DeValue::Table(table) => table
            .iter()
            .find_map(|(name, value)| word_below(value, key, word, name.get_ref() == key)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "unused = ['a', 'b', 'a']\n[columns]\nqty = { header = 'Qty' }\n\n[[rule]] # first\nwhen = { kind = ['x', 'y'] }\n\n[[rule]]\ncases = [\n  { kind = 'z' },\n  { kind = 'w',\n    in = 'q' },\n]\n";

    fn shown(span: Option<Range<usize>>) -> Option<(usize, &'static str)> {
        let span = span?;
        Some((TEXT[..span.start].matches('\n').count() + 1, &TEXT[span]))
    }

    #[test]
    fn a_place_is_the_one_that_toml_gives() {
        use Step::{Key, Nth};
        let places = Places::new(TEXT);
        assert_eq!(
            shown(places.key(&[Key("columns"), Key("qty")])),
            Some((3, "qty"))
        );
        assert_eq!(
            shown(places.of(&[Key("rule"), Nth(0)])),
            Some((5, "[[rule]]"))
        );
        let case = [Key("rule"), Nth(1), Key("cases"), Nth(1)];
        assert_eq!(shown(places.of(&case)), Some((11, "{ kind = 'w',")));
        assert_eq!(
            shown(places.word(&[Key("rule"), Nth(0)], "kind", "y")),
            Some((6, "'y'"))
        );
        assert_eq!(
            shown(places.nth_item(&[Key("unused")], "a", 1)),
            Some((1, "'a'"))
        );
        assert_eq!(places.nth_item(&[Key("unused")], "a", 1).unwrap().start, 20);
        assert_eq!(places.of(&[Key("rule"), Nth(2)]), None);
    }
}
