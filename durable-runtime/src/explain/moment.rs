//! Times as people and programs read them, and how the parts of an explanation are serialised.

use std::fmt::{Debug, Display};
use std::time::{Duration, SystemTime};

use serde::Serializer;

use crate::id::EventId;

/// A moment as RFC 3339 has it, in UTC, to the second: `2026-01-31T23:59:59Z`.
pub(super) fn told(time: SystemTime) -> String {
    let since = (time.duration_since(SystemTime::UNIX_EPOCH)).unwrap_or_default();
    let seconds = since.as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The Gregorian date of a day since 1970-01-01.
fn date(day: u64) -> (u64, u64, u64) {
    // Days are counted from 0000-03-01, so that a leap day is the last of its year; 400 years have 146,097.
    let day = day + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March on: 31, 30, 31, 30, 31, twice, then 31 and the rest.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// A duration in its two largest units.
pub(super) fn lasting(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (large, unit, small, rest) = match seconds {
        0 => return format!("{} ms", duration.as_millis()),
        1..60 => return format!("{seconds} s"),
        60..3_600 => (seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => (seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => (seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    };
    if small == 0 {
        return format!("{large} {unit}");
    }
    format!("{large} {unit} {small} {rest}")
}

/// How long ago, or from when on, seen from `now`.
pub(super) fn between(earlier: SystemTime, later: SystemTime) -> String {
    lasting(later.duration_since(earlier).unwrap_or_default())
}

pub(super) fn as_time<S: Serializer>(time: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&told(*time))
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
pub(super) fn as_time_if_any<S: Serializer>(
    time: &Option<SystemTime>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => to.serialize_some(&told(*time)),
        None => to.serialize_none(),
    }
}

pub(super) fn as_text<T: Display, S: Serializer>(id: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

pub(super) fn as_word<T: Debug, S: Serializer>(word: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{word:?}"))
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
pub(super) fn as_word_if_any<T: Debug, S: Serializer>(
    word: &Option<T>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match word {
        Some(word) => to.collect_str(&format_args!("{word:?}")),
        None => to.serialize_none(),
    }
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
pub(super) fn as_number<S: Serializer>(id: &Option<EventId>, to: S) -> Result<S::Ok, S::Error> {
    match id {
        Some(id) => to.serialize_some(&id.0),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_utc_over_leap_years_and_centuries() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(told(time), expected);
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (millis, expected) in [
            (5, "5 ms"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (61_000, "1 min 1 s"),
            (3_660_000, "1 h 1 min"),
            (86_400_000, "1 d"),
            (183_600_000, "2 d 3 h"),
        ] {
            assert_eq!(lasting(Duration::from_millis(millis)), expected);
        }
    }
}
