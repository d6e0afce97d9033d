//! What is only told changes nothing of what is replayed.

use durable_runtime::Registry;
use durable_runtime::prelude::*;
use durable_runtime::testing::check_replay;

use crate::support::engine_of;

#[activity(name = "logging.same")]
async fn same(n: u64) -> u64 {
    n
}

/// Makes numbers for its log, and others that count.
#[orchestrator(name = "logging.talks")]
async fn talks() -> u64 {
    println!("begins with {}", random());
    let first = same(random()).await;
    eprintln!("{first} is there, next {}", uuid());
    same(random()).await
}

#[tokio::test]
async fn numbers_in_a_log_line_shift_no_other() {
    let registry = || Registry::new().activity(same).orchestrator(talks);
    let engine = engine_of(registry());
    let handle = engine.start(talks()).id("one").await.unwrap();
    handle.result().await.unwrap();
    check_replay(&registry(), &handle.history().await.unwrap()).unwrap();
}
