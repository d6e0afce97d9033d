//! Changing an orchestrator while instances of it run.

use crate::event::Name;
use crate::id::SourceSite;
use crate::limits;
use crate::replay;

/// Whether this execution runs with a change of the code; recorded, so that the answer stays.
///
/// For a small change inside an orchestrator of which instances are running: those that have passed this place go on as
/// before, all others take the new way. A larger change is a new version.
///
/// A change goes through three releases:
///
/// 1. `if changed("welcome") { new } else { old }`.
/// 2. When no execution without the change is left, [`retired`]`("welcome")` and the new way without a condition.
/// 3. When no execution with the mark is left, the line goes.
///
/// [`Engine::verify`](crate::Engine::verify) tells for each whether all instances that run fit it.
///
/// The answer is one for each execution and change: in a loop the first one holds to the end of the execution, and a
/// continue-as-new begins with the change. A name is used for one change and not again, and has 128 bytes at the most.
/// It is ready at once; nothing is awaited.
///
/// # Replay
/// The first live call of an execution records [`ChangeRecorded`](crate::event::ChangeRecorded) and gives `true`. A replay gives
/// `true` where that is the next recorded command, and `false` where it is not; then nothing is recorded.
///
/// # Panics
/// Outside an orchestrator, and for a name that is longer than 128 bytes.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn welcome(name: String) -> String {
///     format!("Welcome, {name}!")
/// }
///
/// #[orchestrator]
/// async fn subscribe(name: String) -> Vec<String> {
///     let mut letters = Vec::new();
///     // Who subscribed before this line was there is not welcomed a month later.
///     if changed("welcome") {
///         letters.push(welcome(name.clone()).await);
///     }
///     sleep(days(30)).await;
///     letters.push(format!("Thank you, {name}!"));
///     letters
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let letters = engine.start(subscribe("Ada".to_owned())).await?.result().await?;
/// assert_eq!(letters, ["Welcome, Ada!", "Thank you, Ada!"]);
/// # Ok(()) }
/// ```
///
/// Source: `docs/design.md`, "Changes of code".
#[track_caller]
pub fn changed(change: impl Into<Name>) -> bool {
    let (site, change) = (SourceSite::caller(), bounded(change.into()));
    replay::require("`changed`", |context| context.changed(site, change))
}

/// Stands where [`changed`] stood, once no execution without the change is left: it passes the mark where that is
/// recorded, and records nothing.
///
/// The new way follows it without a condition, and the old way is gone. Instances that went the old way diverge, so ask
/// [`Engine::verify`](crate::Engine::verify) before. When no execution with the mark is left either, the line goes.
///
/// # Replay
/// Where the next recorded command is the mark of this change, that is passed; else nothing happens.
///
/// # Panics
/// As [`changed`].
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestEngine;
///
/// #[activity]
/// async fn welcome(name: String) -> String {
///     format!("Welcome, {name}!")
/// }
///
/// #[orchestrator]
/// async fn subscribe(name: String) -> [String; 2] {
///     retired("welcome");
///     let welcome = welcome(name.clone()).await;
///     sleep(days(30)).await;
///     [welcome, format!("Thank you, {name}!")]
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = TestEngine::start()?;
/// let letters = engine.start(subscribe("Ada".to_owned())).await?.result().await?;
/// assert_eq!(letters, ["Welcome, Ada!", "Thank you, Ada!"]);
/// # Ok(()) }
/// ```
#[track_caller]
pub fn retired(change: impl Into<Name>) {
    let (site, change) = (SourceSite::caller(), bounded(change.into()));
    replay::require("`retired`", |context| context.retired(site, change));
}

/// A name that the store will take.
#[track_caller]
fn bounded(change: Name) -> Name {
    let (bytes, limit) = (change.len(), limits::NAME_BYTES_MAX);
    assert!(
        bytes <= limit,
        "the name of a change has {bytes} bytes, the limit is {limit} bytes; give it a shorter one"
    );
    change
}
