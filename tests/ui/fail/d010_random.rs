use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use durable_runtime::orchestrator;

#[orchestrator]
async fn draws() -> u64 {
    RandomState::new().hash_one(1)
}

fn main() {}
