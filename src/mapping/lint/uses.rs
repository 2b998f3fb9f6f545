//! Which columns a mapping uses, and which of them it tests: every expression of the document is walked once.

use std::collections::{BTreeMap, BTreeSet};

use crate::mapping::document::{ColumnType, Document, Legs, OneOrMany, Rule, When};
use crate::mapping::expression::{BinaryOp, Node, NodeKind, parse_expression, parse_leg};

/// Calls a function with every name in an expression, and whether what it does depends on the name's words: it is
/// compared, matched or asked.
pub fn names_in(node: &Node, tested: bool, name: &mut dyn FnMut(&str, bool)) {
    match &node.kind {
        NodeKind::Name(text) => name(text, tested),
        NodeKind::Text(_) | NodeKind::Number(_) => {}
        NodeKind::Field(inner, _) | NodeKind::Minus(inner) => names_in(inner, tested, name),
        NodeKind::Not(inner) | NodeKind::IsBlank(inner, _) => names_in(inner, true, name),
        NodeKind::Index(family, key) => {
            names_in(family, tested, name);
            names_in(key, tested, name);
        }
        NodeKind::Call(function, arguments) => {
            let asks = matches!(
                function.as_str(),
                "match" | "contains" | "starts" | "ends" | "own"
            );
            for argument in arguments {
                names_in(argument, tested || asks, name);
            }
        }
        NodeKind::Binary(operator, left, right) => {
            let computes = matches!(
                operator,
                BinaryOp::Coalesce | BinaryOp::Plus | BinaryOp::Minus | BinaryOp::Times
            );
            names_in(left, tested || !computes, name);
            names_in(right, tested || !computes, name);
        }
        NodeKind::In(subject, list, _) => {
            names_in(subject, true, name);
            for item in list {
                names_in(item, true, name);
            }
        }
        NodeKind::If(condition, then, otherwise) => {
            names_in(condition, true, name);
            names_in(then, tested, name);
            if let Some(otherwise) = otherwise {
                names_in(otherwise, tested, name);
            }
        }
    }
}

/// The rules of a document as they are run: each case is a rule of its own, with what it shares filled in, and each
/// event of a rule too. The conditions of all are left to `conditions`.
pub fn effective(document: &Document) -> Vec<Rule> {
    let mut whole = Vec::new();
    for written in &document.rule {
        let shared = written.over(&document.defaults);
        if written.cases.is_empty() {
            whole.push(shared);
        } else {
            whole.extend(written.cases.iter().map(|case| case.rule.over(&shared)));
        }
    }
    whole.extend(
        document
            .otherwise
            .iter()
            .map(|otherwise| otherwise.over(&document.defaults)),
    );
    let mut events = Vec::new();
    for rule in whole {
        if rule.events.is_empty() {
            events.push(rule);
            continue;
        }
        events.extend(rule.events.iter().map(|event| event.over(&rule)));
    }
    events
}

/// All that asks what a row is: of skips, rules and cases.
pub fn conditions(document: &Document) -> Vec<&When> {
    let skips = document.skip.iter().map(|skip| &skip.when);
    let rules = document.rule.iter().chain(&document.otherwise);
    let mut found: Vec<&When> = skips.collect();
    for rule in rules {
        found.extend(&rule.when);
        found.extend(rule.cases.iter().filter_map(|case| case.rule.when.as_ref()));
    }
    found
}

/// The words that a document knows of its choice columns, with the column: those that its rules and skips ask for.
pub fn choice_words(document: &Document) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut add = |name: &str, word: &str| {
        let column = document.columns.get(name);
        if column.is_some_and(|column| column.0.kind == ColumnType::Choice) && !word.is_empty() {
            found.insert((name.to_owned(), word.to_owned()));
        }
    };
    let tables = conditions(document)
        .into_iter()
        .flat_map(|when| &when.tables);
    let cases = document.rule.iter().flat_map(|rule| &rule.cases);
    for table in tables.chain(cases.map(|case| &case.conditions)) {
        for (name, words) in table {
            words.0.iter().for_each(|word| add(name, word));
        }
    }
    let expressions = conditions(document)
        .into_iter()
        .flat_map(|when| &when.expressions);
    for text in expressions.chain(document.derive.values()) {
        if let Ok(node) = parse_expression(text) {
            words_in(&node, &mut add);
        }
    }
    found
}

