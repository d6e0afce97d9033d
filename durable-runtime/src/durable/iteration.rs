//! The check of what is iterated.
//!
//! The attributes write such a check beside each `for` and each call of `iter`, `keys` and their like, in code that is
//! never reached: it costs nothing, moves nothing, borrows nothing, and has the type. For a type that is [`Unordered`] the
//! inherent [`Iterated::checked`] is found first, whose condition cannot hold; for any other, the trait's, which asks
//! nothing. Written beside a `for`, it stands at the end of the block, where more types are known.

use std::cell::{Ref, RefMut};
use std::collections::{HashMap, HashSet, LinkedList, VecDeque, hash_map, hash_set};
use std::hash::RandomState;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, MutexGuard, RwLockReadGuard, RwLockWriteGuard};

/// The type of something that is iterated. `M` says what is looked for in it.
#[derive(Debug)]
pub struct Iterated<T: ?Sized, M>(PhantomData<fn(&T) -> M>);

/// Looked for in what `iter`, `keys` and the like are called on: a map or set. An iterator of it is known from there.
#[derive(Debug)]
pub struct Collection(());

/// Looked for in what a `for` goes over: also an iterator, which may come from anywhere.
#[derive(Debug)]
pub struct Source(());

/// Of the receiver of `iter`, `keys` and the like.
pub fn collection<T: ?Sized>(_: &T) -> Iterated<T, Collection> {
    Iterated(PhantomData)
}

/// Of what a `for` goes over.
pub fn source<T: ?Sized>(_: &T) -> Iterated<T, Source> {
    Iterated(PhantomData)
}

/// Never implemented: the text about iteration in an order by chance.
#[diagnostic::on_unimplemented(
    message = "[D040] iterating `{Self}` in an orchestrator: its order differs from process to process",
    label = "no order that a replay could repeat",
    note = "std seeds every `HashMap` and `HashSet` at random, so a replay would go over the elements, and take its steps, in \
            another order; look-ups are fine",
    note = "use a `BTreeMap` or `BTreeSet`, or `durable_runtime::HashMap` or `HashSet`, which are seeded alike in every process; \
            what you are given as a `HashMap`, put in order first: `.into_iter().collect::<BTreeMap<_, _>>()`",
    note = "if the order makes no difference, say why: `#[nondeterminism(allow(D040), reason = \"..\")]` on this statement",
    note = "see docs/determinism/D040.md"
)]
pub trait Ordered {}

/// A type that iterates in an order by chance; `M` as in [`Iterated`].
pub trait Unordered<M> {}

impl<K, V, M> Unordered<M> for HashMap<K, V, RandomState> {}
impl<T, M> Unordered<M> for HashSet<T, RandomState> {}

/// `impl<.., M> Unordered<M>` for what derefs to it.
macro_rules! through {
    ($($pointer:ty),* $(,)?) => {
        $(impl<T: Unordered<M> + ?Sized, M> Unordered<M> for $pointer {})*
    };
}

through!(
    &T,
    &mut T,
    Box<T>,
    Rc<T>,
    Arc<T>,
    Ref<'_, T>,
    RefMut<'_, T>,
    MutexGuard<'_, T>,
    RwLockReadGuard<'_, T>,
    RwLockWriteGuard<'_, T>,
);

impl<T: Unordered<M>, M> Unordered<M> for LazyLock<T> {}

/// Their iterators. Those of a map do not tell with what it hashes, so all are taken for the worst.
macro_rules! iterators {
    ($([$($generics:tt)*] $iterator:ty),* $(,)?) => {
        $(impl<$($generics)*> Unordered<Source> for $iterator {})*
    };
}

iterators!(
    [K, V] hash_map::Iter<'_, K, V>,
    [K, V] hash_map::IterMut<'_, K, V>,
    [K, V] hash_map::IntoIter<K, V>,
    [K, V] hash_map::Keys<'_, K, V>,
    [K, V] hash_map::IntoKeys<K, V>,
    [K, V] hash_map::Values<'_, K, V>,
    [K, V] hash_map::ValuesMut<'_, K, V>,
    [K, V] hash_map::IntoValues<K, V>,
    [K, V] hash_map::Drain<'_, K, V>,
    [K, V, F] hash_map::ExtractIf<'_, K, V, F>,
    [T] hash_set::Iter<'_, T>,
    [T] hash_set::IntoIter<T>,
    [T] hash_set::Drain<'_, T>,
    [T, F] hash_set::ExtractIf<'_, T, F>,
    [T] hash_set::Union<'_, T, RandomState>,
    [T] hash_set::Intersection<'_, T, RandomState>,
    [T] hash_set::Difference<'_, T, RandomState>,
    [T] hash_set::SymmetricDifference<'_, T, RandomState>,
);

impl<T: Unordered<M> + ?Sized, M> Iterated<T, M> {
    /// Refuses.
    #[expect(clippy::unused_self, reason = "a method, to be found by its receiver")]
    pub fn checked(self)
    where
        T: Ordered,
    {
    }
}

/// The check of any other type.
pub trait AnyOrder: Sized {
    /// Accepts.
    fn checked(self) {}
}

impl<T: ?Sized, M> AnyOrder for Iterated<T, M> {}

/// What is put at the end of something. It is looked for as [`Source`] is, if that keeps it in the order in which it came.
#[derive(Debug)]
pub struct Extended<R: ?Sized, T: ?Sized>(PhantomData<fn(&R, &T)>);

/// Of the receiver of `extend`, and what it is given.
pub fn extended<R: ?Sized, T: ?Sized>(_: &R, _: &T) -> Extended<R, T> {
    Extended(PhantomData)
}

/// Keeps what it is extended by in the order in which it comes. A `BTreeMap` has an order of its own, a `HashMap` has none.
pub trait Sequence {}

impl<T> Sequence for Vec<T> {}
impl<T> Sequence for VecDeque<T> {}
impl<T> Sequence for LinkedList<T> {}
impl Sequence for String {}
impl<S: Sequence + ?Sized> Sequence for &mut S {}
impl<S: Sequence + ?Sized> Sequence for Box<S> {}
impl<S: Sequence + ?Sized> Sequence for RefMut<'_, S> {}
impl<S: Sequence + ?Sized> Sequence for MutexGuard<'_, S> {}

impl<R: Sequence + ?Sized, T: Unordered<Source> + ?Sized> Extended<R, T> {
    /// Refuses.
    #[expect(clippy::unused_self, reason = "a method, to be found by its receiver")]
    pub fn checked(self)
    where
        T: Ordered,
    {
    }
}

impl<R: ?Sized, T: ?Sized> AnyOrder for Extended<R, T> {}

/// The check of a receiver that is itself a value, as what a function returned.
pub trait IteratedValue: Sized {
    /// Wraps the value.
    #[doc(hidden)]
    #[inline]
    fn __durable_iterated(self) -> Value<Self> {
        Value(self)
    }
}

impl<T> IteratedValue for T {}

/// A value whose `iter`, `keys` or the like is about to be called.
#[derive(Debug)]
pub struct Value<T>(T);

impl<T: Unordered<Collection>> Value<T> {
    /// Refuses.
    pub fn in_order(self) -> T
    where
        T: Ordered,
    {
        self.0
    }
}

/// Ends the check of a value.
pub trait InOrder<T> {
    /// Unwraps the value.
    fn in_order(self) -> T;
}

impl<T> InOrder<T> for Value<T> {
    #[inline]
    fn in_order(self) -> T {
        self.0
    }
}
