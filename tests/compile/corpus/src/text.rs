//! Work with strings: wrapping, counting, comparing, writing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use durable_runtime::prelude::*;

use crate::activities::{load, notify, store};

/// Borrowed where nothing was to be done.
fn tidied(line: &str) -> Cow<'_, str> {
    if line.contains('\t') || line.ends_with(' ') {
        Cow::Owned(line.replace('\t', "    ").trim_end().to_owned())
    } else {
        Cow::Borrowed(line)
    }
}

#[helper]
async fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + word.len() + 1 > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[helper]
async fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines().map(tidied) {
        match (line.is_empty(), paragraphs.last_mut()) {
            (true, Some(last)) if last.is_empty() => {}
            (true, _) => paragraphs.push(String::new()),
            (false, Some(last)) => {
                if !last.is_empty() {
                    last.push(' ');
                }
                *last += &line;
            }
            (false, None) => paragraphs.push(line.into_owned()),
        }
    }
    paragraphs.retain(|it| !it.trim().is_empty());
    paragraphs
}

#[orchestrator(name = "corpus.typeset")]
pub async fn typeset(path: String, width: usize) -> Result<usize, String> {
    let text = load(path.clone()).await?;
    let mut output = String::with_capacity(text.len());
    for (number, paragraph) in paragraphs(&text).await.iter().enumerate() {
        if number > 0 {
            output.push_str("\n\n");
        }
        let lines = wrapped(paragraph, width.max(20)).await;
        let longest = lines.iter().map(String::len).max().unwrap_or_default();
        for line in &lines {
            let gap = longest - line.len();
            write!(output, "{line}{:gap$}|", "").map_err(|error| error.to_string())?;
            output.push('\n');
        }
    }
    store(path + ".txt", output).await
}

#[orchestrator(name = "corpus.words")]
pub async fn words(paths: Vec<String>) -> Result<Vec<(String, usize)>, String> {
    let texts = try_join_all(paths.iter().cloned().map(load)).await?;
    let mut counts = BTreeMap::<String, usize>::new();
    for text in texts.iter().map(|text| text.to_lowercase()) {
        for word in text.split(|letter: char| !letter.is_alphabetic()).filter(|it| !it.is_empty()) {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(20);
    Ok(counts)
}

/// How many letters have to be changed, added or removed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}

#[orchestrator(name = "corpus.spelling")]
pub async fn spelling(word: String, dictionary: Vec<String>) -> Option<String> {
    let (near, far): (Vec<_>, Vec<_>) =
        dictionary.iter().map(|it| (distance(&word, it), it)).partition(|(steps, _)| *steps < 3);
    if let Some((0, same)) = near.iter().min() {
        return Some((*same).clone());
    }
    let mut near = near;
    near.sort_unstable();
    for (steps, it) in near.iter().take(3) {
        notify("reader".to_owned(), format!("did you mean `{it}` ({steps} away)?")).await;
    }
    far.first().filter(|_| near.is_empty()).map(|(_, it)| it.to_string())
}

#[helper]
async fn csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for line in text.lines() {
        let mut row = vec![String::new()];
        let mut quoted = false;
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            let Some(cell) = row.last_mut() else {
                unreachable!("a row begins with a cell");
            };
            match letter {
                '"' if quoted && letters.peek() == Some(&'"') => {
                    letters.next();
                    cell.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(String::new()),
                other => cell.push(other),
            }
        }
        rows.push(row);
    }
    rows
}

#[orchestrator(name = "corpus.table")]
pub async fn table(path: String) -> Result<String, String> {
    let text = load(path).await?;
    let rows = csv(&text).await;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut output = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells = widths.iter().enumerate().map(|(at, width)| {
            let cell = row.get(at).map_or("", String::as_str);
            let is_number = cell.parse::<f64>().is_ok();
            if is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        output += &cells.collect::<Vec<_>>().join(" | ");
        output += "\n";
        if number == 0 {
            let line = widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>();
            output.push_str(&line.join("-+-"));
            output.push('\n');
        }
    }
    Ok(output)
}

#[orchestrator(name = "corpus.ciphers")]
pub async fn ciphers(text: String, key: u8) -> Vec<String> {
    let shifted: String = text
        .chars()
        .map(|letter| match letter {
            'a'..='z' => char::from((letter as u8 - b'a' + key % 26) % 26 + b'a'),
            'A'..='Z' => char::from((letter as u8 - b'A' + key % 26) % 26 + b'A'),
            other => other,
        })
        .collect();
    let hex = text.bytes().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "{:02x}", byte ^ key);
        all
    });
    let runs = {
        let mut runs: Vec<(char, usize)> = vec![];
        for letter in text.chars() {
            match runs.last_mut() {
                Some((last, count)) if *last == letter => *count += 1,
                _ => runs.push((letter, 1)),
            }
        }
        runs.into_iter().map(|(letter, count)| format!("{count}{letter}")).collect::<String>()
    };
    let reversed = text.chars().rev().collect::<String>();
    let mut letters: Vec<char> = text.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let is_palindrome = reversed.eq_ignore_ascii_case(&text);
    let title = text.split(' ').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect()
        })
    });
    let title = title.collect::<Vec<String>>().join(" ");
    let sorted = letters.iter().collect();
    let mut all = vec![shifted, hex, runs, reversed, sorted, title];
    if is_palindrome {
        all.push("the same from behind".to_owned());
    }
    for (number, line) in all.iter_mut().enumerate() {
        line.insert_str(0, &format!("{}. ", number + 1));
    }
    all
}
