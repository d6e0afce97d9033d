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
mod determinism;
mod error_travels;
mod event_ids;
mod events;
mod explaining;
mod fan_out;
mod faults;
mod full_inboxes;
mod gathering;
mod heartbeats;
mod helpers;
mod limits;
mod logging;
mod looking;
mod outside;
mod panics;
mod patching;
mod purging;
mod queries;
mod real_files;
mod recovery;
mod restarting;
mod retention;
mod retries;
mod retry_handlers;
mod reusing;
mod rewinding;
mod saved;
mod scheduled;
mod sending;
mod shutdown;
mod sites;
mod stalls;
mod states;
mod support;
mod suspending;
mod terminating;
mod timers;
mod tokens;
mod verifying;
mod versions;
mod watching;
