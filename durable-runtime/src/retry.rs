//! Retry policies as pure arithmetic, and what code may say about a failed attempt.
//!
//! The attempts themselves run in the replay core: each is a recorded event, each delay a recorded timer, and the
//! policy in force is recorded with the first attempt, so a replay retries as the first run did.
//!
//! Source: `docs/design.md`, "Retries".

use std::time::Duration;

/// When and how often a failed activity or child is tried again.
///
/// Given in the attribute, as `retry(max_attempts = 5, ..)`, or on a call with `.retry(..)`. There is no
/// [jitter](Self::jitter) unless asked for.
///
/// # Replay
/// The policy that was recorded with the first attempt stays in force, and each delay is a recorded timer.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use durable_runtime::{RetryPolicy, minutes, seconds};
///
/// let policy = RetryPolicy::attempts(4).initial(seconds(10)).backoff(3.0).max_interval(minutes(1));
/// let delays: Vec<_> = (1..=4).map(|failed| policy.delay_after(failed, Duration::ZERO)).collect();
/// assert_eq!(delays, [Some(seconds(10)), Some(seconds(30)), Some(minutes(1)), None]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts in all, the first included; at least 1.
    pub max_attempts: u32,
    /// The delay before the second attempt.
    pub initial: Duration,
    /// What each further delay is multiplied by; at least 1.0.
    pub backoff: f64,
    /// The longest delay.
    pub max_interval: Duration,
    /// No attempt starts later than this after the first, by the replay clock.
    pub total: Option<Duration>,
    /// The share of each delay that chance may take away, from 0.0 (none of it) to 1.0 (all of it).
    pub jitter: f64,
}

impl RetryPolicy {
    /// One attempt, no retry.
    pub const NONE: Self = Self {
        max_attempts: 1,
        initial: Duration::from_secs(1),
        backoff: 2.0,
        max_interval: Duration::from_secs(3600),
        total: None,
        jitter: 0.0,
    };

    /// `max_attempts` attempts with delays of 1 s, 2 s, 4 s … up to an hour.
    pub const fn attempts(max_attempts: u32) -> Self {
        Self {
            max_attempts,
            ..Self::NONE
        }
    }

    /// The same policy with another first delay.
    #[must_use]
    pub const fn initial(self, initial: Duration) -> Self {
        Self { initial, ..self }
    }

    /// The same policy with another factor between delays.
    #[must_use]
    pub const fn backoff(self, backoff: f64) -> Self {
        Self { backoff, ..self }
    }

    /// The same policy with another longest delay.
    #[must_use]
    pub const fn max_interval(self, max_interval: Duration) -> Self {
        Self {
            max_interval,
            ..self
        }
    }

    /// The same policy, giving up once `total` has passed since the first attempt.
    #[must_use]
    pub const fn total(self, total: Duration) -> Self {
        Self {
            total: Some(total),
            ..self
        }
    }

    /// The same policy with delays that are shorter by chance, by up to this share of each: of those that fail together, not all
    /// come back together. What is not in 0.0..=1.0 counts as the nearer of the two.
    ///
    /// # Replay
    /// Chance is derived from the instance, the execution, the call and the attempt, so it is the same on replay; and each
    /// delay is a recorded timer.
    ///
    /// # Examples
    ///
    /// ```
    /// use durable_runtime::{RetryPolicy, seconds};
    ///
    /// // After 8 s to 10 s, then after 16 s to 20 s, and so on.
    /// let policy = RetryPolicy::attempts(5).initial(seconds(10)).jitter(0.2);
    /// # assert_eq!(policy.jitter, 0.2);
    /// ```
    #[must_use]
    pub const fn jitter(self, share: f64) -> Self {
        Self {
            jitter: share,
            ..self
        }
    }

    /// The delay after attempt number `failed` (1 for the first) failed, `elapsed` after the first was scheduled;
    /// `None` if that was the last. With [jitter](Self::jitter) the delay is at most this long.
    pub fn delay_after(&self, failed: u32, elapsed: Duration) -> Option<Duration> {
        self.allowed(self.delay(failed), failed, elapsed)
    }

    /// This delay, unless attempt number `failed` was the last.
    pub(crate) fn allowed(
        &self,
        delay: Duration,
        failed: u32,
        elapsed: Duration,
    ) -> Option<Duration> {
        let is_in_time = |total| elapsed.saturating_add(delay) <= total;
        (failed < self.max_attempts && self.total.is_none_or(is_in_time)).then_some(delay)
    }

