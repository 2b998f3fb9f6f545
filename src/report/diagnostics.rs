//! What is wrong with a mapping, shown as compilers do: level, cause, file and place, the line itself, one help.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Level as Shown, Origin, Renderer, Snippet};

use crate::mapping::{Diagnostic, Level};

/// Shows diagnostics for people, with an empty line between two. `text_of` gives the text of a mapping's file, so that
/// the line at fault can be shown.
pub fn render(
    diagnostics: &[Diagnostic],
    text_of: impl Fn(&str) -> Option<String>,
    colour: bool,
) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut shown = String::new();
    for diagnostic in diagnostics {
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown.push_str(&render_one(diagnostic, &text_of, &renderer));
        shown.push('\n');
    }
    shown
}

fn render_one(
    diagnostic: &Diagnostic,
    text_of: &impl Fn(&str) -> Option<String>,
    renderer: &Renderer,
) -> String {
    let level = match diagnostic.level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
    };
    let file = plain(&diagnostic.file);
    let text = text_of(&diagnostic.file);
    let span = diagnostic.span.clone().zip(text.as_ref());
    let place: Element = match span.and_then(|(span, text)| Some((inside(text, span)?, text))) {
        Some((span, text)) => {
            let mark = AnnotationKind::Primary.span(span);
            Snippet::source(text).path(&file).annotation(mark).into()
        }
        None => Origin::path(&file).into(),
    };
    let message = plain(&diagnostic.message);
    let mut group = level.primary_title(&message).element(place);
    if let Some(help) = &diagnostic.help {
        group = group.element(Shown::HELP.message(plain(help)));
    }
    renderer.render(&[group])
}

/// A span as it can be shown: on the borders of characters, and not beyond the first line. None if it is not of this text.
fn inside(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let shown = text.get(span.clone())?;
    let end = shown.find('\n').map_or(span.end, |at| span.start + at);
    Some(span.start..end)
}

/// Without control characters: what a mapping says must not move the cursor of a terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "mapping = 1\nname = \"größer\"\n";

    fn diagnostic(span: Option<Range<usize>>) -> Diagnostic {
        Diagnostic {
            level: Level::Warning,
            file: "formats/x/y.toml".to_owned(),
            span,
            message: "this is too big".to_owned(),
            help: Some("make it smaller".to_owned()),
        }
    }

    fn shown(span: Option<Range<usize>>, text: Option<&str>) -> String {
        render(&[diagnostic(span)], |_| text.map(str::to_owned), false)
    }

    #[test]
    fn a_diagnostic_shows_its_place_and_one_help() {
        let expected = "\
warning: this is too big
 --> formats/x/y.toml:2:8
  |
2 | name = \"größer\"
  |        ^^^^^^^^
  |
  = help: make it smaller
";
        assert_eq!(shown(Some(19..29), Some(TEXT)), expected);
        // Not beyond its line.
        assert_eq!(shown(Some(19..30), Some(TEXT)), expected);
    }

    #[test]
    fn without_a_place_the_file_is_named() {
        let expected = "warning: this is too big\n--> formats/x/y.toml\n = help: make it smaller\n";
        assert_eq!(shown(None, Some(TEXT)), expected);
        assert_eq!(shown(Some(19..29), None), expected);
        assert_eq!(shown(Some(19..2000), Some(TEXT)), expected);
        assert_eq!(shown(Some(23..29), Some(TEXT)), expected);
    }

    #[test]
    fn colour_is_only_there_when_asked_for() {
        let one = [diagnostic(Some(19..29))];
        let text = |_: &str| Some(TEXT.to_owned());
        assert!(!render(&one, text, false).contains('\u{1b}'));
        assert!(render(&one, text, true).contains('\u{1b}'));
    }

    #[test]
    fn a_message_cannot_move_the_cursor() {
        let mut one = diagnostic(None);
        one.message = "\u{1b}[2J".to_owned();
        assert!(!render(&[one], |_| None, false).contains('\u{1b}'));
    }
}
