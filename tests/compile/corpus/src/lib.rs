//! Ordinary asynchronous code, in many styles, as orchestrators and helpers: nothing in it is wrong, so nothing may be said
//! of it. Whoever sees an error or a warning here has found a false positive.

#![deny(warnings)]
#![forbid(unsafe_code)]

pub mod activities;
pub mod conditional;
pub mod generics;
pub mod graphs;
pub mod grids;
pub mod inference;
pub mod iterators;
pub mod lexing;
pub mod machines;
pub mod maps;
pub mod numbers;
pub mod orders;
pub mod own_macros;
pub mod own_names;
pub mod results;
pub mod shipping;
pub mod text;
pub mod trees;
