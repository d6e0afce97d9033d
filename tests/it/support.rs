//! What the tests of this binary share.

use std::sync::Arc;

use durable_runtime::testing::{TestEngine, TestEngineBuilder};
use durable_runtime::{HistoryEvent, Instance, Registry};
use tokio::sync::Notify;

/// A test engine that runs everything in this binary.
pub(crate) fn engine() -> TestEngine {
    builder().start().unwrap()
}

/// The same, to be told more.
pub(crate) fn builder() -> TestEngineBuilder {
    TestEngine::builder()
        .state(Arc::new(crate::activities::Ledger::default()))
        .state(crate::outside::seats())
        .state(crate::outside::greeter())
        .state(crate::shutdown::Meeting::new())
        .state(Arc::new(crate::blocking::Stubborn::default()))
        .state(crate::states::rates())
        .state(crate::states::count())
        .state(crate::states::greets())
}

/// A test engine that runs what this registry holds.
pub(crate) fn engine_of(registry: Registry) -> TestEngine {
    TestEngine::builder().registry(registry).start().unwrap()
}

/// Runs a call to its end, and once more with evictions and a restart in the middle; both must agree and replay.
/// The caller's `engine()` runs what its `registry()` holds.
macro_rules! outcome {
    ($orchestrator:ident($($argument:expr),*)) => {{
        let undisturbed = engine();
        let handle = undisturbed.start($orchestrator($($argument),*)).id("one").await.unwrap();
        let expected = handle.result().await.unwrap();
        durable_runtime::testing::check_replay(&registry(), &handle.history().await.unwrap()).unwrap();

        let engine = engine();
        engine.start($orchestrator($($argument),*)).id("one").await.unwrap();
        engine.settle().await;
        for _ in 0..2 {
            engine.evict().await;
            engine.advance(durable_runtime::prelude::minutes(5)).await;
        }
        let engine = engine.restart_with(registry()).await.unwrap();
        let handle = engine.handle($orchestrator, "one").await.unwrap().unwrap();
        assert_eq!(handle.result().await.unwrap(), expected);
        expected
    }};
}
pub(crate) use outcome;

/// The instance of that id, which is there.
pub(crate) async fn instance(engine: &TestEngine, id: &str) -> Instance {
    engine.instance(id).await.unwrap().unwrap()
}

/// The kinds of the events that are recorded of an instance.
pub(crate) async fn recorded(instance: &Instance) -> Vec<&'static str> {
    kinds(&instance.history().await.unwrap())
}

/// The kinds of a history's events, in order, for comparison at a glance.
pub(crate) fn kinds(history: &[HistoryEvent]) -> Vec<&'static str> {
    history.iter().map(kind).collect()
}

fn kind(event: &HistoryEvent) -> &'static str {
    match event {
        HistoryEvent::ExecutionStarted(_) => "started",
        HistoryEvent::ActivityCompleted(_) => "activity completed",
        HistoryEvent::ActivityFailed(_) => "activity failed",
        HistoryEvent::HeartbeatRecorded(_) => "heartbeat",
        HistoryEvent::TimerFired(_) => "timer fired",
        HistoryEvent::ChildCompleted(_) => "child completed",
        HistoryEvent::ChildFailed(_) => "child failed",
        HistoryEvent::EventRaised(_) => "event raised",
        HistoryEvent::CancelRequested(_) => "cancel requested",
        HistoryEvent::TurnStarted(_) => "turn",
        HistoryEvent::ActivityScheduled(_) => "activity",
        HistoryEvent::TimerCreated(_) => "timer",
        HistoryEvent::ChildScheduled(_) => "child",
        HistoryEvent::MarkerRecorded(_) => "marker",
        HistoryEvent::Cancelled(_) => "cancelled",
        HistoryEvent::CustomStatusSet(_) => "status",
        HistoryEvent::ExecutionCompleted(_) => "completed",
        HistoryEvent::ExecutionContinued(_) => "continued",
        HistoryEvent::ExecutionStalled(_) => "stalled",
        HistoryEvent::DetachedScheduled(_) => "detached",
        HistoryEvent::DetachedStarted(_) => "detached started",
        HistoryEvent::DetachedRefused(_) => "detached refused",
        HistoryEvent::DetachedAwaited(_) => "detached awaited",
        HistoryEvent::DetachedCompleted(_) => "detached completed",
        HistoryEvent::DetachedFailed(_) => "detached failed",
        HistoryEvent::EventSent(_) => "event sent",
        HistoryEvent::ExecutionTerminated(_) => "terminated",
        HistoryEvent::ExecutionSuspended(_) => "suspended",
        HistoryEvent::ExecutionResumed(_) => "resumed",
        HistoryEvent::ExecutionRewound(_) => "rewound",
        _ => "unknown to this test",
    }
}

/// A door that an activity waits at until the test opens it; open from then on.
pub(crate) struct Gate(Notify);

impl Gate {
    pub(crate) const fn new() -> Self {
        Self(Notify::const_new())
    }

    pub(crate) async fn pass(&self) {
        self.0.notified().await;
        self.open();
    }

    pub(crate) fn open(&self) {
        self.0.notify_one();
    }
}
