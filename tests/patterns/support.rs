//! An engine that runs the examples, and what of them really ran.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use durable_examples::Ledger;
use durable_runtime::activity::ActivityInfo;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Failure, Handle, HistoryEvent};
use serde_json::Value;
use tokio::sync::watch;

/// A handle of what was started by name.
pub(crate) type Started = Handle<Result<Value, Failure>>;

/// The error that an orchestration or an activity returned.
pub(crate) fn returned(failure: &Failure) -> Value {
    match failure {
        Failure::Returned(returned) => returned.error.decode().unwrap(),
        Failure::Fault(fault) => panic!("it did not return: {fault}"),
    }
}

/// An engine for the test of this name; `at_work` is what an activity does besides its work.
pub(crate) fn engine<F, Fut>(test: &str, at_work: F) -> TestEngine
where
    F: Fn(Arc<ActivityInfo>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let ledger = Ledger::with_work(&place(test).join("ledger.redb"), at_work).unwrap();
    TestEngine::builder().state(ledger).start().unwrap()
}

/// An empty directory for the test of this name.
pub(crate) fn fresh_place(test: &str) -> PathBuf {
    let directory = place(test);
    std::fs::remove_dir_all(&directory).unwrap();
    place(test)
}

fn place(test: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("patterns")
        .join(test);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// The instance of this id, which is there.
pub(crate) async fn find(engine: &TestEngine, id: &str) -> durable_runtime::Instance {
    engine.instance(id).await.unwrap().unwrap()
}

/// How often each activity ran, by name, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ran(Arc<Mutex<Vec<String>>>);

impl Ran {
    /// An engine whose activities are noted here and take no time.
    pub(crate) fn engine(&self, test: &str) -> TestEngine {
        let ran = self.clone();
        engine(test, move |info| {
            ran.note(&info);
            std::future::ready(())
        })
    }

    pub(crate) fn note(&self, info: &ActivityInfo) {
        self.0.lock().unwrap().push(info.name.to_string());
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn times(&self, name: &str) -> usize {
        self.names().iter().filter(|ran| *ran == name).count()
    }
}

/// How many activities may end; those beyond wait until the test allows more.
#[derive(Debug, Clone)]
pub(crate) struct Turnstile(watch::Sender<usize>);

impl Turnstile {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Lets everything pass whose number is below `limit`.
    pub(crate) fn open_below(&self, limit: usize) {
        self.0.send_replace(limit);
    }

    /// Waits until `number` may pass.
    pub(crate) async fn pass(&self, number: usize) {
        let mut limit = self.0.subscribe();
        limit.wait_for(|limit| number < *limit).await.unwrap();
    }
}

/// How many events of a history are of this kind.
pub(crate) fn count(history: &[HistoryEvent], is_it: impl Fn(&HistoryEvent) -> bool) -> usize {
    history.iter().filter(|event| is_it(event)).count()
}

/// A duration as it is recorded.
pub(crate) fn recorded(duration: Duration) -> Value {
    serde_json::to_value(duration).unwrap()
}
