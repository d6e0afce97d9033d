//! cargo bench --bench scale -- [--finished N] [--waiting N] [--json] [--directory PATH]
//!
//! Makes a file of 1,000,000 finished and 100,000 waiting instances through the engine, and measures, each time in a process
//! of its own: how long it takes to open, also after a stop in full swing and after a kill, what a page of a list takes, how
//! much memory a waiting instance has, and that what a purge of nine in ten leaves is room for as many new ones.
//!
//! Of every 10,000th finished instance the orchestrator returned an error; each has one of 1,000 tags.
//!
//! `--file PATH` measures a file that is there, and keeps it; it is made if there is none.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark is a program; it prints what it measured"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use durable_runtime::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[path = "scale/fill.rs"]
mod fill;
#[path = "scale/measure.rs"]
mod measure;
#[path = "scale/purge.rs"]
mod purge;

use self::measure::{Measured, ROUNDS, Timed};
use self::purge::Purge;

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

/// What must be reached.
const OPEN_SECONDS_MAX: f64 = 2.0;
const PAGE_MS_MAX: f64 = 20.0;
const WAITING_BYTES_MAX: f64 = 1_024.0;
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
    open_after_stop_seconds: f64,
    open_after_kill_seconds: f64,
    counts_ms: f64,
    pages: Vec<Timed>,
    /// After the file was opened.
    waiting_instance_bytes: f64,
    /// In the process that has started it.
    live_instance_bytes: f64,
    purge: Purge,
}

/// What this program asks of itself, in a process of its own.
#[derive(Debug, Clone, Copy)]
enum Task {
    Measure,
    /// The same without lists.
    Open,
    Stop,
    BeKilled,
    Purge,
    /// In a file of its own.
    Live,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let options = Options::parse(std::env::args().skip(1))?;
    match (options.task, &options.file) {
        (Some(task), Some(file)) => work(task, file, &options).await,
        (_, Some(file)) => print(&run(file, &options).await?, options.is_json),
        (_, None) => {
            let name = format!("scale-{}.redb", std::process::id());
            let file = options.directory.join(name);
            let report = run(&file, &options).await;
            std::fs::remove_file(&file).ok();
            report.and_then(|report| print(&report, options.is_json))
        }
    }
}

async fn run(file: &Path, options: &Options) -> Result<Report, Error> {
    let begin = now();
    if !file.exists() {
        fill::build(file, options.finished, options.waiting).await?;
    }
    let build_seconds = rounded(begin.elapsed().as_secs_f64());
    let file_of_live = file.with_extension("live");
    let live: Result<f64, Error> = ask(Task::Live, &file_of_live, options);
    std::fs::remove_file(&file_of_live).ok();
    let file_mb = megabytes(std::fs::metadata(file)?.len());
    let times: Measured = ask(Task::Measure, file, options)?;
    let options_of_memory = Options {
        cache_bytes: Some(SMALL_CACHE),
        ..options.clone()
    };
    let memory: Measured = ask(Task::Open, file, &options_of_memory)?;
    let bytes = memory.open_mb * 1024.0 * 1024.0 / f64::from(options.waiting.max(1));
    ask::<()>(Task::Stop, file, options)?;
    let after_stop: Measured = ask(Task::Open, file, options)?;
    kill_in_full_swing(file, options).await?;
    let after_kill: Measured = ask(Task::Open, file, options)?;
    let purge = ask(Task::Purge, file, options)?;
    Ok(Report {
        finished: options.finished,
        waiting: options.waiting,
        build_seconds,
        file_mb,
        open_seconds: times.open_seconds,
        open_after_stop_seconds: after_stop.open_seconds,
        open_after_kill_seconds: after_kill.open_seconds,
        counts_ms: times.counts_ms,
        pages: times.pages,
        waiting_instance_bytes: bytes.round(),
        live_instance_bytes: live?,
        purge,
    })
}

/// Does one task, and prints what came of it.
async fn work(task: Task, file: &Path, options: &Options) -> Result<(), Error> {
    let done = match task {
        Task::Measure => {
            serde_json::to_string(&measure::measure(file, options.cache_bytes, true).await?)
        }
        Task::Open => {
            serde_json::to_string(&measure::measure(file, options.cache_bytes, false).await?)
        }
        Task::Stop => serde_json::to_string(&fill::swing(file, false).await?),
        Task::BeKilled => serde_json::to_string(&fill::swing(file, true).await?),
        Task::Live => serde_json::to_string(&measure::live(file, options.waiting).await?),
        Task::Purge => serde_json::to_string(&purge::purge(file, options.finished).await?),
    };
    println!("{}", done?);
    Ok(())
}

