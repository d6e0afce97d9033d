//! What is given to the combinators over iterators, to a set, and to a deadline.

use std::time::Duration;

use durable_runtime::orchestration::{hours, sleep};
use durable_runtime::{FuturesUnordered, activity, orchestrator, race, select_all, timeout, try_join_all};

#[activity]
async fn charge(n: u64) -> u64 {
    n
}

async fn plain(n: u64) -> Result<u64, String> {
    Ok(n)
}

#[orchestrator]
async fn selects(n: u64) -> usize {
    let (_, index, _) = select_all((0..n).map(|n| tokio::time::sleep(Duration::from_secs(n)))).await;
    index
}

#[orchestrator]
async fn races() -> u64 {
    race([std::future::ready(1), std::future::ready(2)]).await
}

#[orchestrator]
async fn tries(n: u64) -> Result<Vec<u64>, String> {
    try_join_all((0..n).map(plain)).limit(3).await
}

#[orchestrator]
async fn pushes(n: u64) -> bool {
    let mut running = FuturesUnordered::new();
    running.push(plain(n));
    running.next().await.is_some()
}

#[orchestrator]
async fn limits(n: u64) -> bool {
    timeout(hours(n), plain(n)).await.is_ok()
}

#[orchestrator]
async fn limits_with_tokio(n: u64) -> bool {
    tokio::time::timeout(hours(n), charge(n)).await.is_ok()
}

#[orchestrator]
async fn adds_a_foreign_wait(n: u64) -> bool {
    timeout(hours(n), async {
        sleep(hours(1)).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    })
    .await
    .is_ok()
}

fn main() {}
