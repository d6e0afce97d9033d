//! Waiting for a lock
//!
//! Keep the sum in a local variable; what all instances share is the `#[state]` of an activity.

use crate::charge;
use durable_runtime::prelude::*;
use std::sync::Arc;
use tokio::sync::Mutex;

#[helper]
async fn adds(order: u64, sum: &Arc<Mutex<u64>>) {
    *sum.lock().await += charge(order).await;
}
