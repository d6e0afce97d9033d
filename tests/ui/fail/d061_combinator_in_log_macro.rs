use durable_runtime::{activity, join, orchestrator};

#[activity]
async fn charge(n: u64) -> u64 {
    n
}

#[orchestrator]
async fn logs(n: u64) -> u64 {
    println!("charged {:?}", join!(charge(n), charge(n + 1)));
    eprintln!("{}", durable_runtime::select! { first = charge(n) => first });
    n
}

fn main() {}
