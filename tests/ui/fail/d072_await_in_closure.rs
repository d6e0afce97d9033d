use durable_runtime::{activity, orchestrator};

#[activity]
async fn charge(n: u64) -> u64 {
    n
}

#[orchestrator]
async fn charges(amounts: Vec<u64>) -> Vec<u64> {
    amounts.into_iter().map(|amount| charge(amount).await).collect()
}

fn main() {}
