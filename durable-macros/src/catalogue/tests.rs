use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a directory with this extension.
fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found
}

/// All codes that follow one of the marks in the text.
fn codes(text: &str, marks: &[&str]) -> BTreeSet<String> {
    let after = marks.iter().flat_map(|mark| text.split(mark).skip(1));
    let names = after.map(|rest| rest.chars().take(4).collect::<String>());
    let is_code = |name: &String| {
        name.strip_prefix('D')
            .is_some_and(|digits| digits.len() == 3 && digits.chars().all(|it| it.is_ascii_digit()))
    };
    names.filter(is_code).collect()
}

#[test]
fn each_code_has_a_page_with_its_title_and_nothing_else_has() {
    let pages = root().join("docs/determinism");
    for code in Code::ALL {
        let text = read(&root().join(code.page()));
        let heading = format!("# {}: {}\n", code.name(), code.row().title);
        assert!(
            text.starts_with(&heading),
            "{} should begin with {heading}",
            code.page()
        );
        assert!(
            text.matches("```rust\n").count() >= 2,
            "{}: the wrong code and the right",
            code.page()
        );
        assert!(
            text.lines().count() < 60,
            "{} is no short page",
            code.page()
        );
    }
    assert_eq!(files(&pages, "md").len(), Code::ALL.len());
}

#[test]
fn the_document_has_the_catalogue() {
    let text = read(&root().join("docs/determinism.md"));
    let table: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| [D"))
        .collect();
    let rows = Code::ALL.iter().map(|code| {
        let Row {
            level,
            layer,
            title,
            instead,
            ..
        } = code.row();
        let level = match level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Rewrite => "rewritten",
            Level::RunTime => "at run time",
        };
        let layer = match layer {
            Layer::Name => "names",
            Layer::Form => "form",
            Layer::Signature => "signature",
            Layer::Type | Layer::Compiler => "types",
            Layer::RunTime => "the engine",
        };
        let (code, instead) = (code.name(), instead.replace('|', "\\|"));
        format!("| [{code}](determinism/{code}.md) | {title} | {level} | {layer} | {instead} |")
    });
    assert_eq!(table, rows.collect::<Vec<_>>());
}

#[test]
fn each_code_that_the_compiler_tells_of_has_a_case() {
    let tests = root().join("tests");
    let mut told = BTreeSet::new();
    for path in files(&tests.join("ui/fail"), "stderr") {
        told.extend(codes(&read(&path), &["[", "E0728]: "]));
    }
    for path in files(&tests.join("compile"), "rs") {
        told.extend(codes(&read(&path), &["//~ ", "; "]));
    }
    for code in Code::ALL {
        let row = code.row();
        match row.level {
            Level::Error | Level::Warning if row.layer != Layer::Compiler => {
                assert!(told.contains(code.name()), "no case shows {}", code.name());
            }
            // The message is of rustc: the case is named after the code.
            Level::Error | Level::Warning => {
                let cases = files(&tests.join("ui/fail"), "rs");
                let start = code.name().to_lowercase();
                let is_case = |path: &PathBuf| {
                    path.file_name()
                        .is_some_and(|name| name.to_string_lossy().starts_with(&start))
                };
                assert!(cases.iter().any(is_case), "no case shows {}", code.name());
            }
            // That the test is there is a rule of all documents.
            Level::Rewrite | Level::RunTime => {
                let page = read(&root().join(code.page()));
                assert!(
                    page.contains("Tested by `"),
                    "{} names no test",
                    code.page()
                );
            }
        }
    }
    let known: BTreeSet<String> = Code::ALL
        .iter()
        .map(|code| code.name().to_owned())
        .collect();
    let unknown: Vec<_> = told.difference(&known).collect();
    assert!(
        unknown.is_empty(),
        "told, and not in the catalogue: {unknown:?}"
    );
}

