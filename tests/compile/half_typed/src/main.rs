//! One function, as far as it was typed. Nobody else hears of it: the signature survives.

use durable_runtime::prelude::*;

static APPROVAL: Event<bool> = Event::new("approval");

#[derive(serde::Serialize, serde::Deserialize)]
struct Cart {
    id: String,
    lines: Vec<(String, u64)>,
}

#[activity]
async fn price(sku: String, cents: u64) -> Result<u64, String> {
    Ok(cents + u64::from(sku.is_empty()))
}

#[activity]
async fn pay(cents: u64) -> Result<u64, String> {
    Ok(cents)
}

#[activity]
async fn ship(id: String) -> Result<u64, String> {
    Ok(u64::from(id.is_empty()))
}

#[orchestrator]
async fn typed_1(cart: Cart) -> Result<u64, String> {
    let total = 
}

#[orchestrator]
async fn typed_2(cart: Cart) -> Result<u64, String> {
    let total = cart.
}

#[orchestrator]
async fn typed_3(cart: Cart) -> Result<u64, String> {
    let mut total = cart.lines.iter().map(|(sku, _)| sku.)
}

#[helper]
async fn typed_4(cart: Cart) -> Result<u64, String> {
    let mut total = 0;
    for (sku, cents) in &cart.
}

#[orchestrator]
async fn typed_5(cart: Cart) -> Result<u64, String> {
    let mut total = 0;
    for (sku, cents) in &cart.lines { total += }
}

#[orchestrator]
async fn typed_6(cart: Cart) -> Result<u64, String> {
    let mut total = 0;
    for (sku, cents) in &cart.lines { total += price(sku.clone(), *cents). }
}

#[orchestrator]
async fn typed_7(cart: Cart) -> Result<u64, String> {
    let mut total = 0;
    for (sku, cents) in &cart.lines { total += price(sku.clone(), *cents).await }
    total.await.
}

#[helper]
async fn typed_8(cart: Cart) -> Result<u64, String> {
    let total = price(cart.id.clone(), 1).await?;
    let (paid, shipped) = join!(pay(total), );
    paid.
}

#[orchestrator]
async fn typed_9(cart: Cart) -> Result<u64, String> {
    let total = price(cart.id.clone(), 1).await?;
    let (paid, shipped) = join!(pay(total), async { ship(cart.id). });
}

#[orchestrator]
async fn typed_10(cart: Cart) -> Result<u64, String> {
    let total = price(cart.id.clone(), 1).await?;
    if total > { }
}

#[orchestrator]
async fn typed_11(cart: Cart) -> Result<u64, String> {
    let total = price(cart.id.clone(), 1).await?;
    match pay(total).await { Ok(it) => it., }
}

#[helper]
async fn typed_12(cart: Cart) -> Result<u64, String> {
    let total = price(cart.id.clone(), 1).await?;
    let approved = select! { it = APPROVAL.wait() => it., };
    approved.
}

#[orchestrator]
async fn typed_13(cart: Cart) -> Result<u64, String> {
    let total = price(cart.id.clone(), 1).await?;
    pay(total).await?
    Ok(total)
}

#[orchestrator]
async fn typed_14(cart: Cart) -> Result<u64, String> {
    let total = price(cart.id.clone(), 1).await?;
    return Ok(total).;
}

#[orchestrator]
async fn caller(cart: Cart) -> Result<u64, String> {
    let mut sum = 0;
    let one: u64 = typed_1(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_2(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_3(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_4(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_5(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_6(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_7(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_8(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_9(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_10(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_11(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_12(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_13(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    let one: u64 = typed_14(Cart { id: cart.id.clone(), lines: Vec::new() }).await?;
    sum += one;
    Ok(sum)
}

fn main() {}
