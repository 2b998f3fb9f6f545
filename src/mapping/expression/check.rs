//! From the tree of an expression to a checked one: every name known, every type fitting.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use regex::bytes::Regex;

use super::{BinaryOp, Node, NodeKind, Problem, parse_expression};
use crate::mapping::cell::{AmountReader, MoneyReader, PairReader};
use crate::model::Amount;

/// Largest compiled size of a pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// What the cells of a column are, as far as expressions care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    Text,
    Asset,
    Amount,
    Time,
    Money,
    Pair,
}

/// The type of an expression's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Text,
    /// A text that is the code of an asset, already put through the alias tables.
    Asset,
    Amount,
    Time,
    Truth,
}

impl Type {
    fn noun(self) -> &'static str {
        match self {
            Type::Text => "a text",
            Type::Asset => "an asset",
            Type::Amount => "an amount",
            Type::Time => "a time",
            Type::Truth => "true or false",
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Type::Text | Type::Asset)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Abs,
    Negate,
    Min,
    Max,
    Add,
    Subtract,
    Multiply,
    Divide,
    Round,
    Join,
    Trim,
    Upper,
    Lower,
    Replace,
    Before,
    After,
    Contains,
    Starts,
    Ends,
    Length,
    /// An amount as its plain decimal text.
    Text,
}

/// Which half of a money cell or of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Amount,
    Asset,
    Base,
    Quote,
}

/// A checked expression. Columns, derived columns and captures are numbers of the program that it belongs to.
#[derive(Debug, Clone)]
pub enum Expr {
    Text(Box<[u8]>),
    Number(Amount),
    /// A cell, read as the column's type says.
    Cell(usize),
    /// One half of a money or pair cell.
    CellPart(usize, Part),
    Derived(usize),
    Capture(usize),
    FileName,
    /// The asset that the person said the file is about.
    GivenAsset,
    Sheet,
    /// The cell of a family's column that the key names.
    Family(usize, Box<Expr>),
    Compare(Operator, Box<Expr>, Box<Expr>),
    OneOf(Box<Expr>, Vec<Box<[u8]>>, bool),
    OneOfAmounts(Box<Expr>, Vec<Amount>, bool),
    IsBlank(Box<Expr>, bool),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    Coalesce(Box<Expr>, Box<Expr>),
    Call(Function, Vec<Expr>),
    Matches(Box<Expr>, Arc<Regex>),
    Group(Box<Expr>, Arc<Regex>, usize),
    ReadAmount(Box<Expr>, Arc<AmountReader>),
    ReadMoney(Box<Expr>, Arc<MoneyReader>, Part),
    ReadPair(Box<Expr>, Arc<PairReader>, Part),
    ReadAsset(Box<Expr>),
    Own(Box<Expr>),
    Present(usize),
}

impl Expr {
    /// Calls back with this expression and every part of it. Derived columns are not followed.
    pub fn walk<'e>(&'e self, each: &mut dyn FnMut(&'e Expr)) {
        each(self);
        match self {
            Expr::Text(_)
            | Expr::Number(_)
            | Expr::Cell(_)
            | Expr::CellPart(..)
            | Expr::Derived(_)
            | Expr::Capture(_)
            | Expr::FileName
            | Expr::GivenAsset
            | Expr::Sheet
            | Expr::Present(_) => {}
            Expr::Family(_, inner)
            | Expr::OneOf(inner, ..)
            | Expr::OneOfAmounts(inner, ..)
            | Expr::IsBlank(inner, _)
            | Expr::Not(inner)
            | Expr::Matches(inner, _)
            | Expr::Group(inner, ..)
            | Expr::ReadAmount(inner, _)
            | Expr::ReadMoney(inner, ..)
            | Expr::ReadPair(inner, ..)
            | Expr::ReadAsset(inner)
            | Expr::Own(inner) => inner.walk(each),
            Expr::Compare(_, left, right)
            | Expr::And(left, right)
            | Expr::Or(left, right)
            | Expr::Coalesce(left, right) => {
                left.walk(each);
                right.walk(each);
            }
            Expr::If(condition, then, otherwise) => {
                condition.walk(each);
                then.walk(each);
                if let Some(otherwise) = otherwise {
                    otherwise.walk(each);
                }
            }
            Expr::Call(_, arguments) => arguments.iter().for_each(|argument| argument.walk(each)),
        }
    }
}

