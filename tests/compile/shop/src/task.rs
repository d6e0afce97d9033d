//! Spawning a task
//!
//! Write `let (mailed, charged) = join!(mail(order), charge(order));`, with two activities.

use crate::charge;
use durable_runtime::prelude::*;

#[orchestrator]
async fn in_parallel(order: u64) -> u64 {
    let mailed = tokio::spawn(async move { order + 1 });
    charge(order).await + mailed.await.unwrap_or_default()
}
