//! Starting instances that are nobody's children.

mod handle;
mod outcome;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::attempts::Subject as _;
use super::call::TwoChannels;
use super::{Caught, OrchestratorCall, OrchestratorParts, Timeout, settle};
use crate::definition::{Decoded, OutputCodec};
use crate::durable::Durable;
use crate::event::{DetachedScheduled, HistoryEvent};
use crate::failure::{Failure, Fault, Outcome};
use crate::id::{EventId, InstanceId, SourceSite};
use crate::replay::{self, Answer, Issued, Refused, Ticket};

pub use self::handle::Detached;
pub use self::outcome::DetachedOutcome;

/// Starts an instance that lives on its own: it is nobody's child, and goes on when its starter ends, is cancelled or
/// continues as new.
///
/// The call says what is started and with what, as for a start by a client. Awaiting the start gives a [`Detached`]
/// handle as soon as the instance is on disk; [`result`](Detached::result) awaits its outcome.
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[orchestrator]
/// async fn ship(order: u32) -> String {
///     sleep(days(3)).await;
///     format!("order {order} is there")
/// }
///
/// #[orchestrator]
/// async fn checkout(order: u32) -> String {
///     let shipping = start(ship(order)).id(format!("ship-{order}")).await;
///     // It ships, whatever becomes of this checkout.
///     shipping.id().to_string()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let shipping = engine.start(checkout(42)).await?.result().await?;
/// let shipping = engine.handle(ship, &shipping).await?.ok_or("it was started")?;
/// assert_eq!(shipping.result().await?, "order 42 is there");
/// # Ok(()) }
/// ```
///
/// Starting an id that is taken attaches to the instance that has it if name, version and input are those it was started
/// with, whether it has ended or not. Else the start is a fault of kind
/// [`Conflict`](crate::FaultKind::Conflict) at the await: it ends the orchestration, or is a value after
/// [`catch`](DetachedStart::catch).
///
/// An orchestrator that the program does not have is started all the same; the instance stalls until there is one.
///
/// # Replay
/// The start is recorded as [`DetachedScheduled`], and in the same commit the answer behind it: `DetachedStarted` or
/// `DetachedRefused`. A replay gives the recorded answer and starts nothing. The recorded id stays in force, whatever
/// the code now says.
///
/// # Durability
/// The instance is created by the commit that holds the wish, never without it.
///
/// # Cancel safety
/// Dropping the future in the turn that first polled it starts nothing; so does an end of the orchestration in that
/// turn. After that turn the instance is there, and stays.
///
/// # Panics
/// When polled outside an orchestrator, and for a call that was given a retry policy: only a child is retried.
///
/// Source: `docs/design.md`, "Detached instances".
#[track_caller]
pub fn start<Out: 'static, M>(call: OrchestratorCall<Out, M>) -> DetachedStart<Out> {
    let (parts, output) = call.into_parts();
    DetachedStart {
        site: SourceSite::caller(),
        output,
        state: State::Fresh(parts),
    }
}

/// The future of [`start`].
#[must_use = "nothing is started until this is awaited"]
pub struct DetachedStart<Out: 'static> {
    site: SourceSite,
    output: &'static OutputCodec<Out>,
    state: State,
}

enum State {
    Fresh(OrchestratorParts),
    Asked(Ticket, InstanceId),
    Over,
}

