//! The instances in flight, found without walking those that have ended.

use std::collections::BTreeSet;

use super::StoreError;
use super::reader::Reader;
use super::schema::OPEN;
use crate::id::InstanceKey;

/// Rows of `open` that are read in one go.
const PAGE_ROWS: usize = 1_024;

/// The keys of the instances that have not ended, in order and a page at a time, in short read transactions.
///
/// As of about when it was made: without what is created later, and perhaps with some that have ended since.
#[derive(Debug)]
pub(crate) struct Unended {
    reader: Reader,
    /// What was not folded at the begin. Whoever reads takes it first: what is folded meanwhile stands in both places.
    unfolded: BTreeSet<u64>,
    /// Where the next page begins; nothing once all of `open` is read.
    from: Option<u64>,
}

impl Unended {
    pub(super) fn new(reader: Reader) -> Self {
        let unfolded = reader.shared().tail().keys();
        Self {
            reader,
            unfolded,
            from: Some(0),
        }
    }

    /// The next page; `None` after the last. It may be empty.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub(crate) fn next_page(&mut self) -> Result<Option<Vec<InstanceKey>>, StoreError> {
        let Some(from) = self.from.take() else {
            return Ok(None);
        };
        let mut page = BTreeSet::new();
        let open = self.reader.shared().open_table(OPEN)?;
        for row in open.range(from..)?.take(PAGE_ROWS) {
            page.insert(row?.0.value());
        }
        let rest = match page.last() {
            Some(last) if page.len() == PAGE_ROWS => {
                self.from = last.checked_add(1);
                self.unfolded.split_off(&last.saturating_add(1))
            }
            _ => BTreeSet::new(),
        };
        page.extend(std::mem::replace(&mut self.unfolded, rest));
        Ok(Some(page.into_iter().map(InstanceKey).collect()))
    }
}
