//! The engine: machines that are stepped, and the threads that step them.
//!
//! [`Engine`] is what a program opens. Behind it stand a shard machine for the instances, a commit machine for the store, a
//! timer machine and an activity dispatcher, none of which knows a thread; they meet in the module `hub`.
//!
//! Source: `docs/design.md`, "The engine".

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{SystemClock, SystemEntropy};
use crate::limits;
use crate::store::{Counters, Medium, StoreOptions};

pub(crate) mod backlog;
pub(crate) mod boot;
pub(crate) mod committer;
mod compatibility;
pub(crate) mod crew;
pub(crate) mod desk;
pub(crate) mod dispatcher;
pub(crate) mod failpoint;
pub(crate) mod gate;
pub(crate) mod guard;
pub(crate) mod hub;
pub(crate) mod inboxes;
pub(crate) mod integrity;
pub(crate) mod large;
pub(crate) mod live;
pub(crate) mod message;
pub(crate) mod observe;
pub(crate) mod pen;
pub(crate) mod queue;
pub(crate) mod recovery;
pub(crate) mod replayer;
pub(crate) mod retention;
pub(crate) mod reuse;
pub(crate) mod revive;
pub(crate) mod rewinding;
pub(crate) mod setup;
pub(crate) mod shard;
pub(crate) mod store_clock;
pub(crate) mod suspects;
pub(crate) mod threads;
pub(crate) mod timer_board;
pub(crate) mod timers;
pub(crate) mod trial;
pub(crate) mod twin;
pub(crate) mod verify;
pub(crate) mod vigil;
pub(crate) mod watch;
pub(crate) mod watchers;

#[cfg(test)]
mod tests;

pub use boot::OpenError;
pub use hub::Stopped;
pub use observe::lifecycle::{LifecycleEvent, LifecycleEvents, LifecycleKind, Missed};
pub use reuse::Reuse;
pub use verify::{Disagreement, Misfit, Side, Totals, Verification, Verified, VerifyError};

use boot::Parts;
use hub::{Hub, Shape};
use setup::{Setup, setup_methods};
use threads::Threads;

/// An open store and the machines that move its instances on.
///
/// Cheap to clone; the engine runs until [`shutdown`](Self::shutdown), or until the last clone is dropped. Handles of
/// instances do not keep it running.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
///
/// #[activity]
/// async fn double(n: u32) -> u32 {
///     n * 2
/// }
///
/// #[orchestrator]
/// async fn flow(n: u32) -> u32 {
///     double(n).await
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("engine-{}.redb", std::process::id()));
/// let engine = Engine::open(&path).await?;
/// engine.start(flow(21)).id("flow-1").await?;
/// engine.shutdown().await;
///
/// // Another day, perhaps: whatever was not done is done now.
/// let engine = Engine::open(&path).await?;
/// let flow = engine.handle(flow, "flow-1").await?.expect("it was started");
/// assert_eq!(flow.result().await?, 42);
/// # engine.shutdown().await;
/// # std::fs::remove_file(path)?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Engine {
    pub(crate) hub: Arc<Hub>,
    shell: Arc<dyn Shell>,
}

/// Whatever steps the machines.
pub(crate) trait Shell: Send + Sync + fmt::Debug {
    /// Stops everything; resolves when the file is free.
    fn shut_down(&self, grace: Duration)
    -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

impl Shell for Threads {
    fn shut_down(
        &self,
        grace: Duration,
    ) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(Self::shut_down(self, grace))
    }
}

impl Engine {
    /// Opens the store at `path`, creating it if nothing is there, and goes on with everything that was unfinished.
    ///
    /// Runs what is linked into the program, without state; [`builder`](Self::builder) says more.
    ///
    /// # Durability
    /// As that of [`EngineBuilder::open`].
    ///
    /// # Cancel safety
    /// As that of [`EngineBuilder::open`].
    ///
    /// # Errors
    /// As [`EngineBuilder::open`].
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::builder(path).open().await
    }

    /// An engine over the store at `path`, to be opened. Nothing is done yet.
    pub fn builder(path: impl Into<PathBuf>) -> EngineBuilder {
        EngineBuilder::new(path.into())
    }

    /// Stops the engine: no further activity is started, running ones get 5 s to end, and the file is closed.
    ///
    /// [`shutdown_within`](Self::shutdown_within) gives them more or less. What is unfinished goes on when the store is
    /// opened again.
    ///
    /// # Cancel safety
    /// Dropping the future half-way leaves an engine that starts nothing more; call it again, or drop the engine.
    ///
    /// # Panics
    /// Outside a tokio runtime that has its timer enabled.
    pub async fn shutdown(&self) {
        self.shell.shut_down(SHUTDOWN_GRACE).await;
    }

    /// Stops the engine as [`shutdown`](Self::shutdown) does, giving running activities `grace` to end. Those that do not are
    /// stopped half-way; they run again when the store is opened again.
    ///
    /// # Cancel safety
    /// As that of [`shutdown`](Self::shutdown).
    ///
    /// # Panics
    /// Outside a tokio runtime that has its timer enabled.
    pub async fn shutdown_within(&self, grace: Duration) {
        self.shell.shut_down(grace).await;
    }

    /// What the store has done since it was opened, and what it holds. For measurements and tests; costs next to nothing.
    pub fn counters(&self) -> Counters {
        self.hub.counters()
    }

    pub(crate) fn from_parts(hub: Arc<Hub>, shell: Arc<dyn Shell>) -> Self {
        Self { hub, shell }
    }
}

