//! A guard over what orchestrators ask the system for: linked into a test, it notes each clock, lot, file, socket, thread, sleep and
//! variable that code asks for while it is polled, with the line of that code.
//!
//! Opt-in, for tests, on Linux with glibc. A test that calls [`arm`] has the functions of `libc.rs` linked in, which then come before those of
//! the system, for the standard library and every dependency as well. They pass each call on.
//!
//! ```no_run
//! durable_sandbox::arm();
//! // Run orchestrators in a `TestEngine`, then:
//! let findings = durable_sandbox::take();
//! assert!(findings.is_empty(), "{findings:#?}");
//! ```
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

mod libc;

pub use libc::draw;

static FOUND: Mutex<Vec<Finding>> = Mutex::new(Vec::new());
static IS_ARMED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static IS_NOTING: Cell<bool> = const { Cell::new(false) };
}

/// Something that an orchestrator asked the system for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The code in the catalogue of `docs/determinism`.
    pub code: &'static str,
    /// What was asked for.
    pub what: &'static str,
    /// The function and the line of the first frame that is neither the standard library's nor ours.
    pub place: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {} at {}", self.code, self.what, self.place)
    }
}

/// Begins to note what is asked for.
pub fn arm() {
    libc::link();
    IS_ARMED.store(true, Ordering::Relaxed);
}

/// What was asked for since this was last called.
#[must_use]
pub fn take() -> Vec<Finding> {
    std::mem::take(&mut *FOUND.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether the calling thread is to be noted: code of an orchestrator runs on it. One that panics decides nothing any more.
fn is_watching() -> bool {
    IS_ARMED.load(Ordering::Relaxed)
        && durable_runtime::testing::is_deciding()
        && !IS_NOTING.get()
        && !std::thread::panicking()
}

/// Notes a call; one without a code is of no account.
fn note(code: &'static str, what: &'static str) {
    if code.is_empty() {
        return;
    }
    // To look at the stack opens files and reads variables in turn.
    IS_NOTING.set(true);
    if let Some(place) = place(&Backtrace::force_capture().to_string()) {
        let found = Finding { code, what, place };
        let mut all = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains(&found) {
            all.push(found);
        }
    }
    IS_NOTING.set(false);
}

/// Functions of the standard library and of this guard.
const OF_STD: [&str; 5] = ["durable_sandbox::", "std::", "core::", "alloc::", "__rust"];
/// Where a log line or a panic is told, which decides nothing.
const TELLING: [&str; 3] = ["tracing", "panic_with_hook", "rust_begin_unwind"];
/// Files of the standard library, of dependencies, of this guard.
const FOREIGN_FILES: [&str; 4] = [
    "/rustc/",
    "/.cargo/registry/",
    "/.cargo/git/",
    "src/libc.rs:",
];

/// Where a user's code is on a stack: its innermost line; of code that was built without lines, the innermost function that is not the
/// standard library's. `None` if nothing there decides anything.
fn place(stack: &str) -> Option<String> {
    let mut nearest = None;
    let mut lines = stack.lines().peekable();
    while let Some(line) = lines.next() {
        let at = lines.next_if(|next| next.trim_start().starts_with("at "));
        let Some((_, function)) = line.split_once(": ") else {
            continue;
        };
        if function.contains("durable_runtime::replay::root") {
            break;
        }
        if TELLING.iter().any(|name| function.contains(name)) {
            return None;
        }
        let bare = function.trim_start_matches('<');
        if OF_STD.iter().any(|ours| bare.starts_with(ours)) {
            continue;
        }
        match at.map(|at| at.trim_start().trim_start_matches("at ")) {
            Some(file) if !FOREIGN_FILES.iter().any(|foreign| file.contains(foreign)) => {
                return Some(format!("{function} ({file})"));
            }
            None if nearest.is_none() && bare.contains("::") => nearest = Some(function.to_owned()),
            _ => {}
        }
    }
    nearest
}
