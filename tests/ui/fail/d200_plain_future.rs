use durable_runtime::{activity, helper, orchestrator};

async fn fetch_rate(currency: &str) -> f64 {
    f64::from(u8::try_from(currency.len()).unwrap_or_default())
}

#[activity]
async fn charge(n: u64) -> u64 {
    n
}

#[orchestrator]
async fn converts(n: u64) -> Result<f64, String> {
    let rate = fetch_rate("EUR").await;
    let charged = charge(n).await;
    let listed = vec![std::future::ready(charged).await];
    Ok(rate + f64::from(u8::try_from(listed.len()).unwrap_or_default()))
}

#[helper]
async fn helps() -> f64 {
    let block = async { fetch_rate("USD").await };
    block.await
}

fn main() {}
