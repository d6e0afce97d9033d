//! The rules of `docs/semantics.md`, a module for each group of them; a test has the number of the rule it shows.
//!
//! Where it can be, over an in-memory store and a clock that skips. `tests/tidy.rs` sees to it that no rule is said to hold
//! without a test here.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod activities;
mod children;
mod continuing;
mod errors;
mod events;
mod fan_out;
mod managing;
mod orchestrations;
mod payloads;
mod retries;
mod status;
mod support;
mod timers;
mod versions;
