use durable_runtime::{activity, helper, orchestrator};

struct Db;

#[orchestrator]
async fn checkout(#[state] db: &Db, n: u64) -> u64 {
    n
}

#[activity]
async fn charge(#[state] other: &mut Db, n: u64) -> u64 {
    n
}

#[helper]
async fn helps(#[state] db: &Db) {}

fn main() {}
