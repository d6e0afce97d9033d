//! What version 1 wrote to domain types.

use super::{
    ActivityScheduled, ActivityWatched, CancelRequested, Cancelled, ChangeRecorded, ChildScheduled,
    Codec, Completed, EventRaised, ExecutionStalled, ExecutionStarted, Failed, Failure, FaultKind,
    Fired, HeartbeatRecorded, MarkerRecorded, Outcome, Parent, Payload, Pending, Record,
    RetryPolicy, StallReason, TimerCreated, TimerPurpose, TraceContext, TurnStarted,
};
use crate::clock::Timestamp;
use crate::id::{BuildId, EventId, ExecutionId, InstanceId, InstanceKey, SiteId};
use crate::{event, failure, payload, retry, trace};

impl From<Record<'_>> for event::HistoryEvent {
    fn from(record: Record<'_>) -> Self {
        match record {
            Record::ExecutionStarted(started) => Self::ExecutionStarted(Box::new(started.into())),
            Record::ActivityCompleted(completed) => Self::ActivityCompleted(completed.into()),
            Record::ActivityFailed(failed) => Self::ActivityFailed(failed.into()),
            Record::HeartbeatRecorded(recorded) => Self::HeartbeatRecorded(recorded.into()),
            Record::TimerFired(fired) => Self::TimerFired(fired.into()),
            Record::ChildCompleted(completed) => Self::ChildCompleted(completed.into()),
            Record::ChildFailed(failed) => Self::ChildFailed(failed.into()),
            Record::EventRaised(raised) => Self::EventRaised(raised.into()),
            Record::CancelRequested(requested) => Self::CancelRequested(requested.into()),
            Record::TurnStarted(started) => Self::TurnStarted(started.into()),
            Record::ActivityScheduled(scheduled) => Self::ActivityScheduled(scheduled.into()),
            Record::ActivityWatched(watched) => Self::ActivityScheduled(watched.into()),
            Record::TimerCreated(created) => Self::TimerCreated(created.into()),
            Record::ChildScheduled(scheduled) => Self::ChildScheduled(scheduled.into()),
            Record::MarkerRecorded(recorded) => Self::MarkerRecorded(recorded.into()),
            Record::Cancelled(cancelled) => Self::Cancelled(cancelled.into()),
            Record::CustomStatusSet(status) => Self::CustomStatusSet(event::CustomStatusSet {
                status: status.into(),
            }),
            Record::ExecutionCompleted(outcome) => {
                Self::ExecutionCompleted(event::ExecutionCompleted {
                    outcome: outcome.into(),
                })
            }
            Record::ExecutionContinued(input) => {
                Self::ExecutionContinued(event::ExecutionContinued {
                    input: input.into(),
                })
            }
            Record::ExecutionStalled(stalled) => Self::ExecutionStalled(stalled.into()),
            Record::DetachedScheduled(scheduled) => Self::DetachedScheduled(scheduled.into()),
            Record::DetachedStarted(started) => Self::DetachedStarted(started.into()),
            Record::DetachedRefused(refused) => Self::DetachedRefused(refused.into()),
            Record::DetachedAwaited(awaited) => Self::DetachedAwaited(awaited.into()),
            Record::DetachedCompleted(completed) => Self::DetachedCompleted(completed.into()),
            Record::DetachedFailed(failed) => Self::DetachedFailed(failed.into()),
            Record::EventSent(sent) => Self::EventSent(sent.into()),
            Record::ExecutionTerminated(ended) => Self::ExecutionTerminated(ended.into()),
            Record::ExecutionSuspended(held) => Self::ExecutionSuspended(held.into()),
            Record::ExecutionResumed(released) => Self::ExecutionResumed(released.into()),
            Record::InstancePurged(purged) => Self::InstancePurged(purged.into()),
            Record::ChangeRecorded(recorded) => Self::ChangeRecorded(recorded.into()),
            Record::ExecutionRewound(rewound) => Self::ExecutionRewound(Box::new(rewound.into())),
        }
    }
}

impl From<ExecutionStarted<'_>> for event::ExecutionStarted {
    fn from(started: ExecutionStarted<'_>) -> Self {
        Self {
            at: Timestamp(started.at),
            instance: InstanceId::stored(started.instance),
            execution: ExecutionId(started.execution),
            name: started.name.to_owned().into(),
            version: started.version.map(str::to_owned),
            input: started.input.into(),
            parent: started.parent.map(Into::into),
            tags: (started.tags.into_iter())
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            trace: started.trace.map(Into::into),
            replay_semantics: started.replay_semantics,
            request: started.request.map(str::to_owned),
            start_at: started.start_at.map(Timestamp),
        }
    }
}

