//! Every bound of the runtime, its unit and its reason.
//!
//! Source: `docs/limits.md`, which has a row for each of them.

mod labels;

pub use self::labels::{InvalidTags, TooLong};
pub(crate) use self::labels::{check_name, check_tags, check_version};

/// Length of an instance id, in bytes; Durable Task allows as much.
pub(crate) const INSTANCE_ID_BYTES_MAX: usize = 100;
/// Length of the name of an orchestrator, an activity or an event, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 128;
/// Length of the version of an orchestrator, in bytes: it is recorded with every execution.
pub(crate) const VERSION_BYTES_MAX: usize = 128;
/// Tags of one instance: they are read with its summary.
pub(crate) const TAGS_MAX: usize = 16;
/// Length of the key of a tag, in bytes.
pub(crate) const TAG_KEY_BYTES_MAX: usize = 64;
/// Length of the value of a tag, in bytes.
pub(crate) const TAG_VALUE_BYTES_MAX: usize = 256;
/// Size of one payload (an input, an output, an event, a custom status), in bytes, unless the engine's builder says more.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 2 << 20;
/// Length of the reason that is given for terminating, suspending, resuming, rewinding or cancelling an instance, in bytes: it is
/// recorded with it, and read with its summary.
pub(crate) const REASON_BYTES_MAX: usize = 16 << 10;
/// The most that the engine's builder may say: a payload is copied as a whole wherever it goes.
pub(crate) const PAYLOAD_BYTES_CEILING: usize = 64 << 20;
/// Size of one payload from which a warning is logged, in bytes: each replay reads it again.
pub(crate) const PAYLOAD_BYTES_WARN: usize = 256 << 10;
/// Size of the details of one heartbeat, in bytes: they say where to go on, and are recorded with every failed attempt.
pub(crate) const HEARTBEAT_BYTES_MAX: usize = 64 << 10;
/// Length of a `tracestate` header, in bytes; servers take headers of about this size.
pub(crate) const TRACE_STATE_BYTES_MAX: usize = 8 << 10;
/// Commands of one turn.
pub(crate) const TURN_COMMANDS_MAX: usize = 100_000;
/// Bytes of one turn's events as written.
pub(crate) const TURN_BYTES_MAX: usize = 64 << 20;
/// Arrivals that one turn delivers: a flood becomes several turns, between which others have theirs.
pub(crate) const TURN_ARRIVALS_MAX: usize = 10_000;
/// Bytes of payloads that the arrivals of one turn carry, so that a flood makes no frame without bound. A single larger arrival
/// is a turn of its own.
pub(crate) const TURN_ARRIVAL_BYTES_MAX: usize = 16 << 20;
/// Events that were raised to one instance and that nobody has taken; one more is refused until there is room, so that whoever
/// raises them hears of it before the history is too long to be replayed.
pub(crate) const UNTAKEN_EVENTS_MAX: usize = 10_000;
/// Bytes of the names and payloads of such events.
pub(crate) const UNTAKEN_BYTES_MAX: usize = 16 << 20;
/// Length of the id of an event, in bytes: as long as that of an instance.
pub(crate) const EVENT_ID_BYTES_MAX: usize = 100;
/// Activities, timers, children and other instances that one instance may wait for at a time; one more is a fault at its await.
pub(crate) const PENDING_MAX: usize = 100_000;
/// Events of one execution from which `should_continue_as_new` says so: what is short replays at once.
pub(crate) const CONTINUE_EVENTS: u32 = 4_000;
/// Bytes of one execution's history from which `should_continue_as_new` says so.
pub(crate) const CONTINUE_BYTES: u64 = 4 << 20;
/// Events of one execution from which a warning is logged.
pub(crate) const HISTORY_EVENTS_WARN: u32 = 50_000;
/// Events of one execution beyond which the instance stalls; continue-as-new keeps a history short.
pub(crate) const HISTORY_EVENTS_MAX: u32 = 500_000;
/// Bytes of one execution's history from which a warning is logged.
pub(crate) const HISTORY_BYTES_WARN: u64 = 32 << 20;
/// Bytes of one execution's history beyond which the instance stalls: it is read, and replayed, as a whole.
pub(crate) const HISTORY_BYTES_MAX: u64 = 256 << 20;
/// Bytes of the inputs of the activities that one rewind has run again, unless it is one alone: they are in one record, which is
/// held in memory several times while it is written.
pub(crate) const REWIND_BYTES_MAX: usize = 32 << 20;
/// What an event counts for in the bytes of a history, beside what it carries of a user.
pub(crate) const EVENT_BYTES: usize = 32;
/// Turns of one batch: a batch grows while the disk is busy, and must not grow for ever.
pub(crate) const BATCH_RECORDS_MAX: usize = 4_096;
/// Lifecycle events that are kept for a receiver that is slow; it loses the oldest of more.
pub(crate) const LIFECYCLE_EVENTS_MAX: usize = 4_096;
/// Bytes of one `log` row; longer batches are cut at record boundaries. redb gives a large row a page of its own, and
/// rounds that up to a power of two, so this is a power of two, less what the page itself needs.
pub(crate) const LOG_ROW_BYTES: usize = (32 << 10) - 128;
/// Log rows an unfolded record may lie behind the head before its instance is folded.
pub(crate) const FOLD_LAG_ROWS: u64 = 4_096;
/// Bytes of records that may wait to be folded, kept in memory and read at open.
pub(crate) const UNFOLDED_BYTES_MAX: usize = 64 << 20;
/// Instances of which something may wait to be folded: a small one takes much more memory, and time to open, than its bytes.
pub(crate) const UNFOLDED_INSTANCES_MAX: usize = 65_536;
/// Those among them that have ended: nothing is gained by waiting any more.
pub(crate) const UNFOLDED_ENDED_MAX: usize = 16_384;
/// Purged instances whose rows may wait to be removed.
pub(crate) const UNFOLDED_GRAVES_MAX: usize = 8_192;
/// Instances that one commit of a large purge removes: others wait for that commit.
pub(crate) const PURGE_SLICE: usize = 500;
/// Instances that one commit of the automatic purge removes.
pub(crate) const EXPIRY_SLICE: usize = 64;
/// Instances that the automatic purge removes before it pauses.
pub(crate) const EXPIRY_BURST: usize = 10_000;
/// How long it pauses then.
pub(crate) const EXPIRY_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);
/// How often is looked, at the most, for what is to be purged by itself; else ten times in the shortest time that is kept.
pub(crate) const EXPIRY_PERIOD_MIN: std::time::Duration = std::time::Duration::from_secs(1);
/// How often, at the least.
pub(crate) const EXPIRY_PERIOD_MAX: std::time::Duration = std::time::Duration::from_secs(3_600);
/// How long after its turn the end of an instance may be on disk, beyond the time that the turn may take: for so long the
/// retention looks again at what it has seen.
pub(crate) const EXPIRY_LATE_MAX: std::time::Duration = std::time::Duration::from_secs(60);
/// The longest sleep of the timer thread while a timer is armed, so that a suspended machine is noticed.
pub(crate) const TIMER_SLEEP_MAX: std::time::Duration = std::time::Duration::from_secs(30);
/// How long a stopping engine waits for its threads; one that is still in code of a user then is left behind.
pub(crate) const THREAD_END_MAX: std::time::Duration = std::time::Duration::from_secs(5);
/// Estimated bytes of idle instances that are kept in memory.
pub(crate) const LIVE_BYTES_MAX: usize = 64 << 20;
/// Instances on one page of a list: a page is held in memory as a whole.
pub(crate) const PAGE_ROWS_MAX: usize = 1_000;
/// Instances on one page of a list unless said otherwise; as many as Durable Task has.
pub(crate) const PAGE_ROWS: usize = 100;
/// Bytes of instances, with their payloads, that are read for one page of a list.
pub(crate) const PAGE_BYTES_MAX: usize = 16 << 20;
/// Statuses, names and tags that a list may ask for: each is a stream of rows that is read beside the others.
pub(crate) const LIST_TERMS_MAX: usize = 100;
/// Rows of the index that are looked at for one page of a list; some 10 ms, whatever is filtered out. Looking at an instance counts
/// for 4, one far from the last for 16, and looking for a place in the index for 8.
pub(crate) const PAGE_STEPS_MAX: usize = 20_000;
/// Activities that run at a time.
pub(crate) const ACTIVITIES_MAX: usize = 1_024;
/// Rows that one slice of the check of a large file reads: a read transaction keeps pages from being used again, so it is
/// short.
pub(crate) const CHECK_SLICE_ROWS: u64 = 1_024;
/// Bytes of rows that one slice of the check of a large file reads.
pub(crate) const CHECK_SLICE_BYTES: usize = 1 << 20;
/// The rest between two slices of the check of a large file, so that the disk stays free for those who wait for it.
pub(crate) const CHECK_REST: std::time::Duration = std::time::Duration::from_millis(2);
/// How long the check of a large file waits before it looks again whether a file that was closed, for want of room on its
/// disk, is open.
pub(crate) const CHECK_AGAIN: std::time::Duration = std::time::Duration::from_millis(500);
/// Deaths of the process with the same activity, or turn, outstanding from which on that is a suspect, which is started while
/// nothing else runs. One death says nothing: everything was outstanding.
pub(crate) const DEATHS_OF_SUSPECTS: u32 = 2;
/// Deaths in a row while nothing else ran, at which what ran is given up.
pub(crate) const LONE_DEATHS_MAX: u16 = 10;
/// How long a suspect runs alone, at the least, before the next one may start.
pub(crate) const TRIAL_MIN: std::time::Duration = std::time::Duration::from_millis(50);
/// How long a suspect runs alone, at the most.
pub(crate) const TRIAL_MAX: std::time::Duration = std::time::Duration::from_secs(30);
/// How long all suspects run alone, together, at the most; everything else waits meanwhile.
pub(crate) const TRIALS_MAX: std::time::Duration = std::time::Duration::from_secs(120);
/// How long one turn may run the code of an orchestrator, replay excluded; what takes longer is taken to have no end.
pub(crate) const TURN_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(10);
/// Threads of an engine that may be left behind with turns that have no end; when there are as many, a shard that another one
/// holds stays held.
pub(crate) const THREADS_LEFT_BEHIND_MAX: usize = 16;
/// How far down the instances that an instance waits for are looked at, to say why it waits.
pub(crate) const EXPLAIN_DEPTH_MAX: usize = 16;
/// How many instances are looked at to say why one waits: each has its history read and replayed.
pub(crate) const EXPLAIN_INSTANCES_MAX: usize = 64;
/// How long a replay may take that is to say what an instance waits for; less, if a turn may take less.
pub(crate) const EXPLAIN_REPLAY_MAX: std::time::Duration = std::time::Duration::from_secs(10);
/// Replays that took longer and still run, each on a thread of its own, before no further one is begun.
pub(crate) const EXPLAIN_STRAYS_MAX: usize = 4;

