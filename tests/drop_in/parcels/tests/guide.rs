//! What the guide's first ten minutes show is what happens.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const GUIDE: &str = include_str!("../../../../docs/guide.md");
const PROGRAM: &str = include_str!("../src/main.rs");

#[test]
fn the_guide_shows_this_program() {
    assert!(GUIDE.contains(&format!("```rust\n{PROGRAM}```\n")));
}

#[test]
fn it_runs_as_shown_and_then_has_nothing_left_to_do() {
    let directory = fresh("undisturbed");
    assert_eq!(run(&directory), shown("run"));
    assert_eq!(run(&directory), shown("run again"));
}

#[test]
fn killed_while_it_packs_it_packs_again_and_does_not_charge_again() {
    let directory = fresh("packing");
    assert_eq!(
        killed_after("packing the teapot ...", &directory),
        shown("killed")
    );
    assert_eq!(run(&directory), shown("after the kill"));
}

#[test]
fn killed_while_it_waits_it_goes_on_waiting_and_says_so_once() {
    let directory = fresh("waiting");
    let waiting = "the courier comes in ten seconds";
    killed_after(waiting, &directory);
    assert_eq!(run(&directory), shown("after the second kill"));
}

/// The text block that follows the comment `<!-- name -->` in the guide.
fn shown(name: &str) -> String {
    let comment = format!("<!-- {name} -->\n```text\n");
    let (_, block) = GUIDE
        .split_once(&comment)
        .expect("the guide has that block");
    block
        .split_once("```")
        .expect("the block ends")
        .0
        .to_owned()
}

fn run(directory: &Path) -> String {
    let mut child = spawn(directory);
    let mut output = String::new();
    let stdout = child.stdout.as_mut().expect("stdout is a pipe");
    stdout.read_to_string(&mut output).expect("stdout is text");
    assert!(child.wait().expect("it is our child").success(), "{output}");
    output
}

/// What it printed until it was killed, after `line`.
fn killed_after(line: &str, directory: &Path) -> String {
    let mut child = spawn(directory);
    let stdout: ChildStdout = child.stdout.take().expect("stdout is a pipe");
    let mut output = String::new();
    for printed in BufReader::new(stdout).lines() {
        let printed = printed.expect("stdout is text");
        output.push_str(&printed);
        output.push('\n');
        if printed == line {
            break;
        }
    }
    // A person is not that quick either: what the line belongs to is on disk a moment after it is printed.
    std::thread::sleep(Duration::from_millis(500));
    child.kill().expect("it is our child");
    assert!(!child.wait().expect("it is our child").success());
    output
}

fn spawn(directory: &Path) -> Child {
    let mut program = Command::new(env!("CARGO_BIN_EXE_parcels"));
    let program = program.current_dir(directory).stdout(Stdio::piped());
    program.spawn().expect("the program starts")
}

fn fresh(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("parcels-{name}"));
    if directory.exists() {
        std::fs::remove_dir_all(&directory).expect("the directory is ours");
    }
    std::fs::create_dir_all(&directory).expect("a directory can be made");
    directory
}
