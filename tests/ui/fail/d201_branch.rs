use durable_runtime::orchestration::{hours, join_all, sleep};
use durable_runtime::{activity, join, orchestrator, select, try_join};

#[activity]
async fn charge(n: u64) -> u64 {
    n
}

async fn plain() -> u64 {
    1
}

#[orchestrator]
async fn joins(n: u64) -> u64 {
    let (a, b) = join!(charge(n), plain());
    a + b
}

#[orchestrator]
async fn tries(n: u64) -> Result<u64, String> {
    let (a, b) = try_join!(async { Ok(charge(n).await) }, std::future::ready(Ok::<u64, String>(1)))?;
    Ok(a + b)
}

#[orchestrator]
async fn selects(n: u64) -> u64 {
    select! {
        a = plain() => a,
        _ = sleep(hours(n)) => 0,
    }
}

#[orchestrator]
async fn all(n: u64) -> usize {
    join_all((0..n).map(|_| plain())).await.len()
}

fn main() {}
