//! Tests of the store as a whole: what is written is read back, whatever happens in between.

mod crash;
pub(crate) mod damage;
pub(crate) mod faulty;
mod files;
mod folding;
mod folds;
mod golden;
mod indexing;
mod integrity;
mod purging;
mod querying;
mod reopening;
mod sent;
pub(crate) mod support;
mod unended;
mod writing;
