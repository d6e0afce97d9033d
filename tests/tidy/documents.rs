//! Rules about what is written for people.

/// Whether the changelog has a section for this release.
pub(crate) fn has_release(changelog: &str, version: &str) -> bool {
    let heading = format!("## {version}");
    changelog.lines().any(|line| {
        line.strip_prefix(&heading)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

/// The links of a Markdown text that lead to files, each with its line; anchors are cut off, code blocks skipped.
pub(crate) fn relative_links(markdown: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut in_code = false;
    for (index, line) in markdown.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let targets = line.split("](").skip(1);
            let targets = targets.filter_map(|rest| rest.split(')').next());
            let files = targets.filter_map(file_of).map(|file| (index + 1, file));
            links.extend(files);
        }
    }
    links
}

/// The file that a link's target names, if it names one.
fn file_of(target: &str) -> Option<String> {
    let file = target.split('#').next()?;
    let is_elsewhere = file.contains("://") || file.starts_with("mailto:");
    (!file.is_empty() && !is_elsewhere).then(|| file.to_owned())
}

/// The files and functions that a Markdown text names in backticks, each with its line: `a/b.rs`, `Type::function`,
/// `a_test_by_its_name`. Code blocks are skipped.
pub(crate) fn named(markdown: &str) -> Vec<(usize, Named)> {
    let mut in_code = false;
    let lines = markdown.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    });
    let quoted = lines.flat_map(|(index, line)| {
        let inside = line.split('`').skip(1).step_by(2);
        inside.map(move |text| (index + 1, text))
    });
    quoted
        .filter_map(|(line, text)| Some((line, Named::parse(text)?)))
        .collect()
}

/// Fewer words than this are the name of something else: `with_state`, `max_attempts`, `async_http_api`.
const TEST_WORDS_MIN: usize = 5;

/// Something in the sources that a document names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    File(String),
    Function {
        owner: String,
        name: String,
    },
    /// A function whose name is a sentence: a test.
    Test(String),
}

impl Named {
    fn parse(text: &str) -> Option<Self> {
        let is_word = |word: &str| {
            let mut letters = word.chars();
            !word.is_empty() && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
        };
        if let Some(path) = text.strip_suffix(".rs") {
            return (path.split('/').all(is_word)).then(|| Self::File(text.to_owned()));
        }
        if is_word(text) && text.split('_').count() >= TEST_WORDS_MIN {
            return Some(Self::Test(text.to_owned()));
        }
        let (owner, name) = text.split_once("::")?;
        let is_type = owner.starts_with(char::is_uppercase) && is_word(owner);
        let is_function = name.starts_with(char::is_lowercase) && is_word(name);
        (is_type && is_function).then(|| Self::Function {
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Whether one of `sources`, paths with their texts, has it; of a file any path that ends so is meant.
    pub(crate) fn is_among(&self, sources: &[(String, String)]) -> bool {
        sources.iter().any(|(path, text)| match self {
            Self::File(file) => path == file || path.ends_with(&format!("/{file}")),
            Self::Function { owner, name } => {
                let of_owner = text.lines().any(|line| is_impl(line, owner));
                of_owner
                    && (text.contains(&format!("fn {name}("))
                        || text.contains(&format!("fn {name}<")))
            }
            Self::Test(name) => text.contains(&format!("fn {name}()")),
        })
    }
}

/// Whether a line begins an `impl` block of `owner`.
fn is_impl(line: &str, owner: &str) -> bool {
    let words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    line.starts_with("impl") && words.into_iter().any(|word| word == owner)
}

/// What is wrong with how an example is declared or introduced.
pub(crate) fn undeclared(name: &str, source: &str, manifest: &str) -> Option<String> {
    let declaration = format!("[[example]]\nname = \"{name}\"\npath = \"{name}.rs\"\n");
    let run_line = format!("//! cargo run --example {name} --");
    if !manifest.contains(&declaration) {
        Some(format!(
            "examples/{name}.rs is not declared in examples/Cargo.toml"
        ))
    } else if !source.starts_with(&run_line) {
        Some(format!(
            "examples/{name}.rs does not begin with `{run_line}`"
        ))
    } else {
        None
    }
}

#[test]
fn a_release_needs_a_heading_of_its_own() {
    assert!(has_release("# Changes\n\n## 0.1.0 (soon)\n", "0.1.0"));
    assert!(has_release("## 0.1.0", "0.1.0"));
    assert!(!has_release("## 0.1.01\n0.1.0\n### 0.1.0", "0.1.0"));
}

#[test]
fn links_to_files_are_found_and_others_are_not() {
    let text = "[a](docs/a.md#top) and [b](https://b.example)\n```\n[c](c.md)\n```\n[d](#here) [`e`](e.rs)";
    let expected = [(1, "docs/a.md"), (5, "e.rs")].map(|(line, link)| (line, link.to_owned()));
    assert_eq!(relative_links(text), expected);
}

#[test]
fn an_example_must_be_declared_and_begin_with_its_run_line() {
    let manifest = "[[example]]\nname = \"order\"\npath = \"order.rs\"\n";
    let source = "//! cargo run --example order -- [--db PATH]\n";
    assert_eq!(undeclared("order", source, manifest), None);
    assert!(
        undeclared("order", source, "")
            .unwrap()
            .contains("not declared")
    );
    assert!(
        undeclared("order", "//! An order.", manifest)
            .unwrap()
            .contains("does not begin")
    );
}

#[test]
fn files_and_functions_are_found_in_backticks_and_other_words_are_not() {
    let text = "`a/b.rs` and `Hub::release`,\n`Option::Some`, a.rs, `x y.rs`, `event::encoding`, `c.rs`, `a_b_c_d`, `it_is_a_test_name`\n```text\n`d.rs`\n```";
    let function = Named::Function {
        owner: "Hub".to_owned(),
        name: "release".to_owned(),
    };
    let file = |path: &str| Named::File(path.to_owned());
    let sentence = Named::Test("it_is_a_test_name".to_owned());
    let expected = vec![
        (1, file("a/b.rs")),
        (1, function),
        (2, file("c.rs")),
        (2, sentence),
    ];
    assert_eq!(named(text), expected);
}

#[test]
fn a_function_must_be_one_of_its_type() {
    let hub = "impl<T> Hub<T> {\n    fn release(self) {}\n    fn it_is_released_only_once() {}\n}";
    let sources = [("src/hub.rs", hub)];
    let sources = sources.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let is_there = |text: &str| named(text)[0].1.is_among(&sources);
    assert!(is_there("`hub.rs`") && is_there("`src/hub.rs`") && is_there("`Hub::release`"));
    assert!(is_there("`it_is_released_only_once`") && !is_there("`it_is_released_only_twice`"));
    assert!(!is_there("`ub.rs`") && !is_there("`Hub::hold`") && !is_there("`Rim::release`"));
}
