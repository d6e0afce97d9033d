use durable_runtime::{activity, helper};

#[activity]
struct Charge;

trait Bank {
    #[activity]
    async fn pay(&self, cents: u64) -> u64;

    #[helper]
    async fn settle(&self);
}

fn main() {
    let _ = Charge;
}
