//! An activity's key and state, and a look at an instance. A program of its own, because each engine in it needs the state.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

mod post {
    use std::fmt::{self, Display};

    pub(crate) async fn send(letter: &str, key: impl Display) -> Result<(), fmt::Error> {
        tokio::task::yield_now().await;
        let is_addressed = letter.starts_with("Dear") && !key.to_string().is_empty();
        is_addressed.then_some(()).ok_or(fmt::Error)
    }
}

struct Db;

impl Db {
    async fn name_of(&self, user: u32) -> Option<String> {
        tokio::task::yield_now().await;
        (user == 1).then(|| "Ada".to_owned())
    }
}

#[activity(retry(max_attempts = 10))]
async fn send(letter: String) -> Result<(), Error> {
    post::send(&letter, activity::key()).await?;
    Ok(())
}

#[activity]
async fn find_name(user: u32, #[state] db: &Db) -> Option<String> {
    db.name_of(user).await
}

#[orchestrator]
async fn write_to(user: u32) -> Result<(), Error> {
    let name = find_name(user).await;
    let name = name.ok_or_else(|| Error::msg("nobody has that number"))?;
    send(format!("Dear {name}")).await
}

async fn explain(engine: &Engine, id: &str) -> Result<String, Error> {
    let Some(instance) = engine.instance(id).await? else {
        return Ok("there is no such instance".to_owned());
    };
    let now = instance.summary().await?;
    Ok(match now.stalled {
        Some(stall) => stall.report,
        None => format!("{:?} after {} events", now.status, now.events),
    })
}

async fn why(engine: &Engine, id: &str) -> Result<String, Error> {
    match engine.instance(id).await? {
        Some(instance) => Ok(instance.explain().await?.to_string()),
        None => Ok("there is no such instance".to_owned()),
    }
}

#[expect(dead_code, reason = "it would leave its file here")]
async fn open() -> Result<Engine, Error> {
    let engine = Engine::builder("letters.redb").state(Db).open().await?;
    Ok(engine)
}

#[tokio::test]
async fn a_letter_is_sent_and_its_instance_explained() -> Result<(), Error> {
    let engine = TestEngine::builder().state(Db).start()?;
    let sent = engine.start(write_to(1)).id("letter-1").await?;
    sent.result().await??;
    let unsent = engine.start(write_to(2)).id("letter-2").await?;
    unsent.result().await?.unwrap_err();
    // Started; turn, scheduled; completed, turn, scheduled; completed, turn, end.
    let explained = explain(&engine, "letter-1").await?;
    assert_eq!(explained, "Completed after 9 events");
    let explained = explain(&engine, "letter-2").await?;
    assert_eq!(explained, "Failed after 6 events");
    let explained = why(&engine, "letter-2").await?;
    assert!(
        explained.ends_with("cause:  nobody has that number"),
        "{explained}"
    );
    assert_eq!(why(&engine, "letter-3").await?, "there is no such instance");
    let explained = explain(&engine, "letter-3").await?;
    assert_eq!(explained, "there is no such instance");
    Ok(())
}
