//! A request to another service
//!
//! Write it into an activity: it is tried again if you say so, and its answer is recorded.

use durable_runtime::prelude::*;

#[orchestrator]
async fn rate() -> String {
    let answer = reqwest::get("https://rates.example/eur").await;
    answer.unwrap_or_default()
}