#[test]
fn what_the_runtime_tells_is_in_the_catalogue_too() {
    let mut told = BTreeSet::new();
    for path in files(&root().join("durable-runtime/src"), "rs") {
        told.extend(codes(&read(&path), &["\"[", "= [", "note = \"["]));
    }
    assert!(told.len() > 10, "{told:?}");
    for code in &told {
        assert!(
            Code::named(code).is_some(),
            "{code} is not in the catalogue"
        );
    }
    // A warning is an item of the runtime, in the words of the catalogue.
    let warnings = read(&root().join("durable-runtime/src/warning.rs"));
    let words: Vec<&str> = warnings
        .split_whitespace()
        .filter(|word| *word != "\\")
        .collect();
    let warnings = words.join(" ");
    for code in Code::ALL
        .iter()
        .filter(|code| code.row().level == Level::Warning)
    {
        let Row { why, instead, .. } = code.row();
        for part in [
            format!("pub struct {}", code.name()),
            (*why).to_owned(),
            format!("; {instead}; see {}", code.page()),
        ] {
            assert!(warnings.contains(&part), "{} lacks `{part}`", code.name());
        }
    }
}

#[test]
fn a_code_is_found_by_its_name_and_guessed_from_others() {
    for code in Code::ALL {
        assert_eq!(Code::named(code.name()), Some(*code));
    }
    assert_eq!(Code::named("D999"), None);
    assert_eq!(Code::like("d040"), Some(Code::D040));
    assert_eq!(Code::like("D40"), Some(Code::D040));
    assert_eq!(Code::like("clock"), None);
}

/// The code that is said of a path, and whether by its own name.
fn said(path: &str) -> Option<(&'static str, bool)> {
    let (path, is_macro) = path
        .strip_suffix('!')
        .map_or((path, false), |path| (path, true));
    let names: Vec<String> = path.split("::").map(ToOwned::to_owned).collect();
    let verdict = if is_macro {
        judge_macro(&names)
    } else {
        judge(&names)
    };
    verdict.map(|verdict| (verdict.code.name(), verdict.is_exact))
}

#[test]
fn a_pattern_is_written_once_and_as_it_is_read() {
    let mut seen = BTreeSet::new();
    for pattern in names::all() {
        let is_letter =
            |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | ':' | '*' | '!');
        assert!(
            pattern.chars().all(is_letter),
            "`{pattern}` has more than one group"
        );
        assert!(pattern.contains("::"), "`{pattern}` is a whole crate");
        assert!(seen.insert(pattern.clone()), "`{pattern}` is there twice");
    }
    assert!(seen.len() > 500, "{} patterns", seen.len());
}

#[test]
fn the_longest_pattern_decides() {
    for (path, expected) in [
        ("std::time::SystemTime::now", Some(("D001", true))),
        ("core::time::Duration::from_secs", None),
        ("std::thread::sleep", Some(("D003", true))),
        ("rand::rngs::StdRng::from_os_rng", Some(("D010", false))),
        ("rand::rngs::StdRng::seed_from_u64", None),
        ("rand::rngs::OsRng", Some(("D010", true))),
        ("uuid::Uuid::new_v4", Some(("D011", true))),
        ("uuid::Uuid::new_v5", None),
        ("uuid::uuid!", None),
        ("tokio::task::spawn_blocking", Some(("D020", false))),
        ("tokio::task::block_in_place", Some(("D023", true))),
        ("futures_util::future::join_all", Some(("D021", false))),
        ("futures::channel::mpsc::unbounded", Some(("D022", false))),
        ("tokio::select!", Some(("D021", true))),
        ("std::sync::atomic::AtomicU8::new", Some(("D022", false))),
        ("std::sync::atomic::Ordering::SeqCst", None),
        ("std::sync::LazyLock::new", None),
        ("std::process::id", Some(("D033", true))),
        ("std::process::Command::new", Some(("D030", false))),
        ("std::process::ExitCode::from", None),
        ("std::net::Ipv4Addr::new", None),
        ("std::fs::File::open", Some(("D030", false))),
        ("reqwest::get", Some(("D031", false))),
        ("reqwest::Error::is_timeout", None),
        ("reqwest::Method::GET", None),
        ("redis::Value::Nil", None),
        ("aws_sdk_s3::Client::new", Some(("D031", false))),
        ("sqlx::query!", Some(("D031", false))),
        ("std::dbg!", Some(("D062", true))),
        ("tokio::pin!", None),
        ("futures_util::pin_mut!", None),
        ("hyper::body::Frame::data", None),
        ("hyper::body::Incoming::poll_frame", Some(("D031", false))),
        ("reqwest::Request::new", None),
        ("hickory_resolver::proto::rr::Name::from_str", None),
        (
            "hickory_resolver::TokioResolver::builder_tokio",
            Some(("D031", false)),
        ),
        (
            "tungstenite::handshake::client::generate_key",
            Some(("D010", true)),
        ),
        ("tokio_util::codec::LinesCodec::new", None),
        ("tokio_util::codec::Framed::new", Some(("D030", false))),
        ("socket2::TcpKeepalive::new", None),
        ("socket2::Socket::new", Some(("D030", false))),
        ("std::os::unix::fs::MetadataExt::ino", None),
        ("std::os::unix::fs::symlink", Some(("D030", false))),
        ("ahash::HashMap::default", None),
        ("ahash::AHasher::default", Some(("D042", false))),
        ("serde_json::from_str", None),
        ("std::collections::HashMap::new", None),
    ] {
        assert_eq!(said(path), expected, "{path}");
    }
}

