use std::time::Instant;

use durable_runtime::{helper, orchestrator};

#[orchestrator]
async fn checkout() -> bool {
    let started = Instant::now();
    started.elapsed().is_zero()
}

/// One that is given: only the method tells.
#[helper]
async fn measures(started: &Instant) -> bool {
    started.elapsed().is_zero()
}

fn main() {}
