//! Names of the crate `rayon`.

pub mod prelude {
    pub trait ParallelSlice {
        fn par_iter(&self) -> std::slice::Iter<'_, u64>;
    }

    impl ParallelSlice for Vec<u64> {
        fn par_iter(&self) -> std::slice::Iter<'_, u64> {
            self.iter()
        }
    }
}

pub fn current_num_threads() -> usize {
    1
}
