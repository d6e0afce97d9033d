//! The outside world of the others: what they call has side effects in a real program.

use std::collections::{BTreeMap, HashMap, HashSet};

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

/// Something that is sold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Article {
    pub sku: String,
    pub name: String,
    pub cents: u64,
    pub tags: Vec<String>,
}

/// What a customer asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub sku: String,
    pub count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Region {
    North,
    South,
    East,
    West,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub enum PaymentError {
    Declined { reason: String },
    Limit(u64),
    Unknown,
}

impl std::fmt::Display for PaymentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Declined { reason } => write!(f, "declined: {reason}"),
            Self::Limit(cents) => write!(f, "more than {cents} cents"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

impl std::error::Error for PaymentError {}

#[activity(name = "corpus.price")]
pub async fn price(sku: String) -> Option<u64> {
    (!sku.is_empty()).then_some(100)
}

#[activity(name = "corpus.article")]
pub async fn article(sku: String) -> Result<Article, String> {
    Ok(Article {
        name: sku.to_uppercase(),
        sku,
        cents: 100,
        tags: Vec::new(),
    })
}

#[activity(name = "corpus.charge")]
pub async fn charge(account: u64, cents: u64) -> Result<u64, PaymentError> {
    if cents > 100_000 {
        return Err(PaymentError::Limit(100_000));
    }
    Ok(account + cents)
}

#[activity(name = "corpus.refund")]
pub async fn refund(payment: u64) -> Result<(), PaymentError> {
    if payment == 0 { Err(PaymentError::Unknown) } else { Ok(()) }
}

#[activity(name = "corpus.reserve")]
pub async fn reserve(sku: String, count: u32) -> Result<u64, String> {
    Ok(u64::from(count) + u64::from(sku.is_empty()))
}

#[activity(name = "corpus.release")]
pub async fn release(reservation: u64) -> bool {
    reservation > 0
}

#[activity(name = "corpus.stock")]
pub async fn stock() -> HashMap<String, u32> {
    HashMap::new()
}

#[activity(name = "corpus.blocked")]
pub async fn blocked() -> HashSet<u64> {
    HashSet::new()
}

#[activity(name = "corpus.rates")]
pub async fn rates() -> BTreeMap<String, f64> {
    BTreeMap::new()
}

#[activity(name = "corpus.load")]
pub async fn load(path: String) -> Result<String, String> {
    Ok(path)
}

#[activity(name = "corpus.store")]
pub async fn store(path: String, text: String) -> Result<usize, String> {
    Ok(path.len() + text.len())
}

#[activity(name = "corpus.notify")]
pub async fn notify(address: String, text: String) {
    drop((address, text));
}

#[activity(name = "corpus.measure")]
pub async fn measure(station: u32) -> Vec<f64> {
    vec![f64::from(station)]
}

#[activity(name = "corpus.neighbours")]
pub async fn neighbours(node: u32) -> Vec<(u32, u64)> {
    vec![(node + 1, 1)]
}
