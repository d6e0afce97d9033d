//! What a program says of its engine, whichever shell steps it.

use crate::activity::States;
use crate::engine::backlog::EventLimit;
use crate::engine::retention::Retention;
use crate::limits;
use crate::registry::{Registry, VersionPolicy};

/// What an engine runs, and with what.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// All that is linked in, if there is none.
    pub(crate) registry: Option<Registry>,
    pub(crate) states: States,
    pub(crate) activity_limit: usize,
    pub(crate) event_limit: EventLimit,
    pub(crate) payload_limit: usize,
    pub(crate) retention: Retention,
    pub(crate) versions: VersionPolicy,
    pub(crate) replay_check: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            registry: None,
            states: States::new(),
            activity_limit: limits::ACTIVITIES_MAX,
            event_limit: EventLimit::default(),
            payload_limit: limits::PAYLOAD_BYTES_MAX,
            retention: Retention::default(),
            versions: VersionPolicy::Strict,
            replay_check: cfg!(debug_assertions),
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

            /// Purges by itself what ended longer ago than this. Unless this is said, everything is kept for ever.
            ///
            /// It is looked for ten times in that time, though not more than once a second nor less than once an hour; by the time of
            /// the store, and beside all other work.
            ///
            /// # Examples
            ///
            /// ```standalone_crate
            /// use durable_runtime::Status;
            /// use durable_runtime::prelude::*;
            /// use durable_runtime::testing::TestEngine;
            ///
            /// #[orchestrator]
            /// async fn ship(order: u32) -> u32 {
            ///     order
            /// }
            ///
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            /// let builder = TestEngine::builder().retention(days(30));
            /// let engine = builder.retention_of(Status::Failed, days(365)).start()?;
            /// engine.start(ship(42)).id("ship-42").await?;
            /// engine.advance(days(29)).await;
            /// assert!(engine.instance("ship-42").await?.is_some());
            /// engine.advance(days(2)).await;
            /// assert!(engine.instance("ship-42").await?.is_none());
            /// # Ok(()) }
            /// ```
            #[must_use]
            pub fn retention(mut self, kept_for: std::time::Duration) -> Self {
                self.setup.retention.keep(kept_for);
                self
            }

            /// The same for what ended with this status, whatever [`retention`](Self::retention) says;
            /// [`Duration::MAX`](std::time::Duration::MAX) is for ever. A status that is no end is never purged.
            #[must_use]
            pub fn retention_of(
                mut self,
                status: $crate::Status,
                kept_for: std::time::Duration,
            ) -> Self {
                self.setup.retention.keep_those(status, kept_for);
                self
            }

            /// Whether each turn is run twice and compared, to find code that is not deterministic: on in debug builds and in
            /// [`testing`](crate::testing), off in release builds, unless said otherwise.
            ///
            /// The second run is that of a *twin*: another copy of the orchestrator on another thread, with other hash seeds, other
            /// addresses and a later clock. It gets the same arrivals and the values of the same side effects, sees
            /// [`is_replaying`](crate::is_replaying) as true, and runs nothing. Where it asks for something else than the first
            /// run, be it another kind, name or input, or from another line, nothing of the turn is committed: the instance stalls
            /// with [`StallReason::NonDeterministic`](crate::StallReason::NonDeterministic) and a report of both lines, and
            /// [`result`](crate::Handle::result) says so. When an execution ends, its whole history is run once more.
            ///
            /// It costs about as much again as the orchestrators' own code, and the memory of a second copy of each instance that
            /// is in memory. What orchestrators share in statics is touched by both copies.
            ///
            /// # Examples
            ///
            /// ```standalone_crate
            /// use std::sync::atomic::{AtomicU32, Ordering};
            ///
            /// use durable_runtime::prelude::*;
            /// use durable_runtime::testing::TestEngine;
            /// use durable_runtime::{Error, Registry, WaitError, named};
            ///
            /// static LUCK: AtomicU32 = AtomicU32::new(0);
            ///
            /// # #[tokio::main(flavor = "current_thread")]
            /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
            /// let registry = Registry::new().named_orchestrator("lottery", |_| async {
            ///     sleep(minutes(u64::from(LUCK.fetch_add(1, Ordering::Relaxed)))).await;
            ///     Ok::<_, Error>(().into())
            /// });
            /// let engine = TestEngine::builder().registry(registry).start()?;
            /// let lottery = engine.start(named::orchestrator("lottery", &().into())).await?;
            /// let error = lottery.result().await.unwrap_err();
            /// assert!(matches!(error, WaitError::NonDeterministic { .. }));
            /// # Ok(()) }
            /// ```
            #[must_use]
            pub fn replay_check(mut self, is_on: bool) -> Self {
                self.setup.replay_check = is_on;
                self
            }

            /// Which instances run, by their version; those whose own version is registered unless said otherwise.
            ///
            /// The others stall, and go on when a build has what they need.
            #[must_use]
            pub fn versions(mut self, policy: $crate::registry::VersionPolicy) -> Self {
                self.setup.versions = policy;
                self
            }

            /// How many activities run at a time; 1,024 unless said otherwise.
            #[must_use]
            pub fn activity_limit(mut self, activities: usize) -> Self {
                self.setup.activity_limit = activities;
                self
            }

            /// How much may be raised to one instance that nobody has taken yet: so many events, and so many bytes of their names
            /// and payloads; 10,000 events and 16 MiB unless said otherwise. Beyond it `raise` answers
            /// [`RaiseError::Busy`]($crate::RaiseError::Busy), and what other instances send waits, on disk, until there is room.
            /// One event has room whatever its size, if it is alone.
            #[must_use]
            pub fn event_limit(mut self, events: usize, bytes: usize) -> Self {
                self.setup.event_limit = $crate::engine::backlog::EventLimit { events, bytes };
                self
            }

            /// Bytes of the largest payload (an input, an output, an event, a custom status); 2 MiB unless said otherwise, and 64
            /// MiB at the most.
            ///
            /// Every replay reads what is recorded again, and a history may have 256 MiB: what is large is better kept elsewhere, and
            /// a reference to it passed. What is recorded stays readable whatever the limit is now.
            ///
            /// An amount outside these bounds makes the engine's start fail with
            /// [`OpenError::PayloadLimit`](crate::OpenError::PayloadLimit).
            #[must_use]
            pub fn payload_limit(mut self, bytes: usize) -> Self {
                self.setup.payload_limit = bytes;
                self
            }
        }
    };
}

pub(crate) use setup_methods;
