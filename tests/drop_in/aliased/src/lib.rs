//! The runtime under another name, given back its own in one line: no attribute is told anything.
#![forbid(unsafe_code)]
#![deny(clippy::pedantic)]
#![deny(warnings, missing_docs, unreachable_pub)]

extern crate dr as durable_runtime;

use dr::{activity, orchestrator};

#[activity]
async fn increment(number: u32) -> u32 {
    number + 1
}

/// Adds two, in two steps.
#[orchestrator]
pub async fn add_two(number: u32) -> u32 {
    increment(increment(number).await).await
}
