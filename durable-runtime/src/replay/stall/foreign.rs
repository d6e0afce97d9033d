//! The reports of code that awaits what is not durable.

use super::Stall;
use crate::event::StallReason;
use crate::replay::root::Foreign;

impl Stall {
    /// Something was awaited that is not durable. `last` is what the code had asked for before it; `next` is what it did not
    /// reach.
    pub(in crate::replay) fn foreign(how: Foreign, last: &str, next: Option<&str>) -> Self {
        let how = match how {
            Foreign::KeptWaker => {
                "it keeps the waker that it is polled with, as timers, channels and tasks of tokio do"
            }
            Foreign::RangWaker => {
                "it rings the waker that it is polled with, as `yield_now` and the `join_all` of other crates do"
            }
            Foreign::SoughtRuntime => {
                "it looked for a tokio runtime, as `tokio::spawn`, `tokio::time` and `tokio::net` do, and none is there"
            }
        };
        let next = not_reached(next);
        let report = format!(
            "[D210] the code awaits what is not in the event log: {how}\n    last before it: {last}{next}{INSTEAD}"
        );
        Self::new(StallReason::ForeignFuture, report)
    }

    /// The code waits, but for nothing that could ever arrive.
    pub(in crate::replay) fn nothing_awaited(last: &str, next: Option<&str>) -> Self {
        let next = not_reached(next);
        let report = format!(
            "[D210] the code waits for nothing that is recorded: no activity, child, timer or external event\n    last before \
             it: {last}{next}{INSTEAD}"
        );
        Self::new(StallReason::ForeignFuture, report)
    }
}

fn not_reached(next: Option<&str>) -> String {
    next.map_or_else(String::new, |next| format!("\n    not reached:    {next}"))
}

/// What a report ends with.
const INSTEAD: &str = "\n    await only activities, children, timers, external events, and combinators of these from this crate: instead of \
     tokio's `sleep` write `sleep(..)`, instead of its `timeout` `.timeout(..)`, instead of a channel an `Event`; everything else \
     belongs in an activity (docs/determinism/D210.md)";
