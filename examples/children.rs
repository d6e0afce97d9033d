//! cargo run --example children -- [--db PATH] [--fast]
//!
//! A house is put on the net, device by device: each device is a child, an orchestration with an id and a history of its
//! own, and all go on side by side. The lamp fails once and is tried again, as another instance; the toaster is hopeless,
//! and the house does without it. Kill the program and run it again: every child goes on where it was. Each attempt of an
//! activity that really ran left a line in the ledger, `target/children.ledger`.

use std::time::Duration;

use durable_examples::{Args, Bar, Ledger, follow, invite, print_result};
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Device {
    name: String,
    address: String,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum DeviceError {
    #[error("{0} did not answer")]
    NoAnswer(String),
    #[error("{0} knows no net")]
    Hopeless(String),
}

impl DeviceError {
    fn is_temporary(&self) -> bool {
        matches!(self, Self::NoAnswer(_))
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Stage {
    Connecting,
    Reporting,
}

#[orchestrator]
async fn connect_house(names: Vec<String>) -> Vec<Result<Device, DeviceError>> {
    set_status(&Stage::Connecting);
    let policy = RetryPolicy::attempts(3).initial(Duration::from_millis(20));
    let children = names.into_iter().map(|name| {
        let id = format!("device-{name}");
        // The id names the first attempt; each later one is an instance of its own, with an id that the engine derives.
        connect(name)
            .id(id)
            .retry(policy)
            .retry_when(DeviceError::is_temporary)
    });
    let devices = join_all(children).await;

    set_status(&Stage::Reporting);
    report(devices.iter().filter(|device| device.is_ok()).count()).await;
    devices
}

/// A child of the house.
#[orchestrator]
async fn connect(name: String) -> Result<Device, DeviceError> {
    let address = lease_address(name.clone()).await;
    sleep(Duration::from_millis(20)).await;
    configure(name.clone()).await?;
    Ok(Device { name, address })
}

#[activity]
async fn lease_address(name: String, #[state] ledger: &Ledger) -> String {
    ledger.work().await;
    format!("10.0.0.{}", name.len())
}

#[activity]
async fn configure(name: String, #[state] ledger: &Ledger) -> Result<(), DeviceError> {
    ledger.work().await;
    let is_first = activity::info().instance.as_str() == format!("device-{name}");
    match (&*name, is_first) {
        ("lamp", true) => Err(DeviceError::NoAnswer(name)),
        ("toaster", _) => Err(DeviceError::Hopeless(name)),
        _ => Ok(()),
    }
}

#[activity]
async fn report(_connected: usize, #[state] ledger: &Ledger) {
    ledger.work().await;
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("children", &["--fast"])?;
    let pace = Duration::from_millis(if args.has("--fast") { 10 } else { 1500 });
    let ledger = Ledger::beside(args.db(), pace)?;
    let engine = Engine::builder(args.db()).state(ledger).open().await?;

    let names = ["door", "lamp", "toaster"].map(str::to_owned).to_vec();
    let house = engine.start(connect_house(names)).id("house").await?;
    invite(&house).await?;
    let bar = Bar::new([Stage::Connecting, Stage::Reporting]);
    follow(&house, &bar, async |_| Ok(())).await?;

    let result = house.result().await?;
    engine.shutdown().await;
    Ok(print_result(&result)?)
}
