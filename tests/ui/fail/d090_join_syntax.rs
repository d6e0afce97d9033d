use durable_runtime::{activity, join, orchestrator};

#[activity]
async fn charge(n: u64) -> u64 {
    n
}

#[orchestrator]
async fn semicolon(n: u64) -> u64 {
    let (a, b) = join!(charge(n); charge(n));
    a + b
}

fn main() {}
