//! From what is recorded, what the code awaits and what the engine knows to why an instance waits: no I/O of its own.

use std::time::{Duration, SystemTime};

use super::hint;
use super::moment::told;
use super::open::{Call, Callee, Open, OpenCommands};
use super::wait::{
    ActivityWait, Awaited, Delivery, EventWait, Heartbeat, InstanceWait, Link, OutcomeOf,
    Suspected, TimerUse, TimerWait, Wait,
};
use super::{Buffered, Explanation, NextTurn, Standing};
use crate::clock::Timestamp;
use crate::event::{
    ActivityScheduled, ChildScheduled, HistoryEvent, Name, StallReason, TimerCreated, TimerPurpose,
};
use crate::failure::Outcome;
use crate::id::{BuildId, EventId, InstanceId, SiteId};
use crate::payload::Payload;
use crate::replay::{self, BufferedEvents};
use crate::sites::site_of;
use crate::store::{Status, Summary, Suspicion};

/// How many waits an explanation names.
pub(super) const WAITS_MAX: usize = 1_000;

/// What is recorded of an instance.
#[derive(Debug)]
pub(super) struct Recorded<'a> {
    pub(super) summary: &'a Summary,
    /// Of its current execution; an error says what of it cannot be read.
    pub(super) history: Result<&'a [HistoryEvent], &'a str>,
    /// What a replay found that the code awaits.
    pub(super) replayed: Replayed,
}

