//! Every metric that an engine keeps: its name, unit and labels, in one place, and the handles through which it is counted.
//!
//! They go through the facade of the `metrics` crate, to whichever recorder the program has installed when it opens the engine;
//! without one, each costs a look at an empty handle. Labels name functions of the program, outcomes and reasons, so that
//! there are never more series than functions: no id is one.
//!
//! `docs/observability.md` has the same table; a test compares the two.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, Unit};

use crate::clock::Clock;
use crate::event::StallReason;
use crate::failure::{Failure, Outcome};

/// One metric, as a program's recorder is told of it.
struct Metric {
    name: &'static str,
    kind: Kind,
    unit: Unit,
    labels: &'static [&'static str],
    help: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Declares each metric once: a constant, and its place in the list of all.
macro_rules! metrics {
    ($($CONST:ident: $kind:ident $name:literal $unit:ident [$($label:literal),*] $help:literal;)*) => {
        $(const $CONST: Metric = Metric {
            name: $name,
            kind: Kind::$kind,
            unit: Unit::$unit,
            labels: &[$($label),*],
            help: $help,
        };)*
        const ALL: &[&Metric] = &[$(&$CONST),*];
    };
}

metrics! {
    STARTS: Counter "durable_starts_total" Count ["orchestrator"]
        "instances that were created: by a client, also again, as a child, or detached";
    COMPLETIONS: Counter "durable_completions_total" Count ["orchestrator", "status"]
        "executions that ended; `status` is `completed`, `failed`, `continued` or `terminated`";
    REWINDS: Counter "durable_rewinds_total" Count ["orchestrator"]
        "instances that had failed and were rewound, children with their parents";
    PURGES: Counter "durable_purges_total" Count ["orchestrator"]
        "instances that were removed, by a client or since their time had come";
    STALLS: Counter "durable_stalls_total" Count ["orchestrator", "reason"]
        "instances that stalled; `reason` is that of the stall";
    TURNS: Counter "durable_turns_total" Count ["orchestrator"]
        "turns whose code was run";
    TURN_SECONDS: Histogram "durable_turn_duration_seconds" Seconds ["orchestrator"]
        "how long the code of a turn ran";
    REPLAYS: Counter "durable_replays_total" Count ["orchestrator"]
        "instances that came back into memory by replay";
    REPLAY_SECONDS: Histogram "durable_replay_duration_seconds" Seconds ["orchestrator"]
        "how long it took to bring one back";
    EVICTIONS: Counter "durable_evictions_total" Count []
        "idle instances that were dropped from memory to keep to the budget";
    LIVE: Gauge "durable_live_instances" Count []
        "instances in memory";
    ATTEMPTS: Counter "durable_activity_attempts_total" Count ["activity", "outcome"]
        "attempts of activities that ended; `outcome` is `completed`, `failed` or `fault`";
    ATTEMPT_SECONDS: Histogram "durable_activity_duration_seconds" Seconds ["activity"]
        "how long an attempt ran";
    WAIT_SECONDS: Histogram "durable_activity_wait_seconds" Seconds ["activity"]
        "how long an attempt waited for a place";
    RUNNING: Gauge "durable_activities_running" Count []
        "attempts of activities that have a place";
    WAITING: Gauge "durable_activities_waiting" Count []
        "attempts of activities that wait for a place";
    COMMITS: Counter "durable_commits_total" Count []
        "commits that recorded something, fold commits left out";
    COMMIT_SECONDS: Histogram "durable_commit_duration_seconds" Seconds []
        "how long a commit took, the wait for the disk included";
    BATCH: Histogram "durable_commit_batch_size" Count []
        "turns, starts and marks in one commit";
    EVENTS: Counter "durable_events_raised_total" Count []
        "external events that were recorded";
    TIMERS: Counter "durable_timers_fired_total" Count []
        "durable timers that fired";
    TIMER_LAG: Histogram "durable_timer_lag_seconds" Seconds []
        "how long after it was due a durable timer fired";
}

/// The label of a function that is not registered.
const UNREGISTERED: &str = "(unregistered)";

/// The handles of an engine's metrics.
pub(crate) struct Meters {
    clock: Arc<dyn Clock>,
    orchestrators: HashMap<Box<str>, OrchestratorMeters>,
    other_orchestrators: OrchestratorMeters,
    activities: HashMap<Box<str>, ActivityMeters>,
    other_activities: ActivityMeters,
    pub(super) events: Counter,
    evictions: Counter,
    live: Gauge,
    running: Gauge,
    waiting: Gauge,
    commits: Counter,
    commit_seconds: Histogram,
    batch: Histogram,
    timers: Counter,
    timer_lag: Histogram,
}

