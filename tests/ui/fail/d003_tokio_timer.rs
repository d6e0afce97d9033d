use durable_runtime::orchestrator;
use tokio::time::{Sleep, Timeout};

/// Made in a place that the lint cannot see: the type tells.
trait Clock {
    fn tick(&self) -> Sleep;
    fn limited(&self) -> Timeout<std::future::Ready<u64>>;
}

fn clock() -> Box<dyn Clock> {
    unimplemented!()
}

#[orchestrator]
async fn waits(seconds: u64) -> u64 {
    clock().tick().await;
    let _ = clock().limited().await;
    seconds
}

fn main() {}
