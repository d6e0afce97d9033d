//! A queue between two threads that hands over everything at once.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// What is pushed by many and taken, all of it, by one.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    /// Told of every push, for a taker that awaits.
    bell: Option<Arc<Notify>>,
}

#[derive(Debug)]
struct State<T> {
    items: Vec<T>,
    is_closed: bool,
    taker_waits: bool,
    is_nudged: bool,
}

/// How a wait for items ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// There is something; whoever comes first takes it.
    Filled,
    /// Nothing came in time, or the taker was nudged.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

/// What a taker found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken<T> {
    Items(Vec<T>),
    /// Nothing came in time.
    Nothing,
    /// Nothing will come any more.
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(bell: Option<Arc<Notify>>) -> Self {
        let state = State {
            items: Vec::new(),
            is_closed: false,
            taker_waits: false,
            is_nudged: false,
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            bell,
        }
    }

    /// Adds items; false, and they are dropped, if the queue is closed.
    pub(crate) fn push(&self, items: impl IntoIterator<Item = T>) -> bool {
        let mut state = self.lock();
        if state.is_closed {
            return false;
        }
        state.items.extend(items);
        self.call(state);
        true
    }

    /// Adds items, as [`push`](Self::push) does, but does not wake the taker: the caller sees to it that they are taken.
    pub(crate) fn lay_down(&self, items: impl IntoIterator<Item = T>) {
        let mut state = self.lock();
        if !state.is_closed {
            state.items.extend(items);
        }
    }

    /// Wakes a taker that waits, if there is something for it.
    pub(crate) fn call_taker(&self) {
        let state = self.lock();
        if !state.items.is_empty() {
            self.call(state);
        }
    }

    /// Has a taker that waits look up, though there may be nothing to take.
    pub(crate) fn nudge(&self) {
        let mut state = self.lock();
        state.is_nudged = true;
        self.call(state);
    }

    fn call(&self, mut state: MutexGuard<'_, State<T>>) {
        let is_awaited = std::mem::take(&mut state.taker_waits);
        drop(state);
        if is_awaited {
            self.filled.notify_one();
        }
        self.bell.iter().for_each(|bell| bell.notify_one());
    }

    /// Takes everything that is there; waits for something up to `patience`, or for ever.
    pub(crate) fn take(&self, patience: Option<Duration>) -> Taken<T> {
        let (mut state, waited) = self.await_items(patience);
        match waited {
            Waited::Filled => Taken::Items(std::mem::take(&mut state.items)),
            Waited::Nothing => Taken::Nothing,
            Waited::Closed => Taken::Closed,
        }
    }

    /// Waits for something up to `patience`, or for ever, and leaves it there.
    pub(crate) fn wait(&self, patience: Option<Duration>) -> Waited {
        self.await_items(patience).1
    }

    fn await_items(&self, patience: Option<Duration>) -> (MutexGuard<'_, State<T>>, Waited) {
        let mut state = self.lock();
        loop {
            if !state.items.is_empty() {
                return (state, Waited::Filled);
            }
            if state.is_closed {
                return (state, Waited::Closed);
            }
            if std::mem::take(&mut state.is_nudged) {
                return (state, Waited::Nothing);
            }
            state.taker_waits = true;
            let Some(patience) = patience else {
                let waited = self.filled.wait(state);
                state = waited.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let waited = self.filled.wait_timeout(state, patience);
            let (again, result) = waited.unwrap_or_else(PoisonError::into_inner);
            state = again;
            if result.timed_out() && state.items.is_empty() && !state.is_closed {
                state.taker_waits = false;
                return (state, Waited::Nothing);
            }
        }
    }

    /// Takes everything that is there, without waiting.
    pub(crate) fn drain(&self) -> Vec<T> {
        std::mem::take(&mut self.lock().items)
    }

    /// Refuses whatever is pushed from now on; what is there can still be taken.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_all();
        self.bell.iter().for_each(|bell| bell.notify_one());
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code of a user runs under this lock, and none of ours leaves it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_handed_over_in_order_and_a_closed_queue_is_emptied_first() {
        let queue = Queue::new(None);
        assert!(queue.push([1, 2]));
        assert!(queue.push([3]));
        queue.close();
        assert!(!queue.push([4]));
        assert_eq!(queue.take(None), Taken::Items(vec![1, 2, 3]));
        assert_eq!(queue.take(None), Taken::Closed);
    }

    #[test]
    fn a_taker_is_woken_by_a_push_from_another_thread() {
        let queue = Arc::new(Queue::new(None));
        let other = Arc::clone(&queue);
        let taker = std::thread::spawn(move || other.take(None));
        assert!(queue.push(["hello"]));
        assert_eq!(taker.join().unwrap(), Taken::Items(vec!["hello"]));
        assert_eq!(queue.take(Some(Duration::from_millis(1))), Taken::Nothing);
    }
}