/// What is counted for one orchestrator.
pub(super) struct OrchestratorMeters {
    pub(super) starts: Counter,
    pub(super) completed: Counter,
    pub(super) failed: Counter,
    pub(super) continued: Counter,
    pub(super) terminated: Counter,
    pub(super) rewinds: Counter,
    pub(super) purges: Counter,
    turns: Counter,
    turn_seconds: Histogram,
    replays: Counter,
    replay_seconds: Histogram,
}

/// What is counted for one activity.
struct ActivityMeters {
    completed: Counter,
    failed: Counter,
    faults: Counter,
    seconds: Histogram,
    wait_seconds: Histogram,
}

impl Meters {
    /// Tells the recorder that is installed of all metrics, and takes its handles for functions of these names.
    pub(crate) fn new<'n>(
        clock: Arc<dyn Clock>,
        orchestrators: impl Iterator<Item = &'n str>,
        activities: impl Iterator<Item = &'n str>,
    ) -> Self {
        metrics::with_recorder(|recorder| {
            describe(recorder);
            Self {
                clock,
                orchestrators: orchestrators
                    .map(|name| (name.into(), OrchestratorMeters::new(recorder, name)))
                    .collect(),
                other_orchestrators: OrchestratorMeters::new(recorder, UNREGISTERED),
                activities: activities
                    .map(|name| (name.into(), ActivityMeters::new(recorder, name)))
                    .collect(),
                other_activities: ActivityMeters::new(recorder, UNREGISTERED),
                events: counter(recorder, &EVENTS, []),
                evictions: counter(recorder, &EVICTIONS, []),
                live: gauge(recorder, &LIVE),
                running: gauge(recorder, &RUNNING),
                waiting: gauge(recorder, &WAITING),
                commits: counter(recorder, &COMMITS, []),
                commit_seconds: histogram(recorder, &COMMIT_SECONDS, []),
                batch: histogram(recorder, &BATCH, []),
                timers: counter(recorder, &TIMERS, []),
                timer_lag: histogram(recorder, &TIMER_LAG, []),
            }
        })
    }

    /// A moment from which to measure.
    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    fn since(&self, begun: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(begun)
    }

    pub(super) fn orchestrator(&self, name: &str) -> &OrchestratorMeters {
        (self.orchestrators.get(name)).unwrap_or(&self.other_orchestrators)
    }

    fn activity(&self, name: &str) -> &ActivityMeters {
        (self.activities.get(name)).unwrap_or(&self.other_activities)
    }

    /// A turn was run that began then.
    pub(crate) fn turn(&self, orchestrator: &str, begun: Duration) {
        let meters = self.orchestrator(orchestrator);
        meters.turns.increment(1);
        meters.turn_seconds.record(self.since(begun));
    }

    /// An instance was brought back, which began then.
    pub(crate) fn replay(&self, orchestrator: &str, begun: Duration) {
        let meters = self.orchestrator(orchestrator);
        meters.replays.increment(1);
        meters.replay_seconds.record(self.since(begun));
    }

    /// Where a stall is counted. It is rare enough to ask the recorder each time.
    pub(super) fn stalls(&self, orchestrator: &str, reason: StallReason) -> Counter {
        let is_known = self.orchestrators.contains_key(orchestrator);
        let name = if is_known { orchestrator } else { UNREGISTERED };
        metrics::with_recorder(|recorder| counter(recorder, &STALLS, [name, stall_name(reason)]))
    }

    /// So many instances were dropped from memory.
    pub(crate) fn evicted(&self, count: u64) {
        self.evictions.increment(count);
    }

    /// How many instances a shard has in memory, and had when it last said so.
    pub(crate) fn live(&self, now: usize, before: usize) {
        if now != before {
            self.live.increment(whole(now) - whole(before));
        }
    }

    /// How many attempts run, and wait.
    pub(crate) fn activities(&self, running: usize, waiting: usize) {
        self.running.set(whole(running));
        self.waiting.set(whole(waiting));
    }

    /// An attempt has got a place for which it waited so long.
    pub(crate) fn attempt_began(&self, activity: &str, waited: Duration) {
        self.activity(activity).wait_seconds.record(waited);
    }

    /// An attempt has ended after so long.
    pub(crate) fn attempt_ended(&self, activity: &str, ran: Duration, outcome: &Outcome) {
        let meters = self.activity(activity);
        let counter = match outcome {
            Outcome::Completed(_) => &meters.completed,
            Outcome::Failed(Failure::Returned(_)) => &meters.failed,
            Outcome::Failed(Failure::Fault(_)) => &meters.faults,
        };
        counter.increment(1);
        meters.seconds.record(ran);
    }

    /// So many submissions were recorded by a commit that began then.
    pub(crate) fn commit(&self, submissions: usize, begun: Duration) {
        self.commits.increment(1);
        self.commit_seconds.record(self.since(begun));
        self.batch.record(whole(submissions));
    }

    /// A durable timer has fired so long after it was due.
    pub(crate) fn timer(&self, lag: Duration) {
        self.timers.increment(1);
        self.timer_lag.record(lag);
    }
}

