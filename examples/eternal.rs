//! cargo run --example eternal -- [--db PATH] [--fast]
//!
//! A cleaner that goes round for ever, until it is told to stop. Each round ends by continuing as new: the next begins with
//! an empty history, so the thousandth costs what the first did. Kill it in any round and run it again: it goes on in that
//! round. The program tells it to stop after the fifth round.

use std::time::Duration;

use durable_examples::{Args, Bar, Ledger, follow, invite, print_result};
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

/// What one round hands to the next.
#[derive(Debug, Serialize, Deserialize)]
struct Round {
    number: u32,
    pause: Duration,
}

static STOP: Event<String> = Event::new("stop");

#[orchestrator]
async fn clean_up(round: Round) -> String {
    set_status(&round.number);
    remove_leftovers(round.number).await;
    select! {
        // A request that comes while nobody waits is kept, for the next round too.
        reason = STOP.wait() => return reason,
        () = sleep(round.pause) => {}
    }
    let number = round.number + 1;
    continue_as_new(clean_up(Round { number, ..round })).await
}

#[activity]
async fn remove_leftovers(_round: u32, #[state] ledger: &Ledger) {
    ledger.work().await;
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("eternal", &["--fast"])?;
    let pace = Duration::from_millis(if args.has("--fast") { 10 } else { 1000 });
    let ledger = Ledger::beside(args.db(), pace)?;
    let engine = Engine::builder(args.db()).state(ledger).open().await?;

    // There is one cleaner, however often it is started: the id stands for it.
    let first = Round {
        number: 1,
        pause: pace,
    };
    let cleaner = engine.start(clean_up(first)).id(args.id("cleaner")).await?;
    invite(&cleaner).await?;
    let bar = Bar::new([1, 2, 3, 4, 5]);
    follow(&cleaner, &bar, async |number| {
        if *number < 5 {
            return Ok(());
        }
        let reason = "five rounds are enough".to_owned();
        match cleaner.raise(&STOP, reason).await {
            Err(error) if !error.is_ended() => Err(error.into()),
            _ => Ok(()),
        }
    })
    .await?;

    let result = cleaner.result().await?;
    engine.shutdown().await;
    Ok(print_result(&result)?)
}
