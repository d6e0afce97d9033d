//! Attempts of an activity or a child, and the delays between them.
//!
//! Each attempt is a command of its own; a failed one is followed by a timer, then by the next. All of it is in the
//! history, so a replay retries as the first run did.
//!
//! Source: `docs/design.md`, "Retries".

use std::mem;
use std::task::Poll;

use super::timer::{Timer, When};
use crate::clock::Timestamp;
use crate::event::{HistoryEvent, Name, TimerPurpose};
use crate::failure::{Failure, Fault, FaultKind, Outcome};
use crate::id::{EventId, SourceSite};
use crate::payload::Payload;
use crate::replay::{self, Answer, Context, Refused, Ticket};
use crate::retry::{Retry, RetryContext, RetryPolicy};

/// What is attempted.
pub(super) trait Subject {
    /// What it is, in words.
    const KIND: &'static str;

    /// Its durable name.
    fn name(&self) -> &Name;

    /// Whether it can be asked for at all.
    fn check(&self) -> Result<(), Fault>;

    /// Settles what a call may leave open, before its first command.
    fn settle(&mut self, context: &Context) {
        let _ = context;
    }

    /// The command of one attempt.
    fn command(&self, context: &Context, attempt: &AttemptNumbers) -> HistoryEvent;

    /// Is told that the command was recorded.
    fn issued(&self, context: &mut Context, id: EventId) {
        let _ = (context, id);
    }
}

/// What tells an attempt from others.
pub(super) struct AttemptNumbers {
    /// Its command.
    pub(super) id: EventId,
    /// The first attempt's command.
    pub(super) call: EventId,
    /// From 1.
    pub(super) number: u32,
    /// Where the code asked.
    pub(super) site: SourceSite,
    /// The policy to record, with the first attempt.
    pub(super) retry: Option<RetryPolicy>,
    /// What the attempts before said in their last heartbeat.
    pub(super) heartbeat: Option<Payload>,
}

/// A call with its attempts, asked for when it is first polled.
pub(super) struct Attempts<S> {
    pub(super) subject: S,
    pub(super) site: SourceSite,
    pub(super) retry: RetryPolicy,
    pub(super) handler: Option<Handler>,
    heartbeat: Option<Payload>,
    state: State,
}

/// What code says about an attempt that failed.
pub(super) type Handler = Box<dyn Fn(&Failure, &RetryContext) -> Retry + Send>;

#[derive(Debug)]
enum State {
    Fresh,
    Running(Ticket, Call),
    Delaying(Timer, Call),
    Over,
}

/// What stays the same over the attempts of a call.
#[derive(Debug, Clone, Copy)]
struct Call {
    first: EventId,
    began: Timestamp,
    policy: RetryPolicy,
    attempt: u32,
}

impl<S: Subject> Attempts<S> {
    pub(super) fn new(subject: S, site: SourceSite) -> Self {
        Self {
            subject,
            site,
            retry: RetryPolicy::NONE,
            handler: None,
            heartbeat: None,
            state: State::Fresh,
        }
    }

    /// Whether nothing has been asked for yet.
    pub(super) fn is_fresh(&self) -> bool {
        matches!(self.state, State::Fresh)
    }

    /// The outcome of the last attempt.
    pub(super) fn poll(&mut self) -> Poll<Outcome> {
        loop {
            match mem::replace(&mut self.state, State::Over) {
                State::Fresh => match self.first() {
                    Ok(state) => self.state = state,
                    Err(refused) => return refuse(refused),
                },
                State::Running(ticket, call) => match ticket.poll() {
                    Poll::Pending => {
                        self.state = State::Running(ticket, call);
                        return Poll::Pending;
                    }
                    Poll::Ready(Answer::Outcome(Outcome::Failed(failure), said)) => {
                        // An attempt that said nothing leaves what those before it had said.
                        self.heartbeat = said.or_else(|| self.heartbeat.take());
                        match self.delay(&call, &failure) {
                            Some(delay) => self.state = State::Delaying(delay, call),
                            None => return Poll::Ready(Outcome::Failed(failure)),
                        }
                    }
                    Poll::Ready(Answer::Outcome(outcome, _)) => return Poll::Ready(outcome),
                    Poll::Ready(Answer::Fired | Answer::Started) => return Poll::Pending,
                },
                State::Delaying(mut delay, call) => {
                    if delay.poll().is_pending() {
                        self.state = State::Delaying(delay, call);
                        return Poll::Pending;
                    }
                    match self.again(call) {
                        Ok(state) => self.state = state,
                        Err(refused) => return refuse(refused),
                    }
                }
                State::Over => return Poll::Pending,
            }
        }
    }

