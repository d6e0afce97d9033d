//! `join_all(..).limit(n)` and `try_join_all(..).limit(n)`.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use serde_json::json;

use super::divergence::{divergence, sides};
use super::support::*;
use crate::durable::Durable;
use crate::failure::FaultKind;
use crate::orchestration::{join_all, side_effect, try_join_all};
use crate::replay::Execution;

#[test]
fn the_next_is_begun_in_the_turn_in_which_one_ends() {
    let code = code(|(): ()| async { join_all((0..5).map(double)).limit(2).await });
    let mut world = World::start(&code);
    assert_eq!(world.asked().len(), 2);
    world.complete(1, 10);
    assert_eq!(world.asked().len(), 1);
    let arrivals = vec![world.completed(0, 0), world.completed(2, 20)];
    world.turn(arrivals);
    assert_eq!(world.asked().len(), 2);
    world.complete(4, 40);
    assert_eq!(world.asked().len(), 0, "there is none left");
    world.complete(3, 30);
    assert_eq!(world.output(), json!([0, 10, 20, 30, 40]));
}

#[test]
fn after_an_error_none_is_begun_any_more() {
    let code = code(|(): ()| async { try_join_all((0..9).map(charge)).limit(3).await });
    let mut world = World::start(&code);
    world.complete(0, "0");
    assert_eq!(world.commands().len(), 4);
    world.fail(2, returned(&Declined::Card));
    assert_eq!(world.commands().len(), 4);
    assert_eq!(world.output(), json!({"Err": "Card"}));
}

#[test]
fn what_is_ready_at_once_makes_room_at_once() {
    let code = code(|(): ()| async {
        let values = (0..1_000).map(|n| side_effect(move || n));
        join_all(values).limit(1).await.into_iter().sum::<u32>()
    });
    assert_eq!(World::start(&code).output(), json!(499_500));
}

#[test]
fn a_limit_above_the_number_of_calls_is_none() {
    let code = code(|(): ()| async { join_all((0..3).map(double)).limit(usize::MAX).await });
    let mut world = World::start(&code);
    assert_eq!(world.asked().len(), 3);
    for n in 0..3 {
        world.complete(n, n);
    }
    assert_eq!(world.output(), json!([0, 1, 2]));
}

#[test]
fn a_limit_of_none_is_refused() {
    let code = code(|(): ()| async { join_all((0..3).map(double)).limit(0).await });
    let fault = World::start(&code).fault();
    assert_eq!(fault.kind(), FaultKind::Panicked);
    assert!(fault.message().contains("the least is 1"), "{fault}");
}

#[test]
fn another_limit_diverges() {
    let of =
        |limit| code(move |(): ()| async move { join_all((0..9).map(double)).limit(limit).await });
    let more = divergence(&of(2), &of(3));
    assert_eq!(sides(&more), (None, Some("ActivityScheduled `double`")));
    let fewer = divergence(&of(3), &of(2));
    assert_eq!(sides(&fewer), (Some("ActivityScheduled `double`"), None));
}

/// What a run costs.
#[derive(Default)]
struct Costs {
    polls: Cell<usize>,
    alive: Cell<usize>,
    alive_max: Cell<usize>,
}

/// A call that is counted while it is there.
struct Counted<F> {
    inner: F,
    costs: Rc<Costs>,
}

impl<F> Counted<F> {
    fn new(inner: F, costs: &Rc<Costs>) -> Self {
        costs.alive.set(costs.alive.get() + 1);
        costs
            .alive_max
            .set(costs.alive_max.get().max(costs.alive.get()));
        Self {
            inner,
            costs: Rc::clone(costs),
        }
    }
}

impl<F> Drop for Counted<F> {
    fn drop(&mut self) {
        self.costs.alive.set(self.costs.alive.get() - 1);
    }
}

impl<F: Durable + Unpin> Durable for Counted<F> {}

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.costs.polls.set(self.costs.polls.get() + 1);
        Pin::new(&mut self.inner).poll(cx)
    }
}

thread_local! {
    static COSTS: Rc<Costs> = Rc::default();
}

#[test]
fn a_hundred_thousand_cost_two_polls_each_and_the_memory_of_ten() {
    const CHILDREN: u32 = 100_000;
    let children = usize::try_from(CHILDREN).unwrap();
    let code = code(|(): ()| async {
        let costs = COSTS.with(Rc::clone);
        let calls = (0..CHILDREN).map(|n| Counted::new(double(n), &costs));
        let doubled = join_all(calls).limit(10).await;
        doubled.into_iter().map(u64::from).sum::<u64>()
    });
    let mut world = World::start(&code);
    let memory = world.execution.memory();
    // The ten that run end backwards.
    for ten in (0..CHILDREN).collect::<Vec<_>>().chunks(10) {
        let arrivals = ten.iter().rev().map(|&n| world.completed(n, n * 2));
        let arrivals = arrivals.collect();
        world.turn(arrivals);
        assert!(world.execution.memory() <= memory);
    }
    let sum = u64::from(CHILDREN) * u64::from(CHILDREN - 1);
    assert_eq!(world.unchecked_output(), json!(sum));
    let costs = COSTS.with(Rc::clone);
    assert_eq!(costs.polls.get(), 2 * children);
    assert_eq!(costs.alive_max.get(), 10);
    let mut again = Execution::new(IDENTITY, code);
    again.replay(&world.history).unwrap();
    assert_eq!(costs.polls.get(), 4 * children);
    assert_eq!(costs.alive_max.get(), 10);
}
