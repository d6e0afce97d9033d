//! Which builds of the program have written to the store, and where their sites are.

use std::collections::HashSet;

use redb::ReadOnlyTable;

use super::StoreError;
use super::reader::Reader;
use super::schema::{BUILDS, FINGERPRINT};
use crate::id::BuildId;

/// The table `builds` as of one moment.
#[derive(Debug)]
pub(crate) struct Builds(ReadOnlyTable<(u32, u32), &'static [u8]>);

impl Builds {
    pub(crate) fn read(reader: &Reader) -> Result<Self, StoreError> {
        Ok(Self(reader.shared().open_table(BUILDS)?))
    }

    /// The ordinal of a build, from 1, and whether it is new.
    pub(crate) fn find(&self, fingerprint: &[u8]) -> Result<(BuildId, bool), StoreError> {
        let mut build = 1;
        while let Some(known) = self.0.get((build, FINGERPRINT))? {
            if known.value() == fingerprint {
                return Ok((BuildId(build), false));
            }
            build += 1;
        }
        Ok((BuildId(build), true))
    }

    /// The keys of the rows that a build has.
    pub(crate) fn places(&self, build: BuildId) -> Result<HashSet<(u32, u32)>, StoreError> {
        let all = (build.0, FINGERPRINT)..=(build.0, u32::MAX);
        self.0.range(all)?.map(|row| Ok(row?.0.value())).collect()
    }
}
