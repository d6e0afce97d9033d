use durable_runtime::orchestrator;

#[orchestrator]
async fn waits(seconds: u64) -> u64 {
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
    let limit = std::time::Duration::from_secs(seconds);
    let _ = tokio::time::timeout(limit, std::future::ready(1)).await;
    seconds
}

fn main() {}
