//! Whatever is an argument, and written in another order by each process.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use durable_runtime::prelude::*;

type Skus = HashSet<String>;
type Shelves = Vec<Option<Skus>>;
type Codes = std::collections::HashSet<u64>;

#[activity]
async fn counts(skus: HashSet<String>, among: std::collections::HashSet<u64>) -> usize { //~ D040 HashSet; D040 HashSet
    skus.len() + among.len()
}

#[activity]
async fn aliased(skus: Skus, shelves: Shelves) -> usize { //~ D040 Skus; D040 Shelves
    skus.len() + shelves.len()
}

#[orchestrator]
async fn inside(
    some: Option<HashSet<u64>>, //~ D040 HashSet
    pairs: Vec<(String, Codes)>, //~ D040 Codes
    by_shop: HashMap<String, Skus>, //~ D040 HashMap
    last: BTreeMap<u64, VecDeque<HashSet<u8>>>, //~ D040 HashSet
) -> usize {
    some.is_some() as usize + pairs.len() + by_shop.len() + last.len()
}

#[activity(codec = "bincode")]
async fn as_bytes(stock: HashMap<String, u64>, skus: HashSet<u64>) -> usize { //~ D040 HashMap; D040 HashSet
    stock.len() + skus.len()
}

// As it should be. A result is recorded once; the members of an object are compared without their order.

#[activity]
async fn finds(stock: HashMap<String, u64>, kept: BTreeSet<u64>) -> HashSet<u64> {
    stock.into_values().chain(kept).collect()
}

#[activity(codec = "bincode")]
async fn seeded(stock: durable_runtime::HashMap<String, u64>) -> HashMap<String, u64> {
    stock.into_iter().collect()
}

#[orchestrator]
async fn fine(skus: durable_runtime::HashSet<String>, all: Vec<Option<durable_runtime::HashSet<u8>>>) -> usize {
    skus.len() + all.len()
}

#[activity]
async fn with_state(#[state] known: &HashSet<u64>, one: u64) -> bool {
    known.contains(&one)
}

#[helper]
async fn in_memory(skus: &HashSet<String>) -> bool {
    skus.contains("tea")
}

fn main() {}
