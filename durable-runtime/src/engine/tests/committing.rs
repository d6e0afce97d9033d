//! Who commits, with real threads.

use serde_json::{Value, json};

use super::{flows, open, until};
use crate::error::Error;
use crate::orchestration::named;
use crate::registry::Registry;
use crate::store::StoreOptions;
use crate::store::tests::support::memory;

/// The shard commits the last turn while the committer's thread sleeps, with nothing to look forward to.
#[tokio::test]
async fn what_a_shard_committed_is_folded_in_an_idle_moment() {
    let options = StoreOptions::default();
    let engine = open(memory(), options, flows()).await.unwrap();
    let flow = engine
        .start(named::orchestrator("flow", &Value::Null))
        .await
        .unwrap();
    until(async || flow.history().await.unwrap().len() >= 5).await;
    assert!(engine.counters().unfolded_bytes > 0, "nothing was due");
    flow.raise(&named::event("go"), json!(2)).await.unwrap();
    until(async || engine.counters().unfolded_bytes == 0).await;
    engine.shutdown().await;
}

/// Lone turns and gathered ones take the same file in turn.
#[tokio::test]
async fn chains_end_with_their_results_however_many_run_at_once() {
    const LENGTH: usize = 20;
    let registry = Registry::new()
        .named_activity("next", |value: Value| async move {
            Ok::<_, Error>(json!(value.as_u64().unwrap() + 1))
        })
        .named_orchestrator("chain", |_| async {
            let mut value = json!(0);
            for _ in 0..LENGTH {
                value = named::activity("next", &value).await?;
            }
            Ok::<_, Error>(value)
        });
    let engine = open(memory(), StoreOptions::default(), registry)
        .await
        .unwrap();
    for at_once in [1, 2, 5, 50, 1] {
        let before = engine.counters();
        let mut chains = Vec::new();
        for _ in 0..at_once {
            chains.push(
                engine
                    .start(named::orchestrator("chain", &Value::Null))
                    .await
                    .unwrap(),
            );
        }
        for chain in chains {
            assert_eq!(chain.result().await.unwrap(), Ok(json!(LENGTH)));
        }
        let after = engine.counters();
        let tidying = after.fold_commits - before.fold_commits;
        let commits = usize::try_from(after.commits - before.commits - tidying).unwrap();
        assert!(commits <= at_once * (LENGTH + 2), "{commits}");
        assert!(at_once > 1 || commits == LENGTH + 2, "{commits}");
    }
    engine.shutdown().await;
}
