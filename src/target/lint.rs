//! What is not wrong with a target, and should be better: the laws of the language that no compiler needs.

use super::library::Entry;
use super::{Outcome, Target};
use crate::mapping::{Diagnostic, Level};
use crate::model::Kind;

/// Warnings about a target that compiles.
pub fn lint(entry: &Entry, target: &Target) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut warn = |message: String, help: &str| {
        found.push(Diagnostic {
            level: Level::Warning,
            file: entry.file.clone(),
            span: None,
            message,
            help: Some(help.to_owned()),
        });
    };
    for part in &target.parts {
        let name = if part.name.is_empty() {
            String::new()
        } else {
            format!("part `{}`: ", part.name)
        };
        let headers: Vec<&str> = part
            .columns
            .iter()
            .map(|column| column.header.as_str())
            .collect();
        for (nth, header) in headers.iter().enumerate() {
            if headers[..nth].contains(header) {
                warn(
                    format!(
                        "{name}the header `{header}` stands twice: `adds_up` and checks see the first"
                    ),
                    "if the tool wants it so, it is right",
                );
            }
        }
        for (kind, cases) in Kind::ALL.iter().zip(&part.kinds) {
            for (nth, case) in cases.iter().enumerate() {
                let hidden = cases[..nth].iter().any(|earlier| {
                    earlier.when.is_empty() && (earlier.side.is_none() || earlier.side == case.side)
                });
                if hidden {
                    warn(
                        format!("{name}`{kind}`: an entry stands behind one that always fits"),
                        "put the one with `when` first",
                    );
                }
            }
        }
        let sides = [super::Side::In, super::Side::Out, super::Side::Both];
        for side in sides {
            let fits = |case: &super::Case| case.side == Some(side) && case.when.is_empty();
            if target.parts.len() == 1 && !part.otherwise.iter().any(fits) {
                let needs = Kind::ALL.iter().zip(&part.kinds).any(|(_, cases)| {
                    !cases.iter().any(|case| {
                        case.when.is_empty()
                            && (case.side.is_none() || case.side == Some(side))
                            && !matches!(case.outcome, Outcome::Refuse(_))
                    })
                });
                if needs {
                    warn(
                        format!(
                            "{name}`[otherwise]` says nothing for `{}`: such rows are refused",
                            side.word()
                        ),
                        "add the nearest plain word",
                    );
                }
            }
        }
    }
    found
}
