//! What is held against an activity, or a turn, that was outstanding when the process died.

use super::StoreError;
use crate::id::BuildId;

/// A row of `suspects`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Suspicion {
    /// How many deaths of the process stood behind it when it was last started.
    pub(crate) deaths: u32,
    /// How many of the last ones, without a break, happened while nothing else ran.
    pub(crate) alone: u16,
    /// Whether it has been started while nothing else ran, and that is not over.
    pub(crate) on_trial: bool,
    /// The build that `alone` is said of: another one may have mended it.
    pub(crate) build: BuildId,
}

impl Suspicion {
    /// Deaths, lone deaths and whether it is on trial (16 bits each), build.
    pub(crate) fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let parts = (self.deaths.to_le_bytes().into_iter())
            .chain(self.alone.to_le_bytes())
            .chain(u16::from(self.on_trial).to_le_bytes())
            .chain(self.build.0.to_le_bytes());
        bytes
            .iter_mut()
            .zip(parts)
            .for_each(|(byte, part)| *byte = part);
        bytes
    }

    /// Reads the row `at`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub(crate) fn read(at: (u64, u32), bytes: &[u8]) -> Result<Self, StoreError> {
        Self::from_bytes(bytes).ok_or_else(|| {
            let place = format!("row {at:?} of `suspects`");
            StoreError::damaged(place, "its 12 bytes are none that are ever written")
        })
    }

    /// `None`: these bytes are not what was written.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (deaths, rest) = bytes.split_first_chunk()?;
        let (alone, rest) = rest.split_first_chunk()?;
        let (on_trial, build) = rest.split_first_chunk()?;
        Some(Self {
            deaths: u32::from_le_bytes(*deaths),
            alone: u16::from_le_bytes(*alone),
            on_trial: match u16::from_le_bytes(*on_trial) {
                0 => false,
                1 => true,
                _ => return None,
            },
            build: BuildId(u32::from_le_bytes(build.try_into().ok()?)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspicion_comes_back_as_it_was_and_other_bytes_are_refused() {
        let suspicion = Suspicion {
            deaths: 0x0403_0201,
            alone: 0x0605,
            on_trial: true,
            build: BuildId(0x0d0c_0b0a),
        };
        let mut bytes = suspicion.to_bytes();
        assert_eq!(bytes, [1, 2, 3, 4, 5, 6, 1, 0, 10, 11, 12, 13]);
        assert_eq!(Suspicion::from_bytes(&bytes), Some(suspicion));
        assert_eq!(Suspicion::from_bytes(&bytes[..11]), None);
        assert_eq!(Suspicion::from_bytes(&[&bytes[..], &[0]].concat()), None);
        bytes[6] = 2;
        assert_eq!(Suspicion::from_bytes(&bytes), None);
    }
}
