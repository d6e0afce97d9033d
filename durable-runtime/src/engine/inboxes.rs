//! What a shard knows of its instances beside their code, kept where a turn without end cannot hold it.
//!
//! The shard's thread has the suspended futures, which no other thread can have. All else is here: what has arrived, what is on
//! its way to the disk, which turn runs. So when a turn does not end, another thread takes over: the futures are rebuilt by
//! replay, and nothing that has arrived is lost.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::backlog::Room;
use crate::engine::message::{Incoming, Reply, Submission, TurnCommit};
use crate::engine::watch::Alarm;
use crate::id::InstanceKey;
use crate::limits;

mod held;

use held::Held;

/// The inboxes of one shard.
#[derive(Debug, Default)]
pub(crate) struct Inboxes {
    books: Mutex<Books>,
    alarm: Arc<Alarm>,
}

#[derive(Debug, Default)]
struct Books {
    /// What counts now.
    tenure: Tenure,
    /// Nothing counts, whatever the tenure.
    is_suspended: bool,
    inboxes: HashMap<InstanceKey, Inbox>,
    ready: VecDeque<InstanceKey>,
    held: Held,
    /// Turns that have run and are not handed over yet.
    done: Vec<TurnCommit>,
    probes: Vec<Reply<bool>>,
    running: Option<Running>,
    /// How many turns have been run.
    turns: u64,
    /// How many turns were taken from their threads and have not ended since.
    lost: u64,
}

/// Since when a thread has a shard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tenure {
    /// Rises whenever the shard is given to another thread.
    owner: u64,
    /// Rises whenever what has not been handed over counts for nothing any more; so also then.
    epoch: u64,
}

impl Tenure {
    /// Tells the threads of one shard apart.
    pub(crate) fn owner(self) -> u64 {
        self.owner
    }
}

/// What a step of an instance came to.
#[derive(Debug)]
pub(crate) struct Stepped {
    /// To be handed over.
    pub(crate) commit: Option<TurnCommit>,
    /// Goes back to the front of its inbox.
    pub(crate) rest: Vec<Incoming>,
    /// Was sent by other instances and found no room.
    pub(crate) held: Vec<Incoming>,
    /// Which of those that found no room may come back.
    pub(crate) room: Room,
}

impl Stepped {
    /// Everything was dealt with, and nothing waits for room.
    pub(crate) fn of(commit: Option<TurnCommit>) -> Self {
        Self {
            commit,
            rest: Vec::new(),
            held: Vec::new(),
            room: Room::UNBOUNDED,
        }
    }
}

/// What waits for one instance that is not idle.
#[derive(Debug, Default)]
struct Inbox {
    waiting: VecDeque<Incoming>,
    is_committing: bool,
    is_ready: bool,
}

/// How far the next turn of an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextTurn {
    /// Nothing calls for one.
    None,
    /// It waits for its thread.
    Due,
    /// It runs, or its instance is being brought back.
    Running,
    /// It has run, and is on its way to the disk.
    Committing,
}

/// The turn that runs.
#[derive(Debug)]
struct Running {
    key: InstanceKey,
    number: u64,
    /// What it delivers, with whoever waits to hear of it.
    arrivals: Vec<Incoming>,
}

impl Inboxes {
    /// Inboxes whose turns wake whoever watches how long they take.
    pub(crate) fn new(alarm: Arc<Alarm>) -> Self {
        Self {
            books: Mutex::default(),
            alarm,
        }
    }

    /// The tenure that begins now.
    pub(crate) fn tenure(&self) -> Tenure {
        self.lock().tenure
    }

    /// Drops all that has not been handed over; what runs counts for nothing. Returns the tenure from now on.
    pub(crate) fn reset(&self) -> Tenure {
        self.begin_anew(false)
    }

    /// Drops the same; nothing counts until the next [`reset`](Self::reset), not even of a thread that takes over meanwhile.
    pub(crate) fn suspend(&self) {
        self.begin_anew(true);
    }

