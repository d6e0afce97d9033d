use durable_runtime::orchestration::join_all;
use durable_runtime::{activity, orchestrator};

#[activity]
async fn charge(n: u64) -> u64 {
    n
}

#[orchestrator]
async fn closes(n: u64) -> usize {
    join_all((0..n).map(async |n| charge(n).await)).await.len()
}

fn main() {}
