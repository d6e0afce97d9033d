//! Any number of children that come and go.

use std::collections::VecDeque;
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
    /// In a row by their numbers, so that each is found at once. `None` is the place of one whose result was taken while an
    /// older one runs: a few bytes, of which a history has room for no more than it has for events.
    children: VecDeque<Option<Child<F>>>,
    /// The number of the first in the row.
    first: usize,
    /// How many there are.
    len: usize,
}

/// Small whatever its types are, as there is a place for each in the row.
enum Child<F: Future> {
    Waiting(Pin<Box<F>>),
    /// It was ready when it was begun.
    Ended(Box<F::Output>),
}

impl<F: Future> Running<F> {
    /// None yet. `order` is the one in which results are taken of which several are there.
    pub(super) fn new(order: Order) -> Self {
        Self {
            node: Node::new(order),
            children: VecDeque::new(),
            first: 0,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Drops all children: what they wait for is cancelled.
    pub(super) fn clear(&mut self) {
        self.first = self.end();
        self.len = 0;
        self.children.clear();
    }

    /// The number of the next child to be begun.
    fn end(&self) -> usize {
        self.first + self.children.len()
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut Child<F>> {
        let place = index.checked_sub(self.first)?;
        self.children.get_mut(place)?.as_mut()
    }

    /// Takes a child out, and away what is empty at the front of the row.
    fn take(&mut self, index: usize) -> Option<Child<F>> {
        let place = index.checked_sub(self.first)?;
        let taken = self.children.get_mut(place)?.take()?;
        self.len -= 1;
        while let Some(None) = self.children.front() {
            self.children.pop_front();
            self.first += 1;
        }
        Some(taken)
    }

    /// The first child from this number on.
    fn next_from(&self, index: usize) -> Option<usize> {
        let place = index.saturating_sub(self.first);
        let ahead = self.children.iter().skip(place).position(Option::is_some)?;
        Some(self.first + place + ahead)
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
        let index = self.running.end();
        let mut future = Box::pin(future);
        let (child, is_ended) = match self.worth.poll(index, &mut future, cx) {
            Poll::Pending => (Child::Waiting(future), false),
            Poll::Ready(output) => (Child::Ended(Box::new(output)), true),
        };
        self.running.children.push_back(Some(child));
        self.running.len += 1;
        if let (true, Worth::Marked(node)) = (is_ended, self.worth) {
            node::mark(node, index);
        }
        is_ended
    }

    /// Polls children that are worth it until one has ended; gives its number and its result.
    pub(super) fn next_ended(&mut self, cx: &mut Context<'_>) -> Option<(usize, F::Output)> {
        while let Some(index) = self.next_worth() {
            let polled = match self.running.get_mut(index) {
                Some(Child::Waiting(future)) => self.worth.poll(index, future, cx).map(Some),
                Some(Child::Ended(_)) => Poll::Ready(None),
                None => Poll::Pending,
            };
            let Poll::Ready(output) = polled else {
                continue;
            };
            // Its future is dropped before the next one is polled.
            let before = match self.running.take(index) {
                Some(Child::Ended(output)) => Some(*output),
                Some(Child::Waiting(_)) | None => None,
            };
            if let Some(output) = output.or(before) {
                return Some((index, output));
            }
        }
        None
    }

    fn next_worth(&mut self) -> Option<usize> {
        match &mut self.worth {
            Worth::Marked(node) => node::next_marked(*node),
            Worth::All { from } => {
                let index = self.running.next_from(*from)?;
                *from = index + 1;
                Some(index)
            }
        }
    }
}

impl Worth {
    fn poll<F: Future>(
        self,
        index: usize,
        future: &mut Pin<Box<F>>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        match self {
            Self::Marked(node) => node::visit(node, index, || future.as_mut().poll(cx)),
            Self::All { .. } => future.as_mut().poll(cx),
        }
    }
}

impl<F: Future> fmt::Debug for Running<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} running", self.len)
    }
}
