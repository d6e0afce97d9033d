//! Definitions that reach the runtime through a crate that re-exports it.

use renamed::runtime;
use renamed::runtime::prelude::*;

#[runtime::orchestrator(crate = renamed::runtime)]
pub(crate) async fn add_two_and_double(number: u32) -> u32 {
    let sum = aliased::add_two(number).await;
    double(sum).await
}

#[activity(crate = renamed::runtime)]
async fn double(number: u32) -> u32 {
    number * 2
}
