use durable_runtime::prelude::*;

#[orchestrator]
async fn child(n: u64) -> u64 {
    n + 1
}

#[orchestrator]
async fn parent(n: u64) -> u64 {
    let detached = start(child(n)).await;
    detached.await
}

fn main() {}
