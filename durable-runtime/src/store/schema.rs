//! The tables. Keys are integers, tuples of them or bytes, and values are bytes: encodings that redb keeps across its
//! major versions.
//!
//! Source: `docs/design.md`, "Tables".

use redb::TableDefinition;

/// Position -> the frames of one commit, cut into rows.
pub(crate) const LOG: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("log");

/// (instance, execution, sequence of the first record) -> a segment: frames, copied verbatim.
pub(crate) const HISTORY: TableDefinition<'static, (u64, u32, u32), &[u8]> =
    TableDefinition::new("history");

/// Instance -> its [`Summary`](super::Summary) as of its last folded event.
pub(crate) const INSTANCES: TableDefinition<'static, u64, &[u8]> =
    TableDefinition::new("instances");

/// Instance -> its [`Outstanding`](super::Outstanding) as of its last folded event.
pub(crate) const OPEN: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("open");

/// (instance, event id, or [`WHOLE_TURN`]) -> crash count, a little-endian `u32`.
pub(crate) const SUSPECTS: TableDefinition<'static, (u64, u32), &[u8]> =
    TableDefinition::new("suspects");

/// (sender, execution, event id) -> an event on its way: a [`Sent`](super::Sent).
pub(crate) const SENT: TableDefinition<'static, (u64, u32, u32), &[u8]> =
    TableDefinition::new("sent");

/// Instance id -> instance, a little-endian `u64`.
pub(crate) const IDS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("ids");

/// (term, instance), without a value: the instances that a [`Term`](super::index::Term) holds of, in order of creation.
pub(crate) const INDEX: TableDefinition<'static, (u64, u64), &[u8]> = TableDefinition::new("index");

/// (time in milliseconds, instance), without a value: what has ended, in the order in which it did.
pub(crate) const ENDED: TableDefinition<'static, (u64, u64), &[u8]> = TableDefinition::new("ended");

/// A status and a name -> how many instances there are of both, a `u64`; [`CHANGES`] -> how often these numbers changed.
pub(crate) const COUNTS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("counts");

/// (build, site) -> the place in the source, and in a second line what stands there; (build, [`FINGERPRINT`]) -> what tells the build from others.
pub(crate) const BUILDS: TableDefinition<'static, (u32, u32), &[u8]> =
    TableDefinition::new("builds");

/// One of the numbers below -> its value.
pub(crate) const META: TableDefinition<'static, u32, &[u8]> = TableDefinition::new("meta");

/// The layout of the file; one byte.
pub(crate) const META_FORMAT: u32 = 0;
/// The store's id; 16 bytes.
pub(crate) const META_STORE_ID: u32 = 1;
/// The position of the next `log` row, as of the last fold; a `u64`.
pub(crate) const META_NEXT_POSITION: u32 = 2;
/// The key of the next instance, as of the last fold; a `u64`.
pub(crate) const META_NEXT_KEY: u32 = 3;
/// Store time as of the last fold, in milliseconds; a `u64`. Recorded events may be later.
pub(crate) const META_TIME: u32 = 4;
/// 1 if the store was closed, 0 while it is open; one byte.
pub(crate) const META_CLEAN: u32 = 5;

/// The layout that this build writes.
pub(crate) const FORMAT: u8 = 1;

/// Stands for a turn in place of an event id.
pub(crate) const WHOLE_TURN: u32 = u32::MAX;

/// Stands for the build itself in place of a site.
pub(crate) const FINGERPRINT: u32 = 0;

/// Stands for the orchestrators of a build in place of a site: a line for each, of its name and what tells its points from
/// others.
pub(crate) const ORCHESTRATORS: u32 = 1;

/// The row of `counts` that says how often the others were changed: no status and no name.
pub(crate) const CHANGES: &[u8] = &[];

/// A stored integer.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_le_bytes)
}
