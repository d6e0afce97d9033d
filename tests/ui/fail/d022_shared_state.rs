use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use durable_runtime::{helper, orchestrator};

#[orchestrator]
async fn shares() -> u64 {
    let sum = Mutex::new(1);
    let (sender, receiver) = std::sync::mpsc::channel();
    let _ = sender.send(1);
    *sum.lock().unwrap() + receiver.recv().unwrap_or(0)
}

/// One that is given: the methods tell.
#[helper]
async fn counts(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed);
    counter.load(Ordering::Acquire)
}

fn main() {}
