//! Heartbeats: a sign of life, and with it a place to go on from.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Clock;
use crate::limits;
use crate::payload::Payload;

/// Sends heartbeats of an attempt from wherever its work is done; made by [`heart`](super::heart()).
///
/// Clone it, hand it to threads and tasks that the attempt has begun: unlike the functions of this module it works
/// everywhere.
#[derive(Clone)]
pub struct Heart(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    /// When the attempt began, by the monotonic clock.
    began: Duration,
    /// What the attempt before, or the delivery before, said last.
    inherited: Option<Payload>,
    last: Mutex<Beat>,
}

struct Beat {
    /// By the monotonic clock.
    at: Duration,
    details: Option<Payload>,
}

impl Heart {
    /// The heart of an attempt that begins now, after one that left `inherited`.
    pub(crate) fn new(clock: Arc<dyn Clock>, inherited: Option<Payload>) -> Self {
        let at = clock.monotonic();
        let last = Mutex::new(Beat { at, details: None });
        Self(Arc::new(Inner {
            clock,
            began: at,
            inherited,
            last,
        }))
    }

    /// As [`heartbeat`](super::heartbeat()).
    ///
    /// # Panics
    /// If `details` cannot be written as JSON, or take more than 64 KiB.
    #[track_caller]
    pub fn beat<T: Serialize>(&self, details: T) {
        let details = match Payload::json(&details) {
            Ok(details) => details,
            Err(error) => refuse(&error.to_string()),
        };
        let (bytes, limit) = (details.bytes().len(), limits::HEARTBEAT_BYTES_MAX);
        if bytes > limit {
            refuse(&format!(
                "they have {bytes} bytes, the limit is {limit} bytes; say where to go on, and keep the work elsewhere"
            ));
        }
        let at = self.0.clock.monotonic();
        *self.lock() = Beat {
            at,
            details: Some(details),
        };
    }

    /// As [`last_heartbeat`](super::last_heartbeat()).
    pub fn inherited<T: DeserializeOwned>(&self) -> Option<T> {
        let details = self.0.inherited.as_ref()?;
        match details.decode() {
            Ok(details) => Some(details),
            Err(error) => {
                tracing::warn!(%error, "what the attempt before said with its last heartbeat cannot be read; it counts as nothing");
                None
            }
        }
    }

    /// How long it has been silent; an attempt that has not beaten yet is since it began.
    pub(crate) fn silent_for(&self) -> Duration {
        let at = self.lock().at;
        self.0.clock.monotonic().saturating_sub(at)
    }

    /// How long its attempt has run.
    pub(crate) fn beats_for(&self) -> Duration {
        self.0.clock.monotonic().saturating_sub(self.0.began)
    }

    /// What it said last, if it spoke at all.
    pub(crate) fn details(&self) -> Option<Payload> {
        self.lock().details.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Beat> {
        // A beat is put there whole.
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::panic,
    reason = "misuse that no type can rule out; it becomes a fault of the activity, which names it"
)]
#[track_caller]
fn refuse(why: &str) -> ! {
    panic!("the details of a heartbeat cannot be recorded: {why}")
}

impl fmt::Debug for Heart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "heart, silent for {:?}", self.silent_for())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn heart(inherited: Option<&str>) -> Heart {
        let inherited = inherited.map(|text| Payload::json(&text).unwrap());
        Heart::new(Arc::new(SystemClock::new()), inherited)
    }

    #[test]
    fn the_last_beat_is_kept_and_what_was_inherited_stays() {
        let heart = heart(Some("before"));
        assert_eq!(heart.details(), None);
        heart.beat("first");
        heart.beat("second");
        assert_eq!(heart.details(), Some(Payload::json(&"second").unwrap()));
        assert_eq!(heart.inherited::<String>().as_deref(), Some("before"));
        assert_eq!(heart.inherited::<u32>(), None, "it is no number");
    }

    #[test]
    #[should_panic(expected = "the limit is 65536 bytes")]
    fn details_have_a_limit() {
        let text = |bytes: usize| "x".repeat(bytes - "\"\"".len());
        heart(None).beat(text(limits::HEARTBEAT_BYTES_MAX));
        heart(None).beat(text(limits::HEARTBEAT_BYTES_MAX + 1));
    }

    #[test]
    #[should_panic(expected = "cannot be recorded")]
    fn details_that_are_no_json_are_refused() {
        heart(None).beat(std::collections::BTreeMap::from([((1, 2), 3)]));
    }
}
