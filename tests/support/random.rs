//! Chance that can be had again.

use std::hash::{BuildHasher, RandomState};

/// A small generator (SplitMix64): equal seeds give equal numbers.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A generator with the seed in `DURABLE_SEED`, else with a new one; says which, so that a failure can be had again.
    ///
    /// # Panics
    /// If `DURABLE_SEED` is no number.
    #[expect(clippy::print_stdout, reason = "shown where the test fails")]
    pub fn from_environment() -> Self {
        let given = std::env::var("DURABLE_SEED").ok();
        let seed = given.map_or_else(
            || RandomState::new().hash_one("seed"),
            |seed| seed.parse().expect("`DURABLE_SEED` is a number"),
        );
        println!("DURABLE_SEED={seed}");
        Self(seed)
    }

    /// A generator with this seed.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.number() % (high.saturating_sub(low) + 1)
    }

    /// Whether something that happens `percent` times in a hundred happens now.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.number() % 100 < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_numbers_within_the_bounds() {
        let numbers = |seed| {
            let mut random = Random::seeded(seed);
            (0..100).map(|_| random.between(3, 7)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
        assert!(numbers(1).iter().all(|number| (3..=7).contains(number)));
        assert!(numbers(1).contains(&3) && numbers(1).contains(&7));
    }
}