    fn first(&mut self) -> Result<State, Refused> {
        self.subject.check().map_err(Refused::Fault)?;
        let retry = (self.retry.max_attempts > 1).then_some(self.retry);
        let (ticket, policy, began) = self.issue(None, 1, retry)?;
        let call = Call {
            first: ticket.id(),
            began,
            policy: policy.unwrap_or(RetryPolicy::NONE),
            attempt: 1,
        };
        Ok(State::Running(ticket, call))
    }

    fn again(&mut self, call: Call) -> Result<State, Refused> {
        let attempt = call.attempt.saturating_add(1);
        let (ticket, ..) = self.issue(Some(call.first), attempt, None)?;
        Ok(State::Running(ticket, Call { attempt, ..call }))
    }

    fn issue(
        &mut self,
        call: Option<EventId>,
        number: u32,
        retry: Option<RetryPolicy>,
    ) -> Result<(Ticket, Option<RetryPolicy>, Timestamp), Refused> {
        replay::require("a durable call", |context| {
            self.subject.settle(context);
            let issued = context.issue(self.site, |context, id| {
                let numbers = AttemptNumbers {
                    id,
                    call: call.unwrap_or(id),
                    number,
                    site: self.site,
                    retry,
                    heartbeat: self.heartbeat.clone(),
                };
                self.subject.command(context, &numbers)
            })?;
            self.subject.issued(context, issued.ticket.id());
            Ok((issued.ticket, issued.retry, context.at()))
        })
    }

    /// The delay before another attempt, if the failure is worth one and the policy has one left.
    fn delay(&self, call: &Call, failure: &Failure) -> Option<Timer> {
        let &Call {
            policy, attempt, ..
        } = call;
        if attempt >= policy.max_attempts || is_final(failure) {
            return None;
        }
        let (now, seed) = replay::require("a durable call", |context| {
            (context.at(), context.seed(call.first, attempt))
        });
        let elapsed = now.since(call.began);
        let context = RetryContext { attempt, elapsed };
        // Of a user's code: the context of the turn is not borrowed meanwhile.
        let said = self.handler.as_ref().map(|ask| ask(failure, &context));
        let delay = match said.unwrap_or(Retry::AsPolicy) {
            Retry::Stop => return None,
            Retry::AsPolicy => policy.jittered(attempt, seed),
            Retry::After(delay) => delay,
        };
        let delay = policy.allowed(delay, attempt, elapsed)?;
        let purpose = TimerPurpose::Retry(call.first);
        Some(Timer::new(When::After(delay), purpose, self.site))
    }
}

fn refuse(refused: Refused) -> Poll<Outcome> {
    match refused {
        Refused::Stopped => Poll::Pending,
        Refused::Fault(fault) => Poll::Ready(Outcome::Failed(Failure::Fault(fault))),
    }
}

/// Whether another attempt could only fail in the same way.
fn is_final(failure: &Failure) -> bool {
    match failure {
        Failure::Returned(returned) => returned.details.non_retryable,
        Failure::Fault(fault) => match fault.kind() {
            FaultKind::Panicked | FaultKind::TimedOut => false,
            FaultKind::Cancelled
            | FaultKind::LimitExceeded
            | FaultKind::Conflict
            | FaultKind::Unrecordable
            | FaultKind::NotFound
            | FaultKind::Terminated
            | FaultKind::Poisoned => true,
        },
    }
}
