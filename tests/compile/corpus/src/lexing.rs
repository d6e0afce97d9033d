//! A small language of discounts: read, understood and worked out, with prices that have to be asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Peekable;
use std::str::{Chars, FromStr};

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use crate::activities::{load, price, rates};

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Word(String),
    Sign(char),
    Open,
    Close,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LexError {
    Unexpected { found: char, at: usize },
    Number(String),
    Unclosed,
    End,
    Unpriced(String),
    NoFile(String),
}

impl fmt::Display for LexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { found, at } => write!(f, "unexpected `{found}` at {at}"),
            Self::Number(text) => write!(f, "`{text}` is no number"),
            Self::Unclosed => write!(f, "a bracket is not closed"),
            Self::End => write!(f, "ends too early"),
            Self::Unpriced(name) => write!(f, "`{name}` has no price"),
            Self::NoFile(path) => write!(f, "no file `{path}`"),
        }
    }
}

impl std::error::Error for LexError {}

struct Lexer<'a> {
    text: &'a str,
    chars: Peekable<Chars<'a>>,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            chars: text.chars().peekable(),
            at: 0,
        }
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.chars.next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn run(&mut self, accepts: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        while self.chars.peek().is_some_and(|next| accepts(*next)) {
            self.bump();
        }
        &self.text[start..self.at]
    }

    fn token(&mut self) -> Option<Result<Token, LexError>> {
        self.run(char::is_whitespace);
        let next = *self.chars.peek()?;
        let token = match next {
            '0'..='9' => {
                let text = self.run(|it| it.is_ascii_digit() || it == '.');
                let number = text.parse().map_err(|_| LexError::Number(text.to_owned()));
                return Some(number.map(Token::Number));
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                return Some(Ok(Token::Word(self.run(char::is_alphanumeric).to_owned())));
            }
            '(' => Token::Open,
            ')' => Token::Close,
            '+' | '-' | '*' | '/' | '%' => Token::Sign(next),
            found => return Some(Err(LexError::Unexpected { found, at: self.at })),
        };
        self.bump();
        Some(Ok(token))
    }
}

impl Iterator for Lexer<'_> {
    type Item = Result<Token, LexError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.token()
    }
}

/// An expression, as it was read.
#[derive(Debug, Clone, PartialEq)]
enum Tree {
    Number(f64),
    Name(String),
    Negated(Box<Tree>),
    Pair(char, Box<Tree>, Box<Tree>),
}

impl Tree {
    fn names<'a>(&'a self, into: &mut Vec<&'a str>) {
        match self {
            Self::Number(_) => {}
            Self::Name(name) => into.push(name),
            Self::Negated(inner) => inner.names(into),
            Self::Pair(_, left, right) => {
                for side in [left, right] {
                    side.names(into);
                }
            }
        }
    }

    fn value(&self, names: &BTreeMap<String, f64>) -> Result<f64, LexError> {
        Ok(match self {
            Self::Number(number) => *number,
            Self::Name(name) => *names
                .get(name)
                .ok_or_else(|| LexError::Unpriced(name.clone()))?,
            Self::Negated(inner) => -inner.value(names)?,
            Self::Pair(sign, left, right) => {
                let (left, right) = (left.value(names)?, right.value(names)?);
                match sign {
                    '+' => left + right,
                    '-' => left - right,
                    '*' => left * right,
                    '/' => left / right,
                    _ => left * right / 100.0,
                }
            }
        })
    }
}

struct Parser<I: Iterator<Item = Token>> {
    tokens: Peekable<I>,
}

