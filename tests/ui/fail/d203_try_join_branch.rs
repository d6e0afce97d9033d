use durable_runtime::{activity, orchestrator, try_join};

#[activity]
async fn stock(sku: u64) -> u64 {
    sku
}

#[activity]
async fn reserve(sku: u64) -> Result<u64, String> {
    Ok(sku)
}

#[orchestrator]
async fn both() -> Result<u64, String> {
    let (found, reserved) = try_join!(stock(1), reserve(2))?;
    Ok(found + reserved)
}

fn main() {}
