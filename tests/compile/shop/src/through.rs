//! Through functions of your own
//!
//! Give the time as an argument: `price(now())`.

use crate::charge;
use durable_runtime::prelude::*;
use std::time::{SystemTime, UNIX_EPOCH};

fn is_weekend() -> bool {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.is_ok_and(|it| (it.as_secs() / 86_400 + 4) % 7 > 4)
}

fn price() -> u64 {
    if is_weekend() { 900 } else { 1200 }
}

#[orchestrator]
async fn sells() -> u64 {
    charge(price()).await
}
