//! Plain functions of the crate are followed.

use durable_runtime::{activity, deterministic, orchestrator};

mod pricing {
    pub fn total(n: u64) -> u64 {
        n + surcharge()
    }

    fn surcharge() -> u64 {
        std::time::SystemTime::now().elapsed().map_or(0, |age| age.as_secs())
    }

    pub struct Price(pub u64);

    impl Price {
        pub fn today(n: u64) -> Self {
            Self(total(n))
        }
    }
}

fn region() -> String {
    std::env::var("REGION").unwrap_or_default()
}

fn even(n: u64) -> bool {
    n == 0 || odd(n - 1)
}

fn odd(n: u64) -> bool {
    n != 0 && even(n - 1)
}

#[deterministic(reason = "the table is a constant of the program")]
fn vouched() -> usize {
    let bytes = unsafe { std::str::from_utf8_unchecked(b"ab") };
    bytes.len()
}

#[activity]
async fn charge(n: u64) -> u64 {
    n + pricing::total(n)
}

#[orchestrator]
async fn one_step() -> String {
    region()
}

#[orchestrator]
async fn two_steps(n: u64) -> u64 {
    charge(pricing::total(n)).await
}

#[orchestrator]
async fn of_a_type(n: u64) -> u64 {
    pricing::Price::today(n).0
}

#[orchestrator]
async fn as_a_value(all: Vec<u64>) -> Vec<u64> {
    all.into_iter().map(pricing::total).collect()
}

/// These do nothing of the kind.
#[orchestrator]
async fn fine(n: u64) -> bool {
    vouched() > 1 && even(n) && charge(n).await > 0
}

fn main() {}
