use durable_runtime::{activity, orchestrator, try_join_all};

#[activity]
async fn stock(sku: u64) -> u64 {
    sku
}

#[orchestrator]
async fn all(skus: Vec<u64>) -> Result<Vec<u64>, String> {
    let found = try_join_all(skus.into_iter().map(stock)).await?;
    Ok(found)
}

fn main() {}
