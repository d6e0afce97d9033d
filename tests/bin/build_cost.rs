//! `cargo run -p durable-tests --bin build_cost -- [--rounds N] [--functions N] [--keep]`
//!
//! What the attributes cost when a program is built. It writes a program of 100 orchestrators, of ten awaits each, 100
//! activities and 200 recorded types, and the same program without attributes, in two ways; then it checks and builds all of
//! them, not incrementally, in turns, and prints the shortest times and the ratios to the first. Their dependencies are the
//! same and are built before.
//!
//! - *plain*: the same bodies with the same types and the same derives, as plain `async fn`s whose futures go into a table, so
//!   that all of them are compiled. This is what the ratio is to be measured by, and it is to be 1.25 at most. It records
//!   nothing, so no line of what the derives wrote becomes machine code: rustc compiles a generic function where it is used.
//! - *recording*: the same, and each argument and result of an orchestrator is written as JSON and read back, as must be
//!   done to record it. Those of the activities have the same types in all of them. It shows what is `serde`'s and not the
//!   attributes' own.
//!
//! *wall* is the time on the clock, *user* the processor time of cargo and all it starts, which says more on a busy machine;
//! it is known on Linux only.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark is a program; it prints what it measured"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// How a program is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Recording,
    Durable,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Plain, Self::Recording, Self::Durable];

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Recording => "recording",
            Self::Durable => "durable",
        }
    }
}

fn main() -> Fallible<()> {
    let rounds = argument("--rounds").unwrap_or(5);
    let functions = argument("--functions").unwrap_or(100);
    let root = std::env::temp_dir().join(format!("durable_build_cost_{}", std::process::id()));
    for kind in Kind::ALL {
        write_program(&root.join(kind.name()), kind, functions)?;
    }
    fs::write(root.join("Cargo.toml"), WORKSPACE)?;
    fs::copy(repository().join("Cargo.lock"), root.join("Cargo.lock"))?;
    for command in ["check", "build"] {
        // What both depend on, and the files that are read first.
        for kind in Kind::ALL {
            run(&root, command, kind)?;
        }
        let mut best = Kind::ALL.map(|_| Cost::MAX);
        for _ in 0..rounds {
            for (kind, best) in Kind::ALL.into_iter().zip(&mut best) {
                *best = run(&root, command, kind)?.least(*best);
            }
        }
        print(command, "wall", best.map(|cost| cost.wall));
        print(command, "user", best.map(|cost| cost.user));
    }
    if std::env::args().any(|argument| argument == "--keep") {
        println!("the programs are in {}", root.display());
    } else {
        fs::remove_dir_all(&root)?;
    }
    Ok(())
}

/// What one run of cargo took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    wall: Duration,
    user: Duration,
}

impl Cost {
    const MAX: Self = Self {
        wall: Duration::MAX,
        user: Duration::MAX,
    };

    fn least(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            user: self.user.min(other.user),
        }
    }
}

fn print(command: &str, what: &str, times: [Duration; 3]) {
    let [plain, recording, durable] = times.map(|it| it.as_secs_f64());
    if plain > 0.0 {
        println!(
            "{command}, {what}: plain {plain:.2} s, recording {recording:.2} s (ratio {:.2}), durable {durable:.2} s (ratio {:.2})",
            recording / plain,
            durable / plain
        );
    }
}

fn argument(name: &str) -> Option<usize> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)?.parse().ok()
}

fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Compiles one program again; gives what that took, its dependencies not counted.
fn run(root: &Path, command: &str, kind: Kind) -> Fallible<Cost> {
    let main = root.join(kind.name()).join("src/main.rs");
    fs::write(&main, fs::read(&main)?)?;
    let (started, used) = (now(), user_time_of_children());
    let output = Command::new(env!("CARGO"))
        .args([command, "--offline", "--quiet", "-p", kind.name()])
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", root.join("target"))
        .current_dir(root)
        .output()?;
    let cost = Cost {
        wall: started.elapsed(),
        user: user_time_of_children().saturating_sub(used),
    };
    if output.status.success() {
        Ok(cost)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into())
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn now() -> Instant {
    Instant::now()
}

/// Zero where it is not known. Source: `proc_pid_stat(5)`: field 16, in hundredths of a second.
fn user_time_of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields);
    let ticks = fields.and_then(|it| it.split_whitespace().nth(13)?.parse().ok());
    Duration::from_millis(10 * ticks.unwrap_or(0))
}

