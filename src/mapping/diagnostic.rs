//! What is wrong with a mapping, and where: file, place, one cause, one help.

use std::ops::Range;

use super::expression::Problem;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The mapping cannot be used.
    Error,
    /// The mapping works, and breaks a law of the language.
    Warning,
}

#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub level: Level,
    /// The mapping's file, as the person knows it.
    pub file: String,
    /// Bytes of the file's text; none: the file as a whole.
    pub span: Option<Range<usize>>,
    pub message: String,
    pub help: Option<String>,
}

impl Diagnostic {
    /// Line and column of the place, 1-based, in the text of the file.
    pub fn line_and_column(&self, text: &str) -> Option<(usize, usize)> {
        let before = text.get(..self.span.as_ref()?.start)?;
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Some((
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        ))
    }
}

/// A part of a mapping's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Top,
    File,
    Columns,
    Derive,
    Own,
    Defaults,
    Skip(usize),
    Rule(usize),
    Otherwise,
}

/// Finds places in the text of a mapping, and collects what is wrong there.
pub struct Complaints<'t> {
    file: &'t str,
    text: &'t str,
    found: Vec<Diagnostic>,
}

impl<'t> Complaints<'t> {
    pub fn new(file: &'t str, text: &'t str) -> Complaints<'t> {
        Complaints {
            file,
            text,
            found: Vec::new(),
        }
    }

    pub fn into_found(self) -> Vec<Diagnostic> {
        self.found
    }

    pub fn has_errors(&self) -> bool {
        self.found
            .iter()
            .any(|diagnostic| diagnostic.level == Level::Error)
    }

    /// Something is wrong with a text that stands in a section: `needle` is that text, `problem` says where in it.
    pub fn problem(&mut self, section: Section, needle: &str, problem: Problem) {
        let span = self.locate(section, needle);
        let span = match self.text.get(span.clone()) {
            // The text stands as it is: the place inside it can be shown.
            Some(found) if found == needle => {
                let end = (span.start + problem.span.end).min(span.end);
                let start = (span.start + problem.span.start).min(end);
                start..end.max((start + 1).min(self.text.len()))
            }
            _ => span,
        };
        self.push(Level::Error, Some(span), problem.message, problem.help);
    }

    pub fn error(
        &mut self,
        section: Section,
        needle: &str,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let span = self.locate(section, needle);
        self.push(Level::Error, Some(span), message.into(), help);
    }

    pub fn at(
        &mut self,
        level: Level,
        span: Option<Range<usize>>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.push(level, span, message.into(), help);
    }

    fn push(
        &mut self,
        level: Level,
        span: Option<Range<usize>>,
        message: String,
        help: Option<String>,
    ) {
        let found = Diagnostic {
            level,
            file: self.file.to_owned(),
            span,
            message,
            help,
        };
        let same = |other: &Diagnostic| other.span == found.span && other.message == found.message;
        if !self.found.iter().any(same) {
            self.found.push(found);
        }
    }

    /// Where a text stands in a section, or among what all rules share; the section's first line if it does not stand
    /// there as it is.
    fn locate(&self, section: Section, needle: &str) -> Range<usize> {
        let shared =
            matches!(section, Section::Rule(_) | Section::Otherwise).then_some(Section::Defaults);
        let region = region(self.text, section).unwrap_or(0..self.text.len());
        let shared = shared.and_then(|section| self::region(self.text, section));
        if !needle.is_empty() {
            for region in [Some(region.clone()), shared].into_iter().flatten() {
                if let Some(at) = find_token(&self.text[region.clone()], needle) {
                    return region.start + at..region.start + at + needle.len();
                }
            }
        }
        let end = self.text[region.clone()]
            .find('\n')
            .map_or(region.end, |newline| region.start + newline);
        region.start..end
    }
}

/// The line (1-based) on which a section begins.
pub fn section_line(text: &str, section: Section) -> usize {
    region(text, section).map_or(1, |region| text[..region.start].matches('\n').count() + 1)
}

/// First place where the text stands with no letter or digit directly around it; else first place at all.
fn find_token(text: &str, needle: &str) -> Option<usize> {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(needle)
        .find(|(at, _)| {
            !is_word(text[..*at].chars().next_back())
                && !is_word(text[at + needle.len()..].chars().next())
        })
        .map(|(at, _)| at)
        .or_else(|| text.find(needle))
}

/// The lines of a section; none if there is no such section.
fn region(text: &str, section: Section) -> Option<Range<usize>> {
    let (header, nth) = match section {
        Section::Top => return Some(0..text.len()),
        Section::File => ("[file]", 0),
        Section::Columns => ("[columns]", 0),
        Section::Derive => ("[derive]", 0),
        Section::Own => ("[own]", 0),
        Section::Defaults => ("[defaults]", 0),
        Section::Otherwise => ("[otherwise]", 0),
        Section::Skip(nth) => ("[[skip]]", nth),
        Section::Rule(nth) => ("[[rule]]", nth),
    };
    let mut seen = 0;
    let mut start = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.split('#').next().unwrap_or("").trim_end();
        if start.is_some() && line.starts_with('[') {
            return start.map(|start| start..at);
        }
        if start.is_none() && content == header {
            if seen == nth {
                start = Some(at);
            }
            seen += 1;
        }
        at += line.len();
    }
    start.map(|start| start..text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "mapping = 1\n[columns]\nqty = \"Qty\"\n\n[[rule]]\nin = \"a b\"\n\n[[rule]] # second\nin = \"qtyx qty\"\n";

    #[test]
    fn a_place_is_found_in_its_own_section() {
        let mut complaints = Complaints::new("x.toml", TEXT);
        complaints.problem(Section::Rule(1), "qtyx qty", Problem::new(5..8, "no"));
        complaints.error(Section::Rule(0), "gone", "nothing", None);
        let found = complaints.into_found();
        assert_eq!(found[0].line_and_column(TEXT), Some((9, 12)));
        assert_eq!(found[1].line_and_column(TEXT), Some((5, 1)));
        assert_eq!(section_line(TEXT, Section::Rule(1)), 8);
    }

    #[test]
    fn what_a_rule_takes_from_the_defaults_is_shown_there() {
        let text = "[defaults]\nfee = \"qtyx qty\"\n[[rule]]\nkind = 'fee'\n";
        let mut complaints = Complaints::new("x.toml", text);
        complaints.problem(Section::Rule(0), "qtyx qty", Problem::new(0..4, "no"));
        assert_eq!(
            complaints.into_found()[0].line_and_column(text),
            Some((2, 8))
        );
    }
}
