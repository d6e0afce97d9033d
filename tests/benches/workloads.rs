//! cargo bench --bench workloads -- [W1] [W2] [W3] [--json] [--quick] [--floor PATH]
//!
//! W1: one chain of 1,000 activities. W2: 1,000 chains of 10, started at once. W3: one workflow that fans out to 1,000,
//! 10,000 and 100,000. The activities do nothing; input and output have 100 bytes. A step is one activity.
//!
//! `--floor` names a program that takes the same number of steps through one redb file with no workflow logic. Rounds of
//! the workload and of the floor alternate, on the same directory, since disks have moods; `ratio` is our rate by its rate,
//! and what is reported is the round with the median ratio.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark is a program; it prints what it measured"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use durable_runtime::Error;
use durable_runtime::id::InstanceId;
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

/// What the runtime records of one step: 200 bytes of payload, a name, three records and their share of a frame.
/// `docs/design.md`, "Frame", has the parts.
const STEP_BYTES: usize = 300;

/// When each activity ran.
#[derive(Debug, Default)]
struct Ticks(Mutex<Vec<(InstanceId, Instant)>>);

#[activity]
async fn echo(text: String, #[state] ticks: &Arc<Ticks>) -> String {
    let tick = (activity::info().instance.clone(), now());
    if let Ok(mut ticks) = ticks.0.lock() {
        ticks.push(tick);
    }
    text
}

#[orchestrator]
async fn chain(steps: usize, text: String) {
    for _ in 0..steps {
        echo(text.clone()).await;
    }
}

#[orchestrator]
async fn fan_out(children: usize, text: String) -> usize {
    join_all((0..children).map(|_| echo(text.clone())))
        .await
        .len()
}

/// What is run and measured: `workflows` at a time, each of `steps`.
#[derive(Debug, Clone, Copy)]
struct Workload {
    name: &'static str,
    shape: Shape,
    workflows: usize,
    steps: usize,
    rounds: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    /// A step begins when the one before has ended. Its latency is the time from activity to activity.
    Chain,
    /// All steps begin at once. The latency of a step is the time from the start until its activity runs.
    FanOut,
}

/// One line of the report; the fields are the contract.
#[derive(Debug, Clone, Serialize)]
struct Measured {
    workload: &'static str,
    n: usize,
    seconds: f64,
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
    rss_mb: f64,
    commits: u64,
    floor: Option<f64>,
    ratio: Option<f64>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let options = Options::parse(std::env::args().skip(1))?;
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("workloads");
    std::fs::create_dir_all(&directory)?;
    for workload in workloads(options.is_quick) {
        if !options.wants(workload.name) {
            continue;
        }
        let measured = median_round(&workload, &directory, options.floor.as_deref()).await?;
        report(&measured, options.is_json)?;
    }
    Ok(())
}

fn workloads(is_quick: bool) -> Vec<Workload> {
    let scale = if is_quick { 10 } else { 1 };
    let rounds = if is_quick { 1 } else { 5 };
    let workload = |name, shape, workflows, steps| Workload {
        name,
        shape,
        workflows,
        steps,
        rounds,
    };
    let mut all = vec![
        workload("W1", Shape::Chain, 1, 1000 / scale),
        workload("W2", Shape::Chain, 1000 / scale, 10),
    ];
    let fans = [1_000, 10_000, 100_000];
    all.extend(fans.map(|children| workload("W3", Shape::FanOut, 1, children / scale)));
    all
}

async fn median_round(
    workload: &Workload,
    directory: &Path,
    program: Option<&Path>,
) -> Result<Measured, Error> {
    let mut rounds = Vec::new();
    for _ in 0..workload.rounds {
        let mut measured = round(workload, directory).await?;
        if let Some(program) = program {
            let floor = floor(program, workload, directory)?;
            measured.floor = Some(floor);
            measured.ratio = Some(rounded(measured.rate / floor));
        }
        rounds.push(measured);
    }
    let mark = |measured: &Measured| measured.ratio.unwrap_or(measured.rate);
    rounds.sort_by(|one, other| mark(one).total_cmp(&mark(other)));
    let median = rounds.len() / 2;
    rounds
        .into_iter()
        .nth(median)
        .ok_or_else(|| Error::msg("a workload has rounds"))
}

async fn round(workload: &Workload, directory: &Path) -> Result<Measured, Error> {
    let db = directory.join("workload.redb");
    if db.exists() {
        std::fs::remove_file(&db)?;
    }
    let ticks = Arc::new(Ticks::default());
    let engine = Engine::builder(&db)
        .state(Arc::clone(&ticks))
        .open()
        .await?;
    let start = now();
    run(&engine, workload).await?;
    let elapsed = start.elapsed();
    let commits = engine.counters().commits;
    let rss_mb = rss_mb();
    engine.shutdown().await;
    std::fs::remove_file(&db)?;

    let n = workload.workflows * workload.steps;
    let ticks = std::mem::take(&mut *ticks.0.lock().map_err(Error::msg)?);
    let latencies = latencies(workload.shape, ticks, start);
    Ok(Measured {
        workload: workload.name,
        n,
        seconds: rounded(elapsed.as_secs_f64()),
        rate: rounded(number(n) / elapsed.as_secs_f64()),
        p50_ms: percentile(&latencies, 50),
        p99_ms: percentile(&latencies, 99),
        rss_mb,
        commits,
        floor: None,
        ratio: None,
    })
}

