//! What the guide shows is what is compiled.

use std::path::Path;

/// The files that the guide quotes, by their paths from here.
const SOURCES: &[&str] = &[
    "../drop_in/parcels/src/main.rs",
    "basics.rs",
    "chaining.rs",
    "changing.rs",
    "children.rs",
    "cleaning.rs",
    "deterministic.rs",
    "errors.rs",
    "eternal.rs",
    "fan_out.rs",
    "http.rs",
    "human.rs",
    "lists.rs",
    "long.rs",
    "monitor.rs",
    "points.rs",
    "saga.rs",
    "stopping.rs",
    "testing.rs",
];

#[test]
fn every_snippet_is_part_of_a_file_that_is_compiled() {
    let guide = read("../../docs/guide.md");
    let sources: Vec<String> = SOURCES.iter().map(|path| read(path)).collect();
    let pieces: Vec<_> = rust_blocks(&guide).into_iter().flat_map(pieces).collect();
    assert!(pieces.len() > 40, "{} pieces", pieces.len());
    let loose = pieces.iter().filter(|piece| {
        let is_quoted = |source: &String| quotes(piece, source);
        !sources.iter().any(is_quoted)
    });
    let loose: Vec<String> = loose.map(|piece| piece.join("\n")).collect();
    assert!(loose.is_empty(), "in no file:\n\n{}", loose.join("\n\n"));
}

/// The bounds that the guide names are those of the runtime.
#[test]
fn the_limits_are_the_real_ones() {
    let guide = read("../../docs/guide.md");
    let limits = read("../../durable-runtime/src/limits.rs");
    for (bound, told) in [
        ("INSTANCE_ID_BYTES_MAX: usize = 100;", "1 to 100 printable"),
        ("NAME_BYTES_MAX: usize = 128;", "| 128 bytes |"),
        ("PAYLOAD_BYTES_MAX: usize = 2 << 20;", "| 2 MiB;"),
        ("PENDING_MAX: usize = 100_000;", "| 100,000 |"),
        ("HISTORY_EVENTS_WARN: u32 = 50_000;", "a warning at 50,000"),
        ("HISTORY_EVENTS_MAX: u32 = 500_000;", "at 500,000 events or"),
        ("HISTORY_BYTES_WARN: u64 = 32 << 20;", "or 32 MiB; at"),
        ("HISTORY_BYTES_MAX: u64 = 256 << 20;", "or 256 MiB the"),
        ("HEARTBEAT_BYTES_MAX: usize = 64 << 10;", "| 64 KiB |"),
        ("LONE_DEATHS_MAX: u16 = 10;", "after ten deaths alone"),
        ("Duration::from_secs(10);", "| 10 s: then"),
        ("ACTIVITIES_MAX: usize = 1_024;", "| 1,024 in one engine"),
        ("Duration::from_secs(30);", "at most 30 s late"),
    ] {
        assert!(limits.contains(bound), "the limit is not `{bound}`");
        assert!(guide.contains(told), "the guide does not say `{told}`");
    }
}

/// Runs of lines between empty ones.
fn pieces(block: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = block.lines().collect();
    let pieces = lines.split(|line| line.is_empty());
    let pieces = pieces.filter(|piece| !piece.is_empty());
    pieces.map(<[&str]>::to_vec).collect()
}

/// Whether the lines follow one another in `source`, all of them indented by as much.
fn quotes(piece: &[&str], source: &str) -> bool {
    let source: Vec<&str> = source.lines().collect();
    let width = |lines: &[&str]| lines.first().map_or(0, |line| line.len());
    source.windows(piece.len()).any(|window| {
        let indent = width(window).saturating_sub(width(piece));
        let mut pairs = window.iter().zip(piece);
        pairs.all(|(line, quoted)| {
            let (before, after) = line.split_at_checked(indent).unwrap_or_default();
            before.trim().is_empty() && after == *quoted
        })
    })
}

fn rust_blocks(markdown: &str) -> Vec<&str> {
    let blocks = markdown.split("```rust\n").skip(1);
    let ended = blocks.map(|block| block.split_once("```").map(|(block, _)| block));
    ended.map(Option::unwrap_or_default).collect()
}

#[expect(clippy::panic, reason = "a file that cannot be read fails the test")]
fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("guide")
        .join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
}

#[test]
fn a_line_that_differs_is_no_quotation() {
    let source = "mod a {\n    fn f() {\n        g();\n    }\n}\n";
    assert!(quotes(&["fn f() {", "    g();", "}"], source));
    assert!(!quotes(&["fn f() {", "    h();", "}"], source));
    assert!(!quotes(&["fn f() {", "g();", "}"], source));
    assert!(!quotes(&["f() {", "    g();", "}"], source));
}
