//! Removing what has ended, from a program.

use durable_runtime::prelude::*;
use durable_runtime::{PurgeError, Registry, Status, WaitError};

use crate::support::{engine, instance};

static GO: Event<u32> = Event::new("purging-go");

#[activity(name = "purging.charge")]
async fn charge(order: u32) -> u32 {
    order * 100
}

#[orchestrator(name = "purging.order")]
async fn order(number: u32) -> u32 {
    charge(number).await
}

#[orchestrator(name = "purging.waits")]
async fn waits() -> u32 {
    GO.wait().await
}

#[tokio::test]
async fn a_purged_instance_is_not_there_for_anybody() {
    let mut engine = engine();
    let handle = engine.start(order(1)).id("purging-1").await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 100);
    let seen = handle.summary().await.unwrap();
    let purged = handle.purge().await.unwrap();
    assert_eq!((purged.count, purged.is_complete), (1, true));
    for restarted in [false, true] {
        assert!(engine.instance("purging-1").await.unwrap().is_none());
        if restarted {
            break;
        }
        let error = handle.summary().await.unwrap_err().to_string();
        assert_eq!(error, "there is no instance `purging-1`");
        assert!(handle.history().await.is_err());
        let waited = handle.wait().await.unwrap_err();
        assert!(matches!(waited, WaitError::NotFound(_)), "{waited}");
        let changed = handle.changed(&seen).await.unwrap_err();
        assert!(matches!(changed, WaitError::NotFound(_)), "{changed}");
        let raised = handle.raise(&GO, 1).await.unwrap_err().to_string();
        assert_eq!(raised, "there is no instance `purging-1`");
        // Once more is no error.
        assert_eq!(handle.purge().await.unwrap().count, 0);
        engine = engine.restart().await.unwrap();
    }
}

#[tokio::test]
async fn what_runs_is_not_purged_and_the_error_says_why() {
    let engine = engine();
    let handle = engine.start(waits()).id("purging-runs").await.unwrap();
    engine.settle().await;
    let error = handle.purge().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "instance `purging-runs` was not purged: it is Running, and only what has ended can be; wait for its end, or end it \
         first"
    );
    handle.raise(&GO, 5).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 5);
    assert_eq!(handle.purge().await.unwrap().count, 1);
}

#[tokio::test]
async fn the_id_is_free_at_once_and_the_old_handle_knows_nothing_of_the_new_instance() {
    let mut engine = engine();
    let old = engine.start(order(1)).id("purging-again").await.unwrap();
    old.wait().await.unwrap();
    old.purge().await.unwrap();
    // Another input would be a conflict with the old one.
    let new = engine.start(order(2)).id("purging-again").await.unwrap();
    assert!(old.summary().await.is_err());
    assert_eq!(new.result().await.unwrap(), 200);
    assert_eq!(old.purge().await.unwrap().count, 0);
    assert_eq!(new.summary().await.unwrap().status, Status::Completed);
    engine = engine.restart().await.unwrap();
    let new = instance(&engine, "purging-again").await;
    assert_eq!(new.history().await.unwrap().len(), 6);
}

#[tokio::test]
async fn many_are_purged_at_once_and_what_runs_is_passed_over() {
    let engine = engine();
    let mut ids = Vec::new();
    for number in 0..1_200 {
        let id = format!("purging-many-{number}");
        engine.start(order(number)).id(&id).await.unwrap();
        ids.push(id);
    }
    engine.settle().await;
    engine.start(waits()).id("purging-last").await.unwrap();
    ids.push("purging-last".to_owned());
    ids.push("purging-nobody".to_owned());
    let purged = engine.purge(&ids).await.unwrap();
    assert_eq!((purged.count, purged.is_complete), (1_200, false));
    for id in &ids {
        let is_there = engine.instance(id).await.unwrap().is_some();
        assert_eq!(is_there, id == "purging-last", "{id}");
    }
    let purged = engine.purge(&ids[..1_200]).await.unwrap();
    assert_eq!((purged.count, purged.is_complete), (0, true));
    let error = engine.purge(["a/b"]).await.unwrap_err();
    assert!(matches!(error, PurgeError::InvalidId(_)), "{error}");
}

#[orchestrator(name = "purging.leaf")]
async fn leaf(number: u32) -> u32 {
    charge(number).await
}

#[orchestrator(name = "purging.branch")]
async fn branch(leaves: u32) -> u32 {
    let leaves = (0..leaves).map(leaf);
    join_all(leaves).await.into_iter().sum()
}

#[orchestrator(name = "purging.tree")]
async fn tree(branches: u32) -> usize {
    start(leaf(7)).id("purging-detached").await;
    join_all((0..branches).map(|_| branch(3))).await.len()
}

