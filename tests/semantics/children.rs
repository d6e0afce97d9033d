//! SUB: child orchestrations.

use std::sync::atomic::{AtomicBool, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::{Failure, HistoryEvent, Status, named};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{children, engine, instance, replayed, settled};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Refused {
    code: u32,
}

#[orchestrator(name = "sub.child")]
async fn child(code: u32) -> Result<u32, Refused> {
    sleep(hours(1)).await;
    if code > 100 {
        return Err(Refused { code });
    }
    Ok(code + 1)
}

#[orchestrator(name = "sub.parent")]
async fn parent(code: u32) -> Result<u32, Refused> {
    child(code).await
}

#[tokio::test]
async fn sub_1_a_child_is_an_instance_of_its_own_and_has_no_twin() {
    let mut engine = engine();
    engine.start(parent(1)).id("sub-1").await.unwrap();
    for _ in 0..3 {
        engine.settle().await;
        engine = engine.restart().await.unwrap();
    }
    let handle = engine.handle(parent, "sub-1").await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(2));
    let history = replayed(&handle).await;
    let [scheduled] = children(&history)[..] else {
        panic!("{history:?}");
    };
    assert!(scheduled.instance.as_str().starts_with('~'));
    let child = instance(&engine, scheduled.instance.as_str()).await;
    let link = child.summary().await.unwrap().parent.unwrap();
    assert_eq!(
        (link.instance.as_str(), link.scheduled),
        ("sub-1", scheduled.id)
    );
    assert!(replayed(&child).await.len() > 4);
}

#[tokio::test]
async fn sub_2_the_failure_of_a_child_arrives_as_declared() {
    let engine = engine();
    let handle = engine.start(parent(200)).await.unwrap();
    let expected = Refused { code: 200 };
    assert_eq!(handle.result().await.unwrap(), Err(expected.clone()));
    let history = replayed(&handle).await;
    let failed = history.iter().find_map(|event| match event {
        HistoryEvent::ChildFailed(failed) => Some(&failed.failure),
        _ => None,
    });
    let Some(Failure::Returned(returned)) = failed else {
        panic!("{history:?}");
    };
    let error_type = &returned.details.error_type;
    assert!(error_type.ends_with("Refused"), "{error_type}");
    assert_eq!(returned.error.decode::<Refused>().unwrap(), expected);
}

#[orchestrator(name = "sub.takes_the_id")]
async fn takes_the_id() -> String {
    match child(5).id("sub-taken").catch().await {
        Ok(result) => format!("{result:?}"),
        Err(fault) => format!("{:?}", fault.kind()),
    }
}

#[tokio::test]
async fn sub_3_a_child_id_in_use_is_a_fault_and_nobody_hangs() {
    let engine = engine();
    let owner = engine.start(child(1)).id("sub-taken").await.unwrap();
    let while_it_lives = engine.start(takes_the_id()).await.unwrap();
    assert_eq!(while_it_lives.result().await.unwrap(), "Conflict");
    assert_eq!(owner.result().await.unwrap(), Ok(2));
    let after_its_end = engine.start(takes_the_id()).await.unwrap();
    assert_eq!(after_its_end.result().await.unwrap(), "Conflict");
}

#[orchestrator(name = "sub.leaf")]
async fn leaf() -> Option<String> {
    info().version
}

mod two {
    use super::*;

    #[orchestrator(name = "sub.versioned_leaf", version = "2")]
    pub(super) async fn leaf() -> Option<String> {
        info().version
    }
}

#[orchestrator(name = "sub.versioned", version = "1")]
async fn versioned() -> [Option<String>; 3] {
    [info().version, leaf().await, two::leaf().await]
}

#[tokio::test]
async fn sub_4_a_child_has_a_version_of_its_own_and_not_that_of_its_parent() {
    let engine = engine();
    let handle = engine.start(versioned()).await.unwrap();
    let expected = [Some("1".to_owned()), None, Some("2".to_owned())];
    assert_eq!(handle.result().await.unwrap(), expected);
}

