use durable_runtime::{activity, helper, orchestrator};

#[activity]
async fn charge(n: u64) -> Result<u64, String> {
    Ok(n)
}

#[helper]
async fn helps(n: u64) -> Result<u64, std::fmt::Error> {
    let charged: u64 = charge(n).await?;
    Ok(charged)
}

#[orchestrator]
async fn mistakes(n: u64) -> Result<u64, String> {
    let text: String = charge(n).await;
    let missing = absent + 1;
    let moved = text;
    drop(text);
    charge("one").await?;
    charge(1, 2).await?;
    moved.no_such_method();
    n
}

#[orchestrator]
async fn takes_itself(n: u64) -> u64 {
    let closure = || charge(n).await;
    takes_itself("x").await
}

fn main() {
    let _: u64 = charge(1);
}
