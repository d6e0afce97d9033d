//! A diagram of an orchestrator.

mod draw;

use std::fmt;

use self::draw::Drawing;
use super::{Site, SiteTable};

/// The points at which an orchestrator may wait, and the ways between them, as a diagram in the language of
/// [Mermaid](https://mermaid.js.org). [`graph_of`](crate::graph_of) makes one.
///
/// Loops, `join!`, `select!` and closures are boxes in one another, choices are diamonds, helpers and the ends of the
/// orchestrator have shapes of their own. What a body does between two points is not shown.
#[derive(Debug, Clone)]
pub struct Graph {
    table: &'static SiteTable,
    marked: Vec<u32>,
}

impl Graph {
    pub(crate) fn of(table: &'static SiteTable) -> Self {
        Self {
            table,
            marked: Vec::new(),
        }
    }

    /// Where it may wait, or asks for something, in the order in which it stands in the body.
    pub fn sites(&self) -> &'static [Site] {
        self.table.sites
    }

    /// The file that they are in, as the compiler was given it.
    pub fn file(&self) -> &'static str {
        self.table.place.file
    }

    /// Colours the site with this id, as one at which an instance waits. One that is not of this orchestrator is passed over.
    #[must_use]
    pub fn mark(mut self, site: u32) -> Self {
        self.marked.push(site);
        self
    }
}

impl fmt::Display for Graph {
    /// The text of the diagram, which ends with a line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Drawing::of(self.table, &self.marked))
    }
}
