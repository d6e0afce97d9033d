use proc_macro2::{TokenStream, TokenTree};

use super::super::samples;
use super::*;

fn texts(text: &str) -> Vec<&str> {
    lex(text)
        .iter()
        .map(|token| &text[token.start..token.end])
        .collect()
}

fn kinds(text: &str) -> Vec<Kind> {
    lex(text).iter().map(|token| token.kind).collect()
}

#[test]
fn tokens_are_what_rust_says() {
    for (text, expected) in [
        ("a b_1 _ r#type é_ü", "a b_1 _ r#type é_ü"),
        ("a // b\n/* c /* d */ */ e /*/ f */ g", "a e g"),
        ("/// doc\n//! doc\n/** doc */ a", "a"),
        ("\"a\\\"b\" \"\\\\\" c", "\"a\\\"b\" \"\\\\\" c"),
        (
            "r\"\\\" r#\"a\"b\"# br##\"\"#\"## cr\"c\" d",
            "r\"\\\" r#\"a\"b\"# br##\"\"#\"## cr\"c\" d",
        ),
        ("b\"a\" c\"b\" b'\\'' b'a'", "b\"a\" c\"b\" b'\\'' b'a'"),
        (
            "'a' '\\'' '\\u{1F600}' '\"' 'é' '('",
            "'a' '\\'' '\\u{1F600}' '\"' 'é' '('",
        ),
        ("'a 'static 'r#fn '_ 'é", "'a 'static 'r#fn '_ 'é"),
        ("<'a>('b')", "< 'a > ( 'b' )"),
        (
            "1 1_000u8 0xFFe+1 0b1 1.5 1. 1..2 1.max(2) 1e5 1e-5 1.5e+3f64 1f32",
            "1 1_000u8 0xFFe + 1 0b1 1.5 1. 1 . . 2 1 . max ( 2 ) 1e5 1e-5 1.5e+3f64 1f32",
        ),
        ("x.0.1 1.e5", "x . 0.1 1 . e5"),
        ("\"a\"suffix 'b'c 1u8", "\"a\"suffix 'b'c 1u8"),
        ("a::<b>->c", "a : : < b > - > c"),
        ("#!/bin/x y\na", "a"),
        ("#![a] b", "# ! [ a ] b"),
        ("#! /* c */ [a] b", "# ! [ a ] b"),
        ("\u{feff}a\u{a0}b\u{200e}c", "a b c"),
        ("\u{feff}#!x\na", "a"),
        ("rb\"a\" r#a\"b\"", "rb \"a\" r#a \"b\""),
    ] {
        assert_eq!(texts(text).join(" "), expected, "{text}");
    }
}

#[test]
fn kinds_are_told_apart() {
    use Kind::{Close, Ident, Lifetime, Literal, Open, Other, Punct};
    let brace = Delimiter::Brace;
    for (text, expected) in [
        ("a r#b", vec![Ident, Ident]),
        ("'a 'a' 1 \"\"", vec![Lifetime, Literal, Literal, Literal]),
        ("{;}", vec![Open(brace), Punct(b';'), Close(brace)]),
        ("' \u{1F600} \u{0}", vec![Other, Other, Other]),
    ] {
        assert_eq!(kinds(text), expected, "{text}");
    }
}

#[test]
fn what_is_not_closed_ends_with_the_file() {
    for text in [
        "\"a", "r#\"a\"", "/* a", "'\\", "b'", "\"\\", "'", "r#", "br#", "c\"",
    ] {
        let tokens = lex(text);
        assert!(
            tokens.len() <= 2 && tokens.iter().all(|token| token.end <= text.len()),
            "{text}"
        );
    }
}

/// The partner of each token, `.` where it is itself.
fn partners(text: &str) -> String {
    let tokens = lex(text);
    let partner = |(index, token): (usize, &Token)| match token.partner {
        partner if partner == index => ".".to_owned(),
        partner => partner.to_string(),
    };
    let all: Vec<String> = tokens.iter().enumerate().map(partner).collect();
    all.join(" ")
}

