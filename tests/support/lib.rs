//! What the tests share: chance with a seed, the built examples, and what a killed process left behind.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests: whatever they cannot do fails the test that asked for it"
)]

pub mod left_behind;
pub mod program;
pub mod random;
pub mod server;
