//! cargo bench --bench scale -- [--finished N] [--waiting N] [--json] [--directory PATH]
//!
//! Makes a file of 1,000,000 finished and 100,000 waiting instances through the engine, and measures, each time in a process
//! of its own: how long it takes to open, what a page of a list takes, and how much memory a waiting instance has.
//!
//! Of every 10,000th finished instance the orchestrator returned an error; each has one of 1,000 tags.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark is a program; it prints what it measured"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use durable_runtime::prelude::*;
use durable_runtime::{Query, Status};
use serde::{Deserialize, Serialize};

static GO: Event<u32> = Event::new("go");

#[orchestrator]
async fn finishes(number: u32) -> Result<u32, String> {
    if number.is_multiple_of(10_000) {
        return Err("one in ten thousand".to_owned());
    }
    Ok(number)
}

#[orchestrator]
async fn waits(number: u32) -> u32 {
    GO.wait().await + number
}

/// Starts that are on their way at a time.
const STARTERS: u32 = 2_000;
/// Each page is asked for so many times, the first time with nothing of it in memory; the slowest one counts.
const ROUNDS: usize = 5;
/// What must be reached.
const OPEN_SECONDS_MAX: f64 = 2.0;
const PAGE_MS_MAX: f64 = 20.0;
/// Memory for pages of the file while that of instances is measured, in bytes.
const SMALL_CACHE: usize = 4 << 20;

/// What is reported; the fields are the contract.
#[derive(Debug, Serialize)]
struct Report {
    finished: u32,
    waiting: u32,
    build_seconds: f64,
    file_mb: f64,
    open_seconds: f64,
    counts_ms: f64,
    pages: Vec<Timed>,
    waiting_instance_bytes: f64,
}

/// A page of a list.
#[derive(Debug, Serialize, Deserialize)]
struct Timed {
    name: String,
    rows: usize,
    slowest_ms: f64,
    median_ms: f64,
}

/// What one process measured.
#[derive(Debug, Serialize, Deserialize)]
struct Measured {
    open_seconds: f64,
    counts_ms: f64,
    pages: Vec<Timed>,
    /// How much more memory the process had with the store open.
    open_mb: f64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let options = Options::parse(std::env::args().skip(1))?;
    if let Some(file) = &options.measure {
        let measured = measure(file, options.cache_bytes).await?;
        println!("{}", serde_json::to_string(&measured)?);
        return Ok(());
    }
    let file = options
        .directory
        .join(format!("scale-{}.redb", std::process::id()));
    let report = run(&file, &options).await;
    std::fs::remove_file(&file).ok();
    report.and_then(|report| print(&report, options.is_json))
}

async fn run(file: &Path, options: &Options) -> Result<Report, Error> {
    let begin = now();
    build(file, options.finished, options.waiting).await?;
    let build_seconds = rounded(begin.elapsed().as_secs_f64());
    let times = in_a_process_of_its_own(file, None)?;
    // The purge of nine in ten, and that new instances take their space, belongs here once there is one.
    let memory = in_a_process_of_its_own(file, Some(SMALL_CACHE))?;
    let bytes = memory.open_mb * 1024.0 * 1024.0 / f64::from(options.waiting.max(1));
    Ok(Report {
        finished: options.finished,
        waiting: options.waiting,
        build_seconds,
        file_mb: megabytes(std::fs::metadata(file)?.len()),
        open_seconds: times.open_seconds,
        counts_ms: times.counts_ms,
        pages: times.pages,
        waiting_instance_bytes: bytes.round(),
    })
}

