use std::future::Future;
use std::pin::Pin;

use durable_runtime::orchestrator;

trait Gateway {
    fn pay(&self, n: u64) -> Pin<Box<dyn Future<Output = u64> + Send + '_>>;
}

struct Bank;

impl Gateway for Bank {
    fn pay(&self, n: u64) -> Pin<Box<dyn Future<Output = u64> + Send + '_>> {
        Box::pin(async move { n })
    }
}

#[orchestrator]
async fn pays(n: u64) -> u64 {
    let local: Pin<Box<dyn Future<Output = u64>>> = Box::pin(std::future::ready(n));
    Bank.pay(n).await + local.await
}

fn main() {}
