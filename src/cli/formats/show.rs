//! One mapping in plain words.

use std::collections::BTreeMap;

use crate::mapping::document::{Rule, When};
use crate::mapping::{Complete, Document, Mapping};

/// How to get the file, its header generations and columns, what is left out, and the rules in their order.
pub fn in_plain_words(mapping: &Mapping, document: &Document) -> String {
    let mut page = Page::default();
    page.heading(document, mapping);
    page.columns(document, mapping);
    page.skips(document);
    page.rules(document);
    page.text
}

/// What must hold, one text for each condition.
fn conditions_of(when: Option<&When>) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(when) = when {
        for table in &when.tables {
            all.extend(table.iter().map(|(column, words)| asked(column, &words.0)));
        }
        all.extend(when.expressions.iter().map(|text| text.trim().to_owned()));
    }
    all
}

/// The keys of a rule that say what it makes, one line each.
fn says(rule: &Rule) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (what, legs) in [
        ("comes in", &rule.incoming),
        ("goes out", &rule.out),
        ("moves as signed", &rule.moved),
        ("fee", &rule.fee),
    ] {
        let Some(legs) = legs else { continue };
        if legs.0.is_empty() {
            lines.push(format!("no {what}"));
        }
        for leg in &legs.0 {
            let account = leg
                .account
                .as_ref()
                .map_or(String::new(), |account| format!(" in account {account}"));
            lines.push(format!("{what}: {}{account}", leg_in_words(&leg.leg)));
        }
    }
    for (what, text) in [
        ("balance after the row", &rule.balance),
        ("account", &rule.account),
        ("time", &rule.time),
        ("order id", &rule.order_id),
        ("trade id", &rule.trade_id),
        ("transaction hash", &rule.tx_hash),
        ("address", &rule.address),
        ("note", &rule.note),
    ] {
        match text {
            Some(text) if text.is_empty() => lines.push(format!("no {what}")),
            Some(text) => lines.push(format!("{what}: {}", text.trim())),
            None => {}
        }
    }
    if let Some(by) = &rule.by {
        let mut line = match by.0.as_slice() {
            [] => "rows that belong together".to_owned(),
            columns => format!("rows with the same {}", columns.join(" and ")),
        };
        if let Some(window) = &rule.window {
            line.push_str(&format!(", within {window}"));
        }
        if rule.adjacent == Some(true) {
            line.push_str(", directly after each other");
        }
        lines.push(format!("{line}: one event"));
    }
    if let Some(fee) = rule.role.as_ref().and_then(|role| role.fee.as_ref()) {
        lines.push(format!("a row is a fee if {fee}"));
    }
    if let Some(expect) = &rule.expect {
        let counts = [
            ("rows", &expect.rows),
            ("in", &expect.incoming),
            ("out", &expect.out),
            ("fees", &expect.fees),
        ];
        let mut shape: Vec<String> = counts
            .iter()
            .filter_map(|(what, count)| Some(format!("{what} {}", count.as_ref()?)))
            .collect();
        let assets = [("in", &expect.in_assets), ("out", &expect.out_assets)];
        shape.extend(assets.iter().filter_map(|(what, codes)| {
            Some(format!("only {} {what}", codes.as_ref()?.join(", ")))
        }));
        if expect.balanced == Some(true) {
            shape.push("every asset adds up to zero".to_owned());
        }
        lines.push(format!("must have: {}", shape.join("; ")));
    }
    lines
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        self.text
            .push_str(format!("{:indent$}{text}", "").trim_end());
        self.text.push('\n');
    }

    fn title(&mut self, text: &str) {
        self.text.push('\n');
        self.line(0, text);
    }

    /// A word and what there is to say of it, one line each.
    fn named(&mut self, name: &str, lines: &[String]) {
        for (nth, line) in lines.iter().enumerate() {
            let name = if nth == 0 { name } else { "" };
            self.line(0, &format!("{name:14}{line}"));
        }
    }

    fn heading(&mut self, document: &Document, mapping: &Mapping) {
        self.line(0, &format!("{}: {}", document.exchange, document.report));
        let place = if mapping.built_in {
            "built in"
        } else {
            &mapping.file
        };
        self.named("Mapping", &[format!("{} ({place})", mapping.id)]);
        self.named("How to get it", std::slice::from_ref(&document.how_to_get));
        let complete = match &document.complete {
            None => None,
            Some(Complete::Alone(true)) => Some("yes, alone a whole history".to_owned()),
            Some(Complete::Alone(false)) => Some("no, other reports are needed too".to_owned()),
            Some(Complete::Needs(what)) => Some(format!("no: {what}")),
        };
        self.named("Complete", complete.as_slice());
        if !document.instead_of.is_empty() {
            self.named(
                "Instead of",
                &[format!(
                    "{} (they tell the same events)",
                    document.instead_of.join(", ")
                )],
            );
        }
        self.named("Generations", &document.generations);
    }

    fn columns(&mut self, document: &Document, mapping: &Mapping) {
        self.title("Columns");
        let names = columns_in_order(mapping, document);
        let mut rows: Vec<[String; 3]> = Vec::new();
        for name in &names {
            let column = &document.columns[name].0;
            let mut what = format!("{:?}", column.kind).to_lowercase();
            if let Some(zone) = &column.zone {
                what.push_str(&format!(" in {zone}"));
            }
            for (word, on) in [
                ("optional", column.optional),
                ("private", column.private),
                ("unique", column.unique),
                ("volatile", column.volatile),
                ("one for each asset", column.family),
            ] {
                if on {
                    what.push_str(&format!(", {word}"));
                }
            }
            let spellings = |list: &[String]| {
                let quoted: Vec<String> = list.iter().map(|text| format!("“{text}”")).collect();
                quoted.join(" or ")
            };
            let from = match (&column.header, column.at, &column.join) {
                (Some(header), ..) => spellings(&header.0),
                (_, Some(at), _) => format!("column {at}"),
                (.., Some(parts)) => {
                    let parts: Vec<String> = parts.iter().map(|part| spellings(&part.0)).collect();
                    parts.join(" with ")
                }
                _ => String::new(),
            };
            rows.push([name.clone(), what, from]);
        }
        let width = |nth: usize| {
            rows.iter()
                .map(|row| row[nth].chars().count())
                .max()
                .unwrap_or(0)
        };
        let (first, second) = (width(0), width(1).min(32));
        for [name, what, from] in &rows {
            self.line(2, &format!("{name:first$}  {what:second$}  {from}"));
        }
        if !document.unused.is_empty() {
            let unused: Vec<String> = document
                .unused
                .iter()
                .map(|text| format!("“{text}”"))
                .collect();
            self.line(2, &format!("known and not needed: {}", unused.join(", ")));
        }
        if !document.derive.is_empty() {
            self.title("Made from them");
            for (name, text) in &document.derive {
                self.line(2, &format!("{name} = {}", text.trim()));
            }
        }
    }

    fn skips(&mut self, document: &Document) {
        if document.skip.is_empty() {
            return;
        }
        self.title("Rows that are left out");
        for skip in &document.skip {
            let conditions = conditions_of(Some(&skip.when));
            self.line(2, &format!("if {}", conditions.join(", and ")));
            self.line(5, &format!("because {}", skip.because));
        }
    }

    fn rules(&mut self, document: &Document) {
        let shared = says(&document.defaults);
        if !shared.is_empty() {
            self.title("Every event, unless its rule says otherwise");
            shared.iter().for_each(|line| self.line(2, line));
        }
        self.title("Rules: the first that fits makes the event");
        for (nth, rule) in document.rule.iter().enumerate() {
            let conditions = conditions_of(rule.when.as_ref());
            let head = if conditions.is_empty() && rule.cases.is_empty() {
                "any row".to_owned()
            } else if conditions.is_empty() {
                "one of these".to_owned()
            } else {
                format!("if {}", conditions.join(", and "))
            };
            self.line(2, &format!("{}. {head}{}", nth + 1, arrow(rule)));
            says(rule).iter().for_each(|line| self.line(6, line));
            for event in &rule.events {
                let kind = kind_of(event);
                let kind = if kind.is_empty() {
                    "of the same kind"
                } else {
                    &kind
                };
                self.line(6, &format!("- an event: {kind}"));
                says(event).iter().for_each(|line| self.line(10, line));
            }
            for case in &rule.cases {
                let mut conditions: Vec<String> = case
                    .conditions
                    .iter()
                    .map(|(column, words)| asked(column, &words.0))
                    .collect();
                conditions.extend(conditions_of(case.rule.when.as_ref()));
                let kind = arrow(&case.rule);
                self.line(6, &format!("- if {}{kind}", conditions.join(", and ")));
                says(&case.rule).iter().for_each(|line| self.line(10, line));
            }
        }
        match &document.otherwise {
            None => self.line(2, "Any other row is rejected."),
            Some(rule) => {
                let mut conditions = conditions_of(rule.when.as_ref());
                conditions.insert(0, "Any other row".to_owned());
                let kind = arrow(rule);
                self.line(2, &format!("{}{kind}", conditions.join(", if ")));
                says(rule).iter().for_each(|line| self.line(6, line));
            }
        }
    }
}

