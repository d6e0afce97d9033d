//! cargo run --example operating -- [--db PATH] [--fast]
//!
//! A day at the desk of a courier: nothing leaves while the depot is closed, a road is blocked, a parcel is lost. What the
//! desk sees of deliveries under way, and does to them: rewind, suspend, resume, terminate, purge. Kill it and run it
//! again: the day goes on, and comes to the same end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use durable_examples::{Args, Ledger, print_result, say};
use durable_runtime::prelude::*;
use durable_runtime::{Handle, Many, Status};
use serde::Serialize;

static SIGNED: Event<String> = Event::new("signed");

#[orchestrator]
async fn deliver(parcel: String) -> Result<String, String> {
    load(parcel.clone()).await?;
    set_status("at the door");
    let by = SIGNED.wait().await;
    Ok(format!("{parcel}, signed by {by}"))
}

type Delivery = Handle<Result<String, String>>;

/// Whether the depot is open, which the desk says.
type Depot = Arc<AtomicBool>;

#[activity]
async fn load(
    parcel: String,
    #[state] depot: &Depot,
    #[state] ledger: &Ledger,
) -> Result<(), String> {
    ledger.work().await;
    if depot.load(Ordering::Relaxed) {
        return Ok(());
    }
    Err(format!("the depot is closed, and `{parcel}` in it"))
}

/// In the morning the depot is closed. What has failed for it goes on from where it was, once it is open.
async fn open(depot: &Depot, engine: &Engine, deliveries: &[Delivery]) -> Result<(), Error> {
    until_none_moves(deliveries).await?;
    depot.store(true, Ordering::Relaxed);
    for failed in engine.instances().status(Status::Failed).await?.instances {
        say(format!("`{}` has failed, and is rewound", failed.id));
        if let Some(delivery) = engine.instance(failed.id.as_str()).await? {
            delivery.rewind("the depot is open").await?;
        }
    }
    until_none_moves(deliveries).await
}

/// Waits until each delivery is at the door, or has ended.
async fn until_none_moves(deliveries: &[Delivery]) -> Result<(), Error> {
    for delivery in deliveries {
        let moved = delivery.wait_until(|now| now.custom_status.is_some());
        moved.await?;
    }
    Ok(())
}

/// What is on its way to Bergen.
async fn to_bergen(engine: &Engine) -> Result<Many, Error> {
    let under_way = engine
        .instances()
        .status(Status::Running)
        .status(Status::Suspended);
    let list = under_way.tag("town", "Bergen").ids_only().await?;
    Ok(engine.many(list.instances.iter().map(ToString::to_string)))
}

/// What is signed for while the road is blocked is recorded, and waits.
async fn block_the_road(engine: &Engine) -> Result<(), Error> {
    for (id, held) in to_bergen(engine).await?.suspend("snow on the road").await {
        // What was signed for before a kill may have come to its end meanwhile, and is not held.
        if let (Ok(_), Some(delivery)) = (held, engine.instance(&id).await?) {
            say(delivery.explain().await?);
        }
    }
    Ok(())
}

async fn clear_the_road(engine: &Engine) -> Result<(), Error> {
    for (_, released) in to_bergen(engine).await?.resume("the road is clear").await {
        released?;
    }
    Ok(())
}

/// Everybody is at home and signs. One parcel will never come.
async fn hand_over(deliveries: &[Delivery], lost: &str) -> Result<(), Error> {
    for delivery in deliveries {
        if delivery.summary().await?.has_ended() {
            say(format!("`{}` was done before", delivery.id()));
        } else if delivery.id().as_str() == lost {
            delivery.terminate("lost on the way").await?;
        } else {
            // The id makes it one signature, however often the program is killed here.
            let signed = delivery.raise(&SIGNED, "a neighbour".to_owned());
            signed.id("signature").await?;
        }
    }
    Ok(())
}

/// What became of the deliveries.
#[derive(Debug, Serialize)]
struct Day {
    delivered: u64,
    lost: u64,
    purged: u64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("operating", &["--fast"])?;
    let pace = Duration::from_millis(if args.has("--fast") { 10 } else { 1000 });
    let (depot, ledger) = (Depot::default(), Ledger::beside(args.db(), pace)?);
    let builder = Engine::builder(args.db()).state(ledger);
    let engine = builder.state(Arc::clone(&depot)).open().await?;

    let mut deliveries = Vec::new();
    for (parcel, town) in [("books", "Oslo"), ("lamp", "Oslo"), ("tea", "Bergen")] {
        let delivery = engine.start(deliver(parcel.to_owned()));
        let delivery = delivery.id(args.id(parcel)).tag("town", town);
        deliveries.push(delivery.await?);
    }
    open(&depot, &engine, &deliveries).await?;
    block_the_road(&engine).await?;
    hand_over(&deliveries, &args.id("lamp")).await?;
    clear_the_road(&engine).await?;
    for delivery in &deliveries {
        delivery.wait().await?;
    }

    let counts = engine.counts_of("deliver").await?;
    let lost = engine.instances().status(Status::Terminated);
    let day = Day {
        delivered: counts.of(Status::Completed),
        lost: counts.of(Status::Terminated),
        purged: lost.purge().await?.count,
    };
    engine.shutdown().await;
    Ok(print_result(&day)?)
}