/// Instances that do not fit of which one verification tells; the rest are counted. Their reports are held in memory.
pub(crate) const MISFITS_TOLD_MAX: usize = 1_000;

#[cfg(test)]
mod tests {
    use std::fmt::Display;
    use std::time::Duration;

    use super::*;

    /// A number with commas.
    fn count(number: impl Display) -> String {
        let digits = number.to_string();
        let mut told = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                told.push(',');
            }
            told.push(digit);
        }
        told
    }

    fn bytes(number: impl TryInto<u64>) -> String {
        let number = number.try_into().unwrap_or_default();
        match number {
            mib if mib.is_multiple_of(1 << 20) => format!("{} MiB", mib >> 20),
            kib if kib.is_multiple_of(1 << 10) => format!("{} KiB", kib >> 10),
            few => format!("{} bytes", count(few)),
        }
    }

    fn time(duration: Duration) -> String {
        match duration.subsec_millis() {
            0 => format!("{} s", duration.as_secs()),
            millis => format!("{millis} ms"),
        }
    }

    /// A limit with its default as the document tells it.
    macro_rules! told {
        ($($told:ident: $($limit:ident)+;)+) => {
            vec![$($((stringify!($limit), $told($limit)),)+)+]
        };
    }

    #[test]
    fn the_document_has_a_row_for_each_limit_with_its_default() {
        let document = include_str!("../../docs/limits.md");
        let limits: Vec<(&str, String)> = told! {
            bytes: INSTANCE_ID_BYTES_MAX NAME_BYTES_MAX VERSION_BYTES_MAX TAG_KEY_BYTES_MAX TAG_VALUE_BYTES_MAX
                PAYLOAD_BYTES_MAX PAYLOAD_BYTES_CEILING PAYLOAD_BYTES_WARN HEARTBEAT_BYTES_MAX TURN_BYTES_MAX
                CONTINUE_BYTES HISTORY_BYTES_WARN HISTORY_BYTES_MAX EVENT_BYTES LIVE_BYTES_MAX
                TURN_ARRIVAL_BYTES_MAX LOG_ROW_BYTES UNFOLDED_BYTES_MAX CHECK_SLICE_BYTES EVENT_ID_BYTES_MAX
                UNTAKEN_BYTES_MAX REASON_BYTES_MAX REWIND_BYTES_MAX PAGE_BYTES_MAX TRACE_STATE_BYTES_MAX;
            count: TAGS_MAX PENDING_MAX TURN_COMMANDS_MAX CONTINUE_EVENTS HISTORY_EVENTS_WARN HISTORY_EVENTS_MAX
                ACTIVITIES_MAX LONE_DEATHS_MAX EXPLAIN_DEPTH_MAX EXPLAIN_INSTANCES_MAX EXPLAIN_STRAYS_MAX TURN_ARRIVALS_MAX
                BATCH_RECORDS_MAX FOLD_LAG_ROWS CHECK_SLICE_ROWS DEATHS_OF_SUSPECTS THREADS_LEFT_BEHIND_MAX
                UNTAKEN_EVENTS_MAX UNFOLDED_INSTANCES_MAX UNFOLDED_ENDED_MAX UNFOLDED_GRAVES_MAX PURGE_SLICE EXPIRY_SLICE
                EXPIRY_BURST PAGE_ROWS_MAX PAGE_ROWS LIST_TERMS_MAX PAGE_STEPS_MAX MISFITS_TOLD_MAX LIFECYCLE_EVENTS_MAX;
            time: TURN_TIME_MAX EXPLAIN_REPLAY_MAX TIMER_SLEEP_MAX THREAD_END_MAX CHECK_REST CHECK_AGAIN TRIAL_MIN
                TRIAL_MAX TRIALS_MAX EXPIRY_PAUSE EXPIRY_PERIOD_MIN EXPIRY_PERIOD_MAX
                EXPIRY_LATE_MAX;
        };
        for (name, default) in &limits {
            let row = format!("\n| `{name}` | {default} |");
            assert!(document.contains(&row), "{row}");
        }
        let source = include_str!("limits.rs");
        let declared = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub(crate) const "));
        let names: Vec<&str> = declared.filter_map(|rest| rest.split(':').next()).collect();
        assert!(names.len() > 40);
        for name in names {
            assert!(
                limits.iter().any(|(told, _)| *told == name),
                "{name} is not in the list"
            );
        }
    }
}
