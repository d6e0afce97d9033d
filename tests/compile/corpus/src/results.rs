//! Errors of every kind: converted, collected, ignored on purpose, passed on.

use std::error::Error as StdError;
use std::fmt;
use std::num::{ParseFloatError, ParseIntError};

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use crate::activities::{PaymentError, charge, load, refund, reserve, store};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImportError {
    Missing(String),
    Line { number: usize, why: String },
    Payment(PaymentError),
    Fault(String),
    Many(Vec<ImportError>),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "no file `{path}`"),
            Self::Line { number, why } => write!(f, "line {number}: {why}"),
            Self::Payment(error) => error.fmt(f),
            Self::Fault(text) => f.write_str(text),
            Self::Many(errors) => {
                for (at, error) in errors.iter().enumerate() {
                    if at > 0 {
                        f.write_str("; ")?;
                    }
                    write!(f, "{error}")?;
                }
                Ok(())
            }
        }
    }
}

impl StdError for ImportError {}

impl From<PaymentError> for ImportError {
    fn from(error: PaymentError) -> Self {
        Self::Payment(error)
    }
}

impl From<Fault> for ImportError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.to_string())
    }
}

#[derive(Debug)]
enum LineError {
    Count(ParseIntError),
    Weight(ParseFloatError),
    Short(usize),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(error) => write!(f, "count: {error}"),
            Self::Weight(error) => write!(f, "weight: {error}"),
            Self::Short(columns) => write!(f, "{columns} columns"),
        }
    }
}

impl From<ParseIntError> for LineError {
    fn from(error: ParseIntError) -> Self {
        Self::Count(error)
    }
}

impl From<ParseFloatError> for LineError {
    fn from(error: ParseFloatError) -> Self {
        Self::Weight(error)
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    sku: String,
    count: u32,
    weight: f64,
}

fn row(line: &str) -> Result<Row, LineError> {
    let columns: Vec<&str> = line.split(',').map(str::trim).collect();
    let &[sku, count, weight] = columns.as_slice() else {
        return Err(LineError::Short(columns.len()));
    };
    Ok(Row {
        sku: sku.to_owned(),
        count: count.parse()?,
        weight: weight.parse()?,
    })
}

#[orchestrator(name = "corpus.import")]
pub async fn import(path: String) -> Result<u64, ImportError> {
    let text = load(path.clone()).await.map_err(|_| ImportError::Missing(path))?;
    let (rows, errors): (Vec<_>, Vec<_>) = text
        .lines()
        .zip(1..)
        .map(|(line, number)| {
            row(line).map_err(|error| ImportError::Line {
                number,
                why: error.to_string(),
            })
        })
        .partition(Result::is_ok);
    if !errors.is_empty() {
        return Err(ImportError::Many(errors.into_iter().filter_map(Result::err).collect()));
    }
    let mut sum = 0;
    for row in rows.into_iter().flatten() {
        let Row { sku, count, weight } = row;
        sum += match reserve(sku, count).await {
            Ok(reserved) => reserved,
            Err(_) if weight > 100.0 => continue,
            Err(why) => return Err(ImportError::Fault(why)),
        };
    }
    Ok(sum)
}

#[orchestrator(name = "corpus.fallbacks")]
pub async fn fallbacks(paths: Vec<String>) -> Result<String, Vec<String>> {
    let mut errors = Vec::new();
    for path in &paths {
        match load(path.clone()).await {
            Ok(text) if text.is_empty() => errors.push(format!("{path} is empty")),
            Ok(text) => return Ok(text),
            Err(error) => errors.push(error),
        }
    }
    let backup = load("backup".to_owned()).await.or_else(|_| {
        errors.last().cloned().ok_or_else(|| "nothing was asked for".to_owned())
    });
    backup.map_err(|last| {
        errors.push(last);
        errors
    })
}

#[orchestrator(name = "corpus.dynamic_errors")]
pub async fn dynamic_errors(path: String) -> Result<f64, Error> {
    let text = load(path).await.map_err(Error::msg)?;
    let number: f64 = text.trim().parse()?;
    if number < 0.0 {
        return Err(ImportError::Fault("less than nothing".to_owned()).into());
    }
    let rows: Vec<f64> = text.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    Ok(rows.iter().fold(number, |all, it| all.max(*it)))
}

#[helper]
async fn checked(text: &str) -> Result<u32, Box<dyn StdError>> {
    let first = text.split(' ').next().ok_or("no first word")?;
    let number = u32::from_str_radix(first, 16)?;
    store("checked".to_owned(), number.to_string()).await?;
    if number == 0 { Err("zero")? } else { Ok(number) }
}

#[helper]
async fn optional(text: &str) -> Option<(u32, char)> {
    let (name, rest) = text.split_once(':')?;
    let first = name.chars().next()?;
    let loaded = load(rest.to_owned()).await.ok()?;
    let number = loaded.lines().last()?.parse().ok()?;
    (number > 0).then_some((number, first))
}

#[orchestrator(name = "corpus.nested")]
pub async fn nested(texts: Vec<String>) -> Result<Option<u32>, String> {
    let mut best = None;
    for text in texts.iter() {
        let found = async {
            let (number, letter) = optional(text).await.ok_or_else(|| format!("`{text}`"))?;
            let checked = checked(text).await.map_err(|error| error.to_string())?;
            Ok::<_, String>(number + checked + u32::from(letter))
        };
        match (found.await, best) {
            (Ok(found), Some(before)) if found <= before => {}
            (Ok(found), _) => best = Some(found),
            (Err(error), None) => return Err(error),
            (Err(_), Some(_)) => break,
        }
    }
    Ok(best)
}

#[orchestrator(name = "corpus.undone")]
pub async fn undone(account: u64, cents: Vec<u64>) -> Result<Vec<u64>, ImportError> {
    let mut payments = vec![];
    let result: Result<(), PaymentError> = async {
        for cents in &cents {
            payments.push(charge(account, *cents).await?);
        }
        Ok(())
    }
    .await;
    let Err(error) = result else {
        return Ok(payments);
    };
    let undone = try_join_all(payments.iter().rev().map(|payment| refund(*payment))).await;
    match (error, undone) {
        (error, Ok(_)) => Err(error.into()),
        (first, Err(second)) => Err(ImportError::Many(vec![first.into(), second.into()])),
    }
}

#[orchestrator(name = "corpus.caught")]
pub async fn caught(account: u64) -> Result<u64, ImportError> {
    let limited = charge(account, 1).timeout(minutes(1)).await;
    let first = match limited {
        Ok(charged) => charged?,
        Err(_) => 0,
    };
    let second = match charge(account, 2).catch().await {
        Ok(charged) => charged?,
        Err(fault) => return Err(fault.into()),
    };
    let (third, fourth) = try_join!(charge(account, 3), async {
        sleep(seconds(1)).await;
        charge(account, 4).await
    })?;
    let fifth = timeout(hours(1), async { charge(account, 5).await }).await.unwrap_or(Ok(0))?;
    Ok(first + second + third + fourth + fifth)
}
