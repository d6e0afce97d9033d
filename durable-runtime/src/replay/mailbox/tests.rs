use std::collections::VecDeque;

use super::super::wake::{NodeId, Order, WakeTree};
use super::*;
use crate::clock::Timestamp;
use crate::payload::Payload;

fn event(number: u64) -> EventRaised {
    EventRaised {
        at: Timestamp(1),
        name: "go".into(),
        payload: Payload::json(&number).unwrap(),
        event: None,
    }
}

/// A waiter, wherever it stands.
fn register(mailbox: &mut Mailbox) -> u64 {
    let site = SourceSite::caller();
    mailbox.register("go", site, Timestamp(1))
}

/// The rule itself, without any haste: the k-th waiter is entitled to the k-th event.
#[derive(Default)]
struct Rule {
    waiters: Vec<u64>,
    events: VecDeque<u64>,
}

impl Rule {
    fn entitled(&self, waiter: u64) -> Option<usize> {
        let place = self.waiters.iter().position(|it| *it == waiter)?;
        (place < self.events.len()).then_some(place)
    }

    fn last_entitled(&self) -> Option<u64> {
        self.waiters.get(self.events.len().checked_sub(1)?).copied()
    }

    fn raise(&mut self, event: u64) -> Option<u64> {
        self.events.push_back(event);
        self.last_entitled()
    }

    fn poll(&mut self, waiter: u64) -> Option<u64> {
        let place = self.entitled(waiter)?;
        self.waiters.remove(place);
        self.events.remove(place)
    }

    fn leave(&mut self, waiter: u64) -> Option<u64> {
        let was_entitled = self.entitled(waiter).is_some();
        self.waiters.retain(|it| *it != waiter);
        self.last_entitled().filter(|_| was_entitled)
    }
}

/// The same events go to the same waiters as by the rule, and the same waiters are woken.
#[test]
fn whatever_comes_and_goes_the_oldest_waiter_has_the_oldest_event() {
    let node: NodeId = WakeTree::default().grow(Order::Index);
    let slot = |waiter: u64| {
        let index = usize::try_from(waiter).unwrap();
        Slot::Child { node, index }
    };
    let chance =
        |step: u64, what: u64| xxhash_rust::xxh3::xxh3_64(&(16 * step + what).to_le_bytes());
    let (mut mailbox, mut rule) = (Mailbox::default(), Rule::default());
    for step in 0..20_000 {
        let any = match rule.waiters.len() {
            0 => 0,
            count => rule.waiters[usize::try_from(chance(step, 1)).unwrap() % count],
        };
        // There are more events than waiters for a while, then fewer.
        let bias = if step / 500 % 2 == 0 { 3 } else { 0 };
        match (chance(step, 2) + bias) % 7 {
            0 | 1 => {
                let waiter = register(&mut mailbox);
                rule.waiters.push(waiter);
                let polled = mailbox.poll("go", waiter, slot(waiter));
                assert_eq!(number(polled), rule.poll(waiter));
            }
            2 => assert_eq!(mailbox.leave("go", any), rule.leave(any).map(slot)),
            3 => {
                let polled = mailbox.poll("go", any, slot(any));
                assert_eq!(number(polled), rule.poll(any));
            }
            _ => {
                let woken = mailbox.raise(event(step));
                assert_eq!(woken, rule.raise(step).map(slot));
            }
        }
        let unserved = rule.waiters.len().saturating_sub(rule.events.len());
        assert_eq!(mailbox.awaited("GO"), unserved);
        assert_eq!(mailbox.load().events, rule.events.len());
    }
    let left: Vec<_> = mailbox
        .drain()
        .into_iter()
        .map(|it| number(Poll::Ready(it)).unwrap())
        .collect();
    assert!(left.into_iter().eq(rule.events));
    assert_eq!(mailbox.load(), Load::default());
}

fn number(polled: Poll<EventRaised>) -> Option<u64> {
    match polled {
        Poll::Ready(event) => Some(event.payload.decode().unwrap()),
        Poll::Pending => None,
    }
}

/// It took minutes: each event looked for its waiter from the oldest on.
#[test]
fn a_hundred_thousand_events_for_waiters_that_nobody_polls_are_quickly_raised() {
    let mut mailbox = Mailbox::default();
    let waiters: Vec<u64> = (0..100_000).map(|_| register(&mut mailbox)).collect();
    for number in 0..100_000 {
        assert_eq!(mailbox.raise(event(number)), Some(Slot::Root));
    }
    assert!(mailbox.wanted().is_empty());
    for waiter in waiters {
        assert!(mailbox.poll("go", waiter, Slot::Root).is_ready());
    }
    assert_eq!(mailbox.len(), 0);
}
