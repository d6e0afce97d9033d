//! `try_join_all`, `select_all`, `race`, `FuturesUnordered`, `limit` and `timeout`, in the shapes in which programs use them.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use durable_runtime::event::Pending;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{BoxDurable, Durable, FaultKind, HistoryEvent, Registry, WaitError};

use crate::support::outcome;

static ORDERS: Event<u64> = Event::new("gathering-orders");
static STOP: Event<()> = Event::new("gathering-stop");

#[activity(name = "gathering.plus_one")]
async fn plus_one(n: u64) -> u64 {
    n + 1
}

#[activity(name = "gathering.odd")]
async fn odd(n: u64) -> Result<u64, String> {
    if n % 2 == 1 {
        Ok(n)
    } else {
        Err(format!("{n} is even"))
    }
}

/// Ends after `n` minutes, with `n`.
#[orchestrator(name = "gathering.after")]
async fn after(n: u64) -> u64 {
    sleep(minutes(n)).await;
    n
}

/// As a child, in the code of the caller.
#[helper]
async fn later(n: u64) -> u64 {
    sleep(minutes(n)).await;
    plus_one(n).await
}

#[helper]
async fn first_of<D: Durable<Output = u64>>(futures: Vec<D>, limit: u64) -> Option<u64> {
    timeout(minutes(limit), race(futures)).await.ok()
}

/// FAN-3: the losers of a `select_all` go on.
#[orchestrator(name = "gathering.in_turn")]
async fn in_turn(waits: Vec<u64>) -> Vec<u64> {
    let mut children: Vec<_> = waits.into_iter().map(after).collect();
    let mut ended = Vec::new();
    while !children.is_empty() {
        let (n, index, others) = select_all(children).await;
        ended.extend([n, u64::try_from(index).unwrap_or_default()]);
        children = others;
    }
    ended
}

#[orchestrator(name = "gathering.fastest")]
async fn fastest(waits: Vec<u64>) -> u64 {
    race(waits.into_iter().map(after)).await
}

#[orchestrator(name = "gathering.all_odd")]
async fn all_odd(numbers: Vec<u64>) -> Result<Vec<u64>, String> {
    let odd = numbers.into_iter().map(|n| async move {
        sleep(minutes(n)).await;
        odd(n).await
    });
    try_join_all(odd).limit(2).await
}

/// Calls of different kinds in one collection.
#[orchestrator(name = "gathering.mixed")]
async fn mixed() -> (u64, Vec<u64>) {
    let some = |n: u64| -> Vec<BoxDurable<'static, u64>> {
        vec![
            Box::pin(after(3 + n)),
            Box::pin(later(2 + n)),
            Box::pin(plus_one(n)),
            Box::pin(async move {
                let (a, b) = join!(plus_one(n), plus_one(n));
                a + b
            }),
        ]
    };
    let mut first = some(10);
    first.truncate(2);
    let (first, _, others) = select_all(first).await;
    let rest = join_all(others.into_iter().chain(some(20))).limit(2).await;
    (first, rest)
}

#[orchestrator(name = "gathering.nested")]
async fn nested() -> Vec<Option<u64>> {
    let groups = (1..4).map(|group| async move {
        let slow = race((0..3).map(|n| later(10 * group + n)));
        let sums = (0..group).map(|n| async move {
            join_all((0..n).map(plus_one))
                .await
                .into_iter()
                .sum::<u64>()
        });
        let mut sums: FuturesUnordered<_> = sums.collect();
        let mut sum = 0;
        while let Some(next) = sums.next().await {
            sum += next;
        }
        timeout(minutes(25), slow).await.ok().map(|slow| slow + sum)
    });
    join_all(groups).await
}

/// Orders come in while others are worked on, until there is a stop; then for what runs there are ten minutes.
#[orchestrator(name = "gathering.shop")]
async fn shop() -> Vec<u64> {
    let mut working = FuturesUnordered::new();
    let mut done = Vec::new();
    loop {
        select! {
            order = ORDERS.wait() => working.push(later(order)),
            Some(order) = working.next() => done.push(order),
            () = STOP.wait() => break,
        }
    }
    let rest = timeout(minutes(10), async {
        while let Some(order) = working.next().await {
            done.push(order);
        }
    });
    _ = rest.await;
    done
}

