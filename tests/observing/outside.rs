//! What is done to instances from outside, as it is told.

use std::sync::atomic::{AtomicBool, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::{LifecycleEvent, LifecycleEvents, LifecycleKind, Reuse, TraceContext};

use crate::collector::{self, Told};
use crate::engine;

static GO: Event<()> = Event::new("outside-go");

/// Runs until it is told that nobody waits for it.
#[activity(name = "outside.works")]
async fn works() {
    activity::cancelled().await;
}

#[orchestrator(name = "outside.waits", version = "1")]
async fn waits() -> String {
    GO.wait().await;
    info().trace_context.to_string()
}

/// Waits for an activity, a timer and a child.
#[orchestrator(name = "outside.asks")]
async fn asks(child: String) {
    join!(works(), sleep(days(1)), waits().id(child));
}

/// The next event; a test that waits for one in vain fails.
async fn next(events: &mut LifecycleEvents) -> LifecycleEvent {
    let next = tokio::time::timeout(std::time::Duration::from_secs(5), events.next());
    next.await.unwrap().unwrap().unwrap()
}

/// What was sent so far, as `id execution kind: reason`.
async fn told(events: &mut LifecycleEvents, last: &str) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let LifecycleEvent {
            kind, id, reason, ..
        } = next(events).await;
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        seen.push(format!("{id} {kind}{reason}"));
        if seen.last().is_some_and(|told| told.starts_with(last)) {
            return seen;
        }
    }
}

#[tokio::test]
async fn each_change_from_outside_is_told_once_with_its_reason() {
    let engine = engine();
    let mut events = engine.events();
    let held = engine.start(waits()).id("held").await.unwrap();
    engine.settle().await;
    for _ in 0..2 {
        held.suspend("the ledger is mended").await.unwrap();
    }
    // A restart finds it as it is, and that is no news.
    let engine = engine.restart().await.unwrap();
    assert_eq!(
        told(&mut events, "held suspended").await,
        [
            "held created",
            "held started",
            "held suspended: the ledger is mended"
        ]
    );
    let mut events = engine.events();
    let held = engine.instance("held").await.unwrap().unwrap();
    for _ in 0..2 {
        held.resume("it is mended").await.unwrap();
    }
    held.raise(&GO, ()).await.unwrap();
    held.wait().await.unwrap();
    let again = held.restart().await.unwrap();
    engine.settle().await;
    again.cancel("nobody wants it").await.unwrap();
    again.wait().await.unwrap();
    again.purge().await.unwrap();
    assert_eq!(again.purge().await.unwrap().count, 0);
    engine.start(waits()).id("end").await.unwrap();
    let seen = told(&mut events, "end").await;
    let faulted = "`outside.waits` was cancelled: nobody wants it";
    assert_eq!(
        seen,
        [
            "held resumed: it is mended",
            "held completed",
            "held purged",
            "held created",
            "held started",
            "held cancel_requested: nobody wants it",
            &format!("held failed: {faulted}"),
            "held purged",
            "end created",
        ]
    );
}

#[tokio::test]
async fn who_is_terminated_or_replaced_is_told_before_who_comes_after() {
    let engine = engine();
    let mut events = engine.events();
    engine
        .start(asks("cut-child".to_owned()))
        .id("cut")
        .await
        .unwrap();
    engine.settle().await;
    told(&mut events, "cut-child started").await;
    let cut = engine.instance("cut").await.unwrap().unwrap();
    cut.terminate("enough").recursive().await.unwrap();
    let later = engine.start(waits()).id("cut").reuse(Reuse::replace_any());
    later.after(hours(1)).await.unwrap();
    engine
        .start(waits())
        .id("cut")
        .reuse(Reuse::replace_any())
        .await
        .unwrap();
    engine.advance(hours(2)).await;
    assert_eq!(
        told(&mut events, "cut started").await,
        [
            "cut terminated: enough",
            "cut-child terminated: enough",
            "cut purged",
            // It has not begun when the next takes its place.
            "cut created",
            "cut terminated: another start of its id has replaced it",
            "cut purged",
            "cut created",
            "cut started",
        ]
    );
}

