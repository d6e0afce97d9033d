//! Whatever is awaited by mistake.

use std::future::Future;
use std::pin::{Pin, pin};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use durable_runtime::prelude::*;
use futures::channel as futures_channel;
use futures::future::{BoxFuture, FutureExt as _, LocalBoxFuture};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Barrier, Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Interval, Sleep};

static APPROVAL: Event<bool> = Event::new("approval");

#[activity]
async fn charge(cents: u64) -> u64 {
    cents
}

#[helper]
async fn timers(
    at: Sleep,
    pinned: Pin<&mut Sleep>,
    boxed: Pin<Box<Sleep>>,
    mut ticks: Interval,
    limited: tokio::time::Timeout<Sleep>,
) -> bool {
    at.await; //~ D003 await
    pinned.await; //~ D003 await
    boxed.await; //~ D003 await
    ticks.tick().await; //~ D003 await
    let mut again = pin!(later());
    again.as_mut().await; //~ D003 await
    limited.await.is_ok() //~ D003 await
}

#[orchestrator]
async fn starts(of: u64) -> u64 {
    let started = start(counts(of)).await;
    let first = started.clone().await; //~ D200 await
    let again = (&started).await; //~ D200 await
    first + again + started.result().await
}

#[orchestrator]
async fn counts(of: u64) -> u64 {
    charge(of).await
}

fn later() -> Sleep {
    unreachable!()
}

#[helper]
async fn tasks(mut handle: JoinHandle<u64>, other: JoinHandle<u64>, mut set: JoinSet<u64>) -> u64 {
    let first = (&mut handle).await; //~ D020 await
    let second = other.await.unwrap_or(1); //~ D020 await
    while let Some(done) = set.join_next().await { //~ D020 await
        drop(done);
    }
    drop(set.join_all().await); //~ D020 await
    first.unwrap_or_default() + second
}

struct Ends {
    messages: mpsc::Receiver<u64>,
    all: Arc<Mutex<broadcast::Receiver<u64>>>,
}

#[helper]
async fn channels(
    mut ends: Ends,
    mut once: oneshot::Receiver<u64>,
    mut seen: watch::Receiver<u64>,
    out: mpsc::Sender<u64>,
    mut unbounded: mpsc::UnboundedReceiver<u64>,
    foreign: futures_channel::oneshot::Receiver<u64>,
) -> Option<u64> {
    let first = ends.messages.recv().await?; //~ D022 await
    let second = (&mut once).await.ok()?; //~ D022 await
    drop(once.await); //~ D022 await
    seen.changed().await.ok()?; //~ D022 await
    drop(seen.wait_for(|seen| *seen > 1).await); //~ D022 await
    drop(out.send(1).await); //~ D022 await
    drop(out.reserve().await); //~ D022 await
    unbounded.recv().await?; //~ D022 await
    let third = ends.all.lock().await.recv().await.ok()?; //~ D022 await; D022 await
    let fourth = foreign.await.ok()?; //~ D200 await
    Some(first + second + third + fourth)
}

#[helper]
async fn locks(
    mutex: Arc<Mutex<u64>>,
    shared: &RwLock<u64>,
    few: Arc<Semaphore>,
    told: &Notify,
    all: &Barrier,
) -> u64 {
    let value = *mutex.lock().await; //~ D022 await
    let read = *shared.read().await; //~ D022 await
    *shared.write().await = 3; //~ D022 await
    drop(few.acquire().await); //~ D022 await
    drop(few.clone().acquire_owned().await); //~ D022 await
    told.notified().await; //~ D022 await
    all.wait().await; //~ D022 await
    value + read
}

trait Gateway {
    fn pay(&self, cents: u64) -> Pin<Box<dyn Future<Output = u64> + Send + '_>>;
    fn lent(&self) -> BoxFuture<'_, u64>;
    fn local(&self) -> LocalBoxFuture<'_, u64>;
}

#[helper]
async fn boxed(gateway: &dyn Gateway, thread: Box<dyn Future<Output = u64> + Unpin>) -> u64 {
    let shared: Pin<Box<dyn Future<Output = u64> + Send + Sync>> = Box::pin(std::future::ready(1));
    gateway.pay(1).await //~ D202 await
        + gateway.lent().await //~ D202 await
        + gateway.local().await //~ D202 await
        + thread.await //~ D202 await
        + shared.await //~ D202 await
}

async fn plain(cents: u64) -> u64 {
    cents
}

struct Rates;

impl Rates {
    async fn of(&self, currency: &str) -> u64 {
        plain(u64::from(currency.len() > 3)).await
    }

    async fn recv(&self) -> u64 {
        plain(1).await
    }
}

#[orchestrator]
async fn futures_without_a_name() -> u64 {
    let a = plain(1).await; //~ D200 await
    let b = Rates.of("EUR").await; //~ D200 await
    let c = Rates.recv().await; //~ D200 await
    let d = std::future::ready(1).await; //~ D200 await
    let e = futures::future::ready(1).await; //~ D200 await
    let f = Box::pin(plain(1)).await; //~ D200 await
    let g = pin!(plain(1)).await; //~ D200 await
    let h = plain(1).map(|it| it + 1).await; //~ D200 await
    let i = charge(1).map(|it| it + 1).await; //~ D200 await
    let j = std::future::poll_fn(|_| std::task::Poll::Ready(1)).await; //~ D200 await
    a + b + c + d + e + f + g + h + i + j
}

