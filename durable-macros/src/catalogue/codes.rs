//! The table of codes.

use super::{Layer, Level, Row};

/// Writes the codes and the table beside them, so that neither can lack what the other has.
macro_rules! codes {
    ($($code:ident $level:ident $layer:ident { $title:literal, $why:literal, $instead:literal })*) => {
        /// A kind of breach.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Code { $($code),* }

        impl Code {
            /// All of them, in order.
            pub(crate) const ALL: &[Self] = &[$(Self::$code),*];

            /// As it is written.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$code => stringify!($code)),* }
            }

            /// What the catalogue says of it.
            pub(crate) fn row(self) -> &'static Row {
                match self {
                    $(Self::$code => &Row {
                        level: Level::$level,
                        layer: Layer::$layer,
                        title: $title,
                        why: $why,
                        instead: $instead,
                    }),*
                }
            }
        }
    };
}

codes! {
    D001 Error Name {
        "wall clock",
        "reads the wall clock, which shows another time at every replay",
        "use `now()`, the time of the turn, which a replay sees again"
    }
    D002 Error Name {
        "monotonic clock",
        "reads a monotonic clock, which starts anew with the process and differs at every replay",
        "use `now()` before and after, and `duration_since`; or take the time in the activity"
    }
    D003 Error Name {
        "timer that is not recorded",
        "waits by a timer that is not recorded, and is gone when the process ends",
        "use `sleep(duration).await`; for a deadline `.timeout(duration)` on the call, or `timeout(duration, ..)` over a block"
    }
    D010 Error Name {
        "random number",
        "draws a number by chance, which differs at every replay",
        "use `random()`, which a replay draws again; for a sequence, a generator that is seeded with it"
    }
    D011 Error Name {
        "new identifier",
        "makes another identifier at every replay",
        "use `uuid()`, which a replay makes again"
    }
    D020 Error Name {
        "task or thread",
        "begins work that the history does not know, and begins it again at every replay",
        "make the work an activity, and run several with `join!` or `join_all`"
    }
    D021 Error Name {
        "combinator of another crate",
        "polls its futures in an order that is not recorded, so a replay may go another way",
        "use `join!`, `try_join!`, `select!`, `join_all`, `race` or `FuturesUnordered` of `durable_runtime`"
    }
    D022 Error Name {
        "shared state or channel",
        "shares state with code outside of this instance, which no history records",
        "keep state in local variables, which a replay builds again; use `join!` between branches, and an `Event` to hear from outside"
    }
    D023 Error Name {
        "runtime of async code",
        "enters or starts a runtime for futures that the history does not know",
        "move the work to an activity, which runs on the runtime of the engine"
    }
    D030 Error Name {
        "files, network, processes",
        "reads or writes outside of the process, again at every replay, and may find something else",
        "move it to an activity; for one quick read `side_effect(|| ..).await`, whose value is recorded"
    }
    D031 Error Name {
        "client of another system",
        "speaks to another system, again at every replay",
        "move it to an activity, which has retries, limits and a recorded result, and takes the client as `#[state]`"
    }
    D032 Error Name {
        "environment of the process",
        "reads the environment of this process, and a replay may run in another",
        "take it as an argument, or read it once with `side_effect(|| ..).await`; `env!`, at compile time, is fine"
    }
    D033 Error Name {
        "fact of this machine, process or build",
        "depends on this machine, process or build, and a replay may run in another",
        "take it as an argument, or record it with `side_effect(|| ..).await`"
    }
    D040 Error Type {
        "iteration in an order by chance",
        "goes through a hash map or set in an order that differs from process to process",
        "use `BTreeMap` or `BTreeSet`, or collect, and `sort()` in the next statement"
    }
    D041 Error Name {
        "address in memory",
        "depends on an address in memory, which differs at every replay",
        "compare values or identifiers"
    }
    D042 Warning Name {
        "hash of an unfixed algorithm",
        "hashes by an algorithm that may change from release to release, so a later build may decide otherwise",
        "use an algorithm that is fixed by name, as `sha2` or `xxhash-rust`, or record the hash with `side_effect`"
    }
    D050 Error Name {
        "static that changes",
        "keeps what it says outside of the history, and a replay may find something else",
        "use a local variable, which a replay builds again; what all instances share belongs to an activity, as `#[state]`"
    }
    D051 Error Name {
        "state of a thread",
        "belongs to a thread, and a replay may run on another",
        "use a local variable, which a replay builds again"
    }
    D052 Error Name {
        "unsafe code",
        "may read or change memory of which the history does not know",
        "move it to an activity, or to a function marked `#[deterministic(reason = \"..\")]`"
    }
    D060 Rewrite Form {
        "log line",
        "would appear again at every replay",
        "nothing: the line is left out while the code is replayed"
    }
    D061 Error Form {
        "await in a log line",
        "log macros are skipped while it is replayed, and this step with them",
        "`let value = ...await;` first, then log `value`"
    }
    D062 Warning Name {
        "`dbg!`",
        "prints again at every replay",
        "use `tracing::debug!` or `println!`, which are left out while the code is replayed"
    }
    D070 Warning Name {
        "loop without an await",
        "does not end and awaits nothing, so the turn never ends either",
        "await in it, as `sleep(duration).await`, or leave it with `break`"
    }
    D071 Error Form {
        "`async` closure",
        "the future that it returns cannot be checked",
        "write `|x| async move { .. }`"
    }
    D072 Error Compiler {
        "await in a closure that is not `async`",
        "a closure runs at once, and cannot wait",
        "`join_all(items.map(|item| call(item))).await`, or a `for` loop"
    }
    D080 Warning Name {
        "glob import that may bring anything",
        "may come from a crate that orchestrators do not use, and nobody can tell",
        "import by name what is used"
    }
    D081 Warning Name {
        "crate larger than what is read",
        "leads through more of its crate than is read, and what lies beyond was not looked at",
        "set `DURABLE_INDEX_LINES` to more than 20000, under `[env]` in `.cargo/config.toml`; or end the search with `#[deterministic]` on what it calls"
    }
    D090 Error Form {
        "syntax of `join!` and `select!`",
        "they are read by the grammar of tokio's macros",
        "write as the message shows"
    }
    D091 Error Signature {
        "allowance without a reason",
        "whoever reads the code later needs to know why it is safe",
        "write `#[nondeterminism(allow(D001), reason = \"..\")]`"
    }
    D092 Warning Name {
        "allowance of nothing",
        "suppresses nothing, and would hide what is written here later",
        "remove it"
    }
    D100 Error Signature {
        "not a function with a body",
        "what runs is what can be recorded",
        "annotate a function that has a body"
    }
    D101 Error Signature {
        "not `async`",
        "an orchestrator and a helper wait",
        "write `async fn`"
    }
    D102 Error Signature {
        "`unsafe` or `extern`",
        "the engine calls it, and promises nothing",
        "write a function without it"
    }
    D103 Error Signature {
        "method or associated function",
        "a later build finds it by its name alone, without a value",
        "move it out of its block; an activity takes what `self` held as `#[state]`"
    }
    D104 Error Signature {
        "`#[state]` that cannot be",
        "an orchestrator depends on its arguments and its history alone; what all calls of an activity share cannot be changed by one",
        "give the state to the activities that it calls, as `&T` or `Arc<T>`"
    }
    D105 Error Signature {
        "reference in what is recorded",
        "arguments and results are recorded, and outlive the caller",
        "use an owned value"
    }
    D106 Error Signature {
        "`impl Trait` in what is recorded",
        "the recorded type must be known",
        "name the type"
    }
    D107 Error Signature {
        "generic function",
        "a later build finds it by its name alone",
        "write one for each type, which calls a shared generic function"
    }
    D108 Error Signature {
        "option of an attribute",
        "an option that is misread would change what the function does",
        "write as the message shows"
    }
    D109 Error Signature {
        "more than 16 arguments",
        "arguments are recorded as a tuple, and tuples are written up to that length",
        "group some in a struct"
    }
    D120 Error Type {
        "value that cannot be recorded",
        "arguments and results are written to the history, and read back on replay",
        "derive `serde::Serialize` and `serde::Deserialize`; a connection, client or pool is a `#[state]` parameter of an activity"
    }
    D200 Error Type {
        "await of what is not durable",
        "its result is not recorded in the history, so a replay cannot answer the await",
        "make it an activity, or, if it only awaits what is durable, a `#[helper]`"
    }
    D201 Error Type {
        "branch that is not durable",
        "its result is not recorded in the history, so a replay cannot answer it",
        "make it an activity, or, if it only awaits what is durable, a `#[helper]`"
    }
    D202 Error Type {
        "boxed future",
        "the compiler cannot see whether it is durable",
        "use `BoxDurable<'_, T>`, or call the function itself"
    }
    D203 Error Type {
        "branch of `try_join!` or `try_join_all` without a `Result`",
        "they end with the first error, and this one has none",
        "use `join!` or `join_all`"
    }
    D204 Error Type {
        "future of `select_all` that cannot be moved",
        "it gives back the futures that go on, and this one must stay in its place",
        "put it in a box, `Box::pin(..)`; or use `race` or `FuturesUnordered`"
    }
    D210 RunTime RunTime {
        "foreign future at run time",
        "something was awaited that the history does not know",
        "await activities, orchestrators, timers and events"
    }
    D211 RunTime RunTime {
        "replay that differs",
        "the code, run again over its own history, asks for something else",
        "look for what differs between two runs in the lines that the report shows"
    }
    D212 RunTime RunTime {
        "histories that do not fit this build",
        "an instance in flight was begun by code that asked for something else",
        "keep the old line behind `changed(..)`, or register the change as a new version"
    }
}
