//! A handle of an instance, as orchestrator code has it: a value that can be recorded.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::DetachedOutcome;
use crate::definition::OutputCodec;
use crate::durable::StandIn;
use crate::durable::hints::{Hint, NotHandle};
use crate::durable::op::Tag;
use crate::id::{InstanceId, SourceSite};

/// A handle of an instance that is no child, made by [`start`](super::start()).
///
/// It is a value: it may be the input of an activity or of another orchestrator, a part of a result, or go along with
/// `continue_as_new`. Serialised it is the instance's id, as text.
///
/// ```
/// # use durable_runtime::orchestration::Detached;
/// let shipping: Detached<String> = serde_json::from_str(r#""ship-42""#)?;
/// assert_eq!(shipping.id().as_str(), "ship-42");
/// assert_eq!(serde_json::to_string(&shipping)?, r#""ship-42""#);
/// # Ok::<_, serde_json::Error>(())
/// ```
///
/// `Out` is what the instance's orchestrator returns. A handle that was made otherwise than by a start, from an id, is
/// taken at its word: if the recorded outcome is no `Out`, the orchestration that awaits it stalls.
pub struct Detached<Out: 'static> {
    instance: InstanceId,
    /// How the outcome is read; a handle that was serialised has lost it.
    output: Option<&'static OutputCodec<Out>>,
}

impl<Out: 'static> Detached<Out> {
    /// A handle of the instance of that id, started by whomever.
    pub fn new(instance: InstanceId) -> Self {
        Self {
            instance,
            output: None,
        }
    }

    pub(super) fn started(instance: InstanceId, output: &'static OutputCodec<Out>) -> Self {
        Self {
            instance,
            output: Some(output),
        }
    }

    /// The instance's id.
    pub fn id(&self) -> &InstanceId {
        &self.instance
    }

    /// Awaits how the instance ends; any number of instances may, any number of times.
    ///
    /// As with a child, an `Err` that it returned comes back as declared. A fault of it becomes the declared error if
    /// that implements `From<Fault>`, is a value after [`catch`](DetachedOutcome::catch), and else ends the orchestration
    /// that awaits it.
    ///
    /// An instance that has ended answers at once. That it stalls, or continues as new, does not end the wait. If no
    /// instance has the id, that is a fault of kind [`NotFound`](crate::FaultKind::NotFound).
    ///
    /// ```standalone_crate
    /// use durable_runtime::orchestration::Detached;
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn bake(loaves: u32) -> Result<u32, Error> {
    ///     sleep(hours(1)).await;
    ///     Ok(loaves)
    /// }
    ///
    /// #[orchestrator]
    /// async fn deliver(baking: Detached<Result<u32, Error>>) -> Result<u32, Error> {
    ///     baking.result().await
    /// }
    ///
    /// #[orchestrator]
    /// async fn morning(loaves: u32) -> Result<(u32, u32), Error> {
    ///     let baking = start(bake(loaves)).await;
    ///     // Both wait for the same instance.
    ///     let delivered = deliver(baking.clone()).await?;
    ///     Ok((delivered, baking.result().await?))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// let engine = TestEngine::start()?;
    /// assert_eq!(engine.start(morning(12)).await?.result().await??, (12, 12));
    /// # Ok(()) }
    /// ```
    ///
    /// # Replay
    /// Recorded as `DetachedAwaited` when it is first polled, and as `DetachedCompleted` or `DetachedFailed` when the
    /// instance has ended; a replay returns that outcome.
    ///
    /// # Cancel safety
    /// Dropping it withdraws the question and cancels nothing: the instance goes on, and may be asked again.
    ///
    /// # Panics
    /// When polled outside an orchestrator, or in the very instance that it is a handle of, which would wait for ever.
    #[track_caller]
    pub fn result(&self) -> DetachedOutcome<Out> {
        DetachedOutcome::new(self.instance.clone(), self.output, SourceSite::caller())
    }
}

#[doc(hidden)]
impl<Out, W> Tag<Detached<Out>, W> {
    /// Refuses.
    #[expect(clippy::unused_self, reason = "a method, to be found by its receiver")]
    pub fn only_durable(self) -> StandIn<Out>
    where
        for<'x> Hint<'x, Detached<Out>>: NotHandle,
    {
        StandIn::new()
    }
}

#[doc(hidden)]
impl<Out, W> Tag<&Detached<Out>, W> {
    /// Refuses.
    #[expect(clippy::unused_self, reason = "a method, to be found by its receiver")]
    pub fn only_durable(self) -> StandIn<Out>
    where
        for<'x> Hint<'x, Detached<Out>>: NotHandle,
    {
        StandIn::new()
    }
}

impl<Out> Clone for Detached<Out> {
    fn clone(&self) -> Self {
        Self {
            instance: self.instance.clone(),
            output: self.output,
        }
    }
}

impl<Out> PartialEq for Detached<Out> {
    fn eq(&self, other: &Self) -> bool {
        self.instance == other.instance
    }
}

impl<Out> Eq for Detached<Out> {}

impl<Out> Hash for Detached<Out> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.instance.hash(state);
    }
}

impl<Out> fmt::Debug for Detached<Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "instance `{}`", self.instance)
    }
}

impl<Out> Serialize for Detached<Out> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.instance.as_str())
    }
}

impl<'de, Out> Deserialize<'de> for Detached<Out> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let instance = InstanceId::existing(&text).map_err(serde::de::Error::custom)?;
        Ok(Self::new(instance))
    }
}
