//! The check of one `.await`.
//!
//! The attributes write `e.__durable_op().only_durable().await`. The first method wraps any value in a [`Tag`]. The
//! second is, for types of which [`hints`](super::hints) knows better, an inherent method whose condition cannot hold,
//! which makes rustc print that condition's own text; for all else it is a trait method that asks for [`Durable`]. Being
//! suffixes, they underline the `await` and nothing else, and also work on raw tokens in a macro call.

use std::future::Future;

use super::{Block, Durable};

/// A value on its way to be awaited.
#[derive(Debug)]
pub struct Tag<Op>(pub(super) Op);

/// What the attributes write after a value: begins the check of an await, or marks a block that needs none.
pub trait DurableOp: Sized {
    /// Wraps the value.
    #[doc(hidden)]
    #[inline]
    fn __durable_op(self) -> Tag<Self> {
        Tag(self)
    }

    /// Marks an `async` block whose awaits were checked.
    #[doc(hidden)]
    #[inline]
    fn __durable_block(self) -> Block<Self>
    where
        Self: Future,
    {
        Block::new(self)
    }
}

impl<Op> DurableOp for Op {}

/// Ends the check of an await.
pub trait OnlyDurable<Op> {
    /// Unwraps the value, which is durable.
    fn only_durable(self) -> Op
    where
        Op: Durable;
}

impl<Op> OnlyDurable<Op> for Tag<Op> {
    #[inline]
    fn only_durable(self) -> Op
    where
        Op: Durable,
    {
        self.0
    }
}
