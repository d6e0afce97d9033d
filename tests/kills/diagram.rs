//! The diagram of the `order` example in the README.

use durable_runtime::Registry;

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
