use super::*;

const PRICING: &str =
    "use super::clock; pub fn total() { surcharge() } fn surcharge() { clock::read() }";

#[test]
fn modules_are_found_in_their_files() {
    let krate = Crate::new(&[
        (
            "src/lib.rs",
            "mod flow; mod pricing; mod clock; pub mod deep; mod r#type;",
        ),
        ("src/flow.rs", "use crate::pricing; /*@*/f"),
        ("src/pricing.rs", PRICING),
        ("src/clock/mod.rs", "pub mod inner; pub fn read() {}"),
        ("src/clock/inner.rs", "pub use std::time::Instant;"),
        ("src/deep.rs", "pub mod a { pub mod b; }"),
        (
            "src/deep/a/b.rs",
            "pub fn g() {} pub use super::super::super::clock::inner as i;",
        ),
        ("src/type.rs", "pub fn g() {}"),
    ]);
    let scope = krate.scope("src/flow.rs");
    for (path, expected) in [
        ("pricing::total", "fn pricing::total"),
        ("crate::clock::read", "fn clock::read"),
        ("super::clock::read", "fn clock::read"),
        (
            "pricing::clock::inner::Instant::now",
            "std::time::Instant::now",
        ),
        ("crate::deep::a::b::g", "fn deep::a::b::g"),
        (
            "crate::deep::a::b::i::Instant::now",
            "std::time::Instant::now",
        ),
        ("crate::type::g", "fn type::g"),
        ("crate::nothing::g", "unseen"),
        ("super::super::g", "unseen"),
    ] {
        assert_eq!(
            said(&scope, path, Namespace::Value).join(" | "),
            expected,
            "{path}"
        );
    }
}

#[test]
fn helpers_are_followed_from_file_to_file() {
    let krate = Crate::new(&[
        ("src/main.rs", "mod flow; mod pricing; mod clock;"),
        ("src/flow.rs", "use crate::pricing; /*@*/f"),
        ("src/pricing.rs", PRICING),
        (
            "src/clock.rs",
            "use std::time::SystemTime as S;\n\npub fn read() { S::now(); }",
        ),
    ]);
    let mut found = krate.scope("src/flow.rs").resolve(
        &["pricing".to_owned(), "total".to_owned()],
        Namespace::Value,
    );
    let mut chain = Vec::new();
    while let Some(Resolved::Function(function)) = found.pop() {
        chain.push(format!("{}:{}", function.name(), function.line()));
        found = function
            .mentions()
            .iter()
            .flat_map(Mention::resolve)
            .collect();
        if let Some(Resolved::Foreign(path)) = found.last() {
            chain.push(path.join("::"));
        }
    }
    assert_eq!(
        chain,
        [
            "pricing::total:1",
            "pricing::surcharge:1",
            "clock::read:3",
            "std::time::SystemTime::now"
        ]
    );
}

