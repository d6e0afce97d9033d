//! Inputs and outputs as bytes, with the codec that made them.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How a [`Payload`] is encoded.
///
/// JSON is the default: readable in tools, tolerant of added fields, common to all languages. `bincode` is smaller
/// and faster, but not self-describing: a changed type cannot read what an older one wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// JSON text.
    #[default]
    Json,
    /// bincode 2 in serde mode, standard configuration.
    Bincode,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Bincode => "bincode",
        })
    }
}

/// A recorded value: bytes and the codec that reads them. Cheap to clone.
///
/// At most 2 MiB can be recorded; see `docs/design.md`, "Limits".
///
/// # Examples
///
/// ```
/// use durable_runtime::Payload;
///
/// let payload = Payload::json(&("teapot", 42))?;
/// assert_eq!(payload.bytes(), br#"["teapot",42]"#);
/// let (item, cents): (String, u32) = payload.decode()?;
/// assert_eq!((item.as_str(), cents), ("teapot", 42));
///
/// let error = payload.decode::<u32>().unwrap_err();
/// assert!(error.to_string().contains("u32"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    codec: Codec,
    bytes: Arc<[u8]>,
}

impl Payload {
    /// Encodes `value`.
    ///
    /// # Errors
    /// [`EncodeError`] if the value's `Serialize` refuses, as a JSON map with keys that are not text does.
    pub fn encode<T: Serialize>(codec: Codec, value: &T) -> Result<Self, EncodeError> {
        match codec {
            Codec::Json => Self::json(value),
            Codec::Bincode => Self::bincode(value),
        }
    }

    /// Encodes `value` as JSON.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn json<T: Serialize>(value: &T) -> Result<Self, EncodeError> {
        let mut bytes = Vec::with_capacity(128);
        let written = value.serialize(&mut serde_json::Serializer::new(&mut bytes));
        let written = match written {
            Ok(()) => Ok(bytes),
            Err(error) => Err(Reason::Json(error)),
        };
        Self::written(Codec::Json, written, std::any::type_name::<T>())
    }

    /// Encodes `value` as bincode.
    pub(crate) fn bincode<T: Serialize>(value: &T) -> Result<Self, EncodeError> {
        let written = bincode::serde::encode_to_vec(value, bincode::config::standard());
        let written = match written {
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(Reason::Encode(error)),
        };
        Self::written(Codec::Bincode, written, std::any::type_name::<T>())
    }

    /// Compiled once, not for each type.
    fn written(
        codec: Codec,
        written: Result<Vec<u8>, Reason>,
        type_name: &'static str,
    ) -> Result<Self, EncodeError> {
        match written {
            Ok(bytes) => Ok(Self {
                codec,
                bytes: bytes.into(),
            }),
            Err(reason) => Err(EncodeError {
                codec,
                type_name,
                reason: reason.to_string(),
            }),
        }
    }

    /// Decodes the value.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are no `T`: usually the type changed since they were written.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        let reason = match self.codec {
            Codec::Json => {
                let mut json = serde_json::Deserializer::from_slice(&self.bytes);
                match T::deserialize(&mut json) {
                    Ok(value) => match json.end() {
                        Ok(()) => return Ok(value),
                        Err(error) => Reason::Json(error),
                    },
                    Err(error) => Reason::Json(error),
                }
            }
            Codec::Bincode => {
                let config = bincode::config::standard();
                match bincode::serde::decode_from_slice(&self.bytes, config) {
                    Ok((value, read)) if read == self.bytes.len() => return Ok(value),
                    Ok((_, read)) => Reason::Rest(read, self.bytes.len()),
                    Err(error) => Reason::Decode(error),
                }
            }
        };
        Err(self.unreadable(&reason, std::any::type_name::<T>()))
    }

    fn unreadable(&self, reason: &Reason, type_name: &'static str) -> DecodeError {
        DecodeError {
            codec: self.codec,
            type_name,
            reason: reason.to_string(),
        }
    }

    /// Whether both hold the same value: equal bytes, or JSON that differs in spacing and order of members only.
    pub(crate) fn means_the_same(&self, other: &Self) -> bool {
        if self.codec != other.codec || self.bytes == other.bytes {
            return self.codec == other.codec;
        }
        let json =
            |payload: &Self| serde_json::from_slice::<serde_json::Value>(&payload.bytes).ok();
        self.codec == Codec::Json && json(self).is_some_and(|value| Some(value) == json(other))
    }

    /// A payload from parts that were encoded elsewhere.
    pub fn from_parts(codec: Codec, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self {
            codec,
            bytes: bytes.into(),
        }
    }

    /// The codec.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The encoded bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a value could not be written or read.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("{0}")]
    Json(serde_json::Error),
    #[error("{0}")]
    Encode(bincode::error::EncodeError),
    #[error("{0}")]
    Decode(bincode::error::DecodeError),
    #[error("{0} of {1} bytes were read")]
    Rest(usize, usize),
}

impl fmt::Debug for Payload {
    /// Shows JSON as text, cut after 200 characters; other codecs as their length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.codec, std::str::from_utf8(&self.bytes)) {
            (Codec::Json, Ok(text)) if text.len() <= 200 => f.write_str(text),
            _ => write!(f, "{} bytes of {}", self.bytes.len(), self.codec),
        }
    }
}

/// A value that could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a `{type_name}` cannot be written as {codec}: {reason}")]
pub struct EncodeError {
    codec: Codec,
    type_name: &'static str,
    reason: String,
}

/// Bytes that are not what the reader asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the recorded {codec} is no `{type_name}`: {reason}")]
pub struct DecodeError {
    codec: Codec,
    type_name: &'static str,
    reason: String,
}

impl DecodeError {
    /// A recorded outcome of another shape than the reader's type can hold.
    pub(crate) fn shape<T>(codec: Codec, reason: impl Into<String>) -> Self {
        Self {
            codec,
            type_name: std::any::type_name::<T>(),
            reason: reason.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_codecs_return_what_was_written() {
        for codec in [Codec::Json, Codec::Bincode] {
            let payload = Payload::encode(codec, &("sku", 7u8)).unwrap();
            assert_eq!(
                payload.decode::<(String, u8)>().unwrap(),
                ("sku".to_owned(), 7)
            );
        }
    }

    #[test]
    fn a_wrong_type_is_an_error_that_names_it() {
        let payload = Payload::json(&"text").unwrap();
        let error = payload.decode::<u64>().unwrap_err().to_string();
        assert!(
            error.starts_with("the recorded json is no `u64`: "),
            "{error}"
        );
        let long = Payload::encode(Codec::Bincode, &(1u8, 2u8)).unwrap();
        assert!(
            long.decode::<u8>()
                .unwrap_err()
                .to_string()
                .contains("1 of 2 bytes")
        );
    }
}
