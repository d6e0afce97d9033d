//! Rewinding: what runs again after a failure, and what does not.

mod chosen;
mod down;
mod further;
mod managed;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use durable_runtime::orchestration::named;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{Error, HistoryEvent, Instance, Outcome, Registry, Status, Summary};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{engine_of, instance, kinds};

/// What the activities of a test do, and have done.
#[derive(Clone, Default)]
struct Works(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    broken: BTreeSet<String>,
    /// The name, the attempt and the key of every body that ran.
    runs: Vec<(String, u32, String)>,
}

impl Works {
    /// Works of which these are broken.
    fn broken(names: &[&str]) -> Self {
        let works = Self::default();
        works.0.lock().unwrap().broken = names.iter().map(ToString::to_string).collect();
        works
    }

    fn mend(&self) {
        self.0.lock().unwrap().broken.clear();
    }

    fn run(&self, name: &str) -> Result<Value, Error> {
        let mut inner = self.0.lock().unwrap();
        let run = (
            name.to_owned(),
            activity::attempt(),
            activity::key().to_string(),
        );
        inner.runs.push(run);
        if inner.broken.contains(name) {
            return Err(Error::msg(format!("{name} is broken")));
        }
        Ok(json!(name))
    }

    /// The names of what ran, in order.
    fn runs(&self) -> Vec<String> {
        let inner = self.0.lock().unwrap();
        inner.runs.iter().map(|(name, ..)| name.clone()).collect()
    }

    /// The attempts and keys of all runs of one.
    fn of(&self, name: &str) -> Vec<(u32, String)> {
        let inner = self.0.lock().unwrap();
        let runs = inner.runs.iter().filter(|(of, ..)| of == name);
        runs.map(|(_, attempt, key)| (*attempt, key.clone()))
            .collect()
    }

    /// The same, each body of which waits for a permit.
    fn gated(&self, gate: &Arc<Semaphore>) -> Registry {
        let (works, gate) = (self.clone(), Arc::clone(gate));
        Registry::new().named_activity("work", move |name: Value| {
            let (works, gate) = (works.clone(), Arc::clone(&gate));
            async move {
                gate.acquire().await?.forget();
                works.run(name.as_str().unwrap_or_default())
            }
        })
    }

    fn registry(&self) -> Registry {
        let works = self.clone();
        Registry::new().named_activity("work", move |name: Value| {
            let works = works.clone();
            async move { works.run(name.as_str().unwrap_or_default()) }
        })
    }
}

/// A call of the activity that does what is named.
#[helper]
async fn work(name: &str) -> Result<Value, Error> {
    Ok(named::activity("work", &json!(name)).await?)
}

/// The same an hour later.
#[helper]
async fn later(name: &str) -> Result<Value, Error> {
    sleep(hours(1)).await;
    work(name).await
}

/// Starts `flow` and waits for its end.
async fn ended(engine: &TestEngine) -> (Instance, Summary) {
    let started = engine.start(named::orchestrator("flow", &Value::Null));
    started.id("flow").await.unwrap();
    let flow = instance(engine, "flow").await;
    let summary = flow.wait().await.unwrap();
    (flow, summary)
}

