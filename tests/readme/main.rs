#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let engine = Engine::open("shop.redb").await?;
    let (item, cents) = ("teapot".to_owned(), 4200);
    let receipt = sell(&engine, Order { item, cents }).await?;
    println!("{} cents are paid", receipt.cents);
    engine.shutdown().await;
    Ok(())
}

/// When the program runs again, the checkout may have ended: then there is nothing to approve.
fn unless_ended(error: durable_runtime::RaiseError) -> Result<(), durable_runtime::RaiseError> {
    error.is_ended().then_some(()).ok_or(error)
}
