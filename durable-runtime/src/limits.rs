//! Every bound of the runtime, its unit and its reason.
//!
//! Source: `docs/design.md`, "Limits".

/// Length of an instance id, in bytes; Durable Task allows as much.
pub(crate) const INSTANCE_ID_BYTES_MAX: usize = 100;
/// Length of the name of an orchestrator, an activity or an event, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 128;
/// Size of one payload (an input, an output, an event, a custom status), in bytes.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 2 << 20;
/// Commands of one turn.
pub(crate) const TURN_COMMANDS_MAX: usize = 100_000;
/// Bytes of one turn's events as written.
pub(crate) const TURN_BYTES_MAX: usize = 64 << 20;
/// Activities, timers and children that one instance may wait for at a time; one more is a fault at its await.
pub(crate) const PENDING_MAX: usize = 100_000;
/// Events of one execution from which a warning is logged.
pub(crate) const HISTORY_EVENTS_WARN: u32 = 50_000;
/// Events of one execution beyond which the instance stalls; continue-as-new keeps a history short.
pub(crate) const HISTORY_EVENTS_MAX: u32 = 500_000;
/// Turns of one batch: a batch grows while the disk is busy, and must not grow for ever.
pub(crate) const BATCH_RECORDS_MAX: usize = 4_096;
/// Bytes of one `log` row; longer batches are cut at record boundaries.
pub(crate) const LOG_ROW_BYTES: usize = 24 << 10;
/// Log rows an unfolded record may lie behind the head before its instance is folded.
pub(crate) const FOLD_LAG_ROWS: u64 = 4_096;
/// Bytes of records that may wait to be folded, kept in memory and read at open.
pub(crate) const UNFOLDED_BYTES_MAX: usize = 64 << 20;
