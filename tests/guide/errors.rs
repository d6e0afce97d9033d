//! What goes wrong, and what then.

use std::sync::atomic::{AtomicBool, Ordering};

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{FaultKind, WaitError};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum PayError {
    #[error("the card was declined")]
    Declined,
    #[error("the bank did not answer")]
    NoAnswer,
}

fn is_temporary(error: &PayError) -> bool {
    *error == PayError::NoAnswer
}

#[activity(
    retry(max_attempts = 5, initial = "1s", backoff = 2.0, max_interval = "1m", when = is_temporary),
    attempt_timeout = "30s"
)]
async fn pay(cents: u32) -> Result<String, PayError> {
    match (cents, activity::attempt()) {
        (10_000.., _) => Err(PayError::Declined),
        (_, 1..=2) => Err(PayError::NoAnswer),
        _ => Ok(format!("{cents} cents, key {}", activity::key())),
    }
}

#[orchestrator]
async fn buy(cents: u32) -> Result<String, PayError> {
    let receipt = pay(cents).await?;
    Ok(receipt)
}

#[orchestrator]
async fn pay_politely(cents: u32) -> Result<String, PayError> {
    pay(cents)
        .retry(RetryPolicy::attempts(10))
        .retry_with(|error, context| match error {
            PayError::NoAnswer if context.elapsed < hours(1) => {
                Retry::After(minutes(context.attempt.into()))
            }
            PayError::NoAnswer | PayError::Declined => Retry::Stop,
        })
        .await
}

#[activity]
async fn draw(picture: String) -> u32 {
    assert!(!picture.is_empty(), "there is nothing to draw");
    7
}

#[orchestrator]
async fn draw_or_not(picture: String) -> Option<u32> {
    match draw(picture).catch().await {
        Ok(pages) => Some(pages),
        Err(fault) => {
            println!("no picture: {fault}");
            None
        }
    }
}

#[orchestrator]
async fn must_draw(picture: String) -> u32 {
    draw(picture).await
}

#[orchestrator]
async fn buy_in_time(cents: u32) -> Result<String, Error> {
    let policy = RetryPolicy::attempts(100).initial(minutes(10));
    pay(cents)
        .retry(policy)
        .catch()
        .timeout(minutes(5))
        .await???;
    Ok("paid in time".to_owned())
}

#[orchestrator]
async fn buy_and_draw(cents: u32) -> Result<u32, Error> {
    timeout(minutes(5), async {
        pay(cents).await?;
        Ok(draw("receipt".to_owned()).await)
    })
    .await?
}

#[tokio::test]
async fn what_is_temporary_is_tried_again_and_the_rest_is_not() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let begun = engine.now();
    let paid = engine.start(buy(4200)).await?.result().await?;
    assert!(paid.unwrap().starts_with("4200 cents"));
    assert_eq!(engine.now().duration_since(begun)?, seconds(1 + 2));
    let declined = engine.start(buy(10_000)).await?.result().await?;
    assert_eq!(declined, Err(PayError::Declined));
    assert_eq!(engine.now().duration_since(begun)?, seconds(1 + 2));
    let begun = engine.now();
    let paid = engine.start(pay_politely(1)).await?.result().await?;
    assert!(paid.is_ok());
    assert_eq!(engine.now().duration_since(begun)?, minutes(1 + 2));
    Ok(())
}

#[tokio::test]
async fn a_fault_is_caught_or_ends_the_orchestration() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let drawn = engine.start(draw_or_not(String::new())).await?;
    assert_eq!(drawn.result().await?, None);
    let drawn = engine.start(must_draw(String::new())).await?;
    match drawn.result().await {
        Err(WaitError::Fault(fault)) => assert_eq!(fault.kind(), FaultKind::Panicked),
        other => panic!("{other:?}"),
    }
    Ok(())
}

static PAPER: AtomicBool = AtomicBool::new(false);

#[activity(name = "guide.print_label")]
async fn print_label(order: u32) -> Result<u32, String> {
    let has_paper = PAPER.load(Ordering::Relaxed);
    has_paper.then_some(order).ok_or("no paper".to_owned())
}

#[orchestrator(name = "guide.label")]
async fn label(order: u32) -> Result<u32, String> {
    print_label(order).await
}

#[tokio::test]
async fn what_failed_goes_on_when_it_is_mended() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let handle = engine.start(label(7)).id("order-7").await?;
    assert_eq!(handle.result().await?, Err("no paper".to_owned()));
    PAPER.store(true, Ordering::Relaxed);
    let order = engine.instance("order-7").await?.unwrap();
    order.rewind("the printer has paper again").await?;
    assert_eq!(handle.result().await?, Ok(7));
    Ok(())
}

#[tokio::test]
async fn a_deadline_holds_over_all_attempts() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let late = engine.start(buy_in_time(1)).await?.result().await?;
    assert_eq!(late.unwrap_err().to_string(), "the deadline has elapsed");
    let drawn = engine.start(buy_and_draw(1)).await?.result().await?;
    assert_eq!(drawn?, 7);
    Ok(())
}
