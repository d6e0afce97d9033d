//! Why an engine refuses.

/// The engine has stopped, or is about to; or it takes nothing [for now](Self::is_temporary).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", if *is_temporary { "the engine takes nothing for now" } else { "the engine has stopped" })]
pub struct Stopped {
    reason: String,
    is_temporary: bool,
}

impl Stopped {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_temporary: false,
        }
    }

    /// It goes on by itself.
    pub(crate) fn for_now(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_temporary: true,
        }
    }

    /// Why it stopped.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether it goes on by itself, so that the same can be tried again later: its disk is full, and it opens its file again
    /// as soon as there is room.
    pub fn is_temporary(&self) -> bool {
        self.is_temporary
    }
}
