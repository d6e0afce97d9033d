//! The examples as programs: built, run, killed.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// An example and the flags it is run with.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
    flags: &'static [&'static str],
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum End {
    /// It ran to its end and printed this result.
    Result(String),
    /// A signal ended it, from outside or by its own abort.
    Killed,
}

/// A run that nothing disturbed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undisturbed {
    /// What it printed after `RESULT `.
    pub result: String,
    /// From the begin of the process until it said that its instance is on disk.
    pub until_started: Duration,
    /// From the begin of the process to its end.
    pub until_exit: Duration,
}

impl Program {
    /// The example `name`, built if it is not.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn example(name: &str, flags: &'static [&'static str]) -> Self {
        static EXAMPLES: OnceLock<PathBuf> = OnceLock::new();
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        let path = EXAMPLES.get_or_init(build).join(file);
        assert!(
            path.is_file(),
            "there is no example at `{}`",
            path.display()
        );
        Self { path, flags }
    }

    /// Runs it to its end and takes the time.
    ///
    /// # Panics
    /// If it does not end well.
    pub fn undisturbed(&self, db: &Path) -> Undisturbed {
        let start = now();
        let mut child = self.spawn(db, &[]);
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut output = String::new();
        lines.read_line(&mut output).expect("stdout is text");
        let until_started = start.elapsed();
        lines.read_to_string(&mut output).expect("stdout is text");
        let status = child.wait().expect("it is our child");
        let until_exit = start.elapsed();
        let End::Result(result) = end(&mut child, status, &output) else {
            panic!("nobody killed it, but it ended with {status}: {output}");
        };
        Undisturbed {
            result,
            until_started,
            until_exit,
        }
    }

    /// Runs it and kills it at this moment, unless it has ended before.
    ///
    /// # Panics
    /// If it ends neither well nor by being killed.
    pub fn killed_after(&self, db: &Path, moment: Duration) -> End {
        let mut child = self.spawn(db, &[]);
        pause(moment);
        child.kill().expect("it is our child");
        finish(child)
    }

    /// Runs it with the fail point armed: it aborts where it passes `point` the `nth` time, if it ever does.
    ///
    /// # Panics
    /// If it ends neither well nor by the abort.
    pub fn aborted_at(&self, db: &Path, point: &str, nth: u32) -> End {
        let failpoint = format!("{point}:{nth}");
        finish(self.spawn(db, &[("DURABLE_FAILPOINT", &failpoint)]))
    }

    pub(crate) fn spawn(&self, db: &Path, environment: &[(&str, &str)]) -> Child {
        let mut command = Command::new(&self.path);
        command.arg("--db").arg(db).args(self.flags);
        command.env_remove("DURABLE_FAILPOINT").env_remove("LISTEN");
        command.envs(environment.iter().copied());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().expect("the example starts")
    }
}

/// The little that an example prints fits into the pipe, so it can be read once the process is gone.
fn finish(mut child: Child) -> End {
    let status = child.wait().expect("it is our child");
    let mut output = String::new();
    let mut stdout = child.stdout.take().expect("stdout is a pipe");
    stdout.read_to_string(&mut output).expect("stdout is text");
    end(&mut child, status, &output)
}

fn end(child: &mut Child, status: ExitStatus, output: &str) -> End {
    if status.success() {
        let last = output.lines().last().unwrap_or_default();
        let result = last.strip_prefix("RESULT ");
        let result = result.unwrap_or_else(|| panic!("the last line is no result: {output}"));
        return End::Result(result.to_owned());
    }
    let mut complaint = String::new();
    let mut stderr = child.stderr.take().expect("stderr is a pipe");
    stderr
        .read_to_string(&mut complaint)
        .expect("stderr is text");
    // Ended by itself, and badly: only a signal leaves no code.
    assert_eq!(status.code(), None, "{output}{complaint}");
    End::Killed
}

/// Builds the examples as they are built beside this test, so that nothing is compiled twice; returns their directory.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a file");
    let profile_directory = test.ancestors().nth(2).expect("tests are in `deps`");
    let target_directory = profile_directory
        .parent()
        .expect("profiles have a directory");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["build", "--workspace", "--examples"]);
    cargo.arg("--target-dir").arg(target_directory);
    if profile_directory.ends_with("release") {
        cargo.arg("--release");
    }
    let output = cargo.output().expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    profile_directory.join("examples")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a process is killed at a real moment"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time a process takes is real"
)]
fn now() -> Instant {
    Instant::now()
}
