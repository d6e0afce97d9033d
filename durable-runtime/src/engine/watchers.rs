//! Those who wait to hear that an instance has changed.

use std::collections::{HashMap, HashSet};

use crate::engine::message::{Effects, Reply, Until, Watch};
use crate::id::InstanceKey;
use crate::store::{Reader, Status, StoreError, Summary};

/// Everybody who waits, by instance.
#[derive(Debug)]
pub(crate) struct Watchers {
    reader: Reader,
    waiting: HashMap<InstanceKey, Vec<Waiting>>,
    /// How many are kept, with those who have gone away since the last look.
    kept: usize,
    /// When so many are kept, those who have gone away are looked for.
    prune_at: usize,
}

/// Fewer than this are never looked through.
const PRUNE_MIN: usize = 64;

/// What one waits for, and where it is told.
type Waiting = (Until, Reply<Result<Option<Summary>, StoreError>>);

impl Watchers {
    pub(crate) fn new(reader: Reader) -> Self {
        Self {
            reader,
            waiting: HashMap::new(),
            kept: 0,
            prune_at: PRUNE_MIN,
        }
    }

    /// Answers a wish with `effects` if it is true already or cannot come true, else keeps it.
    ///
    /// # Errors
    /// The store could not be read.
    pub(crate) fn watch(&mut self, watch: Watch, effects: &mut Effects) -> Result<(), StoreError> {
        let Watch { key, until, reply } = watch;
        match self.reader.summary(key) {
            Ok(Some(summary)) if !until.is_reached(&summary) => {
                self.keep(key, (until, reply));
            }
            Ok(found) => effects.answer(reply, Ok(found)),
            Err(error) if error.is_of_one_instance() => effects.answer(reply, Err(error)),
            Err(error) => {
                effects.keep(reply);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Answers with `effects` those whose wish has come true by a commit of these instances.
    ///
    /// # Errors
    /// The store could not be read.
    pub(crate) fn notify(
        &mut self,
        touched: &[InstanceKey],
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        for key in touched {
            let waiting = self.waiting.remove(key).unwrap_or_default();
            self.kept -= waiting.len();
            for (until, reply) in waiting.into_iter().filter(is_awaited) {
                let key = *key;
                self.watch(Watch { key, until, reply }, effects)?;
            }
        }
        Ok(())
    }

    /// Answers with `effects` all those whose wish is true.
    ///
    /// # Errors
    /// The store could not be read.
    pub(crate) fn notify_all(&mut self, effects: &mut Effects) -> Result<(), StoreError> {
        let mut waited_for: Vec<_> = self.waiting.keys().copied().collect();
        waited_for.sort_unstable();
        self.notify(&waited_for, effects)
    }

    /// Answers with `effects` those who wait for an end that a stall may hold up, each instance's once until `told` is cleared: what they
    /// wait for may be elsewhere.
    ///
    /// # Errors
    /// The store could not be read.
    pub(crate) fn notify_of_stalls(
        &mut self,
        told: &mut HashSet<InstanceKey>,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let mut waited_for: Vec<_> = self.waiting.keys().copied().collect();
        waited_for.sort_unstable();
        for key in waited_for {
            let waiting = self.waiting.entry(key).or_default();
            let is_asked = |(until, _): &mut Waiting| *until == Until::EndedOrUnsound;
            if !waiting.iter_mut().any(is_asked) || !told.insert(key) {
                continue;
            }
            let summary = self.reader.summary(key)?;
            for (_, reply) in waiting.extract_if(.., is_asked) {
                self.kept -= 1;
                effects.answer(reply, Ok(summary.clone()));
            }
        }
        Ok(())
    }

    /// A client that gives up, as at a time-out, says nothing: whenever the number of those kept has doubled, those who have
    /// gone away are let go. So an instance that never changes keeps no more than twice those who wait for it.
    fn keep(&mut self, key: InstanceKey, waiting: Waiting) {
        self.waiting.entry(key).or_default().push(waiting);
        self.kept += 1;
        if self.kept < self.prune_at {
            return;
        }
        self.waiting.retain(|_, of_one| {
            of_one.retain(is_awaited);
            !of_one.is_empty()
        });
        self.kept = self.waiting.values().map(Vec::len).sum();
        self.prune_at = (self.kept * 2).max(PRUNE_MIN);
    }

    /// How many wait; those who have gone away do not.
    pub(crate) fn count(&self) -> usize {
        let all = self.waiting.values().flatten();
        all.filter(|waiting| is_awaited(waiting)).count()
    }
}

fn is_awaited((_, reply): &Waiting) -> bool {
    reply.is_awaited()
}

impl Until {
    fn is_reached(self, summary: &Summary) -> bool {
        let is_wished = match self {
            Self::Ended => false,
            Self::EndedOrUnsound => summary.is_unsound(),
            Self::Started => summary.status != Status::Pending,
            Self::Beyond(seen) => summary.revision() > seen,
            Self::Reached(revision) => summary.revision() >= revision,
        };
        is_wished || summary.completed_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::message::Answer;
    use crate::registry::Registry;
    use crate::testing::TestEngine;

    /// A client asked again and again with a time-out for an instance that stood still: each try left a watch behind, for
    /// ever.
    #[tokio::test]
    async fn who_went_away_is_not_kept_and_who_waits_is() {
        let engine = TestEngine::builder()
            .registry(Registry::new())
            .start()
            .unwrap();
        let mut watchers = Watchers::new(engine.hub.reviver.reader.clone());
        let (patient, mut answer) = Reply::channel();
        watchers.keep(InstanceKey(0), (Until::Ended, patient));
        for number in 0..10_000 {
            // Many for one instance, and one for each of many.
            for key in [0, number] {
                let (reply, gone) = Reply::channel();
                drop(gone);
                watchers.keep(InstanceKey(key), (Until::Ended, reply));
            }
        }
        assert!(watchers.kept <= PRUNE_MIN, "{} are kept", watchers.kept);
        assert_eq!(watchers.count(), 1);
        assert!(answer.try_recv().is_err());
        let mut effects = Effects::default();
        watchers.notify(&[InstanceKey(0)], &mut effects).unwrap();
        assert_eq!(effects.answers.len(), 1);
        effects.answers.into_iter().for_each(Answer::give);
        assert!(answer.await.unwrap().unwrap().is_none());
        assert_eq!(watchers.count(), 0);
    }
}
