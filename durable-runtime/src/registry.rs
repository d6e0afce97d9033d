//! Names and versions -> code.
//!
//! Every annotated function that is linked into the program registers itself; [`Registry::linked`] collects them,
//! ordered by name. A registry made by hand holds what it is given: functions by item, or closures by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::activity::States;
use crate::definition::{
    ActivityDef, ActivityFuture, ActivityOptions, OrchestratorDef, Place, StateRequirement,
};
use crate::event::Name;
use crate::payload::{Codec, DecodeError, Payload};
use crate::replay::Code;

mod closure;
mod function;

pub use function::{ActivityFn, OrchestratorFn};

type RunActivity =
    Arc<dyn Fn(&Payload, &States) -> Result<ActivityFuture, DecodeError> + Send + Sync>;

/// The code that an engine can run.
///
/// An engine that is given none runs [`linked`](Self::linked): all that is in the program. One made by hand is for tests and tools.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
/// use durable_runtime::Registry;
///
/// #[activity]
/// async fn greet(name: String) -> String {
///     format!("Hello {name}!")
/// }
///
/// #[orchestrator]
/// async fn welcome(name: String) -> String {
///     greet(name).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new().activity(greet).orchestrator(welcome);
/// let engine = TestEngine::builder().registry(registry).start()?;
/// let welcome = engine.start(welcome("Ada".to_owned())).await?;
/// assert_eq!(welcome.result().await?, "Hello Ada!");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Registry {
    activities: BTreeMap<Name, ActivityEntry>,
    orchestrators: BTreeMap<(Name, Option<Name>), OrchestratorEntry>,
    duplicates: Vec<Duplicate>,
}

/// An activity as the engine runs it.
#[derive(Clone)]
pub(crate) struct ActivityEntry {
    pub(crate) origin: Origin,
    pub(crate) options: ActivityOptions,
    pub(crate) states: &'static [StateRequirement],
    pub(crate) run: RunActivity,
}

/// An orchestrator as the engine runs it.
#[derive(Clone)]
pub(crate) struct OrchestratorEntry {
    pub(crate) origin: Origin,
    pub(crate) code: Code,
}

/// Where registered code comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Function(Place),
    Closure,
}

/// One name, twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{kind} `{name}` is defined twice, at {first} and at {second}; give one of them another `name = \"..\"`"
)]
pub struct Duplicate {
    kind: &'static str,
    name: String,
    first: String,
    second: String,
}

