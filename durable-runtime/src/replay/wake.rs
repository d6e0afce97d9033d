//! Which children of which combinator are worth a poll.
//!
//! Each combinator has a *node*; while it polls child *i* the current [`Slot`] is (node, *i*). What waits notes that
//! slot; what arrives marks it, and upwards the slots it lies in. So a fan-out over *n* children costs *n* polls, not
//! *n*², and no future ever keeps a `Waker`.
//!
//! Source: `docs/design.md`, "Waking".

mod marked;

use std::collections::BTreeMap;

use self::marked::Marked;
pub(crate) use self::marked::Order;

/// A combinator's number. Numbers rise and are never used twice, so a slot of a freed node marks nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(u64);

/// Where in its combinators code is polled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Outside every combinator.
    #[default]
    Root,
    /// A child of a combinator.
    Child {
        /// The combinator.
        node: NodeId,
        /// The child's number in it.
        index: usize,
    },
}

/// The combinators of one execution and which of their children are marked.
#[derive(Debug, Default)]
pub(crate) struct WakeTree {
    created: u64,
    /// How many marks there ever were.
    made: u64,
    nodes: BTreeMap<NodeId, Node>,
    current: Slot,
}

#[derive(Debug)]
struct Node {
    parent: Slot,
    marked: Marked,
}

impl WakeTree {
    /// The slot in which code runs now.
    pub(crate) fn current(&self) -> Slot {
        self.current
    }

    /// Makes `slot` the current one.
    pub(crate) fn set_current(&mut self, slot: Slot) {
        self.current = slot;
    }

    /// A new node below the current slot.
    pub(crate) fn grow(&mut self, order: Order) -> NodeId {
        let id = NodeId(self.created);
        self.created += 1;
        let node = Node {
            parent: self.current,
            marked: Marked::new(order),
        };
        self.nodes.insert(id, node);
        id
    }

    /// Notes where the node's combinator is polled now: it may have been moved since.
    pub(crate) fn settle(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.parent = self.current;
        }
    }

    /// Makes child `index` of `id` current, unmarked because it is about to be polled.
    pub(crate) fn visit(&mut self, id: NodeId, index: usize) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.marked.remove(index);
        }
        self.current = Slot::Child { node: id, index };
    }

    /// Takes the first marked child of `id`.
    pub(crate) fn pop(&mut self, id: NodeId) -> Option<usize> {
        self.nodes.get_mut(&id)?.marked.pop()
    }

    /// Marks child `index` of `id` and nothing above it: the combinator that asks for it is being polled.
    pub(crate) fn mark_child(&mut self, id: NodeId, index: usize) {
        self.made += 1;
        if let Some(node) = self.nodes.get_mut(&id) {
            node.marked.insert(index, self.made);
        }
    }

    /// Forgets a node whose combinator was dropped.
    pub(crate) fn free(&mut self, id: NodeId) {
        self.nodes.remove(&id);
    }

    /// Marks `slot` and upwards the slots it lies in.
    pub(crate) fn mark(&mut self, slot: Slot) {
        self.made += 1;
        let mut next = slot;
        while let Slot::Child { node, index } = next {
            let Some(node) = self.nodes.get_mut(&node) else {
                return;
            };
            // No early end at a slot that is marked already: its node may have moved below another parent since.
            node.marked.insert(index, self.made);
            next = node.parent;
        }
    }

    /// How many combinators there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_climbs_to_the_top_and_is_taken_in_index_order() {
        let mut tree = WakeTree::default();
        let outer = tree.grow(Order::Index);
        tree.visit(outer, 3);
        let inner = tree.grow(Order::Index);
        tree.visit(inner, 7);
        let leaf = tree.current();
        tree.mark(leaf);
        tree.mark(Slot::Child {
            node: inner,
            index: 2,
        });
        assert_eq!(
            (tree.pop(outer), tree.pop(outer)),
            (Some(3), None),
            "once for both"
        );
        assert_eq!(
            [tree.pop(inner), tree.pop(inner), tree.pop(inner)],
            [Some(2), Some(7), None]
        );
    }

    #[test]
    fn a_moved_node_is_found_below_its_new_parent() {
        let mut tree = WakeTree::default();
        let old = tree.grow(Order::Index);
        tree.visit(old, 0);
        let moved = tree.grow(Order::Index);
        tree.visit(moved, 0);
        let leaf = tree.current();
        tree.set_current(Slot::Root);
        let new = tree.grow(Order::Index);
        tree.visit(new, 5);
        tree.settle(moved);
        tree.free(old);
        tree.mark(leaf);
        assert_eq!(tree.pop(new), Some(5));
    }

    #[test]
    fn where_the_first_counts_marks_are_taken_as_they_came() {
        let mut tree = WakeTree::default();
        let node = tree.grow(Order::Arrival);
        let child = |index| Slot::Child { node, index };
        for index in [3, 1, 3, 2, 0] {
            tree.mark(child(index));
        }
        tree.visit(node, 1);
        assert_eq!(tree.pop(node), Some(3), "marked twice, first of all");
        tree.mark_child(node, 3);
        let rest = std::iter::from_fn(|| tree.pop(node));
        assert_eq!(rest.collect::<Vec<_>>(), [2, 0, 3]);
    }

    #[test]
    fn a_slot_of_a_freed_node_marks_nothing() {
        let mut tree = WakeTree::default();
        let outer = tree.grow(Order::Index);
        tree.visit(outer, 0);
        let inner = tree.grow(Order::Index);
        tree.visit(inner, 0);
        let leaf = tree.current();
        tree.free(inner);
        tree.mark(leaf);
        assert_eq!(tree.pop(outer), None);
        assert_eq!(tree.len(), 1);
    }
}
