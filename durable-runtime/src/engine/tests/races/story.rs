//! What the instances of a race do: they wait for all that can be waited for.

use serde_json::{Value, json};

use super::moves::{Move, Story};
use crate::durable::BoxDurable;
use crate::durable::op::DurableOp;
use crate::error::Error;
use crate::orchestration::{info, named, race, seconds, select_all, side_effect, sleep};
use crate::registry::Registry;

/// The name of the event that wins, and of the one that has the code continue as new.
pub(super) fn event_name(event: Move) -> &'static str {
    if event == Move::Anew { "anew" } else { "go" }
}

pub(super) fn registry() -> Registry {
    Registry::new()
        .named_activity("work", |_| async { Ok::<_, Error>(Value::Null) })
        .named_orchestrator("child", |_| async {
            Ok::<_, Error>(named::event("end").wait().await)
        })
        .named_orchestrator(Story::First.orchestrator(), |_| async {
            let event = arm("event", async { drop(named::event("go").wait().await) });
            let won = first_of([event]).await;
            let Some(won) = won else {
                return Ok::<_, Error>(named::continue_as_new(&Value::Null).await);
            };
            Ok(json!(format!("{won} in {}", info().execution)))
        })
        .named_orchestrator(Story::Later.orchestrator(), |_| async {
            let won = first_of([]).await;
            let Some(won) = won else {
                return Ok::<_, Error>(named::continue_as_new(&Value::Null).await);
            };
            named::event("go").wait().await;
            Ok(json!(format!("{won}, then event in {}", info().execution)))
        })
        .named_orchestrator(Story::Kept.orchestrator(), |_| async {
            let at_once = arm("begun", side_effect(|| ()));
            let (_, _, mut kept) = select_all([work(), at_once]).await;
            let event = arm("event", async { drop(named::event("go").wait().await) });
            let Some(first) = race([event, anew()]).await else {
                return Ok::<_, Error>(named::continue_as_new(&Value::Null).await);
            };
            let kept = kept.remove(0).await.unwrap_or_default();
            Ok(json!(format!(
                "{first}, then {kept} in {}",
                info().execution
            )))
        })
}

/// A label; nothing for the event to continue as new.
type Arm = BoxDurable<'static, Option<&'static str>>;

/// What comes first.
fn first_of<const N: usize>(more: [Arm; N]) -> Arm {
    let child = async {
        drop(named::orchestrator("child", &Value::Null).await);
    };
    let mut arms = vec![
        work(),
        arm("timer", async { sleep(seconds(3_600)).await }),
        arm("child", child),
        anew(),
    ];
    arms.extend(more);
    Box::pin(async move { race(arms).await }.__durable_block())
}

fn work() -> Arm {
    let activity = async {
        let ended = named::activity("work", &Value::Null).await;
        Some(if ended.is_ok() { "done" } else { "failed" })
    };
    Box::pin(activity.__durable_block())
}

fn anew() -> Arm {
    let anew = async {
        named::event("anew").wait().await;
        None
    };
    Box::pin(anew.__durable_block())
}

fn arm(label: &'static str, wait: impl Future<Output = ()> + 'static) -> Arm {
    let labelled = async move {
        wait.await;
        Some(label)
    };
    Box::pin(labelled.__durable_block())
}
