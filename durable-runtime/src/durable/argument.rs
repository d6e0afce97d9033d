//! The check of what is an argument of an activity or orchestrator.
//!
//! An argument is recorded once, and compared whenever the code is replayed or an instance is started again under its id.
//! What std seeds at random is written in another order by each process, and would not be the same. The attributes write
//! this check for each type in a signature, beside code that runs; as in [`iteration`](super::iteration), the inherent
//! [`Argument::checked`], whose condition cannot hold, is found before the trait's, which asks nothing.

use std::collections::{BTreeMap, HashMap, HashSet, LinkedList, VecDeque};
use std::hash::RandomState;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

/// The type of an argument, recorded by the codec that `C` names.
#[derive(Debug)]
pub struct Argument<T: ?Sized, C>(PhantomData<fn(&T) -> C>);

/// Arrays are compared in order, the members of objects without.
#[derive(Debug)]
pub struct Json(());

/// Bytes are compared.
#[derive(Debug)]
pub struct Bincode(());

/// Never implemented: the text about an argument that is written in an order by chance.
#[diagnostic::on_unimplemented(
    message = "[D040] an argument of type `{Self}` is not recorded alike twice: its order differs from process to process",
    label = "written in no order that a replay could repeat",
    note = "the argument is compared with the recorded one whenever the caller is replayed; after a restart std's seed is another, the \
            elements come in another order, and the instance would stall",
    note = "use a `BTreeSet` or `BTreeMap`, or `durable_runtime::HashSet` or `HashMap`, which are seeded alike in every process; \
            a result may be a `HashSet`, as it is recorded once",
    note = "see docs/determinism/D040.md"
)]
pub trait InOneOrder {}

/// A type that is written in an order by chance.
pub trait Reordered<C> {}

impl<T, C> Reordered<C> for HashSet<T, RandomState> {}
impl<K, V> Reordered<Bincode> for HashMap<K, V, RandomState> {}
impl<K, V: Reordered<Json>, S> Reordered<Json> for HashMap<K, V, S> {}
impl<K, V: Reordered<C>, C> Reordered<C> for BTreeMap<K, V> {}
impl<T: Reordered<C>, C, const N: usize> Reordered<C> for [T; N] {}

/// `impl<T: Reordered<C>, C> Reordered<C>` for what holds it.
macro_rules! through {
    ($($holder:ty),* $(,)?) => {
        $(impl<T: Reordered<C>, C> Reordered<C> for $holder {})*
    };
}

through!(
    Option<T>,
    Vec<T>,
    VecDeque<T>,
    LinkedList<T>,
    Box<T>,
    Rc<T>,
    Arc<T>
);

impl<T: ?Sized, C> Argument<T, C> {
    /// Of a type in a signature.
    #[expect(clippy::new_without_default, reason = "only an attribute makes one")]
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Reordered<C> + ?Sized, C> Argument<T, C> {
    /// Refuses.
    #[expect(clippy::unused_self, reason = "a method, to be found by its receiver")]
    pub fn checked(self)
    where
        T: InOneOrder,
    {
    }
}

/// The check of any other type.
pub trait AnyArgument: Sized {
    /// Accepts.
    fn checked(self) {}
}

impl<T: ?Sized, C> AnyArgument for Argument<T, C> {}