async fn build(file: &Path, finished: u32, waiting: u32) -> Result<(), Error> {
    let engine = Engine::open(file).await?;
    start_all(&engine, finished, |engine, number| {
        let start = engine
            .start(finishes(number))
            .id(format!("done-{number:07}"));
        start.tag("shop", (number % 1_000).to_string())
    })
    .await?;
    start_all(&engine, waiting, |engine, number| {
        let start = engine.start(waits(number)).id(format!("waits-{number:07}"));
        start.tag("shop", (number % 1_000).to_string())
    })
    .await?;
    while engine.counts().await?.total() < u64::from(finished) + u64::from(waiting)
        || engine.counts().await?.of(Status::Pending) > 0
        || engine.counts_of("finishes").await?.of(Status::Running) > 0
    {
        rest().await;
    }
    // What an idle engine tidies up; one commit of it may take long on a busy disk.
    let mut quiet = 0;
    while quiet < 10 {
        let before = engine.counters().commits;
        rest().await;
        quiet = if engine.counters().commits > before {
            0
        } else {
            quiet + 1
        };
    }
    engine.shutdown().await;
    Ok(())
}

/// Longer than an engine waits before it counts as idle.
async fn rest() {
    let never = std::future::pending::<()>();
    tokio::time::timeout(Duration::from_millis(200), never)
        .await
        .ok();
}

