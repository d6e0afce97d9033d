//! Rewinding with children, and beside instances that are none.

use super::*;

/// What a child returned, or its failure as an error like any other.
#[helper]
async fn plainly(call: named::Orchestrator) -> Result<Value, Error> {
    Ok(call.await?)
}

/// `flow` has a child `middle`, which has a child `leaf` that works.
fn family(works: &Works) -> Registry {
    works
        .registry()
        .named_orchestrator("leaf", |name: Value| async move {
            work("leaf").await?;
            work(name.as_str().unwrap_or_default()).await
        })
        .named_orchestrator("middle", |name: Value| async move {
            work("middle").await?;
            let leaf = named::orchestrator("leaf", &name).id("leaf");
            Ok::<_, Error>(leaf.await?)
        })
        .named_orchestrator("flow", |_| async {
            let middle = named::orchestrator("middle", &json!("bad")).id("middle");
            let (waits, middle) = join!(named::orchestrator("leaf", &json!("good")), middle);
            Ok::<_, Error>(json!([waits?, middle?]))
        })
}

#[tokio::test]
async fn children_that_failed_are_rewound_with_their_parent() {
    let works = Works::broken(&["bad"]);
    let registry = family(&works);
    let engine = engine_of(registry.clone());
    let (flow, _) = ended(&engine).await;
    works.mend();
    flow.rewind("mended").await.unwrap();
    assert_eq!(output(&registry, &flow).await, json!(["good", "bad"]));
    let mut runs = works.runs();
    runs.sort();
    assert_eq!(runs, ["bad", "bad", "good", "leaf", "leaf", "middle"]);
    for id in ["middle", "leaf"] {
        let child = instance(&engine, id).await;
        assert_eq!(output(&registry, &child).await, json!("bad"), "{id}");
    }
}

/// The child is mended first, by itself; its parent, which was told of the failure, hears of the success when it is rewound.
#[tokio::test]
async fn a_child_that_was_rewound_by_itself_answers_its_parent_once_that_is_rewound() {
    for waits in [false, true] {
        let works = Works::broken(&["bad"]);
        let registry = family(&works);
        let mut engine = engine_of(registry.clone());
        let (mut flow, _) = ended(&engine).await;
        works.mend();
        let leaf = instance(&engine, "leaf").await;
        leaf.rewind("mended").await.unwrap();
        if waits {
            assert_eq!(output(&registry, &leaf).await, json!("bad"));
            assert_eq!(flow.status().await.unwrap(), Status::Failed);
        }
        // Nobody waits for it, and it goes on all the same.
        engine = engine.restart_with(registry.clone()).await.unwrap();
        flow = instance(&engine, "flow").await;
        flow.rewind("mended").await.unwrap();
        assert_eq!(output(&registry, &flow).await, json!(["good", "bad"]));
        let leaf = instance(&engine, "leaf").await;
        assert_eq!(output(&registry, &leaf).await, json!("bad"));
    }
}

#[tokio::test]
async fn a_child_that_was_cancelled_by_the_failure_of_its_parent_goes_on_with_it() {
    let works = Works::broken(&["bad"]);
    let registry = works
        .registry()
        .named_orchestrator("child", |_| async {
            work("first").await?;
            Ok::<_, Error>(named::event("go").wait().await)
        })
        .named_orchestrator("flow", |_| async {
            let child = named::orchestrator("child", &Value::Null).id("child");
            let (child, bad) = try_join!(plainly(child), later("bad"))?;
            Ok::<_, Error>(json!([child, bad]))
        });
    let engine = engine_of(registry.clone());
    let (flow, _) = ended(&engine).await;
    let child = instance(&engine, "child").await;
    assert_eq!(child.wait().await.unwrap().status, Status::Failed);
    works.mend();
    flow.rewind("mended").await.unwrap();
    engine.settle().await;
    assert_eq!(child.status().await.unwrap(), Status::Running);
    child.raise(&named::event("go"), json!(7)).await.unwrap();
    assert_eq!(output(&registry, &flow).await, json!([7, "bad"]));
    assert_eq!(works.runs(), ["first", "bad", "bad"]);
}

/// The instance that it waited for is nobody's child: it is rewound by itself, and first.
#[tokio::test]
async fn the_outcome_of_another_instance_is_asked_for_again() {
    let works = Works::broken(&["bad"]);
    let registry = works
        .registry()
        .named_orchestrator("other", |_| async { work("bad").await })
        .named_orchestrator("flow", |_| async {
            let other = named::orchestrator("other", &Value::Null);
            let other = start(other).id("other").await;
            Ok::<_, Error>(other.result().await?)
        });
    let engine = engine_of(registry.clone());
    let (flow, _) = ended(&engine).await;
    flow.rewind("too early").await.unwrap();
    assert_eq!(flow.wait().await.unwrap().status, Status::Failed);
    works.mend();
    let other = instance(&engine, "other").await;
    other.rewind("mended").await.unwrap();
    flow.rewind("mended").await.unwrap();
    assert_eq!(output(&registry, &flow).await, json!("bad"));
    assert_eq!(works.runs(), ["bad", "bad"]);
}

