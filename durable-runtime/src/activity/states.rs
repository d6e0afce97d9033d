//! The values that activities share: what an engine was given, and how a `#[state]` parameter finds its own.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Values that activities take as `#[state]`, one for each type.
#[doc(hidden)]
#[derive(Clone, Default)]
pub struct States(BTreeMap<TypeId, Given>);

/// One value: an `Arc` of it, its type forgotten.
#[derive(Clone)]
struct Given {
    value: Arc<dyn Any + Send + Sync>,
    type_name: &'static str,
}

impl States {
    /// No state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value, in place of another of its type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        let given = Given {
            // An `Arc` in an `Arc`: found as what it is, it is as large for a trait object as for any other type.
            value: Arc::new(value),
            type_name: std::any::type_name::<T>(),
        };
        self.0.insert(TypeId::of::<T>(), given);
    }

    /// The value of a type: the one that was given as a `T`, else the one that was given as an `Arc<T>`.
    pub fn find<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.held::<Arc<T>>(TypeId::of::<T>())
            .map(Arc::clone)
            .or_else(|| {
                let shared = self.held::<Arc<Arc<T>>>(TypeId::of::<Arc<T>>())?;
                Some(Arc::clone(shared))
            })
    }

    fn held<A: 'static>(&self, type_id: TypeId) -> Option<&A> {
        self.0.get(&type_id)?.value.downcast_ref()
    }

    /// The types of the values, each with its full name, in order.
    pub(crate) fn type_names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.0.values().map(|given| given.type_name).collect();
        names.sort_unstable();
        names
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} states", self.0.len())
    }
}

/// A `#[state]` parameter that is taken by value: an `Arc`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "[D104] a `#[state]` parameter is shared by all calls: `{Self}` would be a value of each",
    label = "write `&{Self}` or `Arc<{Self}>`",
    note = "the engine holds one value, given to its builder with `.state(..)`, and lends it to every call"
)]
pub trait SharedState: Sized {
    /// What is shared.
    type Value: ?Sized + Send + Sync + 'static;

    /// The parameter.
    fn of(value: Arc<Self::Value>) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Send + Sync + 'static> SharedState for Arc<T> {
    type Value = T;

    fn of(value: Self) -> Self {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_as_itself_and_through_an_arc() {
        let mut states = States::new();
        states.insert(Arc::new(7_u32));
        states.insert(Arc::new(Arc::new("shared".to_owned())));
        states.insert::<Arc<dyn fmt::Display + Send + Sync>>(Arc::new(Arc::new(1.5_f64)));
        assert_eq!(states.find::<u32>().as_deref(), Some(&7));
        assert_eq!(states.find::<String>().unwrap().as_str(), "shared");
        assert_eq!(states.find::<Arc<String>>().unwrap().as_str(), "shared");
        let shown = states.find::<dyn fmt::Display + Send + Sync>().unwrap();
        assert_eq!(shown.to_string(), "1.5");
        assert!(states.find::<u64>().is_none());
        assert_eq!(states.type_names().len(), 3);
    }

    #[test]
    fn a_value_goes_before_a_shared_one_and_a_later_before_an_earlier() {
        let mut states = States::new();
        states.insert(Arc::new(Arc::new(1_u32)));
        assert_eq!(states.find::<u32>().as_deref(), Some(&1));
        states.insert(Arc::new(2_u32));
        states.insert(Arc::new(3_u32));
        assert_eq!(states.find::<u32>().as_deref(), Some(&3));
    }
}