/// What a replay of the recorded turns has found.
#[derive(Debug)]
pub(super) enum Replayed {
    /// What the code awaits.
    Awaits(replay::Awaited),
    /// The code does not fit the history: the instance would stall.
    Refused(StallReason, String),
    /// Nothing was replayed, for this reason.
    Not(&'static str),
}

/// What is around an instance.
pub(super) trait Around {
    /// The time.
    fn now(&self) -> Timestamp;
    /// The place of a site in the sources of a build, and in a second line what stands there, if that is known.
    fn place(&self, build: BuildId, site: SiteId) -> Option<String>;
    /// Who is to deliver an attempt of an activity, and what it said last.
    fn delivery(&self, id: EventId, name: &Name) -> (Delivery, Option<Heartbeat>);
    /// What is held against an activity, or a turn.
    fn suspicion(&self, event: Option<EventId>) -> Option<Suspicion>;
    /// How far the next turn is.
    fn next_turn(&self) -> NextTurn;
    /// What other instances sent that finds no room, and since when.
    fn without_room(&self) -> Vec<(Name, Timestamp)>;
    /// Another instance: where it stands, and why it in turn waits.
    fn instance(&self, id: &InstanceId) -> (Option<Status>, Link);
}

/// Says why an instance waits.
pub(super) fn explain(recorded: Recorded<'_>, around: &dyn Around) -> Explanation {
    let Recorded {
        summary,
        history,
        replayed,
    } = recorded;
    let mut explanation = empty(summary, around);
    let history = match history {
        Ok(history) => history,
        Err(report) => {
            let report = report.to_owned();
            if !summary.has_ended() {
                explanation.standing = Standing::Unreadable { report };
            }
            return explanation;
        }
    };
    let open = OpenCommands::of(history);
    explanation.undelivered = open.undelivered;
    add_what_follows_a_hold(&mut explanation, summary);
    // Events first: they are few, and what people have forgotten.
    add_events(&mut explanation, replayed, &open, summary.stalled.is_some());
    add_commands(&mut explanation, &open, around);
    explanation
}

/// What the row of an instance alone says.
fn empty(summary: &Summary, around: &dyn Around) -> Explanation {
    let has_ended = summary.has_ended();
    let suspicion = if has_ended {
        None
    } else {
        around.suspicion(None)
    };
    Explanation {
        instance: summary.id.clone(),
        name: summary.name.clone(),
        version: summary.version.clone(),
        execution: summary.execution,
        status: summary.status,
        at: around.now().into(),
        updated_at: summary.updated_at,
        standing: standing(summary),
        turn: if has_ended {
            NextTurn::None
        } else {
            around.next_turn()
        },
        waits: Vec::new(),
        more: 0,
        buffered: Vec::new(),
        without_room: without_room(around),
        undelivered: 0,
        suspected: suspicion.map(suspected),
        hints: Vec::new(),
    }
}

fn without_room(around: &dyn Around) -> Vec<Buffered> {
    let mut without_room = Vec::new();
    for (name, at) in around.without_room() {
        add_raised(&mut without_room, &name, at.into());
    }
    without_room
}

fn standing(summary: &Summary) -> Standing {
    if let Some(held) = &summary.suspended {
        return Standing::Suspended {
            since: held.since,
            reason: held.reason.clone(),
        };
    }
    if let Some(stalled) = &summary.stalled {
        return Standing::Stalled {
            reason: stalled.reason,
            report: stalled.report.clone(),
            remedy: remedy(stalled.reason),
        };
    }
    match (&summary.outcome, summary.status) {
        (Some(outcome), _) => Standing::Ended {
            at: summary.completed_at.unwrap_or(summary.updated_at),
            failure: match outcome {
                Outcome::Completed(_) => None,
                Outcome::Failed(failure) => Some(failure.to_string()),
            },
        },
        (None, Status::Pending) => Standing::NotBegun {
            start_at: summary.start_at,
        },
        (None, _) => Standing::Waits,
    }
}

/// What else keeps an instance back that is suspended, so that to resume it is not enough.
fn add_what_follows_a_hold(explanation: &mut Explanation, summary: &Summary) {
    if !matches!(explanation.standing, Standing::Suspended { .. }) {
        return;
    }
    let early = summary
        .start_at
        .filter(|at| !summary.begun && *at > explanation.at);
    explanation.hints.extend(early.map(|at| {
        let at = told(at);
        format!("resumed before, its first turn runs at {at} or later all the same")
    }));
    explanation
        .hints
        .extend(summary.stalled.as_ref().map(|stalled| {
        let reason = stalled.reason;
        format!(
            "it is stalled too ({reason:?}), and gets another chance when it is resumed: {stalled}"
        )
    }));
}

/// What helps against a stall.
pub(super) fn remedy(reason: StallReason) -> &'static str {
    match reason {
        StallReason::Divergence => {
            "start a build whose code fits the history: bring back the old code, and register the change as a new version"
        }
        StallReason::Unregistered => {
            "start a build that has the function of that name and version, or put it into the engine's registry"
        }
        StallReason::Undecodable => {
            "start a build whose types read what is recorded: give new fields a default, keep old variants"
        }
        StallReason::ForeignFuture => {
            "start a build that awaits only what is durable, and does everything else in an activity"
        }
        StallReason::LimitExceeded => {
            "start a build that cuts the work into children, or goes on with `continue_as_new` in time"
        }
        StallReason::UnknownSemantics => {
            "start a build with the version of this library that wrote it, or a later one"
        }
        StallReason::Damaged => {
            "stop the engine and put a good copy of its file in place; the other instances go on meanwhile"
        }
        StallReason::Poisoned => {
            "start a build that does not end the process there; look for an abort, a stack overflow, too much memory"
        }
        StallReason::Endless => {
            "start a build without the loop that never waits, or the call that blocks; what takes long belongs in an activity"
        }
        StallReason::NonDeterministic => {
            "start a build whose code decides by what is recorded alone: `now`, `random`, `uuid`, side effects, activities"
        }
    }
}

fn add_commands(explanation: &mut Explanation, open: &OpenCommands<'_>, around: &dyn Around) {
    let room = WAITS_MAX.saturating_sub(explanation.waits.len());
    explanation.more = open.commands.len().saturating_sub(room);
    for (&id, command) in open.commands.iter().take(room) {
        let call = open.call_of(command);
        let Some(awaited) = awaited(id, command, call, around) else {
            continue;
        };
        let since = call.map_or(command.at, |call| call.since);
        let (place, source) = spot(command, around);
        explanation.waits.push(Wait {
            command: Some(id),
            within: within(command.site().map(|(_, site)| site), place.as_deref()),
            place,
            source,
            site: command.site().map(|(_, site)| site.0),
            since: since.into(),
            awaited,
        });
    }
}

