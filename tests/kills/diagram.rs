//! The points of the examples: each recorded command has its row, and each orchestrator a diagram; that of `order` is in the README.

use std::collections::BTreeSet;
use std::path::Path;

use durable_runtime::{HistoryEvent, Registry};
use durable_tests::left_behind;
use durable_tests::program::Program;

#[path = "../../examples/operating.rs"]
#[expect(
    dead_code,
    reason = "only its functions are wanted; its `main` runs as a process"
)]
mod operating;

/// The orchestrators of the examples, but for that of `async_http`, which needs a server to be linked.
const ALL: [&str; 11] = [
    "back_up",
    "book_trip",
    "checkout",
    "clean_up",
    "connect",
    "connect_house",
    "deliver",
    "hello_sequence",
    "monitor",
    "ship",
    "verify_phone",
];

#[test]
fn the_readme_shows_the_diagram_of_the_order_example() {
    let graph = Registry::linked().graph("checkout", None);
    let expected = graph.expect("it is linked").to_string();
    let readme = include_str!("../../README.md");
    let (_, block) = readme
        .split_once("```mermaid\n")
        .expect("there is a diagram");
    let (shown, _) = block.split_once("```").expect("the block ends");
    assert_eq!(shown, expected, "the README is to show\n{expected}");
}

/// Looks for the row of each command; of those in a helper only that there is one.
pub(crate) fn check_rows(history: &[HistoryEvent]) {
    let Some(HistoryEvent::ExecutionStarted(started)) = history.first() else {
        panic!("a history begins otherwise: {history:#?}");
    };
    let graph = Registry::linked().graph(&started.name, started.version.as_deref());
    assert!(graph.is_some() || started.name == "print_book");
    for event in history {
        let Some(id) = event.site() else { continue };
        // The highest bit tells a row from a place that has none.
        assert!(id.0 >> 31 == 1, "no row for {event:?}");
        let is_in_helper = matches!(event, HistoryEvent::ActivityScheduled(it) if it.name.starts_with("book_"))
            || matches!(event, HistoryEvent::TimerCreated(_)) && started.name == "book_trip";
        if let Some(graph) = &graph {
            let is_here = graph.sites().iter().any(|row| row.id() == id.0);
            assert_ne!(is_here, is_in_helper, "`{}`, {event:?}", started.name);
        }
    }
}

/// The others are looked at whenever they are killed.
#[test]
fn each_command_of_the_examples_that_do_not_end_alike_has_its_row() {
    for (example, instance) in [("operating", "books-fast"), ("async_http", "walden")] {
        let db = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rows-{example}.redb"));
        for old in [db.clone(), db.with_extension("ledger")] {
            drop(std::fs::remove_file(old));
        }
        Program::example(example, &["--fast"]).undisturbed(&db);
        let histories = left_behind::histories(&db, instance);
        let commands = histories
            .values()
            .flatten()
            .filter(|event| event.site().is_some());
        assert!(commands.count() > 0, "{example}: {histories:#?}");
        for history in histories.values() {
            check_rows(history);
        }
    }
}

#[test]
fn the_diagram_of_every_example_is_well_formed() {
    let examples = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples")).unwrap();
    let files = examples
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    let texts = files.map(|path| std::fs::read_to_string(path).unwrap());
    let count: usize = texts
        .map(|text| text.matches("\n#[orchestrator").count())
        .sum();
    assert_eq!(count, ALL.len() + 1);
    for name in ALL {
        let graph = Registry::linked().graph(name, None).expect("it is linked");
        let drawn = graph
            .sites()
            .iter()
            .fold(graph.clone(), |graph, site| graph.mark(site.id()));
        let text = drawn.to_string();
        mermaid(&text).unwrap_or_else(|error| panic!("`{name}`: {error}\n{text}"));
    }
}

