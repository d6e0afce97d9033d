//! Trace contexts: carried in, passed on, and the same in every process.

use durable_runtime::TraceContext;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

use crate::{engine, order};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn given() -> TraceContext {
    let parent: TraceContext = format!("00-{TRACE}-00f067aa0ba902b7-01").parse().unwrap();
    parent.with_state("vendor=opaque").unwrap()
}

#[tokio::test]
async fn all_that_an_instance_causes_belongs_to_the_trace_of_its_start() {
    let engine = engine();
    let handle = engine.start(order("trace-all".to_owned())).id("trace-all");
    let handle = handle.trace_context(given()).await.unwrap();
    let contexts = handle.result().await.unwrap().unwrap();
    let mut spans = Vec::new();
    for context in &contexts {
        let context = context.trim_start_matches("7 ");
        let context: TraceContext = context.parse().unwrap();
        assert_eq!(format!("{:032x}", context.trace_id()), TRACE);
        spans.push(context.span_id());
    }
    spans.sort_unstable();
    spans.dedup();
    assert_eq!(spans.len(), 4, "{contexts:?}");
    for id in ["trace-all", "trace-all-pack", "trace-all-mail"] {
        let instance = engine.instance(id).await.unwrap().unwrap();
        let trace = instance.summary().await.unwrap().trace.unwrap();
        assert_eq!(trace.tracestate(), Some("vendor=opaque"), "{id}");
    }
}

/// Tells its context, once its process has died so often.
#[activity(name = "traces.tells")]
async fn tells(deaths: u32) -> String {
    if activity::delivery() <= deaths {
        activity::cancelled().await;
    }
    activity::trace_context().to_string()
}

#[orchestrator(name = "traces.halfway")]
async fn halfway(deaths: u32) -> [String; 4] {
    let before = info().trace_context.to_string();
    let first = tells(deaths).await;
    let then = tells(0).await;
    [before, first, then, info().trace_context.to_string()]
}

/// The contexts of `halfway`, which is stopped in its first activity `kills` times.
async fn contexts(mut engine: TestEngine, kills: u32) -> [String; 4] {
    let start = engine
        .start(halfway(kills))
        .id("halfway")
        .trace_context(given());
    start.await.unwrap();
    for _ in 0..kills {
        engine.settle().await;
        engine = engine.restart().await.unwrap();
    }
    let handle = engine.handle(halfway, "halfway").await.unwrap().unwrap();
    handle.result().await.unwrap()
}

#[tokio::test]
async fn a_restart_makes_the_same_contexts_but_for_the_delivery() {
    // Two engines of the same entropy have the same store id.
    let [once, twice] = [contexts(engine(), 1).await, contexts(engine(), 2).await];
    assert_eq!(
        (&once[0], &once[2], &once[3]),
        (&twice[0], &twice[2], &twice[3])
    );
    assert_eq!(once[0], once[3], "the own context stays");
    assert_ne!(once[1], twice[1], "each delivery has a span of its own");
    assert!(twice[1].contains(TRACE), "{twice:?}");
}

#[orchestrator(name = "traces.rounds")]
async fn rounds(left: u32, anew: bool, seen: Vec<String>) -> Vec<String> {
    let mut seen = seen;
    seen.push(info().trace_context.to_string());
    if left == 0 {
        return seen;
    }
    let next = continue_as_new(rounds(left - 1, anew, seen));
    if anew {
        next.new_trace().await
    } else {
        next.await
    }
}

#[tokio::test]
async fn executions_stay_in_their_trace_unless_each_begins_one() {
    let engine = engine();
    let of = |seen: &[String]| {
        seen.iter()
            .map(|context| context[3..35].to_owned())
            .collect::<Vec<_>>()
    };
    let start = engine
        .start(rounds(2, false, vec![]))
        .trace_context(given());
    let same = start.await.unwrap().result().await.unwrap();
    assert_eq!(of(&same), [TRACE; 3]);
    let start = engine.start(rounds(2, true, vec![])).trace_context(given());
    let anew = of(&start.await.unwrap().result().await.unwrap());
    assert_eq!(anew[0], TRACE);
    assert!(
        anew[1] != TRACE && anew[2] != TRACE && anew[1] != anew[2],
        "{anew:?}"
    );
}

#[tokio::test]
async fn without_a_context_an_instance_has_a_trace_of_its_own() {
    let engine = engine();
    let mut traces = Vec::new();
    for _ in 0..2 {
        let handle = engine.start(rounds(1, false, vec![])).await.unwrap();
        let seen = handle.result().await.unwrap();
        assert_eq!(seen[0][3..35], seen[1][3..35]);
        traces.push(seen[0][3..35].to_owned());
    }
    assert_ne!(traces[0], traces[1]);
}
