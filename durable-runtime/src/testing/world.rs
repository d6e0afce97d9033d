//! The single-threaded shell: the machines of an engine stepped in turn, and time that skips what nobody would see.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::engine::Shell;
use crate::engine::boot::{self, Booted, OpenError, Parts};
use crate::engine::committer::Committer;
use crate::engine::hub::{Hub, Shape, Stopped};
use crate::engine::message::Effects;
use crate::engine::queue::Queue;
use crate::engine::shard::Shard;
use crate::id::InstanceKey;
use crate::limits;
use crate::store::{Medium, Status, StoreError, StoreOptions};
use crate::testing::clock::ManualClock;
use crate::testing::memory::KeptDisk;
use crate::testing::{CountingEntropy, Recipe};

/// An engine on one thread, from outside of it.
pub(super) struct World {
    pub(super) hub: Arc<Hub>,
    orders: Arc<Queue<Order>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What a test tells the world, between two steps of it.
enum Order {
    /// Answer when nothing can run.
    Settle(oneshot::Sender<()>),
    Evict(oneshot::Sender<()>),
    /// End; cleanly, or as if the process had been killed.
    End {
        cleanly: bool,
    },
}

impl World {
    /// Starts the world's thread over a disk.
    pub(super) fn start(recipe: &Recipe) -> Result<Self, OpenError> {
        let bell = Arc::new(Notify::new());
        let orders = Arc::new(Queue::new(Some(Arc::clone(&bell))));
        let (report, booted) = mpsc::channel();
        let (recipe, its_orders) = (recipe.clone(), Arc::clone(&orders));
        let thread = std::thread::Builder::new().name("durable-test-engine".to_owned());
        let thread = thread.spawn(move || inhabit(recipe, its_orders, &bell, &report));
        let thread = Mutex::new(Some(thread.map_err(OpenError::Thread)?));
        let hub = booted.recv().unwrap_or(Err(OpenError::NoRuntime))?;
        Ok(Self {
            hub,
            orders,
            thread,
        })
    }

    pub(super) async fn settle(&self) {
        self.order(Order::Settle).await;
    }

    pub(super) async fn evict(&self) {
        self.order(Order::Evict).await;
    }

    /// Ends it as if the process had been killed.
    pub(super) fn kill(&self) {
        self.end(false);
    }

    async fn order<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.orders.push([order(answer)]);
        answered.await.ok()
    }

    fn end(&self, cleanly: bool) {
        self.orders.push([Order::End { cleanly }]);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!(
                "the thread of a test engine panicked; this is a defect of durable-runtime"
            );
        }
    }
}

impl Shell for World {
    fn shut_down(&self, _grace: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            self.settle().await;
            if self.hub.keep_heartbeats() {
                self.settle().await;
            }
            self.end(true);
        })
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.end(false);
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

type Report = mpsc::Sender<Result<Arc<Hub>, OpenError>>;

fn inhabit(recipe: Recipe, orders: Arc<Queue<Order>>, bell: &Arc<Notify>, report: &Report) {
    let mut end = EndOfWorld {
        orders: Arc::clone(&orders),
        hub: None,
    };
    // Whoever waits for the report hears of a lost one as an error.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return drop(report.send(Err(OpenError::Thread(error)))),
    };
    let clock = Arc::clone(&recipe.clock);
    let parts = Parts {
        medium: Medium::Backend(Box::new(KeptDisk(recipe.disk))),
        store: StoreOptions::default(),
        setup: recipe.setup,
        clock: recipe.clock,
        entropy: Arc::new(CountingEntropy::default()),
        runtime: runtime.handle().clone(),
        shape: Shape {
            shards: 1,
            bell: Some(Arc::clone(bell)),
            ..Shape::default()
        },
    };
    match boot::boot(parts) {
        Err(error) => drop(report.send(Err(error))),
        Ok(Booted {
            hub,
            committer,
            outstanding,
            // What is in memory is not damaged by disks.
            integrity: _,
        }) => {
            end.hub = Some(Arc::clone(&hub));
            drop(report.send(Ok(Arc::clone(&hub))));
            let inboxes = hub.inboxes.first().map(Arc::clone).unwrap_or_default();
            let shard = Shard::new(Arc::clone(&hub.reviver), inboxes, limits::LIVE_BYTES_MAX);
            let inhabitant = Inhabitant {
                hub,
                committer,
                shard,
                clock,
                orders,
                settling: Vec::new(),
                stalled: 0,
                told: HashSet::new(),
            };
            runtime.block_on(inhabitant.live(outstanding, bell));
            // A body that is not `async` may run on, as no process can end it but by ending itself.
            runtime.shutdown_background();
        }
    }
}

/// Lets go, at the end of the world's thread and by a panic too, whoever waits for it or will.
struct EndOfWorld {
    orders: Arc<Queue<Order>>,
    hub: Option<Arc<Hub>>,
}

