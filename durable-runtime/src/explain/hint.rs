//! Names that are nearly the same: the commonest reason why an event is not taken.

/// The candidate that `name` was most likely meant to be, if any is close enough to be a slip.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name = plain(name);
    let distances = candidates.into_iter().filter_map(|candidate| {
        let other = plain(candidate);
        let distance = distance(&name, &other);
        // A slip for each four characters: any short name is like any other.
        let most = name.len().max(other.len()) / 4;
        (distance <= most).then_some((distance, candidate))
    });
    distances.min().map(|(_, candidate)| candidate)
}

/// A name without what people are in doubt about: case and how words are joined.
fn plain(name: &str) -> Vec<char> {
    let joins = ['-', '_', '.', ' ', ':'];
    let name = name.chars().filter(|character| !joins.contains(character));
    name.flat_map(char::to_lowercase).collect()
}

/// How many characters are to be added, dropped, replaced or swapped with their neighbours.
fn distance(one: &[char], other: &[char]) -> usize {
    let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
    // A row of the table follows from the one before, and with swaps from the one before that.
    let mut second: Vec<usize> = Vec::new();
    let mut first: Vec<usize> = (0..=other.len()).collect();
    let mut above = None;
    for (row, &a) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        let mut left = None;
        for (column, &b) in other.iter().enumerate() {
            let replaced = at(&first, column) + usize::from(a != b);
            let dropped = at(&first, column + 1) + 1;
            let added = at(&next, column) + 1;
            let is_swap = above == Some(b) && left == Some(a);
            let before = column.checked_sub(1).filter(|_| is_swap);
            let swapped = before.map_or(usize::MAX, |before| at(&second, before) + 1);
            next.push(replaced.min(dropped).min(added).min(swapped));
            left = Some(b);
        }
        second = std::mem::replace(&mut first, next);
        above = Some(a);
    }
    first.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn distances_count_slips() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("approval", "approval", 0),
            ("approval", "aproval", 1),
            ("approval", "apporval", 1),
            ("approval", "approved", 2),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
        ] {
            assert_eq!(
                distance(&chars(one), &chars(other)),
                expected,
                "{one} {other}"
            );
            assert_eq!(
                distance(&chars(other), &chars(one)),
                expected,
                "{other} {one}"
            );
        }
    }

    #[test]
    fn the_nearest_name_is_found_and_no_far_one() {
        let nearest = |name, candidates: &[&'static str]| nearest(name, candidates.iter().copied());
        assert_eq!(nearest("approval", &["cancel", "aproval"]), Some("aproval"));
        assert_eq!(nearest("order-paid", &["order_paid"]), Some("order_paid"));
        assert_eq!(nearest("paid", &["sent"]), None);
        assert_eq!(nearest("go", &["no", "G-O"]), Some("G-O"));
        assert_eq!(nearest("approval", &[]), None);
    }
}
