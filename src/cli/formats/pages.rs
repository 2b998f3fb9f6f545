//! The page of an exchange: how its exports are got, which make a whole history, and what is odd about them.

use super::{Complete, Document, Mapping, choice_words};

/// A page in Markdown, from the mappings of an exchange.
pub fn page(reports: &[(&Mapping, Document)]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (_, document) in reports {
        if !names.contains(&document.exchange.as_str()) {
            names.push(&document.exchange);
        }
    }
    let mut page = format!("# {}\n\n", names.join(", "));
    let whole: Vec<&(&Mapping, Document)> = reports
        .iter()
        .filter(|(_, document)| matches!(document.complete, Some(Complete::Alone(true))))
        .collect();
    match whole.as_slice() {
        [] => {
            page.push_str("No single report is a whole history: take all that have what you did.\n")
        }
        [(_, one)] => page.push_str(&format!("A whole history: **{}**.\n", one.report)),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|(_, document)| format!("**{}**", document.report))
                .collect();
            page.push_str(&format!(
                "Each alone is a whole history: {}.\n",
                names.join(", ")
            ));
        }
    }
    for (mapping, document) in reports {
        page.push_str(&format!("\n## {}\n", document.report));
        if names.len() > 1 {
            page.push_str(&format!("of {}\n", document.exchange));
        }
        page.push_str(&format!("`{}` · {}\n\n", mapping.id, document.how_to_get));
        match &document.complete {
            Some(Complete::Needs(what)) => {
                page.push_str(&format!("- Not a whole history: {what}\n"))
            }
            Some(Complete::Alone(false)) => page.push_str("- Not a whole history.\n"),
            _ => {}
        }
        if !document.instead_of.is_empty() {
            let others: Vec<String> = document
                .instead_of
                .iter()
                .map(|id| format!("`{id}`"))
                .collect();
            page.push_str(&format!(
                "- Tells the same events as {}: give only one of them.\n",
                others.join(", ")
            ));
        }
        if !document.generations.is_empty() {
            page.push_str(&format!(
                "- Known forms of the file: {}\n",
                document.generations.join("; ")
            ));
        }
        let words = choice_words(document).len();
        if words > 0 {
            page.push_str(&format!("- {words} words of its own are known.\n"));
        }
        let asks = [
            (
                "= \"local\"",
                "Its times are local: say where, `--zone Europe/Paris`.",
            ),
            (
                "%1",
                "Its dates leave open whether the day or the month comes first: say it, `--dates day-first`.",
            ),
            (
                "given_asset",
                "It does not always say which asset it is about: say it, `--asset BTC`.",
            ),
            (
                "own(",
                "It must be known which addresses are yours: `--address …` if the file does not tell.",
            ),
        ];
        for (mark, help) in asks {
            if mapping.text.contains(mark) {
                page.push_str(&format!("- {help}\n"));
            }
        }
        for remark in remarks(&mapping.text) {
            page.push_str(&format!("- {remark}\n"));
        }
    }
    page
}

/// What the mapping's author remarks at the top of the file, each run of comment lines as one remark.
fn remarks(text: &str) -> Vec<String> {
    let mut remarks: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if line.starts_with('[') {
            break;
        }
        match line.strip_prefix('#') {
            Some(comment) => {
                let comment = comment.trim_start_matches('#').trim();
                match remarks.last_mut().filter(|_| open) {
                    Some(last) => {
                        last.push(' ');
                        last.push_str(comment);
                    }
                    None => remarks.push(comment.to_owned()),
                }
                open = true;
            }
            None => open = false,
        }
    }
    remarks.retain(|remark| !remark.is_empty());
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_the_comments_above_the_first_table() {
        let text = "# One\n# and more.\nmapping = 1\n# Two.\n[columns]\n# Three.\n";
        assert_eq!(remarks(text), ["One and more.", "Two."]);
    }
}
