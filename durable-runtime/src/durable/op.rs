//! The check of one `.await`.
//!
//! The attributes write `e.__durable_op().only_durable().await`. The first method wraps any value in a [`Tag`]. The
//! second is, for types of which [`hints`](super::hints) knows better, an inherent method whose condition cannot hold,
//! which makes rustc print that condition's own text; for all else it is a trait method that asks for [`Durable`]. Being
//! suffixes, they underline the `await` and nothing else, and also work on raw tokens in a macro call.
//!
//! The future of an `async fn` has no name to know it by. If `e` is the call of a method that channels, locks and the like
//! have, the first is `__durable_op_of(callee)`, which tells whose method it is. If it is one that clients of networks and
//! databases have, it is one of [`wanted`](super::wanted), where only the text is another.

use std::future::Future;
use std::marker::PhantomData;

use super::hints::callees::{Foreign, Known};
use super::wanted::Any;
use super::{Block, Durable};

/// A value on its way to be awaited; `W` is what it seems to be wanted for.
#[derive(Debug)]
pub struct Tag<Op, W = Any>(pub(super) Op, PhantomData<fn() -> W>);

impl<Op, W> Tag<Op, W> {
    pub(super) fn new(op: Op) -> Self {
        Self(op, PhantomData)
    }
}

/// What the attributes write after a value: begins the check of an await, or marks a block that needs none.
pub trait DurableOp: Sized {
    /// Wraps the value.
    #[doc(hidden)]
    #[inline]
    fn __durable_op(self) -> Tag<Self> {
        Tag::new(self)
    }

    /// Wraps what a method of `R` returned.
    #[doc(hidden)]
    #[inline]
    fn __durable_op_of<R>(self, _: Callee<R>) -> Called<Self, R> {
        Called(self, PhantomData)
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

/// The type whose method is called.
#[derive(Debug)]
pub struct Callee<R: ?Sized>(PhantomData<fn(&R)>);

impl<R: ?Sized> Callee<R> {
    /// Of a type that [`is`](Callee::is) tells.
    #[expect(clippy::new_without_default, reason = "only an attribute makes one")]
    #[inline]
    pub fn new() -> Self {
        Self(PhantomData)
    }

    /// Says whose method it is. Written where it is never reached.
    #[expect(clippy::unused_self, reason = "it unites two types, and does nothing")]
    pub fn is(&self, _: &R) {}
}

/// What a method of `R` returned, on its way to be awaited.
#[derive(Debug)]
pub struct Called<Op, R>(Op, PhantomData<fn(&R)>);

impl<Op, R: Known> Called<Op, R> {
    /// The check for a type of which [`hints`](super::hints) knows better.
    pub fn known(self) -> Foreign<Op, R::Kind> {
        Foreign::new(self.0)
    }
}

/// The check for any other type.
pub trait OfAnybody<Op> {
    /// Wraps the value as if nothing were known of it.
    fn known(self) -> Tag<Op>;
}

impl<Op, R> OfAnybody<Op> for Called<Op, R> {
    #[inline]
    fn known(self) -> Tag<Op> {
        Tag::new(self.0)
    }
}
