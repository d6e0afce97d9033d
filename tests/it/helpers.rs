//! Helpers: their awaits belong to the history of whoever calls them, whatever their shape.

use durable_runtime::durable::Recordable;
use durable_runtime::prelude::*;
use durable_runtime::testing::check_replay;
use durable_runtime::{BoxDurable, Durable, Registry};
use serde::{Deserialize, Serialize};

use crate::support::{engine, kinds};

#[activity(name = "helpers.double")]
async fn double(n: u32) -> u32 {
    n * 2
}

#[derive(Serialize, Deserialize)]
struct Tree {
    value: u32,
    children: Vec<Self>,
}

impl Tree {
    fn of(value: u32, children: Vec<Self>) -> Self {
        Self { value, children }
    }
}

/// Calls itself on what it borrows, all branches at once.
#[helper]
async fn total(tree: &Tree) -> u32 {
    let child = |child| -> BoxDurable<'_, u32> { Box::pin(total(child)) };
    let (own, below) = join!(
        double(tree.value),
        join_all(tree.children.iter().map(child))
    );
    own + below.into_iter().sum::<u32>()
}

/// A trait whose implementations are parts of orchestrators.
trait Stage {
    #[helper]
    async fn run(&mut self, n: u32) -> Result<u32, String>;

    /// Until it fails, or is through.
    #[helper]
    async fn repeat(&mut self, n: u32, times: u32) -> Result<u32, String> {
        let mut n = n;
        for _ in 0..times {
            n = self.run(n).await?;
        }
        Ok(n)
    }
}

struct Doubles;

impl Stage for Doubles {
    #[helper]
    async fn run(&mut self, n: u32) -> Result<u32, String> {
        Ok(double(n).await)
    }
}

/// What has been done, to be undone when something fails.
#[derive(Default)]
struct Undo<T> {
    done: Vec<T>,
}

impl<T: Recordable + Clone + Into<u32>> Undo<T> {
    /// Gives back what it noted, which it lends.
    #[helper]
    async fn step(&mut self, value: T) -> &T {
        double(value.clone().into()).await;
        self.done.push(value);
        self.done.last().unwrap()
    }

    #[helper]
    async fn roll_back(mut self) -> Vec<u32> {
        let mut undone = Vec::new();
        while let Some(value) = self.done.pop() {
            undone.push(double(value.into()).await);
            sleep(seconds(1)).await;
        }
        undone
    }
}

/// With whatever makes durable futures.
#[helper]
async fn in_turn<F, D, const N: usize>(make: F, values: [u32; N]) -> [u32; N]
where
    F: Fn(u32) -> D,
    D: Durable<Output = u32>,
{
    let mut results = [0; N];
    for (result, value) in results.iter_mut().zip(values) {
        *result = make(value).await;
    }
    results
}

#[helper]
async fn staged(stage: &mut impl Stage) -> Result<u32, String> {
    stage.repeat(1, 3).await
}

#[orchestrator(name = "helpers.all")]
async fn all(tree: Tree) -> (u32, u32, Vec<u32>, [u32; 2]) {
    let total = total(&tree).await;
    let staged = staged(&mut Doubles).await.unwrap_or_default();
    let mut undo = Undo::<u8>::default();
    let mut noted = 0;
    for value in [4, 5] {
        noted += u32::from(*undo.step(value).await);
    }
    let undone = undo.roll_back().await;
    let pair = in_turn(double, [noted, 1]).await;
    (total, staged, undone, pair)
}

fn tree() -> Tree {
    let leaf = |value| Tree::of(value, Vec::new());
    Tree::of(1, vec![leaf(2), Tree::of(3, vec![leaf(4)])])
}

#[tokio::test]
async fn helpers_of_every_shape_run_in_the_history_of_their_caller() {
    let engine = engine();
    let handle = engine.start(all(tree())).await.unwrap();
    let expected = (20, 8, vec![10, 8], [18, 2]);
    assert_eq!(handle.result().await.unwrap(), expected);
    let history = handle.history().await.unwrap();
    let count = |kind| kinds(&history).iter().filter(|one| **one == kind).count();
    assert_eq!((count("activity"), count("timer")), (13, 2));
    let registry = Registry::new().activity(double).orchestrator(all);
    check_replay(&registry, &history).unwrap();
}

/// Each turn finds its place again in helpers within helpers.
#[tokio::test]
async fn a_helper_goes_on_where_it_was_after_every_restart() {
    let registry = || Registry::new().activity(double).orchestrator(all);
    let builder = durable_runtime::testing::TestEngine::builder().registry(registry());
    let mut engine = builder.start().unwrap();
    let id = "helpers-restarted";
    engine.start(all(tree())).id(id).await.unwrap();
    for _ in 0..3 {
        engine.settle().await;
        engine.evict().await;
        engine = engine.restart_with(registry()).await.unwrap();
        engine.advance(seconds(1)).await;
    }
    let handle = engine.handle(all, id).await.unwrap().unwrap();
    assert_eq!(handle.result().await.unwrap().2, [10, 8]);
}
