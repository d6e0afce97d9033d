use durable_runtime::{activity, helper, orchestrator};

#[activity]
struct Charge;

trait Bank {
    #[activity]
    async fn pay(&self, cents: u64) -> u64;

    #[helper]
    fn settle(&self);

    #[orchestrator]
    async fn close(&self);
}

fn main() {
    let _ = Charge;
}
