//! Code that changes while instances wait.

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

use std::path::Path;

use durable_runtime::testing::{TestEngine, check_replay};
use durable_runtime::{Engine, Error, Registry, named};
use serde_json::{Value, json};

use crate::support::fresh_db;

/// Whether this program fits what is recorded of these instances in a copy of its file.
async fn check_before_deploying(copy: &Path, ids: &[&str]) -> Result<(), Error> {
    // This engine knows no function, so it runs none.
    let engine = Engine::builder(copy).registry(Registry::new());
    let engine = engine.open().await?;
    for id in ids {
        if let Some(instance) = engine.instance(id).await? {
            let history = instance.history().await?;
            check_replay(&Registry::linked(), &history)?;
        }
    }
    engine.shutdown().await;
    Ok(())
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

/// `reminders` as an earlier program had it.
async fn earlier(name: Value) -> Result<Value, Error> {
    named::activity("remind", &name).await?;
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
        let checked = check_before_deploying(&path, &["ada", "nobody"]).await;
        assert_eq!(checked.is_ok(), fits, "{checked:?}");
    }
    Ok(())
}
