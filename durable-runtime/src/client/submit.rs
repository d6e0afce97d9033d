//! Asking the committer for a new instance.

use crate::client::error::StartError;
use crate::engine::hub::Hub;
use crate::engine::message::{Reply, Start, Started, Submission};
use crate::engine::observe::spans;
use crate::engine::reuse::Reuse;
use crate::event::ExecutionStarted;
use crate::id::InstanceKey;
use crate::trace::TraceContext;

/// How often is asked again when somebody is still to hear how the instance ended that is to be replaced: one round is enough,
/// unless the one who is to hear has more to do.
const ROUNDS: u32 = 16;

/// Has an instance started by a caller in this trace context; returns its key, or that of the one that it is attached to.
pub(super) async fn submit(
    hub: &Hub,
    started: ExecutionStarted,
    reuse: Reuse,
    caller: Option<TraceContext>,
) -> Result<InstanceKey, StartError> {
    let id = started.instance.clone();
    let of_creation = |caller: &TraceContext| caller.of_creation(hub.reviver.store, &id);
    let trace = caller.as_ref().map(of_creation);
    let started = ExecutionStarted { trace, ..started };
    let mut asked = spans::asked(hub, &started, caller.as_ref());
    if let Some(status) = reuse.contradiction() {
        return Err(StartError::Contradiction { status });
    }
    let mut by = None;
    let mut next = Some(started);
    for _ in 0..ROUNDS {
        let Some(started) = next.take() else {
            break;
        };
        // Only what may replace another is ever asked for again.
        next = (reuse != Reuse::attach()).then(|| started.clone());
        let waiter = match ask(hub, started, reuse).await? {
            Started::Created(key) => {
                if let Some(asked) = asked.take() {
                    asked.created(hub, key);
                }
                return Ok(key);
            }
            Started::Attached(key) => return Ok(key),
            Started::Conflict { difference } => {
                let id = id.to_string();
                return Err(StartError::Conflict { id, difference });
            }
            Started::Exists(status) => {
                let id = id.to_string();
                return Err(StartError::Exists { id, status });
            }
            Started::Unreadable(error) => return Err(StartError::Store(error)),
            Started::Awaited(waiter) => waiter,
        };
        hub.pass_through(waiter).await?;
        by = Some(waiter);
    }
    let by = by.map_or_else(String::new, |by| hub.name_of(by));
    let id = id.to_string();
    Err(StartError::Awaited { id, by })
}

async fn ask(hub: &Hub, started: ExecutionStarted, reuse: Reuse) -> Result<Started, StartError> {
    let (reply, answer) = Reply::channel();
    let start = Box::new(Start {
        started,
        reuse,
        reply,
    });
    hub.submit(Submission::Start(start))?;
    answer.await.map_err(|_| StartError::Unknown(hub.reason()))
}
