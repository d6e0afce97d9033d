//! Domain types to what version 1 writes.

use super::{
    ActivityScheduled, ActivityWatched, CancelRequested, Cancelled, ChangeRecorded, ChildScheduled,
    Codec, Completed, Control, EventRaised, ExecutionStalled, ExecutionStarted, Failed, Failure,
    Fault, FaultKind, Fired, HeartbeatRecorded, MarkerRecorded, Outcome, Parent, Payload, Pending,
    Record, RetryPolicy, ReturnedError, StallReason, TimerCreated, TimerPurpose, TraceContext,
    TurnStarted,
};
use crate::{event, failure, payload, retry, trace};

impl<'a> From<&'a event::HistoryEvent> for Record<'a> {
    fn from(event: &'a event::HistoryEvent) -> Self {
        use event::HistoryEvent as Event;
        match event {
            Event::ExecutionStarted(started) => Self::ExecutionStarted((&**started).into()),
            Event::ActivityCompleted(completed) => Self::ActivityCompleted(completed.into()),
            Event::ActivityFailed(failed) => Self::ActivityFailed(failed.into()),
            Event::HeartbeatRecorded(recorded) => Self::HeartbeatRecorded(recorded.into()),
            Event::TimerFired(fired) => Self::TimerFired(fired.into()),
            Event::ChildCompleted(completed) => Self::ChildCompleted(completed.into()),
            Event::ChildFailed(failed) => Self::ChildFailed(failed.into()),
            Event::EventRaised(raised) => Self::EventRaised(raised.into()),
            Event::CancelRequested(requested) => Self::CancelRequested(requested.into()),
            Event::TurnStarted(started) => Self::TurnStarted(started.into()),
            Event::ActivityScheduled(scheduled) => match watched(scheduled) {
                Some(watched) => Self::ActivityWatched(watched),
                None => Self::ActivityScheduled(scheduled.into()),
            },
            Event::TimerCreated(created) => Self::TimerCreated(created.into()),
            Event::ChildScheduled(scheduled) => Self::ChildScheduled(scheduled.into()),
            Event::MarkerRecorded(recorded) => Self::MarkerRecorded(recorded.into()),
            Event::Cancelled(cancelled) => Self::Cancelled(cancelled.into()),
            Event::CustomStatusSet(set) => Self::CustomStatusSet((&set.status).into()),
            Event::ExecutionCompleted(end) => Self::ExecutionCompleted((&end.outcome).into()),
            Event::ExecutionContinued(end) => Self::ExecutionContinued((&end.input).into()),
            Event::ExecutionStalled(stalled) => Self::ExecutionStalled(stalled.into()),
            Event::DetachedScheduled(scheduled) => Self::DetachedScheduled(scheduled.into()),
            Event::DetachedStarted(started) => Self::DetachedStarted(started.into()),
            Event::DetachedRefused(refused) => Self::DetachedRefused(refused.into()),
            Event::DetachedAwaited(awaited) => Self::DetachedAwaited(awaited.into()),
            Event::DetachedCompleted(completed) => Self::DetachedCompleted(completed.into()),
            Event::DetachedFailed(failed) => Self::DetachedFailed(failed.into()),
            Event::EventSent(sent) => Self::EventSent(sent.into()),
            Event::ExecutionTerminated(ended) => {
                Self::ExecutionTerminated(Control::new(ended.at, &ended.reason))
            }
            Event::ExecutionSuspended(held) => {
                Self::ExecutionSuspended(Control::new(held.at, &held.reason))
            }
            Event::ExecutionResumed(released) => {
                Self::ExecutionResumed(Control::new(released.at, &released.reason))
            }
            Event::InstancePurged(purged) => Self::InstancePurged(purged.into()),
            Event::ChangeRecorded(recorded) => Self::ChangeRecorded(recorded.into()),
            Event::ExecutionRewound(rewound) => Self::ExecutionRewound((&**rewound).into()),
        }
    }
}

impl<'a> From<&'a event::ExecutionStarted> for ExecutionStarted<'a> {
    fn from(started: &'a event::ExecutionStarted) -> Self {
        Self {
            at: started.at.0,
            instance: started.instance.as_str(),
            execution: started.execution.0,
            name: &started.name,
            version: started.version.as_deref(),
            input: (&started.input).into(),
            parent: started.parent.as_ref().map(Into::into),
            tags: (started.tags.iter())
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
            trace: started.trace.as_ref().map(Into::into),
            replay_semantics: started.replay_semantics,
            request: started.request.as_deref(),
            start_at: started.start_at.map(|at| at.0),
        }
    }
}

