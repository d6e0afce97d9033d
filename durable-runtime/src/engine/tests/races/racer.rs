//! One race: the instance, and whoever does something to it.

use serde_json::{Value, json};
use tokio::sync::oneshot::Receiver;

use super::model::{Answer, Seen};
use super::moves::{Case, Move};
use super::story::event_name;
use crate::clock::Timestamp;
use crate::engine::message::{
    Buried, CommandRef, Control, Controlled, Delivered, Incoming, Left, Purge, Reach, Reply,
    ShardInput, Submission, TimerRef, Wish,
};
use crate::engine::tests::boundaries::Life;
use crate::event::{Ended, EventRaised, Fired, HistoryEvent};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::{EventId, ExecutionId, InstanceId, InstanceKey};
use crate::payload::Payload;

/// An instance, and what is done to it.
pub(super) struct Racer {
    pub(super) case: Case,
    pub(super) id: InstanceId,
    pub(super) key: InstanceKey,
    activity: EventId,
    timer: EventId,
    child: Option<InstanceKey>,
    /// The end of its child, on its way.
    pub(super) child_end: Option<HistoryEvent>,
    asked: Vec<Asked>,
}

/// What became of a move so far.
enum Asked {
    NotYet,
    Delivery(Receiver<Delivered>),
    Control(Receiver<Controlled>),
    Purge(Receiver<Buried>),
    Answered(Answer),
}

impl Racer {
    /// The race whose instance has this id. If it has not had its first turn, nothing but events is on its way.
    pub(super) fn find(life: &Life, id: &str, case: Case) -> Self {
        let reader = &life.hub.reviver.reader;
        let id = InstanceId::parse(id).unwrap();
        let key = reader.find(&id).unwrap().unwrap();
        let (mut activity, mut timer, mut child) = (None, None, None);
        for event in reader.history(key, ExecutionId::FIRST).unwrap() {
            match event {
                HistoryEvent::ActivityScheduled(command) => activity = Some(command.id),
                HistoryEvent::TimerCreated(command) => timer = Some(command.id),
                HistoryEvent::ChildScheduled(command) => {
                    child = reader.find(&command.instance).unwrap();
                }
                _ => {}
            }
        }
        let asked = case.moves().iter().map(|_| Asked::NotYet).collect();
        Self {
            case,
            id,
            key,
            activity: activity.unwrap_or(EventId(0)),
            timer: timer.unwrap_or(EventId(1)),
            child,
            child_end: None,
            asked,
        }
    }

    /// Has its child come to its end, if that is one of its moves.
    pub(super) fn end_child(&self, life: &Life) {
        if let Some(child) = self.child.filter(|_| self.case.contains(Move::Child)) {
            let end = raised("end", None);
            let end = Incoming::unasked(end, None);
            life.hub.deliver(child, end).unwrap();
        }
    }

    /// The places of the moves of one batch among all.
    pub(super) fn places(&self, batch: usize) -> Vec<usize> {
        let before = self.case.batches.iter().take(batch).map(Vec::len).sum();
        let length = self.case.batches.get(batch).map_or(0, Vec::len);
        (before..before + length).collect()
    }

    pub(super) fn is_unanswered(&self) -> bool {
        !self.unanswered().is_empty()
    }

    /// The places of moves that were made and not answered.
    pub(super) fn unanswered(&self) -> Vec<usize> {
        let asked = self.asked.iter().enumerate();
        let unanswered =
            asked.filter(|(_, asked)| !matches!(asked, Asked::NotYet | Asked::Answered(_)));
        unanswered.map(|(place, _)| place).collect()
    }

