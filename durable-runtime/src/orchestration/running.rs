//! Any number of children that come and go.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::node::{self, Node};
use crate::replay::{NodeId, Order};

/// The children that a combinator has begun and whose results it has not taken.
///
/// They are numbered from 0 in the order in which they were begun, and dropped in that order.
pub(super) struct Running<F: Future> {
    node: Node,
    begun: usize,
    children: BTreeMap<usize, Child<F>>,
}

enum Child<F: Future> {
    Waiting(Pin<Box<F>>),
    /// It was ready when it was begun.
    Ended(F::Output),
}

impl<F: Future> Running<F> {
    /// None yet. `order` is the one in which results are taken of which several are there.
    pub(super) fn new(order: Order) -> Self {
        Self {
            node: Node::new(order),
            begun: 0,
            children: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.children.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty()
    }

    /// Drops all children: what they wait for is cancelled.
    pub(super) fn clear(&mut self) {
        self.children.clear();
    }

    /// Begins one poll of the combinator.
    pub(super) fn round(&mut self) -> Round<'_, F> {
        let worth = match self.node.enter() {
            Some(node) => Worth::Marked(node),
            None => Worth::All { from: 0 },
        };
        Round {
            running: self,
            worth,
        }
    }
}

/// One poll of a combinator.
pub(super) struct Round<'a, F: Future> {
    running: &'a mut Running<F>,
    worth: Worth,
}

/// Which children are worth a poll.
#[derive(Clone, Copy)]
enum Worth {
    /// Those for which something arrived.
    Marked(NodeId),
    /// All from this number on: outside an orchestrator it is not known which child woke us.
    All { from: usize },
}

impl<F: Future> Round<'_, F> {
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Begins a child; `true` if it was ready at once, and so has its result taken by [`next_ended`](Self::next_ended).
    pub(super) fn begin(&mut self, future: F, cx: &mut Context<'_>) -> bool {
        let index = self.running.begun;
        self.running.begun += 1;
        let mut child = Child::Waiting(Box::pin(future));
        let is_ended = child.poll(self.worth, index, cx);
        self.running.children.insert(index, child);
        if let (true, Worth::Marked(node)) = (is_ended, self.worth) {
            node::mark(node, index);
        }
        is_ended
    }

    /// Polls children that are worth it until one has ended; gives its number and its result.
    pub(super) fn next_ended(&mut self, cx: &mut Context<'_>) -> Option<(usize, F::Output)> {
        while let Some(index) = self.next_worth() {
            let Entry::Occupied(mut child) = self.running.children.entry(index) else {
                continue;
            };
            if child.get_mut().poll(self.worth, index, cx)
                && let Child::Ended(output) = child.remove()
            {
                return Some((index, output));
            }
        }
        None
    }

    fn next_worth(&mut self) -> Option<usize> {
        match &mut self.worth {
            Worth::Marked(node) => node::next_marked(*node),
            Worth::All { from } => {
                let (&index, _) = self.running.children.range(*from..).next()?;
                *from = index + 1;
                Some(index)
            }
        }
    }
}

impl<F: Future> Child<F> {
    /// Polls the child if it waits; `true` if it has ended, now or before.
    fn poll(&mut self, worth: Worth, index: usize, cx: &mut Context<'_>) -> bool {
        let Self::Waiting(future) = self else {
            return true;
        };
        let polled = match worth {
            Worth::Marked(node) => node::visit(node, index, || future.as_mut().poll(cx)),
            Worth::All { .. } => future.as_mut().poll(cx),
        };
        let Poll::Ready(output) = polled else {
            return false;
        };
        *self = Self::Ended(output);
        true
    }
}

impl<F: Future> fmt::Debug for Running<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} running", self.children.len())
    }
}
