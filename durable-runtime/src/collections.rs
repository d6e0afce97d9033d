//! Hash maps and hash sets that an orchestrator may iterate.
//!
//! They are std's, hashed by [`FixedState`] in place of a seed by chance. Which order they have is decided by what was
//! inserted and removed, in which order, and by nothing else: a replay by the same build of the program, in any process and
//! on any machine of the same architecture, goes over the same elements in the same order.
//!
//! What is not promised: that another *release of Rust* gives the same order, as its standard library may lay out a table
//! in another way. [`FixedState`] itself does not change, in no release of this crate. Where an order has to outlive a
//! change of the toolchain, because instances run for months, use a `BTreeMap` or `BTreeSet`. Where it did change, an
//! instance that took its steps in the old order stalls, as after any change of its code; it does not go wrong.

use std::hash::{BuildHasher, Hasher};

/// std's `HashMap`, seeded alike in every process; see the [module](self).
///
/// There is no `new`, which std has for its own seed only: use `default`, `collect` or `with_capacity_and_hasher`.
///
/// # Examples
///
/// ```
/// let mut stock = durable_runtime::HashMap::default();
/// stock.insert("tea", 3);
/// stock.insert("pot", 1);
/// // Always the same order, so each of them could be an activity.
/// let names: Vec<_> = stock.keys().copied().collect();
/// assert_eq!(names, stock.clone().into_keys().collect::<Vec<_>>());
/// ```
pub type HashMap<K, V> = std::collections::HashMap<K, V, FixedState>;

/// std's `HashSet`, seeded alike in every process; see the [module](self).
///
/// # Examples
///
/// ```
/// let seen: durable_runtime::HashSet<u32> = [3, 1, 2].into_iter().collect();
/// assert!(seen.contains(&2));
/// ```
pub type HashSet<T> = std::collections::HashSet<T, FixedState>;

/// Builds hashers without a seed: FNV-1a of 64 bits over the bytes, with a last mixing step.
///
/// Equal values have equal hashes in every process, on every architecture of the same width, in every release of this
/// crate. There is no secret in it: who may choose the keys may choose ones that collide, and make a large map slow. Do not
/// use it for keys that strangers send by the thousand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FixedState;

impl BuildHasher for FixedState {
    type Hasher = FixedHasher;

    fn build_hasher(&self) -> FixedHasher {
        FixedHasher(FNV_OFFSET)
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// What [`FixedState`] builds.
#[derive(Debug, Clone)]
pub struct FixedHasher(u64);

/// Integers are hashed as little-endian, whatever the machine is.
macro_rules! little_endian {
    ($($write:ident: $integer:ty),* $(,)?) => {
        $(fn $write(&mut self, integer: $integer) {
            self.write(&integer.to_le_bytes());
        })*
    };
}

impl Hasher for FixedHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(FNV_PRIME);
        }
    }

    little_endian!(
        write_u16: u16,
        write_u32: u32,
        write_u64: u64,
        write_u128: u128,
        write_usize: usize,
        write_i16: i16,
        write_i32: i32,
        write_i64: i64,
        write_i128: i128,
        write_isize: isize,
    );

    /// The table takes the lowest and the highest bits, to which the last bytes have hardly come.
    fn finish(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ (mixed >> 29)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These are in the order of maps in every history that went over one: they never change.
    #[test]
    fn hashes_are_the_same_in_every_release() {
        assert_eq!(FixedState.hash_one(()), 0x8570_e250_fe4c_2473);
        assert_eq!(FixedState.hash_one(1_u8), 0xa24f_cf22_93af_20dc);
        assert_eq!(FixedState.hash_one(0x0102_0304_u32), 0xb3b2_46a9_e55b_d724);
        assert_eq!(FixedState.hash_one(-1_i64), 0x1502_2f2e_70d7_4998);
        assert_eq!(FixedState.hash_one("tea"), 0xc6db_3b7e_d393_31f6);
    }

    #[test]
    fn integers_are_hashed_as_little_endian() {
        let mut hasher = FixedState.build_hasher();
        hasher.write_u32(0x0102_0304);
        let mut bytes = FixedState.build_hasher();
        bytes.write(&[4, 3, 2, 1]);
        assert_eq!(hasher.finish(), bytes.finish());
    }

    #[test]
    fn two_maps_that_were_filled_alike_are_gone_over_alike() {
        let fill = || -> HashMap<u32, u32> { (0..1000).map(|n| (n * 7919, n)).collect() };
        assert!(fill().into_iter().eq(fill()));
        let sorted: std::collections::BTreeMap<_, _> = fill().into_iter().collect();
        assert!(!fill().into_iter().eq(sorted), "it is no sorted map");
    }

    /// A table that looks at a few bits finds them different.
    #[test]
    fn neighbours_are_spread() {
        for shift in [0, 57] {
            let parts: std::collections::BTreeSet<u64> = (0..256_u64)
                .map(|n| (FixedState.hash_one(n) >> shift) & 0x7f)
                .collect();
            assert!(parts.len() > 90, "{} of 128 parts", parts.len());
        }
    }
}
