//! Activities as a library has them: in modules, some of them private, under names that the library chooses.
#![forbid(unsafe_code)]
#![deny(clippy::pedantic)]
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]
#![deny(
    unused_qualifications,
    single_use_lifetimes,
    unused_lifetimes,
    rust_2018_idioms
)]

mod bank;
pub mod hostile;
mod stock;

pub use bank::{Declined, charge, refund};
/// The same activity under another name; what is recorded is the name that it was written with.
pub use stock::reserve as put_aside;
pub use stock::{Item, Ledger, Shelf};
