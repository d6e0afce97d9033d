use durable_runtime::{activity, orchestrator};

#[activity]
async fn quote(shop: u64) -> u64 {
    shop
}

#[orchestrator]
async fn cheaper() -> u64 {
    tokio::select! {
        first = quote(1) => first,
        second = quote(2) => second,
    }
}

#[orchestrator]
async fn both() -> u64 {
    let (first, second) = tokio::join!(quote(1), quote(2));
    first + second
}

fn main() {}
