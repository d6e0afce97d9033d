//! A child, in a module of its own.

use durable_runtime::{activity, orchestrator};
use warehouse::Shelf;

#[activity]
pub(super) async fn wrap(shelf: Shelf) -> String {
    tokio::task::yield_now().await;
    shelf.0.to_string()
}

#[orchestrator(name = "shop.ship")]
pub(crate) async fn ship_one(shelf: Shelf) -> String {
    super::checkout::last([wrap(shelf), wrap(shelf)])
        .await
        .unwrap_or_default()
}

pub(crate) use self::ship_one as ship;
