use std::sync::Arc;

use durable_runtime::helper;
use tokio::sync::{Mutex, mpsc};

#[helper]
async fn takes(total: Arc<Mutex<u64>>, messages: &mut mpsc::Receiver<u64>) -> u64 {
    let message = messages.recv().await.unwrap_or_default();
    *total.lock().await + message
}

fn main() {}
