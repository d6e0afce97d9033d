//! Going over a `HashMap`
//!
//! Take a `BTreeMap`. Looking up in a `HashMap` is fine.

use crate::charge;
use durable_runtime::prelude::*;
use std::collections::HashMap;

#[orchestrator]
async fn restock(missing: HashMap<String, u64>) -> u64 {
    let mut sum = 0;
    for (_sku, count) in &missing {
        sum += charge(*count).await;
    }
    sum
}
