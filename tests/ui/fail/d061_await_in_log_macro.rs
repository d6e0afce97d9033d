use durable_runtime::{activity, orchestrator};

#[activity]
async fn charge(n: u64) -> u64 {
    n
}

#[orchestrator]
async fn logs(n: u64) -> u64 {
    println!("charged {}", charge(n).await);
    n
}

fn main() {}
