//! Log lines: whose they are, and that a replay repeats none.

use durable_runtime::prelude::*;

use crate::collector::{self, Told};
use crate::engine;

#[activity(name = "logs.works")]
async fn works() -> u32 {
    tracing::info!("the activity works");
    7
}

static DONE: Event<()> = Event::new("done");

#[orchestrator(name = "logs.talks", version = "5")]
async fn talks() -> u32 {
    tracing::info!("begins");
    let number = works().await;
    tracing::info!(number, "has worked");
    DONE.wait().await;
    number
}

fn of(instance: &str) -> impl Fn(&Told) -> bool {
    move |line: &Told| {
        line.get("instance") == Some(instance) && line.target.starts_with("observing")
    }
}

#[tokio::test]
async fn a_line_of_an_orchestrator_says_whose_it_is_and_is_told_once() {
    let engine = engine();
    let handle = engine.start(talks()).id("talks").await.unwrap();
    engine.settle().await;
    engine.evict().await;
    handle.raise(&DONE, ()).await.unwrap();
    handle.result().await.unwrap();
    let lines = collector::lines(of("talks"));
    let told: Vec<_> = lines
        .iter()
        .filter_map(|line| line.get("message"))
        .collect();
    assert_eq!(told, ["begins", "has worked"]);
    for (field, expected) in [
        ("orchestrator", "logs.talks"),
        ("version", "5"),
        ("execution", "1"),
    ] {
        assert!(
            lines.iter().all(|line| line.get(field) == Some(expected)),
            "{field}"
        );
    }
}

#[tokio::test]
async fn a_line_of_an_activity_lies_in_its_span() {
    let engine = engine();
    engine.start(talks()).id("talks-too").await.unwrap();
    engine.settle().await;
    let id = "durabletask.task.instance_id";
    let lines =
        collector::lines(|line| line.get(id) == Some("talks-too") && line.get("message").is_some());
    let line = lines
        .iter()
        .find(|line| line.get("message") == Some("the activity works"));
    assert_eq!(line.unwrap().get("otel.name"), Some("activity:logs.works"));
}

#[tokio::test]
async fn the_stages_of_instances_and_activities_are_logged() {
    let engine = engine();
    let handle = engine.start(talks()).id("stages").await.unwrap();
    engine.settle().await;
    handle.raise(&DONE, ()).await.unwrap();
    handle.result().await.unwrap();
    engine.settle().await;
    let told = |target: &str| {
        let is_ours = |line: &Told| {
            line.get("instance") == Some("stages")
                && line.target == format!("durable_runtime::{target}")
        };
        let lines = collector::lines(is_ours);
        assert!(lines.iter().all(|line| line.level == "DEBUG"));
        let states = lines
            .iter()
            .filter_map(|line| line.get("state").map(str::to_owned));
        states.collect::<Vec<_>>()
    };
    let stages = ["created", "started", "awaited", "listening", "completed"];
    assert_eq!(told("lifecycle"), stages);
    assert_eq!(told("activity"), ["started", "completed"]);
}

#[activity(name = "logs.alone")]
async fn alone() -> u32 {
    7
}

#[orchestrator(name = "logs.asks")]
async fn asks() -> u32 {
    alone().await
}

#[tokio::test]
async fn a_call_outside_an_orchestrator_is_warned_of_once_for_each_place() {
    let engine = engine();
    assert_eq!(
        engine.start(asks()).await.unwrap().result().await.unwrap(),
        7
    );
    for _ in 0..3 {
        assert_eq!(alone().await, 7);
    }
    let line = line!() + 1;
    assert_eq!(alone().await, 7);
    let warned = collector::lines(|line| {
        line.get("activity") == Some("logs.alone") && line.get("site").is_some()
    });
    let places = warned.iter().filter_map(|line| line.get("site"));
    let places: Vec<_> = places
        .filter(|place| place.contains("observing/logs.rs"))
        .collect();
    assert_eq!(places.len(), 2, "{places:?}");
    assert!(places[1].contains(&format!(":{line}:")), "{places:?}");
    let message = warned[0].get("message").unwrap();
    assert!(message.contains("start an orchestrator"), "{message}");
}
