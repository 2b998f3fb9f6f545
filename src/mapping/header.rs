//! Header texts: how they are compared, and patterns with captures, `Date(UTC{offset})`.

use std::collections::BTreeMap;
use std::fmt;

/// A header text as it is compared: trimmed, runs of blanks (also no-break spaces) as one, no byte order mark.
pub fn normalise(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for word in text
        .split(|c: char| c.is_whitespace() || c == '\u{feff}')
        .filter(|word| !word.is_empty())
    {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.push_str(word);
    }
    normal
}

/// A header text with parts that vary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderPattern {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Capture(String),
    Anything,
}

impl HeaderPattern {
    /// Reads `{word}` as a capture. The error is a sentence.
    pub fn with_captures(text: &str) -> Result<HeaderPattern, String> {
        let text = normalise(text);
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some(open) = rest.find('{') {
            let Some(close) = rest[open..].find('}').map(|close| open + close) else {
                return Err("the brace is not closed".to_owned());
            };
            if open > 0 {
                pieces.push(Piece::Literal(rest[..open].to_owned()));
            }
            let name = &rest[open + 1..close];
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            {
                return Err(format!("`{{{name}}}` must hold a name in lower case"));
            }
            if matches!(pieces.last(), Some(Piece::Capture(_))) {
                return Err("two captures need a text between them".to_owned());
            }
            pieces.push(Piece::Capture(name.to_owned()));
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(HeaderPattern { pieces })
    }

    /// Reads `*` as any text.
    pub fn with_stars(text: &str) -> HeaderPattern {
        let text = normalise(text);
        let mut pieces = Vec::new();
        for (index, literal) in text.split('*').enumerate() {
            if index > 0 {
                pieces.push(Piece::Anything);
            }
            if !literal.is_empty() || text.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
        }
        HeaderPattern { pieces }
    }

    /// The text, if nothing in it varies.
    pub fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    pub fn capture_names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Capture(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// What the captures are if the (normalised) header text is of this shape. A capture that stands twice must be the
    /// same text both times.
    pub fn matches(&self, header: &str) -> Option<BTreeMap<String, String>> {
        if let Some(literal) = self.literal() {
            return (literal == header).then(BTreeMap::new);
        }
        let mut captures = BTreeMap::new();
        matches_from(&self.pieces, header, &mut captures).then_some(captures)
    }
}

impl fmt::Display for HeaderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => f.write_str(text)?,
                Piece::Capture(name) => write!(f, "{{{name}}}")?,
                Piece::Anything => f.write_str("*")?,
            }
        }
        Ok(())
    }
}

fn matches_from(pieces: &[Piece], text: &str, captures: &mut BTreeMap<String, String>) -> bool {
    let Some((first, rest)) = pieces.split_first() else {
        return text.is_empty();
    };
    match first {
        Piece::Literal(literal) => text
            .strip_prefix(literal.as_str())
            .is_some_and(|text| matches_from(rest, text, captures)),
        Piece::Anything => text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| matches_from(rest, &text[at..], captures)),
        Piece::Capture(name) => {
            if let Some(known) = captures.get(name).cloned() {
                return text
                    .strip_prefix(known.as_str())
                    .is_some_and(|text| matches_from(rest, text, captures));
            }
            for at in text.char_indices().map(|(at, _)| at).chain([text.len()]) {
                captures.insert(name.clone(), text[..at].to_owned());
                if matches_from(rest, &text[at..], captures) {
                    return true;
                }
            }
            captures.remove(name);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(pattern: &str, header: &str) -> Option<Vec<(String, String)>> {
        HeaderPattern::with_captures(pattern)
            .unwrap()
            .matches(&normalise(header))
            .map(|found| found.into_iter().collect())
    }

    #[test]
    fn captures_take_the_part_that_varies() {
        let one = |name: &str, text: &str| Some(vec![(name.to_owned(), text.to_owned())]);
        assert_eq!(
            captured("Date(UTC{offset})", "\u{feff} Date(UTC+2)"),
            one("offset", "+2")
        );
        assert_eq!(
            captured("Date(UTC{offset})", "Date(UTC)"),
            one("offset", "")
        );
        assert_eq!(
            captured("{asset} Amount {asset}", "BTC  Amount BTC"),
            one("asset", "BTC")
        );
        assert_eq!(captured("{asset} Amount {asset}", "BTC Amount ETH"), None);
        assert_eq!(captured("Time", "time"), None);
        assert!(HeaderPattern::with_captures("{a}{b}").is_err());
        assert!(HeaderPattern::with_captures("{A}").is_err());
    }

    #[test]
    fn stars_stand_for_anything() {
        let pattern = HeaderPattern::with_stars("Net*Worth*");
        assert!(pattern.matches("Net Worth (USD)").is_some());
        assert!(pattern.matches("Worth").is_none());
    }
}