    /// The delay after attempt number `failed`, with chance drawn from `seed`.
    pub(crate) fn jittered(&self, failed: u32, seed: u64) -> Duration {
        let delay = self.delay(failed);
        let drawn = f64::from(u32::try_from(seed >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        let taken = delay.as_secs_f64() * self.jitter.clamp(0.0, 1.0) * drawn;
        // A share that is no number takes nothing away.
        delay.saturating_sub(Duration::try_from_secs_f64(taken).unwrap_or_default())
    }

    fn delay(&self, failed: u32) -> Duration {
        let exponent = i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.initial.as_secs_f64() * self.backoff.max(1.0).powi(exponent);
        let delay = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        delay.min(self.max_interval)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::NONE
    }
}

/// What code says about an attempt that failed: the answer of `.retry_when(..)`, of `.retry_with(..)` and of `when` in an
/// attribute. A `bool` is one as well: `true` is [`AsPolicy`](Self::AsPolicy), `false` is [`Stop`](Self::Stop).
///
/// Whatever it says, attempts end where the policy says so, by their number or by the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// There is no other attempt.
    Stop,
    /// The next attempt comes when the policy says.
    AsPolicy,
    /// The next attempt comes after this delay, without jitter, however long the policy's longest is.
    After(Duration),
}

impl From<bool> for Retry {
    fn from(is_worth: bool) -> Self {
        if is_worth { Self::AsPolicy } else { Self::Stop }
    }
}

/// What a retry handler is told beside the error; see `.retry_with(..)` of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryContext {
    /// The number of the attempt that failed; 1 for the first.
    pub attempt: u32,
    /// How long ago the first attempt was asked for, by the replay clock.
    pub elapsed: Duration,
}

/// An error that knows whether another attempt could help.
///
/// If the error that an activity or orchestrator declares has this, it is asked when such an error is returned, and what it
/// says is recorded with the failure. After one that is not retryable there is no other attempt, whatever a policy or a
/// handler says. Errors that do not have this are retryable; [`Error`](crate::Error) has it, and
/// [`Error::non_retryable`](crate::Error::non_retryable) says no.
///
/// # Replay
/// The recorded answer stays in force; nothing is asked again.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// enum PayError {
///     NoAnswer,
///     Declined,
/// }
///
/// impl Retryable for PayError {
///     fn is_retryable(&self) -> bool {
///         *self != Self::Declined
///     }
/// }
///
/// #[activity(retry(max_attempts = 10))]
/// async fn pay() -> Result<u32, PayError> {
///     match activity::attempt() {
///         1 => Err(PayError::NoAnswer),
///         _ => Err(PayError::Declined),
///     }
/// }
///
/// #[orchestrator]
/// async fn buy() -> Result<u32, PayError> {
///     pay().await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let begin = engine.now();
/// let bought = engine.start(buy()).await?.result().await?;
/// assert_eq!(bought, Err(PayError::Declined));
/// assert_eq!(engine.now(), begin + seconds(1), "two attempts");
/// # Ok(()) }
/// ```
pub trait Retryable {
    /// Whether another attempt could help.
    fn is_retryable(&self) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn delays_grow_to_the_longest_and_end_with_the_attempts() {
        let policy = RetryPolicy::attempts(5).max_interval(5 * SECOND);
        let delays: Vec<_> = (1..6)
            .map(|failed| policy.delay_after(failed, SECOND))
            .collect();
        let expected = [1, 2, 4, 5].map(|n| Some(n * SECOND));
        assert_eq!(delays, [&expected[..], &[None]].concat());
    }

    #[test]
    fn no_attempt_starts_after_the_total() {
        let policy = RetryPolicy::attempts(10).total(3 * SECOND);
        assert_eq!(policy.delay_after(1, SECOND), Some(SECOND));
        assert_eq!(policy.delay_after(2, 2 * SECOND), None);
    }

    #[test]
    fn jitter_takes_up_to_its_share_away_and_never_adds() {
        let policy = RetryPolicy::attempts(5).initial(10 * SECOND).jitter(0.2);
        let whole = |seed| policy.jittered(1, seed).as_secs_f64();
        assert!((whole(0) - 10.0).abs() < 1e-6 && (whole(u64::MAX) - 8.0).abs() < 1e-6);
        assert!(policy.jittered(2, u64::MAX / 2) < 20 * SECOND);
        assert_eq!(
            policy.jitter(0.0).jittered(2, u64::MAX / 2),
            20 * SECOND,
            "none unless asked for"
        );
        for (odd, shortest) in [
            (7.0, Duration::ZERO),
            (-1.0, 10 * SECOND),
            (f64::NAN, 10 * SECOND),
        ] {
            assert_eq!(policy.jitter(odd).jittered(1, u64::MAX), shortest, "{odd}");
        }
    }

    #[test]
    fn a_delay_that_a_handler_chose_is_bounded_by_attempts_and_total_alone() {
        let policy = RetryPolicy::attempts(3).max_interval(SECOND);
        let day = Duration::from_secs(86_400);
        assert_eq!(policy.allowed(day, 2, day), Some(day));
        assert_eq!(policy.allowed(day, 3, day), None);
        assert_eq!(policy.total(2 * day).allowed(day, 1, day), Some(day));
        assert_eq!(policy.total(2 * day).allowed(day, 1, day + SECOND), None);
    }

    #[test]
    fn an_absurd_backoff_does_not_overflow() {
        let policy = RetryPolicy::attempts(u32::MAX).backoff(1e300);
        assert_eq!(
            policy.delay_after(u32::MAX - 1, SECOND),
            Some(policy.max_interval)
        );
    }
}
