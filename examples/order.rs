//! cargo run --example order -- [--db PATH] [--fast] [--refuse]
//!
//! A checkout that outlives its process: kill it whenever you like and run it again, and it goes on where it was.
//!
//! The first attempt at the payment fails and is tried again; shelf and mail go in parallel; somebody approves, or a
//! day passes; a child orchestration ships. With `--refuse` the order is refused, and what was done is undone.

use std::time::Duration;

use durable_examples::{Args, Bar, Ledger, follow, invite, pause, print_result};
use durable_runtime::Error;
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    item: String,
    cents: u32,
    /// How long everything takes.
    pace: Duration,
}

#[derive(Debug, Serialize, Deserialize)]
struct Delivery {
    payment: String,
    parcel: String,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum CheckoutError {
    #[error("the bank did not answer")]
    NoAnswer,
    #[error("the order was refused")]
    Refused,
}

/// What the customer sees of an order that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Stage {
    Paying,
    Packing,
    AwaitingApproval,
    Shipping,
    Undoing,
}

static APPROVAL: Event<bool> = Event::new("approval");

#[orchestrator]
async fn checkout(order: Order) -> Result<Delivery, CheckoutError> {
    set_status(&Stage::Paying);
    let retry = RetryPolicy::attempts(5).initial(order.pace);
    let payment = charge(order.clone()).retry(retry).await?;

    set_status(&Stage::Packing);
    let (shelf, ()) = join!(reserve(order.clone()), send_mail(order.clone()));

    set_status(&Stage::AwaitingApproval);
    let is_approved = select! {
        is_approved = APPROVAL.wait() => is_approved,
        () = sleep(days(1)) => false,
    };
    if !is_approved {
        set_status(&Stage::Undoing);
        join!(refund(order.clone()), put_back(order));
        return Err(CheckoutError::Refused);
    }

    set_status(&Stage::Shipping);
    let parcel = ship(order, shelf).await;
    Ok(Delivery { payment, parcel })
}

/// A child of the checkout: an orchestration with a history of its own.
#[orchestrator]
async fn ship(order: Order, shelf: String) -> String {
    let parcel = hand_over(order.clone(), shelf).await;
    sleep(order.pace).await;
    parcel
}

#[activity]
async fn charge(order: Order, #[state] ledger: &Ledger) -> Result<String, CheckoutError> {
    ledger.work(order.pace).await;
    match activity::attempt() {
        1 => Err(CheckoutError::NoAnswer),
        _ => Ok(format!("{} cents", order.cents)),
    }
}

#[activity]
async fn reserve(order: Order, #[state] ledger: &Ledger) -> String {
    ledger.work(2 * order.pace).await;
    "shelf 7".to_owned()
}

#[activity]
async fn send_mail(order: Order, #[state] ledger: &Ledger) {
    ledger.work(order.pace).await;
}

#[activity]
async fn hand_over(order: Order, shelf: String, #[state] ledger: &Ledger) -> String {
    ledger.work(order.pace).await;
    format!("{} from {shelf}", order.item)
}

#[activity]
async fn refund(order: Order, #[state] ledger: &Ledger) {
    ledger.work(order.pace).await;
}

#[activity]
async fn put_back(order: Order, #[state] ledger: &Ledger) {
    ledger.work(order.pace).await;
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("order", &["--fast", "--refuse"])?;
    let ledger = Ledger::beside(args.db())?;
    let engine = Engine::builder(args.db()).state(ledger).open().await?;

    let pace = Duration::from_millis(if args.has("--fast") { 10 } else { 1500 });
    let (item, cents) = ("teapot".to_owned(), 4200);
    let call = checkout(Order { item, cents, pace });
    let order = engine.start(call).id(args.id("order-42")).await?;
    invite(&order).await?;

    let bar = Bar::new([
        Stage::Paying,
        Stage::Packing,
        Stage::AwaitingApproval,
        Stage::Shipping,
    ]);
    follow(&order, &bar, async |stage| {
        if *stage == Stage::AwaitingApproval {
            pause(pace).await;
            order.raise(&APPROVAL, !args.has("--refuse")).await?;
        }
        Ok(())
    })
    .await?;

    let result = order.result().await?;
    engine.shutdown().await;
    Ok(print_result(&result)?)
}