    /// Makes a move: it arrives at once, or is to be submitted.
    pub(super) fn take(&mut self, place: usize, life: &mut Life) -> Option<Submission> {
        let it = self.case.moves()[place];
        if it.is_arrival() {
            let (reply, answer) = Reply::channel();
            self.asked[place] = Asked::Delivery(answer);
            let arrival = self.arrival(it, life, reply);
            life.shard.accept(ShardInput::Incoming(self.key, arrival));
            return None;
        }
        if it == Move::Purge {
            let (reply, answer) = Reply::channel();
            self.asked[place] = Asked::Purge(answer);
            let keys = vec![self.key];
            return Some(Submission::Purge(Purge {
                keys,
                ended_by: None,
                reply,
            }));
        }
        let (reply, answer) = Reply::channel();
        self.asked[place] = Asked::Control(answer);
        let wish = match it {
            Move::Suspend => Wish::Suspend,
            Move::Resume => Wish::Resume,
            _ => Wish::Terminate(Reach::Alone),
        };
        Some(self.control(wish, reply))
    }

    pub(super) fn control(&self, wish: Wish, reply: Reply<Controlled>) -> Submission {
        Submission::Control(Box::new(Control {
            key: self.key,
            wish,
            reason: "somebody asked".to_owned(),
            reply,
        }))
    }

    fn arrival(&self, it: Move, life: &Life, reply: Reply<Delivered>) -> Incoming {
        let execution = match it {
            Move::Event | Move::Anew => None,
            Move::Early => Some(ExecutionId(2)),
            _ => Some(ExecutionId::FIRST),
        };
        Incoming::Arrival {
            event: self.event(it, life),
            execution,
            reply: Some(reply),
        }
    }

    /// What is delivered, with what its source does when it sends it.
    fn event(&self, it: Move, life: &Life) -> HistoryEvent {
        let command = |scheduled| CommandRef {
            instance: self.key,
            execution: ExecutionId::FIRST,
            scheduled,
        };
        let (at, done) = (Timestamp(1), Outcome::Completed(Payload::json(&0).unwrap()));
        match it {
            Move::Done | Move::Failed => {
                give_place_back(life, command(self.activity));
                let fault = Fault::new(FaultKind::Panicked, "work", "it went wrong");
                let failed = Outcome::Failed(Failure::Fault(fault));
                let outcome = if it == Move::Done { done } else { failed };
                Ended::Activity.with(outcome, self.activity, at)
            }
            Move::Timer => {
                let fired = TimerRef::Durable(command(self.timer));
                life.hub.timers.change(Vec::new(), vec![fired]);
                let scheduled = self.timer;
                HistoryEvent::TimerFired(Fired { scheduled, at })
            }
            Move::Child => self.child_end.clone().unwrap(),
            Move::Never => Ended::Activity.with(done, EventId(77), at),
            Move::Early => {
                let execution = ExecutionId(2);
                let early = command(self.activity);
                give_place_back(life, CommandRef { execution, ..early });
                Ended::Activity.with(done, self.activity, at)
            }
            Move::Mistaken => {
                let scheduled = self.activity;
                HistoryEvent::TimerFired(Fired { scheduled, at })
            }
            event => raised(event_name(event), self.case.has_ids.then_some(event)),
        }
    }

    /// Takes the answers that were given.
    pub(super) fn hear(&mut self) {
        for asked in &mut self.asked {
            let answer = match asked {
                Asked::Delivery(answer) => answer.try_recv().ok().map(of_delivery),
                Asked::Control(answer) => answer.try_recv().ok().map(of_control),
                Asked::Purge(answer) => answer.try_recv().as_ref().ok().map(of_purge),
                Asked::NotYet | Asked::Answered(_) => None,
            };
            if let Some(answer) = answer {
                *asked = Asked::Answered(answer);
            }
        }
    }

    pub(super) fn answers(&self) -> Vec<Option<Answer>> {
        let answers = self.asked.iter().map(|asked| match asked {
            Asked::Answered(answer) => Some(*answer),
            _ => None,
        });
        answers.collect()
    }