#[orchestrator(name = "gathering.helped")]
async fn helped() -> (Option<u64>, Option<u64>) {
    let pinned: Vec<Pin<Box<_>>> = (3..6).map(|n| Box::pin(later(n))).collect();
    (
        first_of(pinned, 30).await,
        first_of(vec![after(9)], 4).await,
    )
}

/// A deadline over everything that a block begins.
#[orchestrator(name = "gathering.limited")]
async fn limited(limit: u64) -> String {
    let work = async {
        let (child, n) = join!(after(30).id("slow"), async {
            let n = plus_one(1).await;
            sleep(minutes(28)).await;
            n
        });
        format!("done {}", child + n)
    };
    match timeout(minutes(limit), work).await {
        Ok(done) => done,
        Err(elapsed) => {
            // Long enough for the child to end, if it had not been told.
            sleep(days(1)).await;
            elapsed.to_string()
        }
    }
}

fn registry() -> Registry {
    Registry::new()
        .activity(plus_one)
        .activity(odd)
        .orchestrator(after)
        .orchestrator(in_turn)
        .orchestrator(fastest)
        .orchestrator(all_odd)
        .orchestrator(mixed)
        .orchestrator(nested)
        .orchestrator(shop)
        .orchestrator(helped)
        .orchestrator(limited)
}

fn engine() -> TestEngine {
    TestEngine::builder().registry(registry()).start().unwrap()
}

#[tokio::test]
async fn select_all_gives_the_first_its_index_and_the_rest_which_runs_on() {
    let ended = outcome!(in_turn(vec![7, 3, 9, 5]));
    assert_eq!(ended, [3, 1, 5, 2, 7, 0, 9, 0]);
}

#[tokio::test]
async fn a_race_ends_with_the_first_and_cancels_the_rest() {
    assert_eq!(outcome!(fastest(vec![7, 3, 9, 5])), 3);
    let engine = engine();
    let handle = engine.start(fastest(vec![7, 3, 9])).await.unwrap();
    let begun = engine.now();
    handle.result().await.unwrap();
    assert_eq!(engine.now().duration_since(begun).unwrap(), minutes(3));
}

#[tokio::test]
async fn a_race_of_none_is_a_fault_that_says_so() {
    let engine = engine();
    let handle = engine.start(fastest(Vec::new())).await.unwrap();
    let WaitError::Fault(fault) = handle.result().await.unwrap_err() else {
        panic!("no fault");
    };
    let expected = "`race` was called with no futures";
    assert!(fault.message().contains(expected), "{fault}");
}

#[tokio::test]
async fn try_join_all_gives_all_or_the_first_error() {
    assert_eq!(outcome!(all_odd(vec![5, 1, 3])), Ok(vec![5, 1, 3]));
    // Two at a time: 9 and 2 begin, then 4 after 2 would, but 2 is the error.
    let error = Err("2 is even".to_owned());
    assert_eq!(outcome!(all_odd(vec![9, 2, 4])), error);
}

#[tokio::test]
async fn futures_of_different_types_are_boxed() {
    assert_eq!(outcome!(mixed()), (13, vec![13, 23, 23, 21, 42]));
}

#[tokio::test]
async fn groups_nest() {
    let expected = [Some(11), Some(21 + 1), None];
    assert_eq!(outcome!(nested()), expected);
}

#[tokio::test]
async fn a_set_is_filled_and_emptied_in_a_select() {
    let engine = engine();
    let handle = engine.start(shop()).await.unwrap();
    for order in [8, 2, 30, 5] {
        handle.raise(&ORDERS, order).await.unwrap();
    }
    engine.advance(minutes(6)).await;
    engine.evict().await;
    handle.raise(&ORDERS, 1).await.unwrap();
    engine.settle().await;
    handle.raise(&STOP, ()).await.unwrap();
    let done = handle.result().await.unwrap();
    assert_eq!(done, [3, 6, 2, 9], "the order of 30 minutes is given up");
    check_replay(&registry(), &handle.history().await.unwrap()).unwrap();
}

