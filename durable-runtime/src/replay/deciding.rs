//! Whether code runs whose decisions have to be the same on replay.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

thread_local! {
    // Without a destructor and without lazy beginnings: it is read inside the calls that an allocator makes.
    static DECIDING: Cell<bool> = const { Cell::new(false) };
}

/// Whether an orchestrator is being polled on this thread, and is neither in a side effect nor in a log line.
pub(crate) fn is_deciding() -> bool {
    DECIDING.get()
}

/// Holds until it is dropped; then it is again as before.
#[derive(Debug)]
pub(crate) struct Deciding(bool);

impl Deciding {
    pub(crate) fn set(is_deciding: bool) -> Self {
        // The first map of a thread draws its seeds, which is nothing that code decided.
        std::hint::black_box(RandomState::new().hash_one(0_u8));
        Self(DECIDING.replace(is_deciding))
    }
}

impl Drop for Deciding {
    fn drop(&mut self) {
        DECIDING.set(self.0);
    }
}
