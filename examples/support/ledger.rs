//! A line for each time that an activity really ran.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use durable_runtime::activity;

/// A file beside the event log with one line for each *execution* of an activity.
///
/// The event log holds what counts; the ledger shows what it took. An activity that was killed in the middle stands
/// in the ledger twice and in the event log once, each time with the same key.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    pace: Duration,
}

impl Ledger {
    /// Opens the ledger of the event log at `db`, or makes it; whatever is done takes as long as `pace` says.
    ///
    /// # Errors
    /// If the file can be neither opened nor made.
    pub fn beside(db: &Path, pace: Duration) -> io::Result<Self> {
        let path = db.with_extension("ledger");
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self { file, pace })
    }

    /// Notes that the running activity runs, then works on it at the ledger's pace.
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
            "{} {} call={} attempt={} key={}\n",
            info.instance, info.name, info.call, info.attempt, info.key
        );
        // One write to a file opened for appending: lines of activities that run at a time do not mix.
        (&self.file)
            .write_all(line.as_bytes())
            .expect("the ledger is written");
        crate::pause(self.pace).await;
    }
}
