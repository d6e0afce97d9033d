//! VER: versions.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Outcome, Registry, StallReason, StartError, Status, VersionPolicy, named};
use serde_json::{Value, json};

use crate::support::{engine_of, instance, settled};

static GO: Event<u32> = Event::new("ver-go");

mod one {
    use super::*;

    #[orchestrator(name = "ver.flow", version = "1")]
    pub(super) async fn flow() -> String {
        let version = info().version.unwrap_or_default();
        format!("{} of {version}", GO.wait().await)
    }

    #[orchestrator(name = "ver.taken", version = "1")]
    pub(super) async fn taken() -> String {
        format!("{} by 1", GO.wait().await)
    }

    #[orchestrator(name = "ver.moves", version = "1")]
    pub(super) async fn moves(n: u32) -> u32 {
        continue_as_new(two::moves(n + 1)).await
    }
}

mod two {
    use super::*;

    #[orchestrator(name = "ver.flow", version = "2")]
    pub(super) async fn flow() -> String {
        let version = info().version.unwrap_or_default();
        sleep(hours(1)).await;
        format!("slowly {} of {version}", GO.wait().await)
    }

    #[orchestrator(name = "ver.ranked", version = "2")]
    pub(super) async fn ranked() -> String {
        info().version.unwrap_or_default()
    }

    #[orchestrator(name = "ver.taken", version = "2")]
    pub(super) async fn taken() -> String {
        let whose = info().version.unwrap_or_default();
        format!("{} of {whose} by 2", GO.wait().await)
    }

    #[orchestrator(name = "ver.moves", version = "2")]
    pub(super) async fn moves(n: u32) -> u32 {
        n * 10
    }
}

#[activity(name = "ver.of_caller")]
async fn of_caller() -> Option<String> {
    activity::info().version.clone()
}

#[orchestrator(name = "ver.asks", version = "3-beta")]
async fn asks() -> Option<String> {
    of_caller().await
}

mod none {
    use super::*;

    #[orchestrator(name = "ver.ranked")]
    pub(super) async fn ranked() -> String {
        info().version.unwrap_or_default()
    }
}

mod ten {
    use super::*;

    #[orchestrator(name = "ver.ranked", version = "10")]
    pub(super) async fn ranked() -> String {
        info().version.unwrap_or_default()
    }
}

/// What came after both, under a name of its own.
#[orchestrator(name = "ver.flow_anew")]
async fn flow_anew() -> String {
    format!("anew {}", GO.wait().await)
}

fn first() -> Registry {
    Registry::new().orchestrator(one::flow)
}

fn both() -> Registry {
    first().orchestrator(two::flow)
}

#[tokio::test]
async fn ver_1_an_instance_has_a_version_and_its_code_sees_it() {
    let engine = engine_of(both().activity(of_caller).orchestrator(asks));
    let chosen = engine.start(one::flow()).await.unwrap();
    chosen.raise(&GO, 5).await.unwrap();
    assert_eq!(chosen.result().await.unwrap(), "5 of 1");
    let request = named::orchestrator("ver.flow", &json!([])).version("1");
    let by_name = engine.start(request).await.unwrap();
    let version = by_name.summary().await.unwrap().version;
    assert_eq!(version.as_deref(), Some("1"));
    // So does an activity.
    let asked = engine.start(asks()).await.unwrap();
    assert_eq!(asked.result().await.unwrap().as_deref(), Some("3-beta"));
}

#[tokio::test]
async fn ver_2_no_other_version_runs_what_one_has_begun() {
    let engine = engine_of(first());
    let handle = engine.start(one::flow()).id("ver-2").await.unwrap();
    handle.raise(&GO, 5).await.unwrap();
    handle.wait().await.unwrap();
    engine.start(one::flow()).id("ver-2-open").await.unwrap();
    engine.settle().await;
    let newer = Registry::new().orchestrator(two::flow);
    let engine = engine.restart_with(newer).await.unwrap();
    let open = instance(&engine, "ver-2-open").await;
    open.raise(&GO, 1).await.unwrap();
    let stalled = settled(&engine, "ver-2-open").await.stalled.unwrap();
    assert_eq!(stalled.reason, StallReason::Unregistered);
    assert_eq!(settled(&engine, "ver-2").await.status, Status::Completed);
}

#[tokio::test]
async fn ver_2_a_greater_version_takes_over_what_is_older_if_the_policy_says_so() {
    let policy = VersionPolicy::CurrentOrOlder;
    let builder = TestEngine::builder().versions(policy);
    let registry = Registry::new().orchestrator(one::taken);
    let engine = builder.registry(registry).start().unwrap();
    engine.start(one::taken()).id("older").await.unwrap();
    let newer = engine.start(two::taken()).await;
    assert!(newer.is_err_and(|error| matches!(error, StartError::Unregistered(_))));
    engine.settle().await;
    let registry = Registry::new().orchestrator(two::taken);
    let engine = engine.restart_with(registry).await.unwrap();
    let older = engine.handle(two::taken, "older").await.unwrap();
    let older = older.unwrap();
    older.raise(&GO, 4).await.unwrap();
    assert_eq!(older.result().await.unwrap(), "4 of 1 by 2");
}

