//! cargo run --example human_interaction -- [--db PATH] [--fast] [--asleep]
//!
//! Is this telephone number yours? A code goes there, and whoever has the telephone has four tries and ninety seconds to
//! send it back. The program plays that person too: mistyped once, then right; with `--asleep` nobody answers. Kill it
//! while it waits and run it again: the code stays the same, the tries that were used stay used, and the ninety seconds
//! have gone on. The message is `target/human_interaction.sms`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_examples::{Args, Bar, Ledger, follow, invite, pause, print_result};
use durable_runtime::prelude::*;
use durable_runtime::{HistoryEvent, Instance};
use serde::{Deserialize, Serialize};

/// A try to send the code back, from 1.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Try(u32);

static RESPONSE: Event<u32> = Event::new("SmsChallengeResponse");

#[orchestrator]
async fn verify_phone(telephone: PathBuf, patience: Duration) -> Result<bool, Error> {
    let code = send_code(telephone).await?;
    // One deadline for all tries together.
    let is_verified = timeout(patience, async {
        for number in 1..=4 {
            set_status(&Try(number));
            if RESPONSE.wait().await == code {
                return true;
            }
        }
        false
    });
    Ok(is_verified.await.unwrap_or(false))
}

/// Sends a code to the telephone, which is a file here: its last message.
///
/// A message that is sent again, after a kill, has the same code: it derives from the key of the call.
#[activity]
async fn send_code(telephone: PathBuf, #[state] ledger: &Ledger) -> Result<u32, Error> {
    let (key, _) = activity::key().as_u64_pair();
    let code = u32::try_from(key % 10_000)?;
    std::fs::write(telephone, format!("{code:04}"))?;
    ledger.work().await;
    Ok(code)
}

/// What the person at the telephone does when asked: the first answer is wrong.
///
/// Whether it was given is read from the record, since the program may have been killed right after it.
async fn answer(verification: &Instance, telephone: &Path) -> Result<(), Error> {
    let code: u32 = std::fs::read_to_string(telephone)?.parse()?;
    let history = verification.history().await?;
    let is_answer = |event: &HistoryEvent| matches!(event, HistoryEvent::EventRaised(_));
    let is_first = !history.iter().any(is_answer);
    let raised = verification.raise(&RESPONSE, code + u32::from(is_first));
    match raised.await {
        Err(error) if !error.is_ended() => Err(error.into()),
        _ => Ok(()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("human_interaction", &["--fast", "--asleep"])?;
    let pace = Duration::from_millis(if args.has("--fast") { 20 } else { 1500 });
    let patience = match (args.has("--asleep"), args.has("--fast")) {
        (true, true) => Duration::from_millis(300),
        (true, false) => seconds(10),
        (false, _) => seconds(90),
    };
    let telephone = std::path::absolute(args.db().with_extension("sms"))?;
    let ledger = Ledger::beside(args.db(), pace)?;
    let engine = Engine::builder(args.db()).state(ledger).open().await?;

    let call = verify_phone(telephone.clone(), patience);
    let verification = engine.start(call).id(args.id("verification")).await?;
    invite(&verification).await?;
    let bar = Bar::new([1, 2, 3, 4].map(Try));
    follow(&verification, &bar, async |_| {
        if !args.has("--asleep") {
            pause(pace).await;
            answer(&verification, &telephone).await?;
        }
        Ok(())
    })
    .await?;

    let result = verification.result().await?;
    engine.shutdown().await;
    Ok(print_result(&result)?)
}
