use durable_runtime::{activity, orchestrator, select};

#[activity]
async fn charge(n: u64) -> u64 {
    n
}

#[orchestrator]
async fn arrow(n: u64) -> u64 {
    select! {
        charged = charge(n) -> charged,
    }
}

#[orchestrator]
async fn order(n: u64) -> u64 {
    select! {
        else => 0,
        charged = charge(n) => charged,
    }
}

#[orchestrator]
async fn no_pattern(n: u64) -> u64 {
    select! {
        charge(n) => 1,
    }
}

fn main() {}