impl<I: Iterator<Item = Token>> Parser<I> {
    fn sum(&mut self) -> Result<Tree, LexError> {
        let mut left = self.product()?;
        while let Some(Token::Sign(sign @ ('+' | '-'))) = self.tokens.peek() {
            let sign = *sign;
            self.tokens.next();
            left = Tree::Pair(sign, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Tree, LexError> {
        let mut left = self.atom()?;
        while let Some(Token::Sign(sign @ ('*' | '/' | '%'))) = self.tokens.peek() {
            let sign = *sign;
            self.tokens.next();
            left = Tree::Pair(sign, Box::new(left), Box::new(self.atom()?));
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<Tree, LexError> {
        match self.tokens.next().ok_or(LexError::End)? {
            Token::Number(number) => Ok(Tree::Number(number)),
            Token::Word(name) => Ok(Tree::Name(name)),
            Token::Sign('-') => Ok(Tree::Negated(Box::new(self.atom()?))),
            Token::Open => {
                let inner = self.sum()?;
                match self.tokens.next() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err(LexError::Unclosed),
                }
            }
            Token::Sign(_) | Token::Close => Err(LexError::End),
        }
    }
}

impl FromStr for Tree {
    type Err = LexError;

    fn from_str(text: &str) -> Result<Self, LexError> {
        let tokens = Lexer::new(text).collect::<Result<Vec<_>, _>>()?;
        let mut parser = Parser {
            tokens: tokens.into_iter().peekable(),
        };
        parser.sum()
    }
}

#[helper]
async fn looked_up(tree: &Tree) -> Result<BTreeMap<String, f64>, LexError> {
    let mut names = Vec::new();
    tree.names(&mut names);
    names.sort_unstable();
    names.dedup();
    let mut values = rates().await;
    for name in names {
        if values.contains_key(name) {
            continue;
        }
        let cents = price(name.to_owned())
            .await
            .ok_or_else(|| LexError::Unpriced(name.to_owned()))?;
        values.insert(name.to_owned(), cents as f64);
    }
    Ok(values)
}

#[orchestrator(name = "corpus.evaluate")]
pub async fn evaluate(text: String) -> Result<f64, LexError> {
    let tree: Tree = text.parse()?;
    let names = looked_up(&tree).await?;
    tree.value(&names)
}

#[orchestrator(name = "corpus.evaluate_file")]
pub async fn evaluate_file(path: String) -> Result<Vec<(String, f64)>, LexError> {
    let text = load(path.clone()).await.map_err(|_| LexError::NoFile(path))?;
    let mut results = Vec::new();
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, formula) = match line.split_once('=') {
            Some((name, formula)) => (name.trim().to_owned(), formula),
            None => (format!("line {}", number + 1), line),
        };
        let tree = Tree::from_str(formula)?;
        let mut names = looked_up(&tree).await?;
        names.extend(results.iter().cloned());
        let value = tree.value(&names)?;
        results.push((name, value));
    }
    results.sort_by(|(a, x), (b, y)| x.total_cmp(y).then_with(|| a.cmp(b)));
    Ok(results)
}

/// The same again without trees: a stack, as calculators have it.
#[orchestrator(name = "corpus.stack")]
pub async fn stack(text: String) -> Result<f64, LexError> {
    let mut stack: Vec<f64> = Vec::new();
    let mut words = text.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let value = match word {
            "+" | "-" | "*" | "/" => {
                let [.., left, right] = stack[..] else {
                    return Err(LexError::End);
                };
                stack.truncate(stack.len() - 2);
                match word.as_bytes() {
                    b"+" => left + right,
                    b"-" => left - right,
                    b"*" => left * right,
                    _ => left / right,
                }
            }
            "dup" => *stack.last().ok_or(LexError::End)?,
            "ask" => {
                let name = words.next().ok_or(LexError::End)?;
                let cents = price(name.to_owned()).await;
                cents.ok_or_else(|| LexError::Unpriced(name.to_owned()))? as f64
            }
            number => number.parse().map_err(|_| LexError::Number(number.to_owned()))?,
        };
        stack.push(value);
    }
    match stack.as_slice() {
        [] => Err(LexError::End),
        [one] => Ok(*one),
        [.., _, _] => Err(LexError::Unclosed),
    }
}

/// Bytes instead of characters: a reader of `key: value; key: value`.
#[helper]
async fn fields(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut fields = vec![];
    for field in bytes.split(|byte| *byte == b';') {
        let mut parts = field.splitn(2, |byte| *byte == b':');
        let (Some(key), Some(value)) = (parts.next(), parts.next()) else {
            continue;
        };
        let key: String = key.iter().map(|byte| char::from(*byte)).collect();
        let mut unescaped = Vec::with_capacity(value.len());
        let mut rest = value.iter();
        while let Some(byte) = rest.next() {
            match byte {
                b'\\' => unescaped.extend(rest.next()),
                other => unescaped.push(*other),
            }
        }
        fields.push((key.trim().to_owned(), unescaped));
    }
    for (_, value) in fields.iter_mut() {
        if value.first() == Some(&b' ') {
            value.remove(0);
        }
    }
    fields
}

#[orchestrator(name = "corpus.header")]
pub async fn header(path: String) -> Result<BTreeMap<String, usize>, String> {
    let text = load(path).await?;
    let mut lengths = BTreeMap::new();
    for line in text.lines() {
        let (first, rest) = line.split_at(line.find(' ').unwrap_or(line.len()));
        for (key, value) in fields(rest.as_bytes()).await {
            let name = if first.is_empty() { key } else { format!("{first}.{key}") };
            *lengths.entry(name).or_insert(0) += value.len();
        }
    }
    Ok(lengths)
}