impl OrchestratorMeters {
    fn new(recorder: &dyn Recorder, name: &str) -> Self {
        let ended = |status| counter(recorder, &COMPLETIONS, [name, status]);
        Self {
            starts: counter(recorder, &STARTS, [name]),
            completed: ended("completed"),
            failed: ended("failed"),
            continued: ended("continued"),
            terminated: ended("terminated"),
            rewinds: counter(recorder, &REWINDS, [name]),
            purges: counter(recorder, &PURGES, [name]),
            turns: counter(recorder, &TURNS, [name]),
            turn_seconds: histogram(recorder, &TURN_SECONDS, [name]),
            replays: counter(recorder, &REPLAYS, [name]),
            replay_seconds: histogram(recorder, &REPLAY_SECONDS, [name]),
        }
    }
}

impl ActivityMeters {
    fn new(recorder: &dyn Recorder, name: &str) -> Self {
        let ended = |outcome| counter(recorder, &ATTEMPTS, [name, outcome]);
        Self {
            completed: ended("completed"),
            failed: ended("failed"),
            faults: ended("fault"),
            seconds: histogram(recorder, &ATTEMPT_SECONDS, [name]),
            wait_seconds: histogram(recorder, &WAIT_SECONDS, [name]),
        }
    }
}

fn describe(recorder: &dyn Recorder) {
    for metric in ALL {
        let (name, unit) = (metric.name.into(), Some(metric.unit));
        match metric.kind {
            Kind::Counter => recorder.describe_counter(name, unit, metric.help.into()),
            Kind::Gauge => recorder.describe_gauge(name, unit, metric.help.into()),
            Kind::Histogram => recorder.describe_histogram(name, unit, metric.help.into()),
        }
    }
}

const METADATA: Metadata<'_> = Metadata::new("durable_runtime", Level::INFO, None);

fn key<const N: usize>(metric: &Metric, values: [&str; N]) -> Key {
    let labels = metric.labels.iter().zip(values);
    let labels = labels.map(|(label, value)| Label::new(*label, value.to_owned()));
    Key::from_parts(metric.name, labels.collect::<Vec<_>>())
}

fn counter<const N: usize>(recorder: &dyn Recorder, metric: &Metric, values: [&str; N]) -> Counter {
    recorder.register_counter(&key(metric, values), &METADATA)
}

fn gauge(recorder: &dyn Recorder, metric: &Metric) -> Gauge {
    recorder.register_gauge(&key(metric, []), &METADATA)
}

fn histogram<const N: usize>(
    recorder: &dyn Recorder,
    metric: &Metric,
    values: [&str; N],
) -> Histogram {
    recorder.register_histogram(&key(metric, values), &METADATA)
}

/// A count as the facade takes it.
fn whole(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// The reason of a stall, as a label.
fn stall_name(reason: StallReason) -> &'static str {
    match reason {
        StallReason::Divergence => "divergence",
        StallReason::Unregistered => "unregistered",
        StallReason::Undecodable => "undecodable",
        StallReason::ForeignFuture => "foreign_future",
        StallReason::LimitExceeded => "limit_exceeded",
        StallReason::UnknownSemantics => "unknown_semantics",
        StallReason::Damaged => "damaged",
        StallReason::Poisoned => "poisoned",
        StallReason::Endless => "endless",
        StallReason::NonDeterministic => "non_deterministic",
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table for people says what a recorder is told, line by line.
    #[test]
    fn the_table_in_the_docs_is_that_of_the_code() {
        let document = include_str!("../../../../docs/observability.md");
        let lines = document.lines();
        let lines = lines.filter(|line| line.starts_with("| `durable_") && !line.contains("::"));
        let expected = ALL.iter().map(|metric| {
            let unit = match metric.unit {
                Unit::Seconds => "seconds",
                _ => "",
            };
            let labels = metric.labels.iter().map(|label| format!("`{label}`"));
            let labels = labels.collect::<Vec<_>>().join(", ");
            let kind = format!("{:?}", metric.kind).to_lowercase();
            let cells = [
                format!("`{}`", metric.name),
                kind,
                unit.into(),
                labels,
                metric.help.into(),
            ];
            let cells = cells.map(|cell| {
                if cell.is_empty() {
                    " ".to_owned()
                } else {
                    format!(" {cell} ")
                }
            });
            format!("|{}|", cells.join("|"))
        });
        assert_eq!(
            lines.collect::<Vec<_>>().join("\n"),
            expected.collect::<Vec<_>>().join("\n")
        );
    }
}
