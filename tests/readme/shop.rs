//! What the program in the README takes for granted: types, a bank, and a child orchestration that ships.

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

pub(crate) type BoxError = Box<dyn std::error::Error>;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) item: String,
    pub(crate) cents: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) cents: u32,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum ChargeError {
    #[error("the card was declined")]
    Declined,
    #[error("the bank did not answer")]
    NoAnswer,
}

impl ChargeError {
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self, Self::NoAnswer)
    }
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum CheckoutError {
    #[error("the order is not paid")]
    Unpaid(#[from] ChargeError),
    #[error("nobody approved the order")]
    NobodyApproved,
}

pub(crate) mod bank {
    use std::fmt::Display;

    use durable_runtime::activity;

    use super::{ChargeError, Order, Receipt};

    /// Declines what costs too much; does not answer the first time that a small sum is asked for.
    pub(crate) async fn charge(order: &Order, _key: impl Display) -> Result<Receipt, ChargeError> {
        tokio::task::yield_now().await;
        match order.cents {
            10_000.. => Err(ChargeError::Declined),
            _ if activity::attempt() == 1 => Err(ChargeError::NoAnswer),
            cents => Ok(Receipt { cents }),
        }
    }
}

#[activity]
async fn hand_over(item: String) -> String {
    format!("parcel with a {item}")
}

#[orchestrator]
pub(crate) async fn ship(order: Order) -> String {
    hand_over(order.item).await
}
