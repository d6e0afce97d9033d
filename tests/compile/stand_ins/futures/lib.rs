//! Names of the crate `futures`.

pub mod future {
    pub async fn join_all<I: IntoIterator>(futures: I) -> Vec<<I::Item as Future>::Output>
    where
        I::Item: Future,
    {
        let mut outputs = Vec::new();
        for future in futures {
            outputs.push(future.await);
        }
        outputs
    }
}

#[macro_export]
macro_rules! join {
    ($($future:expr),*) => { ($($future.await),*) };
}
