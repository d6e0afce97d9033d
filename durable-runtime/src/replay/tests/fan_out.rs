use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use serde_json::json;

use super::support::*;
use crate::durable::Durable;
use crate::orchestration::{Event, join_all, sleep};
use crate::replay::Execution;

/// Counts the polls of what it holds.
pub(super) struct Counted<F> {
    pub(super) inner: F,
    pub(super) polls: Rc<Cell<usize>>,
}

impl<F: Durable + Unpin> Durable for Counted<F> {}

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.polls.set(self.polls.get() + 1);
        Pin::new(&mut self.inner).poll(cx)
    }
}

thread_local! {
    static POLLS: Rc<Cell<usize>> = Rc::default();
}

#[test]
fn a_fan_out_costs_two_polls_for_each_child() {
    const CHILDREN: u32 = 100_000;
    let children = usize::try_from(CHILDREN).unwrap();
    let code = code(|(): ()| async {
        let children = (0..CHILDREN).map(|n| Counted {
            inner: double(n),
            polls: POLLS.with(Rc::clone),
        });
        join_all(children)
            .await
            .into_iter()
            .map(u64::from)
            .sum::<u64>()
    });
    let mut world = World::start(&code);
    assert_eq!(world.commands().len(), children);
    // Backwards, so that each is as far from the front as it can be.
    for batch in (0..CHILDREN).rev().collect::<Vec<_>>().chunks(1_000) {
        let arrivals = batch.iter().map(|&n| world.completed(n, n * 2)).collect();
        world.turn(arrivals);
    }
    assert_eq!(POLLS.with(|polls| polls.get()), 2 * children);
    let mut again = Execution::new(IDENTITY, code);
    again.replay(&world.history).unwrap();
    assert_eq!(POLLS.with(|polls| polls.get()), 4 * children);
}

#[test]
fn results_are_in_the_order_of_the_calls() {
    let code = code(|(): ()| async { join_all((0..4).map(double)).await });
    let mut world = World::start(&code);
    for n in [2, 0, 3, 1] {
        world.complete(n, n * 10);
    }
    assert_eq!(world.output(), json!([0, 10, 20, 30]));
}

#[test]
fn an_empty_join_is_ready_at_once() {
    let code = code(|(): ()| async {
        join_all(Vec::<crate::orchestration::Sleep>::new())
            .await
            .len()
    });
    assert_eq!(World::start(&code).output(), json!(0));
}

#[test]
fn nested_joins_poll_only_the_branch_that_something_arrived_for() {
    struct Branch(Pin<Box<dyn Future<Output = u32>>>);
    impl Durable for Branch {}
    impl Future for Branch {
        type Output = u32;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u32> {
            self.0.as_mut().poll(cx)
        }
    }
    let code = code(|(): ()| async {
        let polls = POLLS.with(Rc::clone);
        let branch = |base: u32| {
            let inner = Branch(Box::pin(async move {
                let values = join_all((base..base + 3).map(double)).await;
                values.into_iter().sum()
            }));
            Counted {
                inner,
                polls: Rc::clone(&polls),
            }
        };
        join_all([branch(0), branch(10), branch(20)]).await
    });
    let mut world = World::start(&code);
    POLLS.with(|polls| polls.set(0));
    world.complete(4, 1);
    assert_eq!(
        POLLS.with(|polls| polls.get()),
        1,
        "the other two branches sleep on"
    );
    for n in [0, 1, 2, 3, 5, 6, 7, 8] {
        world.complete(n, 1);
    }
    assert_eq!(world.output(), json!([3, 3, 3]));
}

#[test]
fn what_was_polled_in_a_select_goes_on_after_it() {
    static NEWS: Event<u32> = Event::new("news");
    let code = code(|(): ()| async {
        let mut both = join_all([double(1), double(2)]);
        let first = {
            let both = std::future::poll_fn(|cx| Pin::new(&mut both).poll(cx));
            race(both, NEWS.wait()).await.err()
        };
        (first, both.await)
    });
    let mut world = World::start(&code);
    world.complete(1, 4);
    world.raise("news", 7);
    world.complete(0, 2);
    assert_eq!(world.output(), json!([7, [2, 4]]));
}

#[test]
fn branches_are_polled_in_written_order_and_the_first_arrival_wins() {
    let code = code(|(): ()| async {
        let winner = race(double(1), sleep(std::time::Duration::ZERO)).await;
        winner.is_ok()
    });
    let mut world = World::start(&code);
    let arrivals = vec![world.fired(1), world.completed(0, 2)];
    world.turn(arrivals);
    assert_eq!(world.output(), json!(false), "by arrival, not by place");
}
