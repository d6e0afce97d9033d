//! Time and chance: the only places where real ones are read.

use std::fmt;
use std::time::{Duration, SystemTime};

/// Milliseconds since the Unix epoch: a time as the history records it. Elsewhere a program meets
/// [`SystemTime`], which a recorded time converts into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// A moment of the standard library, rounded up to a whole millisecond; before the epoch becomes the epoch.
    pub fn from_system_time(time: SystemTime) -> Self {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self::default().plus(since)
    }

    /// This time and `duration` more, rounded up to a whole millisecond.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let whole = u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(whole))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(recorded: Timestamp) -> Self {
        Self::UNIX_EPOCH + Duration::from_millis(recorded.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} s", self.0 / 1000, self.0 % 1000)
    }
}

/// Where the engine reads the time.
pub(crate) trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock.
    fn wall(&self) -> Timestamp;
    /// Time since some fixed moment of this process; never goes back.
    fn monotonic(&self) -> Duration;
}

/// Where the engine reads chance.
pub(crate) trait Entropy: Send + Sync + fmt::Debug {
    /// 128 unpredictable bits.
    fn bits(&self) -> u128;
}

/// The clocks of the operating system.
#[derive(Debug)]
pub(crate) struct SystemClock {
    origin: std::time::Instant,
}

impl SystemClock {
    /// Clocks whose monotonic time starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the monotonic clock is read"
    )]
    pub(crate) fn new() -> Self {
        Self {
            origin: std::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the wall clock is read"
    )]
    fn wall(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        // Rounded down, so that a timer never fires early.
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// The operating system's randomness, as the standard library seeds its hash maps with.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bits(&self) -> u128 {
        use std::hash::{BuildHasher, RandomState};
        let half = || u128::from(RandomState::new().hash_one(std::process::id()));
        (half() << 64) | half()
    }
}
