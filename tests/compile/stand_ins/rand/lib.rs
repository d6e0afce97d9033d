//! Names of the crate `rand`.

pub fn random<T: Default>() -> T {
    T::default()
}

pub fn rng() -> rngs::ThreadRng {
    rngs::ThreadRng
}

pub mod rngs {
    #[derive(Debug)]
    pub struct ThreadRng;

    impl super::Rng for ThreadRng {}

    #[derive(Debug)]
    pub struct StdRng(pub u64);

    impl super::Rng for StdRng {}

    impl StdRng {
        pub fn seed_from_u64(seed: u64) -> Self {
            Self(seed)
        }

        pub fn from_os_rng() -> Self {
            Self(0)
        }
    }
}

pub trait Rng {
    fn random_range(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start
    }
}
