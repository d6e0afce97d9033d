//! Which spans an execution has, derived and not recorded: a replay, a restart and another process make the same ones.
//!
//! An execution has a span of its own. Each of its commands has one below that, and what the command causes lies below the
//! command's: an attempt of an activity, a child, an instance that was started detached.

use super::{SAMPLED, TraceContext};
use crate::id::{EventId, ExecutionId, InstanceId, InstanceKey, StoreId};

/// What the spans of one execution are derived from.
#[derive(Debug, Clone)]
pub(crate) struct Lineage {
    store: StoreId,
    key: InstanceKey,
    execution: ExecutionId,
    given: Option<TraceContext>,
}

/// What a span is that of.
#[derive(Clone, Copy)]
enum Of {
    Execution,
    Command(EventId),
    Attempt(EventId, u32),
}

impl Lineage {
    /// The spans of an execution that was recorded in the trace context `given`.
    pub(crate) fn new(
        store: StoreId,
        key: InstanceKey,
        execution: ExecutionId,
        given: Option<TraceContext>,
    ) -> Self {
        Self {
            store,
            key,
            execution,
            given,
        }
    }

    /// The context that the execution was recorded in.
    pub(crate) fn given(&self) -> Option<&TraceContext> {
        self.given.as_ref()
    }

    /// The context of the execution's own span.
    pub(crate) fn own(&self) -> TraceContext {
        self.context(Of::Execution)
    }

    /// The context of the span of one of its commands.
    pub(crate) fn command(&self, id: EventId) -> TraceContext {
        self.context(Of::Command(id))
    }

    /// The context of one delivery of an attempt of an activity.
    pub(crate) fn attempt(&self, id: EventId, delivery: u32) -> TraceContext {
        self.context(Of::Attempt(id, delivery))
    }

    /// The span that the execution's own lies in; `None` if a trace begins with it.
    pub(crate) fn parent(&self, instance: &InstanceId) -> Option<u64> {
        match &self.given {
            Some(given) => Some(given.span).filter(|span| *span != self.span(Of::Execution)),
            None => Some(creation(self.store, instance, 0)),
        }
    }

    /// The context of the span in which a client created the instance, if one did.
    pub(crate) fn creation(&self, instance: &InstanceId) -> TraceContext {
        let own = self.own();
        (self.parent(instance)).map_or(own.clone(), |span| own.at(span))
    }

    /// The context in which the next execution begins a trace of its own: that of its own span, which lies in no other.
    pub(crate) fn begun_anew(&self) -> TraceContext {
        let next = Self {
            execution: self.execution.next(),
            given: None,
            ..self.clone()
        };
        TraceContext {
            trace: next.made(next.execution.0),
            span: next.span(Of::Execution),
            flags: self.given.as_ref().map_or(SAMPLED, |given| given.flags),
            state: None,
        }
    }

    fn context(&self, of: Of) -> TraceContext {
        let span = self.span(of);
        match &self.given {
            Some(given) => given.at(span),
            None => TraceContext {
                trace: self.made(0),
                span,
                flags: SAMPLED,
                state: None,
            },
        }
    }

    /// The id of a trace that began here: 0 for that of the whole instance, else that of an execution.
    fn made(&self, execution: u32) -> u128 {
        let mut seed = Seed::new(self.store);
        seed.put(&self.key.0.to_le_bytes());
        seed.put(&execution.to_le_bytes());
        xxhash_rust::xxh3::xxh3_128(&seed.bytes).max(1)
    }

    fn span(&self, of: Of) -> u64 {
        let (kind, number, delivery) = match of {
            Of::Execution => (1u8, 0, 0),
            Of::Command(id) => (2, id.0, 0),
            Of::Attempt(id, delivery) => (3, id.0, delivery),
        };
        let mut seed = Seed::new(self.store);
        seed.put(&self.key.0.to_le_bytes());
        seed.put(&self.execution.0.to_le_bytes());
        seed.put(&number.to_le_bytes());
        seed.put(&delivery.to_le_bytes());
        seed.put(&[kind]);
        xxhash_rust::xxh3::xxh3_64(&seed.bytes).max(1)
    }
}

impl TraceContext {
    /// The context of the span in which a client started an instance, which lies in this one.
    pub(crate) fn of_creation(&self, store: StoreId, instance: &InstanceId) -> Self {
        // Who starts an id again in the same trace does so in another span.
        self.at(creation(store, instance, self.span))
    }

