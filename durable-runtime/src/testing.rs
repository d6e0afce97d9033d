//! A whole engine in a test: in memory, on one thread, with a clock that skips ahead.
//!
//! [`TestEngine`] is the same [`Engine`] over the same machines; only the shell differs. Time stands still while anything
//! can run. When everything waits and somebody awaits a result, the clock moves to the next timer: a sleep of thirty days
//! takes milliseconds.
//!
//! ```standalone_crate
//! use durable_runtime::prelude::*;
//! use durable_runtime::testing::TestEngine;
//!
//! #[orchestrator]
//! async fn patient() -> String {
//!     sleep(days(30)).await;
//!     "done".to_owned()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = TestEngine::start()?;
//! let started = engine.now();
//! let handle = engine.start(patient()).await?;
//! assert_eq!(handle.result().await?, "done");
//! assert!(engine.now().duration_since(started)? >= days(30));
//! # Ok(()) }
//! ```

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use redb::backends::InMemoryBackend;

use crate::clock::{Entropy, Timestamp};
use crate::engine::setup::{Setup, setup_methods};
use crate::engine::{Engine, OpenError, Shell};
use crate::registry::Registry;

mod clock;
mod memory;
mod replay;
#[cfg(feature = "sandbox")]
mod sandbox;
mod saved;
mod world;

pub use replay::{ReplayError, check_replay};
#[cfg(feature = "sandbox")]
pub use sandbox::is_deciding;
#[doc(hidden)]
pub use saved::assert_saved;
pub use saved::{assert_replays, check_saved};

use clock::ManualClock;
use world::World;

/// An engine for tests; everything that an [`Engine`] can, and its time.
pub struct TestEngine {
    engine: Engine,
    world: Arc<World>,
    recipe: Recipe,
}

/// What a test engine is made of; kept, so that it can be started again over the same store.
#[derive(Clone)]
struct Recipe {
    disk: Arc<InMemoryBackend>,
    clock: Arc<ManualClock>,
    setup: Setup,
}

impl TestEngine {
    /// An engine that runs what is linked in, without state.
    ///
    /// # Errors
    /// [`OpenError`] if the program's functions do not fit together.
    pub fn start() -> Result<Self, OpenError> {
        Self::builder().start()
    }

    /// An engine to be started.
    pub fn builder() -> TestEngineBuilder {
        TestEngineBuilder {
            setup: Setup {
                replay_check: true,
                ..Setup::default()
            },
        }
    }

    /// The time in this engine; it begins at 2026-01-01T00:00:00Z.
    pub fn now(&self) -> SystemTime {
        self.world.hub.clock.now().into()
    }

    /// Moves the clock and fires what is due; before and after that waits as [`settle`](Self::settle) does, so that what was
    /// just started has set its timers by the time before.
    ///
    /// # Cancel safety
    /// Dropping the future leaves open whether the clock has moved.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// static STOP: Event<()> = Event::new("stop");
    ///
    /// #[orchestrator]
    /// async fn count_days() -> u32 {
    ///     let mut days_gone = 0;
    ///     while STOP.wait().timeout(days(1)).await.is_err() {
    ///         days_gone += 1;
    ///     }
    ///     days_gone
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let counting = engine.start(count_days()).await?;
    /// for _ in 0..3 {
    ///     engine.advance(days(1)).await;
    /// }
    /// counting.raise(&STOP, ()).await?;
    /// assert_eq!(counting.result().await?, 3);
    /// # Ok(()) }
    /// ```
    pub async fn advance(&self, duration: Duration) {
        self.world.settle().await;
        self.recipe.clock.advance(duration);
        self.world.settle().await;
    }

    /// Waits until nothing can run any more without an activity's end, an event or the clock.
    ///
    /// # Cancel safety
    /// Dropping the future only ends the wait.
    pub async fn settle(&self) {
        self.world.settle().await;
    }

    /// Drops every instance from memory; each comes back by replay when something reaches it. So a test sees whether replay
    /// leads where the first run led.
    ///
    /// # Cancel safety
    /// Dropping the future after its first poll does not keep them in memory.
    pub async fn evict(&self) {
        self.world.evict().await;
    }

    /// Stops the engine as if its process had been killed, and starts it again over the same store with all that is linked in.
    ///
    /// Handles of the engine before say that it has stopped; ask this one for new ones, by id.
    ///
    /// # Cancel safety
    /// Nothing waits in it: from its first poll it runs to its end.
    ///
    /// # Errors
    /// [`OpenError`] if the store cannot be opened again.
    pub async fn restart(self) -> Result<Self, OpenError> {
        self.restart_with(Registry::linked()).await
    }

    /// Stops the engine as if its process had been killed, and starts it again over the same store with other code, as a
    /// deployment does. The rest is as for [`restart`](Self::restart).
    ///
    /// # Errors
    /// [`OpenError`] if the store cannot be opened again.
    #[expect(
        clippy::unused_async,
        reason = "async so that a later version may wait for the old engine without changing the signature"
    )]
    pub async fn restart_with(self, registry: Registry) -> Result<Self, OpenError> {
        let mut recipe = self.recipe.clone();
        recipe.setup.registry = Some(registry);
        self.world.kill();
        drop(self);
        recipe.start()
    }
}

impl Deref for TestEngine {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl fmt::Debug for TestEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestEngine at {}", self.world.hub.clock.now())
    }
}

/// What a test engine is started with.
pub struct TestEngineBuilder {
    setup: Setup,
}

setup_methods!(TestEngineBuilder);

impl TestEngineBuilder {
    /// Starts the engine. It has a thread and a tokio runtime of its own, on which activities run.
    ///
    /// # Errors
    /// [`OpenError`] if the program's functions do not fit together.
    pub fn start(self) -> Result<TestEngine, OpenError> {
        let recipe = Recipe {
            disk: Arc::new(InMemoryBackend::new()),
            clock: Arc::new(ManualClock::default()),
            setup: self.setup,
        };
        recipe.start()
    }
}

impl fmt::Debug for TestEngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestEngineBuilder")
    }
}

impl Recipe {
    fn start(self) -> Result<TestEngine, OpenError> {
        let world = Arc::new(World::start(&self)?);
        let shell: Arc<dyn Shell> = Arc::<World>::clone(&world);
        let engine = Engine::from_parts(Arc::clone(&world.hub), shell);
        Ok(TestEngine {
            engine,
            world,
            recipe: self,
        })
    }
}

/// Chance that is the same in every run.
#[derive(Debug, Default)]
struct CountingEntropy(std::sync::atomic::AtomicU64);

impl Entropy for CountingEntropy {
    fn bits(&self) -> u128 {
        let count = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        xxhash_rust::xxh3::xxh3_128(&count.to_le_bytes())
    }
}

/// The moment at which test engines start: 2026-01-01T00:00:00Z.
const EPOCH: Timestamp = Timestamp(1_767_225_600_000);
