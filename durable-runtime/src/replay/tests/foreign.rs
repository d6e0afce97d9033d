use std::task::{Poll, Waker};

use super::support::*;
use crate::event::{HistoryEvent, StallReason};
use crate::orchestration::Event;

static GO: Event<()> = Event::new("go");

fn report(world: &World) -> &str {
    match world.history.last() {
        Some(HistoryEvent::ExecutionStalled(stalled)) => {
            assert_eq!(stalled.reason, StallReason::ForeignFuture);
            &stalled.report
        }
        event => panic!("{event:?}"),
    }
}

#[test]
fn a_future_that_keeps_the_waker_stalls_the_turn_that_polled_it() {
    let code = code(|(): ()| async {
        double(1).await;
        let mut kept = Vec::<Waker>::new();
        std::future::poll_fn(move |cx| {
            kept.push(cx.waker().clone());
            if kept.len() == 2 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    });
    let mut world = World::start(&code);
    let turn = world.complete(0, 2);
    assert_eq!(
        kinds(&turn.events),
        ["ActivityCompleted", "ExecutionStalled"]
    );
    assert!(
        report(&world).contains("it keeps the waker"),
        "{}",
        report(&world)
    );
    assert!(
        report(&world).contains("foreign.rs:"),
        "names the last step: {}",
        report(&world)
    );
}

#[test]
fn a_future_that_wakes_itself_is_foreign_too() {
    let code = code(|(): ()| async {
        let rings = std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        race(rings, GO.wait()).await.is_ok()
    });
    let world = World::start(&code);
    assert!(
        report(&world).contains("it rings the waker"),
        "{}",
        report(&world)
    );
    assert!(
        report(&world).contains("has not asked for anything yet"),
        "{}",
        report(&world)
    );
}

#[test]
fn a_wait_for_nothing_stalls_at_the_end_of_the_turn() {
    let code = code(|(): ()| std::future::pending::<()>());
    let world = World::start(&code);
    assert!(
        report(&world).contains("waits for nothing"),
        "{}",
        report(&world)
    );
}

#[test]
fn a_wait_for_an_event_is_a_wait_for_something() {
    let code = code(|(): ()| async { GO.wait().await });
    let world = World::start(&code);
    assert!(world.end.is_none());
    world.check();
}