#[tokio::test]
async fn helpers_are_given_futures_and_wait_for_them() {
    assert_eq!(outcome!(helped()), (Some(4), None));
}

#[tokio::test]
async fn a_deadline_over_a_block_cancels_all_of_it() {
    assert_eq!(outcome!(limited(40)), "done 32");
    let elapsed = outcome!(limited(25));
    let engine = engine();
    let handle = engine.start(limited(25)).await.unwrap();
    let begun = engine.now();
    assert_eq!(handle.result().await.unwrap(), elapsed);
    let taken = engine.now().duration_since(begun).unwrap();
    assert_eq!(taken, minutes(25) + days(1));
    let history = handle.history().await.unwrap();
    let cancelled = history.iter().filter_map(|event| match event {
        HistoryEvent::Cancelled(cancelled) => Some(cancelled.pending),
        _ => None,
    });
    let cancelled: Vec<_> = cancelled.collect();
    assert_eq!(cancelled, [Pending::Child, Pending::Timer]);
    let child = engine.handle(after, "slow").await.unwrap().unwrap();
    let WaitError::Fault(fault) = child.result().await.unwrap_err() else {
        panic!("no fault");
    };
    assert_eq!(fault.kind(), FaultKind::Cancelled);
}

/// How many bodies of [`busy`] run, and how many at most; the one test that looks resets it.
static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[activity(name = "gathering.busy")]
async fn busy(n: u64) -> u64 {
    let running = RUNNING.fetch_add(1, Ordering::SeqCst) + 1;
    MOST.fetch_max(running, Ordering::SeqCst);
    for _ in 0..=(n % 7) {
        tokio::task::yield_now().await;
    }
    RUNNING.fetch_sub(1, Ordering::SeqCst);
    n
}

#[orchestrator(name = "gathering.few_at_a_time")]
async fn few_at_a_time(count: u64, limit: usize) -> u64 {
    let results = join_all((0..count).map(busy)).limit(limit).await;
    assert!(results.is_sorted(), "in the order of the calls");
    results.into_iter().sum()
}

/// Acceptance of the pattern fan-out/fan-in: concurrency above one and not above the limit.
#[tokio::test]
async fn no_more_run_at_a_time_than_the_limit_says() {
    for (count, limit) in [(0, 3), (2, 3), (500, 1), (500, 10)] {
        let registry = Registry::new().activity(busy).orchestrator(few_at_a_time);
        let engine = TestEngine::builder().registry(registry).start().unwrap();
        MOST.store(0, Ordering::SeqCst);
        let handle = engine.start(few_at_a_time(count, limit)).await.unwrap();
        let expected = (0..count).sum::<u64>();
        assert_eq!(handle.result().await.unwrap(), expected);
        let most = MOST.load(Ordering::SeqCst);
        let count = usize::try_from(count).unwrap();
        assert_eq!(most, limit.min(count), "{count} calls, {limit} at a time");
    }
}

#[tokio::test]
async fn outside_an_engine_they_run_the_bodies() {
    assert_eq!(
        join_all((0..40).map(plus_one)).limit(3).await,
        (1..41).collect::<Vec<_>>()
    );
    assert_eq!(
        try_join_all([odd(1), odd(2), odd(4)]).await,
        Err("2 is even".to_owned())
    );
    let (first, index, rest) = select_all([plus_one(5), plus_one(6)]).await;
    assert_eq!((first, index, rest.len()), (6, 0, 1));
    assert_eq!(race([plus_one(7), plus_one(8)]).await, 8);
    let mut set: FuturesUnordered<_> = (0..3).map(plus_one).collect();
    let mut sum = 0;
    while let Some(n) = set.next().await {
        sum += n;
    }
    assert_eq!(sum, 6);
}