    fn begin_anew(&self, is_suspended: bool) -> Tenure {
        let mut books = self.lock();
        let running = books.running.take().map(|turn| Running {
            arrivals: Vec::new(),
            ..turn
        });
        let dropped = books.renew();
        books.running = running;
        books.is_suspended = is_suspended;
        let tenure = books.tenure;
        drop(books);
        // Whoever waits is woken outside the lock.
        drop(dropped);
        tenure
    }

    /// Puts something into an inbox. Where nothing is kept for now, it is dropped, and with it the reply.
    pub(crate) fn put(&self, tenure: Tenure, key: InstanceKey, incoming: Incoming) {
        let mut books = self.lock();
        if !books.counts(tenure) {
            return;
        }
        let Some(incoming) = books.held.join(key, incoming) else {
            return;
        };
        let inbox = books.inboxes.entry(key).or_default();
        inbox.waiting.push_back(incoming);
        books.settle(key);
    }

    /// Whatever the instance had on its way to the disk has come to its end.
    pub(crate) fn committed(&self, tenure: Tenure, key: InstanceKey) {
        let mut books = self.lock();
        if !books.counts(tenure) {
            return;
        }
        if let Some(inbox) = books.inboxes.get_mut(&key) {
            inbox.is_committing = false;
        }
        books.settle(key);
    }

    /// Keeps a question until everything before it is dealt with.
    pub(crate) fn probe(&self, tenure: Tenure, reply: Reply<bool>) {
        let mut books = self.lock();
        if books.counts(tenure) {
            books.probes.push(reply);
        }
    }

    /// Whether what is done in this tenure counts.
    pub(crate) fn counts(&self, tenure: Tenure) -> bool {
        self.lock().counts(tenure)
    }

    pub(crate) fn is_ready(&self, tenure: Tenure) -> bool {
        let books = self.lock();
        books.counts(tenure) && !books.ready.is_empty()
    }

    /// Whether nothing waits for this instance and nothing of it is on its way.
    pub(crate) fn is_idle(&self, key: InstanceKey) -> bool {
        !self.lock().inboxes.contains_key(&key)
    }

    /// How far the next turn of this instance is.
    pub(crate) fn next_turn(&self, key: InstanceKey) -> NextTurn {
        let books = self.lock();
        if (books.running.as_ref()).is_some_and(|running| running.key == key) {
            return NextTurn::Running;
        }
        match books.inboxes.get(&key) {
            None => NextTurn::None,
            Some(inbox) if inbox.is_committing => NextTurn::Committing,
            // It is being brought back.
            Some(inbox) if !inbox.is_ready => NextTurn::Running,
            Some(_) => NextTurn::Due,
        }
    }

    /// The next instance that is ready, and what one turn of it may deliver; the rest stays, in order, for the next.
    pub(crate) fn next(&self, tenure: Tenure) -> Option<(InstanceKey, Vec<Incoming>)> {
        let mut books = self.lock();
        if !books.counts(tenure) {
            return None;
        }
        let key = books.ready.pop_front()?;
        let inbox = books.inboxes.get_mut(&key)?;
        inbox.is_ready = false;
        Some((key, inbox.of_one_turn()))
    }

    /// Notes that a turn runs, and returns what it is to deliver. Whoever waits to hear of it is kept here.
    pub(crate) fn begin(
        &self,
        tenure: Tenure,
        key: InstanceKey,
        arrivals: Vec<Incoming>,
    ) -> Vec<Incoming> {
        let delivered = arrivals.iter().map(Incoming::without_reply).collect();
        let mut books = self.lock();
        if books.tenure.owner != tenure.owner {
            return delivered;
        }
        let (arrivals, dropped) = if books.counts(tenure) {
            (arrivals, Vec::new())
        } else {
            // It runs all the same, and may have no end.
            (Vec::new(), arrivals)
        };
        books.turns += 1;
        let number = books.turns;
        books.running = Some(Running {
            key,
            number,
            arrivals,
        });
        drop(books);
        // Whoever waits is woken outside the lock.
        drop(dropped);
        self.alarm.ring();
        delivered
    }

