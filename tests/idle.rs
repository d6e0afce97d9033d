//! An engine whose instances wait uses no processor time. Alone in its binary, since it looks at the whole process.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed expectation is a failed test"
)]

use std::path::PathBuf;
use std::time::Duration;

use durable_runtime::prelude::*;

static NEVER: Event<u32> = Event::new("never");

#[orchestrator]
async fn waits(n: u32) -> u32 {
    select! {
        m = NEVER.wait() => m,
        () = sleep(days(1)) => n,
    }
}

/// Clock ticks that the threads of the engine have used.
fn ticks() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let stats =
        threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("stat")).ok());
    let ours = stats.filter(|stat| stat.contains("(durable-"));
    ours.map(|stat| {
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    })
    .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_instances_cost_no_processor_time() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("idle.redb");
    drop(std::fs::remove_file(&path));
    let engine = Engine::open(&path).await.unwrap();
    for n in 0..1_000 {
        engine.start(waits(n)).await.unwrap();
    }
    // The window in which nothing may happen is time itself; whatever tidying is due is done before it begins.
    tokio::time::timeout(Duration::from_secs(1), std::future::pending::<()>())
        .await
        .unwrap_err();
    let before = ticks();
    assert!(before > 0, "the engine has worked, and was seen to");
    tokio::time::timeout(Duration::from_secs(2), std::future::pending::<()>())
        .await
        .unwrap_err();
    assert_eq!(ticks() - before, 0, "an idle engine is woken by nothing");
    engine.shutdown().await;
    std::fs::remove_file(&path).unwrap();
}
