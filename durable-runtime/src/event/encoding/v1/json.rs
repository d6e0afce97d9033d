//! Payloads as JSON: what is JSON in place, all else as text or as the digits of its bytes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::{Codec, Payload};

/// JSON that reads the same when it was written again: `{"json": {"order": 42}}`.
const JSON: &str = "json";
/// JSON that would not, as a number of 30 digits: `{"json_text": "123456789012345678901234567890"}`.
const JSON_TEXT: &str = "json_text";
/// Bytes that are called JSON and are no text, in hexadecimal.
const JSON_BYTES: &str = "json_bytes";
/// bincode, in hexadecimal.
const BINCODE: &str = "bincode";

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self.codec {
            Codec::Bincode => map.serialize_entry(BINCODE, &hexadecimal(&self.bytes))?,
            Codec::Json => match (exact(&self.bytes), std::str::from_utf8(&self.bytes)) {
                (Some(value), _) => map.serialize_entry(JSON, &value)?,
                (None, Ok(text)) => map.serialize_entry(JSON_TEXT, text)?,
                (None, Err(_)) => map.serialize_entry(JSON_BYTES, &hexadecimal(&self.bytes))?,
            },
        }
        map.end()
    }
}

/// The value of JSON that reads the same when it was written again.
fn exact(bytes: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let again: Value = serde_json::from_slice(&serde_json::to_vec(&value).ok()?).ok()?;
    (value == again && !has_vast_numbers(&value)).then_some(value)
}

/// Whether an integer in it may have been too large to be kept exactly.
fn has_vast_numbers(value: &Value) -> bool {
    /// Beyond it every integer is read as a floating-point number.
    const INTEGERS_END: f64 = 9_223_372_036_854_775_807.0;
    match value {
        Value::Number(number) if number.is_f64() => {
            number.as_f64().is_none_or(|n| n.abs() >= INTEGERS_END)
        }
        Value::Array(items) => items.iter().any(has_vast_numbers),
        Value::Object(members) => members.values().any(has_vast_numbers),
        _ => false,
    }
}

impl<'de> Deserialize<'de> for Payload<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_map(Written)
            .map(|(codec, bytes)| Self {
                codec,
                bytes: Cow::Owned(bytes),
            })
    }
}

/// Reads the one member that says what the payload is.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = (Codec, Vec<u8>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a payload: an object with one of `{JSON}`, `{JSON_TEXT}`, `{JSON_BYTES}`, `{BINCODE}`"
        )
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let Some(kind) = map.next_key::<String>()? else {
            return Err(de::Error::invalid_length(0, &self));
        };
        let payload = match &*kind {
            JSON => {
                let value: Value = map.next_value()?;
                (
                    Codec::Json,
                    serde_json::to_vec(&value).map_err(de::Error::custom)?,
                )
            }
            JSON_TEXT => (Codec::Json, map.next_value::<String>()?.into_bytes()),
            JSON_BYTES => (Codec::Json, bytes(&map.next_value::<String>()?)?),
            BINCODE => (Codec::Bincode, bytes(&map.next_value::<String>()?)?),
            _ => return Err(de::Error::invalid_value(de::Unexpected::Str(&kind), &self)),
        };
        match map.next_key::<String>()? {
            None => Ok(payload),
            Some(_) => Err(de::Error::invalid_length(2, &self)),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

fn bytes<E: de::Error>(text: &str) -> Result<Vec<u8>, E> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let pairs = digits.filter(|digits| digits.len() % 2 == 0);
    let pairs = pairs.ok_or_else(|| E::custom("expected pairs of hexadecimal digits"))?;
    let byte = |pair: &[u8]| pair.iter().fold(0, |byte, digit| (byte << 4) | digit);
    Ok(pairs.chunks(2).map(byte).collect())
}

/// The ids of traces and spans, in as many hexadecimal digits as everybody writes them with.
pub(super) mod digits {
    use std::fmt::LowerHex;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(in super::super) fn serialize<T: LowerHex, S: Serializer>(
        id: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let width = 2 * size_of::<T>();
        serializer.collect_str(&format_args!("{id:0width$x}"))
    }

    pub(in super::super) fn deserialize<'de, T: TryFrom<u128>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = u128::from_str_radix(&text, 16).ok();
        let id = number.and_then(|number| T::try_from(number).ok());
        id.ok_or_else(|| D::Error::custom("expected the hexadecimal digits of an id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload;

    fn there_and_back(codec: payload::Codec, bytes: &[u8]) -> (String, payload::Payload) {
        let payload = payload::Payload::from_parts(codec, bytes);
        let text = serde_json::to_string(&Payload::from(&payload)).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let read = Payload::deserialize(&value).unwrap();
        (text, read.into())
    }

    #[test]
    fn json_stands_in_place_unless_that_would_change_it() {
        for (written, expected) in [
            ("\"box\"", r#"{"json":"box"}"#),
            (
                r#"{"a":[1,-2,0.1,null]}"#,
                r#"{"json":{"a":[1,-2,0.1,null]}}"#,
            ),
            ("18446744073709551615", r#"{"json":18446744073709551615}"#),
            (
                "18446744073709551616",
                r#"{"json_text":"18446744073709551616"}"#,
            ),
            ("[1e400]", r#"{"json_text":"[1e400]"}"#),
            ("no json", r#"{"json_text":"no json"}"#),
        ] {
            let (text, read) = there_and_back(payload::Codec::Json, written.as_bytes());
            assert_eq!(text, expected);
            assert_eq!(read.bytes(), written.as_bytes());
            assert_eq!(read.codec(), payload::Codec::Json);
        }
        // Only the order of members and the space between them may change.
        let (_, read) = there_and_back(payload::Codec::Json, br#"{ "b": 1, "a": 2 }"#);
        assert_eq!(read.bytes(), br#"{"a":2,"b":1}"#);
    }

    #[test]
    fn bytes_are_written_as_digits() {
        let (text, read) = there_and_back(payload::Codec::Bincode, &[0, 255, 7]);
        assert_eq!(text, r#"{"bincode":"00ff07"}"#);
        assert_eq!(
            (read.codec(), read.bytes()),
            (payload::Codec::Bincode, &[0, 255, 7][..])
        );
        let (text, read) = there_and_back(payload::Codec::Json, &[0xff]);
        assert_eq!(text, r#"{"json_bytes":"ff"}"#);
        assert_eq!(read.bytes(), [0xff]);
    }

    #[test]
    fn what_is_no_payload_is_refused() {
        for text in [
            "{}",
            r#"{"yaml": 1}"#,
            r#"{"bincode": "0"}"#,
            r#"{"bincode": "0x"}"#,
            r#"{"json": 1, "b": 2}"#,
            "7",
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert!(Payload::deserialize(&value).is_err(), "{text}");
        }
    }
}
