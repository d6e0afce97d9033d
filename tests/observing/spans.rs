//! Spans, with the names and attributes of Durable Task.

use std::collections::BTreeMap;

use durable_runtime::prelude::*;

use crate::collector::{self, Told};
use crate::{engine, order, pay};

const INSTANCE: &str = "durabletask.task.instance_id";

/// The spans that tell of these instances, by name and kind; turns left out.
fn spans_of(instances: &[&str]) -> BTreeMap<String, Told> {
    let target = "durabletask.event.target_instance_id";
    let is_of = |span: &Told, field| span.get(field).is_some_and(|id| instances.contains(&id));
    let spans = collector::spans(|span| is_of(span, INSTANCE) || is_of(span, target));
    let mut named = BTreeMap::new();
    for span in spans {
        let name = format!(
            "{} {}",
            span.get("otel.name").unwrap(),
            span.get("otel.kind").unwrap()
        );
        let twice = named.insert(name.clone(), span);
        assert!(twice.is_none(), "{name} was told twice");
    }
    named
}

#[tokio::test]
async fn an_instance_and_all_it_causes_are_one_tree() {
    let engine = engine();
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let handle = engine.start(order("tree".to_owned())).id("tree");
    let handle = handle.trace_context(given.parse().unwrap()).await.unwrap();
    handle.result().await.unwrap().unwrap();
    engine.settle().await;
    let spans = spans_of(&["tree", "tree-pack", "tree-mail"]);
    let parents: BTreeMap<&str, &str> = [
        ("create_orchestration:seen.order producer", "given"),
        (
            "orchestration:seen.order server",
            "create_orchestration:seen.order producer",
        ),
        (
            "activity:seen.pay client",
            "orchestration:seen.order server",
        ),
        ("activity:seen.pay server", "activity:seen.pay client"),
        (
            "orchestration:seen.pack@(2) client",
            "orchestration:seen.order server",
        ),
        (
            "orchestration:seen.pack@(2) server",
            "orchestration:seen.pack@(2) client",
        ),
        (
            "orchestration:seen.order:timer internal",
            "orchestration:seen.order server",
        ),
        (
            "orchestration_event:packed producer",
            "orchestration:seen.order server",
        ),
        (
            "create_orchestration:seen.mail producer",
            "orchestration:seen.order server",
        ),
        (
            "orchestration:seen.mail server",
            "create_orchestration:seen.mail producer",
        ),
    ]
    .into();
    let found: Vec<_> = spans.keys().map(String::as_str).collect();
    assert_eq!(found, parents.keys().copied().collect::<Vec<_>>());
    for (name, span) in &spans {
        let parent = match parents[name.as_str()] {
            "given" => "00f067aa0ba902b7",
            parent => spans[parent].get("span_id").unwrap(),
        };
        assert_eq!(span.get("parent_span_id"), Some(parent), "{name}");
        assert_eq!(
            span.get("trace_id"),
            Some("4bf92f3577b34da6a3ce929d0e0e4736"),
            "{name}"
        );
    }
    let timer = &spans["orchestration:seen.order:timer internal"];
    let at = |field| timer.get(field).unwrap().parse::<u64>().unwrap();
    assert_eq!(at("end_unix_ms") - at("start_unix_ms"), 300_000);
    assert_eq!(at("durabletask.fire_at"), at("end_unix_ms"));
}

#[tokio::test]
async fn attributes_say_what_it_is_and_how_it_ended() {
    let engine = engine();
    let handle = engine
        .start(order("said".to_owned()))
        .id("said")
        .await
        .unwrap();
    handle.result().await.unwrap().unwrap();
    engine.settle().await;
    let spans = spans_of(&["said", "said-pack"]);
    let says = |span: &str, expected: &[(&str, &str)]| {
        for (field, value) in expected {
            assert_eq!(spans[span].get(field), Some(*value), "{field} of {span}");
        }
    };
    says(
        "orchestration:seen.pack@(2) server",
        &[
            ("durabletask.type", "orchestration"),
            ("durabletask.task.name", "seen.pack"),
            ("durabletask.task.version", "2"),
            ("durabletask.task.execution_id", "1"),
            ("durabletask.task.status", "Completed"),
            ("otel.status_code", "OK"),
        ],
    );
    says(
        "activity:seen.pay server",
        &[
            ("durabletask.type", "activity"),
            ("durabletask.task.task_id", "0"),
        ],
    );
    says(
        "orchestration:seen.order:timer internal",
        &[("durabletask.type", "timer")],
    );
    let event = [
        ("durabletask.type", "event"),
        ("durabletask.event.name", "packed"),
    ];
    says("orchestration_event:packed producer", &event);
}

#[orchestrator(name = "spans.fails")]
async fn fails() -> Result<String, String> {
    pay(0).await
}

#[tokio::test]
async fn a_failure_is_the_status_of_all_three_spans() {
    let engine = engine();
    engine
        .start(fails())
        .id("fails")
        .await
        .unwrap()
        .wait()
        .await
        .unwrap();
    engine.settle().await;
    let spans = spans_of(&["fails"]);
    let failed: Vec<_> = spans
        .iter()
        .filter(|(_, span)| span.get("otel.status_code") == Some("ERROR"))
        .map(|(name, span)| (name.as_str(), span.get("otel.status_description")))
        .collect();
    let why = Some("nothing to pay");
    let names = [
        "activity:seen.pay client",
        "activity:seen.pay server",
        "orchestration:spans.fails server",
    ];
    assert_eq!(failed, names.map(|name| (name, why)));
}

static OVER: Event<()> = Event::new("over");

#[orchestrator(name = "spans.long")]
async fn long(rounds: u32) -> u32 {
    sleep(hours(1)).await;
    if rounds > 0 {
        return continue_as_new(long(rounds - 1)).await;
    }
    OVER.wait().await;
    rounds
}

/// It runs in three processes and two executions, and each of its spans is told once, by the process in which its execution
/// ended.
#[tokio::test]
async fn over_restarts_each_execution_is_told_once() {
    let engine = engine();
    engine.start(long(1)).id("long").await.unwrap();
    engine.settle().await;
    let own = |execution: &str| {
        collector::spans(|span| {
            span.get(INSTANCE) == Some("long")
                && span.get("otel.name") == Some("orchestration:spans.long")
                && span.get("durabletask.task.execution_id") == Some(execution)
        })
    };
    let engine = engine.restart().await.unwrap();
    assert!(own("1").is_empty(), "it has not ended");
    engine.advance(hours(1)).await;
    assert_eq!(own("1").len(), 1);
    assert_eq!(
        own("1")[0].get("durabletask.task.status"),
        Some("ContinuedAsNew")
    );
    engine.advance(hours(1)).await;
    let engine = engine.restart().await.unwrap();
    let long = engine.handle(long, "long").await.unwrap().unwrap();
    long.raise(&OVER, ()).await.unwrap();
    long.result().await.unwrap();
    engine.settle().await;
    let engine = engine.restart().await.unwrap();
    engine.settle().await;
    assert_eq!((own("1").len(), own("2").len()), (1, 1));
    let [first, second] = [own("1"), own("2")].map(|mut told| told.remove(0));
    assert_eq!(first.get("trace_id"), second.get("trace_id"));
    assert_ne!(first.get("span_id"), second.get("span_id"));
    let raised =
        collector::spans(|span| span.get("durabletask.event.target_instance_id") == Some("long"));
    assert_eq!(raised.len(), 1);
    assert_eq!(raised[0].get("trace_id"), first.get("trace_id"));
    assert_eq!(raised[0].get("otel.name"), Some("orchestration_event:over"));
}
