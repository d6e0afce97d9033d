//! What the README shows and claims: its program is compiled and run, its numbers are measured.
#![expect(
    clippy::expect_used,
    reason = "helpers of tests: whatever they cannot do fails the test"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

#[path = "readme/shop.rs"]
mod shop;

const README: &str = include_str!("../README.md");
const TINY: &str = include_str!("readme/tiny.rs");
const MAIN: &str = include_str!("readme/main.rs");

const LINES_MAX: usize = 18;
const COLUMNS_MAX: usize = 100;
const CRATES_MAX: usize = 60;

#[expect(
    dead_code,
    clippy::print_stdout,
    reason = "`main` is compiled only; it would leave its file here, and what it calls is run below"
)]
mod tiny {
    include!("readme/tiny.rs");

    include!("readme/main.rs");

    /// The first life charges again, then ships; the second finds it sold.
    #[tokio::test]
    async fn it_sells_again_what_was_sold_before_the_program_ended() -> Result<(), BoxError> {
        let file = super::fresh_db("again");
        for _ in 0..2 {
            let engine = Engine::open(&file).await?;
            let receipt = sell(&engine, order("teapot", 4200)).await?;
            assert_eq!(receipt, Receipt { cents: 4200 });
            engine.shutdown().await;
        }
        Ok(())
    }

    fn order(item: &str, cents: u32) -> Order {
        let item = item.to_owned();
        Order { item, cents }
    }

    #[tokio::test]
    async fn it_does_not_charge_a_declined_card_again() -> Result<(), BoxError> {
        let engine = Engine::open(super::fresh_db("declined")).await?;
        let sale = engine.start(checkout(order("piano", 1_000_000))).await?;
        assert_eq!(
            sale.result().await?.unwrap_err().to_string(),
            "the order is not paid"
        );
        // Started; turn, scheduled; failed, turn, completed. A second attempt would be recorded too.
        assert_eq!(sale.history().await?.len(), 6);
        engine.shutdown().await;
        Ok(())
    }
}

#[test]
fn the_program_in_the_readme_is_the_one_that_is_compiled() {
    assert_eq!(rust_blocks(README), [TINY, MAIN]);
}

#[test]
fn the_orchestration_is_tiny() {
    let lines: Vec<&str> = TINY.lines().filter(|line| counts(line)).collect();
    assert!(
        lines.len() <= LINES_MAX,
        "{} lines:\n{}",
        lines.len(),
        lines.join("\n")
    );
    let widest = TINY.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(COLUMNS_MAX), "{widest:?} columns");
}

#[test]
fn the_readme_says_how_many_crates_are_built() {
    let crates = crates();
    assert!(crates < CRATES_MAX, "{crates} crates");
    let claim = format!("builds {crates} crates");
    assert!(README.contains(&claim), "the README does not say `{claim}`");
}

#[test]
fn the_readme_says_how_to_run_and_how_to_test() {
    for command in ["cargo run --example order", "cargo test --workspace"] {
        assert!(
            README.contains(command),
            "the README does not name `{command}`"
        );
    }
}

fn rust_blocks(markdown: &str) -> Vec<&str> {
    let blocks = markdown.split("```rust\n").skip(1);
    let ended = blocks.map(|block| block.split_once("```").expect("the block ends").0);
    ended.collect()
}

/// Imports and empty lines do not count; types stand elsewhere.
fn counts(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with("use ")
}

/// The crates that a program on Linux builds for the sake of `durable-runtime`, itself and its macros included.
fn crates() -> usize {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    cargo.args([
        "tree",
        "--locked",
        "--package",
        "durable-runtime",
        "--edges",
        "normal,build",
    ]);
    cargo.args(["--prefix", "none", "--target", "x86_64-unknown-linux-gnu"]);
    let output = cargo.output().expect("cargo starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).expect("cargo writes text");
    let packages = tree
        .lines()
        .map(|line| line.split_whitespace().take(2).collect::<String>());
    packages
        .filter(|package| !package.is_empty())
        .collect::<BTreeSet<_>>()
        .len()
}

fn fresh_db(name: &str) -> std::path::PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("readme-{name}.redb"));
    if path.exists() {
        std::fs::remove_file(&path).expect("the file is ours");
    }
    path
}
