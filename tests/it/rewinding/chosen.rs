//! Children with ids that their parents chose, asked for again after a rewind.

use super::*;

/// `flow` pays, and has a child of its own name give back what it took if that fails.
fn shop(works: &Works) -> Registry {
    works
        .registry()
        .named_orchestrator("refund", |_| async { work("refund").await })
        .named_orchestrator("flow", |_| async {
            if let Err(error) = work("pay").await {
                let refund = named::orchestrator("refund", &Value::Null).id("refund-7");
                refund.await?;
                return Err(error);
            }
            Ok::<_, Error>(json!("paid"))
        })
}

#[tokio::test]
async fn a_child_that_is_asked_for_again_leaves_its_id_to_the_one_before() {
    let works = Works::broken(&["pay"]);
    let registry = shop(&works);
    let mut engine = engine_of(registry.clone());
    let (flow, first) = ended(&engine).await;
    for _ in 0..2 {
        flow.rewind("perhaps").await.unwrap();
        assert_eq!(flow.wait().await.unwrap().outcome, first.outcome);
    }
    let each = ["pay", "refund"];
    assert_eq!(works.runs(), [each, each, each].concat());
    let history = flow.history().await.unwrap();
    check_replay(&registry, &history).unwrap();
    let children = history.iter().filter_map(|event| match event {
        HistoryEvent::ChildScheduled(child) => Some(child.instance.as_str()),
        _ => None,
    });
    let children: Vec<_> = children.collect();
    assert_eq!(children[0], "refund-7");
    assert!(children[1].starts_with('~') && children[2].starts_with('~'));
    assert_ne!(children[1], children[2]);
    engine = engine.restart_with(registry.clone()).await.unwrap();
    works.mend();
    let flow = instance(&engine, "flow").await;
    flow.rewind("mended").await.unwrap();
    assert_eq!(output(&registry, &flow).await, json!("paid"));
}

#[helper]
async fn counts(can_count: bool) {
    assert!(can_count, "it cannot count");
}

/// Its turn ended before the child was started, so the id is still free.
#[tokio::test]
async fn a_child_that_was_never_started_gets_its_id() {
    let works = Works::default();
    let registry = |is_mended: bool| {
        let registry = works.registry();
        let registry =
            registry.named_orchestrator("child", |_| async { Ok::<_, Error>(json!("child")) });
        registry.named_orchestrator("flow", move |_| async move {
            let child = named::orchestrator("child", &Value::Null).id("child");
            let (child, ()) = join!(child, counts(is_mended));
            Ok::<_, Error>(child?)
        })
    };
    let engine = engine_of(registry(false));
    assert_eq!(ended(&engine).await.1.status, Status::Failed);
    let engine = engine.restart_with(registry(true)).await.unwrap();
    let flow = instance(&engine, "flow").await;
    flow.rewind("mended").await.unwrap();
    assert_eq!(output(&registry(true), &flow).await, json!("child"));
    let child = instance(&engine, "child").await;
    assert_eq!(child.status().await.unwrap(), Status::Completed);
}

/// The id is another's, before a rewind and after it.
#[tokio::test]
async fn an_id_that_belongs_to_another_is_refused_again() {
    let works = Works::broken(&["pay"]);
    let registry = works
        .registry()
        .named_orchestrator("refund", |_| async { Ok::<_, Error>(Value::Null) })
        .named_orchestrator("flow", |_| async {
            let paid = work("pay").await;
            let refund = named::orchestrator("refund", &Value::Null).id("refund-7");
            let refused = refund.await.is_err();
            work("log").await?;
            paid.map_err(|error| Error::msg(format!("{error}, {refused}")))
        });
    let engine = engine_of(registry);
    let refund = engine.start(named::orchestrator("refund", &Value::Null));
    refund.id("refund-7").await.unwrap();
    let (flow, first) = ended(&engine).await;
    assert!(format!("{:?}", first.outcome).contains("pay is broken, true"));
    flow.rewind("perhaps").await.unwrap();
    assert_eq!(flow.wait().await.unwrap().outcome, first.outcome);
    assert_eq!(works.runs(), ["pay", "log", "pay", "log"]);
}
