//! From a mapping as it is written to the program that is run, with everything that is wrong said at once.

use std::collections::BTreeMap;

use regex::Regex;

use super::assets::Aliases;
use super::cell::{AmountReader, MoneyReader, PairReader, TimeReader, Zone};
use super::diagnostic::{Complaints, Diagnostic, Level, Section, section_line};
use super::document::{
    AliasDocument, ColumnTable, ColumnType, Document, Legs, OneOrMany, Rule as WrittenRule, When,
};
use super::expression::{
    self, CellType, Expr, Names, Problem, Type, Typed, check, check_as, parse_expression, parse_leg,
};
use super::header::HeaderPattern;
use super::program::{
    Cell, Column, Count, Direction, Dispatch, EventTemplate, Expect, Find, Group, KindFrom,
    LegTemplate, Own, Program, Rule, Skip, TEXT_COUNT, Test, Texts, WordTest, ZoneFrom,
};
use crate::model::Kind;

/// The version of the language that this program reads.
const LANGUAGE_VERSION: i64 = 1;

/// Reads the text of a mapping's file.
pub fn read(file: &str, text: &str) -> Result<Document, Diagnostic> {
    toml::from_str(text).map_err(|error| {
        let (message, help) = said_shortly(error.message().trim());
        Diagnostic {
            level: Level::Error,
            file: file.to_owned(),
            span: error.span(),
            message,
            help,
        }
    })
}

/// One cause and one help from what the reader of TOML says: for a misspelt key it lists all that could stand there.
pub fn said_shortly(message: &str) -> (String, Option<String>) {
    let unknown = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split_once('`'));
    if let Some((key, rest)) = unknown {
        let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        let help = match expression::nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here are {}", known.join(", ")),
        };
        return (format!("there is no key `{key}` here"), Some(help));
    }
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    match missing {
        Some(key) => (
            format!("`{key}` is missing"),
            Some(format!("add `{key} = …`")),
        ),
        None => (message.to_owned(), None),
    }
}

/// Compiles a mapping. `alias_tables` gives the text of a table by name. What comes back beside the program are
/// warnings; instead of it, errors and warnings.
pub fn compile(
    id: &str,
    file: &str,
    text: &str,
    document: &Document,
    alias_tables: &dyn Fn(&str) -> Option<String>,
) -> (Option<Program>, Vec<Diagnostic>) {
    let mut complaints = Complaints::new(file, text);
    let program = Compiler {
        document,
        text,
        complaints: &mut complaints,
        names: Names::default(),
        columns: Vec::new(),
        captures: Vec::new(),
    }
    .program(id, alias_tables);
    let sound = !complaints.has_errors();
    (program.filter(|_| sound), complaints.into_found())
}

struct Compiler<'d, 'c, 't> {
    document: &'d Document,
    text: &'d str,
    complaints: &'c mut Complaints<'t>,
    names: Names,
    columns: Vec<Column>,
    captures: Vec<String>,
}