impl<'a> From<&'a event::Parent> for Parent<'a> {
    fn from(parent: &'a event::Parent) -> Self {
        Self {
            instance: parent.instance.as_str(),
            key: parent.key.0,
            execution: parent.execution.0,
            scheduled: parent.scheduled.0,
        }
    }
}

impl<'a> From<&'a trace::TraceContext> for TraceContext<'a> {
    fn from(trace: &'a trace::TraceContext) -> Self {
        Self {
            trace: trace.trace_id(),
            span: trace.span_id(),
            flags: trace.flags(),
            state: trace.tracestate(),
        }
    }
}

impl<'a> From<&'a payload::Payload> for Payload<'a> {
    fn from(payload: &'a payload::Payload) -> Self {
        let codec = match payload.codec() {
            payload::Codec::Json => Codec::Json,
            payload::Codec::Bincode => Codec::Bincode,
        };
        Self {
            codec,
            bytes: payload.bytes().into(),
        }
    }
}

impl<'a> From<&'a event::Completed> for Completed<'a> {
    fn from(completed: &'a event::Completed) -> Self {
        Self {
            scheduled: completed.scheduled.0,
            at: completed.at.0,
            output: (&completed.output).into(),
        }
    }
}

impl<'a> From<&'a event::Failed> for Failed<'a> {
    fn from(failed: &'a event::Failed) -> Self {
        Self {
            scheduled: failed.scheduled.0,
            at: failed.at.0,
            failure: (&failed.failure).into(),
        }
    }
}

impl<'a> From<&'a failure::Outcome> for Outcome<'a> {
    fn from(outcome: &'a failure::Outcome) -> Self {
        match outcome {
            failure::Outcome::Completed(output) => Self::Completed(output.into()),
            failure::Outcome::Failed(failure) => Self::Failed(failure.into()),
        }
    }
}

impl<'a> From<&'a failure::Failure> for Failure<'a> {
    fn from(failure: &'a failure::Failure) -> Self {
        match failure {
            failure::Failure::Returned(returned) => Self::Returned(ReturnedError {
                error: (&returned.error).into(),
                error_type: &returned.details.error_type,
                message: &returned.details.message,
                causes: texts(&returned.details.causes),
                non_retryable: returned.details.non_retryable,
            }),
            failure::Failure::Fault(fault) => Self::Fault(Fault {
                kind: fault.kind().into(),
                subject: fault.subject(),
                message: fault.message(),
                causes: texts(fault.causes()),
            }),
        }
    }
}

fn texts(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

impl From<failure::FaultKind> for FaultKind {
    fn from(kind: failure::FaultKind) -> Self {
        match kind {
            failure::FaultKind::Panicked => Self::Panicked,
            failure::FaultKind::TimedOut => Self::TimedOut,
            failure::FaultKind::Cancelled => Self::Cancelled,
            failure::FaultKind::LimitExceeded => Self::LimitExceeded,
            failure::FaultKind::Conflict => Self::Conflict,
            failure::FaultKind::Unrecordable => Self::Unrecordable,
            failure::FaultKind::NotFound => Self::NotFound,
            failure::FaultKind::Terminated => Self::Terminated,
            failure::FaultKind::Poisoned => Self::Poisoned,
        }
    }
}

impl From<&event::Fired> for Fired {
    fn from(fired: &event::Fired) -> Self {
        Self {
            scheduled: fired.scheduled.0,
            at: fired.at.0,
        }
    }
}

impl<'a> From<&'a event::EventRaised> for EventRaised<'a> {
    fn from(raised: &'a event::EventRaised) -> Self {
        Self {
            at: raised.at.0,
            name: &raised.name,
            payload: (&raised.payload).into(),
            event: raised.event.as_deref(),
        }
    }
}

impl<'a> From<&'a event::CancelRequested> for CancelRequested<'a> {
    fn from(requested: &'a event::CancelRequested) -> Self {
        Self {
            at: requested.at.0,
            reason: &requested.reason,
        }
    }
}

impl From<&event::TurnStarted> for TurnStarted {
    fn from(started: &event::TurnStarted) -> Self {
        Self {
            at: started.at.0,
            build: started.build.0,
        }
    }
}

impl<'a> From<&'a event::ActivityScheduled> for ActivityScheduled<'a> {
    fn from(scheduled: &'a event::ActivityScheduled) -> Self {
        Self {
            id: scheduled.id.0,
            site: scheduled.site.0,
            call: scheduled.call.0,
            attempt: scheduled.attempt,
            name: &scheduled.name,
            input: (&scheduled.input).into(),
            attempt_timeout: scheduled.attempt_timeout,
            retry: scheduled.retry.as_ref().map(Into::into),
        }
    }
}

