//! An `async fn` without an attribute
//!
//! Write `#[activity]` above it if it does anything; `#[helper]` if it only awaits what is durable.

use durable_runtime::prelude::*;

async fn mail(order: u64) -> u64 {
    order + 1
}

#[orchestrator]
async fn confirms(order: u64) -> u64 {
    mail(order).await
}
