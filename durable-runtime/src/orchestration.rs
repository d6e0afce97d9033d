//! What orchestrator code sees: calls, timers, external events, derived values, combinators.
//!
//! All of it is replay-safe: it is recorded, or derived from what is recorded. The functions and futures of this module
//! find the running orchestration by themselves; they need no context parameter. Outside an orchestrator they panic
//! with a message that says where they belong, with two exceptions: an activity called outside just runs its body, and
//! [`is_replaying`] is `false`.

mod activity_call;
mod attempts;
#[doc(hidden)]
pub mod call;
mod cancellation;
mod change;
mod continue_as_new;
mod deadline;
mod detached;
mod external_event;
mod futures_unordered;
#[doc(hidden)]
pub mod group;
mod info;
mod join_all;
pub mod named;
mod node;
mod orchestrator_call;
mod race;
mod running;
mod select_all;
mod send;
mod settle;
mod side_effect;
mod source;
mod status;
#[doc(hidden)]
pub mod telling;
mod timer;
mod try_join_all;

pub use self::activity_call::ActivityCall;
pub use self::cancellation::{CancelRequest, Cancellation, cancellation};
pub use self::change::{changed, retired};
pub use self::continue_as_new::{ContinueAsNew, continue_as_new};
pub use self::deadline::{Timeout, timeout};
pub use self::detached::{Detached, DetachedOutcome, DetachedStart, start};
pub use self::external_event::{Event, EventWait};
pub use self::futures_unordered::{FuturesUnordered, Next};
pub use self::info::{
    OrchestrationInfo, info, is_replaying, now, random, should_continue_as_new, uuid,
};
pub use self::join_all::{JoinAll, join_all};
pub use self::orchestrator_call::OrchestratorCall;
pub(crate) use self::orchestrator_call::OrchestratorParts;
pub use self::race::{Race, race};
pub use self::select_all::{SelectAll, select_all};
pub use self::send::EventSend;
pub use self::settle::Caught;
pub use self::side_effect::{SideEffect, side_effect};
pub use self::status::set_status;
pub use self::timer::{Sleep, days, hours, minutes, seconds, sleep, sleep_until};
pub use self::try_join_all::{TryJoinAll, try_join_all};
