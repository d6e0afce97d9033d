//! Another crate's `select!`
//!
//! Write `select!` of `durable_runtime::prelude`: it has the same arms, and who wins is recorded.

use crate::charge;
use durable_runtime::prelude::*;

#[orchestrator]
async fn cheaper() -> u64 {
    tokio::select! {
        first = charge(1) => first,
        second = charge(2) => second,
    }
}
