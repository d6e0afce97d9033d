use std::rc::Rc;

use durable_runtime::{activity, orchestrator};

#[activity]
async fn shares(n: u64) -> u64 {
    let shared = Rc::new(n);
    std::future::ready(()).await;
    *shared
}

#[orchestrator]
async fn may(n: u64) -> u64 {
    let shared = Rc::new(n);
    shares(n).await + *shared
}

fn main() {}