#[test]
fn modules_may_lie_elsewhere() {
    let krate = Crate::new(&[
        ("src/lib.rs", "#[path = \"odd/name.rs\"] mod a; mod d; mod b { #[path = \"c.rs\"] pub mod c; }
            #[cfg_attr(unix, path = \"unix.rs\")] #[cfg_attr(windows, path = r\"windows.rs\")] mod os; fn g() {}"),
        ("src/odd/name.rs", "mod beside; /*@*/f"),
        ("src/odd/beside.rs", "pub fn h() { super::super::g() }"),
        ("src/b/c.rs", "pub fn h() {}"),
        ("src/d.rs", "#[path = \"e.rs\"] pub mod e; pub mod f { #[path = \"g.rs\"] pub mod g; }"),
        ("src/e.rs", "pub fn h() {}"),
        ("src/d/f/g.rs", "pub fn h() {}"),
        ("src/unix.rs", "pub use a::t;"),
        ("src/windows.rs", "pub use b::t;"),
    ]);
    let scope = krate.scope("src/odd/name.rs");
    for (path, expected) in [
        ("super::g", "fn g"),
        ("beside::h", "fn a::beside::h"),
        ("crate::b::c::h", "fn b::c::h"),
        ("crate::d::e::h", "fn d::e::h"),
        ("crate::d::f::g::h", "fn d::f::g::h"),
        ("crate::os::t", "a::t | b::t"),
    ] {
        assert_eq!(
            said(&scope, path, Namespace::Value).join(" | "),
            expected,
            "{path}"
        );
    }
}

#[test]
fn every_target_has_its_root() {
    let root = "mod m; pub fn g() {}";
    let krate = Crate::new(&[
        (
            "Cargo.toml",
            "[[bin]]\nname = \"odd\"\npath = \"odd/start.rs\" # here",
        ),
        ("src/lib.rs", "pub fn wrong() {}"),
        ("src/main.rs", root),
        ("src/m.rs", "/*@*/f"),
        ("src/bin/tool/main.rs", root),
        ("src/bin/tool/m.rs", "/*@*/f"),
        ("tests/it/main.rs", root),
        ("tests/it/m/mod.rs", "/*@*/f"),
        ("examples/e/main.rs", root),
        ("examples/e/m.rs", "/*@*/f"),
        ("odd/start.rs", root),
        ("odd/m.rs", "/*@*/f"),
    ]);
    for file in [
        "src/m.rs",
        "src/bin/tool/m.rs",
        "tests/it/m/mod.rs",
        "examples/e/m.rs",
        "odd/m.rs",
    ] {
        let scope = krate.scope(file);
        assert_eq!(
            said(&scope, "crate::g", Namespace::Value),
            ["fn g"],
            "{file}"
        );
    }
}

#[test]
fn a_file_that_is_its_own_root_is_known_by_the_crate_or_by_nobody_else() {
    let krate = Crate::new(&[
        ("src/lib.rs", "pub fn wrong() {}"),
        ("src/bin/tool.rs", "pub fn g() {} /*@*/f"),
        ("tests/t.rs", "mod common; pub fn g() {} /*@*/f"),
        ("tests/common/mod.rs", "pub fn h() {}"),
    ]);
    for file in ["src/bin/tool.rs", "tests/t.rs"] {
        let scope = krate.scope(file);
        assert_eq!(
            said(&scope, "crate::g", Namespace::Value),
            ["fn g"],
            "{file}"
        );
    }
    let scope = krate.scope("tests/t.rs");
    assert_eq!(
        said(&scope, "common::h", Namespace::Value),
        ["fn common::h"]
    );
}

#[test]
fn test_modules_in_files_know_that_they_are() {
    let krate = Crate::new(&[
        ("src/lib.rs", "mod a;"),
        (
            "src/a.rs",
            "#[cfg(test)] use x::X; use y::X; #[cfg(test)] mod tests;",
        ),
        ("src/a/tests.rs", "use super::*; /*@*/f"),
    ]);
    let mut found = said(&krate.scope("src/a/tests.rs"), "X", Namespace::Value);
    found.sort();
    assert_eq!(found, ["x::X", "y::X"]);
}

#[test]
fn a_changed_file_is_read_again() {
    let krate = Crate::new(&[("src/lib.rs", "use a::X; /*@*/f")]);
    assert_eq!(
        said(&krate.scope("src/lib.rs"), "X", Namespace::Value),
        ["a::X"]
    );
    krate.write("src/lib.rs", "use other::X; /*@*/f");
    assert_eq!(
        said(&krate.scope("src/lib.rs"), "X", Namespace::Value),
        ["other::X"]
    );
}

#[test]
fn what_is_missing_is_not_known() {
    let krate = Crate::new(&[("src/lib.rs", "mod gone; /*@*/f")]);
    let scope = krate.scope("src/lib.rs");
    assert_eq!(said(&scope, "gone::g", Namespace::Value), ["unseen"]);
    assert!(!scope.was_cut());
    assert!(Scope::in_file(&krate.path("src/none.rs"), 1, 1).is_none());
}

#[test]
fn a_crate_too_large_is_read_in_part() {
    let large = format!("{}pub fn g() {{}}", "//\n".repeat(60));
    let krate = Crate::new(&[
        ("src/lib.rs", "mod a; mod b; mod c; /*@*/f"),
        ("src/a.rs", &large),
        ("src/b.rs", &large),
        ("src/c.rs", &large),
    ]);
    staged::with_lines_max(100, || {
        let scope = krate.scope("src/lib.rs");
        assert_eq!(said(&scope, "a::g", Namespace::Value), ["fn a::g"]);
        assert_eq!(said(&scope, "b::g", Namespace::Value), ["fn b::g"]);
        assert_eq!(said(&scope, "std::f", Namespace::Value), ["std::f"]);
        assert!(!scope.was_cut());
        assert_eq!(said(&scope, "c::g", Namespace::Value), ["unseen"]);
        assert!(scope.was_cut());
        // The next one begins anew.
        assert!(!krate.scope("src/lib.rs").was_cut());
    });
    staged::with_lines_max(1_000, || {
        let scope = krate.scope("src/lib.rs");
        for module in ["a", "b", "c"] {
            let path = format!("{module}::g");
            assert_eq!(
                said(&scope, &path, Namespace::Value),
                [format!("fn {path}")]
            );
        }
        assert!(!scope.was_cut());
    });
}

/// What cannot be read is unknown, whatever is wrong with it; a rustc that needs it says so itself.
#[test]
fn what_cannot_be_read_is_no_error() {
    let krate = Crate::new(&[
        (
            "src/lib.rs",
            "mod loops; mod directory; mod bytes; mod dangling; mod locked; #[path = \"nowhere/at/all.rs\"] mod nowhere;
             #[path = \"/proc/self/mem\"] mod memory; #[path = \"\"] mod empty; mod brought { include!(\"brought.rs\"); }
             mod good { pub fn g() {} } /*@*/f",
        ),
        ("src/directory.rs/inner.txt", ""),
        ("src/brought.rs", "pub fn g() {}"),
        ("src/locked.rs", "pub fn g() {}"),
    ]);
    std::fs::write(krate.path("src/bytes.rs"), b"pub fn g() {} // \xff\xfe").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        symlink("gone.rs", krate.path("src/dangling.rs")).unwrap();
        // A file that is itself, and a directory in itself.
        symlink("loops.rs", krate.path("src/loops.rs")).unwrap();
        symlink(".", krate.path("src/loops")).unwrap();
        let nobody = std::fs::Permissions::from_mode(0o000);
        std::fs::set_permissions(krate.path("src/locked.rs"), nobody).unwrap();
    }
    let scope = krate.scope("src/lib.rs");
    for module in [
        "loops",
        "directory",
        "bytes",
        "dangling",
        "nowhere",
        "memory",
        "empty",
    ] {
        let path = format!("{module}::g");
        assert_eq!(said(&scope, &path, Namespace::Value), ["unseen"], "{path}");
    }
    // Whoever may read everything reads this one; what is included is not looked for.
    assert_eq!(said(&scope, "locked::g", Namespace::Value).len(), 1);
    assert!(said(&scope, "brought::g", Namespace::Value).len() <= 1);
    assert_eq!(said(&scope, "good::g", Namespace::Value), ["fn good::g"]);
    assert!(!scope.was_cut());
}

