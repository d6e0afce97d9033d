use durable_runtime::{activity, helper, orchestrator};

#[activity]
async fn charge(n: u64) -> u64 {
    let x = n.;
    x
}

#[helper]
async fn helps(n: &u64) -> u64 {
    let x = charge(*n).await
    x
}

#[orchestrator]
async fn checkout(n: u64) -> u64 {
    let before = helps(&n).await;
    before.
}

#[orchestrator]
async fn calls(n: u64) -> u64 {
    charge(n).await + helps(&n).await + checkout(n).await
}

fn main() {}