/// An expression with its type; money, pairs and matches have parts instead of a value.
#[derive(Debug, Clone)]
pub enum Typed {
    Value(Expr, Type),
    Captures(Expr, Arc<Regex>),
    Money(MoneySource),
    Pair(PairSource),
}

#[derive(Debug, Clone)]
pub enum MoneySource {
    Cell(usize),
    Text(Expr, Arc<MoneyReader>),
}

#[derive(Debug, Clone)]
pub enum PairSource {
    Cell(usize),
    Text(Expr, Arc<PairReader>),
}

/// The names that an expression may use.
#[derive(Debug, Default)]
pub struct Names {
    /// Name → number, type, whether it is a family.
    pub columns: BTreeMap<String, (usize, CellType, bool)>,
    /// Name → number, and what it was checked to be.
    pub derived: BTreeMap<String, (usize, Typed)>,
    pub captures: BTreeMap<String, usize>,
    /// Derived columns that are being checked now: using one of them would never end.
    pub pending: Vec<String>,
    pub has_own: bool,
    /// Whether an expression that was checked uses the name of the file.
    pub uses_file_name: Cell<bool>,
}

/// Checks an expression, whatever its type.
pub fn check(node: &Node, names: &Names) -> Result<Typed, Problem> {
    Checker { names }.typed(node)
}

/// Checks an expression that must be of one type. A match may stand for true or false, an asset for a text and the other way round.
pub fn check_as(node: &Node, names: &Names, wanted: Type) -> Result<Expr, Problem> {
    Checker { names }.value_of(node, wanted)
}

/// A text with expressions in braces, `Example/{wallet}`: its literal and its computed parts, in order.
pub fn template(text: &str, names: &Names) -> Result<Vec<Expr>, Problem> {
    let mut parts = Vec::new();
    let mut rest = text;
    let mut offset = 0;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}').map(|close| open + close) else {
            return Err(Problem::new(
                offset + open..text.len(),
                "this brace is not closed",
            ));
        };
        if open > 0 {
            parts.push(Expr::Text(rest.as_bytes()[..open].into()));
        }
        let shift = offset + open + 1;
        let inner = parse_expression(&rest[open + 1..close])
            .and_then(|node| check_as(&node, names, Type::Text))
            .map_err(|problem| Problem {
                span: problem.span.start + shift..problem.span.end + shift,
                ..problem
            })?;
        parts.push(inner);
        offset += close + 1;
        rest = &rest[close + 1..];
    }
    if !rest.is_empty() {
        parts.push(Expr::Text(rest.as_bytes().into()));
    }
    Ok(parts)
}

struct Checker<'n> {
    names: &'n Names,
}

