//! Durable functions for Rust.

pub mod activity;
pub mod clock;
pub mod definition;
pub mod event;
pub mod failure;
pub mod id;
pub mod limits;
pub mod payload;
pub mod retry;
