//! Orchestrators that start orchestrators.

use durable_runtime::prelude::*;
use durable_runtime::testing::TestEngine;

#[activity]
async fn hand_over(order: u32) -> String {
    assert!(order != 13, "nobody packs number 13");
    format!("parcel {order}")
}

#[orchestrator]
async fn ship(order: u32) -> String {
    sleep(hours(1)).await;
    hand_over(order).await
}

#[orchestrator]
async fn ship_all(orders: Vec<u32>) -> Vec<Result<String, Fault>> {
    let each = |order: u32| ship(order).id(format!("shipping-{order}")).catch();
    join_all(orders.into_iter().map(each)).await
}

#[orchestrator]
async fn take_order(order: u32) -> Detached<String> {
    start(ship(order)).id(format!("parcel-{order}")).await
}

#[orchestrator]
async fn complain(parcel: Detached<String>) -> String {
    match parcel.result().timeout(days(14)).await {
        Ok(parcel) => format!("{parcel} was late"),
        Err(Elapsed {}) => "it is lost".to_owned(),
    }
}

#[tokio::test]
async fn what_was_started_outlives_who_started_it() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let order = engine.start(take_order(7)).await?;
    let parcel = order.result().await?;
    assert_eq!(parcel.id().as_str(), "parcel-7");
    let complaint = engine.start(complain(parcel)).await?;
    assert_eq!(complaint.result().await?, "parcel 7 was late");
    Ok(())
}

#[tokio::test]
async fn one_child_that_faults_leaves_the_others_alone() -> Result<(), Error> {
    let engine = TestEngine::start()?;
    let shipped = engine.start(ship_all(vec![12, 13, 14])).await?;
    let shipped = shipped.result().await?;
    assert_eq!(shipped[0], Ok("parcel 12".to_owned()));
    assert_eq!(shipped[2], Ok("parcel 14".to_owned()));
    let fault = shipped[1].as_ref().unwrap_err();
    assert!(
        fault.to_string().contains("nobody packs number 13"),
        "{fault}"
    );
    let child = engine.handle(ship, "shipping-14").await?.unwrap();
    assert_eq!(child.result().await?, "parcel 14");
    Ok(())
}