impl Checker<'_> {
    fn value(&self, node: &Node) -> Result<(Expr, Type), Problem> {
        match self.typed(node)? {
            Typed::Value(expr, kind) => Ok((expr, kind)),
            Typed::Captures(subject, regex) => {
                Ok((Expr::Matches(Box::new(subject), regex), Type::Truth))
            }
            Typed::Money(_) => Err(Problem::new(
                node.span.clone(),
                "this is an amount and its asset in one",
            )
            .help("write `.amount` or `.asset` behind it")),
            Typed::Pair(_) => Err(Problem::new(node.span.clone(), "this is a pair of assets")
                .help("write `.base` or `.quote` behind it")),
        }
    }

    fn value_of(&self, node: &Node, wanted: Type) -> Result<Expr, Problem> {
        let (expr, found) = self.value(node)?;
        fitting(expr, found, wanted, &node.span)
    }

    fn typed(&self, node: &Node) -> Result<Typed, Problem> {
        let value = |expr, kind| Ok(Typed::Value(expr, kind));
        match &node.kind {
            NodeKind::Text(text) => value(Expr::Text(text.as_bytes().into()), Type::Text),
            NodeKind::Number(number) => value(Expr::Number(*number), Type::Amount),
            NodeKind::Name(name) => self.name(name, &node.span),
            NodeKind::Field(inner, field) => self.field(inner, field, &node.span),
            NodeKind::Index(inner, index) => self.family(inner, index),
            NodeKind::Call(name, arguments) => self.call(name, arguments, &node.span),
            NodeKind::Not(inner) => {
                let inner = self.value_of(inner, Type::Truth)?;
                value(Expr::Not(Box::new(inner)), Type::Truth)
            }
            NodeKind::Minus(inner) => {
                let inner = self.value_of(inner, Type::Amount)?;
                value(Expr::Call(Function::Negate, vec![inner]), Type::Amount)
            }
            NodeKind::IsBlank(inner, negated) => value(
                Expr::IsBlank(Box::new(self.blankable(inner)?), *negated),
                Type::Truth,
            ),
            NodeKind::In(inner, items, negated) => self.one_of(inner, items, *negated),
            NodeKind::If(condition, then, otherwise) => {
                let condition = self.value_of(condition, Type::Truth)?;
                let (then, kind) = self.value(then)?;
                let otherwise = match otherwise {
                    Some(node) => Some(Box::new(self.value_of(node, kind)?)),
                    None => None,
                };
                value(
                    Expr::If(Box::new(condition), Box::new(then), otherwise),
                    kind,
                )
            }
            NodeKind::Binary(operator, left, right) => self.binary(*operator, left, right),
        }
    }

    /// What `is blank` may ask: also a money or pair cell, and a match (blank if it fails).
    fn blankable(&self, node: &Node) -> Result<Expr, Problem> {
        Ok(match self.typed(node)? {
            Typed::Money(MoneySource::Cell(column)) => Expr::CellPart(column, Part::Amount),
            Typed::Pair(PairSource::Cell(column)) => Expr::CellPart(column, Part::Base),
            _ => self.value(node)?.0,
        })
    }

    fn name(&self, name: &str, span: &Range<usize>) -> Result<Typed, Problem> {
        if let Some((index, kind, family)) = self.names.columns.get(name) {
            if *family {
                return Err(
                    Problem::new(span.clone(), format!("`{name}` is a family of columns"))
                        .help(format!("say which: `{name}[asset]`")),
                );
            }
            return Ok(match kind {
                CellType::Text => Typed::Value(Expr::Cell(*index), Type::Text),
                CellType::Asset => Typed::Value(Expr::Cell(*index), Type::Asset),
                CellType::Amount => Typed::Value(Expr::Cell(*index), Type::Amount),
                CellType::Time => Typed::Value(Expr::Cell(*index), Type::Time),
                CellType::Money => Typed::Money(MoneySource::Cell(*index)),
                CellType::Pair => Typed::Pair(PairSource::Cell(*index)),
            });
        }
        if let Some((index, typed)) = self.names.derived.get(name) {
            return Ok(match typed {
                Typed::Value(_, kind) => Typed::Value(Expr::Derived(*index), *kind),
                composite => composite.clone(),
            });
        }
        if let Some(index) = self.names.captures.get(name) {
            return Ok(Typed::Value(Expr::Capture(*index), Type::Text));
        }
        match name {
            "file_name" => {
                self.names.uses_file_name.set(true);
                return Ok(Typed::Value(Expr::FileName, Type::Text));
            }
            "given_asset" => return Ok(Typed::Value(Expr::GivenAsset, Type::Asset)),
            "sheet" => return Ok(Typed::Value(Expr::Sheet, Type::Text)),
            _ => {}
        }
        if self.names.pending.iter().any(|pending| pending == name) {
            return Err(Problem::new(
                span.clone(),
                format!("`{name}` is made from itself"),
            ));
        }
        let problem = Problem::new(span.clone(), format!("there is no column `{name}`"));
        let known = self
            .names
            .columns
            .keys()
            .chain(self.names.derived.keys())
            .chain(self.names.captures.keys());
        Err(match nearest(name, known.map(String::as_str)) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("name it under [columns] or [derive]"),
        })
    }

    fn field(&self, inner: &Node, field: &str, span: &Range<usize>) -> Result<Typed, Problem> {
        let unknown = |known: &str| {
            Problem::new(span.clone(), format!("there is no `.{field}` here"))
                .help(format!("there is {known}"))
        };
        match self.typed(inner)? {
            Typed::Captures(subject, regex) => {
                match regex.capture_names().position(|name| name == Some(field)) {
                    Some(group) => Ok(Typed::Value(
                        Expr::Group(Box::new(subject), regex, group),
                        Type::Text,
                    )),
                    None => {
                        let known: Vec<String> = regex
                            .capture_names()
                            .flatten()
                            .map(|name| format!("`.{name}`"))
                            .collect();
                        Err(unknown(&known.join(", ")))
                    }
                }
            }
            Typed::Money(source) => {
                let (part, kind) = match field {
                    "amount" => (Part::Amount, Type::Amount),
                    "asset" => (Part::Asset, Type::Asset),
                    _ => return Err(unknown("`.amount` and `.asset`")),
                };
                Ok(Typed::Value(
                    match source {
                        MoneySource::Cell(column) => Expr::CellPart(column, part),
                        MoneySource::Text(text, reader) => {
                            Expr::ReadMoney(Box::new(text), reader, part)
                        }
                    },
                    kind,
                ))
            }
            Typed::Pair(source) => {
                let part = match field {
                    "base" => Part::Base,
                    "quote" => Part::Quote,
                    _ => return Err(unknown("`.base` and `.quote`")),
                };
                Ok(Typed::Value(
                    match source {
                        PairSource::Cell(column) => Expr::CellPart(column, part),
                        PairSource::Text(text, reader) => {
                            Expr::ReadPair(Box::new(text), reader, part)
                        }
                    },
                    Type::Asset,
                ))
            }
            Typed::Value(_, kind) => Err(Problem::new(
                span.clone(),
                format!("{} has no parts", kind.noun()),
            )),
        }
    }

    fn family(&self, inner: &Node, index: &Node) -> Result<Typed, Problem> {
        let NodeKind::Name(name) = &inner.kind else {
            return Err(Problem::new(
                inner.span.clone(),
                "only a family of columns is asked for one of them",
            ));
        };
        match self.names.columns.get(name) {
            Some((column, kind, true)) => {
                let key = Box::new(self.value_of(index, Type::Text)?);
                match kind {
                    CellType::Text => Ok(Typed::Value(Expr::Family(*column, key), Type::Text)),
                    CellType::Asset => Ok(Typed::Value(Expr::Family(*column, key), Type::Asset)),
                    CellType::Amount => Ok(Typed::Value(Expr::Family(*column, key), Type::Amount)),
                    CellType::Time => Ok(Typed::Value(Expr::Family(*column, key), Type::Time)),
                    CellType::Money | CellType::Pair => Err(Problem::new(
                        inner.span.clone(),
                        "a family cannot be of money or pairs",
                    )
                    .help("make it of amounts, with `strip`")),
                }
            }
            Some(_) => Err(Problem::new(
                inner.span.clone(),
                format!("`{name}` is one column, not a family"),
            )),
            None => self.name(name, &inner.span),
        }
    }

    fn one_of(&self, inner: &Node, items: &[Node], negated: bool) -> Result<Typed, Problem> {
        let (subject, kind) = self.value(inner)?;
        let subject = Box::new(subject);
        let test = match kind {
            Type::Amount => {
                let numbers = items.iter().map(|item| match item.kind {
                    NodeKind::Number(number) => Ok(number),
                    _ => Err(Problem::new(
                        item.span.clone(),
                        "this must be a number, as what it is compared with",
                    )),
                });
                Expr::OneOfAmounts(subject, numbers.collect::<Result<_, _>>()?, negated)
            }
            Type::Text | Type::Asset => {
                let texts = items.iter().map(|item| match &item.kind {
                    NodeKind::Text(text) => Ok(text.as_bytes().into()),
                    _ => Err(
                        Problem::new(item.span.clone(), "a list holds texts or codes only")
                            .help("put it in single quotes, or compare with `==`"),
                    ),
                });
                Expr::OneOf(subject, texts.collect::<Result<_, _>>()?, negated)
            }
            Type::Time | Type::Truth => {
                return Err(Problem::new(
                    inner.span.clone(),
                    format!("{} cannot be looked up in a list", kind.noun()),
                ));
            }
        };
        Ok(Typed::Value(test, Type::Truth))
    }

    fn binary(&self, operator: BinaryOp, left: &Node, right: &Node) -> Result<Typed, Problem> {
        let value = |expr, kind| Ok(Typed::Value(expr, kind));
        match operator {
            BinaryOp::And | BinaryOp::Or => {
                let left = Box::new(self.value_of(left, Type::Truth)?);
                let right = Box::new(self.value_of(right, Type::Truth)?);
                let expr = if operator == BinaryOp::And {
                    Expr::And(left, right)
                } else {
                    Expr::Or(left, right)
                };
                value(expr, Type::Truth)
            }
            BinaryOp::Coalesce => {
                let (left, kind) = self.value(left)?;
                let right = self.value_of(right, kind)?;
                value(Expr::Coalesce(Box::new(left), Box::new(right)), kind)
            }
            BinaryOp::Plus | BinaryOp::Minus | BinaryOp::Times => {
                let (first, kind) = self.value(left)?;
                if operator == BinaryOp::Plus && kind.is_text() {
                    let second = self.value_of(right, Type::Text)?;
                    return value(Expr::Call(Function::Join, vec![first, second]), Type::Text);
                }
                let first = fitting(first, kind, Type::Amount, &left.span)?;
                let arguments = vec![first, self.value_of(right, Type::Amount)?];
                let function = match operator {
                    BinaryOp::Plus => Function::Add,
                    BinaryOp::Minus => Function::Subtract,
                    _ => Function::Multiply,
                };
                value(Expr::Call(function, arguments), Type::Amount)
            }
            _ => self.compare(operator, left, right),
        }
    }

    fn compare(&self, operator: BinaryOp, left: &Node, right: &Node) -> Result<Typed, Problem> {
        let operator = match operator {
            BinaryOp::Equal => Operator::Equal,
            BinaryOp::NotEqual => Operator::NotEqual,
            BinaryOp::Less => Operator::Less,
            BinaryOp::LessOrEqual => Operator::LessOrEqual,
            BinaryOp::Greater => Operator::Greater,
            _ => Operator::GreaterOrEqual,
        };
        // `x == ''` asks whether x is blank, whatever its type.
        if matches!(operator, Operator::Equal | Operator::NotEqual)
            && matches!(&right.kind, NodeKind::Text(text) if text.is_empty())
        {
            let blank = Expr::IsBlank(
                Box::new(self.blankable(left)?),
                operator == Operator::NotEqual,
            );
            return Ok(Typed::Value(blank, Type::Truth));
        }
        let (first, kind) = self.value(left)?;
        if kind == Type::Truth {
            return Err(
                Problem::new(left.span.clone(), "true or false need no comparison")
                    .help("use it as it is, or `not`"),
            );
        }
        let second = self.value_of(right, kind)?;
        Ok(Typed::Value(
            Expr::Compare(operator, Box::new(first), Box::new(second)),
            Type::Truth,
        ))
    }

    fn call(&self, name: &str, arguments: &[Node], span: &Range<usize>) -> Result<Typed, Problem> {
        use Type::{Amount, Text, Truth};
        let simple: Option<(Function, &[Type], Type)> = match name {
            "abs" => Some((Function::Abs, &[Amount], Amount)),
            "neg" => Some((Function::Negate, &[Amount], Amount)),
            "min" => Some((Function::Min, &[Amount, Amount], Amount)),
            "max" => Some((Function::Max, &[Amount, Amount], Amount)),
            "div" => Some((Function::Divide, &[Amount, Amount, Amount], Amount)),
            "round" => Some((Function::Round, &[Amount, Amount], Amount)),
            "trim" => Some((Function::Trim, &[Text], Text)),
            "upper" => Some((Function::Upper, &[Text], Text)),
            "lower" => Some((Function::Lower, &[Text], Text)),
            "replace" => Some((Function::Replace, &[Text, Text, Text], Text)),
            "before" => Some((Function::Before, &[Text, Text], Text)),
            "after" => Some((Function::After, &[Text, Text], Text)),
            "contains" => Some((Function::Contains, &[Text, Text], Truth)),
            "starts" => Some((Function::Starts, &[Text, Text], Truth)),
            "ends" => Some((Function::Ends, &[Text, Text], Truth)),
            "length" => Some((Function::Length, &[Text], Amount)),
            "text" => Some((Function::Text, &[Amount], Text)),
            _ => None,
        };
        let count = |wanted: Range<usize>| {
            if wanted.contains(&arguments.len()) {
                Ok(())
            } else {
                let many = if wanted.len() == 1 {
                    wanted.start.to_string()
                } else {
                    format!("{} or {}", wanted.start, wanted.end - 1)
                };
                Err(Problem::new(
                    span.clone(),
                    format!("`{name}` takes {many} things, not {}", arguments.len()),
                ))
            }
        };
        if let Some((function, wanted, result)) = simple {
            count(wanted.len()..wanted.len() + 1)?;
            if matches!(function, Function::Divide | Function::Round) {
                let digits = arguments.last().expect("counted");
                if !matches!(digits.kind, NodeKind::Number(number) if number.scale() == 0 && (0..=38).contains(&number.mantissa()))
                {
                    return Err(Problem::new(
                        digits.span.clone(),
                        "the digits must be a whole number from 0 to 38",
                    ));
                }
            }
            let checked: Result<Vec<Expr>, Problem> = arguments
                .iter()
                .zip(wanted)
                .map(|(argument, kind)| self.value_of(argument, *kind))
                .collect();
            return Ok(Typed::Value(Expr::Call(function, checked?), result));
        }
        match name {
            "match" => {
                count(2..3)?;
                let subject = self.value_of(&arguments[0], Text)?;
                let pattern = literal(&arguments[1], "the pattern")?;
                let regex = regex::bytes::RegexBuilder::new(pattern)
                    .size_limit(MAX_PATTERN_BYTES)
                    .build();
                let regex = regex.map_err(|error| {
                    Problem::new(
                        arguments[1].span.clone(),
                        format!("this is no pattern: {}", last_line(&error.to_string())),
                    )
                })?;
                Ok(Typed::Captures(subject, Arc::new(regex)))
            }
            "amount" => {
                count(1..3)?;
                let subject = Box::new(self.value_of(&arguments[0], Text)?);
                let reader = Arc::new(AmountReader {
                    group: group_mark(arguments.get(1))?,
                    ..AmountReader::default()
                });
                Ok(Typed::Value(Expr::ReadAmount(subject, reader), Amount))
            }
            "money" => {
                count(1..3)?;
                let subject = self.value_of(&arguments[0], Text)?;
                let amounts = AmountReader {
                    group: group_mark(arguments.get(1))?,
                    ..AmountReader::default()
                };
                Ok(Typed::Money(MoneySource::Text(
                    subject,
                    Arc::new(MoneyReader::new(amounts, Vec::new(), Vec::new())),
                )))
            }
            "pair" => {
                count(2..3)?;
                let subject = self.value_of(&arguments[0], Text)?;
                let separator = literal(&arguments[1], "the separator")?.to_owned();
                let reader = PairReader::new(vec![separator], Vec::new(), Vec::new(), false, None)
                    .map_err(|message| Problem::new(arguments[1].span.clone(), message))?;
                Ok(Typed::Pair(PairSource::Text(subject, Arc::new(reader))))
            }
            "asset" => {
                count(1..2)?;
                let subject = Box::new(self.value_of(&arguments[0], Text)?);
                Ok(Typed::Value(Expr::ReadAsset(subject), Type::Asset))
            }
            "own" => {
                count(1..2)?;
                if !self.names.has_own {
                    return Err(Problem::new(
                        span.clone(),
                        "the mapping does not say whose history this is",
                    )
                    .help("add an [own] table"));
                }
                let subject = Box::new(self.value_of(&arguments[0], Text)?);
                Ok(Typed::Value(Expr::Own(subject), Truth))
            }
            "present" => {
                count(1..2)?;
                match &arguments[0].kind {
                    NodeKind::Name(column) if self.names.columns.contains_key(column) => Ok(
                        Typed::Value(Expr::Present(self.names.columns[column].0), Truth),
                    ),
                    _ => Err(Problem::new(
                        arguments[0].span.clone(),
                        "this must be the name of a column",
                    )),
                }
            }
            _ => {
                const KNOWN: &[&str] = &[
                    "abs", "neg", "min", "max", "div", "round", "trim", "upper", "lower",
                    "replace", "before", "after", "contains", "starts", "ends", "length", "text",
                    "match", "amount", "money", "pair", "asset", "own", "present",
                ];
                let problem = Problem::new(span.clone(), format!("there is no function `{name}`"));
                Err(match nearest(name, KNOWN.iter().copied()) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem,
                })
            }
        }
    }
}

