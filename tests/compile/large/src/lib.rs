//! Read with a bound of 20 lines, which this file reaches: what lies in the other is not found, and that is told of once.

mod far;

use durable_runtime::prelude::*;

#[orchestrator]
pub async fn bill(cents: u64) -> u64 { //~ D081 bill
    cents + far::today()
}

#[orchestrator]
pub async fn bill_again(cents: u64) -> u64 {
    cents - far::today()
}

/// Leads nowhere, and is not told of.
#[orchestrator]
pub async fn double(cents: u64) -> u64 {
    cents * 2
}
