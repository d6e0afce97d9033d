//! Whether the code of this build fits what is recorded of every instance in flight.
//!
//! Histories are read beside whatever else reads and writes, and replayed on a thread of their own: nothing is recorded,
//! no side effect runs, no instance of the engine is touched.
//!
//! Source: `docs/design.md`, "Verifying".

mod report;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

pub use self::report::{Disagreement, Misfit, Side, Totals, Verification, Verified};

use crate::clock::{Clock as _, SystemClock, SystemEntropy};
use crate::engine::boot::OpenError;
use crate::engine::hub::Stopped;
use crate::engine::replayer::{self, Replayer};
use crate::engine::setup::Setup;
use crate::engine::{Engine, EngineBuilder};
use crate::event::{ExecutionStarted, HistoryEvent, Name, StallReason};
use crate::id::{BuildId, InstanceKey};
use crate::limits;
use crate::registry::Registry;
use crate::replay::Stall;
use crate::store::{LastExecution, Medium, Reader, Store, StoreError, Summary, chain};

/// Why the instances in flight could not be verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The engine has stopped.
    #[error("the instances in flight could not be verified, as the engine has stopped")]
    Stopped(#[source] Stopped),
    /// The store could not be read.
    #[error("the instances in flight could not be verified, as the store could not be read")]
    Store(#[from] StoreError),
    /// The store could not be opened, or the program's functions do not fit together.
    #[error("the instances in flight could not be verified, as the store could not be opened")]
    Open(#[source] OpenError),
    /// The thread that verifies could not be started, or has ended.
    #[error(
        "the instances in flight could not be verified, as their thread could not be started or has ended"
    )]
    Thread,
}

impl Engine {
    /// Replays every instance in flight against this build, and says which fit and which would stall, where and why.
    ///
    /// For a deployment, ask [`EngineBuilder::verify`] before the engine is opened; this is for an engine that runs.
    ///
    /// Nothing is recorded and no side effect runs. Instances are replayed one at a time, each as it is recorded when its
    /// turn comes, on a thread of their own; the engine goes on meanwhile. What is recorded is checked: what
    /// has arrived since the last turn is not delivered. Code that never ends, where what is recorded of it did, holds the
    /// verification up for ever.
    ///
    /// # Cancel safety
    /// Dropping the future ends the verification after the instance that is being replayed.
    ///
    /// # Errors
    /// [`VerifyError`] if it could not be done. That instances do not fit is no error: [`Verification::all_fit`] says so.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestEngine;
    ///
    /// #[orchestrator]
    /// async fn patient() {
    ///     sleep(days(30)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = TestEngine::start()?;
    /// engine.start(patient()).await?;
    /// engine.settle().await;
    /// let verified = engine.verify().await?;
    /// assert!(verified.all_fit(), "{verified}");
    /// assert_eq!(verified.totals.fit, 1);
    /// # Ok(()) }
    /// ```
    pub async fn verify(&self) -> Result<Verification, VerifyError> {
        let reviver = &self.hub.reviver;
        let (replayer, reader) = (reviver.replayer(), reviver.reader.clone());
        match on_a_thread(move |stop| verify(&replayer, &reader, stop)).await {
            Err(VerifyError::Store(StoreError::Closed)) => {
                Err(VerifyError::Stopped(self.hub.reason()))
            }
            verified => verified,
        }
    }
}

impl EngineBuilder {
    /// Opens the store, replays every instance in flight against this build, and closes it again: the question to ask before a
    /// deployment, of the file or of a copy.
    ///
    /// The file is not changed at all, also after an unclean stop. It must be there, and open nowhere else: what somebody
    /// writes cannot be read at the same time. Neither a tokio runtime nor the state of activities is needed. All else is as for
    /// [`Engine::verify`].
    ///
    /// # Cancel safety
    /// Dropping the future ends the verification after the instance that is being replayed, and then closes the file.
    ///
    /// # Errors
    /// [`VerifyError::Open`] if the store cannot be opened; else as [`Engine::verify`].
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    ///
    /// #[orchestrator]
    /// async fn patient() {
    ///     sleep(days(30)).await;
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("verify-{}.redb", std::process::id()));
    /// let engine = Engine::open(&path).await?;
    /// engine.start(patient()).await?;
    /// engine.shutdown().await;
    ///
    /// // In the next release, before it takes over:
    /// let verified = Engine::builder(&path).verify().await?;
    /// println!("{verified}");
    /// assert!(verified.all_fit());
    /// # std::fs::remove_file(path)?;
    /// # Ok(()) }
    /// ```
    pub async fn verify(self) -> Result<Verification, VerifyError> {
        let Self {
            path, setup, store, ..
        } = self;
        on_a_thread(move |stop| {
            let Setup {
                registry, versions, ..
            } = setup;
            let registry = registry.unwrap_or_else(Registry::linked);
            if let Some(duplicate) = registry.duplicate() {
                return Err(VerifyError::Open(duplicate.clone().into()));
            }
            let medium = Medium::Unchanged(path);
            let wall = SystemClock::new().wall();
            let opened = Store::open(medium, store, wall, &SystemEntropy);
            // What was outstanding is found again, a page at a time.
            let (store, _) = opened.map_err(|error| VerifyError::Open(error.into()))?;
            let replayer = Replayer {
                registry: Arc::new(registry),
                versions,
                store: store.id(),
                build: BuildId::default(),
                payload_limit: limits::PAYLOAD_BYTES_MAX,
            };
            verify(&replayer, &store.reader(), stop)
        })
        .await
    }
}

