use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;

use super::divergence::{GO, divergence, sides};
use super::fan_out::Counted;
use super::support::*;
use crate::event::Pending;
use crate::orchestration::{Event, FuturesUnordered, seconds, sleep};
use crate::replay::{Code, Execution};

#[test]
fn results_come_in_the_order_of_the_history_and_more_may_be_pushed_meanwhile() {
    let code = code(|(): ()| async {
        let mut running: FuturesUnordered<_> = (0..3).map(double).collect();
        let mut results = Vec::new();
        while let Some(result) = running.next().await {
            results.push((result, running.len()));
            if results.len() == 2 {
                running.push(double(3));
                running.extend([double(4)]);
            }
        }
        results
    });
    let mut world = World::start(&code);
    assert_eq!(world.asked().len(), 3);
    world.complete(1, 1);
    assert_eq!(world.asked().len(), 0);
    let arrivals = vec![world.completed(2, 2), world.completed(0, 0)];
    world.turn(arrivals);
    assert_eq!(world.asked().len(), 2);
    world.complete(4, 4);
    world.complete(3, 3);
    let expected = json!([[1, 2], [2, 1], [0, 2], [4, 1], [3, 0]]);
    assert_eq!(world.output(), expected);
}

/// Pauses for a go after the first result.
fn pauses() -> Code {
    code(|(): ()| async {
        let mut running: FuturesUnordered<_> = (0..4).map(double).collect();
        let mut results: Vec<_> = running.next().await.into_iter().collect();
        GO.wait().await;
        running.push(double(4));
        while let Some(result) = running.next().await {
            results.push(result);
        }
        results
    })
}

#[test]
fn the_order_is_that_of_the_history_also_if_nobody_asked() {
    let mut world = World::start(&pauses());
    for n in [1, 3, 0, 2] {
        world.complete(n, n);
    }
    world.raise("go", ());
    assert_eq!(
        world.asked(),
        ["ActivityScheduled"],
        "begun although there were results to give"
    );
    world.complete(4, 4);
    assert_eq!(world.output(), json!([1, 3, 0, 2, 4]));
}

#[test]
fn what_is_ready_at_once_comes_after_what_came_before() {
    static NEWS: Event<u32> = Event::new("news");
    let code = code(|(): ()| async {
        let mut running = FuturesUnordered::new();
        running.push(NEWS.wait());
        assert!(race(running.next(), GO.wait()).await.is_err());
        sleep(seconds(1)).await;
        running.extend([NEWS.wait(), NEWS.wait()]);
        let mut all = Vec::new();
        while let Some(news) = running.next().await {
            all.push(news);
        }
        all
    });
    let mut world = World::start(&code);
    world.raise("go", ());
    for n in 1..3 {
        world.raise("news", n);
    }
    world.fire(0);
    world.raise("news", 3);
    assert_eq!(world.output(), json!([1, 2, 3]));
}

#[test]
fn an_empty_set_gives_none_and_may_be_filled_again() {
    let code = code(|(): ()| async {
        let mut running = FuturesUnordered::default();
        let before = running.next().await;
        running.push(double(1));
        (
            before,
            running.is_empty(),
            running.next().await,
            running.next().await,
        )
    });
    let mut world = World::start(&code);
    world.complete(0, 2);
    assert_eq!(world.output(), json!([null, false, 2, null]));
}

#[test]
fn a_dropped_set_cancels_what_runs_and_never_begins_the_rest() {
    let code = code(|(): ()| async {
        let mut running: FuturesUnordered<_> = (0..3).map(double).collect();
        running.next().await;
        running.push(double(3));
        running.clear();
        assert!(running.is_empty());
        running.push(double(4));
        drop(running);
        GO.wait().await;
    });
    let mut world = World::start(&code);
    world.complete(1, 2);
    assert_eq!(world.cancelled(), [Pending::Activity, Pending::Activity]);
    assert_eq!(world.asked().len(), 0);
    world.raise("go", ());
    assert_eq!(world.output(), json!(null));
}

