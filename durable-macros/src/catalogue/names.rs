//! Which names of other crates break determinism, and how.
//!
//! The tables are patterns as one would write them in a `use`: `a::b` is that name, `a::{b, c}` are two, `a::*` is every
//! function and macro below `a`, and `a::b!` is a macro. The longest pattern that fits a name decides, so an exception is
//! a longer pattern that is fine. A name that no pattern fits is fine.

mod clocks;
mod data;
mod outside;
mod tasks;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::Code;

/// What a pattern says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Breaks(Code),
    /// An exception from a shorter pattern.
    Fine,
}

/// A row of the tables: what is said of the names that fit one of the patterns.
type Row = (Says, &'static [&'static str]);

const TABLES: &[&[Row]] = &[clocks::NAMES, data::NAMES, tasks::NAMES, outside::NAMES];

/// Crates that only pass on what another one has, and that one.
const FACADES: &[(&str, &str)] = &[
    ("core", "std"),
    ("alloc", "std"),
    ("futures_util", "futures"),
    ("futures_core", "futures"),
    ("futures_lite", "futures"),
    ("async_io", "smol"),
    ("async_executor", "smol"),
    ("crossbeam_utils", "crossbeam"),
];

/// Families of crates that begin alike.
const FAMILIES: &[(&str, Code)] = &[
    ("aws_sdk_", Code::D031),
    ("google_cloud_", Code::D031),
    ("azure_", Code::D031),
];

/// What the catalogue says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) code: Code,
    /// Whether the table has the name itself, not only its crate or module.
    pub(crate) is_exact: bool,
}

/// What is said of a function, constructor or constant: its path from the crate on.
pub(crate) fn judge(path: &[String]) -> Option<Verdict> {
    let path = of_its_home(path);
    verdict(&path, "", is_called_by_its_case(path.last()?))
}

/// What is said of a macro: its path from the crate on.
pub(crate) fn judge_macro(path: &[String]) -> Option<Verdict> {
    verdict(&of_its_home(path), "!", true)
}

/// Whether a pattern has the whole name, if only to say that it is fine.
pub(crate) fn has_name(path: &[String]) -> bool {
    patterns().contains_key(&of_its_home(path).join("::"))
}

/// What is said of a name of which only the end is known: its last two segments.
pub(crate) fn judge_suffix(path: &[String]) -> Option<Code> {
    let [.., owner, name] = path else {
        return None;
    };
    let suffix = format!("{owner}::{name}");
    let found = SUFFIXES
        .iter()
        .find(|(_, suffixes)| suffixes.contains(&suffix.as_str()));
    found.map(|(code, _)| *code)
}

/// What is said of a method, which is known by its name and the number of its arguments alone.
pub(crate) fn judge_method(name: &str, arguments: usize) -> Option<Code> {
    let found = METHODS
        .iter()
        .find(|(_, count, methods)| *count == arguments && methods.contains(&name));
    found.map(|(code, _, _)| *code)
}

/// Whether a path that begins so leads into this crate, for where no source tells of a module of that name.
pub(crate) fn is_root(name: &str) -> bool {
    ROOTS.contains(&name)
}

/// Crates that nobody names a module after.
const ROOTS: &[&str] = &[
    "std",
    "core",
    "alloc",
    "tokio",
    "tokio_util",
    "tokio_stream",
    "futures",
    "futures_util",
    "futures_timer",
    "async_std",
    "smol",
    "rayon",
    "crossbeam",
    "crossbeam_channel",
    "parking_lot",
    "dashmap",
    "flume",
    "rand",
    "fastrand",
    "getrandom",
    "uuid",
    "ulid",
    "nanoid",
    "chrono",
    "jiff",
    "quanta",
    "reqwest",
    "hyper",
    "tonic",
    "sqlx",
    "diesel",
    "redis",
    "rdkafka",
    "lettre",
    "tempfile",
    "dotenvy",
    "num_cpus",
    "ahash",
    "pollster",
];

/// Whether the prelude of the runtime has this name.
pub(crate) fn is_ours(name: &str) -> bool {
    PRELUDE.contains(&name)
}

