//! Many at once, then all together.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

#[activity]
async fn list(folder: String) -> Vec<String> {
    let files = 0..folder.len();
    files.map(|file| format!("{folder}/{file}")).collect()
}

#[activity(limit = 10)]
async fn copy(file: String) -> Result<u64, Error> {
    if file.starts_with("locked") {
        return Err(Error::msg(format!("`{file}` is locked")));
    }
    Ok(100)
}

#[orchestrator]
async fn backup(folder: String) -> Result<u64, Error> {
    let files = list(folder).await;
    let copies = join_all(files.into_iter().map(copy)).await;
    let bytes: Result<Vec<u64>, Error> = copies.into_iter().collect();
    Ok(bytes?.into_iter().sum())
}

#[orchestrator]
async fn backup_or_stop(folder: String) -> Result<u64, Error> {
    let files = list(folder).await;
    let copies = files.into_iter().map(copy);
    let bytes = try_join_all(copies).limit(100).await?;
    Ok(bytes.into_iter().sum())
}

#[orchestrator]
async fn backup_with_progress(folder: String) -> u64 {
    let files = list(folder).await;
    let mut running: FuturesUnordered<_> = files.into_iter().map(copy).collect();
    let mut total = 0;
    while let Some(copied) = running.next().await {
        total += copied.unwrap_or_default();
        set_status(&total);
    }
    total
}

#[activity]
async fn price(shop: String) -> Result<u32, String> {
    u32::try_from(shop.len()).map_err(|error| error.to_string())
}

#[orchestrator]
async fn cheaper(first: String, second: String) -> Result<u32, String> {
    let (one, other) = try_join!(price(first), price(second))?;
    Ok(one.min(other))
}

#[orchestrator]
async fn first_price(shops: Vec<String>) -> Result<u32, String> {
    race(shops.into_iter().map(price)).await
}

#[tokio::test]
async fn all_are_copied_or_the_first_error_is_told() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    for (folder, expected) in [
        ("photos", Ok(600)),
        ("", Ok(0)),
        ("locked", Err("`locked/0` is locked".to_owned())),
    ] {
        let copied = engine.start(backup(folder.to_owned())).await?;
        let copied = copied.result().await?;
        assert_eq!(copied.map_err(|error| error.to_string()), expected);
        let copied = engine.start(backup_or_stop(folder.to_owned())).await?;
        let copied = copied.result().await?;
        assert_eq!(copied.map_err(|error| error.to_string()), expected);
        let copied = engine.start(backup_with_progress(folder.to_owned()));
        let copied = copied.await?;
        let total = copied.result().await?;
        assert_eq!(Ok(total), expected.clone().or(Ok::<u64, String>(0)));
    }
    Ok(())
}

#[tokio::test]
async fn two_are_asked_at_once() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let shops = vec!["corner".to_owned(), "market".to_owned()];
    let first = engine.start(first_price(shops)).await?;
    assert_eq!(first.result().await?, Ok(6));
    let call = cheaper("corner".to_owned(), "market place".to_owned());
    assert_eq!(engine.start(call).await?.result().await?, Ok(6));
    Ok(())
}
