//! Orchestrators over the activities of a library, some under other names than they were written with.

use dr::prelude::*;
use durable_runtime as dr;
use serde::{Deserialize, Serialize};
use warehouse::{Declined, Item, Shelf, charge as take_money, put_aside, refund};

/// Says that the customer still wants it.
pub static CONFIRMED: Event<bool> = Event::new("confirmed");

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum CheckoutError {
    Unpaid(Declined),
    Unwanted,
    Lost(String),
}

impl From<Declined> for CheckoutError {
    fn from(declined: Declined) -> Self {
        Self::Unpaid(declined)
    }
}

impl From<dr::Fault> for CheckoutError {
    fn from(fault: dr::Fault) -> Self {
        Self::Lost(fault.to_string())
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Sold {
    pub receipt: String,
    pub parcels: Vec<String>,
}

#[dr::orchestrator]
pub async fn checkout(item: Item) -> Result<Sold, CheckoutError> {
    let receipt = take_money(item.cents).await?;
    set_status("paid");
    let is_wanted = select! {
        is_wanted = CONFIRMED.wait() => is_wanted,
        () = sleep(days(3)) => false,
    };
    if !is_wanted {
        undo(&receipt).await;
        return Err(CheckoutError::Unwanted);
    }
    let shelves = join_all((1..=3).map(|count| put_aside(item.clone(), count))).await;
    let mut parcels = Vec::new();
    for shelf in shelves.into_iter().flatten() {
        parcels.push(crate::shipping::ship(shelf).await);
    }
    Ok(Sold { receipt, parcels })
}

/// Borrows what its caller owns.
#[helper]
async fn undo(receipt: &str) {
    let refunded = refund(receipt.to_owned()).await;
    println!("refunded: {refunded:?}");
}

/// Something that orchestrators of a program can be generic over.
#[helper]
pub async fn last<T, I>(calls: I) -> Option<T>
where
    I: IntoIterator,
    I::Item: dr::Durable<Output = T>,
{
    let mut last = None;
    for call in calls {
        last = Some(call.await);
    }
    last
}

pub fn shelf(parcel: &str) -> Option<Shelf> {
    parcel.parse().ok().map(Shelf)
}
