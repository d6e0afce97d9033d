//! Just enough of Rust's lexis to tell code from comments, texts and tests.

/// The same text with comments and the contents of literals blanked; every line keeps its number.
pub(crate) fn code_only(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| literal(rest, code.chars().next_back()));
        let (part, is_code) = match skipped {
            Some(length) => (&rest[..length], false),
            None => (&rest[..first.len_utf8()], true),
        };
        if is_code {
            code.push_str(part);
        } else {
            code.extend(part.chars().map(blank));
        }
        rest = &rest[part.len()..];
    }
    code
}

fn blank(character: char) -> char {
    if character == '\n' { '\n' } else { ' ' }
}

/// The length of the comment that `rest` begins with.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(at)
}

/// The length of the text or character literal that `rest` begins with.
fn literal(rest: &str, before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(|it| it.is_alphanumeric() || it == '_');
    match rest.as_bytes().first()? {
        b'"' => Some(quoted(rest)),
        b'r' if !in_word || before == Some('b') => raw(rest),
        b'\'' => character(rest),
        _ => None,
    }
}

fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw(rest: &str) -> Option<usize> {
    let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
    let inside = rest[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
    Some(2 + hashes + length)
}

/// A quote begins a character only if another one ends it; else it begins a lifetime.
fn character(rest: &str) -> Option<usize> {
    let inside = &rest[1..];
    if inside.starts_with('\\') {
        return inside[2..].find('\'').map(|at| at + 4);
    }
    let first = inside.chars().next()?.len_utf8();
    inside[first..].starts_with('\'').then_some(first + 2)
}

/// The same code with every item under `#[cfg(test)]` blanked.
pub(crate) fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let (before, item) = rest.split_at(at);
        let (item, after) = item.split_at(item_length(item));
        kept.push_str(before);
        kept.extend(item.chars().map(blank));
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// Up to the first semicolon outside of braces, or to the brace that closes the first.
fn item_length(item: &str) -> usize {
    let mut depth = 0;
    for (at, character) in item.char_indices() {
        match character {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    item.len()
}

#[test]
fn comments_and_literals_are_blanked_and_lines_keep_their_numbers() {
    let text = "a /* b /* c */ \n d */ e // f\n\"g \\\" h\" r#\"i \" j\"# k 'l' '\\'' <'m> br\"n\"";
    let code = code_only(text);
    let words: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(words, ["a", "e", "k", "<'m>", "b"]);
    assert_eq!(code.matches('\n').count(), 2);
    assert_eq!(code.chars().count(), text.chars().count());
}

#[test]
fn items_under_test_are_blanked_and_their_neighbours_kept() {
    let code =
        "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { {} } }\n#[cfg(test)] use c;\nfn d() {}";
    let kept = without_tests(code);
    let words: Vec<&str> = kept.split_whitespace().collect();
    assert_eq!(words, ["fn", "a()", "{}", "fn", "d()", "{}"]);
    assert_eq!(kept.lines().count(), 5);
}