#[test]
fn a_dropped_next_loses_nothing() {
    let code = code(|(): ()| async {
        let mut running: FuturesUnordered<_> = (0..4).map(double).collect();
        let (mut results, mut goes) = (Vec::new(), 0);
        while !running.is_empty() {
            if let Ok(result) = race(running.next(), GO.wait()).await {
                results.extend(result);
            } else {
                goes += 1;
                sleep(seconds(1)).await;
            }
        }
        (results, goes)
    });
    let mut world = World::start(&code);
    world.complete(2, 2);
    world.raise("go", ());
    let arrivals = vec![world.completed(1, 1), world.completed(0, 0)];
    world.turn(arrivals);
    world.fire(4);
    world.complete(3, 3);
    assert_eq!(world.output(), json!([[2, 1, 0, 3], 1]));
}

#[test]
fn a_result_that_was_not_asked_for_leaves_its_event_to_the_next_waiter() {
    static NEWS: Event<u32> = Event::new("news");
    let code = code(|(): ()| async {
        let mut running: FuturesUnordered<_> = (0..3).map(|_| NEWS.wait()).collect();
        assert!(race(running.next(), GO.wait()).await.is_err());
        sleep(seconds(1)).await;
        let first = running.next().await;
        drop(running);
        (first, NEWS.wait().await)
    });
    let mut world = World::start(&code);
    world.raise("go", ());
    let arrivals = vec![world.raised("news", 1), world.raised("news", 2)];
    world.turn(arrivals);
    world.fire(0);
    assert_eq!(world.output(), json!([1, 2]));
}

#[test]
fn another_order_of_pushes_diverges() {
    let of = |sleeps_first: bool| {
        code(move |(): ()| async move {
            let mut running = FuturesUnordered::new();
            for n in 0..2 {
                let limit = seconds(if sleeps_first == (n == 0) { 1 } else { 2 });
                running.push(double(n).timeout(limit));
            }
            running.next().await.is_some()
        })
    };
    // Times may change, inputs may not.
    World::resume(&of(false), &World::start(&of(true)).history).unwrap();
    let from = |first: u32| {
        code(move |(): ()| async move {
            let mut running: FuturesUnordered<_> =
                [first, 1 - first].map(double).into_iter().collect();
            running.next().await
        })
    };
    let other = divergence(&from(0), &from(1));
    let expected = "ActivityScheduled `double`, with another input";
    assert_eq!(sides(&other).1, Some(expected));
}

thread_local! {
    static POLLS: Rc<Cell<usize>> = Rc::default();
}

#[test]
fn a_hundred_thousand_cost_two_polls_each() {
    const CHILDREN: u32 = 100_000;
    let children = usize::try_from(CHILDREN).unwrap();
    let code = code(|(): ()| async {
        let calls = (0..CHILDREN).map(|n| Counted {
            inner: double(n),
            polls: POLLS.with(Rc::clone),
        });
        let mut running: FuturesUnordered<_> = calls.collect();
        let mut is_falling = true;
        let mut last = u32::MAX;
        while let Some(result) = running.next().await {
            is_falling &= result < last;
            last = result;
        }
        is_falling
    });
    let mut world = World::start(&code);
    assert_eq!(world.commands().len(), children);
    for batch in (0..CHILDREN).rev().collect::<Vec<_>>().chunks(1_000) {
        let arrivals = batch.iter().map(|&n| world.completed(n, n * 2)).collect();
        world.turn(arrivals);
    }
    assert_eq!(world.unchecked_output(), json!(true));
    assert_eq!(POLLS.with(|polls| polls.get()), 2 * children);
    let mut again = Execution::new(IDENTITY, code);
    again.replay(&world.history).unwrap();
    assert_eq!(POLLS.with(|polls| polls.get()), 4 * children);
}