#[test]
fn delimiters_know_their_partners() {
    for (text, expected) in [
        ("(a[b]{c})", "8 . 4 . 2 7 . 5 0"),
        ("(a", "2 ."),
        ("a)", ". ."),
        ("(]", "2 ."),
        ("{(}", "2 2 0"),
        ("{(})", "2 2 0 ."),
        ("([{", "3 3 3"),
    ] {
        assert_eq!(partners(text), expected, "{text}");
    }
    let parents: Vec<Option<usize>> = lex("a(b{c})d").iter().map(|token| token.parent).collect();
    assert_eq!(
        parents,
        [None, None, Some(1), Some(1), Some(3), Some(1), None, None]
    );
}

#[test]
fn deep_nesting_takes_no_stack() {
    let text = "({[".repeat(100_000) + &"}".repeat(100_000) + &"/*".repeat(100_000);
    assert_eq!(lex(&text).len(), 400_000);
}

/// Tokens one by one, as `proc_macro2` has them, in the words of this lexer.
fn flatten(stream: TokenStream, into: &mut Vec<String>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                into.push(open.to_owned());
                flatten(group.stream(), into);
                into.push(close.to_owned());
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                into.push(format!("'{}", trees.next().unwrap()));
            }
            other => into.push(other.to_string()),
        }
    }
}

/// Without `#[doc = ".."]`, which is how `proc_macro2` has a comment; a number may be written with a sign there.
fn without_docs(tokens: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for token in tokens {
        kept.push(token);
        if let [.., hash, open, doc, equals, _, close] = kept.as_slice()
            && [open, doc, equals, close] == ["[", "doc", "=", "]"]
        {
            let is_inner = hash == "!";
            kept.truncate(kept.len() - 6 - usize::from(is_inner));
        }
    }
    kept
}

#[test]
fn every_file_at_hand_has_the_tokens_that_proc_macro2_finds() {
    let mut count = 0;
    for (path, text) in samples::some() {
        let Ok(expected) = samples::code(&text).parse::<TokenStream>() else {
            continue;
        };
        let mut flat = Vec::new();
        flatten(expected, &mut flat);
        let expected = without_docs(flat);
        let found = texts(&text).into_iter().map(str::to_owned).collect();
        let found = without_docs(found);
        if let Some(at) = found.iter().zip(&expected).position(|(a, b)| a != b) {
            panic!(
                "{}: {:?}, not {:?}",
                path.display(),
                &found[at..at + 5],
                &expected[at..at + 5]
            );
        }
        assert_eq!(found.len(), expected.len(), "{}", path.display());
        count += 1;
    }
    assert!(count > 100, "{count}");
}

#[test]
fn between_the_tokens_there_is_no_code() {
    for (path, text) in samples::all() {
        let mut at = start_of_code(&text);
        for token in lex(&text) {
            assert!(
                token.start >= at && token.end > token.start,
                "{}",
                path.display()
            );
            assert!(
                is_blank_or_comment(&text[at..token.start]),
                "{}: {:?}",
                path.display(),
                &text[at..token.start]
            );
            at = token.end;
        }
        assert!(is_blank_or_comment(&text[at..]), "{}", path.display());
    }
}

fn is_blank_or_comment(gap: &str) -> bool {
    let lines = gap.trim_start();
    lines.is_empty() || lines.starts_with("//") || lines.starts_with("/*")
}

#[test]
fn any_text_has_tokens() {
    let mut random = samples::Random::new(7);
    for round in 0..20_000 {
        let text = random.text(round % 60);
        let tokens = lex(&text);
        for (index, token) in tokens.iter().enumerate() {
            assert!(
                text.get(token.start..token.end).is_some() || token.end == text.len(),
                "{text:?}"
            );
            assert!(
                token.partner <= tokens.len() && token.parent.is_none_or(|parent| parent < index)
            );
        }
    }
}