    /// Everything that can still be on its way to it; who hears what becomes of it is for the caller to keep.
    pub(super) fn stragglers(&self, life: &Life) -> Vec<(Incoming, Receiver<Delivered>)> {
        let all = Move::ALL.into_iter().filter(|it| it.is_arrival());
        let sent = all.filter(|it| *it != Move::Child || self.child_end.is_some());
        let straggler = |it| {
            let (reply, answer) = Reply::channel();
            (self.arrival(it, life, reply), answer)
        };
        sent.map(straggler).collect()
    }

    /// What whoever looks at the instance finds.
    pub(super) fn seen(&self, life: &Life) -> Seen {
        let reader = &life.hub.reviver.reader;
        let Some(summary) = reader.summary(self.key).unwrap() else {
            return Seen {
                status: None,
                execution: 0,
                output: None,
                waiting: Vec::new(),
            };
        };
        let output = match &summary.outcome {
            Some(Outcome::Completed(output)) => {
                let output: Value = output.decode().unwrap();
                output.as_str().map(str::to_owned)
            }
            _ => None,
        };
        let waiting = if summary.has_ended() {
            Vec::new()
        } else {
            self.waiting(&reader.current_history(self.key, &summary).unwrap())
        };
        Seen {
            status: Some(summary.status),
            execution: summary.execution.0,
            output,
            waiting,
        }
    }

    /// What is recorded since the last turn.
    fn waiting(&self, history: &[HistoryEvent]) -> Vec<Move> {
        let is_turn = |event: &HistoryEvent| matches!(event, HistoryEvent::TurnStarted(_));
        let since = history.rsplit(is_turn).next().unwrap_or_default();
        let moves = since.iter().filter_map(|event| match event {
            HistoryEvent::ActivityCompleted(done) if done.scheduled == self.activity => {
                Some(Move::Done)
            }
            HistoryEvent::ActivityCompleted(_) => Some(Move::Never),
            HistoryEvent::ActivityFailed(_) => Some(Move::Failed),
            HistoryEvent::TimerFired(fired) if fired.scheduled == self.timer => Some(Move::Timer),
            HistoryEvent::TimerFired(_) => Some(Move::Mistaken),
            HistoryEvent::ChildCompleted(_) => Some(Move::Child),
            HistoryEvent::EventRaised(raised) if raised.name == event_name(Move::Anew) => {
                Some(Move::Anew)
            }
            HistoryEvent::EventRaised(_) => Some(Move::Event),
            _ => None,
        });
        moves.collect()
    }
}

/// An activity does not run any more.
fn give_place_back(life: &Life, activity: CommandRef) {
    if let Some(finished) = life.hub.desk.finish(activity) {
        life.hub.run(finished.next);
    }
}

fn raised(name: &'static str, id: Option<Move>) -> HistoryEvent {
    HistoryEvent::EventRaised(EventRaised {
        at: Timestamp(1),
        name: name.into(),
        payload: Payload::json(&json!(name)).unwrap(),
        event: id.map(|id| id.name().to_owned()),
    })
}

fn of_delivery(answer: Delivered) -> Answer {
    match answer {
        Delivered::Recorded => Answer::Recorded,
        Delivered::Ended => Answer::TooLate,
        Delivered::Unknown => Answer::Unknown,
        other => panic!("{other:?}"),
    }
}

fn of_control(answer: Controlled) -> Answer {
    match answer {
        Controlled::Recorded => Answer::Recorded,
        Controlled::Already => Answer::Already,
        Controlled::Ended(status) => Answer::Ended(status),
        Controlled::Unknown => Answer::Unknown,
        other @ Controlled::Unreadable(_) => panic!("{other:?}"),
    }
}

fn of_purge(buried: &Buried) -> Answer {
    match (buried.count, &buried.left[..]) {
        (1, []) => Answer::Purged,
        (0, []) => Answer::Gone,
        (0, [(_, Left::Alive(status))]) => Answer::Alive(*status),
        _ => panic!("{buried:?}"),
    }
}
