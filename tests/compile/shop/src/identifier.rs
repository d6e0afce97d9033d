//! A new identifier
//!
//! Write `uuid()`: a replay makes the same one again.

use durable_runtime::prelude::*;
use uuid::Uuid;

#[orchestrator]
async fn numbers() -> String {
    format!("order-{:?}", Uuid::new_v4())
}
