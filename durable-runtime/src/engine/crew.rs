//! Threads that are started by name and waited for at the end, but not for ever.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

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
}
