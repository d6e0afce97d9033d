//! The same done to many instances, in few commits.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use crate::client::control::{Applied, applied, within_limit};
use crate::client::error::{ControlError, LookupError};
use crate::client::instance::Instance;
use crate::engine::Engine;
use crate::engine::message::{Reach, Wish};
use crate::store::chain;

/// What became of each of many instances, in the order in which they were named.
pub type EachOf<T> = Vec<(String, Result<T, ControlError>)>;

/// How many go into one commit, so that others who wait for one have theirs in between.
const OF_ONE_COMMIT: usize = 1_024;

impl Engine {
    /// Many instances, by id, to do the same to all of them.
    ///
    /// One is not held up by another: what becomes of each is told for itself. They share commits, so this is far faster than one
    /// after the other.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn delivery() {
    ///     sleep(days(30)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// for id in ["d-1", "d-2"] {
    ///     engine.start(delivery()).id(id).await?;
    /// }
    /// let ended = engine.many(["d-1", "d-2", "d-3"]).terminate("closed").await;
    /// let ended: Vec<_> = ended.iter().map(|(id, ended)| (&**id, ended.is_ok())).collect();
    /// assert_eq!(ended, [("d-1", true), ("d-2", true), ("d-3", false)]);
    /// # Ok(()) }
    /// ```
    pub fn many(&self, ids: impl IntoIterator<Item = impl Into<String>>) -> Many {
        Many {
            engine: self.clone(),
            ids: ids.into_iter().map(Into::into).collect(),
        }
    }
}

/// Many instances, by id; made by [`Engine::many`].
#[derive(Clone)]
pub struct Many {
    engine: Engine,
    ids: Vec<String>,
}

impl Many {
    /// Ends all of them, as [`Instance::terminate`] does.
    pub fn terminate(self, reason: impl Into<String>) -> TerminateMany {
        TerminateMany {
            many: self,
            reason: reason.into(),
            reach: Reach::Alone,
        }
    }

    /// Holds all of them, as [`Instance::suspend`] does.
    ///
    /// # Cancel safety
    /// Dropping the future after its first poll leaves open which of them were suspended.
    pub async fn suspend(self, reason: impl Into<String> + Send) -> EachOf<Applied> {
        self.control(Wish::Suspend, reason.into()).await
    }

    /// Lets all of them go on, as [`Instance::resume`] does.
    ///
    /// # Cancel safety
    /// Dropping the future after its first poll leaves open which of them were resumed.
    pub async fn resume(self, reason: impl Into<String> + Send) -> EachOf<Applied> {
        self.control(Wish::Resume, reason.into()).await
    }

    /// Asks all of them to end, as [`Instance::cancel`] does.
    ///
    /// # Cancel safety
    /// Dropping the future after its first poll leaves open of which of them that was recorded.
    pub async fn cancel(self, reason: impl Into<String> + Send) -> EachOf<()> {
        let reason = reason.into();
        let ask = |id: String| {
            let asked = find(&self.engine, &id).and_then(|instance| {
                let answer = instance.request_cancel(within_limit(reason.clone())?)?;
                Ok((instance, answer))
            });
            (id, asked)
        };
        let asked: Vec<_> = self.ids.into_iter().map(ask).collect();
        let mut each = Vec::with_capacity(asked.len());
        for (id, asked) in asked {
            let cancelled = match asked {
                Ok((instance, answer)) => instance.cancelled(answer).await,
                Err(error) => Err(error),
            };
            each.push((id, cancelled));
        }
        each
    }

    async fn control(self, wish: Wish, reason: String) -> EachOf<Applied> {
        let mut each = Vec::with_capacity(self.ids.len());
        let mut ids = self.ids.into_iter().peekable();
        while ids.peek().is_some() {
            let asked = ids.by_ref().take(OF_ONE_COMMIT).collect();
            each.extend(control_some(&self.engine, asked, wish, &reason).await);
        }
        each
    }
}

/// Asks for all of these at once, then waits for the answers.
async fn control_some(
    engine: &Engine,
    ids: Vec<String>,
    wish: Wish,
    reason: &str,
) -> EachOf<Applied> {
    let mut submissions = Vec::with_capacity(ids.len());
    let mut asked = Vec::with_capacity(ids.len());
    for id in ids {
        let found = find(engine, &id).and_then(|instance| {
            let reason = within_limit(reason.to_owned())?;
            let (submission, answer) = instance.wish(wish, reason);
            submissions.push(submission);
            Ok((instance, answer))
        });
        asked.push((id, found));
    }
    let refused = engine.hub.submit_all(submissions).err();
    let mut each = Vec::with_capacity(asked.len());
    for (id, found) in asked {
        let controlled = match (found, &refused) {
            (Err(error), _) => Err(error),
            (Ok(_), Some(stopped)) => Err(ControlError::Stopped(stopped.clone())),
            (Ok((instance, answer)), None) => match answer.await {
                Ok(controlled) => applied(&instance, controlled),
                Err(_) => Err(ControlError::Unknown(engine.hub.reason())),
            },
        };
        each.push((id, controlled));
    }
    each
}

fn find(engine: &Engine, id: &str) -> Result<Instance, ControlError> {
    match Instance::find(engine, id) {
        Ok(Some(instance)) => Ok(instance),
        Ok(None) | Err(LookupError::InvalidId(_)) => Err(ControlError::NotFound(id.to_owned())),
        Err(LookupError::Stopped(stopped)) => Err(stopped.into()),
        Err(error) => Err(ControlError::Damaged {
            id: id.to_owned(),
            report: chain(&error),
        }),
    }
}

/// A termination of many that is still to be asked for: `.await` does, and tells what became of each.
///
/// # Durability
/// Each `Ok` says of its instance what that of a [`TerminateRequest`](crate::TerminateRequest) says.
///
/// # Cancel safety
/// Nothing is asked before the first poll. Dropping the future after that leaves open which of them were terminated.
#[must_use = "nothing is terminated until this is `.await`ed"]
pub struct TerminateMany {
    many: Many,
    reason: String,
    reach: Reach,
}

impl TerminateMany {
    /// Terminates the children that they wait for as well, as [`TerminateRequest::recursive`](crate::TerminateRequest::recursive) does.
    pub fn recursive(mut self) -> Self {
        self.reach = Reach::Tree;
        self
    }

    async fn send(self) -> EachOf<()> {
        let wish = Wish::Terminate(self.reach);
        let each = self.many.control(wish, self.reason).await.into_iter();
        each.map(|(id, ended)| (id, ended.map(|_| ()))).collect()
    }
}

impl IntoFuture for TerminateMany {
    type Output = EachOf<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for Many {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} instances", self.ids.len())
    }
}

impl fmt::Debug for TerminateMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "termination of {:?}", self.many)
    }
}
