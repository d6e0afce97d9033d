//! Every bound of the runtime, its unit and its reason.
//!
//! Source: `docs/design.md`, "Limits".

/// Length of an instance id, in bytes; Durable Task allows as much.
pub(crate) const INSTANCE_ID_BYTES_MAX: usize = 100;
/// Length of the name of an orchestrator, an activity or an event, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 128;
/// Size of one payload (an input, an output, an event, a custom status), in bytes.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 2 << 20;
/// Size of the details of one heartbeat, in bytes: they say where to go on, and are recorded with every failed attempt.
pub(crate) const HEARTBEAT_BYTES_MAX: usize = 64 << 10;
/// Commands of one turn.
pub(crate) const TURN_COMMANDS_MAX: usize = 100_000;
/// Bytes of one turn's events as written.
pub(crate) const TURN_BYTES_MAX: usize = 64 << 20;
/// Arrivals that one turn delivers: a flood becomes several turns, between which others have theirs.
pub(crate) const TURN_ARRIVALS_MAX: usize = 10_000;
/// Bytes of payloads that the arrivals of one turn carry, so that a flood makes no frame without bound. A single larger arrival
/// is a turn of its own.
pub(crate) const TURN_ARRIVAL_BYTES_MAX: usize = 16 << 20;
/// Activities, timers, children and other instances that one instance may wait for at a time; one more is a fault at its await.
pub(crate) const PENDING_MAX: usize = 100_000;
/// Events of one execution from which a warning is logged.
pub(crate) const HISTORY_EVENTS_WARN: u32 = 50_000;
/// Events of one execution beyond which the instance stalls; continue-as-new keeps a history short.
pub(crate) const HISTORY_EVENTS_MAX: u32 = 500_000;
/// Bytes of one execution's history from which a warning is logged.
pub(crate) const HISTORY_BYTES_WARN: u64 = 32 << 20;
/// Bytes of one execution's history beyond which the instance stalls: it is read, and replayed, as a whole.
pub(crate) const HISTORY_BYTES_MAX: u64 = 256 << 20;
/// What an event counts for in the bytes of a history, beside what it carries of a user.
pub(crate) const EVENT_BYTES: usize = 32;
/// Turns of one batch: a batch grows while the disk is busy, and must not grow for ever.
pub(crate) const BATCH_RECORDS_MAX: usize = 4_096;
/// Bytes of one `log` row; longer batches are cut at record boundaries. redb gives a large row a page of its own, and
/// rounds that up to a power of two, so this is a power of two, less what the page itself needs.
pub(crate) const LOG_ROW_BYTES: usize = (32 << 10) - 128;
/// Log rows an unfolded record may lie behind the head before its instance is folded.
pub(crate) const FOLD_LAG_ROWS: u64 = 4_096;
/// Bytes of records that may wait to be folded, kept in memory and read at open.
pub(crate) const UNFOLDED_BYTES_MAX: usize = 64 << 20;
/// The longest sleep of the timer thread while a timer is armed, so that a suspended machine is noticed.
pub(crate) const TIMER_SLEEP_MAX: std::time::Duration = std::time::Duration::from_secs(30);
/// How long a stopping engine waits for its threads; one that is still in code of a user then is left behind.
pub(crate) const THREAD_END_MAX: std::time::Duration = std::time::Duration::from_secs(5);
/// Estimated bytes of idle instances that are kept in memory.
pub(crate) const LIVE_BYTES_MAX: usize = 256 << 20;
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