/// Runs `work` on a thread of its own. It is told when nobody waits for it any more.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce(&AtomicBool) -> Result<T, VerifyError> + Send + 'static,
) -> Result<T, VerifyError> {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stop = Arc::new(AtomicBool::new(false));
    let _dropped = Dropped(Arc::clone(&stop));
    let (answer, answered) = oneshot::channel();
    let thread = std::thread::Builder::new().name("durable-verify".to_owned());
    // Whoever waits hears of a lost thread as an error; nobody joins it.
    thread
        .spawn(move || answer.send(work(&stop)).is_ok())
        .map_err(|_| VerifyError::Thread)?;
    answered.await.unwrap_or(Err(VerifyError::Thread))
}

/// Replays all that has not ended.
fn verify(
    replayer: &Replayer,
    reader: &Reader,
    stop: &AtomicBool,
) -> Result<Verification, VerifyError> {
    let mut tally = Tally::default();
    let mut unended = reader.unended();
    while let Some(page) = unended.next_page()? {
        for key in page {
            if stop.load(Ordering::Relaxed) {
                return Err(VerifyError::Thread);
            }
            let seen = reader.shared_summary(key);
            match seen.and_then(|seen| in_flight(reader, key, seen)) {
                Ok(Some(last)) => {
                    let found = instance(replayer, reader, key, last.history);
                    tally.count(&last.summary, found);
                }
                Ok(None) => {}
                Err(error) if error.is_of_one_instance() => tally.count_unknown(key, &error),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(tally.finish())
}

/// An instance with its history, unless it has ended; it may have continued as new since it was seen.
fn in_flight(
    reader: &Reader,
    key: InstanceKey,
    seen: Option<Arc<Summary>>,
) -> Result<Option<LastExecution>, StoreError> {
    let seen = seen.filter(|summary| !summary.has_ended());
    let last = reader.last_execution(key, seen)?;
    Ok(last.filter(|last| !last.summary.has_ended()))
}

/// Replays one instance; the stall with its report, if it does not fit.
fn instance(
    replayer: &Replayer,
    reader: &Reader,
    key: InstanceKey,
    history: Result<Vec<HistoryEvent>, StoreError>,
) -> Option<Found> {
    let history = match history {
        Ok(history) => history,
        Err(error) => return Some(Found::damaged(&error)),
    };
    let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
        return None;
    };
    let stall = match replayer.replay(key, started, &history) {
        Ok(_) => replayer.lacks(&history),
        Err(stall) => Some(stall),
    };
    stall.map(|stall| Found::stall(&stall, started, reader))
}

/// Why an instance does not fit.
struct Found {
    reason: StallReason,
    disagreement: Option<Disagreement>,
    report: String,
}

impl Found {
    fn damaged(error: &StoreError) -> Self {
        Self {
            reason: StallReason::Damaged,
            disagreement: None,
            report: chain(error),
        }
    }

    fn stall(stall: &Stall, started: &ExecutionStarted, reader: &Reader) -> Self {
        // A report without the place is better than none.
        let place = |build, site| reader.place(build, site).ok().flatten();
        let spot = |build, site| reader.spot(build, site).ok().flatten();
        let disagreement = stall.divergence.as_ref().map(|divergence| Disagreement {
            event: divergence.sequence.0,
            recorded: divergence.recorded.as_ref().map(|side| Side {
                what: side.what.clone(),
                place: side.origin.and_then(|(build, site)| place(build, site)),
            }),
            requested: divergence.requested.as_ref().map(|side| Side {
                what: side.what.clone(),
                place: side.site.map(|site| site.to_string()),
            }),
        });
        Self {
            reason: stall.reason,
            disagreement,
            report: replayer::report(stall, started, spot),
        }
    }
}

/// What was found so far.
#[derive(Default)]
struct Tally {
    verification: Verification,
    orchestrators: BTreeMap<(Name, Option<String>), Totals>,
}

impl Tally {
    fn count(&mut self, summary: &Summary, found: Option<Found>) {
        let key = (summary.name.clone(), summary.version.clone());
        let reason = found.as_ref().map(|found| found.reason);
        self.orchestrators.entry(key).or_default().count(reason);
        self.verification.totals.count(reason);
        if let Some(found) = found {
            self.tell(Misfit {
                instance: summary.id.to_string(),
                execution: summary.execution,
                name: summary.name.clone(),
                version: summary.version.clone(),
                reason: found.reason,
                disagreement: found.disagreement,
                report: found.report,
            });
        }
    }

    /// An instance of which nothing is known.
    fn count_unknown(&mut self, key: InstanceKey, error: &StoreError) {
        let found = Found::damaged(error);
        self.verification.totals.count(Some(found.reason));
        self.tell(Misfit {
            instance: key.0.to_string(),
            execution: crate::id::ExecutionId::FIRST,
            name: Name::default(),
            version: None,
            reason: found.reason,
            disagreement: None,
            report: found.report,
        });
    }

    fn tell(&mut self, misfit: Misfit) {
        let misfits = &mut self.verification.misfits;
        if misfits.len() < limits::MISFITS_TOLD_MAX {
            misfits.push(misfit);
        }
    }

    fn finish(self) -> Verification {
        let orchestrators = self.orchestrators.into_iter();
        let orchestrators = orchestrators.map(|((name, version), totals)| Verified {
            name,
            version,
            totals,
        });
        Verification {
            orchestrators: orchestrators.collect(),
            ..self.verification
        }
    }
}