    /// The turn has run, and what is still to be done for it has the time of another one.
    pub(crate) fn prolong(&self, tenure: Tenure) {
        let books = &mut *self.lock();
        books.turns += 1;
        if let (Some(running), true) = (&mut books.running, books.tenure.owner == tenure.owner) {
            running.number = books.turns;
        }
    }

    /// The turn has run; returns whoever waits to hear of it. `None`: it was taken from this thread, and counts for nothing.
    pub(crate) fn end(&self, tenure: Tenure) -> Option<Vec<Incoming>> {
        let mut books = self.lock();
        if books.tenure.owner != tenure.owner {
            books.lost = books.lost.saturating_sub(1);
            return None;
        }
        if !books.counts(tenure) {
            books.running = None;
            return None;
        }
        let ended = books.running.take();
        Some(ended.map(|turn| turn.arrivals).unwrap_or_default())
    }

    /// Notes what a step of an instance came to; returns how many turns are to be handed over.
    pub(crate) fn note(&self, tenure: Tenure, key: InstanceKey, stepped: Stepped) -> usize {
        let Stepped {
            commit,
            rest,
            held,
            room,
        } = stepped;
        let mut guard = self.lock();
        let books = &mut *guard;
        if !books.counts(tenure) {
            return 0;
        }
        let inbox = books.inboxes.entry(key).or_default();
        inbox.is_committing = commit.is_some();
        for incoming in rest.into_iter().rev() {
            inbox.waiting.push_front(incoming);
        }
        (books.held).settle(key, held, &room, &mut inbox.waiting);
        books.done.extend(commit);
        books.settle(key);
        books.done.len()
    }

    /// Has the turns that are to be committed submitted; returns how many these are. They are either submitted before the
    /// tenure ends, or not at all.
    pub(crate) fn hand_over(&self, tenure: Tenure, submit: impl FnOnce(Vec<Submission>)) -> usize {
        let mut books = self.lock();
        if !books.counts(tenure) || books.done.is_empty() {
            return 0;
        }
        let done = books.take_done();
        let count = done.len();
        submit(done);
        count
    }

    /// Answers those who asked whether nothing is on its way to the disk.
    pub(crate) fn answer_probes(&self, tenure: Tenure) {
        let mut books = self.lock();
        if !books.counts(tenure) || books.probes.is_empty() {
            return;
        }
        let is_quiet = books.inboxes.is_empty();
        let probes = std::mem::take(&mut books.probes);
        drop(books);
        for reply in probes {
            reply.send(is_quiet);
        }
    }

    /// The turn that runs, if one does.
    pub(crate) fn running(&self) -> Option<u64> {
        self.lock().running.as_ref().map(|turn| turn.number)
    }

    /// Whether no turn runs, not even on a thread that was left behind.
    pub(crate) fn runs_nothing(&self) -> bool {
        let books = self.lock();
        books.running.is_none() && books.lost == 0
    }

    /// How many turns were run.
    pub(crate) fn turns(&self) -> u64 {
        self.lock().turns
    }

    /// Takes the shard from its thread, if this turn still runs, and returns whose it was. What the turn was to deliver goes back
    /// to its inbox; turns of others that had run before it are submitted.
    pub(crate) fn abandon(
        &self,
        number: u64,
        submit: impl FnOnce(Vec<Submission>),
    ) -> Option<InstanceKey> {
        let mut books = self.lock();
        if books.running.as_ref()?.number != number {
            return None;
        }
        let Running { key, arrivals, .. } = books.running.take()?;
        books.tenure.owner += 1;
        books.tenure.epoch += 1;
        books.lost += 1;
        let inbox = books.inboxes.entry(key).or_default();
        for incoming in arrivals.into_iter().rev() {
            inbox.waiting.push_front(incoming);
        }
        // Also if it had nothing to deliver.
        inbox.waiting.push_back(Incoming::Wake);
        books.settle(key);
        let done = books.take_done();
        if !done.is_empty() {
            submit(done);
        }
        Some(key)
    }

