//! An answer at once, the result later.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

#[activity]
async fn add_up(month: String) -> Result<u64, Error> {
    match month.as_str() {
        "2026-02" => Ok(28),
        _ => Err(Error::msg("nothing is known of that month")),
    }
}

#[orchestrator]
async fn report(month: String) -> Result<u64, Error> {
    sleep(minutes(10)).await;
    add_up(month).await
}

/// What a handler answers.
#[derive(Debug, PartialEq)]
enum Answer {
    /// 202, with `Location` and `Retry-After`.
    Accepted { location: String, retry_after: u32 },
    /// 200, with a body.
    Done(u64),
    /// 500, with a message.
    Failed(String),
    /// 404.
    NotFound,
}

/// `POST /reports/{month}`
async fn post_report(engine: &Engine, month: String) -> Result<Answer, Error> {
    let id = format!("report-{month}");
    engine.start(report(month)).id(id.clone()).await?;
    Ok(accepted(&id))
}

/// `GET /status/{id}`
async fn get_status(engine: &Engine, id: &str) -> Result<Answer, Error> {
    let Some(instance) = engine.handle(report, id).await? else {
        return Ok(Answer::NotFound);
    };
    if !instance.status().await?.has_ended() {
        return Ok(accepted(id));
    }
    Ok(match instance.result().await? {
        Ok(total) => Answer::Done(total),
        Err(error) => Answer::Failed(error.to_string()),
    })
}

fn accepted(id: &str) -> Answer {
    let location = format!("/status/{id}");
    Answer::Accepted {
        location,
        retry_after: 10,
    }
}

#[tokio::test]
async fn it_answers_at_once_and_gives_the_result_later() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    for (month, expected) in [
        ("2026-02", Answer::Done(28)),
        (
            "2026-13",
            Answer::Failed("nothing is known of that month".to_owned()),
        ),
    ] {
        let id = format!("report-{month}");
        // Asking twice is asking once.
        for _ in 0..2 {
            let answer = post_report(&engine, month.to_owned()).await?;
            assert_eq!(answer, accepted(&id));
        }
        assert_eq!(get_status(&engine, &id).await?, accepted(&id));
        engine.advance(minutes(10)).await;
        assert_eq!(get_status(&engine, &id).await?, expected);
    }
    assert_eq!(get_status(&engine, "nobody").await?, Answer::NotFound);
    Ok(())
}
