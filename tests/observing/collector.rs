//! A `tracing` subscriber that keeps what it is told, as a bridge to a backend would send it on.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A span, or a line of the log with the fields of the spans that it lies in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) target: String,
    pub(crate) level: String,
    pub(crate) fields: Fields,
}

pub(crate) type Fields = BTreeMap<String, String>;

impl Told {
    /// What a field says, if it was told.
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }
}

#[derive(Default)]
struct Kept {
    /// Spans that are open, and how many handles there are of each.
    open: HashMap<u64, (u64, Told)>,
    spans: Vec<Told>,
    lines: Vec<Told>,
}

struct Collector;

/// The spans and lines of the engine that there were, and which fields they can have.
static DECLARED: Mutex<BTreeMap<(String, String), BTreeSet<String>>> = Mutex::new(BTreeMap::new());

/// The fields that a span or line of the engine can have, by target and name; a line has no name of its own.
pub(crate) fn declared() -> BTreeMap<(String, String), BTreeSet<String>> {
    DECLARED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

fn declare(metadata: &Metadata<'_>) {
    let name = if metadata.is_span() {
        metadata.name()
    } else {
        ""
    };
    let fields = metadata
        .fields()
        .iter()
        .map(|field| field.name().to_owned());
    let mut declared = DECLARED.lock().unwrap_or_else(PoisonError::into_inner);
    let place = (metadata.target().to_owned(), name.to_owned());
    declared.entry(place).or_default().extend(fields);
}

static KEPT: Mutex<Option<Kept>> = Mutex::new(None);

fn kept() -> MutexGuard<'static, Option<Kept>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Collects from now on.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        *kept() = Some(Kept::default());
        tracing::subscriber::set_global_default(Collector).unwrap();
    });
}

/// The spans that are over and of which this holds, in the order of their ends.
pub(crate) fn spans(of: impl Fn(&Told) -> bool) -> Vec<Told> {
    let kept = kept();
    let spans = kept.as_ref().map(|kept| &kept.spans);
    spans
        .into_iter()
        .flatten()
        .filter(|span| of(span))
        .cloned()
        .collect()
}

/// The lines of the log of which this holds.
pub(crate) fn lines(of: impl Fn(&Told) -> bool) -> Vec<Told> {
    let kept = kept();
    let lines = kept.as_ref().map(|kept| &kept.lines);
    lines
        .into_iter()
        .flatten()
        .filter(|line| of(line))
        .cloned()
        .collect()
}

thread_local! {
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        target.starts_with("durable_runtime") || target.starts_with("observing")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        static MADE: AtomicU64 = AtomicU64::new(1);
        let id = MADE.fetch_add(1, Ordering::Relaxed);
        let mut told = begin(span.metadata());
        span.record(&mut Reading(&mut told.fields));
        if let Some(kept) = &mut *kept() {
            kept.open.insert(id, (1, told));
        }
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        if let Some((_, told)) = kept()
            .as_mut()
            .and_then(|kept| kept.open.get_mut(&span.into_u64()))
        {
            values.record(&mut Reading(&mut told.fields));
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut told = begin(event.metadata());
        let mut kept = kept();
        let Some(kept) = &mut *kept else { return };
        ENTERED.with_borrow(|entered| {
            for span in entered.iter().filter_map(|id| kept.open.get(id)) {
                told.fields.extend(span.1.fields.clone());
            }
        });
        event.record(&mut Reading(&mut told.fields));
        kept.lines.push(told);
    }

    fn enter(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        ENTERED.with_borrow_mut(|entered| {
            let last = entered.iter().rposition(|id| *id == span.into_u64());
            last.map(|at| entered.remove(at));
        });
    }

    fn clone_span(&self, id: &Id) -> Id {
        if let Some((handles, _)) = kept()
            .as_mut()
            .and_then(|kept| kept.open.get_mut(&id.into_u64()))
        {
            *handles += 1;
        }
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut kept = kept();
        let Some(kept) = &mut *kept else { return false };
        let Some((handles, _)) = kept.open.get_mut(&id.into_u64()) else {
            return false;
        };
        *handles -= 1;
        let is_over = *handles == 0;
        if is_over {
            let over = kept.open.remove(&id.into_u64());
            kept.spans.extend(over.map(|(_, told)| told));
        }
        is_over
    }
}

fn begin(metadata: &Metadata<'static>) -> Told {
    declare(metadata);
    Told {
        target: metadata.target().to_owned(),
        level: metadata.level().to_string(),
        fields: Fields::new(),
    }
}

struct Reading<'f>(&'f mut Fields);

impl Visit for Reading<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = self.0.entry(field.name().to_owned()).or_default();
        text.clear();
        write!(text, "{value:?}").unwrap();
    }
}