#[tokio::test]
async fn a_recursive_purge_takes_the_children_and_theirs_but_nobody_else() {
    let engine = engine();
    let handle = engine.start(tree(4)).id("purging-tree").await.unwrap();
    handle.wait().await.unwrap();
    engine.settle().await;
    let purged = handle.purge().recursive().await.unwrap();
    assert_eq!((purged.count, purged.is_complete), (1 + 4 + 4 * 3, true));
    assert!(engine.instance("purging-detached").await.unwrap().is_some());
}

#[orchestrator(name = "purging.leaves_early")]
async fn leaves_early() -> bool {
    waits().id("purging-child").timeout(hours(1)).await.is_err()
}

#[tokio::test]
async fn a_family_of_which_one_has_not_ended_stays() {
    let engine = engine();
    engine
        .start(leaves_early())
        .id("purging-parent")
        .await
        .unwrap();
    engine.settle().await;
    // A build that lacks the child cannot end it.
    let lacking = Registry::new().orchestrator(leaves_early);
    let engine = engine.restart_with(lacking).await.unwrap();
    engine.advance(hours(2)).await;
    let parent = instance(&engine, "purging-parent").await;
    assert_eq!(parent.status().await.unwrap(), Status::Completed);
    let error = parent.purge().recursive().await.unwrap_err();
    let PurgeError::Running { id, status } = error else {
        panic!("{error}");
    };
    assert_eq!((id.as_str(), status), ("purging-child", Status::Stalled));
    let purged = engine.purge(["purging-parent"]).recursive().await.unwrap();
    assert_eq!((purged.count, purged.is_complete), (0, false));

    let engine = engine.restart().await.unwrap();
    engine.settle().await;
    let parent = instance(&engine, "purging-parent").await;
    assert_eq!(parent.purge().recursive().await.unwrap().count, 2);
    assert!(engine.instance("purging-child").await.unwrap().is_none());
}

#[orchestrator(name = "purging.parent")]
async fn parent() -> u32 {
    waits().id("purging-heard").await + 1
}

/// Whoever ends an instance and purges it at once takes nothing from those who wait for it.
#[tokio::test]
async fn who_waits_for_an_instance_hears_how_it_ended_before_it_is_purged() {
    let mut engine = engine();
    for round in 0..3 {
        let id = format!("purging-parent-{round}");
        let parent = engine.start(parent()).id(&id).await.unwrap();
        engine.settle().await;
        let child = instance(&engine, "purging-heard").await;
        child.raise(&GO, 41).await.unwrap();
        child.wait().await.unwrap();
        assert_eq!(child.purge().await.unwrap().count, 1);
        // The id is another's before anything else can happen.
        let other = engine.start(order(3)).id("purging-heard").await.unwrap();
        if round == 1 {
            engine = engine.restart().await.unwrap();
            assert!(
                instance(&engine, &id)
                    .await
                    .wait()
                    .await
                    .unwrap()
                    .has_ended()
            );
            let other = instance(&engine, "purging-heard").await;
            other.wait().await.unwrap();
            other.purge().await.unwrap();
            continue;
        }
        assert_eq!(parent.result().await.unwrap(), 42);
        other.wait().await.unwrap();
        other.purge().await.unwrap();
    }
}

#[orchestrator(name = "purging.listed")]
async fn listed(number: u32) -> Result<u32, String> {
    if number.is_multiple_of(3) {
        return Err("a third fails".to_owned());
    }
    sleep(days(number.into())).await;
    Ok(number)
}

#[tokio::test]
async fn what_a_list_holds_is_purged_if_it_has_ended() {
    let engine = engine();
    let began = engine.now();
    for number in 1..=30 {
        let start = engine.start(listed(number)).tag(
            "shop",
            if number.is_multiple_of(2) {
                "Praha"
            } else {
                "Wien"
            },
        );
        start.await.unwrap();
    }
    for _ in 0..15 {
        engine.advance(days(1)).await;
    }
    // 10 have failed at once, and of the other 20 those have ended that wait for 15 days at most.
    let counts = || async { engine.counts_of("purging.listed").await.unwrap().total() };
    assert_eq!(counts().await, 30);
    let list = engine.instances().of(listed);
    let failed = list.clone().status(Status::Failed).tag("shop", "Wien");
    assert_eq!(failed.purge().await.unwrap().count, 5);
    let early = list
        .clone()
        .status(Status::Completed)
        .completed(..began + days(9));
    assert_eq!(early.purge().await.unwrap().count, 6);
    let purged = list.clone().purge().await.unwrap();
    assert_eq!((purged.count, purged.is_complete), (5 + 4, true));
    assert_eq!(counts().await, 10);
    let running = list.clone().status(Status::Running).purge().await.unwrap();
    assert_eq!((running.count, running.is_complete), (0, false));
    engine.advance(days(30)).await;
    assert_eq!(list.purge().await.unwrap().count, 10);
    assert_eq!(counts().await, 0);
}
