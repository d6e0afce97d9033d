//! Instances that have ended and go on.

use super::World;
use crate::event::encoding::samples::{activity, payload};
use crate::event::{ExecutionRewound, HistoryEvent};
use crate::id::EventId;
use crate::store::{StoreError, Transaction};

impl World {
    /// Some of those that have ended go on.
    pub(super) fn rewind(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        let Some(mut reaper) = self.reaper.clone() else {
            return Ok(());
        };
        let ended = self.model.0.keys().filter(|key| !self.live.contains(key));
        for key in ended.copied().collect::<Vec<_>>() {
            if reaper.one_in(16) {
                let next = self.model.outstanding(key).next.0 * 8;
                let rewound = ExecutionRewound {
                    at: self.now(),
                    reason: "mended".to_owned(),
                    void: Vec::new(),
                    next: EventId(next + 2),
                    undelivered: 1,
                    activities: vec![activity(next)],
                    timers: vec![(EventId(next + 1), self.now())],
                    children: Vec::new(),
                    awaited: Vec::new(),
                    status: Some(payload("again")),
                    is_alone: true,
                };
                let rewound = HistoryEvent::ExecutionRewound(Box::new(rewound));
                self.append(transaction, key, vec![rewound])?;
                self.live.push(key);
            }
        }
        self.reaper = Some(reaper);
        Ok(())
    }
}