const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("is_stopped", &self.hub.is_stopped())
            .finish_non_exhaustive()
    }
}

/// What an engine is opened with.
///
/// Nothing is done before [`open`](Self::open).
///
/// # Examples
///
/// ```standalone_crate
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// use durable_runtime::prelude::*;
///
/// #[derive(Default)]
/// struct Counter(AtomicU32);
///
/// #[activity]
/// async fn draw_number(#[state] counter: &Counter) -> u32 {
///     counter.0.fetch_add(1, Ordering::Relaxed) + 1
/// }
///
/// #[orchestrator]
/// async fn queue_up() -> u32 {
///     draw_number().await
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("builder-{}.redb", std::process::id()));
/// let engine = Engine::builder(&path)
///     .state(Counter::default())
///     .activity_limit(100)
///     .open()
///     .await?;
/// assert_eq!(engine.start(queue_up()).await?.result().await?, 1);
/// # engine.shutdown().await;
/// # std::fs::remove_file(path)?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct EngineBuilder {
    path: PathBuf,
    setup: Setup,
    store: StoreOptions,
    live_bytes: usize,
    shards: usize,
    turn_limit: Duration,
    runtime: Option<tokio::runtime::Handle>,
}

setup_methods!(EngineBuilder);

impl EngineBuilder {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            setup: Setup::default(),
            store: StoreOptions::default(),
            live_bytes: limits::LIVE_BYTES_MAX,
            shards: std::thread::available_parallelism().map_or(1, usize::from),
            turn_limit: limits::TURN_TIME_MAX,
            runtime: None,
        }
    }

    /// Bytes, by estimate, that idle instances may take in memory; 64 MiB unless said otherwise. Beyond it the least
    /// recently used are dropped and come back by replay.
    #[must_use]
    pub fn live_bytes(mut self, bytes: usize) -> Self {
        self.live_bytes = bytes;
        self
    }

    /// Bytes of the store's page cache; 128 MiB unless said otherwise.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.store.cache_bytes = bytes;
        self
    }

    /// How many threads poll orchestrators, at least one; one for each core unless said otherwise.
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = shards;
        self
    }

    /// How long the code of an orchestrator may run between two awaits that wait; 10 s unless said otherwise. Replays are not
    /// counted.
    ///
    /// A turn that takes longer cannot be interrupted: its instance stalls, its thread is left behind, and another one goes on
    /// with the instances that it had.
    #[must_use]
    pub fn turn_limit(mut self, limit: Duration) -> Self {
        self.turn_limit = limit;
        self
    }

    /// Runs activities on this runtime, instead of the one in which the engine is opened. The runtime must outlive the
    /// engine.
    #[must_use]
    pub fn runtime(mut self, runtime: tokio::runtime::Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Opens the store and goes on with everything that was unfinished.
    ///
    /// # Durability
    /// A store that was created is on disk when this resolves with `Ok`.
    ///
    /// # Cancel safety
    /// Nothing is done before the first poll. After that dropping the future does not end the opening: the engine is
    /// opened, may go on with what was unfinished, and is dropped at once; until then the file is taken.
    ///
    /// # Errors
    /// - [`OpenError::Store`]: the file is open elsewhere, damaged, of a later format, none of ours, or cannot be reached.
    /// - [`OpenError::Duplicate`], [`OpenError::MissingState`]: the program's functions do not fit together.
    /// - [`OpenError::PanicAborts`]: the program is built so that a panic ends it.
    /// - [`OpenError::PayloadLimit`]: the limit of payloads is out of its bounds.
    /// - [`OpenError::NoRuntime`]: this is no tokio runtime, and [`runtime`](Self::runtime) named none.
    /// - [`OpenError::Thread`]: a thread could not be started.
    pub async fn open(self) -> Result<Engine, OpenError> {
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => tokio::runtime::Handle::try_current().map_err(|_| OpenError::NoRuntime)?,
        };
        let live_bytes = self.live_bytes;
        let parts = Parts {
            medium: Medium::File(self.path),
            store: self.store,
            setup: self.setup,
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy),
            runtime: runtime.clone(),
            shape: Shape {
                shards: self.shards,
                bell: None,
                turn_limit: self.turn_limit,
            },
        };
        // Opening reads and syncs a file.
        let opened = runtime.spawn_blocking(move || {
            let booted = boot::boot(parts)?;
            let hub = Arc::clone(&booted.hub);
            let threads = Threads::start(booted, live_bytes)?;
            Ok(Engine::from_parts(hub, Arc::new(threads)))
        });
        opened.await.unwrap_or_else(|error| {
            Err(OpenError::Thread(std::io::Error::other(error.to_string())))
        })
    }
}
