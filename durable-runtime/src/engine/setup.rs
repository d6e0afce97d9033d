//! What a program says of its engine, whichever shell steps it.

use crate::activity::States;
use crate::limits;
use crate::registry::Registry;

/// What an engine runs, and with what.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// All that is linked in, if there is none.
    pub(crate) registry: Option<Registry>,
    pub(crate) states: States,
    pub(crate) activity_limit: usize,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            registry: None,
            states: States::new(),
            activity_limit: limits::ACTIVITIES_MAX,
        }
    }
}

/// The methods of a builder that fill in its `setup`.
macro_rules! setup_methods {
    ($Builder:ident) => {
        impl $Builder {
            /// Gives a value to every activity that takes `#[state] name: &T` or `#[state] name: Arc<T>`.
            ///
            /// A value that the rest of the program shares is given as an `Arc<T>`, and taken in the same two ways; a trait
            /// object only so. A second value of a type takes the place of the first.
            #[must_use]
            pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
                self.setup.states.insert(std::sync::Arc::new(value));
                self
            }

            /// Runs what this registry holds, instead of everything that is linked in.
            #[must_use]
            pub fn registry(mut self, registry: $crate::registry::Registry) -> Self {
                self.setup.registry = Some(registry);
                self
            }

            /// How many activities run at a time; 1,024 unless said otherwise.
            #[must_use]
            pub fn activity_limit(mut self, activities: usize) -> Self {
                self.setup.activity_limit = activities;
                self
            }
        }
    };
}

pub(crate) use setup_methods;
