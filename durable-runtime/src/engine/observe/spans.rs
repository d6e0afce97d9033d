//! Spans, with the names and attributes of Durable Task, through `tracing`.
//!
//! Names of `tracing` spans are fixed, so the name that people see is in the field `otel.name`, as bridges to OpenTelemetry
//! read it. Ids are derived ([`Lineage`]), and fields too: the same in every process, and nothing is recorded for them.
//!
//! What lasts longer than a process cannot be a span that is open all the while. So the spans of an execution are *told*, with
//! their begin and end as fields, once it has ended: they follow from its history alone. Only what is one piece in time is
//! open while it runs: the body of an activity, a turn.

use tracing::Span;

use super::told::{Kind, Told, What, spans_of};
use crate::clock::Timestamp;
use crate::engine::hub::Hub;
use crate::engine::live::Live;
use crate::engine::message::Task;
use crate::engine::revive::Reviver;
use crate::event::{ExecutionStarted, Name};
use crate::failure::Outcome;
use crate::id::{ExecutionId, InstanceId, InstanceKey, StoreId};
use crate::trace::{Lineage, TraceContext};

/// Spans that are told when all of them is known.
const SPAN: &str = "durable_runtime::span";
/// The spans in which bodies of activities run.
const ACTIVITY: &str = "durable_runtime::activity";
/// The spans in which turns of orchestrators run.
const TURN: &str = "durable_runtime::turn";

/// The span of a turn: a line that its code logs says whose it is.
pub(crate) fn turn(live: &Live) -> Span {
    let begun = &live.begun;
    tracing::info_span!(
        target: TURN,
        "turn",
        instance = %begun.instance,
        orchestrator = %begun.name,
        version = begun.version.as_deref(),
        execution = begun.execution.0,
    )
}

/// The span of one delivery of an attempt, in which its body runs.
pub(crate) fn activity(store: StoreId, task: &Task) -> Span {
    if !tracing::span_enabled!(target: ACTIVITY, tracing::Level::INFO) {
        return Span::none();
    }
    let (command, scheduled) = (task.command, &task.scheduled);
    let lineage = Lineage::new(
        store,
        command.instance,
        command.execution,
        task.trace.clone(),
    );
    let context = lineage.attempt(command.scheduled, task.delivery);
    let parent = lineage.command(command.scheduled).span_id();
    tracing::info_span!(
        target: ACTIVITY,
        "activity",
        otel.name = format_args!("activity:{}", scheduled.name),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        otel.status_description = tracing::field::Empty,
        trace_id = format_args!("{:032x}", context.trace_id()),
        span_id = format_args!("{:016x}", context.span_id()),
        parent_span_id = format_args!("{parent:016x}"),
        durabletask.r#type = "activity",
        durabletask.task.name = %scheduled.name,
        durabletask.task.instance_id = %task.instance,
        durabletask.task.execution_id = command.execution.0,
        durabletask.task.task_id = command.scheduled.0,
        attempt = scheduled.attempt,
        delivery = task.delivery,
    )
}

/// Notes in the span of an attempt how it has ended.
pub(crate) fn activity_ended(span: &Span, outcome: &Outcome) {
    match outcome {
        Outcome::Completed(_) => {
            span.record("otel.status_code", "OK");
        }
        Outcome::Failed(failure) => {
            span.record("otel.status_code", "ERROR");
            span.record("otel.status_description", tracing::field::display(failure));
        }
    }
}

/// Tells the spans of an execution whose end is on disk.
///
/// They are told once, by the process that saw the end; if it dies between that commit and this, never.
pub(crate) fn ended(reviver: &Reviver, ended: Option<&Live>) {
    if let Some(live) = ended.filter(|_| is_wanted()) {
        let trace = live.begun.trace.as_deref().cloned();
        tell_all(reviver, live.key, live.begun.execution, trace);
    }
}

/// The same of an instance that was terminated, whether it was in memory or not.
///
/// Of one that was replaced in the same commit nothing is left to tell.
pub(crate) fn terminated(reviver: &Reviver, key: InstanceKey) {
    if !is_wanted() {
        return;
    }
    // If its row cannot be read, neither can its history.
    if let Some(summary) = reviver.reader.shared_summary(key).ok().flatten() {
        tell_all(reviver, key, summary.execution, summary.trace.clone());
    }
}

