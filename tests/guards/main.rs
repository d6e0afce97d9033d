//! Code that is not deterministic, caught while it runs. In a process of its own: some of it changes what a process has only once.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "what is not to be called in an orchestrator is planted; a failed expectation is a failed test"
)]

mod held_up;
mod planted;
mod twin;
