//! Expressions of the mapping language: text → tree → checked expression.
//!
//! Comes in: the text of an expression or of a leg. Goes out: an [`Expr`] whose types fit, ready to be run over rows by
//! `convert`. Nothing here sees a row.

mod check;
mod parse;

pub use check::{
    CellType, Expr, Function, Names, Operator, Part, Type, Typed, check, check_as, nearest,
    template,
};
pub use parse::{parse_expression, parse_leg};

use std::ops::Range;

use crate::model::Amount;

/// What is wrong with an expression, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Bytes of the expression's text.
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}

impl Problem {
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem {
            span,
            message: message.into(),
            help: None,
        }
    }

    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }
}

/// A tree as it is written, before names and types are known.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub kind: NodeKind,
    pub span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// A word in lower case: a column, a derived column, a capture.
    Name(String),
    /// A literal text, or a word in upper case.
    Text(String),
    Number(Amount),
    Field(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    Call(String, Vec<Node>),
    Not(Box<Node>),
    Minus(Box<Node>),
    Binary(BinaryOp, Box<Node>, Box<Node>),
    IsBlank(Box<Node>, bool),
    In(Box<Node>, Vec<Node>, bool),
    If(Box<Node>, Box<Node>, Option<Box<Node>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Coalesce,
    Plus,
    Minus,
    Times,
}