/// The names that a module of durable functions has from the runtime's `prelude`.
const PRELUDE: &[&str] = &[
    "Detached",
    "Elapsed",
    "Engine",
    "Error",
    "Event",
    "Fault",
    "FuturesUnordered",
    "Retry",
    "RetryPolicy",
    "Retryable",
    "activity",
    "cancellation",
    "changed",
    "continue_as_new",
    "days",
    "deterministic",
    "helper",
    "hours",
    "info",
    "is_replaying",
    "join",
    "join_all",
    "minutes",
    "now",
    "orchestrator",
    "race",
    "random",
    "retired",
    "seconds",
    "select",
    "select_all",
    "set_status",
    "should_continue_as_new",
    "side_effect",
    "sleep",
    "sleep_until",
    "start",
    "timeout",
    "try_join",
    "try_join_all",
    "uuid",
];

/// Names that mean one thing wherever they come from, for where that is not known.
const SUFFIXES: &[(Code, &[&str])] = &[
    (
        Code::D001,
        &[
            "SystemTime::now",
            "Utc::now",
            "Local::now",
            "OffsetDateTime::now_utc",
            "OffsetDateTime::now_local",
            "UtcDateTime::now",
            "Timestamp::now",
            "Zoned::now",
        ],
    ),
    (Code::D002, &["Instant::now"]),
    (
        Code::D003,
        &[
            "thread::sleep",
            "time::sleep",
            "time::sleep_until",
            "time::timeout",
            "time::interval",
            "task::sleep",
        ],
    ),
    (
        Code::D010,
        &[
            "RandomState::new",
            "rand::random",
            "rand::thread_rng",
            "rand::rng",
        ],
    ),
    (
        Code::D011,
        &[
            "Uuid::new_v1",
            "Uuid::new_v4",
            "Uuid::new_v6",
            "Uuid::new_v7",
            "Uuid::now_v1",
            "Uuid::now_v6",
            "Uuid::now_v7",
            "Ulid::new",
        ],
    ),
    (
        Code::D020,
        &[
            "thread::spawn",
            "thread::scope",
            "task::spawn",
            "task::spawn_blocking",
            "task::spawn_local",
            "JoinSet::new",
        ],
    ),
    (Code::D021, &["FuturesOrdered::new"]),
    (
        Code::D022,
        &[
            "mpsc::channel",
            "mpsc::unbounded_channel",
            "oneshot::channel",
            "broadcast::channel",
            "watch::channel",
        ],
    ),
    (Code::D023, &["Handle::current", "Runtime::new"]),
    (
        Code::D030,
        &[
            "fs::read",
            "fs::write",
            "fs::read_to_string",
            "fs::remove_file",
            "fs::create_dir_all",
            "File::open",
            "File::create",
            "TcpStream::connect",
            "TcpListener::bind",
            "UdpSocket::bind",
            "io::stdin",
        ],
    ),
    (Code::D031, &["reqwest::get"]),
    (
        Code::D032,
        &[
            "env::var",
            "env::vars",
            "env::var_os",
            "env::args",
            "env::args_os",
            "env::current_dir",
        ],
    ),
    (
        Code::D033,
        &[
            "thread::current",
            "process::id",
            "TypeId::of",
            "Backtrace::capture",
            "Location::caller",
        ],
    ),
    (Code::D041, &["Arc::as_ptr", "Rc::as_ptr", "ptr::eq"]),
    (
        Code::D042,
        &["DefaultHasher::new", "DefaultHasher::default"],
    ),
];

