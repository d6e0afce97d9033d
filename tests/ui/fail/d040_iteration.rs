use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use durable_runtime::{activity, helper, orchestrator};

#[activity]
async fn reprice(sku: String, cents: u64) -> u64 {
    cents + u64::from(sku.is_empty())
}

#[orchestrator]
async fn total(prices: HashMap<String, u64>) -> u64 {
    let mut sum = 0;
    for (sku, cents) in &prices {
        sum += reprice(sku.clone(), *cents).await;
    }
    sum
}

#[helper]
async fn first(skus: Arc<HashSet<String>>, sold: &HashSet<String>) -> Option<String> {
    skus.difference(sold).next().cloned()
}

fn main() {}
