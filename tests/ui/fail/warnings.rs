//! Mistakes that a program is built with, but not without a word.
#![deny(warnings)]

use std::hash::{DefaultHasher, Hasher};

use durable_runtime::orchestrator;

#[orchestrator]
async fn d042_hasher(n: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(n);
    hasher.finish()
}

#[orchestrator]
async fn d062_dbg(n: u64) -> u64 {
    dbg!(n) + 1
}

#[orchestrator]
async fn d070_endless() {
    let mut n = 0_u64;
    loop {
        n = n.wrapping_add(1);
    }
}

#[orchestrator]
async fn d092_allows_nothing(n: u64) -> u64 {
    #[nondeterminism(allow(D001, D040), reason = "the clock is gone")]
    let sum = n + 1;
    sum
}

fn main() {}