/// The way to a root through directories that contain themselves ends.
#[cfg(unix)]
#[test]
fn modules_that_lead_back_to_themselves_end() {
    let krate = Crate::new(&[
        ("src/lib.rs", "mod a; /*@*/f"),
        ("src/a.rs", "pub mod a; pub use self::a::g;"),
    ]);
    std::fs::create_dir_all(krate.path("src/a")).unwrap();
    std::os::unix::fs::symlink("../a.rs", krate.path("src/a/a.rs")).unwrap();
    std::os::unix::fs::symlink(".", krate.path("src/a/a")).unwrap();
    let scope = krate.scope("src/lib.rs");
    assert_eq!(said(&scope, "a::g", Namespace::Value), ["unseen"]);
    assert_eq!(said(&scope, "a::a::a::g", Namespace::Value), ["unseen"]);
}

/// The paths of two and more segments that the functions of a file mention, and what each names.
fn paths_of(path: &Path, text: &str) -> Vec<(String, Vec<Resolved>)> {
    let tokens = tokens::Tokens::new(text.to_owned());
    let (line, column) = tokens.position(0);
    let Some(scope) = Scope::in_file(path, line, column) else {
        return Vec::new();
    };
    let outline = &scope.module.source.outline;
    let functions = outline.functions().iter().enumerate();
    let functions = functions.map(|(index, function)| {
        Function::new(
            Rc::clone(&scope.session),
            scope.module.at(function.name),
            index,
        )
    });
    let mentions = functions.flat_map(|function| function.mentions());
    let paths = mentions.filter_map(|mention| match &mention.what {
        What::Path { path, .. } if path.len() > 1 && !prelude::is_primitive(&path[0]) => {
            Some((path.join("::"), mention.resolve()))
        }
        _ => None,
    });
    paths.collect()
}

/// Most of this repository is written by hand, so that its index knows nearly all of it.
#[test]
fn nearly_every_path_of_this_repository_is_known() {
    let (mut count, mut unknown) = (0, Vec::new());
    for (path, text) in samples::ours() {
        if !path.to_string_lossy().contains("durable-runtime") {
            continue;
        }
        for (name, found) in paths_of(&path, &text) {
            count += 1;
            let is_known = |resolved: &Resolved| !in_short(resolved).starts_with("unseen");
            if !found.iter().any(is_known) {
                unknown.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(count > 3_000, "{count}");
    assert!(
        unknown.len() < 30,
        "{} of {count}: {unknown:#?}",
        unknown.len()
    );
}
