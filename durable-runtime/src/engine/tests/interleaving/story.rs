//! What the instances of these tests do, and what their activities say.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::activity;
use crate::durable::BoxDurable;
use crate::durable::op::DurableOp;
use crate::error::Error;
use crate::orchestration::{named, race, seconds, sleep};
use crate::registry::Registry;

/// What activities have said.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Log {
    pub(super) begun: usize,
    pub(super) told: usize,
    pub(super) returned: usize,
    /// How many began since somebody was told that the instance is terminated.
    pub(super) begun_since_answer: usize,
}

/// Where the activities of one world work.
#[derive(Debug, Default)]
pub(super) struct Studio {
    pub(super) log: Mutex<Log>,
    pub(super) door: Notify,
    /// Somebody was told.
    pub(super) is_answered: AtomicBool,
}

/// The target waits for all that one can wait for; whatever comes, but for the event, has it ask for one more activity. The
/// event ends it.
pub(super) fn story(studio: &Arc<Studio>) -> Registry {
    let studio = Arc::clone(studio);
    Registry::new()
        .named_activity("work", move |_| work(Arc::clone(&studio)))
        .named_orchestrator("child", |_| async {
            Ok::<_, Error>(named::event("end").wait().await)
        })
        .named_orchestrator("target", |_| async {
            let after = |first: BoxDurable<'static, ()>| -> BoxDurable<'static, ()> {
                let both = async {
                    first.await;
                    drop(named::activity("work", &json!("after")).await);
                    std::future::pending::<()>().await;
                };
                Box::pin(both.__durable_block())
            };
            let first = async { drop(named::activity("work", &json!("first")).await) };
            let timer = async { sleep(seconds(5)).await };
            let child = async { drop(named::orchestrator("child", &Value::Null).await) };
            let event = async { drop(named::event("go").wait().await) };
            race([
                after(Box::pin(first.__durable_block())),
                after(Box::pin(timer.__durable_block())),
                after(Box::pin(child.__durable_block())),
                Box::pin(event.__durable_block()),
            ])
            .await;
            Ok::<_, Error>(Value::Null)
        })
}

/// Runs until the door is opened for it, or it is told that nobody waits for it.
async fn work(studio: Arc<Studio>) -> Result<Value, Error> {
    {
        let is_late = studio.is_answered.load(Ordering::SeqCst);
        let mut log = studio.log.lock().unwrap();
        log.begun += 1;
        log.begun_since_answer += usize::from(is_late);
    }
    let is_told = tokio::select! {
        () = activity::cancelled() => true,
        () = studio.door.notified() => false,
    };
    let mut log = studio.log.lock().unwrap();
    log.told += usize::from(is_told);
    log.returned += 1;
    Ok(Value::Null)
}
