//! What becomes of an instance whose id another start asks for.

use crate::id::InstanceKey;
use crate::store::Status;

/// What a start does if an instance has its id already.
///
/// A replaced instance is [purged](crate::Instance::purge), and the new one is created, in the same commit: of many starts at
/// once, each finds one instance. The new instance has nothing of the old one: what is still on its way to the old one, as
/// the result of an activity, is dropped.
///
/// # Examples
///
/// A job of which at most one runs, and that can be started anew once it has ended:
///
/// ```standalone_crate
/// use durable_runtime::Reuse;
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[orchestrator]
/// async fn nightly(day: u32) -> u32 {
///     sleep(hours(1)).await;
///     day
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let start = |day| engine.start(nightly(day)).id("nightly").reuse(Reuse::replace_ended());
/// let monday = start(1).await?;
/// assert!(start(2).await.is_err_and(|error| error.is_conflict()));
/// assert_eq!(monday.result().await?, 1);
/// assert_eq!(start(2).await?.result().await?, 2);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse(pub(crate) Rule);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The start is of that instance, if it asks for the same.
    Attach,
    /// It takes the place of an instance of one of these statuses, and of no other.
    Replace(Statuses),
    /// It takes the place of this instance, if that has ended.
    Succeed(InstanceKey),
}

/// Some of all statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Statuses(u8);

impl Reuse {
    /// The start is of the instance that is there, ended or not, if name, version and input are the same; else it is a
    /// conflict. So a start can be repeated. This is what a start does unless told otherwise.
    pub fn attach() -> Self {
        Self(Rule::Attach)
    }

    /// Whatever is there is a conflict, also if it asks for the same.
    pub fn refuse() -> Self {
        Self(Rule::Replace(Statuses::default()))
    }

    /// An instance that has ended, in whichever way, is replaced; another one is a conflict.
    pub fn replace_ended() -> Self {
        Self::replace([Status::Completed, Status::Failed, Status::Terminated])
    }

    /// An instance of one of these statuses is replaced; another one is a conflict. One that has not ended is terminated first,
    /// so with any such status, [`Status::Terminated`] has to be among them.
    pub fn replace(statuses: impl IntoIterator<Item = Status>) -> Self {
        let bits = statuses.into_iter().map(bit);
        Self(Rule::Replace(Statuses(bits.fold(0, |all, bit| all | bit))))
    }

    /// Whatever is there is replaced; what has not ended is terminated first. Whoever waits for it as its parent, or
    /// for its outcome, hears of that before it is replaced.
    pub fn replace_any() -> Self {
        Self::replace(Status::ALL.iter().copied())
    }

    /// The status for which this makes no sense: an instance of it is to be replaced, but not once it is terminated.
    pub(crate) fn contradiction(self) -> Option<Status> {
        let Self(Rule::Replace(statuses)) = self else {
            return None;
        };
        let mut running = Status::ALL.iter().filter(|status| !status.has_ended());
        let first = running.find(|status| statuses.contains(**status)).copied();
        first.filter(|_| !statuses.contains(Status::Terminated))
    }
}

impl Default for Reuse {
    /// [`attach`](Self::attach).
    fn default() -> Self {
        Self::attach()
    }
}

impl Statuses {
    pub(crate) fn contains(self, status: Status) -> bool {
        self.0 & bit(status) != 0
    }
}

fn bit(status: Status) -> u8 {
    1 << status.number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_replaces_what_it_says_and_only_that() {
        let replaced = |reuse: Reuse| match reuse.0 {
            Rule::Replace(statuses) => (Status::ALL.iter().copied())
                .filter(|status| statuses.contains(*status))
                .collect::<Vec<_>>(),
            _ => panic!("{reuse:?} replaces"),
        };
        assert_eq!(replaced(Reuse::refuse()), []);
        assert_eq!(replaced(Reuse::replace_any()), Status::ALL);
        assert!(
            replaced(Reuse::replace_ended())
                .into_iter()
                .all(Status::has_ended)
        );
        assert_eq!(replaced(Reuse::replace_ended()).len(), 3);
        for status in Status::ALL.iter().copied() {
            assert_eq!(replaced(Reuse::replace([status])), [status]);
        }
    }

    #[test]
    fn what_would_be_replaced_but_not_once_it_is_terminated_is_a_contradiction() {
        for status in Status::ALL.iter().copied() {
            let alone = Reuse::replace([status]).contradiction();
            assert_eq!(alone, (!status.has_ended()).then_some(status));
            let both = Reuse::replace([status, Status::Terminated]);
            assert_eq!(both.contradiction(), None);
        }
        assert_eq!(Reuse::attach().contradiction(), None);
        assert_eq!(Reuse::replace_any().contradiction(), None);
    }
}
