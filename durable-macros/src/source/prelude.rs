//! Names that nobody imports: those of std's prelude, and std's macros.

use super::Namespace;

/// What a name stands for where nothing nearer is called so.
pub(super) fn path_of(name: &str, namespace: Namespace) -> Option<Vec<String>> {
    let home = match namespace {
        Namespace::Macro => MACROS.binary_search(&name).ok().map(|_| ""),
        Namespace::Type => home(TYPES, name),
        Namespace::Value => home(VALUES, name),
    }?;
    let modules = home.split("::").filter(|module| !module.is_empty());
    let path = std::iter::once("std").chain(modules).chain([name]);
    Some(path.map(str::to_owned).collect())
}

/// Whether a path can begin with `name` though it is neither an item nor a crate.
pub(super) fn is_primitive(name: &str) -> bool {
    PRIMITIVES.contains(&name)
}

fn home(table: &'static [(&str, &str)], name: &str) -> Option<&'static str> {
    let found = table.iter().find(|(known, _)| *known == name);
    found.map(|(_, home)| *home)
}

/// All of std's macros that need no import, sorted.
const MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "column",
    "compile_error",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "include",
    "include_bytes",
    "include_str",
    "is_x86_feature_detected",
    "line",
    "matches",
    "module_path",
    "option_env",
    "panic",
    "print",
    "println",
    "stringify",
    "thread_local",
    "todo",
    "try",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// With the module of std that each is in.
const TYPES: &[(&str, &str)] = &[
    ("Option", "option"),
    ("Result", "result"),
    ("Vec", "vec"),
    ("String", "string"),
    ("Box", "boxed"),
    ("ToString", "string"),
    ("ToOwned", "borrow"),
    ("Clone", "clone"),
    ("Copy", "marker"),
    ("Send", "marker"),
    ("Sync", "marker"),
    ("Sized", "marker"),
    ("Unpin", "marker"),
    ("Drop", "ops"),
    ("Fn", "ops"),
    ("FnMut", "ops"),
    ("FnOnce", "ops"),
    ("AsyncFn", "ops"),
    ("AsyncFnMut", "ops"),
    ("AsyncFnOnce", "ops"),
    ("AsRef", "convert"),
    ("AsMut", "convert"),
    ("Into", "convert"),
    ("From", "convert"),
    ("TryFrom", "convert"),
    ("TryInto", "convert"),
    ("Default", "default"),
    ("Iterator", "iter"),
    ("Extend", "iter"),
    ("IntoIterator", "iter"),
    ("DoubleEndedIterator", "iter"),
    ("ExactSizeIterator", "iter"),
    ("FromIterator", "iter"),
    ("Eq", "cmp"),
    ("PartialEq", "cmp"),
    ("Ord", "cmp"),
    ("PartialOrd", "cmp"),
    ("Future", "future"),
    ("IntoFuture", "future"),
];

const VALUES: &[(&str, &str)] = &[
    ("Some", "option::Option"),
    ("None", "option::Option"),
    ("Ok", "result::Result"),
    ("Err", "result::Result"),
    ("drop", "mem"),
    ("size_of", "mem"),
    ("size_of_val", "mem"),
    ("align_of", "mem"),
    ("align_of_val", "mem"),
];

const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
    "i128", "isize", "f32", "f64",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_said_in_full() {
        let full = |name, namespace| path_of(name, namespace).map(|path| path.join("::"));
        assert_eq!(
            full("Some", Namespace::Value).unwrap(),
            "std::option::Option::Some"
        );
        assert_eq!(full("println", Namespace::Macro).unwrap(), "std::println");
        assert_eq!(full("Vec", Namespace::Type).unwrap(), "std::vec::Vec");
        assert_eq!(full("Instant", Namespace::Type), None);
    }

    #[test]
    fn the_macros_are_sorted() {
        assert!(MACROS.is_sorted());
    }
}