    /// Drops everything, for good, and with it the replies: those who wait for them hear that the outcome is unknown.
    pub(crate) fn close(&self) {
        let mut books = self.lock();
        let dropped = books.renew();
        books.tenure.owner += 1;
        drop(books);
        // Whoever waits is woken outside the lock.
        drop(dropped);
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        // No code of a user runs under this lock, and none of ours leaves it half changed.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Whether what is done in this tenure counts.
    fn counts(&self, tenure: Tenure) -> bool {
        self.tenure == tenure && !self.is_suspended
    }

    /// Begins anew, in the next epoch; returns all that was there.
    fn renew(&mut self) -> Self {
        let Tenure { owner, epoch } = self.tenure;
        let renewed = Self {
            tenure: Tenure {
                owner,
                epoch: epoch + 1,
            },
            turns: self.turns,
            lost: self.lost,
            is_suspended: self.is_suspended,
            ..Self::default()
        };
        std::mem::replace(self, renewed)
    }

    fn take_done(&mut self) -> Vec<Submission> {
        let done = std::mem::take(&mut self.done).into_iter();
        done.map(Box::new).map(Submission::Turn).collect()
    }

    /// Makes an instance ready if it can run, and forgets one for which nothing waits.
    fn settle(&mut self, key: InstanceKey) {
        let Some(inbox) = self.inboxes.get_mut(&key) else {
            return;
        };
        if inbox.is_committing || inbox.is_ready {
            return;
        }
        if inbox.waiting.is_empty() {
            self.inboxes.remove(&key);
        } else {
            inbox.is_ready = true;
            self.ready.push_back(key);
        }
    }
}

impl Inbox {
    fn of_one_turn(&mut self) -> Vec<Incoming> {
        let mut bytes = 0;
        let mut fits = |incoming: &Incoming| {
            bytes += incoming.payload_bytes();
            bytes <= limits::TURN_ARRIVAL_BYTES_MAX
        };
        let candidates = self.waiting.iter().take(limits::TURN_ARRIVALS_MAX);
        let count = candidates.take_while(|incoming| fits(incoming)).count();
        // One that is too large by itself must go as well.
        let count = count.max(1).min(self.waiting.len());
        self.waiting.drain(..count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: InstanceKey = InstanceKey(7);

    /// Its thread would have been held for good: nobody else knew that it ran.
    #[test]
    fn a_turn_that_begins_when_nothing_counts_any_more_is_taken_from_its_thread_like_any_other() {
        let inboxes = Inboxes::default();
        let tenure = inboxes.tenure();
        inboxes.put(tenure, KEY, Incoming::Wake);
        let (key, arrivals) = inboxes.next(tenure).unwrap();
        // The disk fills while the instance is brought back.
        inboxes.suspend();
        inboxes.begin(tenure, key, arrivals);
        let number = inboxes.running().unwrap();
        assert_eq!(inboxes.abandon(number, drop), Some(KEY));
        assert!(inboxes.end(tenure).is_none());
    }

    /// It would have run what had arrived before the file was opened again, beside the same from the file.
    #[test]
    fn a_thread_that_takes_over_while_nothing_counts_waits_for_the_next_epoch() {
        let inboxes = Inboxes::default();
        let tenure = inboxes.tenure();
        inboxes.put(tenure, KEY, Incoming::Wake);
        let (key, arrivals) = inboxes.next(tenure).unwrap();
        inboxes.begin(tenure, key, arrivals);
        inboxes.suspend();
        let number = inboxes.running().unwrap();
        inboxes.abandon(number, drop).unwrap();
        let next = inboxes.tenure();
        inboxes.put(next, InstanceKey(8), Incoming::Wake);
        assert!(!inboxes.is_ready(next) && inboxes.next(next).is_none());
        let next = inboxes.reset();
        assert!(!inboxes.is_ready(next));
        inboxes.put(next, InstanceKey(8), Incoming::Wake);
        assert!(inboxes.is_ready(next));
    }
}
