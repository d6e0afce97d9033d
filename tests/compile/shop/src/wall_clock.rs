//! The time of day
//!
//! Write `now()`: the time of the turn, recorded with it.

use durable_runtime::prelude::*;
use std::time::{Duration, SystemTime};

#[orchestrator]
async fn until_closing(closes: SystemTime) -> Duration {
    closes.duration_since(SystemTime::now()).unwrap_or_default()
}
