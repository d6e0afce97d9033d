//! Starting again, and cleaning up.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;
use durable_runtime::{Reuse, Status};

#[orchestrator]
async fn nightly(day: u32) -> u32 {
    sleep(hours(1)).await;
    day
}

#[tokio::test]
async fn a_job_runs_again_and_leaves_nothing() -> Result<(), Error> {
    let builder = TestEngine::builder()
        .retention(days(30))
        .retention_of(Status::Failed, days(365));
    let engine = builder.start()?;
    for day in 1..=3 {
        let job = engine
            .start(nightly(day))
            .id("nightly")
            .reuse(Reuse::replace_ended())
            .await?;
        assert_eq!(job.result().await?, day);
        let once_more = job.restart().await?;
        assert_eq!(once_more.result().await?, day);
        once_more.purge().await?;
    }
    let job = engine.start(nightly(4)).await?;
    job.result().await?;
    let month_ago = engine.now() - days(30);
    let purged = engine.instances().completed(..month_ago).purge().await?;
    assert_eq!(purged.count, 0);
    engine.advance(days(31)).await;
    assert_eq!(engine.counts().await?.total(), 0);
    Ok(())
}
