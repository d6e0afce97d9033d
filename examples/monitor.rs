//! cargo run --example monitor -- [--db PATH] [--fast] [--bergen]
//!
//! Looks at the weather every so often until the sky is clear, and says so; gives up after a while. Between two looks it
//! takes no thread, and a kill does not shift the next one. While it waits it can be told to stop, or to look more or less
//! often. Each look is an execution of its own, so the history stays as short as it is. In Oslo the sky is clear at the
//! fourth look, in Bergen (`--bergen`) it never is.

use std::time::{Duration, SystemTime};

use durable_examples::{Args, Bar, Ledger, follow, invite, print_result};
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Watch {
    place: String,
    /// The time between two looks.
    every: Duration,
    /// For how long to look at all.
    patience: Duration,
    /// When to give up; known from the first look on.
    until: Option<SystemTime>,
    looks: u32,
}

#[derive(Debug, Serialize, Deserialize)]
enum Verdict {
    ClearAt(Look),
    GaveUp,
    Stopped,
}

/// The number of a look, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Look(u32);

static STOP: Event<()> = Event::new("stop");
static EVERY: Event<Duration> = Event::new("every");

#[orchestrator]
async fn monitor(mut watch: Watch) -> Verdict {
    let until = *watch.until.get_or_insert(now() + watch.patience);
    if now() >= until {
        return Verdict::GaveUp;
    }

    watch.looks += 1;
    let look = Look(watch.looks);
    set_status(&look);
    let is_clear = select! {
        is_clear = is_clear(watch.place.clone(), look) => is_clear,
        () = STOP.wait() => return Verdict::Stopped,
    };
    if is_clear {
        send_alert(watch.place).await;
        return Verdict::ClearAt(look);
    }

    let next = now() + watch.every;
    select! {
        () = sleep_until(next.min(until)) => {}
        every = EVERY.wait() => watch.every = every,
        () = STOP.wait() => return Verdict::Stopped,
    }
    continue_as_new(monitor(watch)).await
}

#[activity]
async fn is_clear(place: String, look: Look, #[state] ledger: &Ledger) -> bool {
    ledger.work().await;
    place == "Oslo" && look.0 >= 4
}

#[activity]
async fn send_alert(_place: String, #[state] ledger: &Ledger) {
    ledger.work().await;
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("monitor", &["--fast", "--bergen"])?;
    let every = Duration::from_millis(if args.has("--fast") { 100 } else { 3000 });
    let (place, patience) = if args.has("--bergen") {
        ("Bergen", 12 * every)
    } else {
        ("Oslo", hours(6))
    };
    let ledger = Ledger::beside(args.db(), every / 10)?;
    let engine = Engine::builder(args.db()).state(ledger).open().await?;

    let watch = Watch {
        place: place.to_owned(),
        every,
        patience,
        until: None,
        looks: 0,
    };
    let weather = engine.start(monitor(watch)).id(args.id("weather")).await?;
    invite(&weather).await?;
    let bar = Bar::new((1..=12).map(Look).collect::<Vec<_>>());
    follow(&weather, &bar, async |_| Ok(())).await?;

    let result = weather.result().await?;
    engine.shutdown().await;
    Ok(print_result(&result)?)
}