impl Drop for EndOfWorld {
    fn drop(&mut self) {
        if let Some(hub) = &self.hub {
            // A world that was told to end has given its reason already.
            hub.stop(Stopped::because("the thread of the test engine panicked"));
            hub.abandon();
        }
        self.orders.close();
        drop(self.orders.drain());
    }
}

/// The machines, on their thread.
struct Inhabitant {
    hub: Arc<Hub>,
    committer: Committer,
    shard: Shard,
    clock: Arc<ManualClock>,
    orders: Arc<Queue<Order>>,
    settling: Vec<oneshot::Sender<()>>,
    /// How many were stalled when somebody was last told of it.
    stalled: u64,
    /// Whose clients have been told.
    told: HashSet<InstanceKey>,
}

/// How the world goes on after its orders.
enum Next {
    GoOn,
    End { cleanly: bool },
}

impl Inhabitant {
    async fn live(mut self, outstanding: Effects, bell: &Notify) {
        self.hub.release(outstanding);
        let cleanly = loop {
            if let Err(error) = self.run_until_quiet().await {
                self.hub.stop(Stopped::because(error.to_string()));
            }
            if self.hub.gate.outlived() {
                // Whatever is on trial waits for something.
                continue;
            }
            match self.obey() {
                Next::End { cleanly } => break cleanly,
                Next::GoOn if !self.settling.is_empty() || self.skip() => {}
                Next::GoOn => {
                    if let Err(error) = self.tell_of_stalls() {
                        self.hub.stop(Stopped::because(error.to_string()));
                    }
                    bell.notified().await;
                }
            }
        };
        self.hub.stop(Stopped::because("it was shut down"));
        if cleanly && let Err(error) = self.committer.close(self.hub.clock.now()) {
            tracing::error!(%error, "the event log was not closed cleanly");
        }
    }

    /// Steps everything that can be stepped, activities included.
    async fn run_until_quiet(&mut self) -> Result<(), StoreError> {
        const IDLE_YIELDS: u32 = 32;
        let mut idle = 0;
        while idle < IDLE_YIELDS {
            idle = if self.step()? { 0 } else { idle + 1 };
            // Activities run on this thread, whenever it yields.
            tokio::task::yield_now().await;
        }
        while self.committer.maintenance_is_due() {
            self.committer.maintain()?;
            self.hub.count(self.committer.counters());
        }
        Ok(())
    }

    /// One round of all machines; false if none had anything to do.
    fn step(&mut self) -> Result<bool, StoreError> {
        let now = self.hub.clock.now();
        self.hub.fire_timers(now);
        let inputs: Vec<_> = self.hub.shards.iter().flat_map(Queue::drain).collect();
        let mut is_busy = !inputs.is_empty();
        for input in inputs {
            self.shard.accept(input);
        }
        while self.shard.is_ready() {
            self.shard.step(now)?;
            let committer = &mut self.committer;
            self.shard.hand_over(|turns| committer.submit(turns));
        }
        self.shard.answer_probes();
        let submissions = self.hub.submissions.drain();
        self.committer.submit(submissions);
        if self.committer.has_work() {
            is_busy = true;
            let effects = self.committer.commit(now)?;
            self.hub.count(self.committer.counters());
            self.hub.release(effects);
        }
        Ok(is_busy)
    }

    /// Answers whoever waited for this moment of quiet, then takes new orders. Who gives one now may have moved the clock
    /// after the last look at it, so that quiet does not count: the next one does.
    fn obey(&mut self) -> Next {
        self.settling
            .drain(..)
            .for_each(|answer| answer.send(()).unwrap_or_default());
        for order in self.orders.drain() {
            // Whoever gave the order may have lost interest in the answer.
            match order {
                Order::Settle(answer) => self.settling.push(answer),
                Order::Evict(answer) => {
                    self.shard.evict_all();
                    answer.send(()).unwrap_or_default();
                }
                Order::End { cleanly } => return Next::End { cleanly },
            }
        }
        Next::GoOn
    }

    /// Nothing moves any more. Who waits for the end of an instance looks whether one that is stalled holds it up.
    fn tell_of_stalls(&mut self) -> Result<(), StoreError> {
        let stalled = self.hub.reviver.reader.census()?.all().of(Status::Stalled);
        if stalled != self.stalled {
            self.stalled = stalled;
            self.told.clear();
        }
        if stalled > 0 && self.hub.desk.running() == 0 {
            let effects = self.committer.tell_of_stalls(&mut self.told)?;
            self.hub.release(effects);
        }
        Ok(())
    }

    /// Moves the clock to the next timer if everything waits for it and somebody waits for a result.
    fn skip(&self) -> bool {
        if self.hub.desk.running() > 0 || self.committer.watchers() == 0 {
            return false;
        }
        let due = self.hub.timers.next_awaited();
        if let Some(due) = due {
            self.clock.advance_to(due);
        }
        due.is_some()
    }
}

#[cfg(test)]
mod tests;
