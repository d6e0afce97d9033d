//! Events with an id are taken once, whatever happens between two raises of the same.

use durable_runtime::named;
use durable_runtime::prelude::*;
use durable_runtime::testing::check_replay;
use durable_runtime::{HistoryEvent, Registry, Status};
use serde_json::{Value, json};

use crate::support::{engine, engine_of, instance, recorded};

static PAID: Event<u32> = Event::new("event_ids.paid");

/// The sum of two payments, the first of which is awaited after an hour.
#[orchestrator(name = "event_ids.account")]
async fn account() -> u32 {
    sleep(hours(1)).await;
    PAID.wait().await + PAID.wait().await
}

/// Takes a payment in each execution, and ends with that of 0.
#[orchestrator(name = "event_ids.eternal")]
async fn eternal(sum: u32) -> u32 {
    match PAID.wait().await {
        0 => sum,
        paid => continue_as_new(eternal(sum + paid)).await,
    }
}

fn ids(history: &[HistoryEvent]) -> Vec<&str> {
    let ids = history.iter().filter_map(|event| match event {
        HistoryEvent::EventRaised(raised) => raised.event.as_deref(),
        _ => None,
    });
    ids.collect()
}

#[tokio::test]
async fn a_repeated_id_is_answered_and_not_recorded_over_eviction_and_restart() {
    let mut engine = engine();
    engine.start(account()).id("account").await.unwrap();
    for round in 0..6 {
        let account = instance(&engine, "account").await;
        // Whatever it carries.
        account
            .raise(&PAID, 100 + round)
            .id("payment-1")
            .await
            .unwrap();
        match round {
            0 => engine.settle().await,
            1 => engine.evict().await,
            // Killed, so that the next arrivals are recorded before any code runs.
            2 | 3 => engine = engine.restart().await.unwrap(),
            4 => engine.advance(hours(1)).await,
            _ => {}
        }
    }
    engine
        .raise("account", &PAID, 5)
        .id("payment-2")
        .await
        .unwrap();
    let handle = engine.handle(account, "account").await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), 105);
    // What was taken is known when the instance has ended, and when it was taken from memory.
    for _ in 0..2 {
        handle.raise(&PAID, 1).id("payment-1").await.unwrap();
        engine.evict().await;
    }
    let late = handle.raise(&PAID, 1).id("payment-3").await.unwrap_err();
    assert!(late.is_ended(), "{late}");
    let history = handle.history().await.unwrap();
    assert_eq!(ids(&history), ["payment-1", "payment-2"]);
    check_replay(&Registry::linked(), &history).unwrap();
}

#[tokio::test]
async fn two_of_one_id_in_one_inbox_are_one() {
    let engine = engine();
    let handle = engine.start(account()).await.unwrap();
    let raises = (0..5).map(|paid| handle.raise(&PAID, paid).id("p").into_future());
    for raised in futures_of(raises).await {
        raised.unwrap();
    }
    handle.raise(&PAID, 7).await.unwrap();
    handle.raise(&PAID, 7).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 7);
    assert_eq!(ids(&handle.history().await.unwrap()), ["p"]);
}

/// All of them, begun at once.
async fn futures_of<F>(futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: Vec<_> = futures.map(tokio::spawn).collect();
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.push(task.await.unwrap());
    }
    outputs
}

#[tokio::test]
async fn an_event_that_is_carried_over_keeps_its_id() {
    let engine = engine();
    let handle = engine.start(eternal(0)).id("eternal").await.unwrap();
    engine.settle().await;
    let raises = [("a", 1), ("b", 2), ("c", 3)]
        .map(|(id, paid)| handle.raise(&PAID, paid).id(id).into_future());
    for raised in futures_of(raises.into_iter()).await {
        raised.unwrap();
    }
    handle.raise(&PAID, 0).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 6);
}

async fn waits(_: Value) -> Result<Value, Error> {
    let first = named::event("go").wait().await;
    Ok(json!([first, named::event("go").wait().await]))
}

#[tokio::test]
async fn a_stalled_instance_knows_the_ids_it_has() {
    let good = || Registry::new().named_orchestrator("waits", waits);
    let mut engine = engine_of(good());
    let start = engine.start(named::orchestrator("waits", &json!(null)));
    start.id("waits").await.unwrap();
    let go = named::event("go");
    engine
        .raise("waits", &go, json!(1))
        .id("one")
        .await
        .unwrap();
    // Nothing of that name is there: it stalls when something reaches it.
    engine = engine.restart_with(Registry::new()).await.unwrap();
    for _ in 0..3 {
        for id in ["one", "two"] {
            engine.raise("waits", &go, json!(id)).id(id).await.unwrap();
            engine.evict().await;
        }
    }
    let stalled = instance(&engine, "waits").await;
    assert_eq!(stalled.status().await.unwrap(), Status::Stalled);
    engine = engine.restart_with(good()).await.unwrap();
    let waits = instance(&engine, "waits").await;
    let ended = waits.wait().await.unwrap();
    assert_eq!(ended.status, Status::Completed);
    assert_eq!(ids(&waits.history().await.unwrap()), ["one", "two"]);
    assert_eq!(
        recorded(&waits)
            .await
            .iter()
            .filter(|kind| **kind == "event raised")
            .count(),
        2
    );
}

#[tokio::test]
async fn an_id_that_cannot_be_one_is_refused_before_anything_is_asked() {
    let engine = engine();
    let handle = engine.start(account()).await.unwrap();
    let long = "x".repeat(101);
    for (id, rule) in [
        ("", "it is empty"),
        ("~mine", "a leading `~` is reserved"),
        (long.as_str(), "it is longer than 100 bytes"),
    ] {
        let error = handle.raise(&PAID, 1).id(id).await.unwrap_err();
        let told = format!("{error:?}");
        assert!(told.ends_with(rule), "{told}");
    }
    handle.raise(&PAID, 1).id("x".repeat(100)).await.unwrap();
}

#[tokio::test]
async fn raising_by_id_says_who_is_not_there() {
    let engine = engine();
    let unknown = engine.raise("nobody", &PAID, 1).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no instance `nobody`");
    let invalid = engine.raise("no/body", &PAID, 1).await.unwrap_err();
    assert!(invalid.to_string().contains("none of"), "{invalid}");
    // On disk, and not begun: its first turn finds the event.
    engine.start(eternal(0)).id("early").await.unwrap();
    engine.raise("early", &PAID, 0).await.unwrap();
    let handle = engine.handle(eternal, "early").await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap(), 0);
    let ended = engine.raise("early", &PAID, 1).await.unwrap_err();
    assert!(ended.is_ended(), "{ended}");
}
