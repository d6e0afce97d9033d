//! Rewinding what is also listed, counted, watched, ended, held, purged or started again.

use durable_runtime::prelude::*;
use durable_runtime::testing::check_saved;
use durable_runtime::{Query, Reuse, RewindError};

use super::*;

/// `flow` works, then waits for its event, an hour at the most.
fn waiting(works: &Works) -> Registry {
    works.registry().named_orchestrator("flow", |_| async {
        work("a").await?;
        let go = named::event("go").wait().timeout(hours(1)).await;
        go.map_err(|_| Error::msg("nobody came"))
    })
}

/// An engine whose `flow` has failed, and `flow`; what had failed is mended by now.
async fn failed(works: &Works) -> (TestEngine, Instance) {
    let engine = engine_of(waiting(works));
    let (flow, summary) = ended(&engine).await;
    assert_eq!(summary.status, Status::Failed);
    works.mend();
    (engine, flow)
}

/// The same, rewound and waiting for its event.
async fn rewound() -> (TestEngine, Instance) {
    let (engine, flow) = failed(&Works::broken(&["a"])).await;
    flow.rewind("mended").await.unwrap();
    engine.settle().await;
    assert_eq!(flow.status().await.unwrap(), Status::Running);
    (engine, flow)
}

async fn ids<R: 'static>(list: Query<R>) -> Vec<String> {
    let page = list.ids_only().await.unwrap();
    assert!(page.next.is_none() && page.damaged.is_empty());
    page.instances.iter().map(ToString::to_string).collect()
}

const STATUSES: [Status; 7] = [
    Status::Pending,
    Status::Running,
    Status::Completed,
    Status::Failed,
    Status::Stalled,
    Status::Terminated,
    Status::Suspended,
];

/// What lists and counts say of `flow`, which stands like this.
async fn is_listed(engine: &TestEngine, status: Status, ended_at: Option<std::time::SystemTime>) {
    for other in &STATUSES {
        let is_it = *other == status;
        let expected = if is_it { vec!["flow"] } else { Vec::new() };
        let list = || engine.instances().tag("town", "Wien").status(*other);
        assert_eq!(ids(list()).await, expected, "{other}");
        assert_eq!(ids(engine.instances().status(*other)).await, expected);
        let counts = engine.counts().await.unwrap();
        assert_eq!(counts.of(*other), u64::from(is_it), "{other}");
        let named = engine.counts_of("flow").await.unwrap();
        assert_eq!(named.of(*other), u64::from(is_it), "{other}");
    }
    let expected = if ended_at.is_some() {
        vec!["flow"]
    } else {
        Vec::new()
    };
    let list = || engine.instances();
    assert_eq!(ids(list().completed(..)).await, expected);
    if let Some(at) = ended_at {
        assert_eq!(ids(list().completed(..at)).await, [""; 0]);
        assert_eq!(ids(list().completed(at..=at)).await, ["flow"]);
    }
}

/// Over restarts at which the end and the rewind are folded, and without them.
#[tokio::test]
async fn lists_counts_and_ends_follow_what_is_rewound() {
    for restarts in 0..4 {
        let works = Works::broken(&["a"]);
        let registry = waiting(&works);
        let mut engine = engine_of(registry.clone());
        let started = engine.start(named::orchestrator("flow", &Value::Null));
        started.id("flow").tag("town", "Wien").await.unwrap();
        let flow = instance(&engine, "flow").await;
        let end = flow.wait().await.unwrap().completed_at;
        is_listed(&engine, Status::Failed, end).await;
        works.mend();
        engine.advance(hours(3)).await;
        if restarts & 1 > 0 {
            engine = engine.restart_with(registry.clone()).await.unwrap();
        }
        is_listed(&engine, Status::Failed, end).await;
        let flow = instance(&engine, "flow").await;
        flow.rewind("mended").await.unwrap();
        is_listed(&engine, Status::Running, None).await;
        engine.settle().await;
        is_listed(&engine, Status::Running, None).await;
        if restarts & 2 > 0 {
            engine = engine.restart_with(registry.clone()).await.unwrap();
        }
        is_listed(&engine, Status::Running, None).await;
        let flow = instance(&engine, "flow").await;
        flow.raise(&named::event("go"), json!(1)).await.unwrap();
        let again = flow.wait().await.unwrap().completed_at;
        assert!(again > end);
        is_listed(&engine, Status::Completed, again).await;
        engine = engine.restart_with(registry).await.unwrap();
        is_listed(&engine, Status::Completed, again).await;
    }
}

#[tokio::test]
async fn a_rewind_is_a_change_that_is_waited_for() {
    let works = Works::broken(&["a"]);
    // Without a time limit: that would be over as soon as somebody waits, and nothing else is to be done.
    let registry = works.registry().named_orchestrator("flow", |_| async {
        work("a").await?;
        Ok::<_, Error>(named::event("go").wait().await)
    });
    let engine = engine_of(registry);
    let (flow, failed) = ended(&engine).await;
    works.mend();
    flow.rewind("mended").await.unwrap();
    let summary = flow.summary().await.unwrap();
    assert!(summary.revision() > failed.revision());
    engine.settle().await;
    let seen = flow.summary().await.unwrap().revision();
    let next = durable_runtime::Revision::from(u64::from(seen) + 1);
    let change = tokio::spawn({
        let flow = flow.clone();
        async move { flow.wait_for(next).await }
    });
    engine.settle().await;
    assert!(!change.is_finished(), "it has not ended");
    flow.raise(&named::event("go"), json!(1)).await.unwrap();
    assert_eq!(change.await.unwrap().unwrap().status, Status::Completed);
}

