//! Holding the thread
//!
//! As above: `sleep(seconds(5)).await`.

use durable_runtime::prelude::*;
use std::thread;
use std::time::Duration;

#[orchestrator]
async fn waits() {
    thread::sleep(Duration::from_secs(5));
}
