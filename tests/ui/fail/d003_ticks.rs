use durable_runtime::helper;
use tokio::task::JoinSet;
use tokio::time::Interval;

#[helper]
async fn ticks(interval: &mut Interval, tasks: &mut JoinSet<u64>) -> bool {
    interval.tick().await;
    tasks.join_next().await.is_some()
}

fn main() {}
