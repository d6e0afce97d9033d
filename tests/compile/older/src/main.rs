//! Annotated functions under other paths: re-exported, renamed, by a glob.

mod shop {
    pub use older::{charge, follow_up as follows, Order};

    pub mod all {
        pub use older::*;
    }
}

use durable_runtime::prelude::*;
use shop::all::{both, price as priced};
use shop::{charge, follows, Order};

#[orchestrator]
async fn buys(order: Order) -> Result<u64, Error> {
    let paid = charge(order.clone()).await?;
    let followed = follows(order.clone()).await;
    let twice = both(order.clone(), order.clone()).await;
    let lived = start(shop::all::follow_up(order.clone())).await.result().await;
    Ok(paid + followed + twice + lived + priced(order).await)
}

fn main() {}
