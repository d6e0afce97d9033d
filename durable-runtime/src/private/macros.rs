//! The combinators that await by themselves. They hand the path of this crate to the procedural macros that do the work,
//! so that they work under any name of the crate.

/// Waits for all branches at once; gives a tuple of their results. Awaits by itself.
///
/// All branches begin in the same turn, in written order, and each is polled only when something arrived for it.
///
/// # Replay
/// The branches are answered from the history, in the order in which they ended.
///
/// # Cancel safety
/// When the orchestrator drops it, every branch that still waits is cancelled.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn reserve(sku: String) -> usize {
///     sku.len()
/// }
///
/// #[orchestrator]
/// async fn both(first: String, second: String) -> usize {
///     let (a, b) = join!(reserve(first), reserve(second));
///     a + b
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let reserved = engine.start(both("tea".to_owned(), "pots".to_owned()));
/// assert_eq!(reserved.await?.result().await?, 7);
/// # Ok(()) }
/// ```
#[macro_export]
macro_rules! join {
    ($($input:tt)*) => { $crate::__private::join!(($crate) $($input)*) };
}

/// Waits until all branches, which are `Result`s, have given `Ok`, or the first `Err`. Awaits by itself.
///
/// Gives `Ok` of a tuple of their values, or the error that came first in the history; then the other branches are cancelled.
/// All have the same error type.
///
/// # Replay
/// The branches are answered from the history, in the order in which they ended; so the same error is the first.
///
/// # Cancel safety
/// When the orchestrator drops it, every branch that still waits is cancelled.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn reserve(sku: String) -> Result<u32, String> {
///     if sku.is_empty() { Err("no sku".to_owned()) } else { Ok(1) }
/// }
///
/// #[orchestrator]
/// async fn both(first: String, second: String) -> Result<u32, String> {
///     let (a, b) = try_join!(reserve(first), reserve(second))?;
///     Ok(a + b)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let reserved = engine.start(both("tea".to_owned(), "pot".to_owned()));
/// assert_eq!(reserved.await?.result().await?, Ok(2));
/// let reserved = engine.start(both("tea".to_owned(), String::new()));
/// assert_eq!(reserved.await?.result().await?, Err("no sku".to_owned()));
/// # Ok(()) }
/// ```
#[macro_export]
macro_rules! try_join {
    ($($input:tt)*) => { $crate::__private::try_join!(($crate) $($input)*) };
}

/// Waits for the first of several branches and runs its handler. Awaits by itself.
///
/// The grammar is tokio's: `pattern = future, if condition => handler,` and, last, `else => handler`. Differences: the
/// branches are always polled in written order, because an order by chance could not be replayed (`biased;` is accepted
/// and changes nothing), and a future must be durable.
///
/// A branch whose condition is false does not take part. One whose result does not match its pattern is out. The handler
/// runs after all other futures are dropped, which cancels what they wait for; in it `?`, `return`, `break` and `.await`
/// work as usual.
///
/// # Replay
/// What arrived first is recorded first, so the same branch wins.
///
/// # Cancel safety
/// When the orchestrator drops it, every branch is cancelled. An event that a losing branch was woken for stays for the
/// next wait.
///
/// # Panics
/// When no branch is left and there is no `else`.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// static APPROVAL: Event<bool> = Event::new("approval");
///
/// #[activity]
/// async fn cancel(order: u32) -> bool {
///     order == 0
/// }
///
/// #[orchestrator]
/// async fn approve(order: u32) -> bool {
///     select! {
///         approved = APPROVAL.wait() => approved,
///         () = sleep(days(3)) => cancel(order).await,
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let approved = engine.start(approve(1)).await?;
/// approved.raise(&APPROVAL, true).await?;
/// assert!(approved.result().await?);
///
/// // Nobody answers: three days pass in a moment.
/// assert!(!engine.start(approve(2)).await?.result().await?);
/// # Ok(()) }
/// ```
#[macro_export]
macro_rules! select {
    ($($input:tt)*) => { $crate::__private::select!(($crate) $($input)*) };
}
