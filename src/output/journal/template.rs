//! A text with places in braces: `{date} {flag} {payee}`. Which places there are is checked when it is read.

/// A text whose places are known by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Place(usize),
}

impl Template {
    /// Reads a text; a place is known by its number in `places`.
    ///
    /// # Errors
    /// A place that is not among them, or a brace without its other.
    pub fn parse(text: &str, places: &[&str]) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(open);
            let close = from.find('}').filter(|close| *close > 0);
            let Some(close) = close else {
                return Err(format!("`{text}` has a brace without its other"));
            };
            let name = &from[1..close];
            let Some(place) = places.iter().position(|known| *known == name) else {
                let known: Vec<String> =
                    places.iter().map(|known| format!("{{{known}}}")).collect();
                return Err(format!(
                    "`{text}` has {{{name}}}: what can stand there is {}",
                    if known.is_empty() {
                        "nothing".to_owned()
                    } else {
                        known.join(", ")
                    }
                ));
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            pieces.push(Piece::Place(place));
            rest = &from[close + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Ok(Template { pieces })
    }

    /// Appends the text, with what `put` writes in its places.
    pub fn write(&self, out: &mut Vec<u8>, mut put: impl FnMut(usize, &mut Vec<u8>)) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Place(place) => put(*place, out),
            }
        }
    }

    /// The text, with these in its places.
    pub fn with(&self, places: &[&str]) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Place(place) => places[*place],
            })
            .collect()
    }

    pub fn has(&self, place: usize) -> bool {
        self.pieces.contains(&Piece::Place(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_the_rest_stands_as_it_is() {
        let template = Template::parse("a:{x}-{y}:{x}", &["x", "y"]).unwrap();
        assert_eq!(template.with(&["1", "2"]), "a:1-2:1");
        let mut out = Vec::new();
        template.write(&mut out, |place, out| out.push(b'0' + place as u8));
        assert_eq!(out, b"a:0-1:0");
        assert!(template.has(1) && !Template::parse("a", &["x"]).unwrap().has(0));
    }

    #[test]
    fn an_unknown_place_and_a_lone_brace_are_refused() {
        assert_eq!(
            Template::parse("a:{z}", &["x", "y"]).unwrap_err(),
            "`a:{z}` has {z}: what can stand there is {x}, {y}"
        );
        for wrong in ["a{x", "a}x", "{x}}", "}{x}"] {
            assert!(Template::parse(wrong, &["x"]).is_err(), "{wrong}");
        }
    }
}
