use durable_runtime::{activity, orchestrator};

#[activity]
async fn charge<T: Send>(n: Vec<T>) -> u64 {
    0
}

#[orchestrator]
async fn checkout<const N: usize>(n: u64) -> u64 {
    n
}

fn main() {}
