//! Waiting for somebody.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Decision {
    Approved,
    Refused,
    Escalated,
}

static DECISION: Event<Decision> = Event::new("decision");

#[activity]
async fn ask(boss: String, euros: u32) {
    drop((boss, euros));
}

#[orchestrator]
async fn expense(boss: String, euros: u32) -> Decision {
    ask(boss, euros).await;
    select! {
        decision = DECISION.wait() => decision,
        () = sleep(days(3)) => Decision::Escalated,
    }
}

async fn decide(engine: &Engine, id: &str, decision: Decision) -> Result<(), Error> {
    let expense = engine.handle(expense, id).await?;
    let expense = expense.ok_or_else(|| Error::msg(format!("there is no expense `{id}`")))?;
    expense.raise(&DECISION, decision).await?;
    Ok(())
}

static PAID: Event<u32> = Event::new("paid");

#[orchestrator]
async fn order() -> u32 {
    let first = PAID.wait().await;
    first + PAID.wait().await
}

async fn paid(engine: &Engine, order: &str, payment: &str, cents: u32) -> Result<(), Error> {
    engine.raise(order, &PAID, cents).id(payment).await?;
    Ok(())
}

#[tokio::test]
async fn a_payment_is_told_as_often_as_you_like() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let order = engine.start(order()).id("order-7").await?;
    for payment in ["a", "a", "b"] {
        paid(&engine, "order-7", payment, 100).await?;
    }
    assert_eq!(order.result().await?, 200);
    Ok(())
}

#[tokio::test]
async fn somebody_decides_or_three_days_pass() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let call = |euros| expense("Ada".to_owned(), euros);
    let decided = engine.start(call(100)).id("expense-1").await?;
    decide(&engine, "expense-1", Decision::Refused).await?;
    assert_eq!(decided.result().await?, Decision::Refused);
    assert!(
        decide(&engine, "expense-1", Decision::Approved)
            .await
            .is_err()
    );

    let begun = engine.now();
    let ignored = engine.start(call(900)).await?;
    assert_eq!(ignored.result().await?, Decision::Escalated);
    assert_eq!(engine.now().duration_since(begun)?, days(3));
    Ok(())
}
