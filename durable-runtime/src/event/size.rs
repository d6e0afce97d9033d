//! How large an event is, as far as that grows with what users send.

use super::HistoryEvent;
use crate::failure::{Failure, Outcome};
use crate::payload::Payload;

impl HistoryEvent {
    /// Bytes of the payload or text of a user that it carries.
    pub(crate) fn payload_bytes(&self) -> usize {
        match self {
            Self::ExecutionStarted(started) => length(&started.input),
            Self::ActivityCompleted(done)
            | Self::ChildCompleted(done)
            | Self::DetachedCompleted(done) => length(&done.output),
            Self::ActivityFailed(failed)
            | Self::ChildFailed(failed)
            | Self::DetachedFailed(failed)
            | Self::DetachedRefused(failed) => of_failure(&failed.failure),
            Self::HeartbeatRecorded(recorded) => length(&recorded.details),
            Self::EventRaised(raised) => length(&raised.payload),
            Self::CancelRequested(request) => request.reason.len(),
            Self::ActivityScheduled(scheduled) => length(&scheduled.input),
            Self::ChildScheduled(scheduled) => length(&scheduled.input),
            Self::DetachedScheduled(scheduled) => length(&scheduled.input),
            Self::EventSent(sent) => length(&sent.payload),
            Self::MarkerRecorded(marker) => length(&marker.value),
            Self::CustomStatusSet(set) => length(&set.status),
            Self::ExecutionCompleted(completed) => match &completed.outcome {
                Outcome::Completed(output) => length(output),
                Outcome::Failed(failure) => of_failure(failure),
            },
            Self::ExecutionContinued(continued) => length(&continued.input),
            Self::ExecutionStalled(stalled) => stalled.report.len(),
            Self::ExecutionTerminated(ended) => ended.reason.len(),
            Self::ExecutionSuspended(held) => held.reason.len(),
            Self::ExecutionResumed(released) => released.reason.len(),
            Self::ExecutionRewound(rewound) => rewound.payload_bytes(),
            Self::TimerFired(_)
            | Self::DetachedStarted(_)
            | Self::DetachedAwaited(_)
            | Self::TurnStarted(_)
            | Self::TimerCreated(_)
            | Self::Cancelled(_)
            | Self::InstancePurged(_)
            | Self::ChangeRecorded(_) => 0,
        }
    }
}

fn length(payload: &Payload) -> usize {
    payload.bytes().len()
}

fn of_failure(failure: &Failure) -> usize {
    match failure {
        Failure::Returned(returned) => length(&returned.error) + returned.details.message.len(),
        Failure::Fault(fault) => fault.message().len(),
    }
}
