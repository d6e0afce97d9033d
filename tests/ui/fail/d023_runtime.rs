use durable_runtime::orchestrator;

#[orchestrator]
async fn enters() -> u64 {
    tokio::runtime::Handle::current().block_on(async { 1 })
}

fn main() {}
