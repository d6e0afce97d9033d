use std::collections::HashSet;

use durable_runtime::{activity, orchestrator};

#[activity]
async fn count(skus: HashSet<String>) -> u64 {
    skus.len().try_into().unwrap_or_default()
}

#[orchestrator]
async fn restock(shelves: Vec<HashSet<String>>) -> u64 {
    shelves.len().try_into().unwrap_or_default()
}

fn main() {}
