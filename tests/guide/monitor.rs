//! Looking again and again.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

/// Says yes from the third look on; of what is stuck, never.
#[activity]
async fn is_done(job: String, look: u32) -> bool {
    job != "stuck" && look >= 3
}

#[activity]
async fn tell(_job: String) {}

#[orchestrator]
async fn watch(job: String) -> bool {
    let give_up = now() + hours(6);
    let mut look = 1;
    while now() < give_up {
        if is_done(job.clone(), look).await {
            tell(job).await;
            return true;
        }
        sleep(minutes(30)).await;
        look += 1;
    }
    false
}

#[tokio::test]
async fn it_looks_every_half_hour_and_gives_up_after_six() -> Result<(), Error> {
    for (job, is_done, looks) in [("backup", true, 3), ("stuck", false, 12)] {
        let engine = TestEngine::start()?;
        let started = engine.now();
        let watched = engine.start(watch(job.to_owned())).await?;
        assert_eq!(watched.result().await?, is_done);
        let waits = looks - u32::from(is_done);
        assert_eq!(engine.now().duration_since(started)?, minutes(30) * waits);
    }
    Ok(())
}