fn kind_of(rule: &Rule) -> String {
    match (&rule.kind, &rule.kind_from) {
        (Some(kind), _) => kind.clone(),
        (None, Some(column)) => format!("the kind in {column}"),
        (None, None) => String::new(),
    }
}

fn arrow(rule: &Rule) -> String {
    let kind = kind_of(rule);
    if kind.is_empty() {
        kind
    } else {
        format!(" → {kind}")
    }
}

/// A condition on a column in words.
fn asked(column: &str, words: &[String]) -> String {
    let word = |word: &String| match word.as_str() {
        "" => "blank".to_owned(),
        word => format!("“{word}”"),
    };
    let words: Vec<String> = words.iter().map(word).collect();
    format!("{column} is {}", words.join(" or "))
}

fn leg_in_words(leg: &str) -> String {
    leg.trim().replacen(" @@ ", ", stated worth ", 1)
}

/// The columns as they stand in the file, not by name.
fn columns_in_order(mapping: &Mapping, document: &Document) -> Vec<String> {
    let mut places: BTreeMap<usize, String> = BTreeMap::new();
    if let Ok(root) = toml::de::DeTable::parse(&mapping.text) {
        let columns = root
            .get_ref()
            .iter()
            .find(|(key, _)| key.get_ref() == "columns");
        let columns = columns.and_then(|(_, columns)| columns.get_ref().as_table());
        for (name, _) in columns.into_iter().flat_map(|table| table.iter()) {
            places.insert(name.span().start, name.get_ref().to_string());
        }
    }
    let named: Vec<String> = places.into_values().collect();
    if named.len() == document.columns.len() {
        named
    } else {
        document.columns.keys().cloned().collect()
    }
}