/// An expression whose type is known, where another may be wanted.
fn fitting(expr: Expr, found: Type, wanted: Type, span: &Range<usize>) -> Result<Expr, Problem> {
    if found == wanted || (found.is_text() && wanted.is_text()) {
        return Ok(expr);
    }
    let message = format!("this is {}, and must be {}", found.noun(), wanted.noun());
    let problem = Problem::new(span.clone(), message);
    Err(match wanted {
        Type::Amount if found.is_text() => {
            problem.help("give the column `type = \"amount\"`, or read the text with `amount(…)`")
        }
        Type::Truth => problem.help("compare it: `x == 'text'`, `x > 0`, `x is not blank`"),
        _ => problem,
    })
}

fn literal<'a>(node: &'a Node, what: &str) -> Result<&'a str, Problem> {
    match &node.kind {
        NodeKind::Text(text) => Ok(text),
        _ => Err(
            Problem::new(node.span.clone(), format!("{what} must be a literal text"))
                .help("put it in single quotes"),
        ),
    }
}

fn group_mark(node: Option<&Node>) -> Result<Option<char>, Problem> {
    let Some(node) = node else { return Ok(None) };
    let mut signs = literal(node, "the thousands mark")?.chars();
    match (signs.next(), signs.next()) {
        (Some(sign), None) if !sign.is_ascii_digit() && sign != '.' => Ok(Some(sign)),
        _ => Err(Problem::new(
            node.span.clone(),
            "a thousands mark is one sign, such as ','",
        )),
    }
}