impl From<Parent<'_>> for event::Parent {
    fn from(parent: Parent<'_>) -> Self {
        Self {
            instance: InstanceId::stored(parent.instance),
            key: InstanceKey(parent.key),
            execution: ExecutionId(parent.execution),
            scheduled: EventId(parent.scheduled),
        }
    }
}

impl From<TraceContext<'_>> for trace::TraceContext {
    fn from(trace: TraceContext<'_>) -> Self {
        Self::from_parts(trace.trace, trace.span, trace.flags, trace.state)
    }
}

impl From<Payload<'_>> for payload::Payload {
    fn from(payload: Payload<'_>) -> Self {
        let codec = match payload.codec {
            Codec::Json => payload::Codec::Json,
            Codec::Bincode => payload::Codec::Bincode,
        };
        Self::from_parts(codec, &*payload.bytes)
    }
}

impl From<Completed<'_>> for event::Completed {
    fn from(completed: Completed<'_>) -> Self {
        Self {
            scheduled: EventId(completed.scheduled),
            at: Timestamp(completed.at),
            output: completed.output.into(),
        }
    }
}

impl From<Failed<'_>> for event::Failed {
    fn from(failed: Failed<'_>) -> Self {
        Self {
            scheduled: EventId(failed.scheduled),
            at: Timestamp(failed.at),
            failure: failed.failure.into(),
        }
    }
}

impl From<Outcome<'_>> for failure::Outcome {
    fn from(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Completed(output) => Self::Completed(output.into()),
            Outcome::Failed(failure) => Self::Failed(failure.into()),
        }
    }
}

impl From<Failure<'_>> for failure::Failure {
    fn from(failure: Failure<'_>) -> Self {
        match failure {
            Failure::Returned(returned) => Self::Returned(failure::ReturnedError {
                error: returned.error.into(),
                details: failure::FailureDetails {
                    error_type: returned.error_type.to_owned(),
                    message: returned.message.to_owned(),
                    causes: texts(&returned.causes),
                    non_retryable: returned.non_retryable,
                },
            }),
            Failure::Fault(fault) => Self::Fault(
                failure::Fault::new(fault.kind.into(), fault.subject, fault.message)
                    .with_causes(texts(&fault.causes)),
            ),
        }
    }
}

fn texts(borrowed: &[&str]) -> Vec<String> {
    borrowed.iter().copied().map(str::to_owned).collect()
}

impl From<FaultKind> for failure::FaultKind {
    fn from(kind: FaultKind) -> Self {
        match kind {
            FaultKind::Panicked => Self::Panicked,
            FaultKind::TimedOut => Self::TimedOut,
            FaultKind::Cancelled => Self::Cancelled,
            FaultKind::Poisoned => Self::Poisoned,
            FaultKind::LimitExceeded => Self::LimitExceeded,
            FaultKind::Conflict => Self::Conflict,
            FaultKind::Unrecordable => Self::Unrecordable,
            FaultKind::NotFound => Self::NotFound,
            FaultKind::Terminated => Self::Terminated,
        }
    }
}

impl From<Fired> for event::Fired {
    fn from(fired: Fired) -> Self {
        Self {
            scheduled: EventId(fired.scheduled),
            at: Timestamp(fired.at),
        }
    }
}

impl From<EventRaised<'_>> for event::EventRaised {
    fn from(raised: EventRaised<'_>) -> Self {
        Self {
            at: Timestamp(raised.at),
            name: raised.name.to_owned().into(),
            payload: raised.payload.into(),
            event: raised.event.map(str::to_owned),
        }
    }
}

impl From<CancelRequested<'_>> for event::CancelRequested {
    fn from(requested: CancelRequested<'_>) -> Self {
        Self {
            at: Timestamp(requested.at),
            reason: requested.reason.to_owned(),
        }
    }
}

impl From<TurnStarted> for event::TurnStarted {
    fn from(started: TurnStarted) -> Self {
        Self {
            at: Timestamp(started.at),
            build: BuildId(started.build),
        }
    }
}