#[test]
fn the_end_of_an_unknown_path_is_enough_where_it_means_one_thing() {
    let ends = |path: &str| {
        let names: Vec<String> = path.split("::").map(ToOwned::to_owned).collect();
        judge_suffix(&names).map(Code::name)
    };
    assert_eq!(ends("a::b::Instant::now"), Some("D002"));
    assert_eq!(ends("Uuid::new_v4"), Some("D011"));
    assert_eq!(ends("Client::new"), None);
    assert_eq!(ends("now"), None);
}

#[test]
fn what_a_suffix_says_its_whole_name_says_too() {
    // So that nothing is found in an editor, which has no index, that a build lets pass.
    for (path, expected) in [
        ("std::time::Instant::now", "D002"),
        ("std::thread::sleep", "D003"),
        ("std::env::var", "D032"),
        ("std::hash::DefaultHasher::new", "D042"),
    ] {
        let names: Vec<String> = path.split("::").map(ToOwned::to_owned).collect();
        assert_eq!(judge_suffix(&names).map(Code::name), Some(expected));
        assert_eq!(said(path).map(|(code, _)| code), Some(expected));
    }
}

/// What a `clippy.toml` of a user would have. Whole modules and crates it cannot name.
fn clippy_configuration() -> String {
    let list = |key: &str, of_macros: bool| {
        let names = names::whole().filter(|(name, _)| name.ends_with('!') == of_macros);
        let lines = names.map(|(name, code)| {
            let (name, instead) = (name.trim_end_matches('!'), code.row().instead);
            let reason = format!("[{}] {instead}", code.name()).replace('"', "\\\"");
            format!("    {{ path = \"{name}\", reason = \"{reason}\", allow-invalid = true }},\n")
        });
        format!("{key} = [\n{}]\n", lines.collect::<Vec<_>>().concat())
    };
    list("disallowed-methods", false) + &list("disallowed-macros", true)
}

#[test]
#[expect(clippy::print_stdout, reason = "to be taken from here")]
fn the_table_can_be_told_to_clippy() {
    let configuration = clippy_configuration();
    for line in [
        "{ path = \"std::time::SystemTime::now\", reason = \"[D001] use `now()`, the time of the turn, which a replay sees again\", \
         allow-invalid = true },",
        "{ path = \"tokio::select\", reason = \"[D021] ",
    ] {
        assert!(configuration.contains(line), "{line}");
    }
    assert!(configuration.lines().count() > 150, "{configuration}");
    println!("{configuration}");
}
