use durable_runtime::prelude::*;

use crate::shop::{BoxError, ChargeError, CheckoutError, Order, Receipt, bank, ship};

static APPROVAL: Event<()> = Event::new("approval");

#[activity(retry(max_attempts = 5, when = ChargeError::is_temporary))]
async fn charge(order: Order) -> Result<Receipt, ChargeError> {
    bank::charge(&order, activity::key()).await
}

#[orchestrator]
async fn checkout(order: Order) -> Result<Receipt, CheckoutError> {
    let receipt = charge(order.clone()).await?;
    select! {
        () = APPROVAL.wait() => { ship(order).await; Ok(receipt) }
        () = sleep(hours(24)) => Err(CheckoutError::NobodyApproved),
    }
}

async fn sell(engine: &Engine, order: Order) -> Result<Receipt, BoxError> {
    let sale = engine.start(checkout(order)).id("order-42").await?;
    sale.raise(&APPROVAL, ()).await.or_else(unless_ended)?;
    Ok(sale.result().await??)
}
