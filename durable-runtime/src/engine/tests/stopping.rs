//! What remains of an engine whose disk fails: everything that it acknowledged.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{PATIENCE, open, parts, start, until};
use crate::client::{LookupError, RaiseError, StartError, WaitError};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::engine::Engine;
use crate::engine::boot::{self, Booted};
use crate::engine::hub::Stopped;
use crate::engine::message::{Incoming, Reply};
use crate::error::Error;
use crate::event::{CancelRequested, HistoryEvent};
use crate::id::InstanceKey;
use crate::limits;
use crate::orchestration::named;
use crate::registry::Registry;
use crate::store::tests::faulty::{Fault, Faulty};
use crate::store::tests::support::{Disk, impatient};
use crate::store::{Medium, Status, StoreOptions};

/// `wait` keeps `held` while it lives, and returns what its event says.
fn holding(held: &Arc<()>) -> Registry {
    let held = Arc::clone(held);
    Registry::new().named_orchestrator("wait", move |_| {
        let held = Arc::clone(&held);
        async move {
            let value = named::event("go").wait().await;
            drop(held);
            Ok::<_, Error>(value)
        }
    })
}

/// What somebody did until the engine refused.
struct Story {
    started: Vec<String>,
    raised: Vec<String>,
    /// The answer that was no answer, and whose it was.
    unknown: Option<String>,
}

