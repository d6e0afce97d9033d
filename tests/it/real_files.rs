//! The threaded engine over a real file.

use std::path::PathBuf;
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{HistoryEvent, Registry, WaitError};

static GO: Event<u32> = Event::new("real-go");

#[activity]
async fn triple(n: u32) -> u32 {
    n * 3
}

#[orchestrator]
async fn waits(n: u32) -> u32 {
    let tripled = triple(n).await;
    sleep(Duration::from_millis(5)).await;
    tripled + GO.wait().await
}

fn registry() -> Registry {
    Registry::new().activity(triple).orchestrator(waits)
}

/// A path in a directory of its own, which is removed at the end.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        drop(std::fs::remove_dir_all(&directory));
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("test.redb")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

async fn open(scratch: &Scratch) -> Engine {
    Engine::builder(scratch.file())
        .registry(registry())
        .open()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_goes_on_after_a_shutdown() {
    let scratch = Scratch::new("goes-on");
    let engine = open(&scratch).await;
    let handle = engine.start(waits(2)).id("one").await.unwrap();
    let seen = handle.summary().await.unwrap();
    handle.changed(&seen).await.unwrap();
    engine.shutdown().await;
    assert!(matches!(handle.result().await, Err(WaitError::Stopped(_))));
    let engine = open(&scratch).await;
    let handle = engine.handle(waits, "one").await.unwrap().unwrap();
    handle.raise(&GO, 1).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_engine_frees_the_file() {
    let scratch = Scratch::new("dropped");
    for n in 0..3 {
        let engine = open(&scratch).await;
        let handle = engine.start(waits(n)).id(format!("{n}")).await.unwrap();
        handle.raise(&GO, 1).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), 3 * n + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_opener_fails_at_once() {
    let scratch = Scratch::new("two-openers");
    let _engine = open(&scratch).await;
    let second = Engine::builder(scratch.file())
        .registry(registry())
        .open()
        .await;
    let error = second.unwrap_err().to_string();
    assert!(error.contains("open"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_instances_on_many_threads_all_end() {
    let scratch = Scratch::new("many");
    let engine = open(&scratch).await;
    let mut running = Vec::new();
    for n in 0..200 {
        let handle = engine.start(waits(n)).await.unwrap();
        handle.raise(&GO, n).await.unwrap();
        running.push((n, handle));
    }
    for (n, handle) in running {
        assert_eq!(handle.result().await.unwrap(), 4 * n);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_may_keep_nothing_in_memory_does_the_same() {
    let scratch = Scratch::new("no-memory");
    let builder = Engine::builder(scratch.file()).registry(registry());
    let engine = builder.live_bytes(0).shards(2).open().await.unwrap();
    let mut running = Vec::new();
    for n in 0..50 {
        running.push((n, engine.start(waits(n)).await.unwrap()));
    }
    for (n, handle) in running {
        handle.raise(&GO, n).await.unwrap();
        let result = tokio::time::timeout(seconds(60), handle.result()).await;
        let result = result.expect("an instance was evicted together with what had arrived for it");
        assert_eq!(result.unwrap(), 4 * n);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_never_fires_early() {
    let scratch = Scratch::new("not-early");
    let engine = open(&scratch).await;
    let handle = engine.start(waits(1)).await.unwrap();
    handle.raise(&GO, 0).await.unwrap();
    handle.result().await.unwrap();
    let history = handle.history().await.unwrap();
    let due = history.iter().find_map(|event| match event {
        HistoryEvent::TimerCreated(timer) => Some(timer.due),
        _ => None,
    });
    let fired = history.iter().find_map(|event| match event {
        HistoryEvent::TimerFired(fired) => Some(fired.at),
        _ => None,
    });
    assert!(fired.unwrap() >= due.unwrap());
}
