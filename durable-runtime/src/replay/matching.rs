//! Whether what the code asks for is what is recorded.
//!
//! Source: `docs/design.md`, "Replay and matching".

use serde_json::Value;

use crate::event::{ActivityScheduled, ChildScheduled, DetachedScheduled, EventSent, HistoryEvent};
use crate::payload::{Codec, Payload};

mod twin;

pub(super) use twin::{same_end, same_end_in_order, twin_difference};

/// Of a value that is the same but for the order of what is in it.
pub(super) const ANOTHER_ORDER: &str = "with the same elements in another order, as those of a `HashSet`; record a `BTreeSet` or a \
                             `durable_runtime::HashSet`";

/// What tells a requested command from the recorded one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// They are different things.
    Other,
    /// The same thing with another input; for JSON, the place in it.
    Input(Option<String>),
    /// The same thing with the same input, but that an array in it has another order.
    Order,
    /// The same thing, asked for at another place.
    Place,
    /// The same thing, with another due time, policy, time-out or id.
    Detail,
}

/// Compares a requested command with the recorded one; `None` if it matches.
///
/// What may change without harm (a due time, a policy, a time-out, a child's id, the source site) is not compared: the
/// recorded one stays in force.
pub(super) fn difference(recorded: &HistoryEvent, requested: &HistoryEvent) -> Option<Difference> {
    use HistoryEvent as E;
    match (recorded, requested) {
        (E::ActivityScheduled(old), E::ActivityScheduled(new)) => activity(old, new),
        (E::ChildScheduled(old), E::ChildScheduled(new)) => child(old, new),
        (E::TimerCreated(old), E::TimerCreated(new)) if old.purpose == new.purpose => None,
        (E::MarkerRecorded(_), E::MarkerRecorded(_)) => None,
        (E::DetachedScheduled(old), E::DetachedScheduled(new)) => detached(old, new),
        (E::DetachedAwaited(old), E::DetachedAwaited(new)) if old.instance == new.instance => None,
        (E::EventSent(old), E::EventSent(new)) => sent(old, new),
        (E::ChangeRecorded(old), E::ChangeRecorded(new)) if old.change == new.change => None,
        _ => Some(Difference::Other),
    }
}

fn activity(old: &ActivityScheduled, new: &ActivityScheduled) -> Option<Difference> {
    if (&old.name, old.call, old.attempt) != (&new.name, new.call, new.attempt) {
        return Some(Difference::Other);
    }
    input(&old.input, &new.input)
}

fn child(old: &ChildScheduled, new: &ChildScheduled) -> Option<Difference> {
    let identity = |command: &ChildScheduled| (command.call, command.attempt);
    if old.name != new.name || old.version != new.version || identity(old) != identity(new) {
        return Some(Difference::Other);
    }
    input(&old.input, &new.input)
}

fn detached(old: &DetachedScheduled, new: &DetachedScheduled) -> Option<Difference> {
    if (&old.name, &old.version) != (&new.name, &new.version) {
        return Some(Difference::Other);
    }
    input(&old.input, &new.input)
}

fn sent(old: &EventSent, new: &EventSent) -> Option<Difference> {
    if old.instance != new.instance || !old.name.eq_ignore_ascii_case(&new.name) {
        return Some(Difference::Other);
    }
    input(&old.payload, &new.payload)
}

/// Compares inputs: equal bytes pass; else JSON is compared by structure.
fn input(recorded: &Payload, requested: &Payload) -> Option<Difference> {
    if recorded == requested {
        return None;
    }
    if (recorded.codec(), requested.codec()) != (Codec::Json, Codec::Json) {
        return Some(Difference::Input(None));
    }
    let (Ok(old), Ok(new)) = (recorded.decode::<Value>(), requested.decode::<Value>()) else {
        return Some(Difference::Input(None));
    };
    let mut path = String::new();
    if covers(&old, &new, &mut path) {
        None
    } else if in_order(old) == in_order(new) {
        Some(Difference::Order)
    } else {
        Some(Difference::Input(Some(path)))
    }
}

