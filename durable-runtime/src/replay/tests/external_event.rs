use std::pin::Pin;
use std::task::{Context, Poll};

use serde_json::json;

use super::support::*;
use crate::event::StallReason;
use crate::orchestration::{Event, join_all, seconds, sleep};
use crate::replay::TurnEnd;

static TEXT: Event<String> = Event::new("approval");
static APPROVAL: Event<u32> = Event::new("Approval");

#[test]
fn an_event_wakes_its_waiter_without_regard_to_case() {
    let code = code(|(): ()| async { APPROVAL.wait().await });
    let mut world = World::start(&code);
    world.raise("aPPROVAL", 7);
    assert_eq!(world.output(), json!(7));
}

#[test]
fn early_events_are_kept_in_order_and_one_wait_takes_one() {
    let code = code(|(): ()| async {
        double(1).await;
        let first = APPROVAL.wait().await;
        double(2).await;
        (first, APPROVAL.wait().await)
    });
    let mut world = World::start(&code);
    let turn = world.raise("approval", 1);
    assert_eq!(kinds(&turn.events), ["EventRaised", "TurnStarted"]);
    world.raise("approval", 2);
    world.complete(0, 2);
    world.complete(1, 4);
    assert_eq!(world.output(), json!([1, 2]));
}

#[test]
fn two_events_of_one_turn_go_to_the_oldest_waiter_first() {
    let code = code(|(): ()| async { join_all([APPROVAL.wait(), APPROVAL.wait()]).await });
    let mut world = World::start(&code);
    let arrivals = vec![world.raised("approval", 1), world.raised("approval", 2)];
    world.turn(arrivals);
    assert_eq!(world.output(), json!([1, 2]));
}

#[test]
fn age_counts_from_the_first_poll_not_from_the_place_in_the_code() {
    let code = code(|(): ()| async {
        let late = async {
            double(1).await;
            APPROVAL.wait().await
        };
        let early = async { APPROVAL.wait().await };
        futures_join(late, early).await
    });
    let mut world = World::start(&code);
    world.complete(0, 2);
    world.raise("approval", 1);
    world.raise("approval", 2);
    assert_eq!(world.output(), json!([2, 1]));
}

/// Both results, the first future polled first.
async fn futures_join<A, B>(a: A, b: B) -> (u32, u32)
where
    A: Future<Output = u32> + 'static,
    B: Future<Output = u32> + 'static,
{
    type Branch = Pin<Box<dyn Future<Output = u32>>>;
    let mut branches: [Option<Branch>; 2] = [Some(Box::pin(a)), Some(Box::pin(b))];
    let mut results = [None; 2];
    let mut group = crate::orchestration::group::Group::new(2);
    std::future::poll_fn(move |cx| {
        group.poll_children(&mut |index| {
            if let Some(branch) = &mut branches[index]
                && let Poll::Ready(value) = branch.as_mut().poll(cx)
            {
                results[index] = Some(value);
                branches[index] = None;
            }
            std::ops::ControlFlow::Continue(())
        });
        match results {
            [Some(a), Some(b)] => Poll::Ready((a, b)),
            _ => Poll::Pending,
        }
    })
    .await
}

#[test]
fn a_dropped_waiter_does_not_eat_the_event() {
    let code = code(|(): ()| async {
        let lost = race(APPROVAL.wait(), double(1)).await.is_err();
        (lost, APPROVAL.wait().await)
    });
    let mut world = World::start(&code);
    world.complete(0, 2);
    world.raise("approval", 9);
    assert_eq!(world.output(), json!([true, 9]));
}

#[test]
fn a_woken_waiter_that_is_dropped_hands_the_event_to_the_next() {
    let code = code(|(): ()| async {
        // One arrival completes the first wait; the code then drops the second, which is entitled to what follows.
        let doomed = async {
            let both = join_all([APPROVAL.wait(), APPROVAL.wait()]);
            race(both, CANCEL.wait()).await.is_err()
        };
        let heir = async {
            double(1).await;
            APPROVAL.wait().await == 5
        };
        let as_number = |flag: bool| u32::from(flag);
        futures_join(async move { as_number(doomed.await) }, async move {
            as_number(heir.await)
        })
        .await
    });
    let mut world = World::start(&code);
    world.complete(0, 2);
    let arrivals = vec![world.raised("cancel", ()), world.raised("approval", 5)];
    world.turn(arrivals);
    assert_eq!(world.output(), json!([1, 1]));
}

static CANCEL: Event<()> = Event::new("cancel");