impl Registry {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every annotated function that is linked into this program.
    ///
    /// A crate that is listed as a dependency but never mentioned is not linked: `use that_crate as _;` mentions it.
    pub fn linked() -> Self {
        let mut registry = Self::new();
        for def in inventory::iter::<&'static ActivityDef> {
            registry.add_activity(def);
        }
        for def in inventory::iter::<&'static OrchestratorDef> {
            registry.add_orchestrator(def);
        }
        registry
    }

    /// Adds an annotated activity, given as the function itself: `.activity(charge)`.
    ///
    /// Another function of the same name makes the engine's start fail with [`OpenError::Duplicate`](crate::OpenError::Duplicate);
    /// the same function twice is fine.
    #[must_use]
    pub fn activity<Args, F: ActivityFn<Args>>(mut self, _function: F) -> Self {
        self.add_activity(F::definition());
        self
    }

    /// Adds an annotated orchestrator, given as the function itself: `.orchestrator(checkout)`.
    ///
    /// Another function of the same name and version makes the engine's start fail with
    /// [`OpenError::Duplicate`](crate::OpenError::Duplicate); the same function twice is fine.
    #[must_use]
    pub fn orchestrator<Args, F: OrchestratorFn<Args>>(mut self, _function: F) -> Self {
        self.add_orchestrator(F::definition());
        self
    }

    fn add_activity(&mut self, def: &'static ActivityDef) {
        let entry = ActivityEntry {
            origin: Origin::Function(def.place),
            options: def.options,
            states: def.states,
            run: Arc::new(def.run),
        };
        self.insert_activity(&Name::Borrowed(def.name), entry);
    }

    fn add_orchestrator(&mut self, def: &'static OrchestratorDef) {
        let entry = OrchestratorEntry {
            origin: Origin::Function(def.place),
            code: Arc::new(def.run),
        };
        let key = (Name::Borrowed(def.name), def.version.map(Name::Borrowed));
        self.insert_orchestrator(key, entry);
    }

    fn insert_activity(&mut self, name: &Name, entry: ActivityEntry) {
        let second = entry.origin;
        if let Some(first) = self.activities.insert(name.clone(), entry) {
            self.note_duplicate("activity", name, first.origin, second);
        }
    }

    fn insert_orchestrator(&mut self, key: (Name, Option<Name>), entry: OrchestratorEntry) {
        let second = entry.origin;
        if let Some(first) = self.orchestrators.insert(key.clone(), entry) {
            let name = key
                .1
                .map_or_else(|| key.0.to_string(), |v| format!("{} {v}", key.0));
            self.note_duplicate("orchestrator", &name, first.origin, second);
        }
    }

    /// The same function registered twice is no conflict; two functions of one name are.
    fn note_duplicate(&mut self, kind: &'static str, name: &str, first: Origin, second: Origin) {
        if first != second || first == Origin::Closure {
            let mut places = [first.to_string(), second.to_string()];
            places.sort();
            let [first, second] = places;
            self.duplicates.push(Duplicate {
                kind,
                name: name.to_owned(),
                first,
                second,
            });
        }
    }

    /// The first name that stands for two functions.
    pub(crate) fn duplicate(&self) -> Option<&Duplicate> {
        self.duplicates.first()
    }

    pub(crate) fn find_activity(&self, name: &str) -> Option<&ActivityEntry> {
        self.activities.get(name)
    }

    /// The code of exactly this version.
    pub(crate) fn find_orchestrator(
        &self,
        name: &str,
        version: Option<&str>,
    ) -> Option<&OrchestratorEntry> {
        let key = (
            Name::from(name.to_owned()),
            version.map(|v| Name::from(v.to_owned())),
        );
        self.orchestrators.get(&key)
    }

    /// The version that a start by name gets: none if there is code without one, else the greatest.
    pub(crate) fn default_version(&self, name: &str) -> Option<String> {
        let mut versions = self.orchestrators.keys().filter(|(known, _)| known == name);
        let (_, first) = versions.next()?;
        let greatest = versions
            .next_back()
            .and_then(|(_, version)| version.as_ref());
        // Code without a version sorts first.
        let chosen = first.as_ref().map(|first| greatest.unwrap_or(first));
        chosen.map(ToString::to_string)
    }

    /// What a message about an unknown orchestrator says: what is known, and why this one may not be.
    pub(crate) fn unknown_orchestrator(&self, name: &str, version: Option<&str>) -> String {
        let wanted =
            version.map_or_else(|| format!("`{name}`"), |v| format!("`{name}` version {v}"));
        let known: Vec<String> = self.orchestrators.keys().map(spell).collect();
        unknown("orchestrator", &wanted, &known)
    }

    /// The same, but the body of this activity counts as one that is not `async`.
    #[cfg(test)]
    pub(crate) fn blocking(mut self, name: &str) -> Self {
        if let Some(entry) = self.activities.get_mut(name) {
            entry.options.is_blocking = true;
        }
        self
    }

    /// What a message about an unknown activity says.
    pub(crate) fn unknown_activity(&self, name: &str) -> String {
        let known: Vec<String> = self
            .activities
            .keys()
            .map(|name| format!("`{name}`"))
            .collect();
        unknown("activity", &format!("`{name}`"), &known)
    }

    pub(crate) fn activities(&self) -> impl Iterator<Item = (&Name, &ActivityEntry)> {
        self.activities.iter()
    }

    /// Every definition in one line each, in order: equal registries have equal texts.
    pub(crate) fn describe(&self) -> String {
        let activities = self
            .activities
            .iter()
            .map(|(name, e)| format!("{name} {}\n", e.origin));
        let orchestrators = self
            .orchestrators
            .iter()
            .map(|(key, e)| format!("{} {}\n", spell(key), e.origin));
        activities.chain(orchestrators).collect()
    }
}

fn spell((name, version): &(Name, Option<Name>)) -> String {
    version
        .as_ref()
        .map_or_else(|| format!("`{name}`"), |v| format!("`{name}` version {v}"))
}

fn unknown(kind: &str, wanted: &str, known: &[String]) -> String {
    let known = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    format!(
        "no {kind} {wanted} is registered; known are: {known}. If it lives in another crate, mention that crate with \
         `use that_crate as _;`; if it was renamed, give it its old name with `name = \"..\"`"
    )
}

impl Default for ActivityOptions {
    fn default() -> Self {
        Self {
            retry: crate::retry::RetryPolicy::NONE,
            attempt_timeout: None,
            heartbeat_timeout: None,
            limit: None,
            codec: Codec::Json,
            is_blocking: false,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(place) => place.fmt(f),
            Self::Closure => f.write_str("a closure"),
        }
    }
}

impl fmt::Debug for ActivityEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "activity at {}", self.origin)
    }
}

impl fmt::Debug for OrchestratorEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "orchestrator at {}", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::error::Error;

    async fn echo(value: Value) -> Result<Value, Error> {
        Ok(value)
    }

    #[test]
    fn one_name_for_two_functions_is_a_duplicate() {
        let registry = Registry::new()
            .named_activity("a", echo)
            .named_activity("b", echo);
        assert_eq!(registry.duplicate(), None);
        let registry = registry.named_activity("a", echo);
        let message = registry.duplicate().unwrap().to_string();
        assert!(
            message.starts_with("activity `a` is defined twice"),
            "{message}"
        );
    }

    #[test]
    fn an_unknown_name_says_what_is_known_and_what_to_do() {
        let registry = Registry::new().named_orchestrator("checkout", echo);
        let message = registry.unknown_orchestrator("chekout", Some("2"));
        assert!(
            message.contains("no orchestrator `chekout` version 2 is registered"),
            "{message}"
        );
        assert!(message.contains("known are: `checkout`. "), "{message}");
        assert!(message.contains("use that_crate as _;"), "{message}");
    }
}
