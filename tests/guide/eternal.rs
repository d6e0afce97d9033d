//! What never ends.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

static READING: Event<u64> = Event::new("reading");
static STOP: Event<()> = Event::new("stop");

#[orchestrator]
async fn meter(total: u64) -> u64 {
    set_status(&total);
    select! {
        reading = READING.wait() => continue_as_new(meter(total + reading)).await,
        () = STOP.wait() => total,
    }
}

#[orchestrator]
async fn count(mut seen: u32) -> u32 {
    while !should_continue_as_new() {
        READING.wait().await;
        seen += 1;
        if seen == 3000 {
            return info().execution.0;
        }
    }
    continue_as_new(count(seen)).await
}

#[orchestrator]
async fn household(meter: String) {
    for _month in 1..=12 {
        sleep(days(30)).await;
        READING.send(&meter, 200).await;
    }
    STOP.send(&meter, ()).await;
}

#[tokio::test]
async fn a_household_reads_its_meter_for_a_year() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let meter = engine.start(meter(0)).id("meter-2").await?;
    engine.start(household("meter-2".to_owned())).await?;
    assert_eq!(meter.result().await?, 2400);
    Ok(())
}

#[tokio::test]
async fn it_goes_on_as_new_when_it_is_time() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let counter = engine.start(count(0)).await?;
    for _ in 0..3000 {
        counter.raise(&READING, 1).await?;
    }
    assert_eq!(counter.result().await?, 2);
    Ok(())
}

#[tokio::test]
async fn it_counts_for_ever_with_a_short_history() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let meter = engine.start(meter(0)).id("meter-1").await?;
    for _ in 0..1000 {
        meter.raise(&READING, 2).await?;
    }
    meter.raise(&STOP, ()).await?;
    assert_eq!(meter.result().await?, 2000);
    assert_eq!(meter.custom_status().await?, Some(2000));
    assert!(meter.history().await?.len() < 10);
    Ok(())
}
