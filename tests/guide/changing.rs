//! Code that changes while instances wait.
#![expect(
    clippy::print_stdout,
    reason = "what is asked before a deployment is told to people"
)]

mod one {
    use durable_runtime::prelude::*;

    #[activity]
    pub(super) async fn thank(name: String) -> String {
        format!("Thank you, {name}!")
    }

    #[orchestrator(name = "subscribe", version = "1")]
    pub(super) async fn subscribe(name: String) -> String {
        sleep(days(30)).await;
        thank(name).await
    }
}

mod two {
    use durable_runtime::prelude::*;

    use super::one::thank;

    #[activity]
    pub(super) async fn welcome(name: String) {
        drop(name);
    }

    #[orchestrator(name = "subscribe", version = "2")]
    pub(super) async fn subscribe(name: String) -> String {
        welcome(name.clone()).await;
        sleep(days(30)).await;
        thank(name).await
    }
}

mod change {
    use durable_runtime::prelude::*;

    #[activity]
    pub(super) async fn card(name: String) {
        drop(name);
    }

    #[activity]
    pub(super) async fn present(name: String) -> String {
        format!("a cake for {name}")
    }

    #[orchestrator]
    pub(super) async fn birthday(name: String) -> String {
        if changed("card-before-present") {
            card(name.clone()).await;
        }
        sleep(days(365)).await;
        present(name).await
    }
}

use std::path::Path;

use durable_runtime::testing::{TestEngine, assert_replays};
use durable_runtime::{Engine, Error, Registry, days, named, sleep};
use serde_json::{Value, json};

use crate::support::fresh_db;

/// Whether this program fits all that is unfinished in a file.
async fn check_before_deploying(file: &Path) -> Result<bool, Error> {
    let verified = Engine::builder(file).verify().await?;
    println!("{verified}");
    Ok(verified.all_fit())
}

/// Keeps a history that a later program must fit.
async fn keep(engine: &Engine, id: &str) -> Result<(), Error> {
    if let Some(instance) = engine.instance(id).await? {
        instance
            .save_history(format!("histories/{id}.json"))
            .await?;
    }
    Ok(())
}

#[test]
fn what_was_saved_still_fits() {
    assert_replays!("guide/histories/*");
}

#[tokio::test]
async fn what_began_in_one_version_ends_in_it() -> Result<(), Error> {
    let before = Registry::new()
        .activity(one::thank)
        .orchestrator(one::subscribe);
    let engine = TestEngine::builder().registry(before).start()?;
    let old = one::subscribe("Ada".to_owned());
    engine.start(old).id("ada").await?;
    engine.settle().await;

    let engine = engine.restart().await?;
    let new = two::subscribe("Bob".to_owned());
    let new = engine.start(new).id("bob").await?;
    let old = engine.handle(one::subscribe, "ada").await?.unwrap();
    assert_eq!(old.result().await?, "Thank you, Ada!");
    assert_eq!(new.result().await?, "Thank you, Bob!");
    assert!(new.history().await?.len() > old.history().await?.len());
    Ok(())
}

#[tokio::test]
async fn an_execution_that_begins_with_the_change_has_it_to_its_end() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let birthday = engine.start(change::birthday("Ada".to_owned())).await?;
    assert_eq!(birthday.result().await?, "a cake for Ada");
    assert_eq!(birthday.history().await?.len(), 13);
    keep(&engine, "nobody").await?;
    let saved = Path::new(env!("CARGO_MANIFEST_DIR")).join("guide/histories/ada.json");
    if std::env::var_os("BLESS").is_some() && !saved.exists() {
        birthday.save_history(saved).await?;
    }
    Ok(())
}

/// `reminders` as an earlier program had it.
async fn earlier(name: Value) -> Result<Value, Error> {
    named::activity("remind", &name).await?;
    sleep(days(30)).await;
    Ok(name)
}

async fn remind(name: Value) -> Result<Value, Error> {
    Ok(name)
}

#[tokio::test]
async fn a_file_is_checked_before_the_program_meets_it() -> Result<(), Error> {
    let earlier = Registry::new()
        .named_activity("remind", remind)
        .named_orchestrator("reminders", earlier);
    for (registry, file, fits) in [
        (Registry::linked(), "fits", true),
        (earlier, "differs", false),
    ] {
        let path = fresh_db(file);
        let engine = Engine::builder(&path).registry(registry);
        let engine = engine.open().await?;
        let begun = engine
            .start(named::orchestrator("reminders", &json!("Ada")))
            .id("ada");
        let begun = begun.await?;
        let mut now = begun.summary().await?;
        while now.events < 3 {
            now = begun.changed(&now).await?;
        }
        engine.shutdown().await;
        assert_eq!(check_before_deploying(&path).await?, fits);
    }
    Ok(())
}