impl From<ActivityScheduled<'_>> for event::ActivityScheduled {
    fn from(scheduled: ActivityScheduled<'_>) -> Self {
        Self {
            id: EventId(scheduled.id),
            site: SiteId(scheduled.site),
            call: EventId(scheduled.call),
            attempt: scheduled.attempt,
            name: scheduled.name.to_owned().into(),
            input: scheduled.input.into(),
            attempt_timeout: scheduled.attempt_timeout,
            heartbeats: None,
            retry: scheduled.retry.map(Into::into),
        }
    }
}

impl From<ActivityWatched<'_>> for event::ActivityScheduled {
    fn from(watched: ActivityWatched<'_>) -> Self {
        let heartbeats = event::Heartbeats {
            timeout: watched.heartbeat_timeout,
            last: watched.last_heartbeat.map(Into::into),
        };
        Self {
            heartbeats: Some(Box::new(heartbeats)),
            ..watched.scheduled.into()
        }
    }
}

impl From<HeartbeatRecorded<'_>> for event::HeartbeatRecorded {
    fn from(recorded: HeartbeatRecorded<'_>) -> Self {
        Self {
            scheduled: EventId(recorded.scheduled),
            at: Timestamp(recorded.at),
            details: recorded.details.into(),
        }
    }
}

impl From<RetryPolicy> for retry::RetryPolicy {
    fn from(policy: RetryPolicy) -> Self {
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

impl From<TimerCreated> for event::TimerCreated {
    fn from(created: TimerCreated) -> Self {
        let purpose = match created.purpose {
            TimerPurpose::Sleep => event::TimerPurpose::Sleep,
            TimerPurpose::Retry(call) => event::TimerPurpose::Retry(EventId(call)),
            TimerPurpose::Deadline => event::TimerPurpose::Deadline,
        };
        Self {
            id: EventId(created.id),
            site: SiteId(created.site),
            due: Timestamp(created.due),
            purpose,
        }
    }
}

impl From<ChildScheduled<'_>> for event::ChildScheduled {
    fn from(scheduled: ChildScheduled<'_>) -> Self {
        Self {
            id: EventId(scheduled.id),
            site: SiteId(scheduled.site),
            call: EventId(scheduled.call),
            attempt: scheduled.attempt,
            instance: InstanceId::stored(scheduled.instance),
            name: scheduled.name.to_owned().into(),
            version: scheduled.version.map(str::to_owned),
            input: scheduled.input.into(),
            retry: scheduled.retry.map(Into::into),
        }
    }
}

impl From<MarkerRecorded<'_>> for event::MarkerRecorded {
    fn from(recorded: MarkerRecorded<'_>) -> Self {
        Self {
            id: EventId(recorded.id),
            site: SiteId(recorded.site),
            value: recorded.value.into(),
        }
    }
}

impl From<Cancelled> for event::Cancelled {
    fn from(cancelled: Cancelled) -> Self {
        let pending = match cancelled.pending {
            Pending::Activity => event::Pending::Activity,
            Pending::Timer => event::Pending::Timer,
            Pending::Child => event::Pending::Child,
            Pending::Start => event::Pending::Start,
            Pending::End => event::Pending::End,
        };
        Self {
            scheduled: EventId(cancelled.scheduled),
            pending,
        }
    }
}

impl From<ChangeRecorded<'_>> for event::ChangeRecorded {
    fn from(recorded: ChangeRecorded<'_>) -> Self {
        Self {
            id: EventId(recorded.id),
            site: SiteId(recorded.site),
            change: recorded.change.to_owned().into(),
        }
    }
}

impl From<ExecutionStalled<'_>> for event::ExecutionStalled {
    fn from(stalled: ExecutionStalled<'_>) -> Self {
        Self {
            at: Timestamp(stalled.at),
            reason: stalled.reason.into(),
            report: stalled.report.to_owned(),
        }
    }
}

impl From<StallReason> for event::StallReason {
    fn from(reason: StallReason) -> Self {
        match reason {
            StallReason::Divergence => Self::Divergence,
            StallReason::Unregistered => Self::Unregistered,
            StallReason::Undecodable => Self::Undecodable,
            StallReason::ForeignFuture => Self::ForeignFuture,
            StallReason::LimitExceeded => Self::LimitExceeded,
            StallReason::UnknownSemantics => Self::UnknownSemantics,
            StallReason::Damaged => Self::Damaged,
            StallReason::Poisoned => Self::Poisoned,
            StallReason::Endless => Self::Endless,
            StallReason::NonDeterministic => Self::NonDeterministic,
        }
    }
}
