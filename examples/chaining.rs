//! cargo run --example chaining -- [--db PATH]
//!
//! Three activities, one after the other. Kill the program between two greetings and run it again: those that were
//! spoken are remembered, and it goes on with the next. Each activity that really ran left a line in the ledger,
//! `target/chaining.ledger`.

use std::time::Duration;

use durable_examples::{Args, Ledger, invite, print_result};
use durable_runtime::prelude::*;

#[activity]
async fn say_hello(city: String, #[state] ledger: &Ledger) -> String {
    ledger.work().await;
    format!("Hello {city}!")
}

#[orchestrator]
async fn hello_sequence() -> Vec<String> {
    let tokyo = say_hello("Tokyo".to_owned()).await;
    let seattle = say_hello("Seattle".to_owned()).await;
    let london = say_hello("London".to_owned()).await;
    vec![tokyo, seattle, london]
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("chaining", &[])?;
    let ledger = Ledger::beside(args.db(), Duration::from_millis(100))?;
    let engine = Engine::builder(args.db()).state(ledger).open().await?;

    let greetings = engine.start(hello_sequence()).id("greetings").await?;
    invite(&greetings).await?;

    let result = greetings.result().await?;
    engine.shutdown().await;
    Ok(print_result(&result)?)
}
