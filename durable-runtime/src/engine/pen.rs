//! Who commits: whoever holds the pen.
//!
//! There is one committer, and a thread that waits for submissions to it. A shard that has a single turn to submit, while
//! nobody else commits, takes the pen itself: a lone workflow then needs no change of threads between its turn and the
//! disk, which takes as long as a write. As soon as several come together, the thread gathers them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use crate::engine::committer::Committer;
use crate::engine::failpoint;
use crate::engine::hub::{Hub, Stopped};
use crate::engine::message::{Effects, Submission};
use crate::engine::queue::{Taken, Waited};
use crate::limits;
use crate::store::{StoreError, chain};

/// How long there must be nothing to commit before the file is tidied.
const IDLE: Duration = Duration::from_millis(20);
/// How long a batch waits for the next submission, if the batch before held several.
const GAP: Duration = Duration::from_micros(25);
/// How long is waited for room on a full disk before the file is opened again; twice as long after each time in vain.
const REOPEN_MIN: Duration = Duration::from_millis(100);
/// How long is waited at the most.
const REOPEN_MAX: Duration = Duration::from_secs(10);
/// How long a batch may wait in all.
const LINGER_MAX: Duration = Duration::from_micros(150);

/// The committer, for whoever is to write.
#[derive(Debug)]
pub(crate) struct Pen(Mutex<Held>);

/// What goes with the pen.
#[derive(Debug)]
struct Held {
    /// `None`: it was closed, or somebody panicked while holding it.
    committer: Option<Committer>,
    /// How many submissions the last batch held.
    last: usize,
    /// Whether the keeper waits without end.
    keeper_sleeps: bool,
    /// Whether a shard has committed since the keeper last looked.
    was_lent: bool,
    /// The disk is full: when the file is next to be opened again.
    full: Option<Full>,
}

/// How a full disk is waited for.
#[derive(Debug, Clone, Copy)]
struct Full {
    /// When the file is next to be opened, in monotonic time.
    try_at: Duration,
    /// How long is waited after that.
    patience: Duration,
}

impl Pen {
    pub(crate) fn new(committer: Committer) -> Self {
        Self(Mutex::new(Held {
            committer: Some(committer),
            last: 0,
            keeper_sleeps: false,
            was_lent: false,
            full: None,
        }))
    }

    /// Commits what is submitted, and tidies the file in idle moments, until the engine stops; then closes the file.
    pub(crate) fn keep(&self, hub: &Arc<Hub>) {
        loop {
            let patience = self.lock().patience(hub);
            match hub.submissions.wait(patience) {
                Waited::Filled => self.lock().write(hub, true),
                Waited::Nothing => self.lock().tidy(hub),
                Waited::Closed => break,
            }
        }
        self.lock().close(hub);
    }

