//! cargo run --example order -- [--db PATH] [--fast] [--refuse]
//!
//! A checkout that outlives its process: kill it whenever you like and run it again, and it goes on where it was.
//!
//! The first attempt at the payment fails and is tried again; shelf and mail go in parallel; somebody approves, or a
//! day passes; a child orchestration ships. With `--refuse` the order is refused, and what was done is undone. Each
//! attempt of an activity that really ran left a line in the ledger, `target/order.ledger`.

use Stage::{AwaitingApproval, Packing, Paying, Shipping, Undoing};
use durable_examples::{Args, Bar, Ledger, follow, invite, pause, print_result};
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    item: String,
    cents: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Delivery {
    payment: String,
    parcel: String,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum ChargeError {
    #[error("the bank did not answer")]
    NoAnswer,
    #[error("the card was declined")]
    Declined,
}

fn is_temporary(error: &ChargeError) -> bool {
    matches!(error, ChargeError::NoAnswer)
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum CheckoutError {
    #[error("the order is not paid")]
    Unpaid(#[from] ChargeError),
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
    set_status(&Paying);
    let payment = charge(order.clone()).await?;

    set_status(&Packing);
    let (shelf, ()) = join!(reserve(order.clone()), send_mail(order.clone()));

    set_status(&AwaitingApproval);
    let is_approved = select! {
        is_approved = APPROVAL.wait() => is_approved,
        () = sleep(days(1)) => false,
    };
    if !is_approved {
        set_status(&Undoing);
        join!(refund(order.clone()), put_back(order));
        return Err(CheckoutError::Refused);
    }

    set_status(&Shipping);
    let parcel = ship(order, shelf).await;
    Ok(Delivery { payment, parcel })
}

/// A child of the checkout: an orchestration with a history of its own.
#[orchestrator]
async fn ship(order: Order, shelf: String) -> String {
    let parcel = hand_over(order, shelf).await;
    sleep(Duration::from_millis(20)).await;
    parcel
}

#[activity(retry(max_attempts = 5, initial = "20ms", when = is_temporary))]
async fn charge(order: Order, #[state] ledger: &Ledger) -> Result<String, ChargeError> {
    ledger.work().await;
    match (order.cents, activity::attempt()) {
        (1_000_000.., _) => Err(ChargeError::Declined),
        (_, 1) => Err(ChargeError::NoAnswer),
        _ => Ok(format!("{} cents", order.cents)),
    }
}

#[activity]
async fn reserve(_order: Order, #[state] ledger: &Ledger) -> String {
    ledger.work().await;
    "shelf 7".to_owned()
}

#[activity]
async fn send_mail(_order: Order, #[state] ledger: &Ledger) {
    ledger.work().await;
}

#[activity]
async fn hand_over(order: Order, shelf: String, #[state] ledger: &Ledger) -> String {
    ledger.work().await;
    format!("{} from {shelf}", order.item)
}

#[activity]
async fn refund(_order: Order, #[state] ledger: &Ledger) {
    ledger.work().await;
}

#[activity]
async fn put_back(_order: Order, #[state] ledger: &Ledger) {
    ledger.work().await;
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args = Args::parse("order", &["--fast", "--refuse"])?;
    let pace = Duration::from_millis(if args.has("--fast") { 10 } else { 1500 });
    let ledger = Ledger::beside(args.db(), pace)?;
    let engine = Engine::builder(args.db()).state(ledger).open().await?;
    let (item, cents) = ("teapot".to_owned(), 4200);
    let call = checkout(Order { item, cents });
    let order = engine.start(call).id(args.id("order-42")).await?;
    invite(&order).await?;
    let bar = Bar::new([Paying, Packing, AwaitingApproval, Shipping]);
    follow(&order, &bar, async |stage| {
        if *stage == AwaitingApproval {
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
