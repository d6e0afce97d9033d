//! An argument that cannot be recorded
//!
//! Write `#[derive(serde::Serialize, serde::Deserialize)]` above it.

use crate::charge;
use durable_runtime::prelude::*;

struct Cart {
    cents: u64,
}

#[orchestrator]
async fn checkout(cart: Cart) -> u64 {
    charge(cart.cents).await
}
