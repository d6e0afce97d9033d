//! What every combinator is built on.

use std::ops::ControlFlow;

use crate::replay::{self, NodeId, Owner};

/// The children of a combinator, and which of them are worth a poll.
///
/// Hidden doorway of `join!`, `try_join!` and `select!`; may change in any release. Outside an orchestrator every child
/// is worth every poll.
#[doc(hidden)]
#[derive(Debug)]
pub struct Group {
    len: usize,
    node: Option<(Owner, NodeId)>,
    /// Whether all children have been visited once.
    is_begun: bool,
}

impl Group {
    /// A group of `len` children, numbered from 0.
    pub fn new(len: usize) -> Self {
        Self {
            len,
            node: None,
            is_begun: false,
        }
    }

    /// Visits the children that are worth a poll: all of them the first time, later those for which something arrived,
    /// by rising number. `visit` polls the child, if it has not ended; [`Break`](ControlFlow::Break) ends the round.
    pub fn poll_children(&mut self, mut visit: impl FnMut(usize) -> ControlFlow<()>) {
        let len = self.len;
        let Some(node) = self.enter() else {
            // Which child woke us is not known here, so all are asked.
            _ = (0..len).try_for_each(visit);
            return;
        };
        if !self.is_begun {
            let mut all = 0..len;
            if all
                .try_for_each(|index| visit_in(node, index, &mut visit))
                .is_break()
            {
                return;
            }
            self.is_begun = true;
        }
        // A visit may mark another child, as when a dropped waiter hands on its event.
        while let Some(index) = replay::with(|context| context.wake.pop(node)).flatten() {
            if visit_in(node, index, &mut visit).is_break() {
                return;
            }
        }
    }

    /// The node in the running orchestration, below the current slot; `None` outside.
    fn enter(&mut self) -> Option<NodeId> {
        let known = self.node;
        let (owner, node) = replay::with(|context| match known {
            Some((owner, node)) if owner == context.owner() => {
                context.wake.settle(node);
                (owner, node)
            }
            _ => (context.owner(), context.wake.grow()),
        })?;
        self.node = Some((owner, node));
        Some(node)
    }
}

/// Visits a child while its slot is the current one.
fn visit_in(
    node: NodeId,
    index: usize,
    visit: &mut impl FnMut(usize) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let outer = replay::with(|context| {
        let outer = context.wake.current();
        context.wake.visit(node, index);
        outer
    });
    let flow = visit(index);
    replay::with(|context| context.wake.set_current(outer.unwrap_or_default()));
    flow
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some((owner, node)) = self.node else {
            return;
        };
        replay::with(|context| {
            if owner == context.owner() {
                context.wake.free(node);
            }
        });
    }
}
