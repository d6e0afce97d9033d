//! A boxed future
//!
//! Write the activity itself, or `BoxDurable<'_, u64>`, which only what is durable fits into.

use durable_runtime::prelude::*;
use std::pin::Pin;

type Step = Pin<Box<dyn Future<Output = u64> + Send>>;

#[helper]
async fn runs(step: Step) -> u64 {
    step.await
}