#[tokio::test]
async fn a_start_for_later_is_created_at_once_and_started_when_it_is_due() {
    let engine = engine();
    let mut events = engine.events();
    let later = engine.start(waits()).id("later").after(hours(1));
    let created = later.await.unwrap().summary().await.unwrap().created_at;
    engine.advance(hours(1)).await;
    let first = next(&mut events).await;
    let second = next(&mut events).await;
    assert_eq!((first.kind, first.at), (LifecycleKind::Created, created));
    assert_eq!(
        (second.kind, second.at),
        (LifecycleKind::Started, created + hours(1))
    );
}

#[tokio::test]
async fn what_is_purged_by_itself_is_told_too() {
    collector::install();
    let builder = durable_runtime::testing::TestEngine::builder();
    let engine = builder.retention(days(30)).start().unwrap();
    let mut events = engine.events();
    let old = engine.start(waits()).id("old").await.unwrap();
    old.raise(&GO, ()).await.unwrap();
    old.wait().await.unwrap();
    told(&mut events, "old completed").await;
    engine.advance(days(31)).await;
    let purged = next(&mut events).await;
    let ended = old.summary().await;
    assert!(ended.is_err(), "{ended:?}");
    assert_eq!(
        (purged.kind, purged.id.as_str()),
        (LifecycleKind::Purged, "old")
    );
    assert!(
        purged.at >= engine.now() - days(2),
        "it is purged now, and ended long ago"
    );
}

/// The spans of an instance that were told, as `name kind: status`.
fn spans_of(instance: &str) -> Vec<String> {
    let id = "durabletask.task.instance_id";
    let spans = collector::spans(|span| span.get(id) == Some(instance));
    let said = |span: &Told| {
        let [name, kind] =
            ["otel.name", "otel.kind"].map(|field| span.get(field).unwrap().to_owned());
        let status = span.get("durabletask.task.status").unwrap_or_default();
        format!("{name} {kind}: {status}")
    };
    let mut spans: Vec<_> = spans.iter().map(said).collect();
    spans.sort();
    spans
}

/// In memory or not, held or not: what it had asked for ends with it.
#[tokio::test]
async fn the_spans_of_a_terminated_execution_are_told_once() {
    for (id, is_evicted, is_held) in [
        ("out-a", false, false),
        ("out-b", true, false),
        ("out-c", false, true),
    ] {
        let engine = engine();
        let child = format!("{id}-child");
        let asking = engine.start(asks(child.clone())).id(id).await.unwrap();
        engine.settle().await;
        if is_evicted {
            engine.evict().await;
        }
        if is_held {
            // Both are in one commit.
            let (held, ended) = tokio::join!(asking.suspend("wait"), asking.terminate("enough"));
            held.unwrap();
            ended.unwrap();
        } else {
            asking.terminate("enough").await.unwrap();
        }
        engine.settle().await;
        assert_eq!(
            spans_of(id),
            [
                "activity:outside.works client: Canceled",
                "activity:outside.works server: ",
                "create_orchestration:outside.asks producer: ",
                "orchestration:outside.asks server: Terminated",
            ]
        );
        // The child goes on: its call is over, and it is not.
        let call = "orchestration:outside.waits@(1) client: Canceled";
        assert_eq!(spans_of(&child), [call]);
        let is_own = |span: &Told| span.get("durabletask.task.status") == Some("Terminated");
        let own = collector::spans(|span| {
            is_own(span) && span.get("durabletask.task.instance_id") == Some(id)
        });
        assert_eq!(own[0].get("otel.status_code"), Some("ERROR"));
        assert_eq!(own[0].get("otel.status_description"), Some("enough"));
    }
}

static OUT_OF_PAPER: AtomicBool = AtomicBool::new(true);

#[activity(name = "outside.weighs")]
async fn weighs() {}

#[activity(name = "outside.prints")]
async fn prints() -> Result<(), String> {
    if OUT_OF_PAPER.load(Ordering::Relaxed) {
        return Err("no paper".to_owned());
    }
    Ok(())
}

#[orchestrator(name = "outside.ships")]
async fn ships() -> Result<(), String> {
    weighs().await;
    prints().await
}