#[helper]
async fn streams(mut numbers: Numbers<u64>, mut tried: Numbers<Result<u64, String>>) -> u64 {
    let first = numbers.next().await; //~ D200 await
    let rest: Vec<u64> = numbers.collect().await; //~ D200 await
    let third = tried.try_next().await; //~ D200 await
    first.unwrap_or_default() + rest.iter().sum::<u64>() + u64::from(third.is_ok())
}

type Numbers<T> = stream::Iter<std::vec::IntoIter<T>>;

struct Client;

impl Client {
    fn get(&self, _: &str) -> Request {
        Request
    }
}

struct Request;

impl Request {
    async fn send(self) -> Result<Response, String> {
        Ok(Response)
    }
}

struct Response;

impl Response {
    async fn text(self) -> Result<String, String> {
        Ok(String::new())
    }
}

struct Pool;

impl Pool {
    async fn fetch_one(&self, _: &str) -> Result<u64, String> {
        Ok(1)
    }
}

#[helper]
async fn clients(client: Client, pool: &Pool) -> Result<usize, String> {
    let response = client.get("https://example.com").send().await?; //~ D200 await
    let text = response.text().await?; //~ D200 await
    let row = pool.fetch_one("select 1").await?; //~ D200 await
    Ok(text.len() + usize::try_from(row).unwrap_or_default())
}

#[helper]
async fn files(
    mut file: tokio::fs::File,
    mut socket: tokio::net::TcpStream,
    mut command: tokio::process::Command,
) -> std::io::Result<u64> {
    let mut text = String::new();
    let read = file.read_to_string(&mut text).await?; //~ D200 await
    socket.write_all(text.as_bytes()).await?; //~ D200 await
    socket.flush().await?; //~ D200 await
    let mut lines = tokio::io::BufReader::new(file).lines();
    while let Some(line) = lines.next_line().await? { //~ D200 await
        text += &line;
    }
    let output = command.stdout(Stdio::null()).output().await?; //~ D200 await
    let child = command.spawn()?.wait().await?; //~ D200 await
    Ok(read as u64 + u64::from(output.status.success() && child.success()))
}

#[orchestrator]
async fn branches(cents: u64) -> u64 {
    let (a, b, c) = join!(
        charge(1),
        plain(2), //~ D201 plain(2)
        Box::pin(plain(3)) //~ D201 Box::pin(plain(3))
    );
    let d = try_join!(async { Ok::<_, String>(charge(1).await) }, std::future::ready(Ok(2))); //~ D201 std::future::ready(Ok(2))
    let e = select! {
        it = charge(1) => it,
        it = plain(1) => it, //~ D201 plain(1)
    };
    let all = join_all((0..cents).map(plain)).await; //~ D201 (0..cents).map(plain)
    let tried = try_join_all([async_ok(1)]).await; //~ D201 [async_ok(1)]
    let raced = race([plain(1)]).await; //~ D201 [plain(1)]
    let (selected, ..) = select_all([std::future::ready(1)]).await; //~ D201 [std::future::ready(1)]
    let (moved, ..) = select_all((0..2).map(|it| async move { charge(it).await })).await; //~ D204 (0..2).map(|it| async move { charge(it).await })
    let mut set = FuturesUnordered::new();
    set.push(plain(1)); //~ D201 push
    let limited = timeout(days(1), plain(1)).await; //~ D201 plain(1)
    let sum = a + b + c + e + raced + selected + moved + limited.unwrap_or_default();
    sum + all.iter().sum::<u64>() + u64::from(d.is_ok()) + u64::from(tried.is_ok())
}

async fn async_ok(it: u64) -> Result<u64, String> {
    Ok(plain(it).await)
}

/// One mistake is one error, in whatever it stands.
#[orchestrator]
async fn wherever(cents: u64) -> Result<u64, String> {
    let listed = vec![plain(1).await, charge(1).await]; //~ D200 await
    let block = async { plain(1).await }.await; //~ D200 await
    let all = join_all((0..cents).map(|it| async move { plain(it).await })).await; //~ D200 await
    let chosen = select! {
        it = charge(1) => it + plain(1).await, //~ D200 await
        it = charge(2), if plain(1).await > 1 => it, //~ D200 await
    };
    let Some(first) = listed.first() else {
        return Err(format!("{}", plain(1).await)); //~ D200 await
    };
    Ok(first + block + chosen + all.iter().sum::<u64>())
}

/// What may be awaited, also by these names.
#[orchestrator]
async fn durable(cents: u64) -> u64 {
    let approved = APPROVAL.wait().await;
    let mut set = FuturesUnordered::new();
    set.push(charge(cents));
    let mut sum = 0;
    while let Some(next) = set.next().await {
        sum += next;
    }
    let boxed: durable_runtime::BoxDurable<'_, u64> = Box::pin(charge(1));
    let mut call = charge(2);
    sum + boxed.await + (&mut call).await + u64::from(approved)
}

fn main() {}
