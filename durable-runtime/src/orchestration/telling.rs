//! Code that only tells: the log lines of an orchestrator.

use crate::replay::{self, Derived, Owner};

/// Says that a log line is evaluated, which a replay leaves out and a filter may. What is derived meanwhile is derived
/// again after it, so that no line decides which numbers the code gets.
#[derive(Debug)]
pub struct Telling {
    before: Option<(Owner, Derived)>,
    /// A subscriber may read the clock.
    #[cfg(feature = "sandbox")]
    _undecided: replay::Deciding,
}

impl Telling {
    fn new(before: Option<(Owner, Derived)>) -> Self {
        Self {
            before,
            #[cfg(feature = "sandbox")]
            _undecided: replay::Deciding::set(false),
        }
    }
}

/// Hidden doorway of the attributes; may change in any release. `None` while recorded turns are being replayed.
pub fn telling() -> Option<Telling> {
    let before = replay::with(|context| {
        let before = (context.owner(), context.derived());
        (!context.is_replaying()).then(|| {
            context.begin_telling();
            before
        })
    });
    match before {
        Some(before) => before.map(|before| Telling::new(Some(before))),
        None => Some(Telling::new(None)),
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        let Some((owner, before)) = self.before.take() else {
            return;
        };
        replay::with(|context| {
            if context.owner() == owner {
                context.derive_from(before);
                context.end_telling();
            }
        });
    }
}
