//! Version 1 of the stored records.
//!
//! Fields and variants are written in the order in which they stand here, a variant by its position. So nothing here
//! is reordered, removed or retyped; a new variant goes to the end of its enum. Text and payloads are borrowed, both when writing and when
//! reading: nothing is copied but from and to its final place.
//!
//! As JSON, in saved histories, a record has the names that stand here, so nothing here is renamed either.

mod between;
mod control;
mod from_domain;
mod json;
mod rewound;
mod to_domain;

pub(crate) use from_domain::watched;

use std::borrow::Cow;
use std::time::Duration;

use bincode::{BorrowDecode, Encode};
use serde::{Deserialize, Serialize};

pub(crate) use self::between::{DetachedAwaited, DetachedScheduled, DetachedStarted, EventSent};
pub(crate) use self::control::{Control, InstancePurged};
pub(crate) use self::rewound::ExecutionRewound;

/// A history event; see [`HistoryEvent`](crate::event::HistoryEvent) for the meaning of each.
#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Record<'a> {
    ExecutionStarted(ExecutionStarted<'a>),
    ActivityCompleted(Completed<'a>),
    ActivityFailed(Failed<'a>),
    TimerFired(Fired),
    ChildCompleted(Completed<'a>),
    ChildFailed(Failed<'a>),
    EventRaised(EventRaised<'a>),
    CancelRequested(CancelRequested<'a>),
    TurnStarted(TurnStarted),
    ActivityScheduled(ActivityScheduled<'a>),
    TimerCreated(TimerCreated),
    ChildScheduled(ChildScheduled<'a>),
    MarkerRecorded(MarkerRecorded<'a>),
    Cancelled(Cancelled),
    CustomStatusSet(Payload<'a>),
    ExecutionCompleted(Outcome<'a>),
    ExecutionContinued(Payload<'a>),
    ExecutionStalled(ExecutionStalled<'a>),
    /// An `ActivityScheduled` that says something of heartbeats.
    ActivityWatched(ActivityWatched<'a>),
    HeartbeatRecorded(HeartbeatRecorded<'a>),
    DetachedScheduled(DetachedScheduled<'a>),
    DetachedStarted(DetachedStarted),
    DetachedRefused(Failed<'a>),
    DetachedAwaited(DetachedAwaited<'a>),
    DetachedCompleted(Completed<'a>),
    DetachedFailed(Failed<'a>),
    EventSent(EventSent<'a>),
    ExecutionTerminated(Control<'a>),
    ExecutionSuspended(Control<'a>),
    ExecutionResumed(Control<'a>),
    InstancePurged(InstancePurged),
    ChangeRecorded(ChangeRecorded<'a>),
    ExecutionRewound(ExecutionRewound<'a>),
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct ExecutionStarted<'a> {
    pub(crate) at: u64,
    pub(crate) instance: &'a str,
    pub(crate) execution: u32,
    pub(crate) name: &'a str,
    pub(crate) version: Option<&'a str>,
    pub(crate) input: Payload<'a>,
    pub(crate) parent: Option<Parent<'a>>,
    pub(crate) tags: Vec<(&'a str, &'a str)>,
    pub(crate) trace: Option<TraceContext<'a>>,
    pub(crate) replay_semantics: u16,
    pub(crate) request: Option<&'a str>,
    pub(crate) start_at: Option<u64>,
}

#[derive(Clone, Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Parent<'a> {
    pub(crate) instance: &'a str,
    pub(crate) key: u64,
    pub(crate) execution: u32,
    pub(crate) scheduled: u32,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct TraceContext<'a> {
    #[serde(with = "json::digits")]
    pub(crate) trace: u128,
    #[serde(with = "json::digits")]
    pub(crate) span: u64,
    pub(crate) flags: u8,
    pub(crate) state: Option<&'a str>,
}

/// As JSON it is written by hand, in `json`.
#[derive(Encode, BorrowDecode)]
pub(crate) struct Payload<'a> {
    pub(crate) codec: Codec,
    pub(crate) bytes: Cow<'a, [u8]>,
}

#[derive(Encode, BorrowDecode)]
pub(crate) enum Codec {
    Json,
    Bincode,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Completed<'a> {
    pub(crate) scheduled: u32,
    pub(crate) at: u64,
    pub(crate) output: Payload<'a>,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Failed<'a> {
    pub(crate) scheduled: u32,
    pub(crate) at: u64,
    pub(crate) failure: Failure<'a>,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Outcome<'a> {
    Completed(Payload<'a>),
    Failed(Failure<'a>),
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Failure<'a> {
    Returned(ReturnedError<'a>),
    Fault(Fault<'a>),
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct ReturnedError<'a> {
    pub(crate) error: Payload<'a>,
    pub(crate) error_type: &'a str,
    pub(crate) message: &'a str,
    pub(crate) causes: Vec<&'a str>,
    pub(crate) non_retryable: bool,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Fault<'a> {
    pub(crate) kind: FaultKind,
    pub(crate) subject: &'a str,
    pub(crate) message: &'a str,
    pub(crate) causes: Vec<&'a str>,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) enum FaultKind {
    Panicked,
    TimedOut,
    Cancelled,
    Poisoned,
    LimitExceeded,
    Conflict,
    Unrecordable,
    NotFound,
    Terminated,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) struct Fired {
    pub(crate) scheduled: u32,
    pub(crate) at: u64,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct EventRaised<'a> {
    pub(crate) at: u64,
    pub(crate) name: &'a str,
    pub(crate) payload: Payload<'a>,
    pub(crate) event: Option<&'a str>,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct CancelRequested<'a> {
    pub(crate) at: u64,
    pub(crate) reason: &'a str,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) struct TurnStarted {
    pub(crate) at: u64,
    pub(crate) build: u32,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct ActivityScheduled<'a> {
    pub(crate) id: u32,
    pub(crate) site: u32,
    pub(crate) call: u32,
    pub(crate) attempt: u32,
    pub(crate) name: &'a str,
    pub(crate) input: Payload<'a>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct ActivityWatched<'a> {
    pub(crate) scheduled: ActivityScheduled<'a>,
    pub(crate) heartbeat_timeout: Option<Duration>,
    pub(crate) last_heartbeat: Option<Payload<'a>>,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct HeartbeatRecorded<'a> {
    pub(crate) scheduled: u32,
    pub(crate) at: u64,
    pub(crate) details: Payload<'a>,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) initial: Duration,
    pub(crate) backoff: f64,
    pub(crate) max_interval: Duration,
    pub(crate) total: Option<Duration>,
    pub(crate) jitter: f64,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) struct TimerCreated {
    pub(crate) id: u32,
    pub(crate) site: u32,
    pub(crate) due: u64,
    pub(crate) purpose: TimerPurpose,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) enum TimerPurpose {
    Sleep,
    Retry(u32),
    Deadline,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct ChildScheduled<'a> {
    pub(crate) id: u32,
    pub(crate) site: u32,
    pub(crate) call: u32,
    pub(crate) attempt: u32,
    pub(crate) instance: &'a str,
    pub(crate) name: &'a str,
    pub(crate) version: Option<&'a str>,
    pub(crate) input: Payload<'a>,
    pub(crate) retry: Option<RetryPolicy>,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct MarkerRecorded<'a> {
    pub(crate) id: u32,
    pub(crate) site: u32,
    pub(crate) value: Payload<'a>,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct ChangeRecorded<'a> {
    pub(crate) id: u32,
    pub(crate) site: u32,
    pub(crate) change: &'a str,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) struct Cancelled {
    pub(crate) scheduled: u32,
    pub(crate) pending: Pending,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) enum Pending {
    Activity,
    Timer,
    Child,
    Start,
    End,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct ExecutionStalled<'a> {
    pub(crate) at: u64,
    pub(crate) reason: StallReason,
    pub(crate) report: &'a str,
}

#[derive(Encode, BorrowDecode, Serialize, Deserialize)]
pub(crate) enum StallReason {
    Divergence,
    Unregistered,
    Undecodable,
    ForeignFuture,
    LimitExceeded,
    UnknownSemantics,
    Damaged,
    Poisoned,
    Endless,
    NonDeterministic,
}