/// Starts instances with these numbers, many at a time.
async fn start_all<Out: Send + 'static>(
    engine: &Engine,
    count: u32,
    start: impl Fn(&Engine, u32) -> durable_runtime::StartRequest<Out> + Copy + Send + 'static,
) -> Result<(), Error> {
    let mut starters = tokio::task::JoinSet::new();
    for first in 0..STARTERS {
        let engine = engine.clone();
        starters.spawn(async move {
            for number in (first..count).step_by(usize::try_from(STARTERS)?) {
                start(&engine, number).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = starters.join_next().await {
        ended??;
    }
    Ok(())
}

fn in_a_process_of_its_own(file: &Path, cache_bytes: Option<usize>) -> Result<Measured, Error> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--measure").arg(file);
    if let Some(bytes) = cache_bytes {
        command.arg("--cache").arg(bytes.to_string());
    }
    let output = command.output()?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(Error::msg(format!(
            "measuring ended with {}: {complaint}",
            output.status
        )));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

async fn measure(file: &Path, cache_bytes: Option<usize>) -> Result<Measured, Error> {
    let before = rss_mb();
    let begin = now();
    let mut builder = Engine::builder(file);
    if let Some(bytes) = cache_bytes {
        builder = builder.cache_bytes(bytes);
    }
    let engine = builder.open().await?;
    let open_seconds = rounded(begin.elapsed().as_secs_f64());
    let open_mb = rss_mb() - before;
    let begin = now();
    engine.counts().await?;
    let counts_ms = milliseconds(begin.elapsed());
    let pages = pages(&engine).await?;
    engine.shutdown().await;
    Ok(Measured {
        open_seconds,
        counts_ms,
        pages,
        open_mb: rounded(open_mb),
    })
}

async fn pages(engine: &Engine) -> Result<Vec<Timed>, Error> {
    let list = || engine.instances();
    let first = list().page_size(1).await?.instances;
    let newest = list().newest_first().page_size(1).await?.instances;
    let (Some(first), Some(newest)) = (first.first(), newest.first()) else {
        return Ok(Vec::new());
    };
    let middle = first.created_at + newest.created_at.duration_since(first.created_at)? / 2;
    let by_time = list().created(middle..);
    let cursor = by_time.clone().await?.next;
    let behind = cursor.map_or(by_time.clone(), |cursor| by_time.clone().after(cursor));
    let mut timed = Vec::new();
    for (name, list) in [
        ("first page", list()),
        ("first page, newest first", list().newest_first()),
        ("first page of 1,000", list().page_size(1_000)),
        ("page in the middle, by time", by_time),
        ("page in the middle, by cursor", behind),
        ("waiting", list().status(Status::Running)),
        ("failed", list().status(Status::Failed)),
        (
            "one tag, completed",
            list().tag("shop", "7").status(Status::Completed),
        ),
        (
            "one tag, name, running",
            list().of(waits).tag("shop", "7").status(Status::Running),
        ),
        (
            "one tag, failed, by time",
            list()
                .tag("shop", "0")
                .status(Status::Failed)
                .created(middle..),
        ),
        ("completed, from the middle on", list().completed(middle..)),
        ("id prefix", list().id_prefix("done-05")),
        (
            "id prefix, running: nothing found",
            list().id_prefix("done-").status(Status::Running),
        ),
    ] {
        timed.push(time(name, list).await?);
    }
    Ok(timed)
}

async fn time(name: &str, list: Query) -> Result<Timed, Error> {
    let mut times = Vec::new();
    let mut rows = 0;
    for _ in 0..ROUNDS {
        let begin = now();
        let page = list.clone().await?;
        times.push(milliseconds(begin.elapsed()));
        rows = page.instances.len();
    }
    times.sort_by(f64::total_cmp);
    let at = |place: usize| times.get(place).copied().unwrap_or(f64::NAN);
    Ok(Timed {
        name: name.to_owned(),
        rows,
        slowest_ms: at(ROUNDS - 1),
        median_ms: at(ROUNDS / 2),
    })
}

fn print(report: &Report, is_json: bool) -> Result<(), Error> {
    if is_json {
        println!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    let verdict = |is_met| if is_met { "" } else { "  TOO SLOW" };
    println!(
        "{} finished and {} waiting instances, made in {} s, take {} MB",
        report.finished, report.waiting, report.build_seconds, report.file_mb
    );
    let is_met = report.open_seconds < OPEN_SECONDS_MAX;
    println!(
        "open: {:.3} s (asked: {OPEN_SECONDS_MAX}){}",
        report.open_seconds,
        verdict(is_met)
    );
    println!(
        "a waiting instance has {:.0} bytes of memory",
        report.waiting_instance_bytes
    );
    println!("counts: {:.3} ms", report.counts_ms);
    println!("pages, slowest and median of {ROUNDS} (asked: {PAGE_MS_MAX} ms)");
    for Timed {
        name,
        rows,
        slowest_ms,
        median_ms,
    } in &report.pages
    {
        let is_met = *slowest_ms < PAGE_MS_MAX;
        println!(
            "  {slowest_ms:>8.3} ms {median_ms:>8.3} ms  {rows:>5} rows  {name}{}",
            verdict(is_met)
        );
    }
    Ok(())
}

/// The command line.
#[derive(Debug)]
struct Options {
    finished: u32,
    waiting: u32,
    is_json: bool,
    directory: PathBuf,
    /// Open this file and measure it: what this program asks of itself.
    measure: Option<PathBuf>,
    cache_bytes: Option<usize>,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut options = Self {
            finished: 1_000_000,
            waiting: 100_000,
            is_json: false,
            directory: std::env::temp_dir(),
            measure: None,
            cache_bytes: None,
        };
        while let Some(arg) = args.next() {
            let mut value = || {
                args.next()
                    .ok_or_else(|| Error::msg(format!("`{arg}` needs a value")))
            };
            match &*arg {
                "--finished" => options.finished = value()?.parse()?,
                "--waiting" => options.waiting = value()?.parse()?,
                "--directory" => options.directory = value()?.into(),
                "--measure" => options.measure = Some(value()?.into()),
                "--cache" => options.cache_bytes = Some(value()?.parse()?),
                "--json" => options.is_json = true,
                // Cargo says it to every benchmark.
                "--bench" => {}
                _ => return Err(Error::msg(format!("unknown argument `{arg}`"))),
            }
        }
        Ok(options)
    }
}

/// Resident memory of this process; 0 where there is no `/proc`.
fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}

fn megabytes(bytes: u64) -> f64 {
    u32::try_from(bytes >> 20).map_or(f64::INFINITY, f64::from)
}

fn milliseconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1000.0)
}

/// To three places: more is noise.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}
