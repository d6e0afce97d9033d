//! One step after the other.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

use crate::support::web;

#[activity(retry(max_attempts = 3))]
async fn fetch(url: String) -> Result<String, Error> {
    Ok(web::get(&url).await?)
}

#[activity]
async fn count_words(page: String) -> usize {
    page.split_whitespace().count()
}

#[activity]
async fn save(url: String, words: usize) -> Result<(), Error> {
    Ok(web::put(&url, words).await?)
}

#[orchestrator]
async fn index(url: String) -> Result<usize, Error> {
    let page = fetch(url.clone()).await?;
    let words = count_words(page).await;
    save(url, words).await?;
    Ok(words)
}

#[tokio::test]
async fn a_page_is_indexed() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let indexed = engine.start(index("https://example.org".to_owned()));
    assert_eq!(indexed.await?.result().await??, 3);
    Ok(())
}

/// Whether the engine is started again after each commit makes no difference.
#[tokio::test]
async fn it_goes_on_after_any_step() -> Result<(), Error> {
    let mut engine = TestEngine::start()?;
    let start = index("https://example.org".to_owned());
    let id = engine.start(start).await?.id().clone();
    for _ in 0..5 {
        engine = engine.restart().await?;
    }
    let indexed = engine.handle(index, id.as_str()).await?;
    let indexed = indexed.ok_or(web::NotFound)?;
    assert_eq!(indexed.result().await??, 3);
    Ok(())
}

#[tokio::test]
async fn an_error_of_a_step_is_the_error_of_the_whole() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let nowhere = engine.start(index("https://nowhere".to_owned())).await?;
    let error = nowhere.result().await?.unwrap_err();
    assert_eq!(error.to_string(), "there is no such page");
    Ok(())
}
