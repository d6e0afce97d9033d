//! Reading a file
//!
//! Write `side_effect(|| fs::read_to_string("prices.csv").unwrap_or_default()).await`, or make it an activity, if it may fail for a while.

use durable_runtime::prelude::*;
use std::fs;

#[orchestrator]
async fn prices() -> String {
    fs::read_to_string("prices.csv").unwrap_or_default()
}
