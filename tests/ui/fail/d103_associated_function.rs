use durable_runtime::activity;

struct Shop;

impl Shop {
    #[activity]
    async fn charge(n: u64) -> u64 {
        n
    }
}

trait Pays {
    #[activity]
    async fn pay(n: u64) -> u64;
}

fn main() {}