/// Reads as much of the language as diagrams are written in.
fn mermaid(text: &str) -> Result<(), String> {
    let mut lines = text.lines().map(str::trim);
    if lines.next() != Some("flowchart TD") {
        return Err("it begins otherwise".to_owned());
    }
    let (mut ids, mut edges, mut depth) = (BTreeSet::new(), Vec::new(), 0_usize);
    for line in lines {
        let declared = if let Some(ends) = edge(line)? {
            if depth > 0 {
                return Err(format!("an edge in a box: {line}"));
            }
            edges.extend(ends);
            None
        } else if line == "end" {
            depth = depth.checked_sub(1).ok_or("an `end` of nothing")?;
            None
        } else if let Some(rest) = line.strip_prefix("subgraph ") {
            depth += 1;
            let (id, title) = rest.split_once(' ').ok_or(line)?;
            label(title, "[", "]")?;
            Some(id)
        } else if let Some(names) = line.strip_prefix("class ") {
            let (names, class) = names.split_once(' ').ok_or(line)?;
            edges.extend(names.split(',').map(str::to_owned));
            (class == "waiting").then_some(()).ok_or(line)?;
            None
        } else if line.starts_with("classDef waiting ") {
            None
        } else {
            Some(node(line)?)
        };
        if let Some(id) = declared {
            let is_id = id.chars().all(|letter| letter.is_ascii_alphanumeric());
            if id.is_empty() || !is_id || !ids.insert(id.to_owned()) {
                return Err(format!("`{id}` is no new name"));
            }
        }
    }
    let unknown: Vec<&String> = edges.iter().filter(|end| !ids.contains(*end)).collect();
    (depth == 0 && unknown.is_empty())
        .then_some(())
        .ok_or(format!("{depth} open, unknown: {unknown:?}"))
}

/// The two ends, if the line is an edge.
fn edge(line: &str) -> Result<Option<[String; 2]>, String> {
    let Some((from, rest)) = line.split_once(" -->") else {
        return Ok(None);
    };
    let to = match rest.strip_prefix('|') {
        Some(rest) => {
            let (title, to) = rest.rsplit_once("| ").ok_or(line)?;
            label(title, "", "")?;
            to
        }
        None => rest.trim_start(),
    };
    Ok(Some([from.to_owned(), to.to_owned()]))
}

/// The name of a node in one of the shapes.
fn node(line: &str) -> Result<&str, String> {
    let at = line.find(['[', '(', '{']).ok_or(line)?;
    let (id, shape) = line.split_at(at);
    let shapes = [
        ("([", "])"),
        ("[[", "]]"),
        ("((", "))"),
        ("[", "]"),
        ("{", "}"),
    ];
    let read = shapes
        .iter()
        .any(|(begin, end)| label(shape, begin, end).is_ok());
    read.then_some(id)
        .ok_or_else(|| format!("not a node: {line}"))
}

/// Text in quotation marks, between `begin` and `end`, in which nothing is left that has a meaning.
fn label(text: &str, begin: &str, end: &str) -> Result<(), String> {
    let inside = text
        .strip_prefix(begin)
        .and_then(|text| text.strip_suffix(end));
    let inside = inside.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
    let inside = inside.ok_or_else(|| format!("not a label: {text}"))?;
    let is_escaped = |rest: &str| {
        ["35;", "quot;", "lt;", "gt;"]
            .iter()
            .any(|it| rest.starts_with(it))
    };
    let is_plain =
        !inside.contains(['"', '<', '>', '\n']) && inside.split('#').skip(1).all(is_escaped);
    is_plain
        .then_some(())
        .ok_or_else(|| format!("not escaped: {text}"))
}

#[test]
fn what_is_no_diagram_is_told() {
    let begin = "flowchart TD\n    a[\"x\"]\n    b{\"y #lt; 1\"}\n";
    assert_eq!(mermaid(&format!("{begin}    a -->|\"no\"| b\n")), Ok(()));
    for wrong in [
        "    a --> c\n",
        "    a([\"again\"])\n",
        "    c[\"a \" b\"]\n",
        "    c[\"a < b\"]\n",
        "    c[\"#5\"]\n",
        "    c[x]\n",
        "    subgraph c [\"open\"]\n",
        "    subgraph c [\"box\"]\n    a --> b\n    end\n",
        "    end\n",
        "    class c waiting\n",
    ] {
        assert!(mermaid(&format!("{begin}{wrong}")).is_err(), "{wrong}");
    }
}
