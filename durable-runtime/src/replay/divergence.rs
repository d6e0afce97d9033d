//! History and code disagree: both sides, and a report that names them.
//!
//! Source: `docs/design.md`, "Replay and matching".

mod snippet;

use std::fmt::Write;

use self::snippet::Side;

use crate::clock::Timestamp;
use crate::event::{HistoryEvent, Pending, TimerPurpose};
use crate::id::{BuildId, EventId, ExecutionId, InstanceId, Sequence, SiteId, SourceSite};

/// The first point at which the code asks for something else than what is recorded.
#[derive(Debug)]
pub(crate) struct Divergence {
    /// The position of the recorded event, or of the end of its turn.
    pub(crate) sequence: Sequence,
    /// What the history holds there; `None` if the turn holds nothing more.
    pub(crate) recorded: Option<Recorded>,
    /// What the code asked for; `None` if it asked for nothing more.
    pub(crate) requested: Option<Requested>,
    /// Where the code asked for something last, if a request has no place of its own; of a twin only.
    pub(crate) after: Option<SourceSite>,
}

/// What the history holds.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// The event, described.
    pub(crate) what: String,
    /// Where the code of that build asked for it; the store knows the place.
    pub(crate) origin: Option<(BuildId, SiteId)>,
}

/// What the code asked for.
#[derive(Debug)]
pub(crate) struct Requested {
    /// The request, described.
    pub(crate) what: String,
    /// Where it asked.
    pub(crate) site: Option<SourceSite>,
}

impl Divergence {
    /// The report for people, in the manner of a compiler. `recorded_spot` is where the recorded command was asked for, and in
    /// a second line what stood there, as far as the store knows; `whose` is the instance, as far as the caller names it.
    pub(crate) fn render(
        &self,
        recorded_spot: Option<&str>,
        whose: Option<(&InstanceId, ExecutionId)>,
    ) -> String {
        let mut report = format!("history and code disagree at event {}", self.sequence.0);
        if let Some((instance, execution)) = whose {
            add(
                &mut report,
                format_args!(" of `{instance}`, execution {execution}"),
            );
        }
        let nothing = "nothing more in this turn";
        let recorded = self.recorded.as_ref().map_or(nothing, |side| &side.what);
        let requested = self.requested.as_ref();
        let spot = requested.and_then(|side| side.site);
        let spot = spot.map(|site| site.spot().to_string());
        let requested = requested.map_or(nothing, |side| &side.what);
        let sides = [
            Side::new("recorded: ", recorded, recorded_spot),
            Side::new("requested:", requested, spot.as_deref()),
        ];
        report.push_str(&snippet::render(&sides));
        report.push_str(
            "\n  = help: usually the orchestration changed while instances were running; register the change as a new version",
        );
        report
    }
}

/// Appends to text, which cannot fail.
fn add(report: &mut String, text: std::fmt::Arguments<'_>) {
    if report.write_fmt(text).is_err() {
        report.push('…');
    }
}

/// An event as a report names it, without its payload; times are told from `now`, the time of the turn.
pub(super) fn describe(event: &HistoryEvent, now: Timestamp) -> String {
    match event {
        HistoryEvent::ActivityScheduled(command) => {
            let attempt = attempt(command.attempt, command.call);
            format!("ActivityScheduled `{}`{attempt}", command.name)
        }
        HistoryEvent::ChildScheduled(command) => {
            let version = version(command.version.as_deref());
            let attempt = attempt(command.attempt, command.call);
            format!("ChildScheduled `{}`{version}{attempt}", command.name)
        }
        HistoryEvent::DetachedScheduled(command) => {
            let version = version(command.version.as_deref());
            format!("DetachedScheduled `{}`{version}", command.name)
        }
        HistoryEvent::DetachedAwaited(command) => {
            format!("DetachedAwaited `{}`", command.instance)
        }
        HistoryEvent::EventSent(command) => {
            format!("EventSent `{}` to `{}`", command.name, command.instance)
        }
        HistoryEvent::TimerCreated(command) => {
            let purpose = match command.purpose {
                TimerPurpose::Sleep => "",
                TimerPurpose::Retry(_) => " for another attempt",
                TimerPurpose::Deadline => " for a deadline",
            };
            format!("TimerCreated{purpose}, due in {:?}", command.due.since(now))
        }
        HistoryEvent::MarkerRecorded(_) => "MarkerRecorded, a side effect".to_owned(),
        HistoryEvent::Cancelled(cancelled) => {
            let what = match cancelled.pending {
                Pending::Activity => "activity",
                Pending::Timer => "timer",
                Pending::Child => "child",
                Pending::Start => "detached start",
                Pending::End => "wait for an instance",
            };
            format!("Cancelled {what}, command {}", cancelled.scheduled)
        }
        HistoryEvent::ExecutionCompleted(_) => "ExecutionCompleted".to_owned(),
        HistoryEvent::ExecutionContinued(_) => "ExecutionContinued".to_owned(),
        HistoryEvent::CustomStatusSet(_) => "CustomStatusSet".to_owned(),
        HistoryEvent::TurnStarted(_) => "TurnStarted".to_owned(),
        HistoryEvent::ExecutionStalled(_) => "ExecutionStalled".to_owned(),
        HistoryEvent::ExecutionTerminated(_) => "ExecutionTerminated".to_owned(),
        HistoryEvent::ExecutionSuspended(_) => "ExecutionSuspended".to_owned(),
        HistoryEvent::ExecutionResumed(_) => "ExecutionResumed".to_owned(),
        HistoryEvent::InstancePurged(_) => "InstancePurged".to_owned(),
        HistoryEvent::ChangeRecorded(command) => {
            let change = &command.change;
            format!(
                "ChangeRecorded `{change}`, which `changed({change:?})` or `retired({change:?})` passes"
            )
        }
        HistoryEvent::ExecutionRewound(_) => "ExecutionRewound".to_owned(),
        HistoryEvent::ExecutionStarted(_)
        | HistoryEvent::ActivityCompleted(_)
        | HistoryEvent::ActivityFailed(_)
        | HistoryEvent::HeartbeatRecorded(_)
        | HistoryEvent::TimerFired(_)
        | HistoryEvent::ChildCompleted(_)
        | HistoryEvent::ChildFailed(_)
        | HistoryEvent::EventRaised(_)
        | HistoryEvent::CancelRequested(_)
        | HistoryEvent::DetachedStarted(_)
        | HistoryEvent::DetachedRefused(_)
        | HistoryEvent::DetachedCompleted(_)
        | HistoryEvent::DetachedFailed(_) => "an arrival".to_owned(),
    }
}

fn version(version: Option<&str>) -> String {
    version.map(|v| format!(" v{v}")).unwrap_or_default()
}

fn attempt(number: u32, call: EventId) -> String {
    if number == 1 {
        String::new()
    } else {
        format!(", attempt {number} of command {call}")
    }
}
