//! A combinator's node in the running orchestration.

use crate::replay::{self, NodeId, Order, Owner};

/// What tells a combinator which of its children are worth a poll. It has a node from its first poll on, and none outside
/// an orchestrator.
///
/// Source: `docs/design.md`, "Waking".
#[derive(Debug)]
pub(super) struct Node {
    order: Order,
    grown: Option<(Owner, NodeId)>,
}

impl Node {
    pub(super) fn new(order: Order) -> Self {
        Self { order, grown: None }
    }

    /// Notes that the combinator is polled in the current slot. `None` outside an orchestrator.
    pub(super) fn enter(&mut self) -> Option<NodeId> {
        let (order, grown) = (self.order, self.grown);
        let (owner, node) = replay::with(|context| match grown {
            Some((owner, node)) if owner == context.owner() => {
                context.wake.settle(node);
                (owner, node)
            }
            _ => (context.owner(), context.wake.grow(order)),
        })?;
        self.grown = Some((owner, node));
        Some(node)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let Some((owner, node)) = self.grown else {
            return;
        };
        replay::with(|context| {
            if owner == context.owner() {
                context.wake.free(node);
            }
        });
    }
}

/// Takes the next child of `node` for which something arrived.
pub(super) fn next_marked(node: NodeId) -> Option<usize> {
    replay::with(|context| context.wake.pop(node)).flatten()
}

/// Has `node` come back to a child as if something had arrived for it.
pub(super) fn mark(node: NodeId, index: usize) {
    replay::with(|context| context.wake.mark_child(node, index));
}

/// Polls a child while its slot is the current one.
pub(super) fn visit<R>(node: NodeId, index: usize, poll: impl FnOnce() -> R) -> R {
    let outer = replay::with(|context| {
        let outer = context.wake.current();
        context.wake.visit(node, index);
        outer
    });
    let polled = poll();
    replay::with(|context| context.wake.set_current(outer.unwrap_or_default()));
    polled
}
