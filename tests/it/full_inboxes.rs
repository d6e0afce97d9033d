//! What nobody takes is bounded: a client hears `Busy`, what another instance sent waits.

use durable_runtime::named;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{HistoryEvent, RaiseError, Registry, Status};
use serde_json::{Value, json};

use crate::support::{instance, recorded};

static NOTE: Event<u32> = Event::new("full.note");
static GO: Event<u32> = Event::new("full.go");

/// A test engine whose instances take so many events, of so many bytes, that nobody awaits.
fn engine(events: usize, bytes: usize) -> TestEngine {
    let builder = crate::support::builder();
    builder.event_limit(events, bytes).start().unwrap()
}

/// Waits for a word, then takes so many notes.
#[orchestrator(name = "full.reader")]
async fn reader(notes: u32) -> (u32, Vec<u32>) {
    let word = GO.wait().await;
    let mut taken = Vec::new();
    for _ in 0..notes {
        taken.push(NOTE.wait().await);
    }
    (word, taken)
}

#[orchestrator(name = "full.writer")]
async fn writer(to: String, notes: u32) {
    for note in 0..notes {
        NOTE.send(&to, note).await;
    }
}

/// The word and the note, both sent in one turn, whatever else waits.
#[orchestrator(name = "full.sends_a_word")]
async fn sends_a_word(to: String) {
    NOTE.send(&to, 100).await;
    GO.send(&to, 7).await;
}

fn raised(history: &[HistoryEvent]) -> usize {
    let is_raised = |event: &&HistoryEvent| matches!(event, HistoryEvent::EventRaised(_));
    history.iter().filter(is_raised).count()
}

#[tokio::test]
async fn a_client_hears_busy_at_the_limit_and_not_before() {
    let engine = engine(3, 1 << 20);
    let handle = engine.start(reader(4)).id("reader").await.unwrap();
    for note in 0..3 {
        handle.raise(&NOTE, note).await.unwrap();
    }
    let before = engine.counters().commits;
    let busy = handle.raise(&NOTE, 3).await.unwrap_err();
    assert!(
        busy.is_busy() && matches!(busy, RaiseError::Busy { events: 3, .. }),
        "{busy}"
    );
    assert!(busy.to_string().contains("`reader`") && busy.to_string().contains("`event_limit`"));
    assert_eq!(engine.counters().commits, before, "nothing is recorded");
    assert_eq!(raised(&handle.history().await.unwrap()), 3);
    // What is awaited has room, so the reader takes the rest, and there is room again.
    handle.raise(&GO, 7).await.unwrap();
    handle.raise(&NOTE, 3).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), (7, vec![0, 1, 2, 3]));
    check_replay(&Registry::linked(), &handle.history().await.unwrap()).unwrap();
}

#[tokio::test]
async fn the_bytes_of_names_and_payloads_have_a_limit_and_a_lone_event_has_none() {
    let name = "full.text";
    let text = |bytes: usize| json!("x".repeat(bytes - 2));
    let event = named::event(name);
    for (second, fits) in [(39, true), (40, true), (41, false)] {
        let engine = engine(100, 2 * (name.len() + 40));
        let handle = engine.start(reader(1)).await.unwrap();
        handle.raise(&event, text(40)).await.unwrap();
        let raised = handle.raise(&event, text(second)).await;
        assert_eq!(raised.is_ok(), fits, "{second} bytes");
    }
    let engine = engine(100, 1);
    let handle = engine.start(reader(1)).await.unwrap();
    handle.raise(&event, text(1_000)).await.unwrap();
    assert!(
        handle
            .raise(&event, text(2))
            .await
            .is_err_and(|error| error.is_busy())
    );
}

#[tokio::test]
async fn a_repeated_id_is_answered_though_there_is_no_room() {
    let engine = engine(1, 1 << 20);
    let handle = engine.start(reader(1)).await.unwrap();
    handle.raise(&NOTE, 1).id("one").await.unwrap();
    assert!(
        handle
            .raise(&NOTE, 2)
            .id("two")
            .await
            .is_err_and(|error| error.is_busy())
    );
    handle.raise(&NOTE, 1).id("one").await.unwrap();
    // Nothing was recorded of the one that was refused, so it may be raised again.
    handle.raise(&GO, 0).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), (0, vec![1]));
}

#[tokio::test]
async fn what_was_sent_waits_for_room_and_keeps_its_order_over_eviction_and_restart() {
    for restarts in [false, true] {
        let mut engine = engine(3, 1 << 20);
        engine.start(reader(50)).id("reader").await.unwrap();
        let writer = engine.start(writer("reader".to_owned(), 50)).await.unwrap();
        writer.result().await.unwrap();
        engine.settle().await;
        engine.evict().await;
        let reader_history = instance(&engine, "reader").await.history().await.unwrap();
        assert_eq!(raised(&reader_history), 3);
        if restarts {
            engine = engine.restart().await.unwrap();
        }
        engine.raise("reader", &GO, 7).await.unwrap();
        let handle = engine.handle(reader, "reader").await.unwrap().unwrap();
        let expected: Vec<u32> = (0..50).collect();
        assert_eq!(handle.result().await.unwrap(), (7, expected));
        assert_eq!(raised(&handle.history().await.unwrap()), 51);
    }
}