#[tokio::test]
async fn ver_3_none_is_the_lowest_and_numbers_are_compared_as_numbers() {
    let versions = Registry::new()
        .orchestrator(none::ranked)
        .orchestrator(two::ranked)
        .orchestrator(ten::ranked);
    let engine = engine_of(versions);
    let by_name = named::orchestrator("ver.ranked", &json!(null));
    let by_name = engine.start(by_name).await.unwrap();
    assert_eq!(by_name.result().await.unwrap(), Ok(json!("10")));
    let lower = Registry::new()
        .orchestrator(none::ranked)
        .orchestrator(two::ranked);
    let engine = engine_of(lower);
    let by_name = named::orchestrator("ver.ranked", &json!(null));
    let by_name = engine.start(by_name).await.unwrap();
    assert_eq!(by_name.result().await.unwrap(), Ok(json!("2")));
}

#[tokio::test]
async fn ver_4_versions_of_one_name_run_side_by_side() {
    let engine = engine_of(both());
    let (old, new) = (
        engine.start(one::flow()).await.unwrap(),
        engine.start(two::flow()).await.unwrap(),
    );
    for handle in [&old, &new] {
        handle.raise(&GO, 7).await.unwrap();
    }
    assert_eq!(old.result().await.unwrap(), "7 of 1");
    assert_eq!(new.result().await.unwrap(), "slowly 7 of 2");
}

#[tokio::test]
async fn ver_5_continue_as_new_may_go_on_in_another_version() {
    let registry = Registry::new()
        .orchestrator(one::moves)
        .orchestrator(two::moves);
    let engine = engine_of(registry);
    let handle = engine.start(one::moves(3)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 40);
    let version = handle.summary().await.unwrap().version;
    assert_eq!(version.as_deref(), Some("2"));
}

#[tokio::test]
async fn ver_6_a_new_name_leaves_what_runs_under_the_old_one_alone() {
    let engine = engine_of(first());
    engine.start(one::flow()).id("old").await.unwrap();
    engine.settle().await;
    let with_new = first().orchestrator(flow_anew);
    let engine = engine.restart_with(with_new).await.unwrap();
    let new = engine.start(flow_anew()).await.unwrap();
    new.raise(&GO, 2).await.unwrap();
    assert_eq!(new.result().await.unwrap(), "anew 2");
    let old = engine.handle(one::flow, "old").await.unwrap().unwrap();
    old.raise(&GO, 1).await.unwrap();
    assert_eq!(old.result().await.unwrap(), "1 of 1");
}

#[tokio::test]
async fn ver_7_a_missing_version_stalls_and_goes_on_once_it_is_there() {
    let engine = engine_of(both());
    engine.start(two::flow()).id("ver-7").await.unwrap();
    engine.settle().await;
    let engine = engine.restart_with(first()).await.unwrap();
    engine.advance(hours(1)).await;
    let stalled = settled(&engine, "ver-7").await.stalled.unwrap();
    assert_eq!(stalled.reason, StallReason::Unregistered);
    assert!(stalled.report.contains("version 2"), "{}", stalled.report);
    let engine = engine.restart_with(both()).await.unwrap();
    let handle = engine.handle(two::flow, "ver-7").await.unwrap().unwrap();
    handle.raise(&GO, 3).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "slowly 3 of 2");
}

/// Before the change, and with it.
async fn unpatched(_: Value) -> Result<Value, Error> {
    Ok(json!(GO.wait().await))
}

async fn patched(_: Value) -> Result<Value, Error> {
    let by = if changed("ver-7") { 10 } else { 1 };
    Ok(json!(GO.wait().await * by))
}

#[tokio::test]
async fn ver_7_a_patch_leaves_what_has_passed_it_alone() {
    let patch = Registry::new().named_orchestrator("ver.patch", patched);
    let engine = engine_of(Registry::new().named_orchestrator("ver.patch", unpatched));
    let start = || named::orchestrator("ver.patch", &json!(null));
    engine.start(start()).id("before").await.unwrap();
    engine.settle().await;
    let engine = engine.restart_with(patch).await.unwrap();
    let after = engine.start(start()).id("after").await.unwrap();
    engine.settle().await;
    engine.evict().await;
    let before = instance(&engine, "before").await;
    for instance in [&before, &after] {
        instance.raise(&GO, 7).await.unwrap();
    }
    assert_eq!(after.result().await.unwrap(), Ok(json!(70)));
    let outcome = settled(&engine, "before").await.outcome.unwrap();
    let Outcome::Completed(output) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(output.decode::<u32>().unwrap(), 7);
}