#[tokio::test]
async fn what_is_rewound_is_held_and_ended_like_any_other() {
    let (engine, flow) = rewound().await;
    flow.suspend("for now").await.unwrap();
    let refused = flow.rewind("again").await.unwrap_err();
    assert!(refused.to_string().contains("is suspended"), "{refused}");
    flow.raise(&named::event("go"), json!(5)).await.unwrap();
    engine.settle().await;
    assert_eq!(flow.status().await.unwrap(), Status::Suspended);
    flow.resume("go on").await.unwrap();
    assert_eq!(flow.wait().await.unwrap().status, Status::Completed);

    let (engine, flow) = rewound().await;
    flow.terminate("over").await.unwrap();
    let refused = flow.rewind("again").await.unwrap_err();
    assert!(refused.is_not_failed());
    assert!(refused.to_string().contains("is terminated"), "{refused}");
    let registry = waiting(&Works::default());
    let engine = engine.restart_with(registry).await.unwrap();
    engine.advance(hours(2)).await;
    let flow = instance(&engine, "flow").await;
    assert_eq!(flow.status().await.unwrap(), Status::Terminated);
}

#[tokio::test]
async fn what_is_purged_or_replaced_is_not_there_to_be_rewound() {
    let works = Works::broken(&["a"]);
    let (engine, flow) = failed(&works).await;
    flow.rewind("mended").await.unwrap();
    assert!(flow.purge().await.is_err(), "it runs");
    engine.advance(hours(2)).await;
    assert_eq!(flow.purge().await.unwrap().count, 1);
    let gone = flow.rewind("again").await.unwrap_err();
    assert!(matches!(gone, RewindError::NotFound(_)), "{gone}");

    for restarts in [false, true] {
        let (engine, flow) = failed(&Works::broken(&["a"])).await;
        if restarts {
            flow.restart().await.unwrap();
        } else {
            let start = engine.start(named::orchestrator("flow", &Value::Null));
            let start = start.id("flow").reuse(Reuse::replace_ended());
            start.await.unwrap();
        }
        let gone = flow.rewind("too late").await.unwrap_err();
        assert!(matches!(gone, RewindError::NotFound(_)), "{gone}");
        engine.settle().await;
        let other = instance(&engine, "flow").await;
        let refused = other.rewind("it runs").await.unwrap_err();
        assert!(refused.is_not_failed(), "{refused}");
    }
}

#[tokio::test]
async fn one_that_was_started_again_beside_it_changes_nothing() {
    let works = Works::broken(&["a"]);
    let (engine, flow) = failed(&works).await;
    let beside = flow.restart().with_new_id().await.unwrap();
    flow.rewind("mended").await.unwrap();
    engine.settle().await;
    for flow in [&flow, &beside] {
        flow.raise(&named::event("go"), json!(1)).await.unwrap();
        assert_eq!(flow.wait().await.unwrap().status, Status::Completed);
    }
}

/// The time that it is kept counts from the last of its ends.
#[tokio::test]
async fn what_is_rewound_is_kept_as_long_as_if_it_had_never_ended_before() {
    let works = Works::broken(&["a"]);
    let builder = TestEngine::builder().registry(waiting(&works));
    let engine = builder.retention(days(10)).start().unwrap();
    let (flow, _) = ended(&engine).await;
    works.mend();
    engine.advance(days(9)).await;
    flow.rewind("mended").await.unwrap();
    engine.settle().await;
    flow.suspend("so that it does not end").await.unwrap();
    engine.advance(days(8)).await;
    assert_eq!(flow.status().await.unwrap(), Status::Suspended);
    flow.resume("nobody came").await.unwrap();
    assert_eq!(flow.wait().await.unwrap().status, Status::Failed);
    engine.advance(days(9)).await;
    assert_eq!(flow.status().await.unwrap(), Status::Failed);
    engine.advance(days(2)).await;
    assert!(engine.instance("flow").await.unwrap().is_none());
}

