//! What a library offers. Above each function is what its page is to say.
#![deny(warnings, missing_docs)]

use durable_runtime::prelude::*;

/// What is ordered.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Order {
    /// In cents.
    pub price: u64,
}

//~ pub async fn charge(order: Order, cents: u64) -> Result<u64, String>
/// Charges the card.
#[activity(retry(max_attempts = 3))]
pub async fn charge(order: Order, cents: u64) -> Result<u64, String> {
    Ok(order.price + cents)
}

//~ pub fn hash(path: String) -> u64
/// Hashes a file.
#[activity]
#[must_use]
pub fn hash(path: String, #[state] salt: &u64) -> u64 {
    salt + u64::from(path.is_empty())
}

//~ pub async fn lowered(order: &Order) -> Order
/// Lowers the price.
#[helper]
pub async fn lowered(order: &Order) -> Order {
    drop(charge(order.clone(), 1).catch().await);
    order.clone()
}

//~ pub async fn checkout(order: Order) -> Result<u64, String>
/// Sells an [`Order`].
#[orchestrator(version = "2")]
pub async fn checkout(order: Order) -> Result<u64, String> {
    let lower = lowered(&order).await;
    charge(order, lower.price).await
}

//~ pub fn starts(engine: &Engine, order: Order) -> impl Future<Output = bool>
/// Starts a checkout: the compiler looks into this body, and sees what a call of it really is.
pub fn starts(engine: &Engine, order: Order) -> impl Future<Output = bool> {
    let start = engine.start(checkout(order)).id("one");
    async move { start.await.is_ok() }
}

/// A way to pay.
pub trait Way {
    /// Pays.
    #[helper]
    async fn pay(&self, order: &Order) -> u64;
}

impl Way for Order {
    #[helper]
    async fn pay(&self, order: &Order) -> u64 {
        self.price + order.price
    }
}

impl Order {
    /// What it costs.
    #[helper]
    pub async fn cost(&self) -> u64 {
        self.pay(self).await
    }
}
