//! How long it took
//!
//! Write `let started = now();`, and `now().duration_since(started)` at the end.

use crate::charge;
use durable_runtime::prelude::*;
use std::time::Instant;

#[orchestrator]
async fn timed(order: u64) -> bool {
    let started = Instant::now();
    charge(order).await;
    started.elapsed().as_secs() < 60
}
