//! Durations as attributes write them: a whole number and a unit.

const UNITS: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Words that people write where a unit belongs.
const WORDS: &[(&str, &str)] = &[
    ("msec", "ms"),
    ("milli", "ms"),
    ("sec", "s"),
    ("min", "m"),
    ("hour", "h"),
    ("hr", "h"),
    ("day", "d"),
];

/// The milliseconds in `text`, more than none.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let millis = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .and_then(|(_, millis)| number.parse::<u64>().ok()?.checked_mul(*millis));
    match millis {
        Some(0) => Err(format!(
            "`{text}` is no time at all\nhelp: a duration is longer than zero"
        )),
        Some(millis) => Ok(millis),
        None => Err(format!(
            "`{text}` is no duration\nhelp: {}",
            suggestion(text)
        )),
    }
}

fn split(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn suggestion(text: &str) -> String {
    let (number, rest) = split(text.trim());
    let word = rest.trim().to_ascii_lowercase();
    let unit = UNITS
        .iter()
        .map(|(unit, _)| (*unit, *unit))
        .filter(|(unit, _)| *unit == word)
        .chain(
            WORDS
                .iter()
                .copied()
                .filter(|(start, _)| word.starts_with(start)),
        )
        .map(|(_, unit)| unit)
        .next();
    match (number, unit) {
        ("", _) | (_, None) => {
            "write a whole number and a unit: \"250ms\", \"30s\", \"5m\", \"2h\", \"1d\"".to_owned()
        }
        (number, Some(unit)) => format!("write \"{number}{unit}\""),
    }
}
