use durable_runtime::{activity, helper, orchestrator};

#[activity]
async fn charge(n: u64) -> Result<u64, String> {
    Ok(n)
}

#[helper]
async fn twice(n: u64) {
    charge(n);
}

#[orchestrator]
async fn forgets(n: u64) {
    charge(n);
    twice(n);
    async { charge(n).await };
    if n > 1 {
        charge(n).await;
    }
}

fn main() {}