    /// Commits a turn that came alone and was laid down, unless others commit now: then it goes with the next batch.
    pub(crate) fn commit_lone(&self, hub: &Arc<Hub>) {
        let held = match self.0.try_lock() {
            Ok(held) => Some(held),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        match held {
            Some(mut held) if held.last <= 1 => {
                held.write(hub, false);
                held.was_lent = true;
                held.wake_keeper(hub);
            }
            _ => hub.submissions.call_taker(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Whoever panicked while holding the pen has lost the committer with it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// How long the keeper waits for submissions before it looks after the file.
    fn patience(&mut self, hub: &Hub) -> Option<Duration> {
        if let Some(full) = self.full {
            return Some(full.try_at.saturating_sub(hub.clock.monotonic()));
        }
        let is_due = self.tidying_is_due();
        self.keeper_sleeps = !is_due;
        is_due.then_some(IDLE)
    }

    /// Has the keeper wait for an idle moment, if there is something to do in it.
    fn wake_keeper(&mut self, hub: &Hub) {
        if self.tidying_is_due() && std::mem::take(&mut self.keeper_sleeps) {
            hub.submissions.nudge();
        }
    }

    fn tidying_is_due(&self) -> bool {
        (self.committer.as_ref()).is_some_and(Committer::maintenance_is_due)
    }

    /// Writes all that was submitted in one batch, and lets follow what follows from it.
    fn write(&mut self, hub: &Arc<Hub>, may_linger: bool) {
        let mut items = hub.submissions.drain();
        if items.is_empty() {
            return;
        }
        if self.full.is_some() {
            self.put_off(items);
            return;
        }
        if may_linger && self.last > 1 {
            items = linger(hub, items);
        }
        self.last = items.len();
        self.work(hub, |committer| {
            committer.submit(items);
            committer.commit(hub.clock.now())
        });
    }

    /// Does a slice of what can wait for an idle moment, unless this is none.
    fn tidy(&mut self, hub: &Arc<Hub>) {
        if let Some(full) = self.full {
            self.try_again(hub, full);
            return;
        }
        if std::mem::take(&mut self.was_lent) {
            return;
        }
        self.work(hub, |committer| {
            committer.maintain().map(|_| Effects::default())
        });
    }

    fn work(
        &mut self,
        hub: &Arc<Hub>,
        work: impl FnOnce(&mut Committer) -> Result<Effects, StoreError>,
    ) {
        let Some(mut committer) = self.committer.take() else {
            return;
        };
        let worked = work(&mut committer);
        hub.count(committer.counters());
        match worked {
            Ok(effects) => {
                failpoint::hit("effects.before");
                hub.release(effects);
                self.committer = Some(committer);
            }
            Err(error) if committer.can_reopen_after(&error) => {
                self.committer = Some(committer);
                self.wait_for_room(hub, &error);
            }
            Err(error) => stop(hub, &error),
        }
    }

    /// The disk is full: nothing more is written until the file could be opened again.
    fn wait_for_room(&mut self, hub: &Hub, error: &StoreError) {
        let why = chain(error);
        tracing::error!(
            "the disk of the event log is full, so nothing is written; the file is opened again as soon as there is room: {why}"
        );
        let reason = format!("its disk is full, and it goes on as soon as there is room: {why}");
        hub.pause(Stopped::for_now(reason));
        self.full = Some(Full {
            try_at: hub.clock.monotonic().saturating_add(REOPEN_MIN),
            patience: REOPEN_MIN,
        });
        self.put_off(hub.submissions.drain());
        hub.submissions.nudge();
    }

    /// Keeps questions for later; drops all else.
    fn put_off(&mut self, items: Vec<Submission>) {
        if let Some(committer) = &mut self.committer {
            committer.keep_questions(items);
        }
    }

    /// Opens the file again, if it is time, and goes on with what it holds.
    fn try_again(&mut self, hub: &Arc<Hub>, full: Full) {
        let now = hub.clock.monotonic();
        if now < full.try_at {
            return;
        }
        let Some(mut committer) = self.committer.take() else {
            return;
        };
        let reopened = committer.reopen(hub.clock.now());
        hub.count(committer.counters());
        match reopened {
            Ok(effects) => {
                tracing::info!("the disk of the event log has room again; all goes on");
                self.full = None;
                hub.resume(effects);
                self.committer = Some(committer);
                self.work(hub, |committer| committer.commit(hub.clock.now()));
            }
            // Somebody may still read the file as it was, which keeps it open.
            Err(error) if error.is_full() || matches!(error, StoreError::AlreadyOpen { .. }) => {
                tracing::warn!("the event log is not opened again yet: {}", chain(&error));
                let patience = (full.patience * 2).min(REOPEN_MAX);
                self.full = Some(Full {
                    try_at: now.saturating_add(patience),
                    patience,
                });
                self.committer = Some(committer);
            }
            Err(error) => stop(hub, &error),
        }
    }

    fn close(&mut self, hub: &Hub) {
        let closed =
            (self.committer.take()).map_or(Ok(()), |committer| committer.close(hub.clock.now()));
        if let Err(error) = closed {
            tracing::error!(%error, "the event log was not closed cleanly; nothing that was acknowledged is lost");
        }
    }
}

/// Nothing can be written any more.
fn stop(hub: &Hub, error: &StoreError) {
    let why = chain(error);
    tracing::error!("the engine stops: it can no longer write its event log: {why}");
    hub.stop(Stopped::because(why));
    hub.abandon();
}

/// Lets the turns that the last batch released answer, so that they share a commit.
fn linger(hub: &Hub, mut items: Vec<Submission>) -> Vec<Submission> {
    let until = hub.clock.monotonic().saturating_add(LINGER_MAX);
    while items.len() < limits::BATCH_RECORDS_MAX && hub.clock.monotonic() < until {
        match hub.submissions.take(Some(GAP)) {
            Taken::Items(more) => items.extend(more),
            Taken::Nothing | Taken::Closed => break,
        }
    }
    items
}
