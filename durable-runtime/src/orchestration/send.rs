//! Events from one instance to another, or to itself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Event, settle};
use crate::durable::{Durable, Recordable};
use crate::event::{EventSent, HistoryEvent, Name};
use crate::failure::{Fault, FaultKind};
use crate::id::{InstanceId, InvalidId, SourceSite};
use crate::limits;
use crate::payload::{EncodeError, Payload};
use crate::replay;

impl<T: Recordable> Event<T> {
    /// Raises this event to the instance `to`, from an orchestrator.
    ///
    /// Sending waits for nobody: it is ready in the same turn. The receiver gets the event exactly once, however often
    /// processes die on the way. It is buffered there until it is awaited, as if a client had raised it, and carried over
    /// a continue-as-new. Events from one sender to one receiver arrive in the order in which they were sent. An
    /// instance may send to itself.
    ///
    /// An event to an id that no instance has, or whose instance has ended, is dropped, and the log says so. Who needs to
    /// know asks for an event in return, and waits for that with a `.timeout(..)`.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// static QUESTION: Event<String> = Event::new("question");
    /// static ANSWER: Event<u32> = Event::new("answer");
    ///
    /// #[orchestrator]
    /// async fn oracle() {
    ///     let asking = QUESTION.wait().await;
    ///     ANSWER.send(&asking, 42).await;
    /// }
    ///
    /// #[orchestrator]
    /// async fn seeker(oracle: String) -> Result<u32, Elapsed> {
    ///     QUESTION.send(&oracle, info().instance.to_string()).await;
    ///     ANSWER.wait().timeout(minutes(1)).await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// engine.start(oracle()).id("delphi").await?;
    /// let seeker = engine.start(seeker("delphi".to_owned())).await?;
    /// assert_eq!(seeker.result().await?, Ok(42));
    /// # Ok(()) }
    /// ```
    ///
    /// A value or id that cannot be recorded is a fault, which ends the orchestration.
    ///
    /// # Replay
    /// Recorded as `EventSent`; a replay sends nothing. The receiver records it as `EventRaised`, with an id that names the
    /// sender.
    ///
    /// # Durability
    /// The event is on its way in the commit that holds `EventSent`, never without it.
    ///
    /// # Cancel safety
    /// It is sent when it is first polled, or not at all.
    ///
    /// # Panics
    /// When polled outside an orchestrator; a program raises events with [`Instance::raise`](crate::Instance::raise).
    ///
    /// Source: `docs/design.md`, "Events between instances".
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what is sent is given away, as with `raise`"
    )]
    pub fn send(&self, to: impl AsRef<str>, value: T) -> EventSend {
        EventSend {
            name: self.full_name().clone(),
            site: SourceSite::caller(),
            unsent: Some(Unsent {
                to: InstanceId::existing(to.as_ref()),
                payload: Payload::json(&value),
            }),
        }
    }
}

/// The future of [`Event::send`].
#[must_use = "nothing is sent until this is awaited"]
pub struct EventSend {
    name: Name,
    site: SourceSite,
    unsent: Option<Unsent>,
}

/// What is to be sent, and whether it can be.
struct Unsent {
    to: Result<InstanceId, InvalidId>,
    payload: Result<Payload, EncodeError>,
}

impl Unsent {
    fn checked(self, name: &Name) -> Result<(InstanceId, Payload), Fault> {
        let subject = format!("event {name}");
        limits::check_name(name).map_err(|error| settle::beyond(&subject, &error))?;
        let payload = settle::recordable(self.payload, "payload", &subject)?;
        match self.to {
            Ok(to) => Ok((to, payload)),
            Err(error) => {
                let message = format!("event `{name}` was to be sent there, but {error}");
                Err(Fault::new(FaultKind::NotFound, error.text(), message))
            }
        }
    }
}

#[diagnostic::do_not_recommend]
impl Durable for EventSend {}

impl Future for EventSend {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let (name, site) = (self.name.clone(), self.site);
        let Some(unsent) = self.unsent.take() else {
            return Poll::Pending;
        };
        let (instance, payload) = match unsent.checked(&name) {
            Ok(checked) => checked,
            Err(fault) => return settle::fatal(fault),
        };
        let is_sent = replay::require("`send`", |context| {
            context.tell(site, |id| {
                HistoryEvent::EventSent(EventSent {
                    id,
                    site: site.id(),
                    instance,
                    name,
                    payload,
                })
            })
        });
        if is_sent {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl fmt::Debug for EventSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event `{}` to be sent", self.name)
    }
}