impl<Out> DetachedStart<Out> {
    /// Names the instance; one that is not named has an id that derives from this start.
    ///
    /// An id that breaks the rules of [`InstanceId`] is a fault at the await.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        if let State::Fresh(parts) = &mut self.state {
            parts.id = Some(id.into());
        }
        self
    }

    /// Adds a label to the instance.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        if let State::Fresh(parts) = &mut self.state {
            parts.tags.insert(key.into(), value.into());
        }
        self
    }

    /// Gives a fault as a value: the result becomes `Result<Detached<Out>, Fault>`.
    pub fn catch(self) -> Caught<Self> {
        Caught(self)
    }

    /// Limits the wait for the answer. The commit that starts the instance has it, so it never takes long.
    #[track_caller]
    pub fn timeout(self, limit: std::time::Duration) -> Timeout<Self> {
        Timeout::new(self, limit, SourceSite::caller())
    }

    /// Asks for the instance, the first time; then waits for the answer.
    fn poll_answer(&mut self) -> Poll<Result<InstanceId, Fault>> {
        if let State::Fresh(parts) = &mut self.state {
            match ask(parts, self.site) {
                Ok((ticket, instance)) => self.state = State::Asked(ticket, instance),
                Err(Refused::Stopped) => return Poll::Pending,
                Err(Refused::Fault(fault)) => {
                    self.state = State::Over;
                    return Poll::Ready(Err(fault));
                }
            }
        }
        let State::Asked(ticket, instance) = &self.state else {
            return Poll::Pending;
        };
        let answer = match ticket.poll() {
            Poll::Ready(Answer::Started) => Ok(instance.clone()),
            Poll::Ready(Answer::Outcome(Outcome::Failed(Failure::Fault(fault)), _)) => Err(fault),
            Poll::Ready(Answer::Outcome(..) | Answer::Fired) | Poll::Pending => {
                return Poll::Pending;
            }
        };
        self.state = State::Over;
        Poll::Ready(answer)
    }
}

/// Asks for an instance; returns the hold on the answer, and the id that is in force.
fn ask(parts: &mut OrchestratorParts, site: SourceSite) -> Result<(Ticket, InstanceId), Refused> {
    if parts.is_retried {
        retried(parts);
    }
    parts.check().map_err(Refused::Fault)?;
    let chosen = parts.chosen_id().map_err(Refused::Fault)?;
    let input = parts.recordable_input().map_err(Refused::Fault)?;
    replay::require("`start`", |context| {
        parts.settle_version(context);
        let command = |context: &replay::Context, id: EventId| {
            HistoryEvent::DetachedScheduled(DetachedScheduled {
                id,
                site: site.id(),
                instance: chosen.unwrap_or_else(|| context.child_instance(id)),
                name: parts.name.clone(),
                version: parts.version.clone().or_else(|| None),
                input,
            })
        };
        let Issued {
            ticket, instance, ..
        } = context.issue(site, command)?;
        context.tag_child(ticket.id(), &parts.tags);
        // There always is one: what was issued, or matched, starts an instance.
        let instance = instance.ok_or(Refused::Stopped)?;
        Ok((ticket, instance))
    })
}

#[expect(
    clippy::panic,
    reason = "misuse that no type can rule out; the message says what to do"
)]
fn retried(parts: &OrchestratorParts) -> ! {
    panic!(
        "`{}` cannot be started with `.retry(..)`: only a child, which is awaited, is retried; remove it",
        parts.name
    )
}

impl<Out: 'static> TwoChannels for DetachedStart<Out> {
    type Declared = Detached<Out>;

    fn poll_decoded(&mut self, _: &mut Context<'_>) -> Poll<Decoded<Detached<Out>>> {
        self.poll_answer().map(|answer| match answer {
            Ok(instance) => Decoded::Value(Detached::started(instance, self.output)),
            Err(fault) => Decoded::Fault(fault),
        })
    }
}

#[diagnostic::do_not_recommend]
impl<Out: 'static> Durable for DetachedStart<Out> {}

impl<Out: 'static> Future for DetachedStart<Out> {
    type Output = Detached<Out>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Detached<Out>> {
        match std::task::ready!(self.poll_decoded(cx)) {
            Decoded::Value(detached) => Poll::Ready(detached),
            Decoded::Fault(fault) => settle::fatal(fault),
        }
    }
}

impl<Out> fmt::Debug for DetachedStart<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Fresh(parts) => write!(f, "start of `{}`", parts.name),
            State::Asked(_, instance) => write!(f, "start of instance `{instance}`"),
            State::Over => f.write_str("start that is done"),
        }
    }
}
