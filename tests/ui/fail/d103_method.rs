use durable_runtime::{activity, orchestrator};

struct Shop;

impl Shop {
    #[activity]
    async fn charge(&self, n: u64) -> u64 {
        n
    }

    #[orchestrator]
    async fn checkout(self, n: u64) -> u64 {
        n
    }
}

fn main() {}
