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
use crate::replay::{Code, DefaultVersions};
use crate::sites::SiteTable;

mod closure;
mod function;
mod graph;
mod points;
mod version;

pub use function::{ActivityFn, OrchestratorFn};
pub use graph::graph_of;
pub use version::VersionPolicy;

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
    /// Where it waits; of a closure nothing is known.
    pub(crate) sites: Option<&'static SiteTable>,
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
            sites: Some(def.sites),
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

    /// The code that runs instances of this version: its own, or as `policy` allows, that of the next greater one.
    pub(crate) fn runs(
        &self,
        name: &str,
        version: Option<&str>,
        policy: VersionPolicy,
    ) -> Option<&OrchestratorEntry> {
        let exact = self.find_orchestrator(name, version);
        match policy {
            VersionPolicy::Strict => exact,
            VersionPolicy::CurrentOrOlder => exact.or_else(|| {
                let greater = self
                    .versions_of(name)
                    .filter(|(known, _)| version::compare(*known, version).is_gt());
                let next = greater.min_by(|(a, _), (b, _)| version::compare(*a, *b));
                next.map(|(_, entry)| entry)
            }),
        }
    }

    /// The version that a call by name is of that asks for none: the greatest.
    pub(crate) fn default_version(&self, name: &str) -> Option<String> {
        let versions = self.versions_of(name).map(|(version, _)| version);
        let greatest = versions.max_by(|a, b| version::compare(*a, *b));
        greatest.flatten().map(str::to_owned)
    }

    /// The versions of a name.
    fn versions_of(&self, name: &str) -> impl Iterator<Item = (Option<&str>, &OrchestratorEntry)> {
        let first = (Name::from(name.to_owned()), None);
        let known = self.orchestrators.range(first.clone()..);
        let known = known.take_while(move |((name, _), _)| *name == first.0);
        known.map(|((_, version), entry)| (version.as_deref(), entry))
    }

    /// What a message about an unknown orchestrator says: what is known, and why this one may not be.
    pub(crate) fn unknown_orchestrator(&self, name: &str, version: Option<&str>) -> String {
        let wanted =
            version.map_or_else(|| format!("`{name}`"), |v| format!("`{name}` version {v}"));
        if self.versions_of(name).next().is_some() {
            return self.unknown_version(name, version, &wanted);
        }
        let known: Vec<String> = self.orchestrators.keys().map(spell).collect();
        unknown("orchestrator", &wanted, &known)
    }

    /// The same, where there are others of that name.
    fn unknown_version(&self, name: &str, version: Option<&str>, wanted: &str) -> String {
        let known = self.versions_of(name).map(|(known, _)| known);
        let mut known: Vec<Option<&str>> = known.collect();
        known.sort_by(|a, b| version::compare(*a, *b));
        let greater = known
            .iter()
            .any(|known| version::compare(*known, version).is_gt());
        let known: Vec<String> = known
            .into_iter()
            .map(|version| version.map_or_else(|| "none".to_owned(), |v| format!("`{v}`")))
            .collect();
        let newer = if greater {
            ", or open the engine with `.versions(VersionPolicy::CurrentOrOlder)`, if a greater version goes on where it waits"
        } else {
            ""
        };
        let wanted = if version.is_some() {
            wanted.to_owned()
        } else {
            format!("{wanted} without a version")
        };
        format!(
            "no orchestrator {wanted} is registered; versions of that name that are: {}. Keep the function of a version until \
             its last instance has ended{newer}",
            known.join(", ")
        )
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

    /// The names of all orchestrators; one with several versions comes several times.
    pub(crate) fn orchestrators(&self) -> impl Iterator<Item = &str> {
        self.orchestrators.keys().map(|(name, _)| &**name)
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

impl DefaultVersions for Registry {
    fn default_of(&self, name: &str) -> Option<String> {
        self.default_version(name)
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
    fn the_next_greater_version_runs_what_is_not_registered_if_the_policy_says_so() {
        let mut registry = Registry::new().named_orchestrator("checkouts", echo);
        let entry = OrchestratorEntry {
            origin: Origin::Closure,
            code: Arc::new(|_| Ok(Box::pin(std::future::pending()))),
            sites: None,
        };
        for version in ["2", "3", "10"] {
            let key = ("checkout".into(), Some(version.into()));
            registry.insert_orchestrator(key, entry.clone());
        }
        assert_eq!(registry.default_version("checkout").as_deref(), Some("10"));
        assert_eq!(registry.default_version("checkouts"), None);
        assert_eq!(registry.default_version("check"), None);
        let runs = |version, policy| {
            let found = registry.runs("checkout", version, policy)?;
            let mut known = registry.versions_of("checkout");
            known.find(|(_, entry)| std::ptr::eq(*entry, found))?.0
        };
        for (version, expected) in [
            (None, Some("2")),
            (Some("1"), Some("2")),
            (Some("2"), Some("2")),
            (Some("2.1"), Some("3")),
            (Some("9"), Some("10")),
            (Some("11"), None),
        ] {
            assert_eq!(runs(version, VersionPolicy::CurrentOrOlder), expected);
            let exact = expected.filter(|_| expected == version);
            assert_eq!(runs(version, VersionPolicy::Strict), exact);
        }
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
