//! Lists of instances.

use std::time::SystemTime;

use durable_runtime::Status;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

#[orchestrator(name = "lists.sells")]
async fn sells(number: u32) -> Result<u32, String> {
    if number.is_multiple_of(2) {
        return Err("sold out".to_owned());
    }
    Ok(number)
}

async fn failed_today(
    engine: &Engine,
    today: SystemTime,
    after: Option<&str>,
) -> Result<(Vec<String>, Option<String>), Error> {
    let mut list = engine.instances().status(Status::Failed).created(today..);
    if let Some(text) = after {
        list = list.after(text.parse()?);
    }
    let page = list.newest_first().page_size(50).await?;
    let ids = page.instances.iter().map(|row| row.id.to_string());
    Ok((ids.collect(), page.next.map(|next| next.to_string())))
}

#[tokio::test]
async fn the_failed_of_today_are_listed_page_by_page() {
    let engine = TestEngine::start().unwrap();
    let yesterday = engine.start(sells(0)).id("yesterday").await.unwrap();
    yesterday.wait().await.unwrap();
    engine.advance(days(1)).await;
    let today = engine.now();
    for number in 0..120 {
        let sale = engine.start(sells(number)).id(format!("sale-{number:03}"));
        sale.await.unwrap().wait().await.unwrap();
    }
    let (first, cursor) = failed_today(&engine, today, None).await.unwrap();
    assert_eq!((first.len(), first[0].as_str()), (50, "sale-118"));
    let (rest, cursor) = failed_today(&engine, today, cursor.as_deref())
        .await
        .unwrap();
    assert_eq!((rest.len(), cursor), (10, None));
    assert_eq!(rest[9], "sale-000");
    assert_eq!(engine.counts().await.unwrap().of(Status::Failed), 61);
}