/// Where a command was asked for, and what stood there.
fn spot(command: &Open<'_>, around: &dyn Around) -> (Option<String>, Option<String>) {
    let spot = (command.site()).and_then(|(build, site)| around.place(build, site));
    let Some(spot) = spot else {
        return (None, None);
    };
    match spot.split_once('\n') {
        Some((place, source)) => (Some(place.to_owned()), Some(source.trim().to_owned())),
        None => (Some(spot), None),
    }
}

/// What it is in, with lines if `place` is where this build has it.
fn within(site: Option<SiteId>, place: Option<&str>) -> Option<String> {
    let site = site_of(site?.0)?;
    let here = format!(":{}:{}", site.line(), site.column());
    site.told_within(place.is_some_and(|place| place.ends_with(&here)))
}

fn awaited(
    id: EventId,
    open: &Open<'_>,
    call: Option<&Call<'_>>,
    around: &dyn Around,
) -> Option<Awaited> {
    Some(match open.command {
        HistoryEvent::ActivityScheduled(command) => {
            Awaited::Activity(activity(command, open, call, around))
        }
        HistoryEvent::ChildScheduled(command) => Awaited::Instance(child(command, call, around)),
        HistoryEvent::TimerCreated(timer) => {
            delayed(timer, call).unwrap_or_else(|| Awaited::Timer(alone(timer)))
        }
        HistoryEvent::DetachedScheduled(command) => {
            let (instance, name) = (&command.instance, Some(&command.name));
            Awaited::Instance(other(OutcomeOf::Start, instance, name, around))
        }
        HistoryEvent::DetachedAwaited(command) => {
            Awaited::Instance(other(OutcomeOf::Detached, &command.instance, None, around))
        }
        _ => {
            debug_assert!(false, "command {id} is none that waits");
            return None;
        }
    })
}

fn activity(
    command: &ActivityScheduled,
    open: &Open<'_>,
    call: Option<&Call<'_>>,
    around: &dyn Around,
) -> ActivityWait {
    let (delivery, said) = around.delivery(command.id, &command.name);
    let recorded = |details: &Payload| Heartbeat {
        at: None,
        details: text(details),
    };
    ActivityWait {
        name: command.name.clone(),
        attempt: command.attempt,
        attempts_max: call.map_or(1, |call| call.attempts_max),
        delivery,
        last_error: call.and_then(last_error),
        heartbeat: said.or_else(|| open.heartbeat().map(recorded)),
        suspected: around.suspicion(Some(command.id)).map(suspected),
    }
}

fn child(command: &ChildScheduled, call: Option<&Call<'_>>, around: &dyn Around) -> InstanceWait {
    let name = Some(&command.name);
    InstanceWait {
        attempt: command.attempt,
        attempts_max: call.map_or(1, |call| call.attempts_max),
        last_error: call.and_then(last_error),
        ..other(OutcomeOf::Child, &command.instance, name, around)
    }
}

fn other(
    of: OutcomeOf,
    instance: &InstanceId,
    name: Option<&Name>,
    around: &dyn Around,
) -> InstanceWait {
    let (status, link) = around.instance(instance);
    InstanceWait {
        of,
        instance: instance.clone(),
        name: name.cloned(),
        attempt: 1,
        attempts_max: 1,
        delayed_until: None,
        last_error: None,
        status,
        link,
    }
}

/// The delay before the next attempt, told as the call that is attempted.
fn delayed(timer: &TimerCreated, call: Option<&Call<'_>>) -> Option<Awaited> {
    let call = call?;
    let until = timer.due.into();
    let attempt = call.attempt.saturating_add(1);
    let attempts_max = call.attempts_max;
    let last_error = last_error(call);
    Some(match call.what {
        Callee::Activity(name) => Awaited::Activity(ActivityWait {
            name: name.clone(),
            attempt,
            attempts_max,
            delivery: Delivery::Delayed { until },
            last_error,
            heartbeat: None,
            suspected: None,
        }),
        Callee::Child(name, instance) => Awaited::Instance(InstanceWait {
            of: OutcomeOf::Child,
            instance: instance.clone(),
            name: Some(name.clone()),
            attempt,
            attempts_max,
            delayed_until: Some(until),
            last_error,
            status: None,
            link: Link::NotFollowed,
        }),
    })
}

