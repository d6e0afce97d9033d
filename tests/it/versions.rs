//! Versions side by side: which is the default, which runs what, and what an activity learns of it.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Registry, StallReason, StartError, Status, VersionPolicy, named};
use serde_json::json;

use crate::support::{engine_of, instance};

static GO: Event<()> = Event::new("versions-go");

#[activity(name = "versions.of_caller")]
async fn of_caller() -> Option<String> {
    activity::info().version.clone()
}

macro_rules! version {
    ($module:ident, $version:literal) => {
        mod $module {
            use super::*;

            #[orchestrator(name = "versions.flow", version = $version)]
            pub(super) async fn flow() -> String {
                GO.wait().await;
                let told = of_caller().await.unwrap_or_default();
                format!("{} ran {told}", $version)
            }
        }
    };
}

version!(two, "2");
version!(nine, "9");
version!(ten, "10.1");

#[orchestrator(name = "versions.parent")]
async fn parent() -> (Option<String>, Option<String>) {
    let child = named::orchestrator("versions.flow", &json!(null));
    let (child, started) = join!(child, async {
        start(named::orchestrator("versions.flow", &json!(null)))
            .await
            .result()
            .await
    });
    let text = |value: Result<serde_json::Value, _>| value.ok()?.as_str().map(str::to_owned);
    (text(child), text(started))
}

fn registry() -> Registry {
    Registry::new().activity(of_caller).orchestrator(parent)
}

fn engine_with(registry: Registry, policy: VersionPolicy) -> TestEngine {
    let builder = TestEngine::builder().registry(registry).versions(policy);
    builder.start().unwrap()
}

#[tokio::test]
async fn ten_is_above_nine_for_a_start_a_child_and_a_detached_start_by_name() {
    let all = registry()
        .orchestrator(two::flow)
        .orchestrator(ten::flow)
        .orchestrator(nine::flow);
    let engine = engine_of(all);
    let by_name = named::orchestrator("versions.flow", &json!(null));
    let by_name = engine.start(by_name).id("by-name").await.unwrap();
    let version = by_name.summary().await.unwrap().version;
    assert_eq!(version.as_deref(), Some("10.1"));
    by_name.raise(&GO, ()).await.unwrap();
    assert_eq!(by_name.result().await.unwrap(), Ok(json!("10.1 ran 10.1")));
    let parent = engine.start(parent()).await.unwrap();
    engine.settle().await;
    for event in parent.history().await.unwrap() {
        let id = match event {
            durable_runtime::HistoryEvent::ChildScheduled(child) => child.instance,
            durable_runtime::HistoryEvent::DetachedScheduled(start) => start.instance,
            _ => continue,
        };
        let started = instance(&engine, id.as_str()).await;
        started.raise(&GO, ()).await.unwrap();
    }
    let ran = || Some("10.1 ran 10.1".to_owned());
    assert_eq!(parent.result().await.unwrap(), (ran(), ran()));
}

#[tokio::test]
async fn a_parent_goes_on_with_the_version_that_it_asked_for_when_a_greater_one_comes() {
    let before = || registry().orchestrator(nine::flow);
    let engine = engine_of(before());
    engine.start(parent()).id("parent").await.unwrap();
    engine.settle().await;
    let engine = engine
        .restart_with(before().orchestrator(ten::flow))
        .await
        .unwrap();
    let parent = engine.handle(parent, "parent").await.unwrap().unwrap();
    for event in parent.history().await.unwrap() {
        let id = match event {
            durable_runtime::HistoryEvent::ChildScheduled(child) => child.instance,
            durable_runtime::HistoryEvent::DetachedScheduled(start) => start.instance,
            _ => continue,
        };
        let started = instance(&engine, id.as_str()).await;
        assert_eq!(
            started.summary().await.unwrap().version.as_deref(),
            Some("9")
        );
        started.raise(&GO, ()).await.unwrap();
    }
    let ran = || Some("9 ran 9".to_owned());
    assert_eq!(parent.result().await.unwrap(), (ran(), ran()));
}