#[test]
fn an_event_that_is_awaited_in_time_cancels_the_deadline() {
    let code = code(|(): ()| async {
        let first = APPROVAL.wait().timeout(seconds(60)).await;
        let second = APPROVAL.wait().timeout(seconds(60)).await;
        (first.ok(), second.ok(), APPROVAL.wait().await)
    });
    let mut world = World::start(&code);
    world.raise("approval", 1);
    world.fire(1);
    world.raise("approval", 3);
    assert_eq!(world.output(), json!([1, null, 3]));
}

#[test]
fn an_event_that_is_not_what_the_waiter_reads_stalls_and_is_delivered_again_once_mended() {
    let broken = code(|(): ()| async { APPROVAL.wait().await });
    let mut world = World::start(&broken);
    let turn = world.raise("approval", "yes");
    assert_eq!(kinds(&turn.events), ["EventRaised", "ExecutionStalled"]);
    assert!(matches!(turn.end, TurnEnd::Stalled));
    let crate::event::HistoryEvent::ExecutionStalled(stalled) = &turn.events[1] else {
        panic!();
    };
    assert_eq!(stalled.reason, StallReason::Undecodable);
    assert!(
        stalled.report.contains("event `Approval`"),
        "{}",
        stalled.report
    );
    assert!(
        stalled.report.contains("external_event.rs:"),
        "{}",
        stalled.report
    );

    let mended = code(|(): ()| async { TEXT.wait().await });
    let mut world = World::resume(&mended, &world.history).unwrap();
    world.turn(Vec::new());
    assert_eq!(world.output(), json!("yes"));
}

#[test]
fn a_waiter_that_holds_an_event_without_being_polled_hands_it_on_when_dropped() {
    let code = code(|(): ()| async {
        let mut held = APPROVAL.wait();
        assert!(race(&mut held, CANCEL.wait()).await.is_err());
        let heir = async { APPROVAL.wait().await };
        let dropper = async move {
            double(1).await;
            drop(held);
            0
        };
        futures_join(heir, dropper).await
    });
    let mut world = World::start(&code);
    world.raise("cancel", ());
    let turn = world.raise("approval", 5);
    assert_eq!(
        kinds(&turn.events),
        ["EventRaised", "TurnStarted"],
        "the oldest has it"
    );
    world.complete(0, 2);
    assert_eq!(world.output(), json!([5, 0]));
}

#[test]
fn an_event_stays_with_the_oldest_waiter_while_a_younger_one_takes_the_next() {
    let code = code(|(): ()| async {
        let mut oldest = APPROVAL.wait();
        assert!(race(&mut oldest, CANCEL.wait()).await.is_err());
        let younger = APPROVAL.wait().await;
        (younger, oldest.await)
    });
    let mut world = World::start(&code);
    world.raise("cancel", ());
    world.raise("approval", 1);
    world.raise("approval", 2);
    assert_eq!(world.output(), json!([2, 1]));
}

/// A combinator as a user may write one: it polls both whenever it is polled.
struct Both<A: Future, B: Future> {
    first: Pin<Box<A>>,
    second: Pin<Box<B>>,
    results: (Option<A::Output>, Option<B::Output>),
}

impl<A: Future, B: Future> Future for Both<A, B>
where
    A::Output: Unpin,
    B::Output: Unpin,
{
    type Output = (A::Output, B::Output);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.results.0.is_none()
            && let Poll::Ready(result) = this.first.as_mut().poll(cx)
        {
            this.results.0 = Some(result);
        }
        if this.results.1.is_none()
            && let Poll::Ready(result) = this.second.as_mut().poll(cx)
        {
            this.results.1 = Some(result);
        }
        match (&mut this.results.0, &mut this.results.1) {
            (first @ Some(_), second @ Some(_)) => {
                Poll::Ready(first.take().zip(second.take()).unwrap())
            }
            _ => Poll::Pending,
        }
    }
}

#[test]
fn an_event_that_is_given_up_reaches_whom_only_the_code_itself_polls() {
    let code = code(|(): ()| async {
        let mut older = APPROVAL.wait();
        assert!(race(&mut older, sleep(seconds(1))).await.is_err());
        let gives_up = async {
            double(1).await;
            drop(older);
        };
        let both = Both {
            first: Box::pin(APPROVAL.wait()),
            second: Box::pin(gives_up),
            results: (None, None),
        };
        both.await.0
    });
    let mut world = World::start(&code);
    world.fire(0);
    world.raise("approval", 7);
    world.complete(1, 2);
    assert_eq!(world.output(), json!(7));
}