/// Starts instances and raises their events, one after the other, until that is refused.
async fn work(engine: Engine, name: &'static str) -> Story {
    let mut story = Story {
        started: Vec::new(),
        raised: Vec::new(),
        unknown: None,
    };
    for number in 0.. {
        let id = format!("{name}-{number}");
        let instance = match engine
            .start(named::orchestrator("wait", &Value::Null))
            .id(&id)
            .await
        {
            Ok(instance) => instance,
            Err(StartError::Unknown(why)) => {
                says_why(&why);
                story.unknown = Some(id);
                break;
            }
            Err(StartError::Stopped(why)) => {
                says_why(&why);
                break;
            }
            Err(error) => panic!("{error:?}"),
        };
        story.started.push(id.clone());
        match instance.raise(&named::event("go"), json!(number)).await {
            Ok(()) => story.raised.push(id),
            Err(RaiseError::Unknown(why)) => {
                says_why(&why);
                story.unknown = Some(id);
                break;
            }
            Err(RaiseError::Stopped(why)) => {
                says_why(&why);
                break;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    story
}

fn says_why(why: &Stopped) {
    let text = why.to_string();
    assert!(
        text.starts_with("the engine has stopped: the database could not be read or written: "),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_disk_stops_the_engine_and_loses_nothing_that_was_acknowledged() {
    let mut unknown = 0;
    for fault in [Fault::Full, Fault::LostSync] {
        for after in 0..16 {
            let told = fail(fault, after * 3);
            let told = tokio::time::timeout(PATIENCE, told).await;
            unknown += told.unwrap_or_else(|_| panic!("{fault:?} after {after} hangs"));
        }
    }
    assert!(
        unknown > 10,
        "{unknown} callers were told that the outcome is unknown"
    );
}

/// One engine on one disk that fails; how many were told that the outcome is unknown.
async fn fail(fault: Fault, after: u64) -> usize {
    let disk = Faulty::new(fault);
    let held = Arc::new(());
    let registry = holding(&held);
    let nothing_lives = Arc::strong_count(&held);
    let engine = open(disk.medium(), impatient(2), registry).await.unwrap();
    let waiting = engine
        .start(named::orchestrator("wait", &Value::Null))
        .id("waiting")
        .await;
    let waiting = waiting.unwrap();
    let waiter = tokio::spawn({
        let waiting = waiting.clone();
        async move { waiting.wait().await }
    });
    let workers = ["a", "b", "c", "d"].map(|name| tokio::spawn(work(engine.clone(), name)));
    disk.fail_after(after);
    let mut stories = Vec::new();
    for worker in workers {
        stories.push(worker.await.unwrap());
    }

    assert!(matches!(waiter.await.unwrap(), Err(WaitError::Stopped(why)) if is_why(&why)));
    let started = engine
        .start(named::orchestrator("wait", &Value::Null))
        .await;
    assert!(matches!(started, Err(StartError::Stopped(why)) if is_why(&why)));
    let raised = waiting.raise(&named::event("go"), json!(0)).await;
    // Its shard may not have heard of the end yet.
    let Err(RaiseError::Stopped(why) | RaiseError::Unknown(why)) = raised else {
        panic!("{raised:?}");
    };
    says_why(&why);
    // What was recorded can be read until the file is closed.
    until(async || waiting.summary().await.is_err()).await;
    let status = waiting.summary().await;
    assert!(matches!(status, Err(LookupError::Stopped(why)) if is_why(&why)));
    until(async || Arc::strong_count(&held) == nothing_lives).await;
    engine.shutdown().await;

    disk.mend();
    holds_all(&Disk::of(&disk.image()), &stories).await;
    stories
        .iter()
        .filter(|story| story.unknown.is_some())
        .count()
}

fn is_why(why: &Stopped) -> bool {
    says_why(why);
    true
}

/// After a restart there is all that was acknowledged, and it goes on.
async fn holds_all(disk: &Disk, stories: &[Story]) {
    let medium = Medium::Backend(Box::new(disk.clone()));
    let registry = holding(&Arc::new(()));
    let engine = open(medium, StoreOptions::default(), registry)
        .await
        .unwrap();
    for story in stories {
        for id in &story.started {
            let instance = engine.instance(id).await.unwrap().unwrap();
            if !story.raised.contains(id) {
                // Whether its event was recorded is unknown; a second one does no harm.
                drop(instance.raise(&named::event("go"), json!(0)).await);
            }
            assert_eq!(instance.wait().await.unwrap().status, Status::Completed);
        }
        if let Some(id) = &story.unknown {
            // To start it again is safe, whatever became of it.
            let again = engine
                .start(named::orchestrator("wait", &Value::Null))
                .id(id)
                .await;
            assert_eq!(again.unwrap().id().as_str(), id);
        }
    }
    let waiting = engine.instance("waiting").await.unwrap().unwrap();
    waiting.raise(&named::event("go"), json!(1)).await.unwrap();
    assert_eq!(waiting.wait().await.unwrap().status, Status::Completed);
    engine.shutdown().await;
}

/// A clock on which a thread of the engine, sooner or later, does what was planted.
#[derive(Default)]
struct Mined {
    clock: SystemClock,
    mine: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl std::fmt::Debug for Mined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mined")
    }
}

impl Clock for Mined {
    fn wall(&self) -> Timestamp {
        let is_shard = std::thread::current().name() == Some("durable-shard-0");
        let mine = if is_shard {
            self.mine.lock().unwrap().take()
        } else {
            None
        };
        if let Some(mine) = mine {
            mine();
        }
        self.clock.wall()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

/// What is sent to a shard after its last look at its queue, and before everybody knows that it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_thread_that_panicked() {
    let medium = Medium::Backend(Box::new(Disk::default()));
    let mut parts = parts(medium, StoreOptions::default(), holding(&Arc::new(())));
    let clock = Arc::new(Mined::default());
    parts.clock = Arc::<Mined>::clone(&clock);
    let engine = start(parts, limits::LIVE_BYTES_MAX).await.unwrap();
    let (reply, answer) = Reply::channel();
    let hub = Arc::clone(&engine.hub);
    *clock.mine.lock().unwrap() = Some(Box::new(move || {
        let at = Timestamp(1);
        let reason = "planted".to_owned();
        let late = Incoming::Arrival {
            event: HistoryEvent::CancelRequested(CancelRequested { at, reason }),
            execution: None,
            reply: Some(reply),
        };
        hub.deliver(InstanceKey(0), late).unwrap();
        panic!("planted");
    }));
    engine.hub.deliver(InstanceKey(0), Incoming::Wake).unwrap();
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    assert!(answer.unwrap().is_err(), "the reply is dropped");
    let why = engine.hub.reason().to_string();
    assert!(
        why.starts_with("the engine has stopped: thread `durable-shard-0` panicked; its file"),
        "{why}"
    );
}

/// The thread of a shard is gone as soon as it sees that the engine has stopped, whatever is there for it: whoever waited for
/// that, and had a handle of the engine, waited for ever.
#[tokio::test]
async fn nobody_waits_for_a_shard_that_saw_the_end_first() {
    let (medium, registry) = (Medium::Backend(Box::new(Disk::default())), Registry::new());
    let Booted { hub, .. } = boot::boot(parts(medium, StoreOptions::default(), registry)).unwrap();
    let (reply, answer) = Reply::channel();
    let raised = Incoming::Arrival {
        event: HistoryEvent::CancelRequested(CancelRequested {
            at: Timestamp(1),
            reason: "late".to_owned(),
        }),
        execution: None,
        reply: Some(reply),
    };
    hub.deliver(InstanceKey(0), raised).unwrap();
    hub.stop(Stopped::because("it was shut down"));
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    assert!(answer.unwrap().is_err(), "nobody will ever run it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_shutdown_returns_as_the_first_did() {
    let medium = Medium::Backend(Box::new(Disk::default()));
    let registry = holding(&Arc::new(()));
    let engine = open(medium, StoreOptions::default(), registry)
        .await
        .unwrap();
    for _ in 0..2 {
        let stopped = tokio::time::timeout(PATIENCE, engine.shutdown());
        stopped.await.unwrap();
    }
    let started = engine
        .start(named::orchestrator("wait", &Value::Null))
        .await;
    assert!(
        matches!(started, Err(StartError::Stopped(_))),
        "{started:?}"
    );
}