/// What an instance returned in the end, having replayed all that is recorded of it.
async fn output(registry: &Registry, flow: &Instance) -> Value {
    let summary = flow.wait().await.unwrap();
    let history = flow.history().await.unwrap();
    check_replay(registry, &history).unwrap();
    match summary.outcome {
        Some(Outcome::Completed(output)) => output.decode().unwrap(),
        outcome => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn what_failed_runs_again_with_its_key_and_what_succeeded_does_not() {
    let works = Works::broken(&["b"]);
    let gate = Arc::new(Semaphore::new(2));
    let registry = works.gated(&gate).named_orchestrator("flow", |_| async {
        set_status("a");
        work("a").await?;
        set_status("b");
        let b = work("b").await;
        set_status("over");
        b?;
        work("c").await
    });
    let engine = engine_of(registry.clone());
    let (flow, failed) = ended(&engine).await;
    assert_eq!(failed.status, Status::Failed);
    let before = flow.history().await.unwrap();
    works.mend();
    flow.rewind("mended").await.unwrap();
    let running = flow.summary().await.unwrap();
    assert_eq!(running.status, Status::Running);
    assert_eq!((running.completed_at, running.outcome), (None, None));
    let status = running.custom_status.unwrap();
    assert_eq!(status.decode::<String>().unwrap(), "b");
    assert_eq!(running.execution, failed.execution);
    gate.add_permits(2);
    assert_eq!(output(&registry, &flow).await, json!("c"));
    assert_eq!(works.runs(), ["a", "b", "b", "c"]);
    let runs = works.of("b");
    assert_eq!(runs[0], runs[1], "the same attempt and key");
    let history = flow.history().await.unwrap();
    assert_eq!(history[..before.len()], before, "nothing is taken out");
    let HistoryEvent::ExecutionRewound(rewound) = &history[before.len()] else {
        panic!("{:?}", kinds(&history));
    };
    assert_eq!(rewound.reason, "mended");
    let counts = durable_runtime::event::effective(&history);
    let counts: Vec<_> = counts.cloned().collect();
    let expected = [
        "started",
        "turn",
        "activity",
        "status",
        "activity completed",
        "turn",
        "activity",
        "status",
        "rewound",
        "activity completed",
        "turn",
        "activity",
        "status",
        "activity completed",
        "turn",
        "completed",
    ];
    assert_eq!(kinds(&counts), expected);
}

#[tokio::test]
async fn of_many_at_a_time_those_that_failed_run_again() {
    let works = Works::broken(&["1", "3"]);
    let registry = works.registry().named_orchestrator("flow", |_| async {
        let names = ["0", "1", "2", "3", "4"];
        let all = join_all(names.map(work)).await;
        all.into_iter().collect::<Result<Value, _>>()
    });
    let engine = engine_of(registry.clone());
    let (flow, _) = ended(&engine).await;
    works.mend();
    flow.rewind("mended").await.unwrap();
    let all = json!(["0", "1", "2", "3", "4"]);
    assert_eq!(output(&registry, &flow).await, all);
    let mut runs = works.runs();
    assert_eq!(runs.len(), 7);
    runs.sort();
    assert_eq!(runs, ["0", "1", "1", "2", "3", "3", "4"]);
}

/// The first to fail ends the block; the others were told to stop.
#[tokio::test]
async fn what_was_stopped_by_the_failure_of_another_runs_again() {
    let works = Works::broken(&["bad"]);
    let registry = works.registry().named_orchestrator("flow", |_| async {
        let (slow, bad) = try_join!(later("slow"), work("bad"))?;
        Ok::<_, Error>(json!([slow, bad]))
    });
    let engine = engine_of(registry.clone());
    let (flow, failed) = ended(&engine).await;
    works.mend();
    flow.rewind("mended").await.unwrap();
    assert_eq!(output(&registry, &flow).await, json!(["slow", "bad"]));
    let took = engine.now().duration_since(failed.created_at).unwrap();
    assert!(took >= hours(1), "the timer is the same: {took:?}");
    assert!(took < hours(2));
}

#[tokio::test]
async fn the_last_attempt_runs_again_and_those_before_it_count() {
    let works = Works::broken(&["a"]);
    let registry = works.registry().named_orchestrator("flow", |_| async {
        let policy = RetryPolicy::attempts(3).initial(seconds(1));
        let a = named::activity("work", &json!("a")).retry(policy).await?;
        Ok::<_, Error>(a)
    });
    let engine = engine_of(registry.clone());
    let (flow, _) = ended(&engine).await;
    let attempts = || works.of("a").into_iter().map(|(attempt, _)| attempt);
    assert!(attempts().eq([1, 2, 3]));
    // In vain, then not; and each only once.
    flow.rewind("once").await.unwrap();
    assert_eq!(flow.wait().await.unwrap().status, Status::Failed);
    assert!(attempts().eq([1, 2, 3, 3]));
    works.mend();
    flow.rewind("twice").await.unwrap();
    assert_eq!(output(&registry, &flow).await, json!("a"));
    assert!(attempts().eq([1, 2, 3, 3, 3]));
    let keys: BTreeSet<_> = works.of("a").into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys.len(), 1);
}

/// One gives up while the others still try: what they come to later counts.
#[tokio::test]
async fn what_succeeds_at_a_later_attempt_than_the_failure_does_not_run_again() {
    let works = Works::broken(&["bad"]);
    let flaky = Works::default();
    let registry = works.registry().named_activity("flaky", {
        let flaky = flaky.clone();
        move |_| {
            let flaky = flaky.clone();
            async move {
                let done = flaky.run("flaky");
                if activity::attempt() < 3 {
                    return Err(Error::msg("not yet"));
                }
                done
            }
        }
    });
    let registry = registry.named_orchestrator("flow", |_| async {
        let policy = RetryPolicy::attempts(3).initial(seconds(1));
        let flaky = named::activity("flaky", &Value::Null).retry(policy);
        let (flaky, bad) = join!(flaky, work("bad"));
        Ok::<_, Error>(json!([flaky?, bad?]))
    });
    let engine = engine_of(registry.clone());
    let (flow, failed) = ended(&engine).await;
    assert_eq!(failed.status, Status::Failed);
    assert_eq!(flaky.runs().len(), 3);
    works.mend();
    flow.rewind("mended").await.unwrap();
    assert_eq!(output(&registry, &flow).await, json!(["flaky", "bad"]));
    assert_eq!(flaky.runs().len(), 3);
    assert_eq!(works.runs(), ["bad", "bad"]);
}

#[tokio::test]
async fn a_compensation_is_taken_back_to_before_it_began() {
    let works = Works::broken(&["pay"]);
    let registry = works.registry().named_orchestrator("flow", |_| async {
        work("book").await?;
        if let Err(error) = work("pay").await {
            work("cancel booking").await?;
            return Err(error);
        }
        work("ship").await
    });
    let engine = engine_of(registry.clone());
    let (flow, _) = ended(&engine).await;
    assert_eq!(works.runs(), ["book", "pay", "cancel booking"]);
    works.mend();
    flow.rewind("mended").await.unwrap();
    assert_eq!(output(&registry, &flow).await, json!("ship"));
    assert_eq!(
        works.runs(),
        ["book", "pay", "cancel booking", "pay", "ship"]
    );
    let history = flow.history().await.unwrap();
    let ids = history.iter().filter_map(|event| match event {
        HistoryEvent::ActivityScheduled(scheduled) => Some(scheduled.id.0),
        _ => None,
    });
    assert!(
        ids.eq([0, 1, 2, 3]),
        "the number of what is void is not used again"
    );
}

#[tokio::test]
async fn only_what_has_failed_is_rewound() {
    let works = Works::default();
    let registry = works.registry().named_orchestrator("flow", |_| async {
        Ok::<_, Error>(named::event("go").wait().await)
    });
    let engine = engine_of(registry);
    let flow = engine.start(named::orchestrator("flow", &Value::Null));
    let flow = flow.await.unwrap();
    engine.settle().await;
    let refused = flow.rewind("why not").await.unwrap_err();
    assert!(refused.is_not_failed());
    assert!(refused.to_string().contains("is running"), "{refused}");
    flow.raise(&named::event("go"), json!(1)).await.unwrap();
    flow.wait().await.unwrap();
    let before = flow.history().await.unwrap();
    let refused = flow.rewind("why not").await.unwrap_err();
    assert!(refused.to_string().contains("is completed"), "{refused}");
    assert_eq!(flow.history().await.unwrap(), before);
    let long = flow.rewind("x".repeat(1 << 20)).await.unwrap_err();
    assert!(long.to_string().contains("1048576 bytes"), "{long}");
}
