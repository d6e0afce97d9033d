//! The guide: every snippet in it is part of a file here, which is compiled and tested.

mod chaining;
mod changing;
mod children;
mod cleaning;
mod deterministic;
mod errors;
mod eternal;
mod fan_out;
mod http;
mod human;
mod lists;
mod long;
mod monitor;
mod points;
mod saga;
mod snippets;
mod stopping;
mod support;
mod testing;
