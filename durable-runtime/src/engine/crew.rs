//! Threads that are started by name and waited for at the end, but not for ever.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, ThreadId};

use crate::limits;

/// The threads of one engine.
#[derive(Debug, Default)]
pub(crate) struct Crew {
    state: Arc<State>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct State {
    at_work: Mutex<usize>,
    /// Threads that do not count any more.
    left_behind: Mutex<HashSet<ThreadId>>,
    left: Condvar,
}

/// Notes that a thread has ended, however it did.
struct Leaving(Arc<State>);

impl Crew {
    /// Starts a thread.
    pub(crate) fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
        *self.state.at_work() += 1;
        let leaving = Leaving(Arc::clone(&self.state));
        let builder = std::thread::Builder::new().name(name.to_owned());
        let handle = builder.spawn(move || {
            let _leaving = leaving;
            body();
        })?;
        self.handles().push(handle);
        Ok(())
    }

    /// How many threads are left behind and have not ended since.
    pub(crate) fn lost(&self) -> usize {
        self.state.left_behind().len()
    }

    /// Counts a thread of this name no more: it is held by code that has no end.
    pub(crate) fn leave_behind(&self, name: &str) {
        let mut left_behind = self.state.left_behind();
        let mut handles = self.handles();
        let found = (handles.iter()).position(|handle| handle.thread().name() == Some(name));
        if let Some(found) = found {
            left_behind.insert(handles.swap_remove(found).thread().id());
            *self.state.at_work() -= 1;
            self.state.left.notify_all();
        }
    }

    /// Waits until all have ended. One that does not in time, since code of a user holds it, is left behind and told of;
    /// so is the one that this is called on.
    pub(crate) fn dismiss(&self) {
        let handles = std::mem::take(&mut *self.handles());
        let me = std::thread::current().id();
        let mine = handles
            .iter()
            .filter(|handle| handle.thread().id() == me)
            .count();
        let have_left = self.state.wait_for(mine);
        for handle in handles
            .into_iter()
            .filter(|handle| handle.thread().id() != me)
        {
            if have_left || handle.is_finished() {
                // Its panic was told of where it happened.
                drop(handle.join());
            } else {
                let name = handle.thread().name().unwrap_or_default();
                tracing::error!(
                    "thread `{name}` is left behind: code of an orchestrator has held it for {} s since the engine was stopped",
                    limits::THREAD_END_MAX.as_secs()
                );
            }
        }
    }

    fn handles(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn at_work(&self) -> MutexGuard<'_, usize> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left_behind(&self) -> MutexGuard<'_, HashSet<ThreadId>> {
        let left_behind = self.left_behind.lock();
        left_behind.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no more than `rest` are at work, up to the limit; false if more still are.
    fn wait_for(&self, rest: usize) -> bool {
        let has_more = |at_work: &mut usize| *at_work > rest;
        let waited = self
            .left
            .wait_timeout_while(self.at_work(), limits::THREAD_END_MAX, has_more);
        let (_at_work, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let me = std::thread::current().id();
        if self.0.left_behind().remove(&me) {
            return;
        }
        *self.0.at_work() -= 1;
        self.0.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn everybody_is_waited_for_also_who_panics() {
        let crew = Crew::default();
        let (done, all) = mpsc::channel();
        for number in 0..3 {
            let done = done.clone();
            crew.spawn("durable-test", move || {
                done.send(number).unwrap();
                assert!(number != 1, "the second one panics");
            })
            .unwrap();
        }
        crew.dismiss();
        assert_eq!(all.try_iter().count(), 3);
        assert_eq!(*crew.state.at_work(), 0);
    }

    #[test]
    fn a_thread_does_not_wait_for_itself() {
        let crew = Arc::new(Crew::default());
        let (done, ended) = mpsc::channel();
        let (its_crew, (go, may_go)) = (Arc::clone(&crew), mpsc::channel::<()>());
        crew.spawn("durable-test", move || {
            may_go.recv().unwrap();
            its_crew.dismiss();
            done.send(()).unwrap();
        })
        .unwrap();
        go.send(()).unwrap();
        ended.recv().unwrap();
    }

    #[test]
    fn who_is_left_behind_is_not_waited_for_and_counts_until_it_ends() {
        let crew = Crew::default();
        let (go, may_go) = mpsc::channel::<()>();
        let (done, ended) = mpsc::channel::<()>();
        crew.spawn("durable-held", move || {
            may_go.recv().unwrap();
            drop(done);
        })
        .unwrap();
        crew.spawn("durable-free", || ()).unwrap();
        crew.leave_behind("durable-held");
        assert_eq!(crew.lost(), 1);
        crew.dismiss();
        assert_eq!(*crew.state.at_work(), 0);
        go.send(()).unwrap();
        assert!(ended.recv().is_err());
        while crew.lost() > 0 {
            std::thread::yield_now();
        }
        assert_eq!(*crew.state.at_work(), 0);
    }
}
