//! A fixed number of children, which their owner keeps.

use std::ops::ControlFlow;

use super::node::{self, Node};
use crate::replay::Order;

/// The children of a combinator, and which of them are worth a poll.
///
/// Hidden doorway of `join!`, `try_join!` and `select!`; may change in any release. Outside an orchestrator every child
/// is worth every poll.
#[doc(hidden)]
#[derive(Debug)]
pub struct Group {
    len: usize,
    node: Node,
    /// Whether all children have been visited once.
    is_begun: bool,
}

impl Group {
    /// A group of `len` children, numbered from 0. Those for which something arrived are visited by rising number.
    pub fn new(len: usize) -> Self {
        Self::ordered(len, Order::Index)
    }

    /// As [`new`](Self::new), visited in the order in which something arrived for them.
    pub fn by_arrival(len: usize) -> Self {
        Self::ordered(len, Order::Arrival)
    }

    fn ordered(len: usize, order: Order) -> Self {
        Self {
            len,
            node: Node::new(order),
            is_begun: false,
        }
    }

    /// Visits the children that are worth a poll: all of them the first time, by rising number, later those for which
    /// something arrived. `visit` polls the child, if it has not ended; [`Break`](ControlFlow::Break) ends the round.
    ///
    /// Not generic, so that it is compiled once and not for each combinator of a program.
    pub fn poll_children(&mut self, visit: &mut dyn FnMut(usize) -> ControlFlow<()>) {
        let mut all = 0..self.len;
        let Some(node) = self.node.enter() else {
            // Which child woke us is not known here, so all are asked.
            _ = all.try_for_each(visit);
            return;
        };
        let mut visit = |index| node::visit(node, index, || visit(index));
        if !self.is_begun {
            if all.try_for_each(&mut visit).is_break() {
                return;
            }
            self.is_begun = true;
        }
        // A visit may mark another child, as when a dropped waiter hands on its event.
        while let Some(index) = node::next_marked(node) {
            if visit(index).is_break() {
                return;
            }
        }
    }
}
