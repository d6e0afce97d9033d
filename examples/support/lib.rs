//! What the examples share: their arguments, their ledger, and how they tell what they do.
#![expect(
    clippy::print_stdout,
    reason = "an example is a program; it tells what it does"
)]

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

pub mod http;
mod ledger;
mod progress;

pub use ledger::Ledger;
pub use progress::{Bar, follow, invite};

/// The command line of an example: `[--db PATH]` and some flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args {
    db: PathBuf,
    flags: Vec<String>,
}

impl Args {
    /// Reads the command line of `example`, which knows `flags`.
    ///
    /// The event log is `target/{example}.redb` unless `--db` says otherwise; its directory is made.
    ///
    /// # Errors
    /// [`Usage`] if there is an argument that the example does not know, or the directory cannot be made.
    pub fn parse(example: &str, flags: &[&str]) -> Result<Self, Usage> {
        let usage = |wrong: &str| Usage::new(wrong, example, flags);
        let args =
            Self::read(example, flags, std::env::args().skip(1)).map_err(|wrong| usage(&wrong))?;
        let directory = args.db.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory)
            .map_err(|error| usage(&format!("`{}`: {error}", directory.display())))?;
        Ok(args)
    }

    fn read(
        example: &str,
        flags: &[&str],
        mut args: impl Iterator<Item = String>,
    ) -> Result<Self, String> {
        let mut read = Self {
            db: Path::new("target").join(example).with_extension("redb"),
            flags: Vec::new(),
        };
        while let Some(arg) = args.next() {
            if arg == "--db" {
                read.db = args.next().ok_or("`--db` needs a path after it")?.into();
            } else if flags.contains(&&*arg) {
                read.flags.push(arg);
            } else {
                return Err(format!("unknown argument `{arg}`"));
            }
        }
        Ok(read)
    }

    /// Where the event log is.
    pub fn db(&self) -> &Path {
        &self.db
    }

    /// An instance id for this run: `name`, and the flags that were given, since they change what is started.
    pub fn id(&self, name: &str) -> String {
        let mut flags = self.flags.clone();
        flags.sort();
        flags.dedup();
        let flags: String = flags.iter().map(|flag| flag.replace("--", "-")).collect();
        format!("{name}{flags}")
    }

    /// Whether `flag` was given.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }
}

/// What is wrong with a command line, and how it should look.
#[derive(Clone, PartialEq, Eq)]
pub struct Usage(String);

impl Usage {
    fn new(wrong: &str, example: &str, flags: &[&str]) -> Self {
        let mut known = vec!["--db PATH"];
        known.extend(flags);
        Self(format!(
            "{wrong}; usage: cargo run --example {example} -- [{}]",
            known.join("] [")
        ))
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Usage {}

/// Lets real time pass.
#[expect(
    clippy::disallowed_methods,
    reason = "a program and its activities may wait as they like; an orchestrator has `durable_runtime::sleep`"
)]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Tells the reader something.
pub fn say(text: impl fmt::Display) {
    println!("{text}");
}

/// Prints the result as the last line of an example: `RESULT ` and JSON.
///
/// # Errors
/// If the result cannot be written as JSON.
pub fn print_result<T: Serialize>(result: &T) -> Result<(), serde_json::Error> {
    println!("RESULT {}", serde_json::to_string(result)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Args, String> {
        let words = line.split_whitespace().map(str::to_owned);
        Args::read("order", &["--fast"], words)
    }

    #[test]
    fn a_path_and_the_known_flags_are_read() {
        let args = read("--db /tmp/x.redb --fast").unwrap();
        assert_eq!(args.db(), Path::new("/tmp/x.redb"));
        assert!(args.has("--fast"));
        assert_eq!(args.id("order"), "order-fast");
        assert!(!read("").unwrap().has("--fast"));
        assert_eq!(read("").unwrap().db(), Path::new("target/order.redb"));
    }

    #[test]
    fn anything_else_is_refused_with_the_usage() {
        assert_eq!(read("--quick").unwrap_err(), "unknown argument `--quick`");
        assert!(read("--db").unwrap_err().contains("needs a path"));
        let usage = Usage::new("unknown argument `x`", "order", &["--fast"]);
        assert_eq!(
            usage.to_string(),
            "unknown argument `x`; usage: cargo run --example order -- [--db PATH] [--fast]"
        );
    }
}
