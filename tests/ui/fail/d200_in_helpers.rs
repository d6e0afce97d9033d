use std::future::Future;
use std::time::Duration;

use durable_runtime::{activity, helper, orchestrator};

#[activity]
async fn double(n: u32) -> u32 {
    n * 2
}

/// A future of whatever kind.
#[helper]
async fn any<F: Future<Output = u32>>(future: F) -> u32 {
    future.await
}

#[helper]
async fn made<F, D>(make: F) -> u32
where
    F: Fn(u32) -> D,
    D: Future<Output = u32>,
{
    make(1).await
}

struct Poller;

impl Poller {
    #[helper]
    async fn naps(&mut self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

trait Stage {
    async fn plain(&self) -> u32;
}

#[helper]
async fn staged<S: Stage>(stage: &S) -> u32 {
    stage.plain().await
}

#[orchestrator]
async fn calls() -> u32 {
    any(async { 1 }).await + made(double).await
}

fn main() {}