/// What it had done before its failure, and still counts, is not told again; what it does again is.
#[tokio::test]
async fn a_rewind_is_told_and_then_what_it_led_to() {
    let engine = engine();
    let mut events = engine.events();
    let shipping = engine.start(ships()).id("rewound").await.unwrap();
    shipping.result().await.unwrap().unwrap_err();
    engine.settle().await;
    let mut expected = [
        "activity:outside.prints client: Failed",
        "activity:outside.prints server: ",
        "activity:outside.weighs client: Completed",
        "activity:outside.weighs server: ",
        "create_orchestration:outside.ships producer: ",
        "orchestration:outside.ships server: Failed",
    ]
    .map(str::to_owned)
    .to_vec();
    assert_eq!(spans_of("rewound"), expected);

    OUT_OF_PAPER.store(false, Ordering::Relaxed);
    shipping.rewind("there is paper").await.unwrap();
    shipping.result().await.unwrap().unwrap();
    engine.settle().await;
    let again = [
        "activity:outside.prints client: Completed",
        "activity:outside.prints server: ",
        "orchestration:outside.ships server: Completed",
    ];
    expected.extend(again.map(str::to_owned));
    expected.sort();
    assert_eq!(spans_of("rewound"), expected);
    assert_eq!(
        told(&mut events, "rewound completed").await,
        [
            "rewound created",
            "rewound started",
            "rewound failed: no paper",
            "rewound rewound: there is paper",
            "rewound completed",
        ]
    );
}

fn context(trace: &str, span: &str) -> TraceContext {
    format!("00-{trace:0>32}-{span:0>16}-01").parse().unwrap()
}

#[tokio::test]
async fn an_instance_that_is_started_again_has_the_trace_of_its_own_start() {
    let engine = engine();
    let start = |from: &str| {
        engine
            .start(waits())
            .id("anew")
            .trace_context(context("abc", from))
    };
    let first = start("1").await.unwrap();
    first.raise(&GO, ()).await.unwrap();
    let mut contexts = vec![first.result().await.unwrap()];
    let ended = async |handle: durable_runtime::Handle<String>| {
        handle.raise(&GO, ()).await.unwrap();
        let trace = handle
            .summary()
            .await
            .unwrap()
            .trace
            .map(|trace| trace.span_id());
        (handle.result().await.unwrap(), trace)
    };
    // In the same trace, from another span; in one of its own; in another one.
    let (context_of, second) = ended(start("2").reuse(Reuse::replace_ended()).await.unwrap()).await;
    contexts.push(context_of);
    let restarted = engine.handle(waits, "anew").await.unwrap().unwrap();
    let (context_of, third) = ended(restarted.restart().await.unwrap()).await;
    contexts.push(context_of);
    assert_eq!(third, None);
    let restarted = engine.handle(waits, "anew").await.unwrap().unwrap();
    let again = restarted.restart().trace_context(context("def", "3"));
    contexts.push(ended(again.await.unwrap()).await.0);
    engine.settle().await;

    let traces: Vec<_> = contexts.iter().map(|context| &context[3..35]).collect();
    assert_eq!(traces[0], traces[1]);
    assert_eq!(traces[3].trim_start_matches('0'), "def");
    assert!(traces[2] != traces[0] && traces[2] != traces[3]);
    let created = collector::spans(|span| {
        span.get("otel.name") == Some("create_orchestration:outside.waits@(1)")
            && span.get("durabletask.task.instance_id") == Some("anew")
    });
    let parents: Vec<_> = created
        .iter()
        .map(|span| span.get("parent_span_id"))
        .collect();
    let given = |span| Some(span);
    assert_eq!(
        parents,
        [
            given("0000000000000001"),
            given("0000000000000002"),
            None,
            given("0000000000000003")
        ]
    );
    let spans: Vec<_> = created
        .iter()
        .map(|span| span.get("span_id").unwrap())
        .collect();
    assert_ne!(spans[0], spans[1], "two spans of one trace");
    assert_eq!(
        second.map(|span| format!("{span:016x}")).as_deref(),
        Some(spans[1])
    );
}

#[tokio::test]
async fn the_span_of_a_raise_lies_in_the_trace_of_whoever_raises() {
    let engine = engine();
    let raised = engine.start(waits()).id("raised-in").await.unwrap();
    let from = context("fed", "4");
    engine
        .raise("raised-in", &GO, ())
        .trace_context(from)
        .await
        .unwrap();
    let own = raised.result().await.unwrap();
    assert!(!own.contains("fed"), "what it does stays in its own trace");
    let target = "durabletask.event.target_instance_id";
    let spans = collector::spans(|span| span.get(target) == Some("raised-in"));
    assert_eq!(spans.len(), 1);
    let trace = spans[0].get("trace_id").unwrap().trim_start_matches('0');
    assert_eq!(
        (trace, spans[0].get("parent_span_id")),
        ("fed", Some("0000000000000004"))
    );
}
