//! Waiting for what becomes of an instance.

use crate::client::error::WaitError;
use crate::client::instance::Instance;
use crate::engine::message::{Reply, Submission, Until, Watch};
use crate::explain;
use crate::store::{Revision, Status, Summary};

impl Instance {
    /// Waits until the instance has ended. A stall does not end the wait: mended code may go on. But the one of the
    /// [replay check](crate::EngineBuilder::replay_check) does, where that is on: it is there to be seen. So does one of an instance that
    /// this one waits for, and for nothing else, if it was there before; in a [`TestEngine`](crate::testing::TestEngine) also later.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`WaitError::Stopped`] if the engine stops, [`WaitError::Store`] if the store cannot be read,
    /// [`WaitError::NotFound`] if the instance is no longer there, [`WaitError::NonDeterministic`] if the replay check is on and
    /// found its code to differ. How the orchestration ended is no error here.
    pub async fn wait(&self) -> Result<Summary, WaitError> {
        if self.hub.reviver.replay_check.is_none() {
            return self.watch(Until::Ended).await;
        }
        loop {
            if let Some(error) = self.held_up().await {
                return Err(error);
            }
            let summary = self.watch(Until::EndedOrUnsound).await?;
            match &summary.stalled {
                Some(stalled) if summary.is_unsound() => {
                    let (id, report) = (self.id().to_string(), stalled.report.clone());
                    return Err(WaitError::NonDeterministic { id, report });
                }
                _ if summary.has_ended() => return Ok(summary),
                // A test engine has come to rest, and something in it is stalled: perhaps what this one waits for.
                _ => {}
            }
        }
    }

    /// What is said if all that the instance awaits are others which are stalled since their code is not deterministic.
    async fn held_up(&self) -> Option<WaitError> {
        let stalled = self
            .hub
            .reviver
            .reader
            .census()
            .ok()?
            .all()
            .of(Status::Stalled);
        if stalled == 0 {
            return None;
        }
        // Who cannot be told of is waited for.
        let why = explain::look(&self.hub, self.key).await.ok().flatten()?;
        let (id, report) = why.held_up_by()?;
        let report = format!("{report}\n    instance `{}` waits for it", self.id());
        Some(WaitError::NonDeterministic {
            id: id.to_string(),
            report,
        })
    }

    /// Waits until more is recorded of the instance than `seen`, or it has ended.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`WaitError::Stopped`] if the engine stops, [`WaitError::Store`] if the store cannot be read,
    /// [`WaitError::NotFound`] if the instance is no longer there. How the orchestration ended is no error here.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn trip() {
    ///     for stop in ["Berlin", "Praha", "Wien"] {
    ///         set_status(stop);
    ///         sleep(hours(4)).await;
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let trip = engine.start(trip()).await?;
    /// let mut stops = Vec::new();
    /// let mut now = trip.summary().await?;
    /// while !now.has_ended() {
    ///     if let Some(stop) = &now.custom_status {
    ///         stops.push(stop.decode::<String>()?);
    ///     }
    ///     now = trip.changed(&now).await?;
    /// }
    /// stops.dedup();
    /// assert_eq!(stops, ["Berlin", "Praha", "Wien"]);
    /// # Ok(()) }
    /// ```
    pub async fn changed(&self, seen: &Summary) -> Result<Summary, WaitError> {
        self.watch(Until::Beyond(seen.revision())).await
    }

    /// Waits until a turn of the instance has run, or it could not be run, or the instance has ended: until its status is not
    /// [`Pending`](crate::Status::Pending) any more.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn wait_started(&self) -> Result<Summary, WaitError> {
        self.watch(Until::Started).await
    }

    /// Waits until the instance has come to this revision, or has ended: then nothing is recorded of it any more.
    ///
    /// Whoever was told of a revision, by whatever way, sees it here and everything before it.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn wait_for(&self, revision: Revision) -> Result<Summary, WaitError> {
        self.watch(Until::Reached(revision)).await
    }

    /// Waits until the instance is as `is_it` says, or has ended.
    ///
    /// It is asked of the instance as it is now, and then each time after something was recorded. What lasted for a moment
    /// only, from one record to the next, may be missed; what is so now is not.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// # Panics
    /// If `is_it` does.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn trip() {
    ///     for stop in ["Berlin", "Praha", "Wien"] {
    ///         set_status(stop);
    ///         sleep(hours(4)).await;
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// let trip = engine.start(trip()).await?;
    /// let is_there = |status: &durable_runtime::Payload| status.decode().is_ok_and(|at: String| at == "Praha");
    /// let there = trip.wait_until(|trip| trip.custom_status.as_ref().is_some_and(is_there)).await?;
    /// assert!(!there.has_ended());
    /// # Ok(()) }
    /// ```
    pub async fn wait_until(
        &self,
        mut is_it: impl FnMut(&Summary) -> bool,
    ) -> Result<Summary, WaitError> {
        // The revision zero is behind every instance.
        let mut seen = self.wait_for(Revision::from(0)).await?;
        while !seen.has_ended() && !is_it(&seen) {
            seen = self.changed(&seen).await?;
        }
        Ok(seen)
    }
    async fn watch(&self, until: Until) -> Result<Summary, WaitError> {
        let (reply, answer) = Reply::channel();
        self.hub.submit(Submission::Watch(Watch {
            key: self.key,
            until,
            reply,
        }))?;
        match answer.await {
            Ok(found) => found?.ok_or_else(|| WaitError::NotFound(self.id().to_string())),
            Err(_) => Err(self.hub.reason().into()),
        }
    }
}
