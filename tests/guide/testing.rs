//! Tests of what was written.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

#[activity]
async fn remind(name: String) -> String {
    format!("Dear {name}")
}

#[orchestrator]
async fn reminders(name: String) -> Vec<String> {
    let mut sent = Vec::new();
    for _ in 0..3 {
        sleep(days(10)).await;
        sent.push(remind(name.clone()).await);
    }
    sent
}

#[tokio::test]
async fn a_reminder_is_polite() {
    assert_eq!(remind("Ada".to_owned()).await, "Dear Ada");
}

#[tokio::test]
async fn three_reminders_take_a_month() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let begin = engine.now();
    let sent = engine.start(reminders("Ada".to_owned())).await?;
    assert_eq!(sent.result().await?.len(), 3);
    assert_eq!(engine.now().duration_since(begin)?, days(30));
    Ok(())
}

#[tokio::test]
async fn a_kill_in_the_middle_of_the_month_is_not_noticed() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    engine.start(reminders("Ada".to_owned())).id("ada").await?;
    engine.advance(days(15)).await;
    let engine = engine.restart().await?;
    let sent = engine.handle(reminders, "ada").await?;
    assert_eq!(sent.unwrap().result().await?.len(), 3);
    Ok(())
}