fn last_line(text: &str) -> &str {
    text.lines()
        .last()
        .unwrap_or(text)
        .trim_start_matches("error: ")
}

/// The known name that a misspelt one most likely means.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(name.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::default();
        for (index, (name, kind)) in [
            ("qty", CellType::Amount),
            ("coin", CellType::Asset),
            ("notes", CellType::Text),
            ("time", CellType::Time),
            ("fee_cell", CellType::Money),
            ("market", CellType::Pair),
        ]
        .into_iter()
        .enumerate()
        {
            names.columns.insert(name.to_owned(), (index, kind, false));
        }
        names
            .columns
            .insert("amounts".to_owned(), (6, CellType::Amount, true));
        names
    }

    fn outcome(text: &str) -> String {
        match parse_expression(text).and_then(|node| check(&node, &names())) {
            Ok(Typed::Value(_, kind)) => kind.noun().to_owned(),
            Ok(other) => format!("{other:?}").chars().take(5).collect(),
            Err(problem) => format!("{} [{}]", problem.message, problem.help.unwrap_or_default()),
        }
    }

    #[test]
    fn types_are_found_and_must_fit() {
        assert_eq!(outcome("qty * 2 + 1"), "an amount");
        assert_eq!(outcome("coin + '/' + notes"), "a text");
        assert_eq!(outcome("qty > 0 and coin in [BTC, 'ETH']"), "true or false");
        assert_eq!(outcome("match(notes, '(?<a>x)').a"), "a text");
        assert_eq!(outcome("match(notes, 'x') or qty == ''"), "true or false");
        assert_eq!(outcome("fee_cell.asset"), "an asset");
        assert_eq!(outcome("amounts[market.base]"), "an amount");
        assert_eq!(outcome("if qty > 0 then qty"), "an amount");
        assert_eq!(outcome("amount(notes, ',')"), "an amount");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_help() {
        assert_eq!(
            outcome("qyt"),
            "there is no column `qyt` [did you mean `qty`?]"
        );
        assert_eq!(
            outcome("notes * 2"),
            "this is a text, and must be an amount [give the column `type = \"amount\"`, or read the text with `amount(…)`]"
        );
        assert_eq!(
            outcome("qty and time"),
            "this is an amount, and must be true or false [compare it: `x == 'text'`, `x > 0`, `x is not blank`]"
        );
        assert_eq!(outcome("fee_cell"), "Money");
        assert_eq!(
            outcome("fee_cell + 1"),
            "this is an amount and its asset in one [write `.amount` or `.asset` behind it]"
        );
        assert_eq!(
            outcome("match(notes, '(').a"),
            "this is no pattern: unclosed group []"
        );
        assert_eq!(
            outcome("match(notes, '(?<a>x)').b"),
            "there is no `.b` here [there is `.a`]"
        );
        assert_eq!(
            outcome("amounts"),
            "`amounts` is a family of columns [say which: `amounts[asset]`]"
        );
        assert_eq!(outcome("div(qty, 3)"), "`div` takes 3 things, not 2 []");
        assert_eq!(
            outcome("div(qty, 3, 99)"),
            "the digits must be a whole number from 0 to 38 []"
        );
        assert_eq!(
            outcome("contians(notes, 'a')"),
            "there is no function `contians` [did you mean `contains`?]"
        );
        assert_eq!(
            outcome("own(notes)"),
            "the mapping does not say whose history this is [add an [own] table]"
        );
        assert_eq!(
            outcome("qty == 'a'"),
            "this is a text, and must be an amount [give the column `type = \"amount\"`, or read the text with `amount(…)`]"
        );
    }
}
