//! Named places where a test can have the process die.
//!
//! `DURABLE_FAILPOINT=commit.after:7` aborts the process the seventh time it passes `commit.after`. Without the feature
//! `failpoints` a place is nothing at all.

/// Passes the place `name`.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn hit(_name: &str) {}

/// Passes the place `name`; dies there if the environment says so.
#[cfg(feature = "failpoints")]
pub(crate) fn hit(name: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
        let setting = std::env::var("DURABLE_FAILPOINT").ok()?;
        let (name, count) = setting.split_once(':')?;
        Some((name.to_owned(), count.parse().ok()?))
    });
    static PASSED: AtomicU64 = AtomicU64::new(0);

    if let Some((wanted, count)) = &*WANTED
        && wanted == name
        && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *count
    {
        // No destructor runs and nothing is flushed: as if it had been killed.
        std::process::abort();
    }
}