    /// The context of a span of the same trace that nothing is derived from.
    pub(crate) fn beside(&self, chance: u128) -> Self {
        let span = u64::try_from(chance >> 64).unwrap_or_default().max(1);
        self.at(span)
    }
}

/// The span in which a client started that instance, out of the span `from`: known before the instance has a key.
fn creation(store: StoreId, instance: &InstanceId, from: u64) -> u64 {
    let seed = u64::from_le_bytes(first_half(store)) ^ from;
    xxhash_rust::xxh3::xxh3_64_with_seed(instance.as_str().as_bytes(), seed).max(1)
}

fn first_half(store: StoreId) -> [u8; 8] {
    let mut half = [0; 8];
    half.iter_mut()
        .zip(store.0.to_le_bytes())
        .for_each(|(half, byte)| *half = byte);
    half
}

/// Bytes to hash, of a fixed length.
struct Seed {
    bytes: [u8; 48],
    filled: usize,
}

impl Seed {
    fn new(store: StoreId) -> Self {
        let mut seed = Self {
            bytes: [0; 48],
            filled: 0,
        };
        seed.put(&store.0.to_le_bytes());
        seed
    }

    fn put(&mut self, part: &[u8]) {
        let rest = self.bytes.iter_mut().skip(self.filled);
        rest.zip(part).for_each(|(byte, part)| *byte = *part);
        self.filled += part.len();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn lineage(key: u64, execution: u32, given: Option<TraceContext>) -> Lineage {
        let execution = ExecutionId(execution);
        Lineage::new(StoreId(7), InstanceKey(key), execution, given)
    }

    fn given() -> TraceContext {
        TraceContext::from_parts(0xabc, 0xdef, 0, Some("a=b"))
    }

    #[test]
    fn no_two_things_share_a_span() {
        let of = |lineage: Lineage| {
            [
                lineage.own(),
                lineage.command(EventId(1)),
                lineage.command(EventId(2)),
                lineage.attempt(EventId(1), 1),
                lineage.attempt(EventId(1), 2),
            ]
        };
        let all =
            [(1, 1), (1, 2), (2, 1)].map(|(key, execution)| of(lineage(key, execution, None)));
        let spans: BTreeSet<u64> = all.iter().flatten().map(TraceContext::span_id).collect();
        assert_eq!(spans.len(), 15);
    }

    /// Pinned: what was handed out before an upgrade is the same after it.
    #[test]
    fn they_are_the_same_in_every_process() {
        let made = lineage(3, 1, None).attempt(EventId(4), 1).to_string();
        assert_eq!(
            made,
            "00-cc7a3c8af77501995c8c10150c632cd7-c9b95c30c82efa8a-01"
        );
        let creation = creation(StoreId(7), &InstanceId::stored("order-42"), 0);
        assert_eq!(format!("{creation:016x}"), "edebcc5fcae78e3c");
    }

    #[test]
    fn a_given_trace_is_kept_and_its_state_untouched() {
        let command = lineage(3, 1, Some(given())).command(EventId(4));
        assert_eq!(command.trace_id(), 0xabc);
        assert_eq!((command.flags(), command.tracestate()), (0, Some("a=b")));
    }

    #[test]
    fn all_executions_are_of_one_trace_unless_one_begins_its_own() {
        let [first, second] = [1, 2].map(|execution| lineage(3, execution, None));
        assert_eq!(first.own().trace_id(), second.own().trace_id());
        assert_ne!(first.own().span_id(), second.own().span_id());

        let anew = lineage(3, 1, Some(given())).begun_anew();
        let second = lineage(3, 2, Some(anew.clone()));
        assert_eq!(second.own(), anew);
        assert_ne!(anew.trace_id(), 0xabc);
        assert_eq!((anew.flags(), anew.tracestate()), (0, None));
        let id = InstanceId::stored("order-42");
        assert_eq!(second.parent(&id), None);
        assert_eq!(lineage(3, 1, Some(given())).parent(&id), Some(0xdef));
        let created = creation(StoreId(7), &id, 0);
        assert_eq!(lineage(3, 1, None).parent(&id), Some(created));
        // The one after it goes on in the trace that was begun.
        let third = lineage(3, 3, Some(anew.clone()));
        assert_eq!(third.parent(&id), Some(anew.span_id()));
    }
}
