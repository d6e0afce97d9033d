//! What other instances sent to one that has no room for it.
//!
//! It is on disk in `sent`, and is found there when the store is opened again; here it waits for the instance to take something.
//! Events of one name keep their order.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::{Inboxes, Tenure};
use crate::clock::Timestamp;
use crate::engine::backlog::{Room, sent_name};
use crate::engine::message::Incoming;
use crate::event::{HistoryEvent, Name};
use crate::id::InstanceKey;

/// What waits for room, by the instance it is for; no queue is empty.
#[derive(Debug, Default)]
pub(super) struct Held(HashMap<InstanceKey, Queue>);

/// What waits for one instance.
#[derive(Debug, Default)]
struct Queue {
    /// With its name in lower case.
    events: VecDeque<(String, Incoming)>,
    /// How many there are of each name.
    names: BTreeMap<String, usize>,
}

impl Inboxes {
    /// Something was recorded of an instance that no turn of it asked for: if anything waits for room there, that is looked at
    /// again, since one that was ended takes nothing and forgets all.
    pub(crate) fn stir(&self, tenure: Tenure, key: InstanceKey) {
        let is_awaited = self.lock().held.0.contains_key(&key);
        if is_awaited {
            self.put(tenure, key, Incoming::Wake);
        }
    }

    /// The names of the events that find no room there, and when they were sent.
    pub(crate) fn without_room(&self, key: InstanceKey) -> Vec<(Name, Timestamp)> {
        let books = self.lock();
        let queue = books.held.0.get(&key);
        let events = queue.into_iter().flat_map(|queue| &queue.events);
        let raised = events.filter_map(|(_, incoming)| match incoming {
            Incoming::Arrival {
                event: HistoryEvent::EventRaised(raised),
                ..
            } => Some((raised.name.clone(), raised.at)),
            _ => None,
        });
        raised.collect()
    }

    /// How many instances have something that waits for room.
    #[cfg(test)]
    pub(crate) fn holding(&self) -> usize {
        self.lock().held.0.len()
    }
}

impl Held {
    /// Keeps what must wait behind others of its name; returns what need not.
    pub(super) fn join(&mut self, key: InstanceKey, incoming: Incoming) -> Option<Incoming> {
        let Some(queue) = self.0.get_mut(&key) else {
            return Some(incoming);
        };
        match sent_name(&incoming).filter(|name| queue.names.contains_key(name)) {
            Some(name) => {
                queue.push(name, incoming);
                None
            }
            None => Some(incoming),
        }
    }

    /// Takes in what found no room, which came before all that waits, and lets those go for which there is room now: they come
    /// to the front of the inbox.
    pub(super) fn settle(
        &mut self,
        key: InstanceKey,
        refused: Vec<Incoming>,
        room: &Room,
        waiting: &mut VecDeque<Incoming>,
    ) {
        if refused.is_empty() && self.0.is_empty() {
            return;
        }
        let mut queue = self.0.remove(&key).unwrap_or_default();
        if !refused.is_empty() {
            queue = queue.behind(refused, waiting);
        }
        for incoming in queue.release(room).into_iter().rev() {
            waiting.push_front(incoming);
        }
        if !queue.events.is_empty() {
            self.0.insert(key, queue);
        }
    }
}

impl Queue {
    fn push(&mut self, name: String, incoming: Incoming) {
        *self.names.entry(name.clone()).or_default() += 1;
        self.events.push_back((name, incoming));
    }

    fn take(&mut self, place: usize) -> Option<Incoming> {
        let (name, incoming) = self.events.remove(place)?;
        if let Some(count) = self.names.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                self.names.remove(&name);
            }
        }
        Some(incoming)
    }

    /// The same behind what was refused, and behind what of its names came after it to the inbox.
    fn behind(self, refused: Vec<Incoming>, waiting: &mut VecDeque<Incoming>) -> Self {
        let mut queue = Self::default();
        for incoming in refused {
            let name = sent_name(&incoming).unwrap_or_default();
            queue.push(name, incoming);
        }
        let names: BTreeSet<_> = queue.names.keys().chain(self.names.keys()).collect();
        let names: BTreeSet<String> = names.into_iter().cloned().collect();
        for incoming in std::mem::take(waiting) {
            match sent_name(&incoming).filter(|name| names.contains(name)) {
                Some(name) => queue.push(name, incoming),
                None => waiting.push_back(incoming),
            }
        }
        for (name, incoming) in self.events {
            queue.push(name, incoming);
        }
        queue
    }

    fn release(&mut self, room: &Room) -> Vec<Incoming> {
        let count = room.any.min(self.events.len());
        let mut released: Vec<_> = (0..count).filter_map(|_| self.take(0)).collect();
        for name in room.names.iter().filter(|_| count == 0) {
            let place = self.events.iter().position(|(held, _)| held == name);
            released.extend(place.and_then(|place| self.take(place)));
        }
        released
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventRaised;
    use crate::payload::Payload;

    const KEY: InstanceKey = InstanceKey(7);

    fn sent(name: &str, number: u32) -> Incoming {
        let raised = EventRaised {
            at: Timestamp(1),
            name: name.to_owned().into(),
            payload: Payload::json(&number).unwrap(),
            event: Some(format!("~sender/1/{number}")),
        };
        Incoming::unasked(HistoryEvent::EventRaised(raised), None)
    }

    fn numbers(events: &VecDeque<Incoming>) -> Vec<u32> {
        let number = |incoming: &Incoming| match incoming {
            Incoming::Arrival {
                event: HistoryEvent::EventRaised(raised),
                ..
            } => raised.payload.decode().unwrap(),
            other => panic!("{other:?}"),
        };
        events.iter().map(number).collect()
    }

    fn room(any: usize, names: &[&str]) -> Room {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Room { any, names }
    }

    #[test]
    fn what_waits_keeps_its_order_by_name_and_goes_as_there_is_room() {
        let mut held = Held::default();
        let mut waiting = VecDeque::from([sent("b", 3), sent("A", 4)]);
        held.settle(
            KEY,
            vec![sent("a", 1), sent("a", 2)],
            &room(0, &[]),
            &mut waiting,
        );
        assert_eq!(numbers(&waiting), [3], "nothing before it has this name");
        assert!(held.join(KEY, sent("a", 5)).is_none());
        let other = held.join(KEY, sent("b", 6)).unwrap();
        waiting.push_back(other);
        assert!(held.join(InstanceKey(8), sent("a", 9)).is_some());
        held.settle(KEY, Vec::new(), &room(2, &[]), &mut waiting);
        assert_eq!(numbers(&waiting), [1, 2, 3, 6]);
        // The first is delivered; what is refused again stands before all others again.
        waiting.pop_front();
        let again = waiting.drain(..1).collect();
        held.settle(KEY, again, &room(0, &[]), &mut waiting);
        held.settle(KEY, Vec::new(), &room(usize::MAX, &[]), &mut waiting);
        assert_eq!(numbers(&waiting), [2, 4, 5, 3, 6]);
        assert!(held.0.is_empty());
    }

    #[test]
    fn what_is_awaited_goes_though_others_wait_before_it() {
        let mut held = Held::default();
        let mut waiting = VecDeque::new();
        let refused = vec![sent("noise", 1), sent("Go", 2), sent("go", 3)];
        held.settle(KEY, refused, &room(0, &[]), &mut waiting);
        held.settle(KEY, Vec::new(), &room(0, &["go", "other"]), &mut waiting);
        assert_eq!(numbers(&waiting), [2]);
    }
}
