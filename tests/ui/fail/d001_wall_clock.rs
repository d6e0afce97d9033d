use durable_runtime::orchestrator;

#[orchestrator]
async fn checkout() -> bool {
    let started = std::time::SystemTime::now();
    started > std::time::UNIX_EPOCH
}

fn main() {}
