//! The table `meta`: what a store says of itself.

use redb::{Database, ReadOnlyTable, ReadableDatabase};

use super::StoreError;
use super::file::Opened;
use super::schema::{
    FORMAT, META, META_CLEAN, META_FORMAT, META_NEXT_KEY, META_NEXT_POSITION, META_STORE_ID,
    META_TIME, number,
};
use crate::clock::Timestamp;
use crate::id::StoreId;

/// What a store says of itself.
#[derive(Debug)]
pub(crate) struct Meta {
    pub(crate) store: StoreId,
    pub(crate) next_position: u64,
    pub(crate) next_key: u64,
    pub(crate) time: Timestamp,
    pub(crate) is_clean: bool,
}

impl Meta {
    /// # Errors
    /// [`StoreError::Foreign`], [`StoreError::NewerFormat`], [`StoreError::Damaged`], or of the database.
    pub(crate) fn read(opened: &Opened) -> Result<Self, StoreError> {
        let meta = match opened.database.begin_read()?.open_table(META) {
            Ok(meta) => meta,
            Err(redb::TableError::Storage(error)) => return Err(error.into()),
            Err(error) => {
                return Err(StoreError::Foreign {
                    path: opened.path.clone(),
                    found: format!("another redb database ({error})"),
                });
            }
        };
        match value(&meta, META_FORMAT)?.as_slice() {
            [FORMAT] => {}
            [found] => {
                return Err(StoreError::NewerFormat {
                    found: *found,
                    known: FORMAT,
                });
            }
            _ => return Err(StoreError::damaged("row 0 of `meta`", "it is not one byte")),
        }
        let store: [u8; 16] = (value(&meta, META_STORE_ID)?.try_into())
            .map_err(|_| StoreError::damaged("row 1 of `meta`", "it is not 16 bytes"))?;
        let number_at = |at| Ok::<_, StoreError>(number(&value(&meta, at)?).unwrap_or_default());
        Ok(Self {
            store: StoreId(u128::from_le_bytes(store)),
            next_position: number_at(META_NEXT_POSITION)?,
            next_key: number_at(META_NEXT_KEY)?,
            time: Timestamp(number_at(META_TIME)?),
            is_clean: value(&meta, META_CLEAN)? == [1],
        })
    }
}

fn value(meta: &ReadOnlyTable<u32, &'static [u8]>, number: u32) -> Result<Vec<u8>, StoreError> {
    Ok(meta
        .get(number)?
        .map(|value| value.value().to_vec())
        .unwrap_or_default())
}

/// From now on a stop is unclean until the store is closed.
pub(crate) fn note_open(database: &Database) -> Result<(), StoreError> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    transaction
        .open_table(META)?
        .insert(META_CLEAN, [0].as_slice())?;
    transaction.commit()?;
    Ok(())
}
