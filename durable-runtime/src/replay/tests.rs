//! Histories given, code run, commands expected: replay, progress and divergence for each suspension point.

mod activity;
mod attributes;
mod cancel;
mod child;
mod combinators;
mod continue_as_new;
mod definitions;
mod derived;
mod divergence;
mod external_event;
mod fan_out;
mod fault;
mod foreign;
mod limits;
mod outside;
mod support;
mod timer;
mod turns;
