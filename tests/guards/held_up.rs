//! What a test hears that waits for an instance which nothing will move any more.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use durable_runtime::durable::Durable;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Registry, WaitError};

static FORGED: AtomicU32 = AtomicU32::new(0);

/// What nobody gives: it keeps who asks.
struct Silence(Vec<Waker>);

impl Future for Silence {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.push(context.waker().clone());
        Poll::Pending
    }
}

impl Durable for Silence {}

#[activity(name = "held_up.echo")]
async fn echo(n: u32) -> u32 {
    n
}

#[orchestrator(name = "held_up.forges")]
async fn forges() -> u32 {
    #[nondeterminism(allow(D050), reason = "it is to differ")]
    let run = FORGED.fetch_add(1, Ordering::Relaxed);
    echo(run).await
}

#[orchestrator(name = "held_up.listens")]
async fn listens() -> u32 {
    let first = echo(1).await;
    Silence(Vec::new()).await;
    first + echo(2).await
}

#[orchestrator(name = "held_up.above")]
async fn above(of: u32) -> u32 {
    if of == 0 {
        forges().id("child").await
    } else {
        let (one, other) = join!(listens().id("silent"), above(of - 1).id("middle"));
        one + other
    }
}

fn family() -> Registry {
    let registry = Registry::new().activity(echo).orchestrator(forges);
    registry.orchestrator(listens).orchestrator(above)
}

/// The parent waited for ever: only whoever waited for the child itself was told.
#[tokio::test]
async fn who_waits_for_an_instance_is_told_of_the_child_that_holds_it_up() {
    for (id, depth, culprits) in [("one", 0, &["child"][..]), ("two", 1, &["child", "silent"])] {
        let engine = TestEngine::builder().registry(family()).start().unwrap();
        let above = engine.start(above(depth)).id(id).await.unwrap();
        for _ in 0..2 {
            let Err(WaitError::NonDeterministic { id: child, report }) = above.result().await
            else {
                panic!("its child is stalled");
            };
            assert!(culprits.contains(&child.as_str()), "{child}");
            assert!(
                report.ends_with(&format!("instance `{id}` waits for it")),
                "{report}"
            );
        }
    }
}

/// Nothing is recorded behind it in a turn that runs for the first time; the source says what was not reached.
#[tokio::test]
async fn a_foreign_future_is_told_with_the_points_behind_it() {
    let engine = TestEngine::builder().registry(family()).start().unwrap();
    let listens = engine.start(listens()).await.unwrap();
    let Err(WaitError::NonDeterministic { report, .. }) = listens.result().await else {
        panic!("it waits for what is not recorded");
    };
    let (_, behind) = report.split_once("not reached:").expect(&report);
    let lines: Vec<&str> = behind.lines().take(2).map(str::trim).collect();
    assert!(
        lines[0].ends_with(": `Silence(Vec::new()).await;`"),
        "{report}"
    );
    assert!(lines[1].ends_with(": `first + echo(2).await`"), "{report}");
    assert!(lines[0].contains("held_up.rs:"), "{report}");
}
