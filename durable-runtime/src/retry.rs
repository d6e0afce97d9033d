//! Retry policies as pure arithmetic.
//!
//! The attempts themselves run in the replay core: each is a recorded event, each delay a recorded timer, and the
//! policy in force is recorded with the first attempt, so a replay retries as the first run did.
//!
//! Source: `docs/design.md`, "Retries".

use std::time::Duration;

/// When and how often a failed activity or child is tried again.
///
/// Given in the attribute, as `retry(max_attempts = 5, ..)`, or on a call with `.retry(..)`. There is no jitter.
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
}

impl RetryPolicy {
    /// One attempt, no retry.
    pub const NONE: Self = Self {
        max_attempts: 1,
        initial: Duration::from_secs(1),
        backoff: 2.0,
        max_interval: Duration::from_secs(3600),
        total: None,
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

    /// The delay after attempt number `failed` (1 for the first) failed, `elapsed` after the first was scheduled;
    /// `None` if that was the last.
    pub fn delay_after(&self, failed: u32, elapsed: Duration) -> Option<Duration> {
        if failed >= self.max_attempts {
            return None;
        }
        let exponent = i32::try_from(failed.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.initial.as_secs_f64() * self.backoff.max(1.0).powi(exponent);
        let delay = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let delay = delay.min(self.max_interval);
        match self.total {
            Some(total) if elapsed.saturating_add(delay) > total => None,
            _ => Some(delay),
        }
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::NONE
    }
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
    fn an_absurd_backoff_does_not_overflow() {
        let policy = RetryPolicy::attempts(u32::MAX).backoff(1e300);
        assert_eq!(
            policy.delay_after(u32::MAX - 1, SECOND),
            Some(policy.max_interval)
        );
    }
}
