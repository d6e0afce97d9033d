//! Another crate's `join_all`
//!
//! Write `join_all` of `durable_runtime::prelude`; `.limit(10)` on it keeps some waiting.

use crate::charge;
use durable_runtime::prelude::*;
use futures::future::join_all;

#[orchestrator]
async fn charge_all(orders: Vec<u64>) -> Vec<u64> {
    join_all(orders.into_iter().map(charge)).await
}
