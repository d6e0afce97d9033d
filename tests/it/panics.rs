//! Panics of a user's code, in every place where such code runs: the engine lives on.

use durable_runtime::Stalled;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{FaultKind, Registry, RetryPolicy, StallReason, Status};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Panics when it is read or written, if it is told to.
#[derive(Debug, Default)]
struct Touchy {
    on_read: bool,
    on_write: bool,
}

#[derive(Serialize, Deserialize)]
struct Plain(bool, bool);

impl Serialize for Touchy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(!self.on_write, "touched by a writer");
        Plain(self.on_read, self.on_write).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Touchy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Plain(on_read, on_write) = Plain::deserialize(deserializer)?;
        assert!(!on_read, "touched by a reader");
        Ok(Self { on_read, on_write })
    }
}

/// Panics when it is dropped while nothing else panics.
struct DropBomb;

impl Drop for DropBomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "dropped");
    }
}

#[activity(name = "panics.in_body")]
async fn in_body(after_an_await: bool) -> u32 {
    if after_an_await {
        tokio::task::yield_now().await;
    }
    panic!("in the body");
}

#[activity(name = "panics.with_no_text")]
async fn with_no_text() -> u32 {
    std::panic::panic_any(7);
}

#[activity(name = "panics.takes_touchy")]
async fn takes_touchy(_touchy: Touchy) -> u32 {
    1
}

#[activity(name = "panics.gives_touchy")]
async fn gives_touchy(on_read: bool, on_write: bool) -> Touchy {
    Touchy { on_read, on_write }
}

#[activity(name = "panics.drops_bomb")]
async fn drops_bomb() -> u32 {
    let _bomb = DropBomb;
    tokio::task::yield_now().await;
    1
}

/// Never ends, so that it is stopped while it holds the bomb.
#[activity(name = "panics.held_bomb", attempt_timeout = "1s")]
async fn held_bomb() -> u32 {
    let _bomb = DropBomb;
    std::future::pending().await
}

#[activity(name = "panics.fails")]
async fn fails() -> Result<u32, String> {
    Err("as it should".to_owned())
}

#[activity(name = "panics.fine")]
async fn fine(n: u32) -> u32 {
    n
}

#[orchestrator(name = "panics.faults")]
async fn faults(which: String) -> String {
    let fault = match &*which {
        "body" => in_body(false).catch().await.map(drop),
        "body after an await" => in_body(true).catch().await.map(drop),
        "no text" => with_no_text().catch().await.map(drop),
        "decode" => takes_touchy(Touchy {
            on_read: true,
            ..Touchy::default()
        })
        .catch()
        .await
        .map(drop),
        "encode" => gives_touchy(false, true).catch().await.map(drop),
        "drop" => drops_bomb().catch().await.map(drop),
        "held drop" => held_bomb().catch().await.map(drop),
        _ => Ok(()),
    };
    fault.map_or_else(
        |fault| format!("{:?}: {}", fault.kind(), fault.message()),
        |()| "none".to_owned(),
    )
}

fn panicking_condition<E>(_: &E) -> bool {
    panic!("in the condition");
}

#[orchestrator(name = "panics.orchestrators")]
async fn orchestrators(which: String) -> u32 {
    assert!(which != "before an await", "{which}");
    let n = fine(1).await;
    assert!(which != "after an await", "{which}");
    match &*which {
        "side effect" => side_effect(|| if n == 1 { panic!("side effect") } else { n }).await,
        "condition" => {
            let call = fails().retry(RetryPolicy::attempts(3));
            call.retry_when(panicking_condition).await.unwrap_or(0)
        }
        "decode of a result" => {
            let touchy = gives_touchy(true, false).await;
            u32::from(touchy.on_read)
        }
        "input of a call" => {
            takes_touchy(Touchy {
                on_write: true,
                ..Touchy::default()
            })
            .await
        }
        "status" => {
            set_status(&Touchy {
                on_write: true,
                ..Touchy::default()
            });
            n
        }
        "own result" => {
            let bomb = DropBomb;
            fine(2).await;
            drop(bomb);
            n
        }
        "drop while it waits" => {
            let _bomb = DropBomb;
            let child = fault_at_once().await;
            child + n
        }
        _ => n,
    }
}

/// Its fault ends whoever waits for it, and drops what that holds.
#[orchestrator(name = "panics.fault_at_once")]
async fn fault_at_once() -> u32 {
    panic!("at once");
}

#[orchestrator(name = "panics.touchy_input")]
async fn touchy_input(_touchy: Touchy) -> u32 {
    1
}

#[orchestrator(name = "panics.touchy_output")]
async fn touchy_output(on_read: bool, on_write: bool) -> Touchy {
    sleep(hours(1)).await;
    Touchy { on_read, on_write }
}

