//! A random number
//!
//! Write `random() % 2 == 0`: a replay draws the same number again.

use durable_runtime::prelude::*;

#[orchestrator]
async fn draws() -> bool {
    rand::random::<f64>() < 0.5
}
