//! `join!`, `try_join!`, `select!` and helpers, each shape with results that only the right meaning gives.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{HistoryEvent, Registry};

use crate::support::outcome;

static FIRST: Event<u32> = Event::new("combinators-first");
static SECOND: Event<Option<u32>> = Event::new("combinators-second");

#[activity(name = "combinators.plus")]
async fn plus(a: u32, b: u32) -> u32 {
    a + b
}

#[activity(name = "combinators.positive")]
async fn positive(n: u32) -> Result<u32, String> {
    if n == 0 {
        Err("zero".to_owned())
    } else {
        Ok(n)
    }
}

/// Fails after `minutes`.
#[helper]
async fn fails_after(wait: u64) -> Result<u32, String> {
    sleep(minutes(wait)).await;
    Err(format!("after {wait}"))
}

#[orchestrator(name = "combinators.selects")]
async fn selects(first_counts: bool) -> String {
    select! {
        biased;
        n = FIRST.wait(), if first_counts => format!("first {n}"),
        Some(n) = SECOND.wait() => format!("second {n}"),
        () = sleep(days(1)) => "late".to_owned(),
    }
}

#[orchestrator(name = "combinators.none_left")]
async fn none_left(wanted: u32) -> String {
    select! {
        Ok(n) = positive(wanted) => format!("positive {n}"),
        Some(n) = SECOND.wait(), if wanted > 5 => format!("second {n}"),
        else => "none".to_owned(),
    }
}

#[orchestrator(name = "combinators.tries")]
async fn tries() -> Result<(u32, u32, u32), String> {
    // The third is the first to fail, though it is the last in the list.
    try_join!(fails_after(30), positive(1), fails_after(10))
}

#[orchestrator(name = "combinators.joins")]
async fn joins() -> (u32, String, u32) {
    let slow = async {
        sleep(hours(2)).await;
        plus(1, 1).await
    };
    let middle = async {
        sleep(hours(1)).await;
        "middle".to_owned()
    };
    join!(slow, middle, plus(2, 2))
}

#[orchestrator(name = "combinators.nested")]
async fn nested() -> Vec<u32> {
    let (left, right) = join!(
        async {
            select! {
                both = async { try_join!(positive(3), async { Ok(plus(2, 2).await) }) } => both.map_or(0, |(a, b)| a + b),
                () = sleep(hours(1)) => 1_000,
            }
        },
        join_all((0..3).map(|n| async move {
            let (a, b) = join!(plus(n, 10), async {
                sleep(minutes(u64::from(9 - n))).await;
                n
            });
            a + b
        })),
    );
    [vec![left], right].concat()
}

/// One slow call goes on while ticks come and go.
#[orchestrator(name = "combinators.keeps_on")]
async fn keeps_on() -> (u32, u32) {
    let mut slow = std::pin::pin!(async {
        sleep(hours(1)).await;
        plus(40, 2).await
    });
    let mut ticks = 0;
    loop {
        select! {
            result = &mut slow => return (result, ticks),
            () = sleep(minutes(10)) => ticks += 1,
        }
    }
}

#[helper]
async fn sums<T: Into<u32> + Copy>(values: &[T], offset: &u32) -> u32 {
    let mut sum = *offset;
    for value in values {
        sum = plus(sum, (*value).into()).await;
    }
    sum
}

#[derive(Default)]
struct Account {
    entries: Vec<u32>,
}

impl Account {
    #[helper]
    async fn book(&mut self, amount: u32) -> Result<usize, String> {
        self.entries.push(positive(amount).await?);
        Ok(self.entries.len())
    }

    #[helper]
    async fn total(&self) -> u32 {
        sums(&self.entries, &0).await
    }
}

#[orchestrator(name = "combinators.helped")]
async fn helped() -> Result<(u32, u32, usize), String> {
    let bytes = sums(&[1u8, 2, 3], &10).await;
    let mut account = Account::default();
    account.book(5).await?;
    let booked = account.book(6).await?;
    Ok((bytes, account.total().await, booked))
}

fn registry() -> Registry {
    Registry::new()
        .activity(plus)
        .activity(positive)
        .orchestrator(selects)
        .orchestrator(none_left)
        .orchestrator(tries)
        .orchestrator(joins)
        .orchestrator(nested)
        .orchestrator(keeps_on)
        .orchestrator(helped)
}

fn engine() -> TestEngine {
    TestEngine::builder().registry(registry()).start().unwrap()
}

#[tokio::test]
async fn a_disabled_branch_takes_no_part_and_a_refuted_pattern_is_out() {
    let engine = engine();
    let handle = engine.start(selects(true)).await.unwrap();
    handle.raise(&FIRST, 1).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "first 1");
    let handle = engine.start(selects(false)).await.unwrap();
    handle.raise(&FIRST, 1).await.unwrap();
    handle.raise(&SECOND, Some(2)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "second 2");
    let handle = engine.start(selects(false)).await.unwrap();
    handle.raise(&SECOND, None).await.unwrap();
    handle.raise(&SECOND, Some(3)).await.unwrap();
    assert_eq!(
        handle.result().await.unwrap(),
        "late",
        "a branch that was refuted is out for good"
    );
}

#[tokio::test]
async fn what_arrives_first_decides_not_what_is_written_first() {
    let engine = engine();
    let handle = engine.start(selects(true)).await.unwrap();
    engine.settle().await;
    // The instance ends with the first arrival, however early the other's branch is written.
    handle.raise(&SECOND, Some(2)).await.unwrap();
    handle.raise(&FIRST, 1).await.unwrap_err();
    assert_eq!(handle.result().await.unwrap(), "second 2");
}

#[tokio::test]
async fn else_is_for_when_no_branch_is_left() {
    assert_eq!(outcome!(none_left(1)), "positive 1");
    assert_eq!(outcome!(none_left(0)), "none");
}

#[tokio::test]
async fn try_join_ends_with_the_error_that_comes_first_and_cancels_the_rest() {
    assert_eq!(outcome!(tries()), Err("after 10".to_owned()));
    let engine = engine();
    let started = engine.now();
    let handle = engine.start(tries()).await.unwrap();
    handle.wait().await.unwrap();
    assert_eq!(engine.now().duration_since(started).unwrap(), minutes(10));
    engine.advance(hours(1)).await;
    let history = handle.history().await.unwrap();
    let fired = history
        .iter()
        .filter(|event| matches!(event, HistoryEvent::TimerFired(_)));
    assert_eq!(fired.count(), 1);
}

#[tokio::test]
async fn join_gives_its_results_in_written_order() {
    assert_eq!(outcome!(joins()), (2, "middle".to_owned(), 4));
}

#[tokio::test]
async fn combinators_nest() {
    assert_eq!(outcome!(nested()), [7, 10, 12, 14]);
}

#[tokio::test]
async fn a_future_that_is_selected_by_reference_goes_on_in_the_next_round() {
    // The sixth tick comes with the end of the sleep, while the activity after it has still to run.
    assert_eq!(outcome!(keeps_on()), (42, 6));
}

#[tokio::test]
async fn helpers_take_references_type_parameters_and_self() {
    assert_eq!(outcome!(helped()), Ok((16, 11, 2)));
}