#[tokio::test]
async fn a_request_to_end_is_gone_back_over_however_it_was_answered() {
    for answer in ["none", "an error", "another error", "a result"] {
        let works = Works::default();
        let registry = works
            .registry()
            .named_orchestrator("flow", move |_| async move {
                let cancel = (answer != "none").then(cancellation);
                let Some(cancel) = cancel else {
                    return Ok::<_, Error>(named::event("go").wait().await);
                };
                let reason = select! {
                    go = named::event("go").wait() => return Ok(go),
                    reason = cancel.requested() => reason,
                };
                work("clean up").await?;
                match answer {
                    "an error" => Err(Error::msg(format!("stopped: {reason}"))),
                    "another error" => Err(Error::msg("for some cause")),
                    _ => Ok(json!(reason)),
                }
            });
        let engine = engine_of(registry.clone());
        let started = engine.start(named::orchestrator("flow", &Value::Null));
        started.id("flow").await.unwrap();
        let flow = instance(&engine, "flow").await;
        engine.settle().await;
        flow.cancel("enough").await.unwrap();
        let end = flow.wait().await.unwrap();
        if answer == "a result" {
            assert_eq!(end.status, Status::Completed);
            assert!(flow.rewind("why").await.unwrap_err().is_not_failed());
            continue;
        }
        assert_eq!(end.status, Status::Failed, "{answer}");
        flow.rewind("go on").await.unwrap();
        engine.settle().await;
        if answer == "another error" {
            // Nothing says that it ended for the request: its last turn ran again.
            assert_eq!(flow.status().await.unwrap(), Status::Failed);
            assert_eq!(works.runs(), ["clean up"]);
            continue;
        }
        assert_eq!(flow.status().await.unwrap(), Status::Running, "{answer}");
        // It may be asked again, and rewound again.
        flow.cancel("enough").await.unwrap();
        assert_eq!(flow.wait().await.unwrap().status, Status::Failed);
        flow.rewind("go on").await.unwrap();
        flow.raise(&named::event("go"), json!(1)).await.unwrap();
        assert_eq!(output(&registry, &flow).await, json!(1), "{answer}");
    }
}

/// What it waits for is told of the effective history, and that is what a file of it, and a build, are checked against.
#[tokio::test]
async fn what_is_rewound_is_explained_saved_and_verified() {
    let works = Works::broken(&["pay"]);
    let code = |first: &'static str| {
        works
            .registry()
            .named_orchestrator("flow", move |_| async move {
                if let Err(error) = work(first).await {
                    sleep(hours(1)).await;
                    work("give up").await?;
                    return Err(error);
                }
                Ok::<_, Error>(named::event("go").wait().await)
            })
    };
    let registry = code("pay");
    let mut engine = engine_of(registry.clone());
    let (mut flow, _) = ended(&engine).await;
    works.mend();
    flow.rewind("mended").await.unwrap();
    engine.settle().await;
    for _ in 0..2 {
        let why = flow.explain().await.unwrap();
        assert_eq!((why.waits.len(), why.undelivered), (1, 0), "{why}");
        assert!(why.to_string().contains("event `go`"), "{why}");
        let saved = flow.saved_history().await.unwrap();
        check_saved(&registry, &saved).unwrap();
        let misfit = check_saved(&code("other"), &saved).unwrap_err();
        // What counts nothing is numbered all the same.
        assert!(misfit.to_string().contains("at event 2 "), "{misfit}");
        let verified = engine.verify().await.unwrap();
        assert_eq!(verified.totals.fit, 1, "{verified}");
        engine = engine.restart_with(registry.clone()).await.unwrap();
        flow = instance(&engine, "flow").await;
    }
}

#[tokio::test]
async fn a_reason_is_as_long_as_the_limit_and_no_longer() {
    for bytes in [(16 << 10) - 1, 16 << 10, (16 << 10) + 1] {
        let (_engine, flow) = failed(&Works::broken(&["a"])).await;
        let rewound = flow.rewind("x".repeat(bytes)).await;
        if bytes <= 16 << 10 {
            rewound.unwrap();
            continue;
        }
        let error = rewound.unwrap_err();
        assert!(
            matches!(
                error,
                RewindError::LongReason {
                    bytes: 16_385,
                    limit: 16_384
                }
            ),
            "{error}"
        );
        assert!(flow.rewind("a short one").await.is_ok());
    }
}

/// What so many activities had for input, each of so many bytes, which fail together.
async fn rewind_of(inputs: &[usize]) -> Result<(), RewindError> {
    let inputs = inputs.to_vec();
    let registry = Registry::new()
        .named_activity("fails", |_: Value| async {
            Err::<Value, _>(Error::msg("no"))
        })
        .named_orchestrator("flow", move |_| {
            let inputs = inputs.clone();
            async move {
                // Two bytes are the quotes.
                let text = |bytes: &usize| json!("x".repeat(bytes - 2));
                let calls = inputs
                    .iter()
                    .map(|bytes| named::activity("fails", &text(bytes)));
                let all = join_all(calls).await;
                all.into_iter()
                    .collect::<Result<Value, _>>()
                    .map_err(Error::from)
            }
        });
    let builder = TestEngine::builder().registry(registry);
    let engine = builder.payload_limit(48 << 20).start().unwrap();
    let (flow, _) = ended(&engine).await;
    flow.rewind("mended").await
}

/// Where the limit is exactly is tested where it is checked.
#[tokio::test]
async fn what_runs_again_has_no_more_input_than_the_limit() {
    let error = rewind_of(&[16 << 20, 16 << 20]).await.unwrap_err();
    let told = "the activities of instance `flow` that would run again have 33554496 bytes of input, the limit is 33554432; ";
    assert!(error.to_string().starts_with(told), "{error}");
}