/// Tells the spans of an execution.
fn tell_all(
    reviver: &Reviver,
    key: InstanceKey,
    execution: ExecutionId,
    trace: Option<TraceContext>,
) {
    match reviver.reader.history(key, execution) {
        Ok(history) => {
            let lineage = Lineage::new(reviver.store, key, execution, trace);
            spans_of(&lineage, &history).iter().for_each(tell);
        }
        Err(error) => {
            tracing::warn!(instance = key.0, %error, "the spans of an execution cannot be told");
        }
    }
}

/// What is kept of a start that a client asks for until it is answered, if anybody wants to hear of it.
pub(crate) struct Asked {
    started: ExecutionStarted,
    parent: Option<u64>,
    from: Timestamp,
}

/// A client asks for this start, being in the trace context `given`.
pub(crate) fn asked(
    hub: &Hub,
    started: &ExecutionStarted,
    given: Option<&TraceContext>,
) -> Option<Asked> {
    is_wanted().then(|| Asked {
        started: started.clone(),
        parent: given.map(TraceContext::span_id),
        from: hub.clock.now(),
    })
}

impl Asked {
    /// Tells that the instance was created.
    pub(crate) fn created(self, hub: &Hub, key: InstanceKey) {
        let Self {
            started,
            parent,
            from,
        } = self;
        let (store, trace) = (hub.reviver.store, started.trace.clone());
        let lineage = Lineage::new(store, key, started.execution, trace);
        let time = (from, hub.clock.now());
        tell(&Told::creation(&lineage, &started, parent, time));
    }
}

/// What is kept of an event that a client raises until that is answered, if anybody wants to hear of it.
pub(crate) struct Raising {
    event: Name,
    caller: Option<TraceContext>,
}

/// A client raises this event, being in the trace context `caller`.
pub(crate) fn raising(event: &Name, caller: Option<TraceContext>) -> Option<Raising> {
    is_wanted().then(|| Raising {
        event: event.clone(),
        caller,
    })
}

impl Raising {
    /// Tells of the event, which is on disk: in the trace of whoever raised it, or else in that of the instance.
    pub(crate) fn raised(self, hub: &Hub, to: &InstanceId, key: InstanceKey) {
        let Self { event, caller } = self;
        let chance = hub.entropy.bits();
        let context = match &caller {
            Some(caller) => Some(caller.beside(chance)),
            None => trace_of(hub, key).map(|own| own.beside(chance)),
        };
        // A span without its trace is worth nothing, and no reason for the raise to fail.
        if let Some(context) = context {
            let parent = caller.map(|caller| caller.span_id());
            tell(&Told {
                parent,
                ..Told::raised(context, to, &event, hub.clock.now())
            });
        }
    }
}

/// The context of the current execution of an instance, as far as it can be read.
fn trace_of(hub: &Hub, key: InstanceKey) -> Option<TraceContext> {
    let summary = hub.reviver.reader.shared_summary(key).ok().flatten()?;
    let (store, trace) = (hub.reviver.store, summary.trace.clone());
    Some(Lineage::new(store, key, summary.execution, trace).own())
}

fn is_wanted() -> bool {
    tracing::span_enabled!(target: SPAN, tracing::Level::INFO)
}

/// One span of each name, which is fixed.
macro_rules! told {
    ($name:literal, $told:expr) => {{
        let told: &Told = $told;
        tracing::info_span!(
            target: SPAN,
            $name,
            otel.name = told.name,
            otel.kind = told.kind.as_str(),
            otel.status_code = told.status_code(),
            otel.status_description = told.error,
            trace_id = format_args!("{:032x}", told.context.trace_id()),
            span_id = format_args!("{:016x}", told.context.span_id()),
            parent_span_id = told.parent.map(|span| tracing::field::display(format!("{span:016x}"))),
            tracestate = told.context.tracestate(),
            start_unix_ms = told.from.0,
            end_unix_ms = told.to.0,
            durabletask.r#type = told.what.as_str(),
            durabletask.task.name = told.task,
            durabletask.task.version = told.version,
            durabletask.task.instance_id = told.instance,
            durabletask.task.execution_id = told.execution,
            durabletask.task.task_id = told.id,
            durabletask.task.status = told.status,
            durabletask.event.name = told.event,
            durabletask.event.target_instance_id = told.target,
            durabletask.fire_at = told.due,
        )
    }};
}

/// A span that is over as soon as it is told.
fn tell(span: &Told) {
    let told = match (span.what, span.kind) {
        (What::Orchestration, Kind::Producer) => told!("create_orchestration", span),
        (What::Orchestration, _) => told!("orchestration", span),
        (What::Activity, _) => told!("activity", span),
        (What::Timer, _) => told!("timer", span),
        (What::Event, _) => told!("orchestration_event", span),
    };
    drop(told.entered());
}
