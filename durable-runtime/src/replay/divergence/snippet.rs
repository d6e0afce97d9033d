//! Both sides of a disagreement, each with its line of the source, as a compiler shows them.

use super::add;

/// One side.
pub(super) struct Side<'a> {
    /// Which.
    heading: &'static str,
    what: &'a str,
    spot: Option<Spot<'a>>,
}

/// Where it was asked for.
struct Spot<'a> {
    /// `file:line:column`
    place: &'a str,
    line: &'a str,
    /// What stands there, and from which character on it is meant, from 1.
    text: Option<(&'a str, usize)>,
}

impl<'a> Side<'a> {
    /// `spot` is a place, and in a second line what stands there, if that is known.
    pub(super) fn new(heading: &'static str, what: &'a str, spot: Option<&'a str>) -> Self {
        Self {
            heading,
            what,
            spot: spot.map(Spot::read),
        }
    }
}

impl<'a> Spot<'a> {
    fn read(spot: &'a str) -> Self {
        let (place, text) = spot.split_once('\n').unwrap_or((spot, ""));
        let mut parts = place.rsplitn(3, ':');
        let column = parts.next().and_then(|column| column.parse().ok());
        let line = parts.next().unwrap_or_default();
        let is_known = !text.trim().is_empty();
        Self {
            place,
            line,
            text: column.filter(|_| is_known).map(|column| (text, column)),
        }
    }
}

/// Each side: what it is, where it is, and the line with a mark under the name that is meant.
pub(super) fn render(sides: &[Side<'_>]) -> String {
    let digits = sides
        .iter()
        .filter_map(|side| side.spot.as_ref())
        .filter(|spot| spot.text.is_some())
        .map(|spot| spot.line.len());
    let width = digits.max().unwrap_or(1);
    let margin = " ".repeat(width);
    let mut report = String::new();
    for Side {
        heading,
        what,
        spot,
    } in sides
    {
        add(&mut report, format_args!("\n  {heading} {what}"));
        let Some(Spot { place, line, text }) = spot else {
            continue;
        };
        add(&mut report, format_args!("\n  {margin}--> {place}"));
        if let Some((text, column)) = text {
            let mark = mark(text, *column);
            add(
                &mut report,
                format_args!("\n  {margin} |\n  {line:>width$} | {text}\n  {margin} | {mark}"),
            );
        }
    }
    report
}

/// What stands under the line: blanks, then a mark as wide as the name. A tab is a tab, so that both lines agree.
fn mark(text: &str, column: usize) -> String {
    let skipped = column.saturating_sub(1);
    let before = text.chars().take(skipped);
    let blanks = before.map(|character| if character == '\t' { '\t' } else { ' ' });
    let name = text.chars().skip(skipped);
    let name = name.take_while(|character| character.is_alphanumeric() || *character == '_');
    let width = name.count().max(1);
    blanks.chain(std::iter::repeat_n('^', width)).collect()
}
