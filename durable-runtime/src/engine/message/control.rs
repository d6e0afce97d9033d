//! What somebody wants done to an instance, whatever its code does.

use super::Reply;
use crate::id::InstanceKey;
use crate::store::Status;

/// A wish that the committer fulfils by itself: no code of the instance is asked.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) key: InstanceKey,
    pub(crate) wish: Wish,
    /// Why, in the words of whoever wishes.
    pub(crate) reason: String,
    pub(crate) reply: Reply<Controlled>,
}

/// What is to become of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It ends.
    Terminate(Reach),
    /// It is held: no turn of it runs.
    Suspend,
    /// It goes on.
    Resume,
}

/// How far a termination reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Reach {
    /// The instance itself.
    #[default]
    Alone,
    /// All the children that it waits for as well, theirs, and so on.
    Tree,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Controlled {
    /// It is recorded.
    Recorded,
    /// It was so already; nothing was recorded.
    Already,
    /// The instance has ended, in this way; nothing was recorded.
    Ended(Status),
    /// There is no such instance.
    Unknown,
    /// What is recorded of the instance is damaged, as this says; nothing was recorded.
    Unreadable(String),
}
