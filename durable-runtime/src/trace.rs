//! W3C trace context: which trace an instance belongs to, and under which span.
//!
//! A [`TraceContext`] is what the headers `traceparent` and `tracestate` say. The engine takes one in with a start, keeps it
//! with the execution, and hands one out to whatever the execution causes. `lineage` derives the spans in between.
//!
//! Source: <https://www.w3.org/TR/trace-context/>; `docs/design.md`, "Traces".

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits;

mod lineage;

pub(crate) use self::lineage::Lineage;

/// The trace that something belongs to, and the span that it was caused by.
///
/// Given to a start ([`StartRequest::trace_context`](crate::StartRequest::trace_context)), it is recorded with the instance; an
/// activity asks with [`activity::trace_context`](crate::activity::trace_context) for the one to pass on to what it calls.
/// Displayed, it is a `traceparent` header; [`tracestate`](Self::tracestate) is carried along untouched.
///
/// # Examples
///
/// ```
/// use durable_runtime::TraceContext;
///
/// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let context: TraceContext = parent.parse()?;
/// let context = context.with_state("vendor=opaque")?;
/// assert_eq!(context.trace_id(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
/// assert!(context.is_sampled());
/// assert_eq!(context.to_string(), parent);
/// assert_eq!(context.tracestate(), Some("vendor=opaque"));
///
/// let error = "00-4bf92f35-00f067aa0ba902b7-01".parse::<TraceContext>().unwrap_err();
/// assert!(error.to_string().contains("32 hexadecimal digits"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Source: <https://www.w3.org/TR/trace-context/>.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
    state: Option<Arc<str>>,
}

/// The one flag that version 00 knows: whoever caused this keeps its spans.
const SAMPLED: u8 = 1;

impl TraceContext {
    /// The context of a span of that trace.
    pub(crate) fn from_parts(trace: u128, span: u64, flags: u8, state: Option<&str>) -> Self {
        Self {
            trace,
            span,
            flags,
            state: state.map(Arc::from),
        }
    }

    /// The same with this `tracestate` header, which is passed on as it is.
    ///
    /// # Errors
    /// [`InvalidTraceContext`] if it is no list of at most 32 members `key=value` in at most 8 KiB.
    pub fn with_state(mut self, tracestate: &str) -> Result<Self, InvalidTraceContext> {
        check_state(tracestate)
            .map_err(|rule| InvalidTraceContext::new("tracestate", tracestate, rule))?;
        self.state = Some(tracestate.into());
        Ok(self)
    }

    /// The trace, as a number; never 0.
    pub fn trace_id(&self) -> u128 {
        self.trace
    }

    /// The span, as a number; never 0.
    pub fn span_id(&self) -> u64 {
        self.span
    }

    /// All eight flags; of these only [`is_sampled`](Self::is_sampled) has a meaning here.
    pub fn flags(&self) -> u8 {
        self.flags
    }

    /// Whether the caller keeps its spans of this trace.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The `traceparent` header: `00-<trace>-<span>-<flags>`, in lower case.
    pub fn traceparent(&self) -> String {
        self.to_string()
    }

    /// The `tracestate` header, if there is one.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Another span of the same trace.
    fn at(&self, span: u64) -> Self {
        Self {
            span,
            ..self.clone()
        }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace, span, flags, ..
        } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceContext;

    /// Reads a `traceparent` header, without a state. Of a later version than 00 the four fields that are known are read.
    fn from_str(traceparent: &str) -> Result<Self, InvalidTraceContext> {
        read_parent(traceparent)
            .map_err(|rule| InvalidTraceContext::new("traceparent", traceparent, rule))
    }
}

fn read_parent(text: &str) -> Result<TraceContext, &'static str> {
    let mut fields = text.split('-');
    let mut field = |digits: usize, rule| {
        let field = fields.next().unwrap_or_default();
        let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        let is_right = field.len() == digits && field.bytes().all(is_hex);
        let number = u128::from_str_radix(field, 16).ok();
        number.filter(|_| is_right).ok_or(rule)
    };
    let version = field(2, "its version must be 2 hexadecimal digits in lower case")?;
    let trace = field(
        32,
        "its trace id must be 32 hexadecimal digits in lower case",
    )?;
    let span = field(
        16,
        "its parent id must be 16 hexadecimal digits in lower case",
    )?;
    let flags = field(2, "its flags must be 2 hexadecimal digits in lower case")?;
    if version == 0xff {
        return Err("version ff is forbidden");
    }
    if version == 0 && fields.next().is_some() {
        return Err("version 00 has four fields");
    }
    if trace == 0 || span == 0 {
        return Err("neither its trace id nor its parent id may be all zeros");
    }
    Ok(TraceContext {
        trace,
        span: u64::try_from(span).unwrap_or_default(),
        flags: u8::try_from(flags).unwrap_or_default(),
        state: None,
    })
}

