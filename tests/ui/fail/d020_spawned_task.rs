use durable_runtime::orchestrator;

#[orchestrator]
async fn spawns(n: u64) -> u64 {
    let task = tokio::spawn(async move { n + 1 });
    task.await.unwrap()
}

fn main() {}
