//! The marked children of one combinator.

use std::collections::{BTreeMap, BTreeSet};

/// In which order a combinator polls children that are marked at the same time.
///
/// There is more than one only when the combinator itself was not polled in the meantime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By rising index: where every child is waited for.
    Index,
    /// By what arrived first: where it decides which child is the first.
    Arrival,
}

/// Marked children in the order in which they are taken.
#[derive(Debug)]
pub(super) enum Marked {
    ByIndex(BTreeSet<usize>),
    ByArrival {
        /// The children, by their first mark.
        line: BTreeMap<u64, usize>,
        /// Each child's place in the line.
        places: BTreeMap<usize, u64>,
    },
}

impl Marked {
    /// None yet.
    pub(super) fn new(order: Order) -> Self {
        match order {
            Order::Index => Self::ByIndex(BTreeSet::new()),
            Order::Arrival => Self::ByArrival {
                line: BTreeMap::new(),
                places: BTreeMap::new(),
            },
        }
    }

    /// Marks a child; one that is marked keeps its place.
    pub(super) fn insert(&mut self, index: usize, mark: u64) {
        match self {
            Self::ByIndex(marked) => {
                marked.insert(index);
            }
            Self::ByArrival { line, places } => {
                places.entry(index).or_insert_with(|| {
                    line.insert(mark, index);
                    mark
                });
            }
        }
    }

    /// Forgets the mark of a child.
    pub(super) fn remove(&mut self, index: usize) {
        match self {
            Self::ByIndex(marked) => {
                marked.remove(&index);
            }
            Self::ByArrival { line, places } => {
                if let Some(mark) = places.remove(&index) {
                    line.remove(&mark);
                }
            }
        }
    }

    /// Takes the child that is next.
    pub(super) fn pop(&mut self) -> Option<usize> {
        match self {
            Self::ByIndex(marked) => marked.pop_first(),
            Self::ByArrival { line, places } => {
                let (_, index) = line.pop_first()?;
                places.remove(&index);
                Some(index)
            }
        }
    }
}
