//! Where and how functions may be written: modules, visibility, attributes, spans.
#![deny(private_interfaces, private_bounds, missing_docs, unreachable_pub)]

use durable_runtime::Registry;
use durable_runtime::Stalled;
use durable_runtime::named;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use serde::{Deserialize, Serialize};

/// A function in a module of its own name, in sight of all at its place.
mod parcel {
    use super::label::label;

    /// Wraps what was labelled.
    #[durable_runtime::orchestrator(name = "definitions.parcel")]
    pub(crate) async fn parcel(name: String) -> String {
        format!("[{}]", label(name).await)
    }
}
pub(crate) use parcel::parcel;

mod label {
    #[durable_runtime::activity(name = "definitions.label")]
    pub(super) async fn label(name: String) -> String {
        name.to_uppercase()
    }
}

mod private {
    use durable_runtime::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    struct Secret(u32);

    /// Public in a private module, with types that nobody else can name.
    #[activity(name = "definitions.conceal")]
    pub async fn conceal(n: u32) -> Secret {
        Secret(n)
    }

    #[activity(name = "definitions.reveal")]
    pub async fn reveal(secret: Secret) -> u32 {
        secret.0
    }

    #[orchestrator(name = "definitions.round_trip")]
    pub(crate) async fn round_trip(n: u32) -> u32 {
        let secret = conceal(n).await;
        reveal(secret).await
    }

    pub(super) fn registry() -> durable_runtime::Registry {
        durable_runtime::Registry::new()
            .activity(conceal)
            .activity(reveal)
            .orchestrator(round_trip)
    }
}

/// Documented, for one target only, and expected to be wordy.
#[cfg(not(any()))]
#[cfg_attr(not(any()), activity(name = "definitions.attributed"))]
#[expect(
    clippy::needless_return,
    reason = "so that an expectation reaches the body"
)]
async fn attributed(#[cfg(not(any()))] n: u32) -> u32 {
    return n + 1;
}

#[cfg(any())]
#[activity]
async fn attributed(n: Missing) -> Missing {}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair {
    left: u32,
    right: u32,
}

/// Patterns in place of names.
#[orchestrator(name = "definitions.patterns")]
async fn patterns(
    Pair {
        left,
        right: mut sum,
    }: Pair,
    (_, more): (u8, u32),
    _: bool,
) -> u32 {
    sum += left;
    sum = attributed(sum).await;
    sum + more
}

/// As an attribute leaves it that puts a span around the body, as `tracing::instrument` does.
#[activity(name = "definitions.spanned_activity")]
async fn spanned_activity(n: u32) -> Result<u32, String> {
    let span = tracing::info_span!("spanned_activity", n);
    let body = async move {
        tokio::task::yield_now().await;
        if n == 0 {
            return Err("zero".to_owned());
        }
        Ok(n)
    };
    tracing::Instrument::instrument(body, span).await
}

#[orchestrator(name = "definitions.spanned")]
async fn spanned(n: u32) -> Result<u32, String> {
    let span = tracing::info_span!("spanned", n);
    let body = async move {
        sleep(hours(1)).await;
        let n = spanned_activity(n).await?;
        Ok(n + 1)
    };
    if span.is_disabled() {
        body.await
    } else {
        tracing::Instrument::instrument(body, span).await
    }
}

fn engine() -> TestEngine {
    let registry = private::registry()
        .activity(label::label)
        .activity(attributed)
        .activity(spanned_activity)
        .orchestrator(parcel)
        .orchestrator(patterns)
        .orchestrator(spanned);
    TestEngine::builder().registry(registry).start().unwrap()
}

#[expect(unused_qualifications, reason = "the longer path is what is shown")]
#[tokio::test]
async fn a_module_and_its_function_may_have_one_name() {
    let engine = engine();
    let handle = engine.start(parcel("ada".to_owned())).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "[ADA]");
    // The path to the function is the module's, or that of the use.
    let again = engine.start(parcel::parcel("b".to_owned())).await.unwrap();
    assert_eq!(again.result().await.unwrap(), "[B]");
}

#[tokio::test]
async fn types_that_nobody_else_can_name_travel_between_functions() {
    let engine = engine();
    let handle = engine.start(private::round_trip(5)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 5);
}

#[tokio::test]
async fn attributes_and_patterns_reach_the_function() {
    let engine = engine();
    let pair = Pair { left: 1, right: 2 };
    let handle = engine.start(patterns(pair, (0, 10), true)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 14);
}

#[tokio::test]
async fn a_span_around_a_body_changes_nothing() {
    let engine = engine();
    let handle = engine.start(spanned(4)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Ok(5));
    let handle = engine.start(spanned(0)).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), Err("zero".to_owned()));
    assert_eq!(spanned_activity(3).await, Ok(3));
}

/// A version is a name's second half: both run side by side, and a start without one gets the greatest.
mod versions {
    use durable_runtime::prelude::*;

    pub(super) mod one {
        use super::*;

        #[orchestrator(name = "definitions.versioned", version = "1")]
        pub(crate) async fn versioned(n: u32) -> u32 {
            n
        }
    }

    pub(super) mod two {
        use super::*;

        #[orchestrator(name = "definitions.versioned", version = "2")]
        pub(crate) async fn versioned(n: u32) -> u32 {
            sleep(hours(1)).await;
            n * 10
        }
    }
}

#[tokio::test]
async fn versions_of_one_name_live_side_by_side() {
    let registry = || Registry::new().orchestrator(versions::one::versioned);
    let both = || registry().orchestrator(versions::two::versioned);
    let engine = TestEngine::builder().registry(both()).start().unwrap();
    let old = engine.start(versions::one::versioned(3)).await.unwrap();
    let new = engine
        .start(versions::two::versioned(3))
        .id("new")
        .await
        .unwrap();
    assert_eq!(old.result().await.unwrap(), 3);
    assert_eq!(old.summary().await.unwrap().version.as_deref(), Some("1"));
    let by_name = engine.start(named::orchestrator(
        "definitions.versioned",
        &serde_json::json!(4),
    ));
    let by_name = by_name.await.unwrap();
    assert_eq!(
        by_name.summary().await.unwrap().version.as_deref(),
        Some("2")
    );
    drop(new);
    // A version that is gone is waited for, not replaced by another.
    let engine = engine.restart_with(registry()).await.unwrap();
    engine.advance(hours(2)).await;
    let new = engine.instance("new").await.unwrap().unwrap();
    let Stalled { report, .. } = new.summary().await.unwrap().stalled.unwrap();
    assert!(
        report.contains("no orchestrator `definitions.versioned` version 2"),
        "{report}"
    );
    let engine = engine.restart_with(both()).await.unwrap();
    let new = engine
        .handle(versions::two::versioned, "new")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(new.result().await.unwrap(), 30);
}
