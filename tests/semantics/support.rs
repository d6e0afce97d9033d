//! What the tests of this binary share.

use durable_runtime::event::{ActivityScheduled, ChildScheduled};
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{HistoryEvent, Instance, Registry, Summary};

/// A test engine that runs everything in this binary.
pub(crate) fn engine() -> TestEngine {
    TestEngine::start().unwrap()
}

/// A test engine that runs each turn once: for code that counts its runs, or waits for the test.
pub(crate) fn engine_that_runs_once() -> TestEngine {
    let builder = TestEngine::builder().replay_check(false);
    builder.start().unwrap()
}

/// A test engine that runs what this registry holds.
pub(crate) fn engine_of(registry: Registry) -> TestEngine {
    TestEngine::builder().registry(registry).start().unwrap()
}

/// The instance of that id, which is there.
pub(crate) async fn instance(engine: &TestEngine, id: &str) -> Instance {
    engine.instance(id).await.unwrap().unwrap()
}

/// How the instance of that id stands once nothing can run.
pub(crate) async fn settled(engine: &TestEngine, id: &str) -> Summary {
    engine.settle().await;
    instance(engine, id).await.summary().await.unwrap()
}

/// The history of an instance, which all that is linked in replays.
pub(crate) async fn replayed(instance: &Instance) -> Vec<HistoryEvent> {
    let history = instance.history().await.unwrap();
    check_replay(&Registry::linked(), &history).unwrap();
    history
}

/// How many events of a history are of this kind.
pub(crate) fn count(history: &[HistoryEvent], is_it: impl Fn(&HistoryEvent) -> bool) -> usize {
    history.iter().filter(|event| is_it(event)).count()
}

/// The activities that a history asks for, in order.
pub(crate) fn activities(history: &[HistoryEvent]) -> Vec<&ActivityScheduled> {
    let scheduled = history.iter().filter_map(|event| match event {
        HistoryEvent::ActivityScheduled(scheduled) => Some(scheduled),
        _ => None,
    });
    scheduled.collect()
}

/// The children that a history asks for, in order.
pub(crate) fn children(history: &[HistoryEvent]) -> Vec<&ChildScheduled> {
    let scheduled = history.iter().filter_map(|event| match event {
        HistoryEvent::ChildScheduled(scheduled) => Some(scheduled),
        _ => None,
    });
    scheduled.collect()
}