impl Compiler<'_, '_, '_> {
    fn program(
        mut self,
        id: &str,
        alias_tables: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Program> {
        let document = self.document;
        if document.mapping != LANGUAGE_VERSION {
            self.complaints.error(
                Section::Top,
                "mapping",
                format!(
                    "this mapping is written in version {} of the language",
                    document.mapping
                ),
                Some(format!("this program reads version {LANGUAGE_VERSION}")),
            );
        }
        let aliases = self.aliases(alias_tables);
        self.collect_captures();
        for (name, column) in &document.columns {
            self.column(name, &column.0);
        }
        let derived = self.derived();
        self.zones(&derived);
        let own = document.own.as_ref().map(|own| self.own(own));
        let skips: Vec<Skip> = document
            .skip
            .iter()
            .enumerate()
            .map(|(nth, skip)| Skip {
                test: self.test(Section::Skip(nth), Some(&skip.when)),
                because: skip.because.clone(),
            })
            .collect();
        let rules = self.rules();
        if document.rule.is_empty() && document.otherwise.is_none() {
            self.complaints.error(
                Section::Top,
                "",
                "this mapping has no rule",
                Some("add a [[rule]] or [otherwise]".to_owned()),
            );
        }
        let tests = skips
            .iter()
            .map(|skip| &skip.test)
            .chain(rules.iter().map(|rule| &rule.test));
        let dispatch = Dispatch::of(tests, &self.columns);
        let delimiter = document.file.delimiter.as_ref().and_then(|text| {
            if text.len() != 1 {
                self.complaints
                    .error(Section::File, text, "a delimiter is one byte", None);
            }
            text.bytes().next()
        });
        if let Some(label) = &document.file.encoding
            && encoding_rs::Encoding::for_label(label.as_bytes()).is_none()
        {
            self.complaints.error(
                Section::File,
                label,
                format!("`{label}` is no known encoding"),
                Some("use a name such as windows-1252 or shift_jis".to_owned()),
            );
        }
        Some(Program {
            id: id.to_owned(),
            exchange: document.exchange.clone(),
            report: document.report.clone(),
            instead_of: document.instead_of.clone(),
            delimiter,
            encoding: document.file.encoding.clone(),
            has_header: document.file.header.unwrap_or(true),
            sheet: document.file.sheet.clone(),
            order: document.file.order,
            columns: self.columns,
            unused: document
                .unused
                .iter()
                .map(|text| HeaderPattern::with_stars(text))
                .collect(),
            uses_file_name: self.names.uses_file_name.get(),
            captures: self.captures,
            derived,
            own,
            skips,
            rules,
            dispatch,
            aliases,
        })
    }

    fn aliases(&mut self, alias_tables: &dyn Fn(&str) -> Option<String>) -> Aliases {
        let mut aliases = Aliases::default();
        for name in &self.document.assets {
            let Some(text) = alias_tables(name) else {
                self.complaints.error(
                    Section::Top,
                    name,
                    format!("there is no alias table `{name}`"),
                    Some(format!("add formats/assets/{name}.toml")),
                );
                continue;
            };
            let added = toml::from_str::<AliasDocument>(&text)
                .map_err(|error| (name.clone(), error.message().to_owned()))
                .and_then(|document| aliases.add(&document));
            if let Err((entry, message)) = added {
                self.complaints.error(
                    Section::Top,
                    name,
                    format!("alias table `{name}`: `{entry}`: {message}"),
                    None,
                );
            }
        }
        aliases
    }

    /// All captures must be known before any column is compiled: a zone may name one of a later column.
    fn collect_captures(&mut self) {
        for column in self
            .document
            .columns
            .values()
            .filter(|column| !column.0.family)
        {
            let joined = column.0.join.iter().flatten();
            for text in column
                .0
                .header
                .iter()
                .chain(joined)
                .flat_map(|spellings| &spellings.0)
            {
                let Ok(pattern) = HeaderPattern::with_captures(text) else {
                    continue;
                };
                for name in pattern.capture_names() {
                    if !self.captures.iter().any(|known| known == name) {
                        self.captures.push(name.to_owned());
                    }
                }
            }
        }
        for (index, name) in self.captures.iter().enumerate() {
            self.names.captures.insert(name.clone(), index);
        }
    }

    fn patterns(&mut self, name: &str, spellings: &OneOrMany) -> Vec<HeaderPattern> {
        let mut patterns = Vec::new();
        for text in &spellings.0 {
            match HeaderPattern::with_captures(text) {
                Ok(pattern) => patterns.push(pattern),
                Err(message) => self.complaints.error(
                    Section::Columns,
                    text,
                    format!("column `{name}`: {message}"),
                    None,
                ),
            }
        }
        patterns
    }

    fn column(&mut self, name: &str, written: &ColumnTable) {
        let mut wrong = |message: String, help: Option<&str>| {
            self.complaints
                .error(Section::Columns, name, message, help.map(str::to_owned));
        };
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            wrong(
                format!("`{name}` is no name for a column"),
                Some("use lower case letters, digits and _"),
            );
        }
        let ways = usize::from(written.header.is_some())
            + usize::from(written.at.is_some())
            + usize::from(written.join.is_some());
        if ways != 1 {
            wrong(
                format!("column `{name}` must say one of `header`, `at` and `join`"),
                None,
            );
        }
        if written.family && written.header.is_none() {
            wrong(
                format!("column `{name}`: a family is found by its headers"),
                None,
            );
        }
        let find = if let Some(header) = &written.header {
            Find::Header(self.patterns(name, header), written.nth.unwrap_or(1).max(1))
        } else if let Some(parts) = &written.join {
            Find::Join(parts.iter().map(|part| self.patterns(name, part)).collect())
        } else {
            Find::At(written.at.unwrap_or(1).max(1) - 1)
        };
        let (cell, kind) = self.cell(name, written);
        let index = self.columns.len();
        self.columns.push(Column {
            name: name.to_owned(),
            find,
            cell,
            blanks: written
                .blank
                .iter()
                .map(|text| text.trim().as_bytes().into())
                .collect(),
            optional: written.optional,
            private: written.private,
            volatile: written.volatile,
            unique: written.unique,
            family: written.family,
            ignore_case: written.ignore_case,
        });
        self.names
            .columns
            .insert(name.to_owned(), (index, kind, written.family));
    }

    fn cell(&mut self, name: &str, written: &ColumnTable) -> (Cell, CellType) {
        let mut amounts = AmountReader {
            strip: written.strip.clone(),
            parentheses: written.parentheses,
            trailing_minus: written.trailing_minus,
            scale: written.scale,
            ..AmountReader::default()
        };
        let mut one_sign = |text: &Option<String>, what: &str| -> Option<char> {
            let mut signs = text.as_ref()?.chars();
            match (signs.next(), signs.next()) {
                (Some(sign), None) => Some(sign),
                _ => {
                    self.complaints.error(
                        Section::Columns,
                        name,
                        format!("column `{name}`: {what} is one sign"),
                        None,
                    );
                    None
                }
            }
        };
        if let Some(mark) = one_sign(&written.decimal, "`decimal`") {
            amounts.decimal = if mark.is_ascii() { mark as u8 } else { b'.' };
        }
        amounts.group = one_sign(&written.group, "`group`");
        if let Err(message) = amounts.check() {
            self.complaints.error(
                Section::Columns,
                name,
                format!("column `{name}`: {message}"),
                None,
            );
        }
        match written.kind {
            ColumnType::Text | ColumnType::Choice | ColumnType::Id => (Cell::Text, CellType::Text),
            ColumnType::Asset => (
                Cell::Asset {
                    upper: written.upper,
                },
                CellType::Asset,
            ),
            ColumnType::Amount => (Cell::Amount(amounts), CellType::Amount),
            ColumnType::Money => {
                let symbols = written
                    .symbols
                    .iter()
                    .map(|(symbol, code)| (symbol.clone(), code.clone()))
                    .collect();
                (
                    Cell::Money(MoneyReader::new(amounts, symbols, written.units.clone())),
                    CellType::Money,
                )
            }
            ColumnType::Pair => {
                let separators = written
                    .separator
                    .as_ref()
                    .map_or(Vec::new(), |list| list.0.clone());
                let exceptions = written
                    .exceptions
                    .iter()
                    .map(|(text, pair)| (text.clone(), pair.clone()))
                    .collect();
                let reader = PairReader::new(
                    separators,
                    written.quotes.clone(),
                    exceptions,
                    written.reversed,
                    written.prefix.clone(),
                );
                match reader {
                    Ok(reader) => (Cell::Pair(reader), CellType::Pair),
                    Err(message) => {
                        self.complaints.error(
                            Section::Columns,
                            name,
                            format!("column `{name}`: {message}"),
                            None,
                        );
                        (Cell::Text, CellType::Pair)
                    }
                }
            }
            ColumnType::Time => {
                let reader = TimeReader::new(&written.formats).or_else(|(index, message)| {
                    let format = written.formats.get(index).map_or("", String::as_str);
                    let section = if format.is_empty() { name } else { format };
                    self.complaints.error(
                        Section::Columns,
                        section,
                        format!("column `{name}`: {message}"),
                        Some("the items are listed under “time” in the language's page".to_owned()),
                    );
                    TimeReader::new(&["iso"])
                });
                match reader {
                    Ok(reader) => (
                        Cell::Time(reader, ZoneFrom::Stated(Zone::Utc)),
                        CellType::Time,
                    ),
                    Err(_) => (Cell::Text, CellType::Time),
                }
            }
        }
    }

    /// Zones name captures and other columns, so they are looked up when all columns are known.
    fn zones(&mut self, derived: &[Expr]) {
        for (name, column) in &self.document.columns {
            let Some((index, ..)) = self.names.columns.get(name).copied() else {
                continue;
            };
            let Cell::Time(reader, _) = &self.columns[index].cell else {
                continue;
            };
            let zone = match column.0.zone.as_deref() {
                None if reader.has_zone() => ZoneFrom::Stated(Zone::Utc),
                None => {
                    self.complaints.error(
                        Section::Columns,
                        name,
                        format!("column `{name}` does not say its zone"),
                        Some("add `zone = \"UTC\"`, or whatever the exchange writes".to_owned()),
                    );
                    continue;
                }
                Some("local") => ZoneFrom::Local,
                Some(text) => {
                    let capture = text
                        .strip_prefix('{')
                        .and_then(|text| text.strip_suffix('}'));
                    let other = text.strip_prefix("column:");
                    let found = if let Some(capture) = capture {
                        self.names
                            .captures
                            .get(capture)
                            .map(|capture| ZoneFrom::Capture(*capture))
                    } else if let Some(other) = other {
                        match (self.names.columns.get(other), self.names.derived.get(other)) {
                            (Some((column, ..)), _) => Some(ZoneFrom::Column(*column)),
                            (None, Some((index, Typed::Value(_, Type::Text))))
                                if !self.reads_time(&derived[*index], derived) =>
                            {
                                Some(ZoneFrom::Derived(*index))
                            }
                            _ => None,
                        }
                    } else {
                        Zone::parse(text).map(ZoneFrom::Stated)
                    };
                    let Some(found) = found else {
                        self.complaints.error(Section::Columns, text, format!("`{text}` is no zone"), Some("use an IANA name, UTC, +08:00, \"{capture}\", column:NAME or local".to_owned()));
                        continue;
                    };
                    found
                }
            };
            if let Cell::Time(_, stated) = &mut self.columns[index].cell {
                *stated = zone;
            }
        }
    }

    /// Whether an expression reads a time: then it cannot say the zone in which times are read.
    fn reads_time(&self, expr: &Expr, derived: &[Expr]) -> bool {
        let mut found = false;
        expr.walk(&mut |part| match part {
            Expr::Cell(column) | Expr::Family(column, _) => {
                found |= matches!(self.columns[*column].cell, Cell::Time(..))
            }
            Expr::Derived(index) => found |= self.reads_time(&derived[*index], derived),
            _ => {}
        });
        found
    }

    fn own(&mut self, own: &super::document::Own) -> Own {
        let file_name = own
            .file_name
            .as_ref()
            .and_then(|pattern| match Regex::new(pattern) {
                Ok(regex) => Some(regex),
                Err(_) => {
                    self.complaints
                        .error(Section::Own, pattern, "this is no pattern", None);
                    None
                }
            });
        let mut columns = Vec::new();
        for name in &own.columns {
            match self.names.columns.get(name) {
                Some((index, CellType::Text, false)) => columns.push(*index),
                Some(_) => self.complaints.error(
                    Section::Own,
                    name,
                    format!("`{name}` is not a column of texts"),
                    None,
                ),
                None => self.complaints.error(
                    Section::Own,
                    name,
                    format!("there is no column `{name}`"),
                    None,
                ),
            }
        }
        Own { file_name, columns }
    }

    /// Derived columns in the order of their use; each is checked once, after those that it uses.
    fn derived(&mut self) -> Vec<Expr> {
        self.names.has_own = self.document.own.is_some();
        let mut waiting: Vec<(&String, expression::Node)> = Vec::new();
        for (name, text) in &self.document.derive {
            if self.names.columns.contains_key(name) {
                self.complaints.error(
                    Section::Derive,
                    name,
                    format!("`{name}` is a column already"),
                    None,
                );
                continue;
            }
            match parse_expression(text) {
                Ok(node) => waiting.push((name, node)),
                Err(problem) => self.complaints.problem(Section::Derive, text, problem),
            }
        }
        let mut exprs = Vec::new();
        // Whatever uses only what is known can be checked; when nothing more can, what is left is wrong.
        loop {
            self.names.pending = waiting.iter().map(|(name, _)| (*name).clone()).collect();
            let before = waiting.len();
            let mut problems: Vec<(&String, Problem)> = Vec::new();
            waiting.retain(|(name, node)| match check(node, &self.names) {
                Ok(typed) => {
                    let index = exprs.len();
                    exprs.push(match &typed {
                        Typed::Value(expr, _) => expr.clone(),
                        // Parts of it are inlined where they are used.
                        _ => Expr::Text(Box::default()),
                    });
                    self.names.derived.insert((*name).clone(), (index, typed));
                    false
                }
                Err(problem) => {
                    problems.push((name, problem));
                    true
                }
            });
            if waiting.is_empty() {
                break;
            }
            if waiting.len() == before {
                for (name, problem) in problems {
                    self.complaints
                        .problem(Section::Derive, &self.document.derive[name], problem);
                }
                break;
            }
        }
        self.names.pending.clear();
        exprs
    }

    fn test(&mut self, section: Section, when: Option<&When>) -> Test {
        let mut test = Test::default();
        let Some(when) = when else { return test };
        for table in &when.tables {
            self.conditions(section, table, &mut test);
        }
        for text in &when.expressions {
            test.conditions
                .extend(self.expression(section, text, Type::Truth));
        }
        test
    }

    fn conditions(
        &mut self,
        section: Section,
        table: &BTreeMap<String, OneOrMany>,
        test: &mut Test,
    ) {
        for (name, words) in table {
            let words = &words.0;
            match self.names.columns.get(name) {
                Some((column, CellType::Text, false)) => {
                    let lower = self.columns[*column].ignore_case;
                    let word = |word: &String| -> Box<[u8]> {
                        if lower {
                            word.trim().to_lowercase().into_bytes().into()
                        } else {
                            word.trim().as_bytes().into()
                        }
                    };
                    test.words.push(WordTest {
                        column: *column,
                        words: words.iter().map(word).collect(),
                    });
                }
                _ => {
                    let list: Vec<String> = words
                        .iter()
                        .map(|word| format!("'{}'", word.replace('\'', "''")))
                        .collect();
                    let mut text = format!("{name} in [{}]", list.join(", "));
                    if words.iter().any(String::is_empty) {
                        text.push_str(&format!(" or {name} is blank"));
                    }
                    match parse_expression(&text)
                        .and_then(|node| check_as(&node, &self.names, Type::Truth))
                    {
                        Ok(expr) => test.conditions.push(expr),
                        Err(problem) => {
                            self.complaints
                                .error(section, name, problem.message, problem.help)
                        }
                    }
                }
            }
        }
    }

    fn expression(&mut self, section: Section, text: &str, wanted: Type) -> Option<Expr> {
        match parse_expression(text).and_then(|node| check_as(&node, &self.names, wanted)) {
            Ok(expr) => Some(expr),
            Err(problem) => {
                self.complaints.problem(section, text, problem);
                None
            }
        }
    }

    fn rules(&mut self) -> Vec<Rule> {
        let document = self.document;
        let mut rules = Vec::new();
        for (nth, written) in document.rule.iter().enumerate() {
            let section = Section::Rule(nth);
            let line = section_line(self.text, section);
            if written.cases.is_empty() {
                let test = self.test(section, written.when.as_ref());
                let label = format!("rule {}", nth + 1);
                rules.extend(self.rule(
                    section,
                    &written.over(&document.defaults),
                    test,
                    label,
                    line,
                ));
            }
            for (case_nth, case) in written.cases.iter().enumerate() {
                let mut test = self.test(section, written.when.as_ref());
                let of_case = self.test(section, case.rule.when.as_ref());
                test.words.extend(of_case.words);
                test.conditions.extend(of_case.conditions);
                self.conditions(section, &case.conditions, &mut test);
                let whole = case.rule.over(&written.over(&document.defaults));
                let label = format!("rule {}, case {}", nth + 1, case_nth + 1);
                rules.extend(self.rule(section, &whole, test, label, line));
            }
        }
        if let Some(otherwise) = &document.otherwise {
            let line = section_line(self.text, Section::Otherwise);
            let test = self.test(Section::Otherwise, otherwise.when.as_ref());
            if let Some(mut rule) = self.rule(
                Section::Otherwise,
                &otherwise.over(&document.defaults),
                test,
                "otherwise".to_owned(),
                line,
            ) {
                rule.is_otherwise = true;
                rules.push(rule);
            }
        }
        rules
    }

    fn rule(
        &mut self,
        section: Section,
        written: &WrittenRule,
        test: Test,
        label: String,
        line: usize,
    ) -> Option<Rule> {
        let mut events = Vec::new();
        if written.events.is_empty() {
            events.extend(self.event(section, written));
        }
        for event in &written.events {
            if event.by.is_some() || !event.events.is_empty() || !event.cases.is_empty() {
                self.complaints.error(
                    section,
                    "events",
                    "an event of a rule has no `by`, `events` or `cases` of its own",
                    None,
                );
            }
            let mut whole = event.over(written);
            whole.events.clear();
            events.extend(self.event(section, &whole));
        }
        let grouped = written.by.is_some() || written.adjacent == Some(true);
        if !grouped {
            for (key, there) in [
                ("window", written.window.is_some()),
                ("expect", written.expect.is_some()),
                ("role", written.role.is_some()),
            ] {
                if there {
                    self.complaints.error(
                        section,
                        key,
                        format!("`{key}` is for rows that belong together"),
                        Some("add `by`".to_owned()),
                    );
                }
            }
        }
        if grouped && events.len() > 1 {
            self.complaints.error(
                section,
                "events",
                "rows that belong together make one event, not several",
                None,
            );
        }
        let group = if grouped {
            Some(self.group(section, written))
        } else {
            None
        };
        (!events.is_empty()).then_some(Rule {
            line,
            label,
            test,
            events,
            group,
            is_otherwise: false,
        })
    }

    fn event(&mut self, section: Section, written: &WrittenRule) -> Option<EventTemplate> {
        let kind = match (&written.kind, &written.kind_from) {
            (Some(word), None) => match Kind::from_word(word) {
                Some(kind) => Some(KindFrom::Stated(kind)),
                None => {
                    let near = nearest_kind(word).map(|kind| format!("did you mean `{kind}`?"));
                    self.complaints.error(
                        section,
                        word,
                        format!("`{word}` is no kind of event"),
                        near,
                    );
                    None
                }
            },
            (None, Some(text)) => self
                .expression(section, text, Type::Text)
                .map(KindFrom::Text),
            (Some(_), Some(_)) => {
                self.complaints.error(
                    section,
                    "kind_from",
                    "a rule says `kind` or `kind_from`, not both",
                    None,
                );
                None
            }
            (None, None) => {
                self.complaints
                    .error(section, "", "this rule does not say its `kind`", None);
                None
            }
        };
        let account = match &written.account {
            Some(text) => self.template(section, text),
            None => vec![Expr::Text(self.document.exchange.as_bytes().into())],
        };
        let time = match &written.time {
            Some(text) => self.expression(section, text, Type::Time),
            None => match self.names.columns.get("time") {
                Some((index, CellType::Time, false)) => Some(Expr::Cell(*index)),
                _ if self.names.derived.contains_key("time") => {
                    self.expression(section, "time", Type::Time)
                }
                _ => {
                    self.complaints.error(
                        section,
                        "",
                        "this rule has no time",
                        Some("name a column `time` of type time, or say `time = …`".to_owned()),
                    );
                    None
                }
            },
        };
        let event_id = written
            .event_id
            .as_ref()
            .and_then(|text| self.expression(section, text, Type::Text));
        let mut texts: Texts = Default::default();
        let given: [(&str, &Option<String>); TEXT_COUNT] = [
            ("order_id", &written.order_id),
            ("trade_id", &written.trade_id),
            ("tx_hash", &written.tx_hash),
            ("address", &written.address),
            ("note", &written.note),
        ];
        for (slot, (name, text)) in texts.iter_mut().zip(given) {
            let default = match self.names.columns.get(name) {
                Some((_, CellType::Text, false)) => true,
                _ => self.names.derived.contains_key(name),
            };
            *slot = match text {
                Some(text) if text.is_empty() => None,
                Some(text) => self.expression(section, text, Type::Text),
                None if default => self.expression(section, name, Type::Text),
                None => None,
            };
        }
        let mut legs = Vec::new();
        for (direction, written) in [
            (Direction::In, &written.incoming),
            (Direction::Out, &written.out),
            (Direction::Move, &written.moved),
            (Direction::Fee, &written.fee),
        ] {
            legs.extend(self.legs(section, direction, written.as_ref()));
        }
        let said = [
            &written.incoming,
            &written.out,
            &written.moved,
            &written.fee,
        ];
        if said.into_iter().flatten().all(|legs| legs.0.is_empty()) {
            self.complaints.error(
                section,
                "",
                "this rule moves nothing",
                Some("say `in`, `out`, `move` or `fee`".to_owned()),
            );
        }
        let balance = written
            .balance
            .as_ref()
            .filter(|text| !text.is_empty())
            .and_then(|text| {
                let parts = parse_leg(text)
                    .map_err(|problem| self.complaints.problem(section, text, problem))
                    .ok()?;
                let Some(asset) = &parts.asset else {
                    self.complaints
                        .error(section, text, "a balance is `amount asset`", None);
                    return None;
                };
                self.pair_of(section, text, &parts.amount, asset)
            });
        Some(EventTemplate {
            kind: kind?,
            account,
            time: time?,
            event_id,
            texts,
            legs,
            balance,
        })
    }

    fn template(&mut self, section: Section, text: &str) -> Vec<Expr> {
        expression::template(text, &self.names).unwrap_or_else(|problem| {
            self.complaints.problem(section, text, problem);
            Vec::new()
        })
    }

    fn pair_of(
        &mut self,
        section: Section,
        text: &str,
        amount: &expression::Node,
        asset: &expression::Node,
    ) -> Option<(Expr, Expr)> {
        let amount = check_as(amount, &self.names, Type::Amount);
        let asset = check_as(asset, &self.names, Type::Asset);
        match (amount, asset) {
            (Ok(amount), Ok(asset)) => Some((amount, asset)),
            (amount, asset) => {
                for problem in amount.err().into_iter().chain(asset.err()) {
                    self.complaints.problem(section, text, problem);
                }
                None
            }
        }
    }

    fn legs(
        &mut self,
        section: Section,
        direction: Direction,
        written: Option<&Legs>,
    ) -> Vec<LegTemplate> {
        let mut legs = Vec::new();
        for leg in written.map_or(&[][..], |legs| &legs.0) {
            let text = &leg.leg;
            let parts = match parse_leg(text) {
                Ok(parts) => parts,
                Err(problem) => {
                    self.complaints.problem(section, text, problem);
                    continue;
                }
            };
            let main = match &parts.asset {
                Some(asset) => self.pair_of(section, text, &parts.amount, asset),
                None => self.money_leg(section, text, &parts.amount),
            };
            let value = parts
                .value
                .as_ref()
                .map(|(amount, asset)| self.pair_of(section, text, amount, asset));
            let (Some((amount, asset)), true) = (main, value.as_ref().is_none_or(Option::is_some))
            else {
                continue;
            };
            if parts.signed && direction != Direction::Fee {
                self.complaints.error(
                    section,
                    text,
                    "only a fee is `signed`",
                    Some("use `move` for a leg whose sign is the cell's own".to_owned()),
                );
            }
            legs.push(LegTemplate {
                direction,
                amount,
                asset,
                value: value.flatten(),
                optional: parts.optional || direction == Direction::Fee,
                signed: parts.signed,
                account: leg
                    .account
                    .as_ref()
                    .map(|account| self.template(section, account)),
            });
        }
        legs
    }

    /// A money column alone stands for its amount and its asset.
    fn money_leg(
        &mut self,
        section: Section,
        text: &str,
        node: &expression::Node,
    ) -> Option<(Expr, Expr)> {
        match check(node, &self.names) {
            Ok(Typed::Money(_)) => {
                let part = |field: &str| expression::Node {
                    kind: expression::NodeKind::Field(Box::new(node.clone()), field.to_owned()),
                    span: node.span.clone(),
                };
                self.pair_of(section, text, &part("amount"), &part("asset"))
            }
            Ok(_) => {
                let problem = Problem::new(node.span.clone(), "this leg has no asset")
                    .help("a leg is `amount asset`");
                self.complaints.problem(section, text, problem);
                None
            }
            Err(problem) => {
                self.complaints.problem(section, text, problem);
                None
            }
        }
    }

    fn group(&mut self, section: Section, written: &WrittenRule) -> Group {
        let window_ns = written.window.as_ref().and_then(|text| {
            let seconds = text
                .strip_suffix('s')
                .and_then(|seconds| seconds.trim().parse::<i64>().ok());
            match seconds {
                Some(seconds @ 0..=86_400) => Some(seconds * 1_000_000_000),
                _ => {
                    self.complaints.error(
                        section,
                        text,
                        "a window is a number of seconds, such as \"2s\", of at most a day",
                        None,
                    );
                    None
                }
            }
        });
        let mut key = Vec::new();
        for text in written.by.as_ref().map_or(&[][..], |by| &by.0) {
            let is_time = matches!(
                self.names.columns.get(text.as_str()),
                Some((_, CellType::Time, _))
            ) || matches!(
                self.names.derived.get(text.as_str()),
                Some((_, Typed::Value(_, Type::Time)))
            );
            if is_time && written.window.is_some() {
                continue;
            }
            match parse_expression(text).and_then(|node| check(&node, &self.names)) {
                Ok(Typed::Value(expr, _)) => key.push(expr),
                Ok(_) => self.complaints.error(
                    section,
                    text,
                    "rows are gathered by texts, amounts or times",
                    None,
                ),
                Err(problem) => self.complaints.problem(section, text, problem),
            }
        }
        let mut expect = Expect::default();
        if let Some(written) = &written.expect {
            let mut count = |text: &Option<String>| {
                let text = text.as_ref()?;
                let count = Count::parse(text);
                if count.is_none() {
                    self.complaints.error(
                        section,
                        text,
                        format!("`{text}` is no count"),
                        Some("write \"2\", \"1..\" or \"1..3\"".to_owned()),
                    );
                }
                count
            };
            expect.rows = count(&written.rows);
            expect.incoming = count(&written.incoming);
            expect.out = count(&written.out);
            expect.fees = count(&written.fees);
            expect.in_assets.clone_from(&written.in_assets);
            expect.out_assets.clone_from(&written.out_assets);
            expect.balanced = written.balanced.unwrap_or(false);
        }
        let fee_rows = written
            .role
            .as_ref()
            .and_then(|role| role.fee.as_ref())
            .and_then(|text| self.expression(section, text, Type::Truth));
        Group {
            key,
            window_ns,
            adjacent: written.adjacent.unwrap_or(false),
            expect,
            fee_rows,
        }
    }
}

fn nearest_kind(word: &str) -> Option<&'static str> {
    Kind::ALL
        .iter()
        .map(|kind| (strsim::damerau_levenshtein(word, kind.word()), kind.word()))
        .min()
        .map(|(_, kind)| kind)
}
