//! A `metrics` recorder that keeps what is counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Once, PoisonError};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// All values of one series, in order; of a gauge and a counter the last one is what it stands at.
type Series = Arc<Mutex<Vec<f64>>>;

static KEPT: Mutex<BTreeMap<String, Series>> = Mutex::new(BTreeMap::new());
static DESCRIBED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Records from now on.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| metrics::set_global_recorder(Keeper).map_err(drop).unwrap());
}

/// The values of a series, as in `name{label=value}`.
pub(crate) fn values(series: &str) -> Vec<f64> {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let series = kept
        .get(series)
        .map(|series| series.lock().unwrap().clone());
    series.unwrap_or_default()
}

/// What a counter or a gauge stands at.
pub(crate) fn last(series: &str) -> f64 {
    values(series).last().copied().unwrap_or_default()
}

/// The names of all series.
pub(crate) fn names() -> Vec<String> {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.keys().cloned().collect()
}

/// What a metric is said to be.
pub(crate) fn described(name: &str) -> Option<String> {
    DESCRIBED.lock().unwrap().get(name).cloned()
}

struct Keeper;

#[derive(Clone)]
struct Kept(Series);

fn kept(key: &Key) -> Kept {
    let labels = key
        .labels()
        .map(|label| format!("{}={}", label.key(), label.value()));
    let labels = labels.collect::<Vec<_>>().join(",");
    let series = match labels.as_str() {
        "" => key.name().to_owned(),
        labels => format!("{}{{{labels}}}", key.name()),
    };
    let mut all = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    Kept(Arc::clone(all.entry(series).or_default()))
}

impl Kept {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut values = self.0.lock().unwrap();
        let last = values.last().copied().unwrap_or_default();
        values.push(change(last));
    }
}

fn describe(name: &KeyName, text: &SharedString) {
    let (name, text) = (name.as_str().to_owned(), text.to_string());
    DESCRIBED.lock().unwrap().insert(name, text);
}

impl Recorder for Keeper {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, text: SharedString) {
        describe(&name, &text);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, text: SharedString) {
        describe(&name, &text);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, text: SharedString) {
        describe(&name, &text);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(kept(key)))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(kept(key)))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(kept(key)))
    }
}

impl CounterFn for Kept {
    fn increment(&self, value: u64) {
        let value = u32::try_from(value).unwrap();
        self.change(|last| last + f64::from(value));
    }

    fn absolute(&self, value: u64) {
        let value = u32::try_from(value).unwrap();
        self.change(|_| f64::from(value));
    }
}

impl GaugeFn for Kept {
    fn increment(&self, value: f64) {
        self.change(|last| last + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|last| last - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl HistogramFn for Kept {
    fn record(&self, value: f64) {
        self.change(|_| value);
    }
}
