//! A line for each time that an activity really ran.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, Write};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use durable_runtime::activity::{self, ActivityInfo};

type Working = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A file beside the event log with one line for each *execution* of an activity.
///
/// The event log holds what counts; the ledger shows what it took. An activity that was killed in the middle stands
/// in the ledger twice and in the event log once, each time with the same key.
pub struct Ledger {
    file: File,
    at_work: Box<dyn Fn(Arc<ActivityInfo>) -> Working + Send + Sync>,
}

impl Ledger {
    /// Opens the ledger of the event log at `db`, or makes it; whatever is done takes as long as `pace` says.
    ///
    /// # Errors
    /// If the file can be neither opened nor made.
    pub fn beside(db: &Path, pace: Duration) -> io::Result<Self> {
        Self::with_work(db, move |_| crate::pause(pace))
    }

    /// Opens the ledger of the event log at `db`, or makes it; `at_work` is what there is to do for an activity. For tests,
    /// which want to see who works, and when.
    ///
    /// # Errors
    /// If the file can be neither opened nor made.
    pub fn with_work<F, Fut>(db: &Path, at_work: F) -> io::Result<Self>
    where
        F: Fn(Arc<ActivityInfo>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let path = db.with_extension("ledger");
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let at_work = Box::new(move |info| -> Working { Box::pin(at_work(info)) });
        Ok(Self { file, at_work })
    }

    /// Notes that the running activity runs, then does what there is to do.
    ///
    /// # Panics
    /// If the ledger cannot be written; the activity then ends as a fault.
    #[expect(
        clippy::expect_used,
        reason = "an example without its ledger shows nothing; the panic ends the activity as a fault"
    )]
    pub async fn work(&self) {
        let info = activity::info();
        let line = format!(
            "{} {} execution={} call={} attempt={} key={}\n",
            info.instance, info.name, info.execution, info.call, info.attempt, info.key
        );
        // One write to a file opened for appending: lines of activities that run at a time do not mix.
        (&self.file)
            .write_all(line.as_bytes())
            .expect("the ledger is written");
        (self.at_work)(info).await;
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}
