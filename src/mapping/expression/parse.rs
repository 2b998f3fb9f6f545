//! From the text of an expression, or of a leg, to its tree.

use std::ops::Range;

use super::{BinaryOp, Node, NodeKind, Problem};
use crate::model::Amount;

/// Deepest nesting of an expression: more is refused, so that no text can exhaust the stack.
const MAX_DEPTH: usize = 32;

/// Most words and signs of an expression: long chains nest too, to the left.
const MAX_TOKENS: usize = 1000;

/// The parts of a leg: `AMOUNT ASSET [@@ AMOUNT ASSET] [optional] [signed]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LegParts {
    pub amount: Node,
    /// Left out when a money column stands for both.
    pub asset: Option<Node>,
    pub value: Option<(Node, Node)>,
    pub optional: bool,
    pub signed: bool,
}

/// Reads a whole text as one expression.
pub fn parse_expression(text: &str) -> Result<Node, Problem> {
    let mut parser = Parser::new(text)?;
    let node = parser.expression()?;
    parser.end()?;
    Ok(node)
}

/// Reads a whole text as one leg.
pub fn parse_leg(text: &str) -> Result<LegParts, Problem> {
    let mut parser = Parser::new(text)?;
    let amount = parser.expression()?;
    let at_end = |parser: &Parser| {
        matches!(parser.peek(), Token::End | Token::Symbol("@@"))
            || parser.is_word("optional")
            || parser.is_word("signed")
    };
    let asset = if at_end(&parser) {
        None
    } else {
        Some(parser.expression()?)
    };
    let value = if parser.take_symbol("@@") {
        Some((parser.expression()?, parser.expression()?))
    } else {
        None
    };
    let optional = parser.take_word("optional");
    let signed = parser.take_word("signed");
    parser.end()?;
    Ok(LegParts {
        amount,
        asset,
        value,
        optional,
        signed,
    })
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A word in lower case; `true` if a `(` or `[` follows without a blank.
    Word(String, bool),
    Code(String),
    Text(String),
    Number(Amount),
    Symbol(&'static str),
    End,
}

const SYMBOLS: &[&str] = &[
    "@@", "==", "!=", "<=", ">=", "??", "<", ">", "+", "-", "*", "(", ")", "[", "]", ",", ".",
];

/// Words that are part of the language and so no columns.
const KEYWORDS: &[&str] = &[
    "and", "or", "not", "in", "is", "blank", "if", "then", "else", "optional", "signed",
];

fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, Problem> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let byte = bytes[at];
        if byte.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let token = if byte == b'\'' {
            let mut literal = String::new();
            at += 1;
            loop {
                let Some(quote) = text[at..].find('\'') else {
                    return Err(Problem::new(start..text.len(), "this text is not closed")
                        .help("close it with a `'`"));
                };
                literal.push_str(&text[at..at + quote]);
                at += quote + 1;
                if bytes.get(at) != Some(&b'\'') {
                    break;
                }
                literal.push('\'');
                at += 1;
            }
            Token::Text(literal)
        } else if byte.is_ascii_digit() {
            while at < bytes.len() && (bytes[at].is_ascii_digit() || bytes[at] == b'.') {
                at += 1;
            }
            if bytes
                .get(at)
                .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
            {
                return Err(
                    Problem::new(start..at + 1, "a word cannot begin with a digit")
                        .help("put it in single quotes: `'1INCH'`"),
                );
            }
            match Amount::parse(&bytes[start..at]) {
                Ok(amount) => Token::Number(amount),
                Err(error) => return Err(Problem::new(start..at, error.to_string())),
            }
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
                at += 1;
            }
            let word = &text[start..at];
            if word.bytes().all(|byte| !byte.is_ascii_uppercase()) {
                Token::Word(word.to_owned(), matches!(bytes.get(at), Some(b'(' | b'[')))
            } else if word.bytes().all(|byte| !byte.is_ascii_lowercase()) {
                Token::Code(word.to_owned())
            } else {
                return Err(Problem::new(
                    start..at,
                    format!("`{word}` is neither a column nor a code"),
                )
                .help(format!(
                    "columns are in lower case; write a text as '{word}'"
                )));
            }
        } else {
            match SYMBOLS
                .iter()
                .find(|symbol| text[at..].starts_with(**symbol))
            {
                Some(symbol) => {
                    at += symbol.len();
                    Token::Symbol(symbol)
                }
                None => {
                    let length = text[at..].chars().next().map_or(1, char::len_utf8);
                    return Err(Problem::new(
                        at..at + length,
                        "this sign has no meaning here",
                    ));
                }
            }
        };
        if tokens.len() == MAX_TOKENS {
            return Err(Problem::new(start..at, "this expression is too long")
                .help("derived columns can hold parts of it"));
        }
        tokens.push((token, start..at));
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn new(text: &str) -> Result<Parser, Problem> {
        Ok(Parser {
            tokens: tokens(text)?,
            at: 0,
            depth: 0,
        })
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.at].1.clone()
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].0.clone();
        if token != Token::End {
            self.at += 1;
        }
        token
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found, _) if found == word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), Problem> {
        if self.take_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{symbol}`")))
        }
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        let found = match self.peek() {
            Token::End => "the end".to_owned(),
            Token::Word(word, _) | Token::Code(word) => format!("`{word}`"),
            Token::Text(text) => format!("'{text}'"),
            Token::Number(number) => format!("`{number}`"),
            Token::Symbol(symbol) => format!("`{symbol}`"),
        };
        Problem::new(self.span(), format!("expected {wanted}, found {found}"))
    }

    fn end(&self) -> Result<(), Problem> {
        if *self.peek() == Token::End {
            Ok(())
        } else {
            Err(self.unexpected("the end"))
        }
    }

    fn node(&self, start: usize, kind: NodeKind) -> Node {
        let end = self.tokens[self.at.saturating_sub(1)].1.end;
        Node {
            kind,
            span: start..end,
        }
    }

    fn deeper(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            Err(Problem::new(self.span(), "this is nested too deeply"))
        } else {
            Ok(())
        }
    }

    fn expression(&mut self) -> Result<Node, Problem> {
        self.deeper()?;
        let start = self.span().start;
        let node = if self.take_word("if") {
            let condition = self.expression()?;
            if !self.take_word("then") {
                return Err(self.unexpected("`then`"));
            }
            let then = self.expression()?;
            let otherwise = if self.take_word("else") {
                Some(Box::new(self.expression()?))
            } else {
                None
            };
            self.node(
                start,
                NodeKind::If(Box::new(condition), Box::new(then), otherwise),
            )
        } else {
            self.binary(0)?
        };
        self.depth -= 1;
        Ok(node)
    }

    /// Operators from loosest to tightest; `not`, `in` and `is` stand between `and` and the comparisons.
    fn binary(&mut self, level: usize) -> Result<Node, Problem> {
        let start = self.span().start;
        if level == 2 && self.take_word("not") {
            self.deeper()?;
            let inner = self.binary(2)?;
            self.depth -= 1;
            return Ok(self.node(start, NodeKind::Not(Box::new(inner))));
        }
        if level == 6 {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        loop {
            if level == 2
                && let Some(test) = self.membership(start, &left)?
            {
                left = test;
                continue;
            }
            let Some(operator) = self.operator(level) else {
                return Ok(left);
            };
            let right = self.binary(level + 1)?;
            left = self.node(
                start,
                NodeKind::Binary(operator, Box::new(left), Box::new(right)),
            );
        }
    }

    fn operator(&mut self, level: usize) -> Option<BinaryOp> {
        let operator = match (level, self.peek()) {
            (0, Token::Word(word, _)) if word == "or" => BinaryOp::Or,
            (1, Token::Word(word, _)) if word == "and" => BinaryOp::And,
            (2, Token::Symbol("==")) => BinaryOp::Equal,
            (2, Token::Symbol("!=")) => BinaryOp::NotEqual,
            (2, Token::Symbol("<")) => BinaryOp::Less,
            (2, Token::Symbol("<=")) => BinaryOp::LessOrEqual,
            (2, Token::Symbol(">")) => BinaryOp::Greater,
            (2, Token::Symbol(">=")) => BinaryOp::GreaterOrEqual,
            (3, Token::Symbol("??")) => BinaryOp::Coalesce,
            (4, Token::Symbol("+")) => BinaryOp::Plus,
            (4, Token::Symbol("-")) => BinaryOp::Minus,
            (5, Token::Symbol("*")) => BinaryOp::Times,
            _ => return None,
        };
        self.at += 1;
        Some(operator)
    }

    /// `is [not] blank`, `[not] in […]`.
    fn membership(&mut self, start: usize, left: &Node) -> Result<Option<Node>, Problem> {
        if self.take_word("is") {
            let negated = self.take_word("not");
            if !self.take_word("blank") {
                return Err(self.unexpected("`blank`"));
            }
            return Ok(Some(
                self.node(start, NodeKind::IsBlank(Box::new(left.clone()), negated)),
            ));
        }
        let negated = self.is_word("not");
        let at_in = self.tokens.get(self.at + usize::from(negated));
        if !matches!(at_in, Some((Token::Word(word, _), _)) if word == "in") {
            return Ok(None);
        }
        self.at += 1 + usize::from(negated);
        self.expect("[")?;
        let items = self.list("]")?;
        Ok(Some(self.node(
            start,
            NodeKind::In(Box::new(left.clone()), items, negated),
        )))
    }

    fn list(&mut self, close: &'static str) -> Result<Vec<Node>, Problem> {
        let mut items = Vec::new();
        while !self.take_symbol(close) {
            if !items.is_empty() {
                self.expect(",")?;
                if self.take_symbol(close) {
                    break;
                }
            }
            items.push(self.expression()?);
        }
        Ok(items)
    }

    fn unary(&mut self) -> Result<Node, Problem> {
        let start = self.span().start;
        if self.take_symbol("-") {
            self.deeper()?;
            let inner = self.unary()?;
            self.depth -= 1;
            return Ok(self.node(start, NodeKind::Minus(Box::new(inner))));
        }
        let mut node = self.primary()?;
        loop {
            if self.take_symbol(".") {
                match self.next() {
                    Token::Word(field, _) => {
                        node = self.node(start, NodeKind::Field(Box::new(node), field))
                    }
                    _ => {
                        self.at -= 1;
                        return Err(self.unexpected("a name"));
                    }
                }
            } else if matches!(node.kind, NodeKind::Name(_))
                && self.adjoins()
                && self.take_symbol("[")
            {
                let index = self.expression()?;
                self.expect("]")?;
                node = self.node(start, NodeKind::Index(Box::new(node), Box::new(index)));
            } else {
                return Ok(node);
            }
        }
    }

    /// Whether the word just read is followed by a bracket without a blank.
    fn adjoins(&self) -> bool {
        matches!(
            self.tokens.get(self.at.wrapping_sub(1)),
            Some((Token::Word(_, true), _))
        )
    }

    fn primary(&mut self) -> Result<Node, Problem> {
        let start = self.span().start;
        match self.peek().clone() {
            Token::Word(word, _) if KEYWORDS.contains(&word.as_str()) => {
                Err(self.unexpected("a column, a text or a number"))
            }
            Token::Word(word, _) => {
                self.at += 1;
                if self.adjoins() && self.take_symbol("(") {
                    let arguments = self.list(")")?;
                    return Ok(self.node(start, NodeKind::Call(word, arguments)));
                }
                Ok(self.node(start, NodeKind::Name(word)))
            }
            Token::Code(text) | Token::Text(text) => {
                self.at += 1;
                Ok(self.node(start, NodeKind::Text(text)))
            }
            Token::Number(number) => {
                self.at += 1;
                Ok(self.node(start, NodeKind::Number(number)))
            }
            Token::Symbol("(") => {
                self.at += 1;
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(Node {
                    kind: inner.kind,
                    span: start..self.tokens[self.at - 1].1.end,
                })
            }
            _ => Err(self.unexpected("a column, a text or a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> String {
        fn show(node: &Node) -> String {
            match &node.kind {
                NodeKind::Name(name) => name.clone(),
                NodeKind::Text(text) => format!("'{text}'"),
                NodeKind::Number(number) => number.to_string(),
                NodeKind::Field(inner, field) => format!("{}.{field}", show(inner)),
                NodeKind::Index(inner, index) => format!("{}[{}]", show(inner), show(index)),
                NodeKind::Call(name, arguments) => {
                    format!(
                        "{name}({})",
                        arguments.iter().map(show).collect::<Vec<_>>().join(" ")
                    )
                }
                NodeKind::Not(inner) => format!("(not {})", show(inner)),
                NodeKind::Minus(inner) => format!("(- {})", show(inner)),
                NodeKind::Binary(operator, left, right) => {
                    format!("({operator:?} {} {})", show(left), show(right))
                }
                NodeKind::IsBlank(inner, negated) => format!("(blank {} {negated})", show(inner)),
                NodeKind::In(inner, items, negated) => {
                    format!("(in {} {} {negated})", show(inner), items.len())
                }
                NodeKind::If(condition, then, otherwise) => format!(
                    "(if {} {} {})",
                    show(condition),
                    show(then),
                    otherwise.as_ref().map_or("-".to_owned(), |node| show(node))
                ),
            }
        }
        parse_expression(text).map_or_else(
            |problem| format!("{}: {}", problem.span.start, problem.message),
            |node| show(&node),
        )
    }

    #[test]
    fn operators_bind_as_in_arithmetic() {
        assert_eq!(shape("a + b * c - 1"), "(Minus (Plus a (Times b c)) 1)");
        assert_eq!(
            shape("a == 1 or b != 2 and not c"),
            "(Or (Equal a 1) (And (NotEqual b 2) (not c)))"
        );
        assert_eq!(shape("x ?? -y"), "(Coalesce x (- y))");
        assert_eq!(
            shape("a + b ?? c > 0"),
            "(Greater (Coalesce (Plus a b) c) 0)"
        );
        assert_eq!(
            shape("q in ['A', B] and z not in ['C']"),
            "(And (in q 2 false) (in z 1 true))"
        );
        assert_eq!(shape("d is not blank"), "(blank d true)");
        assert_eq!(
            shape("paid ?? (if q in [USD] then v)"),
            "(Coalesce paid (if (in q 1 false) v -))"
        );
        assert_eq!(shape("match(n, 'it''s').out"), "match(n 'it's').out");
        assert_eq!(shape("amounts[pair.base]"), "amounts[pair.base]");
    }

    #[test]
    fn a_leg_has_an_amount_an_asset_and_what_it_was_worth() {
        let leg = parse_leg("(price * qty) pair.quote @@ worth USD optional").unwrap();
        assert!(leg.optional && !leg.signed && leg.asset.is_some());
        assert_eq!(leg.value.unwrap().1.kind, NodeKind::Text("USD".to_owned()));
        let leg = parse_leg("1 '1INCH'").unwrap();
        assert_eq!(leg.asset.unwrap().kind, NodeKind::Text("1INCH".to_owned()));
        assert!(parse_leg("fee_cell").unwrap().asset.is_none());
        assert!(parse_leg("qty (if a then b)").unwrap().asset.is_some());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(
            shape("a + "),
            "4: expected a column, a text or a number, found the end"
        );
        assert_eq!(shape("stETH"), "0: `stETH` is neither a column nor a code");
        assert_eq!(shape("a 'b"), "2: this text is not closed");
        assert_eq!(shape("1INCH"), "0: a word cannot begin with a digit");
        assert_eq!(shape("a ; b"), "2: this sign has no meaning here");
        let deep = "(".repeat(400) + "a" + &")".repeat(400);
        assert!(shape(&deep).contains("nested too deeply"));
        let deep = "-".repeat(500) + "a";
        assert!(shape(&deep).contains("nested too deeply"));
        let long = "a + ".repeat(100_000) + "a";
        assert!(shape(&long).contains("too long"));
        let deep = "not ".repeat(500) + "a";
        assert!(shape(&deep).contains("nested too deeply"));
    }
}