fn check_state(text: &str) -> Result<(), &'static str> {
    const MEMBERS_MAX: usize = 32;
    if text.len() > limits::TRACE_STATE_BYTES_MAX {
        return Err("it is longer than 8 KiB");
    }
    let members = text
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']));
    let mut keys: Vec<&str> = Vec::new();
    for member in members.filter(|member| !member.is_empty()) {
        let (key, value) = member
            .split_once('=')
            .ok_or("each of its members must be `key=value`")?;
        if !is_key(key) {
            return Err(
                "a key must begin with a lower-case letter or a digit, and hold only these and `_-*/@`",
            );
        }
        if value.is_empty()
            || !value
                .bytes()
                .all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'=')
        {
            return Err("a value must be printable ASCII without `,` and `=`");
        }
        if keys.contains(&key) {
            return Err("a key may stand in it once");
        }
        keys.push(key);
    }
    if keys.len() > MEMBERS_MAX {
        return Err("it may have 32 members");
    }
    Ok(())
}

fn is_key(key: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_later = |byte: u8| is_first(byte) || b"_-*/@".contains(&byte);
    key.bytes().next().is_some_and(is_first) && key.bytes().all(is_later)
}

/// Text that is no trace context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` cannot be a `{header}`: {rule}")]
pub struct InvalidTraceContext {
    header: &'static str,
    text: String,
    rule: &'static str,
}

impl InvalidTraceContext {
    fn new(header: &'static str, text: &str, rule: &'static str) -> Self {
        Self {
            header,
            text: text.chars().take(120).collect(),
            rule,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn refused(text: &str) -> String {
        text.parse::<TraceContext>().unwrap_err().to_string()
    }

    #[test]
    fn a_parent_is_read_and_written_as_it_is() {
        let context: TraceContext = PARENT.parse().unwrap();
        assert_eq!(context.span_id(), 0x00f0_67aa_0ba9_02b7);
        assert_eq!(context.traceparent(), PARENT);
        let unsampled: TraceContext = PARENT.replace("-01", "-00").parse().unwrap();
        assert!(context.is_sampled() && !unsampled.is_sampled());
    }

    #[test]
    fn a_later_version_may_say_more_and_is_passed_on_as_what_we_know() {
        let later = PARENT.replacen("00", "cc", 1) + "-what-comes";
        assert_eq!(later.parse::<TraceContext>().unwrap().to_string(), PARENT);
    }

    #[test]
    fn a_wrong_parent_is_refused_with_the_rule_that_it_breaks() {
        assert!(refused("").contains("version"));
        assert!(refused(&PARENT.to_uppercase()).contains("lower case"));
        assert!(refused(&PARENT.replacen("00", "ff", 1)).contains("forbidden"));
        assert!(refused(&format!("{PARENT}-00")).contains("four fields"));
        assert!(refused(&PARENT.replace("00f067aa0ba902b7", "0000000000000000")).contains("zeros"));
        assert!(refused(&PARENT.replace("4bf9", "+bf9")).contains("32 hexadecimal"));
        assert!(refused(&PARENT[..53]).contains("flags"));
    }

    #[test]
    fn a_state_is_kept_untouched_if_it_is_one() {
        let context: TraceContext = PARENT.parse().unwrap();
        let state = "rojo=00f0 67aa,,\tcongo@at/x=t61rcWkgMzE , 1a_b-c*=!";
        let kept = context.clone().with_state(state).unwrap();
        assert_eq!(kept.tracestate(), Some(state));
        let wrong = |state: &str| context.clone().with_state(state).unwrap_err().to_string();
        assert!(wrong("rojo").contains("key=value"));
        assert!(wrong("Rojo=1").contains("lower-case"));
        assert!(wrong("a=").contains("printable"));
        assert!(wrong("a=b=c").contains("printable"));
        assert!(wrong("a=1,a=2").contains("once"));
        let of = |members: u32| {
            let members = (0..members).map(|n| format!("k{n}=1"));
            members.collect::<Vec<_>>().join(",")
        };
        assert!(context.clone().with_state(&of(32)).is_ok());
        assert!(wrong(&of(33)).contains("32 members"));
        let long = |bytes: usize| format!("a={}", "x".repeat(bytes - 2));
        let most = limits::TRACE_STATE_BYTES_MAX;
        assert!(context.clone().with_state(&long(most)).is_ok());
        assert!(wrong(&long(most + 1)).contains("8 KiB"));
    }
}
