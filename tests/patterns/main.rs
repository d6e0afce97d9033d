//! The patterns as the examples have them, with what each must do to count as supported: a module for each example, and a
//! test for each criterion, named after its letter. Chaining, the first pattern, is in `tests/it/chaining.rs`.
//!
//! The orchestrators are those of the examples, started by name over an in-memory store and a clock that skips; only how
//! long an activity works is up to the test. Real processes, killed at every commit, are in `tests/kills.rs`.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed expectation is a failed test"
)]

mod async_http;
mod children;
mod eternal;
mod examples;
mod fan_out_fan_in;
mod human_interaction;
mod monitor;
mod saga;
mod support;
