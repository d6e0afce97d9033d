//! Reading the environment
//!
//! Take it as an argument, or write `side_effect(|| std::env::var("REGION").ok()).await`.

use durable_runtime::prelude::*;

#[orchestrator]
async fn region() -> Option<String> {
    std::env::var("REGION").ok()
}
