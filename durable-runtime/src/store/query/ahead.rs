//! Reading rows that stand far apart several at a time: a disk has many of them ready in the time in which it has one.
//!
//! A page of a list whose instances are far between, one in a thousand, needs a page of the file for each. Read one after the
//! other from a file that is not in memory, a hundred of them are a hundred times what the disk takes for one.

use std::thread;

use redb::ReadOnlyTable;

/// Keys that are no further apart are likely to be in one page of the file, or in its neighbour.
const NEAR: u64 = 64;
/// As many rows for each thread are worth starting it.
const ROWS_OF_A_THREAD: usize = 8;
const THREADS_MAX: usize = 8;

/// Those of these keys that are far from the one before.
pub(super) fn far_apart(keys: impl IntoIterator<Item = u64>) -> Vec<u64> {
    let mut far = Vec::new();
    let mut before = None;
    for key in keys {
        if before.is_none_or(|before: u64| before.abs_diff(key) > NEAR) {
            far.push(key);
        }
        before = Some(key);
    }
    far
}

/// Has the rows of these keys in memory, as far as there is room for them. What goes wrong, goes wrong again for whoever reads
/// them.
pub(super) fn read(table: &ReadOnlyTable<u64, &'static [u8]>, keys: &[u64]) {
    let threads = (keys.len() / ROWS_OF_A_THREAD).min(THREADS_MAX);
    if threads < 2 {
        return;
    }
    let look_up = |keys: &[u64]| {
        for key in keys {
            if table.get(*key).is_err() {
                return;
            }
        }
    };
    thread::scope(|scope| {
        let started: Vec<_> = (keys.chunks(keys.len().div_ceil(threads)))
            .filter_map(|keys| {
                let thread = thread::Builder::new().name("durable-list".to_owned());
                thread.spawn_scoped(scope, move || look_up(keys)).ok()
            })
            .collect();
        for thread in started {
            // Where a page is damaged the database may panic.
            drop(thread.join());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_read_with_whom_they_stand_beside() {
        assert_eq!(
            far_apart([5, 6, 7, 500, 501, 5_000]),
            [5, 500, 5_000],
            "each row once"
        );
        assert_eq!(
            far_apart([9_000, 8_999, 10]),
            [9_000, 10],
            "in both directions"
        );
        assert_eq!(far_apart([]), [0; 0]);
    }
}
