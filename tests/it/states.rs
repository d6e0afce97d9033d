//! `#[state]`: of several types, lent or shared, and an error that names what is missing before anything runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{OpenError, Registry};

/// A plain value.
#[derive(Clone)]
pub(crate) struct Rates(u32);

/// A value that the rest of a program shares.
#[derive(Default)]
pub(crate) struct Count(AtomicU32);

/// What activities know of a service.
pub(crate) trait Greets: Send + Sync {
    fn greet(&self, name: &str) -> String;
}

struct Polite;

impl Greets for Polite {
    fn greet(&self, name: &str) -> String {
        format!("good morning, {name}")
    }
}

#[activity(name = "states.all")]
async fn all(
    #[state] rates: &Rates,
    name: String,
    #[state] count: Arc<Count>,
    #[state] greets: &dyn Greets,
    #[state] shared: Arc<dyn Greets>,
) -> String {
    // An `Arc` moves to a task; a reference does not.
    let task = tokio::spawn(async move { count.0.fetch_add(1, Ordering::SeqCst) });
    let before = task.await.unwrap();
    assert_eq!(greets.greet(&name), shared.greet(&name));
    format!("{} {} {before}", rates.0, greets.greet(&name))
}

#[activity(name = "states.blocks")]
fn blocks(#[state] rates: &Rates, #[state] count: Arc<Count>, #[state] lent: &Count) -> u32 {
    assert!(std::ptr::eq(Arc::as_ptr(&count), lent));
    rates.0 + count.0.load(Ordering::SeqCst)
}

#[orchestrator(name = "states.asks")]
async fn asks() -> (String, u32) {
    (all("Ada".to_owned()).await, blocks().await)
}

pub(crate) fn rates() -> Rates {
    Rates(7)
}

pub(crate) fn count() -> Arc<Count> {
    Arc::default()
}

pub(crate) fn greets() -> Arc<dyn Greets> {
    Arc::new(Polite)
}

fn registry() -> Registry {
    Registry::new()
        .activity(all)
        .activity(blocks)
        .orchestrator(asks)
}

#[tokio::test]
async fn one_value_of_each_type_reaches_every_call() {
    let count = count();
    let engine = TestEngine::builder()
        .registry(registry())
        .state(rates())
        .state(Arc::clone(&count))
        .state(greets())
        .start()
        .unwrap();
    let handle = engine.start(asks()).await.unwrap();
    let (told, sum) = handle.result().await.unwrap();
    assert_eq!((&*told, sum), ("7 good morning, Ada 0", 8));
    assert_eq!(count.0.load(Ordering::SeqCst), 1, "the test's own");
}

/// What was given as itself is lent and shared as well.
#[tokio::test]
async fn a_value_that_was_not_given_in_an_arc_is_shared_all_the_same() {
    let engine = TestEngine::builder()
        .registry(Registry::new().activity(blocks).orchestrator(blocked))
        .state(rates())
        .state(Count::default())
        .start()
        .unwrap();
    let handle = engine.start(blocked()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 7);
}

#[orchestrator(name = "states.blocked")]
async fn blocked() -> u32 {
    blocks().await
}

#[tokio::test]
async fn what_is_missing_is_named_with_its_function_parameter_and_type() {
    let missing = |builder: durable_runtime::testing::TestEngineBuilder| {
        builder.registry(registry()).start().unwrap_err()
    };
    let error = missing(TestEngine::builder());
    let OpenError::MissingState {
        activity,
        place,
        parameter,
        type_name,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(
        (&**activity, &**parameter, &**type_name),
        ("states.all", "rates", "Rates")
    );
    assert!(place.contains("states.rs:"), "{place}");
    assert!(error.to_string().contains("(it was given none)"), "{error}");
    let error = missing(TestEngine::builder().state(rates())).to_string();
    for part in [
        "activity `states.all` at ",
        "`#[state] count` of type `Count`",
        "(it was given: it::states::Rates)",
        "add `.state(..)` with a `Count`, or an `Arc` of one",
    ] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
    let error = missing(TestEngine::builder().state(rates()).state(count())).to_string();
    assert!(
        error.contains("`#[state] greets` of type `dyn Greets`"),
        "{error}"
    );
}

#[tokio::test]
async fn outside_an_engine_the_call_is_given_its_states() {
    let count = count();
    let call = blocks().with_state(&rates()).with_state(&count);
    assert_eq!(call.await, 7);
    let panic = tokio::spawn(blocks().with_state(&rates())).await;
    let panic = panic.unwrap_err().into_panic();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("activity `states.blocks`") && message.contains("`count` of type `Count`"),
        "{message}"
    );
}
