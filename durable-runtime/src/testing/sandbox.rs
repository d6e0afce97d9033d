//! What a guard over system calls asks.

/// Whether the calling thread polls an orchestrator whose next step may depend on what it is told now: it runs neither in a
/// [`side_effect`](crate::side_effect) nor in a log line.
///
/// For guards that are linked into a test in place of functions of the system, and note who calls them. It allocates nothing, takes
/// no lock and may be called from anywhere.
///
/// # Examples
///
/// ```
/// assert!(!durable_runtime::testing::is_deciding());
/// ```
pub fn is_deciding() -> bool {
    crate::replay::is_deciding()
}
