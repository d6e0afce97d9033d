//! What rustdoc makes of annotated functions reads like the functions.

use super::{cargo, fixtures, target};

/// The text of a page, without its marks.
fn text(html: &str) -> String {
    let pieces = html
        .split('<')
        .map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    let text = pieces.collect::<String>();
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    // A long signature is broken into lines.
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace("( ", "(").replace(", )", ")")
}

#[test]
fn the_page_of_an_annotated_function_reads_like_the_function() {
    let (is_built, _, said) = cargo(&["doc", "-p", "documented", "--no-deps"]);
    assert!(is_built, "{said}");
    let pages = target().join("doc/documented");
    let source = std::fs::read_to_string(fixtures().join("documented/src/lib.rs")).unwrap();
    let expected = source.lines().filter_map(|line| line.strip_prefix("//~ "));
    let expected: Vec<&str> = expected.collect();
    assert_eq!(expected.len(), 5);
    for signature in expected {
        let name = signature
            .split_once("fn ")
            .unwrap()
            .1
            .split('(')
            .next()
            .unwrap();
        let page = text(&std::fs::read_to_string(pages.join(format!("fn.{name}.html"))).unwrap());
        assert!(page.contains(signature), "not `{signature}` in\n{page}");
        let is_ours = |note: &&str| page.contains(*note);
        let notes = [
            "An activity: its call is an ActivityCall.",
            "An orchestrator: its call is an OrchestratorCall.",
        ];
        let expected = usize::from(["charge", "hash", "checkout"].contains(&name));
        assert_eq!(
            notes.iter().filter(|note| is_ours(note)).count(),
            expected,
            "{page}"
        );
    }
    let all = text(&std::fs::read_to_string(pages.join("all.html")).unwrap());
    let listed = "StructsOrderTraitsWayFunctionschargecheckouthashloweredstarts";
    assert!(all.contains(listed) && !all.contains("__"), "{all}");
}
