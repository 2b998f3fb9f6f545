//! Names of assets and accounts as a program takes them. Two names that become one are found by who writes them.

use std::collections::BTreeMap;

use regex::Regex;
use xxhash_rust::xxh3::xxh3_64;

use super::layout::{Letters, NameDocument};

/// How names are made valid: always the same way, so that a name never changes from run to run.
#[derive(Clone, Debug)]
pub struct NameRules {
    rename: BTreeMap<String, String>,
    letters: Letters,
    allowed: Regex,
    stand_in: String,
    pattern: Option<Regex>,
    reserved: Vec<String>,
    addition: String,
    longest: Option<usize>,
    plain: Option<Regex>,
    quote: String,
}

/// `-` and eight hex digits.
const SHORT_HASH_LETTERS: usize = 9;

impl NameRules {
    /// # Errors
    /// When a regular expression is none, or what is to stand for others may not stand itself.
    pub fn read(document: &NameDocument) -> Result<NameRules, String> {
        let whole = |pattern: &str| {
            Regex::new(&format!("^(?:{pattern})$")).map_err(|error| error.to_string())
        };
        let rules = NameRules {
            rename: document.rename.clone(),
            letters: document.letters,
            allowed: whole(&document.allowed)?,
            stand_in: document.stand_in.clone(),
            pattern: document.pattern.as_deref().map(whole).transpose()?,
            reserved: document.reserved.clone(),
            addition: document.addition.clone(),
            longest: document.longest,
            plain: document.plain.as_deref().map(whole).transpose()?,
            quote: document.quote.clone(),
        };
        for text in [&rules.stand_in, &rules.addition] {
            if text.is_empty() || text.chars().any(|letter| !rules.allows(letter)) {
                return Err(format!("`{text}` may not stand in a name itself"));
            }
        }
        if rules
            .longest
            .is_some_and(|longest| longest <= SHORT_HASH_LETTERS)
        {
            return Err(format!(
                "a name needs more than {SHORT_HASH_LETTERS} characters"
            ));
        }
        Ok(rules)
    }

    fn allows(&self, letter: char) -> bool {
        self.allowed.is_match(letter.encode_utf8(&mut [0; 4]))
    }

    /// The name for a text; `None` if there is none.
    pub fn name(&self, text: &str) -> Option<String> {
        let given = self.rename.get(text).map_or(text, String::as_str);
        let mut name = String::new();
        for letter in given.chars() {
            // Two blanks in a row end a name in some journals.
            if letter == ' ' && name.ends_with(' ') {
                continue;
            }
            if self.allows(letter) {
                name.push(letter);
            } else {
                self.put_other(&mut name, letter);
            }
        }
        let name = self.cased(name.trim());
        let fits = |candidate: &String| {
            !candidate.is_empty()
                && !self.reserved.contains(candidate)
                && self
                    .pattern
                    .as_ref()
                    .is_none_or(|pattern| pattern.is_match(candidate))
        };
        let add = &self.addition;
        [
            name.clone(),
            format!("{add}{name}"),
            format!("{name}{add}"),
            format!("{add}{name}{add}"),
        ]
        .into_iter()
        .map(|candidate| self.shortened(candidate, text))
        .find(fits)
    }

    /// A small letter may be refused only because it is none of the capitals that it will become.
    fn put_other(&self, name: &mut String, letter: char) {
        let capitals: Vec<char> = letter.to_uppercase().collect();
        if self.letters == Letters::Upper && capitals.iter().all(|capital| self.allows(*capital)) {
            name.extend(capitals);
        } else {
            name.push_str(&self.stand_in);
        }
    }

    fn cased(&self, name: &str) -> String {
        let mut letters = name.chars();
        match (self.letters, letters.next()) {
            (Letters::Upper, _) => name.to_uppercase(),
            (Letters::Capital, Some(first)) => first.to_uppercase().chain(letters).collect(),
            _ => name.to_owned(),
        }
    }