#[tokio::test]
async fn the_next_greater_version_goes_on_with_what_is_older_and_the_code_sees_the_older() {
    let engine = engine_with(
        registry().orchestrator(two::flow),
        VersionPolicy::CurrentOrOlder,
    );
    engine.start(two::flow()).id("old").await.unwrap();
    engine.settle().await;
    let newer = registry().orchestrator(nine::flow).orchestrator(ten::flow);
    let engine = engine.restart_with(newer).await.unwrap();
    let old = engine.handle(two::flow, "old").await.unwrap().unwrap();
    old.raise(&GO, ()).await.unwrap();
    assert_eq!(old.result().await.unwrap(), "9 ran 2");
    let asked = named::orchestrator("versions.flow", &json!(null)).version("9.5");
    let asked = engine.start(asked).await.unwrap();
    asked.raise(&GO, ()).await.unwrap();
    assert_eq!(asked.result().await.unwrap(), Ok(json!("10.1 ran 9.5")));
    let beyond = named::orchestrator("versions.flow", &json!(null)).version("11");
    let refused = engine.start(beyond).await.unwrap_err();
    assert!(matches!(refused, StartError::Unregistered(_)), "{refused}");
}

#[tokio::test]
async fn an_older_version_never_runs_what_a_newer_one_has_begun() {
    for policy in [VersionPolicy::CurrentOrOlder, VersionPolicy::Strict] {
        let engine = engine_with(registry().orchestrator(nine::flow), policy);
        let handle = engine.start(nine::flow()).id("new").await.unwrap();
        engine.settle().await;
        drop(handle);
        let older = registry().orchestrator(two::flow);
        let engine = engine.restart_with(older).await.unwrap();
        let new = instance(&engine, "new").await;
        new.raise(&GO, ()).await.unwrap();
        engine.settle().await;
        let summary = new.summary().await.unwrap();
        assert_eq!(summary.status, Status::Stalled);
        let stalled = summary.stalled.unwrap();
        assert_eq!(stalled.reason, StallReason::Unregistered);
        let expected = "no orchestrator `versions.flow` version 9 is registered; versions of that name that are: `2`. Keep \
                        the function of a version until its last instance has ended";
        assert_eq!(stalled.report, expected);
    }
}

#[tokio::test]
async fn a_missing_version_stalls_and_the_report_names_what_there_is_and_the_policy() {
    let engine = engine_of(registry().orchestrator(two::flow));
    engine.start(two::flow()).id("old").await.unwrap();
    engine.settle().await;
    let newer = registry().orchestrator(ten::flow).orchestrator(nine::flow);
    let engine = engine.restart_with(newer).await.unwrap();
    let old = instance(&engine, "old").await;
    old.raise(&GO, ()).await.unwrap();
    engine.settle().await;
    let report = old.summary().await.unwrap().stalled.unwrap().report;
    assert!(
        report.contains("`versions.flow` version 2 is registered"),
        "{report}"
    );
    assert!(report.contains("that are: `9`, `10.1`."), "{report}");
    assert!(report.contains("VersionPolicy::CurrentOrOlder"), "{report}");
}

/// Whoever goes on in a new version leaves the others in the old one.
mod side_by_side {
    use super::*;

    pub(super) mod one {
        use super::*;

        #[orchestrator(name = "versions.moves", version = "1")]
        pub(in super::super) async fn moves(round: u32) -> String {
            GO.wait().await;
            match round {
                0 => continue_as_new(two::moves(round + 1)).await,
                _ => continue_as_new(moves(round + 1)).await,
            }
        }
    }

    pub(super) mod two {
        use super::*;

        #[orchestrator(name = "versions.moves", version = "2")]
        pub(in super::super) async fn moves(round: u32) -> String {
            GO.wait().await;
            format!(
                "{} after {round} rounds",
                info().version.unwrap_or_default()
            )
        }
    }
}

#[tokio::test]
async fn an_instance_moves_to_a_new_version_while_others_stay_in_the_old_one() {
    use side_by_side::{one, two};
    let both = Registry::new()
        .orchestrator(one::moves)
        .orchestrator(two::moves);
    let engine = engine_of(both);
    let moving = engine.start(one::moves(0)).await.unwrap();
    let staying = engine.start(one::moves(1)).await.unwrap();
    for _ in 0..2 {
        moving.raise(&GO, ()).await.unwrap();
        staying.raise(&GO, ()).await.unwrap();
        engine.evict().await;
    }
    assert_eq!(moving.result().await.unwrap(), "2 after 1 rounds");
    engine.settle().await;
    let staying = staying.summary().await.unwrap();
    assert_eq!(
        (staying.version.as_deref(), staying.execution.0),
        (Some("1"), 3)
    );
}