#[tokio::test]
async fn sub_5_an_end_from_outside_may_go_down_and_a_hold_does_not() {
    for is_recursive in [false, true] {
        let engine = engine();
        let handle = engine.start(named_parent()).await.unwrap();
        engine.settle().await;
        let child = instance(&engine, "sub-named").await;
        handle.suspend("held").await.unwrap();
        assert_eq!(child.status().await.unwrap(), Status::Running);
        let request = handle.terminate("over");
        let below = if is_recursive {
            request.recursive().await.unwrap();
            Status::Terminated
        } else {
            request.await.unwrap();
            Status::Running
        };
        assert_eq!(child.status().await.unwrap(), below);
    }
}

#[orchestrator(name = "sub.named_parent")]
async fn named_parent() -> String {
    match child(1).id("sub-named").catch().await {
        Ok(output) => format!("{output:?}"),
        Err(fault) => fault.to_string(),
    }
}

#[tokio::test]
async fn sub_6_a_child_that_is_ended_on_its_own_has_failed_to_its_parent() {
    let engine = engine();
    let handle = engine.start(named_parent()).await.unwrap();
    engine.settle().await;
    let child = instance(&engine, "sub-named").await;
    child.terminate("not wanted").await.unwrap();
    let told = "`sub.child` was terminated: not wanted";
    assert_eq!(handle.result().await.unwrap(), told);
    let history = replayed(&handle).await;
    let failed = |event: &&HistoryEvent| matches!(event, HistoryEvent::ChildFailed(_));
    assert_eq!(history.iter().filter(failed).count(), 1);
}

#[tokio::test]
async fn sub_5_a_purge_goes_down_to_children_if_that_is_said() {
    let engine = engine();
    for (recursive, count) in [(false, 1), (true, 2)] {
        let parent = engine.start(parent(1)).await.unwrap();
        parent.wait().await.unwrap();
        let purge = parent.purge();
        let purge = if recursive { purge.recursive() } else { purge };
        assert_eq!(purge.await.unwrap().count, count);
    }
}

#[orchestrator(name = "sub.by_name", version = "9")]
async fn by_name_nine() -> Option<String> {
    info().version
}

#[orchestrator(name = "sub.by_name", version = "10")]
async fn by_name_ten() -> Option<String> {
    info().version
}

#[orchestrator(name = "sub.asks_by_name")]
async fn asks_by_name() -> (String, String) {
    let call = || named::orchestrator("sub.by_name", &json!(null));
    let child = call().await;
    let detached = start(call()).await.result().await;
    (format!("{child:?}"), format!("{detached:?}"))
}

#[tokio::test]
async fn sub_4_a_child_by_name_has_the_default_version() {
    let engine = engine();
    let handle = engine.start(asks_by_name()).await.unwrap();
    let ten = || format!("{:?}", Ok::<_, Failure>(json!("10")));
    assert_eq!(handle.result().await.unwrap(), (ten(), ten()));
    let history = replayed(&handle).await;
    assert_eq!(children(&history)[0].version.as_deref(), Some("10"));
    let exact = engine.start(by_name_nine()).await.unwrap();
    assert_eq!(exact.result().await.unwrap().as_deref(), Some("9"));
}

static STOCK_IS_THERE: AtomicBool = AtomicBool::new(false);

#[activity(name = "sub.pick")]
async fn pick() -> Result<u32, String> {
    let is_there = STOCK_IS_THERE.load(Ordering::Relaxed);
    is_there.then_some(3).ok_or("out of stock".to_owned())
}

#[orchestrator(name = "sub.picks")]
async fn picks() -> Result<u32, String> {
    pick().await
}

#[orchestrator(name = "sub.ships")]
async fn ships() -> Result<u32, String> {
    picks().id("sub-5-child").await
}

#[tokio::test]
async fn sub_5_a_rewind_goes_down_to_children_that_failed() {
    let engine = engine();
    let parent = engine.start(ships()).await.unwrap();
    assert!(parent.result().await.unwrap().is_err());
    STOCK_IS_THERE.store(true, Ordering::Relaxed);
    parent.rewind("it has come").await.unwrap();
    assert_eq!(parent.result().await.unwrap(), Ok(3));
    let child = settled(&engine, "sub-5-child").await;
    assert_eq!(child.status, Status::Completed);
}
