use std::time::Duration;

use durable_runtime::prelude::*;

#[activity]
async fn charge(item: String) -> String {
    println!("charging for the {item} ...");
    tokio::time::sleep(Duration::from_secs(3)).await;
    format!("receipt for a {item}")
}

#[activity]
async fn pack(item: String) -> String {
    println!("packing the {item} ...");
    tokio::time::sleep(Duration::from_secs(3)).await;
    format!("parcel with a {item}")
}

#[activity]
async fn hand_over(parcel: String) -> String {
    println!("handing over the {parcel} ...");
    tokio::time::sleep(Duration::from_secs(3)).await;
    format!("{parcel}, on its way")
}

#[orchestrator]
async fn deliver(item: String) -> (String, String) {
    let receipt = charge(item.clone()).await;
    let parcel = pack(item).await;
    println!("the courier comes in ten seconds");
    sleep(seconds(10)).await;
    let delivery = hand_over(parcel).await;
    (receipt, delivery)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let engine = Engine::open("parcels.redb").await?;
    let parcel = engine
        .start(deliver("teapot".to_owned()))
        .id("parcel-1")
        .await?;
    println!("{:?}", parcel.result().await?);
    engine.shutdown().await;
    Ok(())
}
