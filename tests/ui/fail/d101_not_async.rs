use durable_runtime::{helper, orchestrator};

#[orchestrator]
fn checkout(n: u64) -> u64 {
    n
}

#[helper]
fn part(n: u64) -> u64 {
    n
}

#[orchestrator]
async fn calls(n: u64) -> u64 {
    checkout(n).await + part(n).await
}

fn main() {}