/// The longer form of a record that says something of heartbeats; most say nothing.
pub(crate) fn watched(scheduled: &event::ActivityScheduled) -> Option<ActivityWatched<'_>> {
    let heartbeats = scheduled.heartbeats.as_ref()?;
    Some(ActivityWatched {
        scheduled: scheduled.into(),
        heartbeat_timeout: heartbeats.timeout,
        last_heartbeat: heartbeats.last.as_ref().map(Into::into),
    })
}

impl<'a> From<&'a event::HeartbeatRecorded> for HeartbeatRecorded<'a> {
    fn from(recorded: &'a event::HeartbeatRecorded) -> Self {
        Self {
            scheduled: recorded.scheduled.0,
            at: recorded.at.0,
            details: (&recorded.details).into(),
        }
    }
}

impl From<&retry::RetryPolicy> for RetryPolicy {
    fn from(policy: &retry::RetryPolicy) -> Self {
        Self {
            max_attempts: policy.max_attempts,
            initial: policy.initial,
            backoff: policy.backoff,
            max_interval: policy.max_interval,
            total: policy.total,
            jitter: policy.jitter,
        }
    }
}

impl From<&event::TimerCreated> for TimerCreated {
    fn from(created: &event::TimerCreated) -> Self {
        let purpose = match created.purpose {
            event::TimerPurpose::Sleep => TimerPurpose::Sleep,
            event::TimerPurpose::Retry(call) => TimerPurpose::Retry(call.0),
            event::TimerPurpose::Deadline => TimerPurpose::Deadline,
        };
        Self {
            id: created.id.0,
            site: created.site.0,
            due: created.due.0,
            purpose,
        }
    }
}

impl<'a> From<&'a event::ChildScheduled> for ChildScheduled<'a> {
    fn from(scheduled: &'a event::ChildScheduled) -> Self {
        Self {
            id: scheduled.id.0,
            site: scheduled.site.0,
            call: scheduled.call.0,
            attempt: scheduled.attempt,
            instance: scheduled.instance.as_str(),
            name: &scheduled.name,
            version: scheduled.version.as_deref(),
            input: (&scheduled.input).into(),
            retry: scheduled.retry.as_ref().map(Into::into),
        }
    }
}

impl<'a> From<&'a event::MarkerRecorded> for MarkerRecorded<'a> {
    fn from(recorded: &'a event::MarkerRecorded) -> Self {
        Self {
            id: recorded.id.0,
            site: recorded.site.0,
            value: (&recorded.value).into(),
        }
    }
}

impl From<&event::Cancelled> for Cancelled {
    fn from(cancelled: &event::Cancelled) -> Self {
        let pending = match cancelled.pending {
            event::Pending::Activity => Pending::Activity,
            event::Pending::Timer => Pending::Timer,
            event::Pending::Child => Pending::Child,
            event::Pending::Start => Pending::Start,
            event::Pending::End => Pending::End,
        };
        Self {
            scheduled: cancelled.scheduled.0,
            pending,
        }
    }
}

impl<'a> From<&'a event::ChangeRecorded> for ChangeRecorded<'a> {
    fn from(recorded: &'a event::ChangeRecorded) -> Self {
        Self {
            id: recorded.id.0,
            site: recorded.site.0,
            change: &recorded.change,
        }
    }
}

impl<'a> From<&'a event::ExecutionStalled> for ExecutionStalled<'a> {
    fn from(stalled: &'a event::ExecutionStalled) -> Self {
        Self {
            at: stalled.at.0,
            reason: stalled.reason.into(),
            report: &stalled.report,
        }
    }
}

impl From<event::StallReason> for StallReason {
    fn from(reason: event::StallReason) -> Self {
        match reason {
            event::StallReason::Divergence => Self::Divergence,
            event::StallReason::Unregistered => Self::Unregistered,
            event::StallReason::Undecodable => Self::Undecodable,
            event::StallReason::ForeignFuture => Self::ForeignFuture,
            event::StallReason::LimitExceeded => Self::LimitExceeded,
            event::StallReason::UnknownSemantics => Self::UnknownSemantics,
            event::StallReason::Damaged => Self::Damaged,
            event::StallReason::Poisoned => Self::Poisoned,
            event::StallReason::Endless => Self::Endless,
            event::StallReason::NonDeterministic => Self::NonDeterministic,
        }
    }
}
