//! The engine as a program uses it, one capability per module, over an in-memory store and a clock that skips.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod activities;
mod blocking;
mod by_name;
mod cancelling;
mod chaining;
mod channels;
mod children;
mod combinators;
mod commits;
mod continuing;
mod definitions;
mod detached;
mod events;
mod fan_out;
mod faults;
mod gathering;
mod heartbeats;
mod helpers;
mod logging;
mod looking;
mod outside;
mod panics;
mod real_files;
mod recovery;
mod retries;
mod sending;
mod shutdown;
mod stalls;
mod states;
mod support;
mod timers;
mod tokens;
