//! Waiting for a channel
//!
//! Write `static APPROVAL: Event<bool> = Event::new("approval");` and `APPROVAL.wait().await`.

use durable_runtime::prelude::*;
use tokio::sync::mpsc;

#[helper]
async fn approved(answers: &mut mpsc::Receiver<bool>) -> bool {
    answers.recv().await.unwrap_or(false)
}
