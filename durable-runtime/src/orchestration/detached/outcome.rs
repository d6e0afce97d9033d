//! Waiting for the outcome of an instance that is no child.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::super::call::TwoChannels;
use super::super::{Caught, Timeout, named, settle};
use crate::definition::{self, Decoded, OutputCodec};
use crate::durable::Durable;
use crate::event::{DetachedAwaited, HistoryEvent, Name};
use crate::failure::{Failure, Outcome};
use crate::id::{InstanceId, SourceSite};
use crate::replay::{self, Answer, Refused, Stall, Stop, Ticket};

/// The future of [`Detached::result`](super::Detached::result).
#[must_use = "nothing is asked until this is awaited"]
pub struct DetachedOutcome<Out: 'static> {
    instance: InstanceId,
    output: Option<&'static OutputCodec<Out>>,
    site: SourceSite,
    state: State,
}

enum State {
    Fresh,
    Asked(Ticket),
    Over,
}

impl<Out: 'static> DetachedOutcome<Out> {
    pub(super) fn new(
        instance: InstanceId,
        output: Option<&'static OutputCodec<Out>>,
        site: SourceSite,
    ) -> Self {
        Self {
            instance,
            output,
            site,
            state: State::Fresh,
        }
    }

    /// Gives a fault as a value: the result becomes `Result<Out, Fault>`.
    pub fn catch(self) -> Caught<Self> {
        Caught(self)
    }

    /// Limits the wait: the result is `Err(Elapsed)` if the instance has not ended in time. It goes on all the same.
    #[track_caller]
    pub fn timeout(self, limit: std::time::Duration) -> Timeout<Self> {
        Timeout::new(self, limit, SourceSite::caller())
    }

    fn poll_outcome(&mut self) -> Poll<Outcome> {
        if matches!(self.state, State::Fresh) {
            match ask(&self.instance, self.site) {
                Ok(ticket) => self.state = State::Asked(ticket),
                Err(Refused::Stopped) => return Poll::Pending,
                Err(Refused::Fault(fault)) => {
                    self.state = State::Over;
                    return Poll::Ready(Outcome::Failed(Failure::Fault(fault)));
                }
            }
        }
        let State::Asked(ticket) = &self.state else {
            return Poll::Pending;
        };
        let Answer::Outcome(outcome, _) = ready!(ticket.poll()) else {
            return Poll::Pending;
        };
        self.state = State::Over;
        Poll::Ready(outcome)
    }
}

fn ask(instance: &InstanceId, site: SourceSite) -> Result<Ticket, Refused> {
    let is_own = replay::require("`result`", |context| {
        context.started().instance == *instance
    });
    if is_own {
        own(instance);
    }
    replay::require("`result`", |context| {
        let issued = context.issue(site, |_, id| {
            HistoryEvent::DetachedAwaited(DetachedAwaited {
                id,
                site: site.id(),
                instance: instance.clone(),
            })
        })?;
        Ok(issued.ticket)
    })
}

#[expect(
    clippy::panic,
    reason = "misuse that no type can rule out; the message says what to do"
)]
fn own(instance: &InstanceId) -> ! {
    panic!(
        "instance `{instance}` awaits its own outcome, which would never come; return it instead"
    )
}

/// How an outcome of this type is read: as by the orchestrator of this program that returns it.
fn linked<Out: 'static>() -> Option<&'static OutputCodec<Out>> {
    definition::output_codec().or_else(named::output_codec)
}

impl<Out: 'static> TwoChannels for DetachedOutcome<Out> {
    type Declared = Out;

    fn poll_decoded(&mut self, _: &mut Context<'_>) -> Poll<Decoded<Out>> {
        let Some(output) = self.output.or_else(linked) else {
            let stall = Stall::no_reader(std::any::type_name::<Out>(), &self.instance, self.site);
            replay::require("`result`", |context| context.stop(Stop::Stall(stall)));
            return Poll::Pending;
        };
        self.output = Some(output);
        let outcome = ready!(self.poll_outcome());
        let name = Name::from(self.instance.to_string());
        settle::read(output, &outcome, &name, self.site)
    }
}

#[diagnostic::do_not_recommend]
impl<Out: 'static> Durable for DetachedOutcome<Out> {}

impl<Out: 'static> Future for DetachedOutcome<Out> {
    type Output = Out;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Out> {
        let decoded = ready!(self.poll_decoded(cx));
        // What was decoded had a reader.
        (self.output).map_or(Poll::Pending, |output| settle::merged(output, decoded))
    }
}

impl<Out> fmt::Debug for DetachedOutcome<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "outcome of instance `{}`", self.instance)
    }
}
