//! Values by their number, of which the next is always the greatest. Mostly there is one, so that one is in place.

use std::collections::BTreeMap;

/// A map from rising numbers; a `BTreeMap` with one entry takes as much memory as with eleven.
#[derive(Debug)]
pub(super) struct ByAge<T> {
    /// None only if there are no others.
    oldest: Option<(u64, T)>,
    younger: BTreeMap<u64, T>,
}

impl<T> Default for ByAge<T> {
    fn default() -> Self {
        Self {
            oldest: None,
            younger: BTreeMap::new(),
        }
    }
}

impl<T> ByAge<T> {
    /// Adds a value whose number is greater than all others.
    pub(super) fn push(&mut self, number: u64, value: T) {
        if self.oldest.is_none() {
            self.oldest = Some((number, value));
        } else {
            self.younger.insert(number, value);
        }
    }

    pub(super) fn pop_oldest(&mut self) -> Option<(u64, T)> {
        let next = self.younger.pop_first();
        std::mem::replace(&mut self.oldest, next)
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<T> {
        match &self.oldest {
            Some((oldest, _)) if *oldest == number => self.pop_oldest().map(|(_, value)| value),
            _ => self.younger.remove(&number),
        }
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        match &mut self.oldest {
            Some((oldest, value)) if *oldest == number => Some(value),
            _ => self.younger.get_mut(&number),
        }
    }

    /// How many have a lesser number.
    pub(super) fn count_older(&self, number: u64) -> usize {
        let oldest = self.oldest.iter().filter(|(oldest, _)| *oldest < number);
        oldest.count() + self.younger.range(..number).count()
    }

    pub(super) fn len(&self) -> usize {
        self.oldest.iter().len() + self.younger.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.oldest.is_none()
    }

    /// The oldest first.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        (self.oldest.iter().map(|(_, value)| value)).chain(self.younger.values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_map_that_it_stands_for() {
        let mut seed = 1_u64;
        let (mut by_age, mut map) = (ByAge::default(), BTreeMap::new());
        for number in 0..2_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let some = number - (seed >> 33) % 4_u64.min(number + 1);
            match (seed >> 40) % 4 {
                0 | 1 => {
                    by_age.push(number, number * 2);
                    map.insert(number, number * 2);
                }
                2 => assert_eq!(by_age.remove(some), map.remove(&some)),
                _ => assert_eq!(by_age.pop_oldest(), map.pop_first()),
            }
            assert_eq!(by_age.get_mut(some), map.get_mut(&some));
            assert_eq!(by_age.count_older(some), map.range(..some).count());
            assert_eq!(
                (by_age.len(), by_age.is_empty()),
                (map.len(), map.is_empty())
            );
            assert!(by_age.values().eq(map.values()));
        }
    }
}
