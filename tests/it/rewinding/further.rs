//! Rewinding with mended code, over restarts, and while something still runs.

use super::*;

/// `flow` takes two events and sleeps between them, then panics unless it is mended.
fn delicate(works: &Works, is_mended: bool) -> Registry {
    let flow = move |_| async move {
        let first = named::event("e").wait().await;
        sleep(hours(1)).await;
        let third = side_effect(|| 3).await;
        work("a").await?;
        assert!(is_mended, "it cannot count");
        let second = named::event("e").wait().await;
        work("b").await?;
        Ok::<_, Error>(json!([first, second, third]))
    };
    works.registry().named_orchestrator("flow", flow)
}

#[tokio::test]
async fn after_a_panic_the_mended_code_goes_on_from_there() {
    let works = Works::default();
    let mut engine = engine_of(delicate(&works, false));
    let started = engine.start(named::orchestrator("flow", &Value::Null));
    let flow = started.id("flow").await.unwrap();
    for number in [1, 2] {
        flow.raise(&named::event("e"), json!(number)).await.unwrap();
    }
    assert_eq!(flow.wait().await.unwrap().status, Status::Failed);
    // The same code comes to the same end.
    flow.rewind("perhaps").await.unwrap();
    assert_eq!(flow.wait().await.unwrap().status, Status::Failed);
    let registry = delicate(&works, true);
    engine = engine.restart_with(registry.clone()).await.unwrap();
    let begun = engine.now();
    let flow = instance(&engine, "flow").await;
    flow.rewind("it can count now").await.unwrap();
    assert_eq!(output(&registry, &flow).await, json!([1, 2, 3]));
    assert_eq!(works.runs(), ["a", "b"]);
    let took = engine.now().duration_since(begun).unwrap();
    assert!(took < hours(1), "the timer is not waited for again");
}

/// The code is other than what the history holds: it stalls as ever.
#[tokio::test]
async fn code_that_does_not_fit_stalls_after_a_rewind_too() {
    let works = Works::broken(&["a"]);
    let flow = |name: &'static str| move |_| async move { work(name).await };
    let engine = engine_of(works.registry().named_orchestrator("flow", flow("a")));
    ended(&engine).await;
    let other = works.registry().named_orchestrator("flow", flow("z"));
    let engine = engine.restart_with(other).await.unwrap();
    let flow = instance(&engine, "flow").await;
    flow.rewind("mended").await.unwrap();
    engine.settle().await;
    assert_eq!(flow.status().await.unwrap(), Status::Stalled);
}

/// Killed at each moment at which all waits, folded or not, while what was rewound waits for its gate.
#[tokio::test]
async fn what_was_rewound_is_outstanding_after_a_restart() {
    let works = Works::broken(&["a"]);
    let gate = Arc::new(Semaphore::new(0));
    let registry = works.gated(&gate);
    let registry = registry.named_orchestrator("flow", |_| async {
        work("a").await?;
        work("b").await
    });
    let mut engine = engine_of(registry.clone());
    gate.add_permits(1);
    ended(&engine).await;
    engine = engine.restart_with(registry.clone()).await.unwrap();
    for _ in 0..2 {
        let flow = instance(&engine, "flow").await;
        flow.rewind("again").await.unwrap();
        for _ in 0..2 {
            engine.settle().await;
            engine = engine.restart_with(registry.clone()).await.unwrap();
            engine.settle().await;
            let flow = instance(&engine, "flow").await;
            assert_eq!(flow.status().await.unwrap(), Status::Running);
        }
        gate.add_permits(1);
        let flow = instance(&engine, "flow").await;
        assert_eq!(flow.wait().await.unwrap().status, Status::Failed);
        engine.evict().await;
    }
    works.mend();
    gate.add_permits(2);
    let flow = instance(&engine, "flow").await;
    flow.rewind("mended").await.unwrap();
    engine = engine.restart_with(registry.clone()).await.unwrap();
    let flow = instance(&engine, "flow").await;
    assert_eq!(output(&registry, &flow).await, json!("b"));
    assert_eq!(works.runs(), ["a", "a", "a", "a", "b"]);
}

#[helper]
async fn told_to_stop() -> Result<Value, Error> {
    Ok(named::activity("stubborn", &Value::Null).await?)
}

/// Nobody waited for it when it was told to stop; what it then says is no answer to who waits now.
async fn with_a_body_that_still_runs(is_ended: bool) {
    let works = Works::broken(&["bad"]);
    let (told, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let runs = Arc::new(Mutex::new(0));
    let stubborn = {
        let (told, go, runs) = (Arc::clone(&told), Arc::clone(&go), Arc::clone(&runs));
        move |_| {
            let (told, go, runs) = (Arc::clone(&told), Arc::clone(&go), Arc::clone(&runs));
            async move {
                let run = {
                    let mut runs = runs.lock().unwrap();
                    *runs += 1;
                    *runs
                };
                if run == 1 {
                    activity::cancellation().cancelled().await;
                    told.add_permits(1);
                    go.acquire().await?.forget();
                    return Err(Error::msg("told to stop"));
                }
                Ok(json!(run))
            }
        }
    };
    let registry = works
        .registry()
        .named_activity("stubborn", stubborn)
        .named_orchestrator("flow", |_| async {
            let (stubborn, bad) = try_join!(told_to_stop(), later("bad"))?;
            Ok::<_, Error>(json!([stubborn, bad]))
        });
    let engine = engine_of(registry.clone());
    let started = engine.start(named::orchestrator("flow", &Value::Null));
    let flow = started.id("flow").await.unwrap();
    engine.advance(hours(1)).await;
    told.acquire().await.unwrap().forget();
    assert_eq!(flow.wait().await.unwrap().status, Status::Failed);
    works.mend();
    flow.rewind("mended").await.unwrap();
    engine.settle().await;
    assert_eq!(
        *runs.lock().unwrap(),
        1,
        "it has its place until it returns"
    );
    let why = flow.explain().await.unwrap().to_string();
    let told = "given up (its instance was rewound, and it runs again), it keeps its place";
    assert!(why.contains(told), "{why}");
    if is_ended {
        flow.terminate("over").await.unwrap();
        go.add_permits(1);
        engine.settle().await;
        assert_eq!(*runs.lock().unwrap(), 1, "nobody waits for it again");
        return;
    }
    go.add_permits(1);
    assert_eq!(output(&registry, &flow).await, json!([2, "bad"]));
}

#[tokio::test]
async fn a_body_that_still_runs_from_before_counts_for_nothing() {
    with_a_body_that_still_runs(false).await;
}

#[tokio::test]
async fn what_was_to_run_when_the_body_before_it_has_ended_does_not_once_its_instance_has() {
    with_a_body_that_still_runs(true).await;
}

/// Whoever waits for the end goes on waiting, for the next one.
#[tokio::test]
async fn who_asks_for_the_end_after_a_rewind_hears_of_the_next_one() {
    let works = Works::broken(&["a"]);
    let registry = works.registry().named_orchestrator("flow", |_| async {
        work("a").await?;
        Ok::<_, Error>(named::event("go").wait().await)
    });
    let engine = engine_of(registry.clone());
    let (flow, _) = ended(&engine).await;
    works.mend();
    flow.rewind("mended").await.unwrap();
    let waiting = tokio::spawn({
        let flow = flow.clone();
        async move { flow.wait().await }
    });
    engine.settle().await;
    assert!(!waiting.is_finished());
    flow.raise(&named::event("go"), json!(1)).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().status, Status::Completed);
}
