use durable_runtime::orchestrator;
use tokio::sync::oneshot;

#[orchestrator]
async fn receives() -> Result<String, String> {
    let (sender, receiver) = oneshot::channel::<String>();
    drop(sender);
    let message = receiver.await.map_err(|e| e.to_string())?;
    Ok(message)
}

fn main() {}