#[orchestrator(name = "panics.waits_with_bomb")]
async fn waits_with_bomb() -> u32 {
    let bomb = DropBomb;
    sleep(days(1)).await;
    #[expect(
        clippy::mem_forget,
        reason = "where it ends well, nothing is to go off"
    )]
    std::mem::forget(bomb);
    1
}

fn registry() -> Registry {
    Registry::new()
        .activity(in_body)
        .activity(with_no_text)
        .activity(takes_touchy)
        .activity(gives_touchy)
        .activity(drops_bomb)
        .activity(held_bomb)
        .activity(fails)
        .activity(fine)
        .orchestrator(faults)
        .orchestrator(orchestrators)
        .orchestrator(fault_at_once)
        .orchestrator(touchy_input)
        .orchestrator(touchy_output)
        .orchestrator(waits_with_bomb)
}

fn engine() -> TestEngine {
    TestEngine::builder().registry(registry()).start().unwrap()
}

/// The engine still does its work.
async fn lives(engine: &TestEngine) {
    let handle = engine
        .start(orchestrators("nowhere".to_owned()))
        .await
        .unwrap();
    assert_eq!(handle.result().await.unwrap(), 1);
}

#[tokio::test]
async fn a_panic_of_an_activity_is_a_fault_wherever_it_happens() {
    let engine = engine();
    let cases = [
        ("body", "Panicked: in the body"),
        ("body after an await", "Panicked: in the body"),
        ("no text", "Panicked: a value that is no text"),
        ("decode", "Panicked: touched by a reader"),
        ("encode", "Panicked: touched by a writer"),
        ("drop", "Panicked: dropped"),
    ];
    for (which, expected) in cases {
        let handle = engine.start(faults(which.to_owned())).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), expected, "{which}");
        lives(&engine).await;
    }
}

#[tokio::test]
async fn a_panic_of_an_activity_that_is_stopped_harms_nobody() {
    let engine = engine();
    let handle = engine.start(faults("held drop".to_owned())).await.unwrap();
    engine.settle().await;
    engine.advance(seconds(1)).await;
    let told = handle.result().await.unwrap();
    assert_eq!(told, "TimedOut: the attempt ran longer than its time-out");
    lives(&engine).await;
}

#[tokio::test]
async fn a_panic_of_an_orchestrator_is_its_fault_wherever_it_happens() {
    let engine = engine();
    let cases = [
        ("before an await", "before an await"),
        ("after an await", "after an await"),
        ("side effect", "side effect"),
        ("condition", "in the condition"),
        ("decode of a result", "touched by a reader"),
        ("input of a call", "touched by a writer"),
        ("status", "touched by a writer"),
        ("own result", "dropped"),
    ];
    for (which, expected) in cases {
        let handle = engine.start(orchestrators(which.to_owned())).await.unwrap();
        let error = handle.result().await.unwrap_err();
        let fault = error.fault().unwrap();
        assert_eq!(
            (fault.kind(), fault.message()),
            (FaultKind::Panicked, expected),
            "{which}"
        );
        assert_eq!(fault.subject(), "panics.orchestrators");
        lives(&engine).await;
    }
}

#[tokio::test]
async fn a_destructor_that_panics_while_the_code_is_dropped_changes_no_outcome() {
    let engine = engine();
    let handle = engine
        .start(orchestrators("drop while it waits".to_owned()))
        .await
        .unwrap();
    let error = handle.result().await.unwrap_err();
    assert_eq!(error.fault().unwrap().message(), "at once");
    let waiting = engine.start(waits_with_bomb()).await.unwrap();
    engine.settle().await;
    engine.evict().await;
    assert_eq!(waiting.result().await.unwrap(), 1);
    lives(&engine).await;
}

#[tokio::test]
async fn an_input_that_panics_when_it_is_read_stalls_its_instance_alone() {
    let engine = engine();
    let touchy = Touchy {
        on_read: true,
        ..Touchy::default()
    };
    let handle = engine.start(touchy_input(touchy)).await.unwrap();
    engine.settle().await;
    let summary = handle.summary().await.unwrap();
    assert_eq!(summary.status, Status::Stalled);
    let Stalled { reason, report, .. } = summary.stalled.unwrap();
    assert_eq!(reason, StallReason::Undecodable);
    assert!(report.contains("touched by a reader"), "{report}");
    lives(&engine).await;
}

#[tokio::test]
async fn an_output_that_panics_when_it_is_written_is_the_orchestrators_fault() {
    let engine = engine();
    let handle = engine.start(touchy_output(false, true)).await.unwrap();
    let error = handle.result().await.unwrap_err();
    assert_eq!(error.fault().unwrap().message(), "touched by a writer");
    lives(&engine).await;
}
