//! A timer under another name
//!
//! Write `sleep(seconds(5)).await`: it is recorded, and goes on while the program is not running.

use durable_runtime::prelude::*;
use std::time::Duration;
use tokio::time::sleep as nap;

#[orchestrator]
async fn cools_down() {
    nap(Duration::from_secs(5)).await;
}
