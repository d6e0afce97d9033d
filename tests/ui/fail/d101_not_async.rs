use durable_runtime::{activity, orchestrator};

#[activity]
fn charge(n: u64) -> u64 {
    n
}

#[orchestrator]
fn checkout(n: u64) -> u64 {
    n
}

#[orchestrator]
async fn calls(n: u64) -> u64 {
    charge(n).await + checkout(n).await
}

fn main() {}
