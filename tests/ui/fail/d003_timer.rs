use durable_runtime::orchestrator;
use tokio::time::sleep as nap;

#[orchestrator]
async fn waits(seconds: u64) -> u64 {
    let pause = std::time::Duration::from_secs(seconds);
    nap(pause).await;
    std::thread::sleep(pause);
    let limited = tokio::time::timeout(pause, std::future::ready(1));
    limited.await.unwrap_or_default()
}

fn main() {}