/// Calls a function with every column and word that an expression compares.
fn words_in(node: &Node, word: &mut dyn FnMut(&str, &str)) {
    let name_of = |node: &Node| match &node.kind {
        NodeKind::Name(name) => Some(name.clone()),
        NodeKind::Call(function, arguments)
            if matches!(function.as_str(), "lower" | "upper" | "trim") =>
        {
            arguments.first().and_then(|argument| match &argument.kind {
                NodeKind::Name(name) => Some(name.clone()),
                _ => None,
            })
        }
        _ => None,
    };
    let pair = |subject: &Node, item: &Node, word: &mut dyn FnMut(&str, &str)| {
        if let (Some(name), NodeKind::Text(text)) = (name_of(subject), &item.kind) {
            word(&name, text);
        }
    };
    match &node.kind {
        NodeKind::Binary(BinaryOp::Equal | BinaryOp::NotEqual, left, right) => {
            pair(left, right, word)
        }
        NodeKind::Binary(_, left, right) => {
            words_in(left, word);
            words_in(right, word);
        }
        NodeKind::In(subject, list, _) => list.iter().for_each(|item| pair(subject, item, word)),
        NodeKind::Not(inner) => words_in(inner, word),
        NodeKind::If(condition, then, otherwise) => {
            words_in(condition, word);
            words_in(then, word);
            if let Some(otherwise) = otherwise {
                words_in(otherwise, word);
            }
        }
        _ => {}
    }
}

/// What is done with a name: `true` if it is tested.
#[derive(Debug, Default)]
pub struct Uses {
    names: BTreeMap<String, bool>,
}

impl Uses {
    /// The names that matter to the events of a document, derived columns followed to what they are made from.
    pub fn of(document: &Document) -> Uses {
        let mut uses = Uses::default();
        for when in conditions(document) {
            uses.when(when);
        }
        for case in document.rule.iter().flat_map(|rule| &rule.cases) {
            case.conditions.keys().for_each(|name| uses.add(name, true));
        }
        for rule in effective(document) {
            uses.rule(&rule);
        }
        for name in document.own.iter().flat_map(|own| &own.columns) {
            uses.add(name, false);
        }
        let zones = document
            .columns
            .values()
            .filter_map(|column| column.0.zone.as_deref());
        for name in zones.filter_map(|zone| zone.strip_prefix("column:")) {
            uses.add(name, false);
        }
        uses.follow(document);
        uses
    }

    pub fn is_used(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    pub fn is_tested(&self, name: &str) -> bool {
        self.names.get(name).copied().unwrap_or(false)
    }

    /// Counts what an expression names.
    pub fn expression(&mut self, text: &str, tested: bool) {
        // What cannot be read is the compiler's to complain of.
        if let Ok(node) = parse_expression(text) {
            self.node(&node, tested);
        }
    }

    fn node(&mut self, node: &Node, tested: bool) {
        names_in(node, tested, &mut |name, tested| self.add(name, tested));
    }

    fn add(&mut self, name: &str, tested: bool) {
        *self.names.entry(name.to_owned()).or_default() |= tested;
    }

    fn when(&mut self, when: &When) {
        for table in &when.tables {
            table.keys().for_each(|name| self.add(name, true));
        }
        for text in &when.expressions {
            self.expression(text, true);
        }
    }

    fn rule(&mut self, rule: &Rule) {
        for legs in [&rule.incoming, &rule.out, &rule.moved, &rule.fee]
            .into_iter()
            .flatten()
        {
            self.legs(legs);
        }
        if let Some(balance) = &rule.balance {
            self.leg(balance);
        }
        if let Some(account) = &rule.account {
            self.template(account);
        }
        if let Some(name) = &rule.kind_from {
            self.add(name, true);
        }
        for (name, given) in [
            ("time", &rule.time),
            ("event_id", &rule.event_id),
            ("order_id", &rule.order_id),
            ("trade_id", &rule.trade_id),
            ("tx_hash", &rule.tx_hash),
            ("address", &rule.address),
            ("note", &rule.note),
        ] {
            match given {
                Some(text) => self.expression(text, false),
                None => self.add(name, false),
            }
        }
        for text in rule.by.iter().flat_map(|OneOrMany(list)| list) {
            self.expression(text, true);
        }
        if let Some(text) = rule.role.as_ref().and_then(|role| role.fee.as_ref()) {
            self.expression(text, true);
        }
    }

    fn legs(&mut self, legs: &Legs) {
        for leg in &legs.0 {
            self.leg(&leg.leg);
            if let Some(account) = &leg.account {
                self.template(account);
            }
        }
    }

    fn leg(&mut self, text: &str) {
        let Ok(parts) = parse_leg(text) else { return };
        let (worth, currency) = parts.value.unzip();
        for node in [Some(parts.amount), parts.asset, worth, currency]
            .into_iter()
            .flatten()
        {
            self.node(&node, false);
        }
    }

    fn template(&mut self, text: &str) {
        for part in text.split('{').skip(1) {
            self.expression(part.split('}').next().unwrap_or(""), false);
        }
    }

    /// What a used derived column is made from is used as it is.
    fn follow(&mut self, document: &Document) {
        loop {
            let before = (
                self.names.len(),
                self.names.values().filter(|tested| **tested).count(),
            );
            for (name, text) in &document.derive {
                if let Some(tested) = self.names.get(name).copied() {
                    self.expression(text, tested);
                }
            }
            if before
                == (
                    self.names.len(),
                    self.names.values().filter(|tested| **tested).count(),
                )
            {
                return;
            }
        }
    }
}