fn alone(timer: &TimerCreated) -> TimerWait {
    TimerWait {
        due: timer.due.into(),
        of: match timer.purpose {
            TimerPurpose::Sleep => TimerUse::Sleep,
            TimerPurpose::Deadline => TimerUse::Deadline,
            TimerPurpose::Retry(_) => TimerUse::Retry,
        },
    }
}

fn last_error(call: &Call<'_>) -> Option<String> {
    call.last_error.map(ToString::to_string)
}

/// A heartbeat's details as people read them.
pub(super) fn text(details: &Payload) -> String {
    String::from_utf8_lossy(details.bytes()).into_owned()
}

fn suspected(suspicion: Suspicion) -> Suspected {
    Suspected {
        deaths: suspicion.deaths,
        alone: suspicion.alone,
    }
}

/// The events that are awaited, those that are there, and which of these may have been meant.
fn add_events(
    explanation: &mut Explanation,
    replayed: Replayed,
    open: &OpenCommands<'_>,
    is_stalled: bool,
) {
    let mut buffered: Vec<Buffered> = Vec::new();
    let mut events = Vec::new();
    match replayed {
        Replayed::Awaits(awaited) => {
            buffered.extend(awaited.buffered.into_iter().map(Buffered::from));
            events = awaited.events;
        }
        Replayed::Refused(reason, report) => {
            let when = match explanation.standing {
                Standing::Suspended { .. } => "once it is resumed",
                _ => "as soon as something reaches it",
            };
            if !is_stalled {
                explanation.hints.push(format!(
                    "it stalls ({reason:?}) {when}, since this build does not fit what is recorded: {report}"
                ));
            }
        }
        Replayed::Not(why) if !why.is_empty() => explanation.hints.push(format!(
            "which external events it awaits is not told here: {why}"
        )),
        Replayed::Not(_) => {}
    }
    for &(name, at) in &open.raised {
        add_raised(&mut buffered, name, at.into());
    }
    for event in &events {
        let is_there = |there: &&Buffered| there.name.eq_ignore_ascii_case(&event.name);
        let nobody_awaits = |there: &&Buffered| {
            !events
                .iter()
                .any(|event| there.name.eq_ignore_ascii_case(&event.name))
        };
        let similar = if buffered.iter().any(|there| is_there(&there)) {
            None
        } else {
            let others = buffered.iter().filter(nobody_awaits);
            hint::nearest(&event.name, others.map(|there| &*there.name))
        };
        let similar = similar.map(|similar| Name::Owned(similar.to_owned()));
        explanation.waits.push(Wait {
            command: None,
            within: within(Some(event.site.id()), Some(&event.site.to_string())),
            place: Some(event.site.to_string()),
            source: event.site.text().map(|text| text.trim().to_owned()),
            site: Some(event.site.id().0),
            since: event.since.into(),
            awaited: Awaited::Event(EventWait {
                name: Name::Owned(event.name.clone()),
                similar,
            }),
        });
    }
    explanation.buffered = buffered;
}

fn add_raised(buffered: &mut Vec<Buffered>, name: &Name, oldest: SystemTime) {
    let there = buffered
        .iter_mut()
        .find(|there| there.name.eq_ignore_ascii_case(name));
    match there {
        Some(there) => there.count += 1,
        None => buffered.push(Buffered {
            name: name.clone(),
            count: 1,
            oldest,
        }),
    }
}

impl From<BufferedEvents> for Buffered {
    fn from(events: BufferedEvents) -> Self {
        Self {
            name: events.name,
            count: events.count,
            oldest: events.oldest.into(),
        }
    }
}

/// The moment so long ago.
pub(super) fn ago(now: Timestamp, duration: Duration) -> SystemTime {
    let now = SystemTime::from(now);
    now.checked_sub(duration).unwrap_or(now)
}
