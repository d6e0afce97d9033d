use std::cell::Cell;

use durable_runtime::orchestrator;

thread_local! {
    static DEPTH: Cell<u64> = const { Cell::new(0) };
}

#[orchestrator]
async fn counts() -> u64 {
    thread_local! {
        static OWN: u64 = const { 1 };
    }
    DEPTH.with(|depth| depth.get())
}

fn main() {}