/// A flood of notes would have kept the word away for good, as the code waits for that alone.
#[tokio::test]
async fn what_is_awaited_has_room_whoever_raises_or_sends_it() {
    for evicts in [false, true] {
        let engine = engine(2, 1 << 20);
        let handle = engine.start(late_reader()).id("reader").await.unwrap();
        engine.settle().await;
        engine.start(writer("reader".to_owned(), 10)).await.unwrap();
        engine.settle().await;
        // Nobody waits for a word yet: it finds no room either.
        let sender = engine
            .start(sends_a_word("reader".to_owned()))
            .await
            .unwrap();
        sender.result().await.unwrap();
        engine.settle().await;
        assert!(
            handle
                .raise(&GO, 8)
                .await
                .is_err_and(|error| error.is_busy())
        );
        if evicts {
            engine.evict().await;
        }
        engine.advance(hours(1)).await;
        engine.settle().await;
        handle.raise(&GO, 8).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), (7, 8));
    }
}

/// Awaits words after an hour, and never a note.
#[orchestrator(name = "full.late_reader")]
async fn late_reader() -> (u32, u32) {
    sleep(hours(1)).await;
    (GO.wait().await, GO.wait().await)
}

#[tokio::test]
async fn an_instance_that_ends_while_something_waits_for_room_leaves_nothing_behind() {
    let engine = engine(1, 1 << 20);
    let handle = engine.start(reader(0)).id("reader").await.unwrap();
    let writer = engine.start(writer("reader".to_owned(), 5)).await.unwrap();
    writer.result().await.unwrap();
    engine.settle().await;
    handle.raise(&GO, 1).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), (1, Vec::new()));
    engine.settle().await;
    let engine = engine.restart().await.unwrap();
    let ended = instance(&engine, "reader").await;
    assert_eq!(ended.status().await.unwrap(), Status::Completed);
}

/// Sends notes to itself, more than there is room for, and then takes them.
#[orchestrator(name = "full.to_itself")]
async fn to_itself(notes: u32) -> u32 {
    let me = info().instance;
    for note in 0..notes {
        NOTE.send(&me, note).await;
    }
    sleep(hours(1)).await;
    let mut sum = 0;
    for expected in 0..notes {
        let note = NOTE.wait().await;
        assert_eq!(note, expected);
        sum += note;
    }
    sum
}

#[tokio::test]
async fn an_instance_that_floods_itself_comes_through() {
    let engine = engine(4, 1 << 20);
    let handle = engine.start(to_itself(100)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 4_950);
}

async fn takes_three(_: Value) -> Result<Value, Error> {
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(named::event("go").wait().await);
    }
    Ok(json!(taken))
}

async fn sends_two(_: Value) -> Result<Value, Error> {
    for word in ["second", "third"] {
        named::event("go").send("taker", json!(word)).await;
    }
    Ok(json!(null))
}

/// The history of an instance that waits to be mended grew for as long as anybody raised.
#[tokio::test]
async fn a_stalled_instance_is_full_as_well_and_gets_the_rest_when_it_is_mended() {
    let senders = || Registry::new().named_orchestrator("sends", sends_two);
    let all = || senders().named_orchestrator("takes", takes_three);
    let builder = TestEngine::builder().registry(all());
    let mut engine = builder.event_limit(1, 1 << 20).start().unwrap();
    let start = engine.start(named::orchestrator("takes", &json!(null)));
    start.id("taker").await.unwrap();
    engine.settle().await;
    let go = named::event("go");
    for round in 0..3 {
        engine = engine.restart_with(senders()).await.unwrap();
        let raised = engine.raise("taker", &go, json!("first")).await;
        assert_eq!(raised.is_ok(), round == 0, "{raised:?}");
        if round == 0 {
            let start = engine.start(named::orchestrator("sends", &json!(null)));
            start.await.unwrap().result().await.unwrap().unwrap();
        }
        engine.settle().await;
        let taker = instance(&engine, "taker").await;
        assert_eq!(
            recorded(&taker).await,
            ["started", "turn", "event raised", "stalled"]
        );
    }
    let engine = engine.restart_with(all()).await.unwrap();
    let taker = instance(&engine, "taker").await;
    let ended = taker.wait().await.unwrap();
    assert_eq!(ended.status, Status::Completed);
    let history = taker.history().await.unwrap();
    assert_eq!(raised(&history), 3);
    check_replay(&all(), &history).unwrap();
}
