//! A counter that all instances share
//!
//! Count in a local variable, or in an activity.

use crate::charge;
use durable_runtime::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};

static SOLD: AtomicU64 = AtomicU64::new(0);

#[orchestrator]
async fn counts(order: u64) -> u64 {
    charge(order).await;
    SOLD.fetch_add(1, Ordering::Relaxed)
}