async fn run(engine: &Engine, workload: &Workload) -> Result<(), Error> {
    // With its quotes, 100 bytes of JSON.
    let text = "x".repeat(98);
    if workload.shape == Shape::FanOut {
        engine
            .start(fan_out(workload.steps, text))
            .await?
            .result()
            .await?;
        return Ok(());
    }
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..workload.workflows {
        let started = engine.start(chain(workload.steps, text.clone()));
        running.spawn(async move { Ok::<_, Error>(started.await?.result().await?) });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

/// The latency of every step, in milliseconds, ordered.
fn latencies(shape: Shape, ticks: Vec<(InstanceId, Instant)>, start: Instant) -> Vec<f64> {
    let mut by_workflow: BTreeMap<InstanceId, Vec<Instant>> = BTreeMap::new();
    for (workflow, tick) in ticks {
        by_workflow.entry(workflow).or_default().push(tick);
    }
    let mut all: Vec<f64> = Vec::new();
    for ticks in by_workflow.into_values() {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        match shape {
            Shape::Chain => {
                let pairs = ticks.iter().zip(ticks.iter().skip(1));
                all.extend(pairs.map(|(earlier, later)| milliseconds(*later - *earlier)));
            }
            Shape::FanOut => all.extend(ticks.iter().map(|tick| milliseconds(*tick - start))),
        }
    }
    all.sort_by(f64::total_cmp);
    all
}

fn percentile(ordered: &[f64], percent: usize) -> f64 {
    let index = ordered.len() * percent / 100;
    ordered.get(index).copied().map_or(f64::NAN, rounded)
}

/// Runs the floor with as many workflows and steps of as many bytes; a fan-out is as many workflows of one step.
fn floor(program: &Path, workload: &Workload, directory: &Path) -> Result<f64, Error> {
    #[derive(Deserialize)]
    struct Floor {
        floor: f64,
    }

    let (workflows, steps) = match workload.shape {
        Shape::Chain => (workload.workflows, workload.steps),
        Shape::FanOut => (workload.steps, 1),
    };
    let output = Command::new(program)
        .arg(format!("workflows={workflows}"))
        .arg(format!("steps={steps}"))
        .arg(format!("bytes={STEP_BYTES}"))
        .arg("rounds=1")
        .arg(format!("dir={}", directory.display()))
        .output()?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(Error::msg(format!(
            "the floor ended with {}: {complaint}",
            output.status
        )));
    }
    Ok(serde_json::from_slice::<Floor>(&output.stdout)?.floor)
}

fn report(measured: &Measured, is_json: bool) -> Result<(), Error> {
    if is_json {
        println!("{}", serde_json::to_string(measured)?);
        return Ok(());
    }
    let Measured {
        workload,
        n,
        seconds,
        rate,
        p50_ms,
        p99_ms,
        rss_mb,
        commits,
        ..
    } = measured;
    println!(
        "{workload}  {n:>7} steps in {seconds:>7.3} s: {rate:>8.0}/s, p50 {p50_ms:.3} ms, p99 {p99_ms:.3} ms, \
         {rss_mb:.0} MB, {commits} commits"
    );
    if let (Some(floor), Some(ratio)) = (measured.floor, measured.ratio) {
        println!("    the floor does {floor:.0}/s; ratio {ratio:.3}");
    }
    Ok(())
}

/// The command line.
#[derive(Debug, Default)]
struct Options {
    names: Vec<String>,
    is_json: bool,
    is_quick: bool,
    floor: Option<PathBuf>,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, Error> {
        let mut options = Self::default();
        while let Some(arg) = args.next() {
            match &*arg {
                "W1" | "W2" | "W3" => options.names.push(arg),
                "--json" => options.is_json = true,
                "--quick" => options.is_quick = true,
                "--floor" => {
                    let path = args
                        .next()
                        .ok_or_else(|| Error::msg("`--floor` needs a path"))?;
                    options.floor = Some(path.into());
                }
                // Cargo says it to every benchmark.
                "--bench" => {}
                _ => return Err(Error::msg(format!("unknown argument `{arg}`"))),
            }
        }
        Ok(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }
}

/// Resident memory of this process; 0 where there is no `/proc`.
fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    rounded(kilobytes.unwrap_or_default() / 1024.0)
}

/// To three places: more is noise.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}
