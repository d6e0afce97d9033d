//! A small engine for tests: it takes turns, keeps the history, and checks at the end that it replays.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(super) use super::definitions::*;
use crate::clock::Timestamp;
use crate::event::{
    CancelRequested, Completed, DetachedStarted, EventRaised, ExecutionStarted, Failed, Fired,
    HistoryEvent, Name, Pending, REPLAY_SEMANTICS,
};
use crate::failure::{Failure, Fault, Outcome};
use crate::id::{BuildId, EventId, ExecutionId, InstanceId, InstanceKey, Sequence, StoreId};
use crate::payload::Payload;
use crate::replay::{Code, Execution, Identity, Length, Stall, Turn, TurnEnd};

pub(super) const IDENTITY: Identity = Identity {
    store: StoreId(7),
    key: InstanceKey(3),
    build: BuildId(1),
};

pub(super) const BEGIN: Timestamp = Timestamp(1_700_000_000_000);

/// Code from an `async` closure whose output is `Completed`.
pub(super) fn code<I, O, F>(body: impl Fn(I) -> F + Send + Sync + 'static) -> Code
where
    I: DeserializeOwned,
    O: Serialize,
    F: Future<Output = O> + 'static,
{
    Arc::new(move |input| {
        let body = body(input.decode()?);
        Ok(Box::pin(async move {
            Outcome::Completed(Payload::json(&body.await).unwrap())
        }))
    })
}

pub(super) fn started(input: &Value) -> ExecutionStarted {
    ExecutionStarted {
        at: BEGIN,
        instance: InstanceId::parse("order-42").unwrap(),
        execution: ExecutionId::FIRST,
        name: Name::Borrowed("flow"),
        version: None,
        input: Payload::json(input).unwrap(),
        parent: None,
        tags: [("tenant".to_owned(), "a".to_owned())].into(),
        trace: None,
        replay_semantics: REPLAY_SEMANTICS,
        request: None,
        start_at: None,
    }
}

/// One execution as an engine would drive it.
pub(super) struct World {
    pub(super) code: Code,
    pub(super) execution: Execution,
    pub(super) history: Vec<HistoryEvent>,
    pub(super) end: Option<TurnEnd>,
    pub(super) at: Timestamp,
}

impl World {
    /// Starts an execution with the input `null` and runs its first turn.
    pub(super) fn start(code: &Code) -> Self {
        Self::start_with(code, &Value::Null)
    }

    pub(super) fn start_with(code: &Code, input: &Value) -> Self {
        Self::start_as(code, None, input)
    }

    /// Starts an execution of this version.
    pub(super) fn start_as(code: &Code, version: Option<&str>, input: &Value) -> Self {
        Self::start_bounded(code, version, input, Length::MAX)
    }

    /// The same, of an execution whose history may not be longer than this.
    pub(super) fn start_at_most(code: &Code, most: Length) -> Self {
        Self::start_bounded(code, None, &Value::Null, most)
    }

    fn start_bounded(code: &Code, version: Option<&str>, input: &Value, most: Length) -> Self {
        let mut world = Self {
            code: Arc::clone(code),
            execution: Execution::new(IDENTITY, Arc::clone(code)).of_at_most(most),
            history: Vec::new(),
            end: None,
            at: BEGIN,
        };
        let mut started = started(input);
        started.version = version.map(str::to_owned);
        world.turn(vec![HistoryEvent::ExecutionStarted(Box::new(started))]);
        world
    }

    /// An execution that goes on from `history`.
    pub(super) fn resume(code: &Code, history: &[HistoryEvent]) -> Result<Self, Stall> {
        let mut execution = Execution::new(IDENTITY, Arc::clone(code));
        execution.replay(history)?;
        let at = last_turn_at(history).unwrap_or(BEGIN);
        Ok(Self {
            code: Arc::clone(code),
            execution,
            history: history.to_vec(),
            end: None,
            at,
        })
    }

    /// Runs a turn a second later; arrivals that nobody waits for are dropped, as the engine does.
    pub(super) fn turn(&mut self, arrivals: Vec<HistoryEvent>) -> Turn {
        self.at = Timestamp(self.at.0 + 1_000);
        let accepted = arrivals
            .into_iter()
            .filter(|arrival| self.execution.accepts(arrival))
            .collect();
        let turn = self.execution.turn(self.at, accepted);
        assert_eq!(
            turn.first,
            Sequence(u32::try_from(self.history.len()).unwrap())
        );
        self.history.extend(turn.events.iter().cloned());
        assert_eq!(length(self.execution.next()), self.history.len());
        self.end = match &turn.end {
            TurnEnd::Waiting => None,
            TurnEnd::Stalled => Some(TurnEnd::Stalled),
            TurnEnd::Completed { abandoned } => Some(TurnEnd::Completed {
                abandoned: abandoned.clone(),
            }),
            TurnEnd::Continued {
                abandoned,
                next,
                carried,
            } => Some(TurnEnd::Continued {
                abandoned: abandoned.clone(),
                next: next.clone(),
                carried: carried.clone(),
            }),
        };
        turn
    }

    pub(super) fn complete(&mut self, id: u32, output: impl Serialize) -> Turn {
        let arrival = self.completed(id, output);
        self.turn(vec![arrival])
    }

    pub(super) fn fail(&mut self, id: u32, failure: Failure) -> Turn {
        let arrival = self.failed(id, failure);
        self.turn(vec![arrival])
    }

    pub(super) fn fire(&mut self, id: u32) -> Turn {
        let arrival = self.fired(id);
        self.turn(vec![arrival])
    }

    pub(super) fn raise(&mut self, name: &'static str, payload: impl Serialize) -> Turn {
        let arrival = self.raised(name, payload);
        self.turn(vec![arrival])
    }

    pub(super) fn completed(&self, id: u32, output: impl Serialize) -> HistoryEvent {
        HistoryEvent::ActivityCompleted(Completed {
            scheduled: EventId(id),
            at: self.at,
            output: Payload::json(&output).unwrap(),
        })
    }

    pub(super) fn failed(&self, id: u32, failure: Failure) -> HistoryEvent {
        HistoryEvent::ActivityFailed(Failed {
            scheduled: EventId(id),
            at: self.at,
            failure,
        })
    }

    pub(super) fn child_completed(&self, id: u32, output: impl Serialize) -> HistoryEvent {
        HistoryEvent::ChildCompleted(Completed {
            scheduled: EventId(id),
            at: self.at,
            output: Payload::json(&output).unwrap(),
        })
    }

    pub(super) fn child_failed(&self, id: u32, failure: Failure) -> HistoryEvent {
        HistoryEvent::ChildFailed(Failed {
            scheduled: EventId(id),
            at: self.at,
            failure,
        })
    }

    /// The answer of the commit that holds a detached start.
    pub(super) fn detached_started(&self, id: u32) -> HistoryEvent {
        HistoryEvent::DetachedStarted(DetachedStarted {
            scheduled: EventId(id),
            at: self.at,
            was_there: false,
        })
    }

    pub(super) fn detached_refused(&self, id: u32, failure: Failure) -> HistoryEvent {
        HistoryEvent::DetachedRefused(Failed {
            scheduled: EventId(id),
            at: self.at,
            failure,
        })
    }

    pub(super) fn detached_completed(&self, id: u32, output: impl Serialize) -> HistoryEvent {
        HistoryEvent::DetachedCompleted(Completed {
            scheduled: EventId(id),
            at: self.at,
            output: Payload::json(&output).unwrap(),
        })
    }

    pub(super) fn detached_failed(&self, id: u32, failure: Failure) -> HistoryEvent {
        HistoryEvent::DetachedFailed(Failed {
            scheduled: EventId(id),
            at: self.at,
            failure,
        })
    }

    pub(super) fn fired(&self, id: u32) -> HistoryEvent {
        HistoryEvent::TimerFired(Fired {
            scheduled: EventId(id),
            at: self.at,
        })
    }

    pub(super) fn raised(&self, name: &'static str, payload: impl Serialize) -> HistoryEvent {
        HistoryEvent::EventRaised(EventRaised {
            at: self.at,
            name: Name::Borrowed(name),
            payload: Payload::json(&payload).unwrap(),
            event: None,
        })
    }

    pub(super) fn cancel_requested(&self) -> HistoryEvent {
        HistoryEvent::CancelRequested(CancelRequested {
            at: self.at,
            reason: "the parent no longer waits".to_owned(),
        })
    }

    pub(super) fn cancel(&mut self) -> Turn {
        let arrival = self.cancel_requested();
        self.turn(vec![arrival])
    }

    /// What the execution returned; also checks that its history replays.
    pub(super) fn output(&self) -> Value {
        match self.outcome() {
            Outcome::Completed(output) => output.decode().unwrap(),
            Outcome::Failed(failure) => panic!("failed: {failure}"),
        }
    }

    /// As [`output`](Self::output), in a test whose history is too long to be checked turn by turn.
    pub(super) fn unchecked_output(&self) -> Value {
        match self.unchecked_outcome() {
            Outcome::Completed(output) => output.decode().unwrap(),
            Outcome::Failed(failure) => panic!("failed: {failure}"),
        }
    }

    /// The fault that ended the execution; also checks that its history replays.
    pub(super) fn fault(&self) -> Fault {
        match self.outcome() {
            Outcome::Failed(Failure::Fault(fault)) => fault,
            outcome => panic!("no fault: {outcome:?}"),
        }
    }

    fn outcome(&self) -> Outcome {
        self.check();
        self.unchecked_outcome()
    }

    /// How the execution ended, in a test whose code changed on the way.
    fn unchecked_outcome(&self) -> Outcome {
        match self.history.last() {
            Some(HistoryEvent::ExecutionCompleted(completed)) => completed.outcome.clone(),
            event => panic!("not ended: {event:?}"),
        }
    }

    /// Checks that the history replays.
    pub(super) fn check(&self) {
        check_replays(&self.history, &self.code);
    }

    /// The last turn, from its arrivals' end on.
    fn last_turn(&self) -> &[HistoryEvent] {
        let is_begin = |event: &HistoryEvent| matches!(event, HistoryEvent::TurnStarted(_));
        let begin = self.history.iter().rposition(is_begin).unwrap();
        &self.history[begin..]
    }

    /// The kinds of command of the last turn.
    pub(super) fn asked(&self) -> Vec<String> {
        let commands = self.last_turn().iter().filter(|event| is_command(event));
        kinds(&commands.cloned().collect::<Vec<_>>())
    }

    /// What the last turn cancelled.
    pub(super) fn cancelled(&self) -> Vec<Pending> {
        let last = self.last_turn().iter();
        last.filter_map(|event| match event {
            HistoryEvent::Cancelled(cancelled) => Some(cancelled.pending),
            _ => None,
        })
        .collect()
    }

    /// The commands of the whole history.
    pub(super) fn commands(&self) -> Vec<&HistoryEvent> {
        let commands = self.history.iter().filter(|event| is_command(event));
        commands.collect()
    }
}

fn length(next: Sequence) -> usize {
    usize::try_from(next.0).unwrap()
}

pub(super) fn is_command(event: &HistoryEvent) -> bool {
    matches!(
        event,
        HistoryEvent::ActivityScheduled(_)
            | HistoryEvent::TimerCreated(_)
            | HistoryEvent::ChildScheduled(_)
            | HistoryEvent::MarkerRecorded(_)
            | HistoryEvent::DetachedScheduled(_)
            | HistoryEvent::DetachedAwaited(_)
            | HistoryEvent::EventSent(_)
            | HistoryEvent::ChangeRecorded(_)
    )
}

fn last_turn_at(history: &[HistoryEvent]) -> Option<Timestamp> {
    history.iter().rev().find_map(|event| match event {
        HistoryEvent::TurnStarted(turn) => Some(turn.at),
        _ => None,
    })
}

/// Where each turn begins (its first arrival), where its arrivals end, and where it ends.
fn turns(history: &[HistoryEvent]) -> Vec<(usize, usize, usize)> {
    let mut turns = Vec::new();
    let mut begin = 0;
    let mut started = None;
    for (index, event) in history.iter().enumerate() {
        let is_head = matches!(
            event,
            HistoryEvent::TurnStarted(_) | HistoryEvent::ExecutionStalled(_)
        );
        if let Some(head) = started
            && (event.is_arrival() || is_head)
        {
            turns.push((begin, head, index));
            (begin, started) = (index, None);
        }
        if matches!(event, HistoryEvent::TurnStarted(_)) {
            started = Some(index);
        }
    }
    turns.extend(started.map(|head| (begin, head, history.len())));
    turns
}

/// Replays a history whole, then turn by turn as a twin is fed, which compares everything, then from each turn on: there the turn is run live
/// with the recorded arrivals at the recorded time, and must record the same.
pub(super) fn check_replays(history: &[HistoryEvent], code: &Code) {
    match World::resume(code, history) {
        Ok(world) => assert_eq!(length(world.execution.next()), history.len()),
        Err(stall) => panic!("replay stalls: {}", stall.report),
    }
    // What a rewind made void is known from the whole only.
    let is_rewind = |event: &HistoryEvent| matches!(event, HistoryEvent::ExecutionRewound(_));
    if history.iter().any(is_rewind) {
        return;
    }
    let mut twin = Execution::new(IDENTITY, Arc::clone(code)).into_twin(Sequence(0));
    for (begin, head, end) in turns(history) {
        let mut execution = Execution::new(IDENTITY, Arc::clone(code));
        execution.replay(&history[..begin]).unwrap();
        let stalls = history[begin..head]
            .iter()
            .any(|event| matches!(event, HistoryEvent::ExecutionStalled(_)));
        let HistoryEvent::TurnStarted(turn) = &history[head] else {
            panic!("no turn");
        };
        if !stalls {
            let again = execution.turn(turn.at, history[begin..head].to_vec());
            assert_eq!(again.events, history[begin..end], "turn at {head}");
        }
        twin.replay(&history[begin..end]).unwrap();
    }
}

/// The names of the kinds of events.
pub(super) fn kinds(events: &[HistoryEvent]) -> Vec<String> {
    let name = |event: &dyn Debug| {
        let text = format!("{event:?}");
        text.split(['(', ' ', '{'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    events.iter().map(|event| name(event)).collect()
}

/// A two-way select: the first branch that is ready in written order, the other dropped with the future.
pub(super) async fn race<A, B>(a: A, b: B) -> Result<A::Output, B::Output>
where
    A: Future,
    B: Future,
{
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let mut group = crate::orchestration::group::Group::new(2);
    std::future::poll_fn(move |cx| {
        let mut winner = std::task::Poll::Pending;
        group.poll_children(&mut |index| {
            winner = match index {
                0 => a.as_mut().poll(cx).map(Ok),
                _ => b.as_mut().poll(cx).map(Err),
            };
            match winner {
                std::task::Poll::Ready(_) => std::ops::ControlFlow::Break(()),
                std::task::Poll::Pending => std::ops::ControlFlow::Continue(()),
            }
        });
        winner
    })
    .await
}