fn command(task: Task, file: &Path, options: &Options) -> Result<Command, Error> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--task").arg(format!("{task:?}"));
    command.arg("--file").arg(file);
    command.arg("--finished").arg(options.finished.to_string());
    command.arg("--waiting").arg(options.waiting.to_string());
    if let Some(bytes) = options.cache_bytes {
        command.arg("--cache").arg(bytes.to_string());
    }
    Ok(command)
}

fn ask<Done: DeserializeOwned>(task: Task, file: &Path, options: &Options) -> Result<Done, Error> {
    let output = command(task, file, options)?.output()?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(Error::msg(format!(
            "measuring ended with {}: {complaint}",
            output.status
        )));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

async fn kill_in_full_swing(file: &Path, options: &Options) -> Result<(), Error> {
    let mut child = command(Task::BeKilled, file, options)?.spawn()?;
    // It opens the file first.
    fill::pause(2 * fill::SWING).await;
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn print(report: &Report, is_json: bool) -> Result<(), Error> {
    if is_json {
        println!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    println!(
        "{} finished and {} waiting instances, made in {} s, take {} MB",
        report.finished, report.waiting, report.build_seconds, report.file_mb
    );
    for (seconds, when) in [
        (report.open_seconds, ""),
        (
            report.open_after_stop_seconds,
            " after a stop in full swing",
        ),
        (
            report.open_after_kill_seconds,
            " after a kill in full swing",
        ),
    ] {
        let verdict = verdict(seconds < OPEN_SECONDS_MAX);
        println!("open{when}: {seconds:.3} s (asked: {OPEN_SECONDS_MAX}){verdict}");
    }
    for (bytes, when) in [
        (report.waiting_instance_bytes, "after the file was opened"),
        (report.live_instance_bytes, "in the process that started it"),
    ] {
        let verdict = verdict(bytes <= WAITING_BYTES_MAX);
        println!(
            "memory of a waiting instance {when}: {bytes:.0} bytes (asked: {WAITING_BYTES_MAX}){verdict}"
        );
    }
    println!("counts: {:.3} ms", report.counts_ms);
    println!("pages, slowest and median of {ROUNDS} (asked: {PAGE_MS_MAX} ms)");
    for Timed {
        name,
        rows,
        slowest_ms,
        median_ms,
    } in &report.pages
    {
        let verdict = verdict(*slowest_ms < PAGE_MS_MAX);
        println!("  {slowest_ms:>8.3} ms {median_ms:>8.3} ms  {rows:>5} rows  {name}{verdict}");
    }
    print_purge(&report.purge);
    Ok(())
}

fn print_purge(purge: &Purge) {
    let [before, after, refilled] = purge.file_mb;
    println!(
        "purge of {}: {} s, and {} s until their rows were removed; the file has {after} MB, before {before} MB",
        purge.purged, purge.seconds, purge.tidy_seconds
    );
    println!(
        "{} new instances: {} s; the file has {refilled} MB{}",
        purge.started,
        purge.start_seconds,
        verdict(refilled <= after)
    );
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "" } else { "  MISSED" }
}

/// The command line.
#[derive(Debug, Clone)]
struct Options {
    finished: u32,
    waiting: u32,
    is_json: bool,
    directory: PathBuf,
    file: Option<PathBuf>,
    task: Option<Task>,
    cache_bytes: Option<usize>,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut options = Self {
            finished: 1_000_000,
            waiting: 100_000,
            is_json: false,
            directory: std::env::temp_dir(),
            file: None,
            task: None,
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
                "--file" => options.file = Some(value()?.into()),
                "--task" => options.task = Some(Task::named(&value()?)?),
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

impl Task {
    fn named(name: &str) -> Result<Self, Error> {
        let all = [
            Self::Measure,
            Self::Open,
            Self::Stop,
            Self::BeKilled,
            Self::Purge,
            Self::Live,
        ];
        let found = all.into_iter().find(|task| format!("{task:?}") == name);
        found.ok_or_else(|| Error::msg(format!("unknown task `{name}`")))
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
