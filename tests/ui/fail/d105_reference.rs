use std::borrow::Cow;

use durable_runtime::{activity, orchestrator};

#[orchestrator]
async fn greets(name: &str, n: u64) -> u64 {
    n
}

#[activity]
async fn holds<'a>(name: Option<Cow<'a, str>>) -> Cow<'a, str> {
    name.unwrap_or_default()
}

#[activity]
async fn constant(name: &'static str) -> u64 {
    u64::try_from(name.len()).unwrap_or_default()
}

fn main() {}