/// The value with its arrays in one order, whatever that is.
fn in_order(value: Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.into_iter().map(in_order).collect();
            values.sort_by_cached_key(Value::to_string);
            Value::Array(values)
        }
        Value::Object(members) => {
            let members = members.into_iter().map(|(key, it)| (key, in_order(it)));
            Value::Object(members.collect())
        }
        plain => plain,
    }
}

/// Whether `new` holds all that `old` holds; members that `old` lacks are ignored. If not, `path` is where.
fn covers(old: &Value, new: &Value, path: &mut String) -> bool {
    let length = path.len();
    let mut at = |key: &str, old: &Value, new: &Value| {
        path.push('/');
        path.push_str(key);
        let covered = covers(old, new, path);
        if covered {
            path.truncate(length);
        }
        covered
    };
    match (old, new) {
        // A member that was recorded as `null` may be left out.
        (Value::Object(old), Value::Object(new)) => old
            .iter()
            .all(|(key, old)| at(key, old, new.get(key).unwrap_or(&Value::Null))),
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => old
            .iter()
            .zip(new)
            .enumerate()
            .all(|(index, (old, new))| at(&index.to_string(), old, new)),
        _ => old == new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(old: &str, new: &str) -> Option<Difference> {
        let payload = |text: &str| Payload::from_parts(Codec::Json, text.as_bytes());
        input(&payload(old), &payload(new))
    }

    #[test]
    fn added_members_pass_and_order_does_not_matter() {
        assert_eq!(compare(r#"{"a":1,"b":2}"#, r#"{"b":2,"c":[],"a":1}"#), None);
        assert_eq!(compare(r#"[{"a":1}]"#, r#"[{"a":1,"b":2}]"#), None);
        assert_eq!(compare(r#"{"a":null}"#, "{}"), None);
    }

    #[test]
    fn a_changed_missing_or_longer_value_is_named_by_its_path() {
        for (old, new, path) in [
            (r#"{"a":{"b":[1,2]}}"#, r#"{"a":{"b":[1,3]}}"#, "/a/b/1"),
            (r#"{"x":0,"a":1}"#, r#"{"x":0}"#, "/a"),
            (r#"{"a":[1]}"#, r#"{"a":[1,2]}"#, "/a"),
            (r#"{"a":null}"#, r#"{"a":1}"#, "/a"),
            ("1", "2", ""),
        ] {
            let expected = Some(Difference::Input(Some(path.to_owned())));
            assert_eq!(compare(old, new), expected, "{old} {new}");
        }
    }

    #[test]
    fn a_set_in_another_order_is_told_from_another_set() {
        let order = Some(Difference::Order);
        assert_eq!(compare(r#"{"s":[1,2,3]}"#, r#"{"s":[3,1,2]}"#), order);
        assert_eq!(compare("[[1,2],[3]]", "[[3],[2,1]]"), order);
        let other = Some(Difference::Input(Some("/0".to_owned())));
        assert_eq!(compare("[1,2]", "[2,2]"), other);
    }

    #[test]
    fn an_attempt_is_no_first_call_of_the_same_name() {
        use crate::id::{EventId, SiteId};
        let command = |call, attempt| {
            HistoryEvent::ActivityScheduled(ActivityScheduled {
                id: EventId(4),
                site: SiteId(0),
                call: EventId(call),
                attempt,
                name: "charge".into(),
                input: Payload::json(&1).unwrap(),
                attempt_timeout: None,
                heartbeats: None,
                retry: None,
            })
        };
        let recorded = command(0, 2);
        assert_eq!(difference(&recorded, &command(0, 2)), None);
        for other in [command(4, 1), command(1, 2), command(0, 3)] {
            assert_eq!(difference(&recorded, &other), Some(Difference::Other));
        }
    }

    #[test]
    fn bincode_needs_equal_bytes() {
        let payload = |n: u8| Payload::encode(Codec::Bincode, &n).unwrap();
        assert_eq!(input(&payload(1), &payload(1)), None);
        assert_eq!(
            input(&payload(1), &payload(2)),
            Some(Difference::Input(None))
        );
    }
}
