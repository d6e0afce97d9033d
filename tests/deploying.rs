//! What a new build says when it first opens a store whose instances an older one has begun.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use durable_runtime::Registry;
use durable_runtime::testing::TestEngine;

use collector::Told;

#[path = "observing/collector.rs"]
#[expect(dead_code, reason = "only lines are wanted")]
mod collector;

/// The build that begins.
mod first {
    use durable_runtime::prelude::*;

    #[activity(name = "deploying.pay")]
    pub(super) async fn pay() {}

    #[helper]
    pub(super) async fn rest() {
        sleep(days(1)).await;
    }

    #[orchestrator(name = "deploying.order")]
    pub(super) async fn order() {
        pay().await;
        rest().await;
    }
}

/// Reformatted, and it tells more.
mod same {
    use durable_runtime::prelude::*;

    use super::first::{pay, rest};

    #[orchestrator(name = "deploying.order")]
    pub(super) async fn order() {
        tracing::info!("paying");
        pay().await;

        rest().await;
    }
}

/// One step more, behind all others.
mod longer {
    use durable_runtime::prelude::*;

    use super::first::{pay, rest};

    #[orchestrator(name = "deploying.order")]
    pub(super) async fn order() {
        pay().await;
        rest().await;
        sleep(days(2)).await;
    }
}

/// The first step is gone.
mod other {
    use durable_runtime::prelude::*;

    use super::first::rest;

    #[orchestrator(name = "deploying.order")]
    pub(super) async fn order() {
        rest().await;
    }
}

/// What the log is told when `next` takes over from the first build, with these instances in flight.
async fn told(ids: &[&str], next: Registry) -> Vec<Told> {
    let registry = Registry::new()
        .activity(first::pay)
        .orchestrator(first::order);
    let engine = TestEngine::builder().registry(registry).start().unwrap();
    for id in ids {
        engine.start(first::order()).id(*id).await.unwrap();
    }
    engine.settle().await;
    collector::install();
    let of = |line: &Told| line.get("orchestrators").is_some();
    let before = collector::lines(of).len();
    let _engine = engine.restart_with(next).await.unwrap();
    collector::lines(of).split_off(before)
}

#[tokio::test]
async fn a_new_build_says_which_instances_lack_their_points() {
    let next = || Registry::new().activity(first::pay);
    assert_eq!(
        told(&["a"], next().orchestrator(same::order)).await.len(),
        0
    );
    assert_eq!(told(&[], next().orchestrator(other::order)).await.len(), 0);

    let lines = told(&["b", "c"], next().orchestrator(longer::order)).await;
    let [line] = lines.as_slice() else {
        unreachable!("{lines:?}")
    };
    assert_eq!(line.level, "INFO");
    assert_eq!(line.get("orchestrators"), Some("`deploying.order`"));
    assert_eq!(line.get("instances"), Some("2"));

    let lines = told(&["d"], next().orchestrator(other::order)).await;
    let [line] = lines.as_slice() else {
        unreachable!("{lines:?}")
    };
    assert_eq!(line.level, "WARN");
    let message = line.get("message").unwrap();
    assert!(message.contains("`d` at tests/deploying.rs:"), "{message}");
    assert!(message.contains("(`pay().await;`)"), "{message}");
    assert!(message.contains("`Engine::verify`"), "{message}");
}