    /// What makes long names differ often stands at their end, so that a cut alone would make them one.
    fn shortened(&self, name: String, text: &str) -> String {
        let Some(longest) = self
            .longest
            .filter(|longest| name.chars().count() > *longest)
        else {
            return name;
        };
        let head: String = name.chars().take(longest - SHORT_HASH_LETTERS).collect();
        format!("{head}-{:08X}", xxh3_64(text.as_bytes()) >> 32)
    }

    /// The name as it stands in a line.
    pub fn quoted(&self, name: &str) -> String {
        match &self.plain {
            Some(plain) if !plain.is_match(name) => format!("{0}{name}{0}", self.quote),
            _ => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> NameRules {
        NameRules::read(&toml::from_str(text).unwrap()).unwrap()
    }

    fn strict() -> NameRules {
        rules(
            r#"
            letters  = "upper"
            allowed  = "[A-Z0-9'._-]"
            stand_in = "-"
            pattern  = "[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]"
            reserved = ["TRUE"]
            longest  = 24
            "#,
        )
    }

    #[test]
    fn names_that_are_valid_stay_as_they_are() {
        for name in ["BTC", "USDC.E", "BTC-PERP", "A1"] {
            assert_eq!(strict().name(name).as_deref(), Some(name));
        }
    }

    #[test]
    fn names_that_are_not_are_made_valid_always_the_same_way() {
        for (asset, name) in [
            ("1INCH", "X1INCH"),
            ("G", "XG"),
            ("stETH", "STETH"),
            ("TRUE", "XTRUE"),
            ("true", "XTRUE"),
            ("ABC-", "ABC-X"),
            ("ART #40021", "ART--40021"),
            ("", "XX"),
            ("-", "X-X"),
            ("日本", "X--X"),
            ("Straße", "STRASSE"),
        ] {
            assert_eq!(strict().name(asset).as_deref(), Some(name), "{asset}");
        }
    }

    #[test]
    fn long_names_that_differ_only_at_their_end_stay_different() {
        let one = strict().name("Name Service #88110477302914").unwrap();
        let other = strict().name("Name Service #88110477302915").unwrap();
        assert_ne!(one, other);
        assert!(one.starts_with("NAME-SERVICE--8-"), "{one}");
        assert_eq!(one.len(), 24);
        assert_eq!(
            strict().name("ABCDEFGHIJKLMNOPQRSTUVWX").unwrap(),
            "ABCDEFGHIJKLMNOPQRSTUVWX"
        );
    }

    #[test]
    fn a_name_without_any_valid_form_is_none() {
        let none = rules("allowed = '[a-zX]'\nstand_in = 'x'\npattern = '[0-9]+'");
        assert_eq!(none.name("abc"), None);
    }

    #[test]
    fn names_stand_in_quotes_unless_they_are_plain() {
        let quoting = rules("allowed = '[^\";]'\nstand_in = '-'\nplain = '[A-Z]+'\nquote = '\"'");
        for (asset, written) in [
            ("BTC", "BTC"),
            ("1INCH", "\"1INCH\""),
            ("a;b\"c", "\"a-b-c\""),
            ("two  blanks", "\"two blanks\""),
        ] {
            assert_eq!(quoting.quoted(&quoting.name(asset).unwrap()), written);
        }
    }

    #[test]
    fn a_name_given_by_hand_is_taken() {
        let given = rules("allowed = '[A-Z]'\nstand_in = 'X'\nrename = { BTC = 'XBT' }");
        assert_eq!(given.name("BTC").as_deref(), Some("XBT"));
    }

    #[test]
    fn rules_that_break_themselves_are_refused() {
        for wrong in [
            "allowed = '[A-Z'\nstand_in = 'X'",
            "allowed = '[A-Z]'\nstand_in = '-'",
            "allowed = '[A-Z]'\nstand_in = ''",
            "allowed = '[A-Z]'\nstand_in = 'X'\naddition = 'x'",
            "allowed = '[A-Z]'\nstand_in = 'X'\nlongest = 9",
        ] {
            assert!(
                NameRules::read(&toml::from_str(wrong).unwrap()).is_err(),
                "{wrong}"
            );
        }
    }
}
