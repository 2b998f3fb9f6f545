//! From a target as it is written to the one that is run, with everything that is wrong said at once.

use std::collections::BTreeMap;

use regex::Regex;

use super::document::{
    self, Document, Encoding, Entry, FeePlace, FileFormat, FileOptions, LineEnd, Otherwise, Quote,
    Rebate, RowOptions, Several, Shape, TransferRows,
};
use super::fields;
use super::parts::{merged, whole};
use super::program::{
    AddsUp, AssetText, Case, Check, Column, Container, Fill, Outcome, Part, RowRules, Side, Target,
    TimeForm,
};
use crate::mapping::document::{OneOrMany, When};
use crate::mapping::{
    CellType, Complaints, Diagnostic, Expr, Names, Section, Type, check_as, parse_expression,
    said_shortly,
};
use crate::model::Kind;

/// The version of the language that this program reads.
const LANGUAGE_VERSION: i64 = 1;

/// Keys of a table of words that are no words, as people misspell them.
const NO_WORDS: [&str; 4] = ["leave-out", "leaveout", "lossy_word", "if"];

/// Reads the text of a target's file.
pub fn read(file: &str, text: &str) -> Result<Document, Diagnostic> {
    toml::from_str(text).map_err(|error| {
        let (message, help) = said_shortly(error.message().trim());
        Diagnostic {
            level: crate::mapping::Level::Error,
            file: file.to_owned(),
            span: error.span(),
            message,
            help,
        }
    })
}

/// Compiles a target. Instead of it come errors.
pub fn compile(
    id: &str,
    file: &str,
    text: &str,
    document: &Document,
) -> (Option<Target>, Vec<Diagnostic>) {
    let mut complaints = Complaints::new(file, text);
    let target = Compiler {
        document,
        names: Names::default(),
        complaints: &mut complaints,
    }
    .target(id);
    let sound = !complaints.has_errors();
    (Some(target).filter(|_| sound), complaints.into_found())
}

struct Compiler<'d, 'c, 't> {
    document: &'d Document,
    names: Names,
    complaints: &'c mut Complaints<'t>,
}