/// Methods that mean one thing whatever they are called on: with that many arguments.
const METHODS: &[(Code, usize, &[&str])] = &[
    (Code::D002, 0, &["elapsed"]),
    (
        Code::D020,
        0,
        &[
            "par_iter",
            "par_iter_mut",
            "into_par_iter",
            "par_bridge",
            "par_sort",
            "par_sort_unstable",
            "par_drain",
        ],
    ),
    (
        Code::D020,
        1,
        &[
            "par_chunks",
            "par_chunks_mut",
            "par_windows",
            "spawn_blocking",
            "spawn_local",
        ],
    ),
    (
        Code::D021,
        1,
        &[
            "buffer_unordered",
            "buffered",
            "try_buffer_unordered",
            "try_buffered",
        ],
    ),
    (
        Code::D021,
        2,
        &["for_each_concurrent", "try_for_each_concurrent"],
    ),
    (
        Code::D022,
        0,
        &[
            "blocking_recv",
            "blocking_lock",
            "blocking_read",
            "blocking_write",
            "notify_waiters",
        ],
    ),
    (Code::D022, 1, &["blocking_send"]),
    (
        Code::D022,
        2,
        &[
            "fetch_add",
            "fetch_sub",
            "fetch_and",
            "fetch_nand",
            "fetch_or",
            "fetch_xor",
            "fetch_max",
            "fetch_min",
        ],
    ),
    (Code::D022, 3, &["fetch_update"]),
    (
        Code::D022,
        4,
        &["compare_exchange", "compare_exchange_weak"],
    ),
    (Code::D023, 1, &["block_on"]),
    (Code::D041, 0, &["as_ptr", "as_mut_ptr", "as_ptr_range"]),
];

/// All patterns without groups, ready to be asked: `a::b`, `a::b!` and `a::*`.
fn patterns() -> &'static HashMap<String, Says> {
    static PATTERNS: OnceLock<HashMap<String, Says>> = OnceLock::new();
    PATTERNS.get_or_init(|| rows().collect())
}

/// The same, in the order of the tables.
fn rows() -> impl Iterator<Item = (String, Says)> {
    let rows = TABLES.iter().copied().flatten();
    rows.flat_map(|(says, patterns)| {
        let names = patterns.iter().copied().flat_map(single);
        names.map(move |name| (name, *says))
    })
}

#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = String> {
    rows().map(|(pattern, _)| pattern)
}

/// The whole names that break determinism, macros with their `!`.
#[cfg(test)]
pub(super) fn whole() -> impl Iterator<Item = (String, Code)> {
    let whole = rows().filter(|(pattern, _)| !pattern.ends_with('*'));
    whole.filter_map(|(pattern, says)| match says {
        Says::Breaks(code) => Some((pattern, code)),
        Says::Fine => None,
    })
}

/// The patterns that a group stands for: `a::{b, c}` is `a::b` and `a::c`.
fn single(pattern: &'static str) -> impl Iterator<Item = String> {
    let (before, rest) = pattern.split_once('{').unwrap_or(("", pattern));
    let (inside, after) = rest.split_once('}').unwrap_or((rest, ""));
    inside
        .split(',')
        .map(move |name| format!("{before}{}{after}", name.trim()))
}

/// The path in the crate that a facade passes on.
fn of_its_home(path: &[String]) -> Vec<String> {
    let mut path = path.to_vec();
    if let Some(first) = path.first_mut()
        && let Some((_, home)) = FACADES.iter().find(|(facade, _)| facade == first)
    {
        (*home).clone_into(first);
    }
    path
}

fn family(name: &str) -> Option<Code> {
    let found = FAMILIES.iter().find(|(start, _)| name.starts_with(start));
    found.map(|(_, code)| *code)
}

/// The verdict of the longest pattern that fits `path`, with `mark` behind it.
fn verdict(path: &[String], mark: &str, may_do_anything: bool) -> Option<Verdict> {
    let says = patterns();
    let decided = |says: &Says, is_exact| match says {
        Says::Breaks(code) => Some(Verdict {
            code: *code,
            is_exact,
        }),
        Says::Fine => None,
    };
    let mut key = path.join("::");
    key.push_str(mark);
    if let Some(says) = says.get(&key) {
        return decided(says, true);
    }
    if !may_do_anything || path.iter().any(|name| tells_of_errors(name)) {
        return None;
    }
    for length in (1..path.len()).rev() {
        let prefix = path.get(..length)?.join("::");
        if let Some(says) = says.get(&format!("{prefix}::*")) {
            return decided(says, false);
        }
    }
    family(path.first()?).map(|code| Verdict {
        code,
        is_exact: false,
    })
}

/// A function or method has a lower-case name. A constant, a variant or a constructor only holds data.
fn is_called_by_its_case(name: &str) -> bool {
    !name.starts_with(char::is_uppercase)
}

/// What a crate says of its errors does nothing, whatever the crate does.
fn tells_of_errors(name: &str) -> bool {
    matches!(name, "error" | "errors") || name.ends_with("Error") || name.ends_with("ErrorKind")
}
