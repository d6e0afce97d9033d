//! The report of code that does not ask for the same twice.

use std::fmt::Write;

use super::Stall;
use crate::event::StallReason;
use crate::id::{BuildId, SiteId};

impl Stall {
    /// Run again over what it has just recorded, the code came to something else.
    pub(crate) fn not_deterministic(report: String) -> Self {
        Self::new(StallReason::NonDeterministic, report)
    }

    /// What a twin came to, told beside what the first run came to. `place` tells where in the source a recorded command was asked for.
    pub(crate) fn told_of_twin(&self, place: impl Fn(BuildId, SiteId) -> Option<String>) -> String {
        let mut report =
            "[D211] the code does not do the same twice: run again over the same record, "
                .to_owned();
        let Some(divergence) = &self.divergence else {
            add(
                &mut report,
                format_args!("it cannot go on: {}", self.report),
            );
            add(&mut report, format_args!("{REMEDY}"));
            return report;
        };
        add(
            &mut report,
            format_args!(
                "it asks for something else at event {}",
                divergence.sequence.0
            ),
        );
        let first = divergence.recorded.as_ref();
        let what = first.map_or("nothing more in this turn", |side| &side.what);
        add(&mut report, format_args!("\n    first: {what}"));
        let origin = first.and_then(|side| side.origin);
        if let Some(place) = origin.and_then(|(build, site)| place(build, site)) {
            add(&mut report, format_args!(" at {place}"));
        }
        let again = divergence.requested.as_ref();
        let what = again.map_or("nothing more in this turn", |side| &side.what);
        add(&mut report, format_args!("\n    again: {what}"));
        match (again.and_then(|side| side.site), divergence.after) {
            (Some(site), _) => add(&mut report, format_args!(" at {site}")),
            (None, Some(site)) => {
                add(
                    &mut report,
                    format_args!(", after what was asked for at {site}"),
                );
            }
            (None, None) => {}
        }
        add(&mut report, format_args!("{REMEDY}"));
        report
    }
}

/// What a report of the replay check ends with.
const REMEDY: &str = "\n    something that is not recorded decides what the code does: the machine's clock, chance, the order of a `HashMap`, \
     a static or thread-local, the environment, a file, an address; take it from `now`, `random`, `uuid`, a `BTreeMap`, `side_effect` or \
     an activity (docs/determinism/D211.md)";

/// Appends to text, which cannot fail.
fn add(report: &mut String, text: std::fmt::Arguments<'_>) {
    if report.write_fmt(text).is_err() {
        report.push('…');
    }
}