impl Compiler<'_, '_, '_> {
    fn target(mut self, id: &str) -> Target {
        let document = self.document;
        if document.target != LANGUAGE_VERSION {
            self.wrong(
                "target",
                format!(
                    "this target is written in version {} of the language",
                    document.target
                ),
                Some(format!("this program reads version {LANGUAGE_VERSION}")),
            );
        }
        let option_fields = self.collect_names();
        let asset_pattern = document.assets.pattern.as_ref().and_then(|pattern| {
            Regex::new(pattern)
                .map_err(|error| self.wrong(pattern, format!("no pattern: {error}"), None))
                .ok()
        });
        let parts: Vec<Part> = if document.journal.is_some() {
            Vec::new()
        } else if document.part.is_empty() {
            vec![self.part(&whole(document))]
        } else {
            document
                .part
                .iter()
                .map(|part| self.part(&merged(document, part)))
                .collect()
        };
        let extension = match (&document.file.extension, parts.first()) {
            (Some(extension), _) => extension.clone(),
            (None, Some(part)) => part.file.extension.clone(),
            (None, None) => "journal".to_owned(),
        };
        Target {
            id: id.to_owned(),
            tool: document.tool.clone(),
            layout: document.layout.clone(),
            how_to_upload: document.how_to_upload.clone(),
            again: document.again.clone(),
            confidence: document.confidence,
            options: document
                .options
                .iter()
                .map(|(name, option)| (name.clone(), option.default.clone(), option.about.clone()))
                .collect(),
            assets: document.assets.clone(),
            asset_pattern,
            field_count: self.names.columns.len(),
            option_fields,
            parts,
            journal: document.journal.clone(),
            extension,
        }
    }

    /// The names that expressions may use. Gives back the fields of the options.
    fn collect_names(&mut self) -> Vec<usize> {
        for (nth, (name, kind)) in fields::names().into_iter().enumerate() {
            self.names.columns.insert(name, (nth, kind, false));
        }
        let document = self.document;
        let mut words = vec!["word".to_owned()];
        let parts = document.part.iter();
        let tables = std::iter::once((&document.kinds, &document.otherwise))
            .chain(parts.map(|part| (&part.kinds, &part.otherwise)));
        for (kinds, otherwise) in tables {
            kinds
                .values()
                .for_each(|entry| collect_words(entry, &mut words));
            for entry in sides(otherwise).into_iter().filter_map(|(_, entry)| entry) {
                collect_words(entry, &mut words);
            }
        }
        words.sort();
        words.dedup();
        for word in words {
            if NO_WORDS.contains(&word.as_str()) {
                self.wrong(&word, format!("`{word}` is no key of an entry"), None);
            }
            let next = self.names.columns.len();
            if self.names.columns.contains_key(&word) {
                self.wrong(
                    &word,
                    format!("`{word}` is a field of every row, and cannot be a word"),
                    Some("give the word another name".to_owned()),
                );
                continue;
            }
            self.names
                .columns
                .insert(word, (next, CellType::Text, false));
        }
        let mut fields = Vec::new();
        for name in document.options.keys() {
            let next = self.names.columns.len();
            if self.names.columns.contains_key(name) {
                self.wrong(
                    name,
                    format!("`{name}` is a field, and cannot be an option"),
                    None,
                );
            }
            self.names
                .columns
                .insert(name.clone(), (next, CellType::Text, false));
            fields.push(next);
        }
        fields
    }

    fn wrong(&mut self, needle: &str, message: impl Into<String>, help: Option<String>) {
        self.complaints.error(Section::Top, needle, message, help);
    }

    fn expression(&mut self, text: &str, wanted: Type) -> Option<Expr> {
        match parse_expression(text).and_then(|node| check_as(&node, &self.names, wanted)) {
            Ok(expr) => Some(expr),
            Err(problem) => {
                self.complaints.problem(Section::Top, text, problem);
                None
            }
        }
    }

    /// All conditions of a `when`.
    fn conditions(&mut self, when: &When) -> Vec<Expr> {
        let mut conditions = Vec::new();
        for (name, words) in when.tables.iter().flatten() {
            let list: Vec<String> = words
                .0
                .iter()
                .map(|word| format!("'{}'", word.replace('\'', "''")))
                .collect();
            let text = format!("{name} in [{}]", list.join(", "));
            match parse_expression(&text).and_then(|node| check_as(&node, &self.names, Type::Truth))
            {
                Ok(expr) => conditions.push(expr),
                Err(problem) => self.wrong(name, problem.message, problem.help),
            }
        }
        for text in &when.expressions {
            conditions.extend(self.expression(text, Type::Truth));
        }
        conditions
    }

    fn condition(&mut self, when: Option<&When>) -> Option<Expr> {
        self.conditions(when?)
            .into_iter()
            .reduce(|one, other| Expr::And(Box::new(one), Box::new(other)))
    }

    fn part(&mut self, part: &document::Part) -> Part {
        let when = self.condition(part.when.as_ref());
        let decimal_mark = match part.amounts.decimal_mark.as_deref() {
            None | Some(".") => b'.',
            Some(",") => b',',
            Some(other) => {
                self.wrong(other, format!("`{other}` is no decimal mark"), None);
                b'.'
            }
        };
        let written = part.columns.as_deref().unwrap_or_default();
        if written.is_empty() {
            self.wrong("columns", "this target has no columns", None);
        }
        let columns: Vec<Column> = written
            .iter()
            .filter_map(|column| self.column(column, part))
            .collect();
        let adds_up = part.adds_up.as_deref().unwrap_or_default();
        if adds_up.is_empty() {
            self.wrong(
                "columns",
                "`adds_up` is missing: nothing says how the file is read back",
                None,
            );
        }
        let adds_up = adds_up
            .iter()
            .filter_map(|entry| self.adds_up(entry, &columns))
            .collect();
        let checks = part
            .check
            .iter()
            .flatten()
            .map(|check| self.check(check, &columns))
            .collect();
        let alike = self.headers(part.rows.alike.as_deref().unwrap_or_default(), &columns);
        let (mut kinds, mut otherwise) = self.kinds(&part.kinds, &part.otherwise);
        // Words are told in the order of the columns that they stand in.
        let place = |field: usize| {
            let name = self.names.columns.iter().find(|(_, (at, ..))| *at == field);
            let name = name.map_or("", |(name, _)| name.as_str());
            let says = |column: &document::Column| match column {
                document::Column::Pair(_, cell) => has_word(cell, name),
                document::Column::Table(table) => has_word(&table.cell, name),
            };
            written.iter().position(says).unwrap_or(usize::MAX)
        };
        for case in kinds.iter_mut().flatten().chain(&mut otherwise) {
            case.words.sort_by_key(|(field, _)| place(*field));
        }
        let values = ["value", "sent_value", "received_value", "fee_value"];
        let cell_of = |column: &document::Column| match column {
            document::Column::Pair(_, cell) => cell.clone(),
            document::Column::Table(table) => table.cell.clone(),
        };
        let says_values = written
            .iter()
            .any(|column| values.iter().any(|name| has_word(&cell_of(column), name)));
        Part {
            alike,
            says_values,
            name: part.name.clone(),
            when,
            file: self.container(&part.file),
            rows: self.row_rules(&part.rows),
            columns,
            adds_up,
            checks,
            kinds,
            otherwise,
            max_decimals: part.amounts.max_decimals,
            decimal_mark,
        }
    }

    fn container(&mut self, file: &FileOptions) -> Container {
        let format = file.format.unwrap_or(FileFormat::Csv);
        let delimiter = match file.delimiter.as_deref() {
            None => b',',
            Some(text) if text.len() == 1 => text.as_bytes()[0],
            Some(text) => {
                self.wrong(text, "a delimiter is one byte", None);
                b','
            }
        };
        let extension = file.extension.clone().unwrap_or_else(|| {
            match format {
                FileFormat::Csv => "csv",
                FileFormat::Xlsx => "xlsx",
                FileFormat::Json => "json",
                FileFormat::Journal => "journal",
            }
            .to_owned()
        });
        Container {
            format,
            extension,
            delimiter,
            quote_always: file.quote == Some(Quote::Always),
            header: file.header.unwrap_or(true),
            before: file.before.clone().unwrap_or_default(),
            encoding: file.encoding.unwrap_or(Encoding::Utf8),
            line_end: match file.line_end {
                Some(LineEnd::Crlf) => "\r\n",
                _ => "\n",
            },
            spreadsheet: file.spreadsheet.unwrap_or(false),
            one_per_account: file.one_per.is_some(),
            max_rows: file.max_rows.filter(|rows| *rows > 0),
            max_bytes: file.max_bytes.filter(|bytes| *bytes > 0),
            newest_first: file.newest_first.unwrap_or(false),
            sheet: file.sheet.clone().unwrap_or_else(|| "Sheet1".to_owned()),
            list: file.list.clone(),
            around: file.around.clone().unwrap_or_default(),
        }
    }

    fn row_rules(&mut self, rows: &RowOptions) -> RowRules {
        let slots = rows.slots.unwrap_or(fields::SLOTS);
        if !(1..=fields::SLOTS).contains(&slots) {
            self.wrong(
                "slots",
                format!("a row has 1 to {} legs on a side", fields::SLOTS),
                None,
            );
        }
        let mut test = |text: &Option<String>| {
            text.as_ref()
                .and_then(|text| self.expression(text, Type::Truth))
        };
        RowRules {
            shape: rows.shape.unwrap_or(Shape::Event),
            several: rows.several.unwrap_or(Several::ProRata),
            slots,
            fee: rows.fee.unwrap_or(FeePlace::Column),
            fee_when: test(&rows.fee_when),
            rebate: rows.rebate.unwrap_or(Rebate::Row),
            transfer: rows.transfer.unwrap_or(TransferRows::TwoRows),
            carries: test(&rows.carries),
        }
    }

    fn column(&mut self, column: &document::Column, part: &document::Part) -> Option<Column> {
        let (header, cell, format, zone, blank, max_decimals, number) = match column {
            document::Column::Pair(header, cell) => (header, cell, None, None, "", None, false),
            document::Column::Table(table) => (
                &table.header,
                &table.cell,
                table.format.as_ref(),
                table.zone.as_ref(),
                table.blank.as_str(),
                table.max_decimals,
                table.number,
            ),
        };
        let node = match parse_expression(cell) {
            Ok(node) => node,
            Err(problem) => {
                self.complaints.problem(Section::Top, cell, problem);
                return None;
            }
        };
        // A cell is a time, an amount or a text: the first of these that it can be.
        let as_type = |wanted| check_as(&node, &self.names, wanted);
        let fill = if let Ok(expr) = as_type(Type::Time) {
            let format = format.or(part.time.format.as_ref());
            let form = match format.map(|text| TimeForm::parse(text)) {
                Some(Ok(form)) => form,
                Some(Err(message)) => {
                    self.wrong(format.map_or("", String::as_str), message, None);
                    return None;
                }
                None => {
                    self.wrong(
                        cell,
                        "nothing says how this time is written",
                        Some("add `[time] format`".to_owned()),
                    );
                    return None;
                }
            };
            let zone = zone.or(part.time.zone.as_ref());
            let zone = zone.cloned().unwrap_or_else(|| "UTC".to_owned());
            if !zone.contains('{') && zone.parse::<chrono_tz::Tz>().is_err() {
                self.wrong(&zone, format!("`{zone}` is no zone"), None);
            }
            Fill::Time(expr, form, zone)
        } else if let Ok(expr) = as_type(Type::Amount) {
            Fill::Amount(expr)
        } else {
            match as_type(Type::Text) {
                Ok(expr) => Fill::Text(expr),
                Err(problem) => {
                    self.complaints.problem(Section::Top, cell, problem);
                    return None;
                }
            }
        };
        Some(Column {
            header: header.clone(),
            fill,
            blank: blank.to_owned(),
            number,
            max_decimals,
        })
    }

    /// Number of the column with a header.
    fn header(&mut self, header: &str, columns: &[Column]) -> Option<usize> {
        let found = columns.iter().position(|column| column.header == header);
        if found.is_none() {
            self.wrong(header, format!("no column has the header `{header}`"), None);
        }
        found
    }

    fn headers(&mut self, headers: &[String], columns: &[Column]) -> Vec<usize> {
        headers
            .iter()
            .filter_map(|header| self.header(header, columns))
            .collect()
    }

    fn adds_up(&mut self, entry: &document::AddsUp, columns: &[Column]) -> Option<AddsUp> {
        let said = entry
            .asset
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        let asset = match said {
            Some(text) => AssetText::Said(text.to_owned()),
            None => AssetText::Column(self.header(&entry.asset, columns)?),
        };
        let when = entry
            .when
            .iter()
            .filter_map(|(header, words): (&String, &OneOrMany)| {
                Some((self.header(header, columns)?, words.0.clone()))
            })
            .collect();
        let times = match &entry.times {
            Some(header) => Some(self.header(header, columns)?),
            None => None,
        };
        Some(AddsUp {
            amount: self.header(&entry.amount, columns)?,
            asset,
            way: entry.way,
            when,
            times,
            digits: entry.digits,
            suffix: entry.suffix.clone().unwrap_or_default(),
        })
    }

    fn check(&mut self, check: &document::Check, columns: &[Column]) -> Check {
        let because = check.because.clone().unwrap_or_else(|| {
            let list = |names: &[String]| names.join(", ");
            match (check.filled.is_empty(), check.blank.is_empty()) {
                (false, true) => format!("{} must not be blank", list(&check.filled)),
                (true, false) => format!("{} must be blank", list(&check.blank)),
                _ => format!(
                    "{} must not be blank, and {} must be",
                    list(&check.filled),
                    list(&check.blank)
                ),
            }
        });
        if check.filled.is_empty() && check.blank.is_empty() && check.because.is_none() {
            self.wrong("[[check]]", "this check does not say `because`", None);
        }
        Check {
            when: self.condition(check.when.as_ref()),
            filled: self.headers(&check.filled, columns),
            blank: self.headers(&check.blank, columns),
            because,
        }
    }

    fn kinds(
        &mut self,
        written: &BTreeMap<String, Entry>,
        otherwise: &Otherwise,
    ) -> (Vec<Vec<Case>>, Vec<Case>) {
        for name in written.keys() {
            if Kind::from_word(name).is_none() {
                let near = crate::mapping::nearest(name, Kind::ALL.iter().map(|kind| kind.word()));
                let help = near.map(|near| format!("did you mean `{near}`?"));
                self.wrong(name, format!("`{name}` is no kind of event"), help);
            }
        }
        let kinds = Kind::ALL
            .iter()
            .map(|kind| {
                let mut cases = Vec::new();
                if let Some(entry) = written.get(kind.word()) {
                    self.cases(entry, &Case::plain(), &mut cases);
                }
                cases
            })
            .collect();
        let mut other = Vec::new();
        for (side, entry) in sides(otherwise) {
            if let Some(entry) = entry {
                let base = Case {
                    side: Some(side),
                    ..Case::plain()
                };
                self.cases(entry, &base, &mut other);
            }
        }
        (kinds, other)
    }

    /// The cases of an entry, each with what stands around it.
    fn cases(&mut self, entry: &Entry, around: &Case, cases: &mut Vec<Case>) {
        match entry {
            Entry::Word(word) => {
                let mut case = around.clone();
                let field = self.names.columns["word"].0;
                case.words.push((field, word.clone()));
                cases.push(case);
            }
            Entry::List(list) => list
                .iter()
                .for_each(|entry| self.cases(entry, around, cases)),
            Entry::Table(table) => {
                let mut case = around.clone();
                if let Some(when) = &table.when {
                    case.when.extend(self.conditions(when));
                }
                for (name, text) in &table.words {
                    // A name that is taken was told of where the names were collected.
                    if let Some((field, ..)) = self.names.columns.get(name) {
                        case.words.push((*field, text.clone()));
                    }
                }
                case.lossy = table.lossy.clone().or(case.lossy);
                case.unconfirmed |= table.unconfirmed;
                if let Some(why) = &table.leave_out {
                    case.outcome = Outcome::LeaveOut(why.clone());
                }
                if let Some(why) = &table.refuse {
                    case.outcome = Outcome::Refuse(why.clone());
                }
                let sides = [
                    (Side::In, &table.incoming),
                    (Side::Out, &table.out),
                    (Side::Both, &table.both),
                    (Side::None, &table.none),
                ];
                let mut any = false;
                for (side, entry) in sides {
                    if let Some(entry) = entry {
                        any = true;
                        if case.side.is_some_and(|outer| outer != side) {
                            self.wrong(side.word(), "one side stands inside another", None);
                        }
                        let case = Case {
                            side: Some(side),
                            ..case.clone()
                        };
                        self.cases(entry, &case, cases);
                    }
                }
                if !any {
                    cases.push(case);
                }
            }
        }
    }
}

fn sides(otherwise: &Otherwise) -> [(Side, Option<&Entry>); 4] {
    [
        (Side::In, otherwise.incoming.as_ref()),
        (Side::Out, otherwise.out.as_ref()),
        (Side::Both, otherwise.both.as_ref()),
        (Side::None, otherwise.none.as_ref()),
    ]
}

fn collect_words(entry: &Entry, words: &mut Vec<String>) {
    match entry {
        Entry::Word(_) => {}
        Entry::List(list) => list.iter().for_each(|entry| collect_words(entry, words)),
        Entry::Table(table) => {
            words.extend(table.words.keys().cloned());
            [&table.incoming, &table.out, &table.both, &table.none]
                .into_iter()
                .flatten()
                .for_each(|entry| collect_words(entry, words));
        }
    }
}

/// Whether a name stands in an expression.
fn has_word(text: &str, name: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .any(|word| word == name)
}
