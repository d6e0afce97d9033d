//! The diagram of an orchestrator, given as the function itself.

use super::{OrchestratorFn, Registry};
use crate::sites::Graph;

/// The points at which an orchestrator may wait, and the ways between them.
///
/// Its `Display` is a diagram in the language of [Mermaid](https://mermaid.js.org), which many sites and editors draw.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::graph_of;
/// use durable_runtime::prelude::*;
///
/// #[activity]
/// async fn charge(cents: u32) -> u32 {
///     cents
/// }
///
/// #[orchestrator]
/// async fn checkout(cents: u32) {
///     if cents > 0 {
///         charge(cents).await;
///     }
/// }
///
/// # fn main() {
/// let graph = graph_of(checkout);
/// assert_eq!(
///     graph.to_string(),
///     r#"flowchart TD
///     start(["checkout"])
///     choice1{"cents #gt; 0"}
///     site0["charge"]
///     finish(["end"])
///     start --> choice1
///     choice1 -->|"yes"| site0
///     site0 --> finish
///     choice1 -->|"no"| finish
/// "#
/// );
/// assert_eq!(graph.sites()[0].callee(), "charge");
/// # }
/// ```
pub fn graph_of<Args, F: OrchestratorFn<Args>>(_function: F) -> Graph {
    Graph::of(F::definition().sites)
}

impl Registry {
    /// As [`graph_of`], for an orchestrator that is known by its name: of this version, or of the greatest one.
    ///
    /// `None` if there is no such orchestrator, or it is a closure, of which nothing is known.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::Registry;
    ///
    /// #[orchestrator]
    /// async fn pause() {
    ///     sleep(days(1)).await;
    /// }
    ///
    /// # fn main() {
    /// let graph = Registry::linked().graph("pause", None).expect("it is linked");
    /// assert_eq!(graph.sites()[0].text().trim(), "sleep(days(1)).await;");
    /// # }
    /// ```
    pub fn graph(&self, name: &str, version: Option<&str>) -> Option<Graph> {
        let greatest = || self.default_version(name);
        let version = version.map(str::to_owned).or_else(greatest);
        let entry = self.find_orchestrator(name, version.as_deref())?;
        entry.sites.map(Graph::of)
    }
}
