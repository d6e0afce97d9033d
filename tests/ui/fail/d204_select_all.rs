use durable_runtime::{activity, helper, orchestrator, select_all};

#[activity]
async fn stock(sku: u64) -> u64 {
    sku
}

#[helper]
async fn look(sku: u64) -> u64 {
    stock(sku).await
}

#[orchestrator]
async fn blocks(skus: Vec<u64>) -> u64 {
    let looks = skus.into_iter().map(|sku| async move { stock(sku).await });
    let (found, _, _) = select_all(looks).await;
    found
}

#[orchestrator]
async fn helpers(skus: Vec<u64>) -> u64 {
    let (found, _, _) = select_all(skus.into_iter().map(look)).await;
    found
}

#[orchestrator]
async fn boxed(skus: Vec<u64>) -> u64 {
    let (found, _, _) = select_all(skus.into_iter().map(|sku| Box::pin(look(sku)))).await;
    found
}

fn main() {}