/// As the repository's own workspace has it: the attributes are optimised.
const WORKSPACE: &str = "[workspace]
resolver = \"3\"
members = [\"plain\", \"recording\", \"durable\"]

[profile.dev.build-override]
opt-level = 3
";

fn write_program(directory: &Path, kind: Kind, functions: usize) -> Fallible<()> {
    fs::create_dir_all(directory.join("src"))?;
    let runtime = repository().join("durable-runtime");
    let manifest = format!(
        "[package]\nname = \"{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n\
         durable-runtime = {{ path = '{}' }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}\n",
        kind.name(),
        runtime.display()
    );
    fs::write(directory.join("Cargo.toml"), manifest)?;
    fs::write(directory.join("src/main.rs"), program(kind, functions)?)?;
    Ok(())
}

fn program(kind: Kind, functions: usize) -> Result<String, std::fmt::Error> {
    let (imports, activity, orchestrator, join) = match kind {
        Kind::Plain | Kind::Recording => ("use tokio::join;\n", "", "", "join"),
        Kind::Durable => (
            "use durable_runtime::{activity, orchestrator, join};\n",
            "#[activity]\n",
            "#[orchestrator]\n",
            "join",
        ),
    };
    let mut text = format!(
        "#![allow(dead_code)]\nuse std::collections::BTreeMap;\n{imports}use serde::{{Deserialize, Serialize}};\n"
    );
    for n in 0..functions {
        let code = PAIR
            .replace("$n", &n.to_string())
            .replace("$activity", activity)
            .replace("$orchestrator", orchestrator)
            .replace("$join", join);
        text.push_str(&code);
    }
    match kind {
        // Without a use of them, rustc would compile none of the bodies.
        Kind::Plain => {
            text.push_str("type Run = fn() -> std::pin::Pin<Box<dyn Future<Output = bool>>>;\n");
            text.push_str("static TABLE: &[Run] = &[\n");
            for n in 0..functions {
                writeln!(
                    text,
                    "|| Box::pin(async {{ flow_{n}(Order{n}::default()).await.is_ok() }}),"
                )?;
            }
            text.push_str("];\nfn main() { println!(\"{}\", TABLE.len()); }\n");
        }
        Kind::Recording => {
            text.push_str(RECORD);
            for n in 0..functions {
                writeln!(text, "|input| Box::pin(record(input, flow_{n})),")?;
            }
            text.push_str("];\nfn main() { println!(\"{}\", TABLE.len()); }\n");
        }
        Kind::Durable => text.push_str("fn main() {}\n"),
    }
    Ok(text)
}

/// Writes and reads what goes into a function and what comes out of it.
const RECORD: &str = r"
fn write<T: Serialize>(value: &T) -> Vec<u8> { serde_json::to_vec(value).unwrap() }
fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> T { serde_json::from_slice(bytes).unwrap() }
async fn record<I, O, F>(input: &[u8], body: fn(I) -> F) -> bool
where
    I: Serialize + serde::de::DeserializeOwned,
    O: Serialize + serde::de::DeserializeOwned,
    F: Future<Output = Result<O, String>>,
{
    let input: I = read(input);
    match body(read(&write(&input))).await {
        Ok(value) => { read::<O>(&write(&value)); true }
        Err(error) => { read::<String>(&write(&error)); false }
    }
}
type Run = fn(&[u8]) -> std::pin::Pin<Box<dyn Future<Output = bool> + '_>>;
static TABLE: &[Run] = &[
";

/// An activity, an orchestrator, and what they record.
const PAIR: &str = r#"
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Order$n { id: u64, customer: String, lines: Vec<String>, limits: BTreeMap<String, u64> }

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Receipt$n { total: u64, parts: Vec<u64>, note: Option<String> }

$activityasync fn work_$n(name: String, cents: u64) -> Result<u64, String> {
    if name.is_empty() { Err("no name".to_owned()) } else { Ok(cents + 1) }
}

$orchestratorasync fn flow_$n(order: Order$n) -> Result<Receipt$n, String> {
    let mut receipt = Receipt$n::default();
    for line in &order.lines {
        receipt.parts.push(work_$n(line.clone(), 1).await?);
    }
    for (name, limit) in &order.limits {
        if work_$n(name.clone(), *limit).await? > *limit {
            return Err(format!("{name} is over {limit}"));
        }
    }
    let first = work_$n(order.customer.clone(), order.id).await?;
    let second = match work_$n("second".to_owned(), first).await {
        Ok(cents) => cents,
        Err(why) => { receipt.note = Some(why); 0 }
    };
    let (third, fourth) = $join!(work_$n("third".to_owned(), first), work_$n("fourth".to_owned(), second));
    let sum = receipt.parts.iter().filter(|it| **it > 1).map(|it| it * 2).sum::<u64>();
    let fifth = if sum > 10 { work_$n("fifth".to_owned(), sum).await? } else { sum };
    let sixth = async { work_$n("sixth".to_owned(), fifth).await.unwrap_or_default() }.await;
    while receipt.total < sixth {
        receipt.total += work_$n("seventh".to_owned(), third.clone()?).await?.max(1);
    }
    receipt.total += work_$n(receipt.note.clone().unwrap_or_default(), fourth?).await?;
    Ok(receipt)
}
"#;
