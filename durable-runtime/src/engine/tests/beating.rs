//! Hearts that beat on other threads than the turns that hear of them.

use serde_json::{Value, json};

use super::open;
use crate::activity;
use crate::error::Error;
use crate::event::HistoryEvent;
use crate::orchestration::named;
use crate::registry::Registry;
use crate::store::StoreOptions;
use crate::store::tests::support::memory;

/// The two were sent one after the other, so that a turn, and a commit, came between them.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_attempt_said_last_is_in_the_commit_with_its_failure() {
    const ATTEMPTS: usize = 300;
    let registry = Registry::new()
        .named_activity("beat", |value: Value| async move {
            activity::heartbeat(&value);
            tokio::task::yield_now().await;
            Err::<Value, _>(Error::msg("that was all"))
        })
        .named_orchestrator("beats", |_| async {
            for number in 0..ATTEMPTS {
                drop(named::activity("beat", &json!(number)).await);
            }
            Ok::<_, Error>(Value::Null)
        });
    let engine = open(memory(), StoreOptions::default(), registry);
    let engine = engine.await.unwrap();
    let beats = named::orchestrator("beats", &Value::Null);
    let beats = engine.start(beats).await.unwrap();
    beats.result().await.unwrap().unwrap();
    let history = beats.history().await.unwrap();
    let mut said = 0;
    for pair in history.windows(2) {
        if matches!(pair[0], HistoryEvent::HeartbeatRecorded(_)) {
            said += 1;
            assert!(
                matches!(pair[1], HistoryEvent::ActivityFailed(_)),
                "after {said}: {pair:#?}"
            );
        }
    }
    assert_eq!(said, ATTEMPTS);
    engine.shutdown().await;
}
