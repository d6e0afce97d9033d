//! The mistakes, in the order in which they are shown.

mod wall_clock;
mod stopwatch;
mod nap;
mod thread_sleep;
mod identifier;
mod chance;
mod file;
mod environment;
mod request;
mod task;
mod select;
mod gather;
mod map;
mod lock;
mod channel;
mod counter;
mod through;
mod plain;
mod boxed;
mod payload;

use durable_runtime::activity;

#[activity]
async fn charge(cents: u64) -> u64 {
    cents
}

fn main() {}
