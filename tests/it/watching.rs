//! Waiting for a start, a revision or a status; and that nobody reads what is older than what they were told.

use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{Instance, Payload, Registry, Revision, Status, Summary};

use crate::real_files::Scratch;
use crate::support::engine_of;

static GO: Event<u32> = Event::new("watching-go");

#[orchestrator(name = "watching.counts")]
async fn counts(to: u32) -> u32 {
    let mut seen = 0;
    while seen < to {
        seen = GO.wait().await;
        set_status(&seen);
    }
    seen
}

#[orchestrator(name = "watching.generations")]
async fn generations(left: u32) -> u32 {
    let seen = GO.wait().await;
    if left > 0 {
        continue_as_new(generations(left - 1)).await;
    }
    seen
}

fn registry() -> Registry {
    Registry::new()
        .orchestrator(counts)
        .orchestrator(generations)
}

fn status_is(summary: &Summary, wanted: u32) -> bool {
    let is_it = |status: &Payload| status.decode::<u32>().is_ok_and(|status| status == wanted);
    summary.custom_status.as_ref().is_some_and(is_it)
}

/// Whether it still waits after a moment.
async fn waits(future: impl Future) -> bool {
    tokio::time::timeout(Duration::from_millis(50), future)
        .await
        .is_err()
}

#[tokio::test]
async fn a_wait_for_the_start_ends_with_the_first_turn() {
    let engine = engine_of(registry());
    let handle = engine.start(counts(1)).await.unwrap();
    let begun = handle.wait_started().await.unwrap();
    assert_eq!(begun.status, Status::Running);
    handle.raise(&GO, 1).await.unwrap();
    handle.wait().await.unwrap();
    assert_eq!(
        handle.wait_started().await.unwrap().status,
        Status::Completed
    );
}

#[tokio::test]
async fn a_wait_for_a_revision_ends_with_it_or_with_the_instance() {
    let engine = engine_of(registry());
    let handle = engine.start(counts(2)).await.unwrap();
    let begun = handle.wait_started().await.unwrap();
    assert_eq!(handle.wait_for(begun.revision()).await.unwrap(), begun);
    let next = Revision::from(u64::from(begun.revision()) + 1);
    assert!(waits(handle.wait_for(next)).await);
    handle.raise(&GO, 1).await.unwrap();
    assert!(handle.wait_for(next).await.unwrap().revision() >= next);
    handle.raise(&GO, 2).await.unwrap();
    let never = Revision::from(u64::MAX);
    assert_eq!(
        handle.wait_for(never).await.unwrap().status,
        Status::Completed
    );
}

#[tokio::test]
async fn a_wait_for_a_status_ends_with_it_or_with_the_instance() {
    let engine = engine_of(registry());
    let handle = engine.start(counts(3)).await.unwrap();
    assert!(waits(handle.wait_until(|summary| status_is(summary, 2))).await);
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.wait_until(|summary| status_is(summary, 2)).await }
    });
    handle.raise(&GO, 1).await.unwrap();
    engine.settle().await;
    handle.raise(&GO, 2).await.unwrap();
    let there = waiting.await.unwrap().unwrap();
    assert!(status_is(&there, 2) && !there.has_ended());
    // At once if it is so already.
    assert!(!waits(handle.wait_until(|summary| status_is(summary, 2))).await);
    handle.raise(&GO, 3).await.unwrap();
    let ended = handle
        .wait_until(|summary| status_is(summary, 2))
        .await
        .unwrap();
    assert_eq!(ended.status, Status::Completed);
}

#[tokio::test]
async fn revisions_rise_over_continue_as_new_and_a_restart() {
    let mut engine = engine_of(registry());
    engine.start(generations(4)).id("many").await.unwrap();
    let mut last = Revision::from(0);
    for _ in 0..5 {
        let many = engine.instance("many").await.unwrap().unwrap();
        let now = many.wait_started().await.unwrap().revision();
        assert!(now >= last, "{now} after {last}");
        many.raise(&GO, 7).await.unwrap();
        engine.settle().await;
        last = many.summary().await.unwrap().revision();
        assert!(last > now, "{last} after {now}");
        engine = engine.restart_with(registry()).await.unwrap();
        let many = engine.instance("many").await.unwrap().unwrap();
        assert_eq!(many.summary().await.unwrap().revision(), last);
        assert_eq!(many.overview().await.unwrap().revision(), last);
    }
    let many = engine.instance("many").await.unwrap().unwrap();
    assert_eq!(many.status().await.unwrap(), Status::Completed);
}

/// The revision by every way of looking, in turn.
async fn look(engine: &Engine, instance: &Instance, way: usize) -> Revision {
    match way % 4 {
        0 => instance.summary().await.unwrap().revision(),
        1 => instance.overview().await.unwrap().revision(),
        2 => {
            let all = engine.instances().await.unwrap().instances;
            all.first().unwrap().revision()
        }
        _ => {
            let running = engine.instances().id_prefix("busy").with_payloads();
            running.await.unwrap().instances.first().unwrap().revision()
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_reads_what_is_older_than_what_they_read_or_were_told() {
    const EVENTS: u32 = 300;
    let scratch = Scratch::new("watching");
    let engine = Engine::builder(scratch.file()).registry(registry());
    let engine = engine.open().await.unwrap();
    let writer = engine.start(counts(EVENTS)).id("busy").await.unwrap();
    let reader = engine.instance("busy").await.unwrap().unwrap();
    let reading = tokio::spawn({
        let (engine, reader) = (engine.clone(), reader.clone());
        async move {
            let (mut last, mut way) = (Revision::from(0), 0);
            loop {
                let now = look(&engine, &reader, way).await;
                assert!(now >= last, "{now} after {last}, read in way {}", way % 4);
                (last, way) = (now, way + 1);
                if reader.status().await.unwrap() == Status::Completed {
                    return way;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    for number in 1..=EVENTS {
        writer.raise(&GO, number).await.unwrap();
        let told = writer.summary().await.unwrap();
        // Another handle and another clone of the engine see at least that.
        for way in 0..4 {
            let seen = look(&engine.clone(), &reader, way).await;
            assert!(
                seen >= told.revision(),
                "{seen} after {}, in way {way}",
                told.revision()
            );
        }
        if number % 50 == 0 {
            // Long enough for what has waited to be folded.
            assert!(waits(std::future::pending::<()>()).await);
        }
    }
    assert_eq!(writer.result().await.unwrap(), EVENTS);
    assert!(reading.await.unwrap() > 100);
    engine.shutdown().await;
}
