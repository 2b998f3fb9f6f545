//! Texts of the sources, written so that nothing in them can end a line, a tag or a quotation.

use super::layout::TextDocument;

/// What stands where a text was cut.
const CUT: &str = "...";

/// So a text never becomes longer than this many times its own bytes.
pub const LONGEST_REPLACEMENT_BYTES: usize = 4;

/// How one place of a journal takes texts.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// By character; the lists are short.
    replace: Vec<(char, Box<str>)>,
    longest_bytes: Option<usize>,
}

impl Texts {
    /// # Errors
    /// When what is to be replaced is not one character, or a replacement would break the line.
    pub fn read(document: &TextDocument) -> Result<Texts, String> {
        let mut replace = Vec::new();
        for (what, by) in &document.replace {
            let mut letters = what.chars();
            let (Some(letter), None) = (letters.next(), letters.next()) else {
                return Err(format!("`{what}` is not one character"));
            };
            if by.contains(char::is_control) || by.len() > LONGEST_REPLACEMENT_BYTES {
                return Err(format!(
                    "what replaces `{what}` breaks the line or is too long"
                ));
            }
            replace.push((letter, by.as_str().into()));
        }
        Ok(Texts {
            replace,
            longest_bytes: document.longest_bytes,
        })
    }

    /// Appends a text on one line: whatever is blank or cannot be seen as one blank, none at the edges. Says whether it
    /// had to be cut.
    pub fn put(&self, out: &mut Vec<u8>, text: &[u8]) -> bool {
        let start = out.len();
        let longest = self.longest_bytes.unwrap_or(usize::MAX);
        let mut blank = false;
        let mut utf8 = [0; 4];
        for letter in String::from_utf8_lossy(text).chars() {
            if letter.is_control() || letter.is_whitespace() || letter == '\u{feff}' {
                blank = out.len() > start;
                continue;
            }
            let replaced = self.replace.iter().find(|(what, _)| *what == letter);
            let written = match replaced {
                Some((_, by)) => by.as_bytes(),
                None => letter.encode_utf8(&mut utf8).as_bytes(),
            };
            if out.len() - start + written.len() + usize::from(blank) > longest {
                out.extend_from_slice(CUT.as_bytes());
                return true;
            }
            if blank {
                out.push(b' ');
                blank = false;
            }
            out.extend_from_slice(written);
        }
        // A replacement may be a blank itself.
        while out.len() > start && out.ends_with(b" ") {
            out.pop();
        }
        false
    }

    pub fn text(&self, text: &str) -> String {
        let mut out = Vec::new();
        self.put(&mut out, text.as_bytes());
        String::from_utf8_lossy(&out).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(replace: &[(&str, &str)], longest_bytes: Option<usize>) -> Texts {
        let replace = replace
            .iter()
            .map(|(what, by)| ((*what).to_owned(), (*by).to_owned()));
        Texts::read(&TextDocument {
            replace: replace.collect(),
            longest_bytes,
        })
        .unwrap()
    }

    #[test]
    fn no_text_breaks_its_line_or_has_two_blanks_in_a_row() {
        let plain = texts(&[], None);
        assert_eq!(
            plain.text("  two\r\nlines\u{2028}and\u{a0} \ta\u{0}tab  "),
            "two lines and a tab"
        );
        assert_eq!(plain.text("\n\t"), "");
        assert_eq!(plain.text("\u{feff}begin"), "begin");
    }

    #[test]
    fn characters_are_replaced_wherever_they_stand() {
        let quoted = texts(&[("\"", "\\\""), ("\\", "\\\\")], None);
        assert_eq!(quoted.text(r#"say "x\""#), r#"say \"x\\\""#);
        assert_eq!(texts(&[(",", " ")], None).text("a,b,"), "a b");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let short = texts(&[("\"", "\\\"")], Some(5));
        let mut out = Vec::new();
        assert!(short.put(&mut out, "äää\"".as_bytes()));
        assert_eq!(String::from_utf8(out).unwrap(), "ää...");
        let mut out = Vec::new();
        assert!(short.put(&mut out, b"abcd\""));
        assert_eq!(out, b"abcd...");
        assert!(!short.put(&mut Vec::new(), b"abcde  "));
    }

    #[test]
    fn only_single_characters_can_be_replaced() {
        let document = |what: &str, by: &str| TextDocument {
            replace: [(what.to_owned(), by.to_owned())].into(),
            longest_bytes: None,
        };
        assert!(Texts::read(&document("ab", "c")).is_err());
        assert!(Texts::read(&document("", "c")).is_err());
        assert!(Texts::read(&document("a", "\n")).is_err());
    }
}