/// The parent that was told of the failure waits for something else, is held, or has ended: it hears nothing more of the child,
/// and the child is not ended for that, also not when all of it begins again.
#[tokio::test]
async fn a_child_that_is_rewound_alone_goes_on_whatever_its_parent_does() {
    for parent_is in ["waiting", "suspended", "ended", "terminated"] {
        let works = Works::broken(&["bad"]);
        let registry = works
            .registry()
            .named_orchestrator("child", |_| async {
                work("bad").await?;
                Ok::<_, Error>(named::event("go").wait().await)
            })
            .named_orchestrator("flow", move |_| async move {
                let child = named::orchestrator("child", &Value::Null).id("child");
                let child = plainly(child).await;
                if parent_is == "ended" {
                    return child;
                }
                let go = named::event("go").wait().await;
                Ok(json!([child.is_err(), go]))
            });
        let mut engine = engine_of(registry.clone());
        let started = engine.start(named::orchestrator("flow", &Value::Null));
        started.id("flow").await.unwrap();
        engine.settle().await;
        let flow = instance(&engine, "flow").await;
        match parent_is {
            "suspended" => drop(flow.suspend("for now").await.unwrap()),
            "terminated" => flow.terminate("over").await.unwrap(),
            _ => {}
        }
        let before = flow.history().await.unwrap();
        works.mend();
        let child = instance(&engine, "child").await;
        child.rewind("mended").await.unwrap();
        engine.settle().await;
        engine = engine.restart_with(registry.clone()).await.unwrap();
        engine.settle().await;
        let child = instance(&engine, "child").await;
        assert_eq!(
            child.status().await.unwrap(),
            Status::Running,
            "{parent_is}"
        );
        child.raise(&named::event("go"), json!(1)).await.unwrap();
        assert_eq!(output(&registry, &child).await, json!(1), "{parent_is}");
        engine.settle().await;
        let flow = instance(&engine, "flow").await;
        assert_eq!(flow.history().await.unwrap(), before, "{parent_is}");
        if parent_is == "suspended" {
            flow.resume("go on").await.unwrap();
        }
        if matches!(parent_is, "suspended" | "waiting") {
            flow.raise(&named::event("go"), json!(2)).await.unwrap();
            assert_eq!(output(&registry, &flow).await, json!([true, 2]));
        }
    }
}

/// What is broken, at once or after its time.
#[helper]
async fn bad(is_late: bool) -> Result<Value, Error> {
    if is_late {
        later("bad").await
    } else {
        work("bad").await
    }
}

/// `flow` waits for its child, which waits for an event, and for what is broken, which may take its time.
fn beside_a_child(works: &Works, is_late: bool) -> Registry {
    works
        .registry()
        .named_orchestrator("child", |_| async {
            Ok::<_, Error>(named::event("go").wait().await)
        })
        .named_orchestrator("flow", move |_| async move {
            let child = named::orchestrator("child", &Value::Null).id("child");
            let (child, bad) = try_join!(plainly(child), bad(is_late))?;
            Ok::<_, Error>(json!([child, bad]))
        })
}

/// Who is told again how a child ended has to hear it before that child is purged.
#[tokio::test]
async fn an_outcome_that_is_told_again_is_heard_before_the_child_is_purged() {
    let works = Works::broken(&["bad"]);
    let registry = beside_a_child(&works, false);
    let engine = engine_of(registry.clone());
    let (flow, _) = ended(&engine).await;
    let child = instance(&engine, "child").await;
    assert_eq!(child.wait().await.unwrap().status, Status::Failed);
    // It was cancelled, is rewound by itself, and ends well before its parent is.
    child.rewind("go on").await.unwrap();
    child.raise(&named::event("go"), json!(1)).await.unwrap();
    assert_eq!(child.wait().await.unwrap().status, Status::Completed);
    works.mend();
    let (rewound, purged) = tokio::join!(flow.rewind("mended"), child.purge());
    rewound.unwrap();
    assert_eq!(purged.unwrap().count, 1);
    assert_eq!(output(&registry, &flow).await, json!([1, "bad"]));
}

/// Its children hear of the failure a moment later, and end. Who rewinds it before that has to do it again, and no more often.
#[tokio::test]
async fn who_rewinds_a_parent_at_once_does_it_twice_at_most() {
    let works = Works::broken(&["bad"]);
    let registry = beside_a_child(&works, true);
    let engine = engine_of(registry.clone());
    let started = engine.start(named::orchestrator("flow", &Value::Null));
    let flow = started.id("flow").await.unwrap();
    let (early, mended) = (flow.clone(), works.clone());
    let early = tokio::spawn(async move {
        early.wait().await.unwrap();
        mended.mend();
        early.rewind("at once").await
    });
    engine.advance(hours(1)).await;
    early.await.unwrap().unwrap();
    engine.settle().await;
    let child = instance(&engine, "child").await;
    if flow.status().await.unwrap() == Status::Failed {
        assert_eq!(child.status().await.unwrap(), Status::Failed);
        flow.rewind("all have ended").await.unwrap();
        engine.settle().await;
    }
    child.raise(&named::event("go"), json!(7)).await.unwrap();
    assert_eq!(output(&registry, &flow).await, json!([7, "bad"]));
    assert_eq!(works.runs(), ["bad", "bad"]);
}
