//! Ending and holding from outside.

use durable_runtime::Status;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

#[activity]
async fn deliver(address: String) {
    drop(address);
    activity::cancelled().await;
}

#[activity]
async fn call_back() {}

#[orchestrator]
async fn parcel(address: String) -> String {
    let cancel = cancellation();
    select! {
        () = deliver(address) => "delivered".to_owned(),
        reason = cancel.requested() => {
            call_back().await;
            format!("called back: {reason}")
        }
    }
}

async fn stop(engine: &Engine, id: &str) -> Result<(), Error> {
    let Some(parcel) = engine.instance(id).await? else {
        return Err(Error::msg(format!("there is no parcel `{id}`")));
    };
    // Its code may clean up; without a `cancellation()` it ends where it waits.
    parcel.cancel("the customer called").await?;
    Ok(())
}

#[tokio::test]
async fn a_parcel_is_called_back() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let parcel = engine.start(parcel("Main St 1".to_owned()));
    let parcel = parcel.id("parcel-1").after(days(1)).await?;
    assert_eq!(parcel.status().await?, Status::Pending);
    engine.advance(days(1)).await;
    assert_eq!(parcel.status().await?, Status::Running);
    stop(&engine, "parcel-1").await?;
    assert_eq!(parcel.result().await?, "called back: the customer called");
    assert!(stop(&engine, "parcel-2").await.is_err());
    Ok(())
}
