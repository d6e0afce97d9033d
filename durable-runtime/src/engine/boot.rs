//! From a file to an engine that is ready to go on: what both shells have in common.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use crate::activity::States;
use crate::clock::{Clock, Entropy};
use crate::engine::committer::{Committer, Reopener};
use crate::engine::compatibility;
use crate::engine::desk::{Desk, Shelf};
use crate::engine::guard::Guard;
use crate::engine::hub::{Hub, Shape};
use crate::engine::message::Effects;
use crate::engine::observe::Observer;
use crate::engine::recovery;
use crate::engine::retention::Expiry;
use crate::engine::revive::Reviver;
use crate::engine::setup::Setup;
use crate::engine::store_clock::StoreClock;
use crate::limits;
use crate::registry::{Duplicate, Registry};
use crate::store::{Integrity, Medium, Recovered, Store, StoreError, StoreOptions, chain};

/// What an engine is made of.
pub(crate) struct Parts {
    pub(crate) medium: Medium,
    pub(crate) store: StoreOptions,
    pub(crate) setup: Setup,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) shape: Shape,
}

/// An engine that stands still.
#[derive(Debug)]
pub(crate) struct Booted {
    pub(crate) hub: Arc<Hub>,
    pub(crate) committer: Committer,
    /// What was outstanding; to be released once the machines run.
    pub(crate) outstanding: Effects,
    /// The check of a file that was too large to be checked when it was opened.
    pub(crate) integrity: Option<Integrity>,
}

/// Why an engine could not be opened.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// One name stands for two functions.
    #[error(transparent)]
    Duplicate(#[from] Duplicate),
    /// An activity needs a `#[state]` that the engine was not given.
    #[error(
        "activity `{activity}` at {place} takes `#[state] {parameter}` of type `{type_name}`, which the engine was not given ({given}); add `.state(..)` with a `{type_name}`, or an `Arc` of one, to the engine's builder"
    )]
    MissingState {
        /// The activity.
        activity: String,
        /// Where it is.
        place: String,
        /// The parameter.
        parameter: String,
        /// The type of what is shared, as its source spells it.
        type_name: String,
        /// What the engine was given, for people.
        given: String,
    },
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program was built with `panic = "abort"`.
    #[error(
        "this program is built with `panic = \"abort\"`, where the panic of one activity would end all; build it with `panic = \"unwind\"`"
    )]
    PanicAborts,
    /// There is no tokio runtime to run activities on.
    #[error(
        "an engine was opened outside a tokio runtime; open it in one, or pass one with `.runtime(..)`"
    )]
    NoRuntime,
    /// The limit of payloads is below its default or beyond what it may be.
    #[error(
        "the engine was to take payloads of up to {asked} bytes; `payload_limit` goes from 2097152 bytes (2 MiB) to 67108864 \
         (64 MiB)"
    )]
    PayloadLimit {
        /// The limit that was asked for, in bytes.
        asked: usize,
    },
    /// A thread could not be started.
    #[error("a thread of the engine could not be started")]
    Thread(#[source] std::io::Error),
}

// What `main` returns is printed as `Debug`, to be read by people.
impl fmt::Debug for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

/// Opens the store and works out what is outstanding. Nothing runs yet.
pub(crate) fn boot(parts: Parts) -> Result<Booted, OpenError> {
    let Setup {
        registry,
        states,
        activity_limit,
        event_limit,
        payload_limit,
        retention,
        versions,
        replay_check,
    } = parts.setup;
    check_build(payload_limit)?;
    let registry = Arc::new(registry.unwrap_or_else(Registry::linked));
    check(&registry, &states)?;
    let wall = parts.clock.wall();
    let again = parts.medium.again();
    let (mut store, recovered) = Store::open(parts.medium, parts.store, wall, &*parts.entropy)?;
    let fingerprint = fingerprint(&registry).to_le_bytes();
    let build = compatibility::build(&mut store, &registry, &fingerprint)?;
    let clock = StoreClock::new(Arc::clone(&parts.clock), recovered.last_time);
    let now = clock.now();
    let mut plan = recovery::plan(&recovered, &store.reader(), build, now)?;
    let expiry = Expiry::new(retention);
    plan.effects.arm.extend(expiry.first(now));
    plan.record(&mut store, now)?;
    tell_of(&recovered);
    let observer = Arc::new(Observer::new(&registry, &parts.clock));
    let reviver = Reviver {
        observer: Arc::clone(&observer),
        registry: Arc::clone(&registry),
        versions,
        reader: store.reader(),
        store: store.id(),
        build,
        guard: Guard::new(plan.first_turns, plan.poisoned),
        event_limit,
        payload_limit,
        replay_check: replay_check.then_some(parts.shape.turn_limit),
    };
    let shelf = Shelf {
        observer: Arc::clone(&observer),
        registry,
        states,
        store: store.id(),
        clock: parts.clock,
        payload_limit,
    };
    let desk = Desk::new(shelf, parts.runtime, activity_limit);
    let entropy = Arc::clone(&parts.entropy);
    let mut hub = Hub::new(Arc::new(reviver), clock, entropy, desk, parts.shape);
    hub.expiry = expiry;
    hub.count(store.counters());
    if !plan.effects.suspects.is_empty() {
        hub.close_gate();
    }
    let integrity = (!recovered.is_checked).then(|| store.reader().integrity());
    let reopener = again.map(|medium| Reopener {
        medium,
        entropy: Arc::clone(&parts.entropy),
        fingerprint,
    });
    let committer = Committer::new(store, observer, build, plan.bonds, reopener);
    Ok(Booted {
        hub: Arc::new(hub),
        committer,
        outstanding: plan.effects,
        integrity,
    })
}

fn tell_of(recovered: &Recovered) {
    tracing::info!(
        created = recovered.created,
        clean = recovered.clean,
        unfinished = recovered.instances.len(),
        "the event log is open"
    );
}

/// Whether the build and what it asks for can be.
fn check_build(payload_limit: usize) -> Result<(), OpenError> {
    if cfg!(panic = "abort") {
        return Err(OpenError::PanicAborts);
    }
    if !(limits::PAYLOAD_BYTES_MAX..=limits::PAYLOAD_BYTES_CEILING).contains(&payload_limit) {
        return Err(OpenError::PayloadLimit {
            asked: payload_limit,
        });
    }
    Ok(())
}

fn check(registry: &Registry, states: &States) -> Result<(), OpenError> {
    if let Some(duplicate) = registry.duplicate() {
        return Err(duplicate.clone().into());
    }
    for (name, entry) in registry.activities() {
        let missing = entry.states.iter().find(|state| !(state.is_given)(states));
        if let Some(state) = missing {
            return Err(OpenError::MissingState {
                activity: name.to_string(),
                place: entry.origin.to_string(),
                parameter: state.parameter.to_owned(),
                type_name: state.type_name.to_owned(),
                given: given(states),
            });
        }
    }
    Ok(())
}

fn given(states: &States) -> String {
    match states.type_names().as_slice() {
        [] => "it was given none".to_owned(),
        names => format!("it was given: {}", names.join(", ")),
    }
}

/// Differs between two builds whose places in the source may differ.
fn fingerprint(registry: &Registry) -> u64 {
    let mut text = registry.describe();
    let program = std::env::current_exe().and_then(std::fs::metadata);
    if let Ok(program) = program {
        // Writing to a `String` cannot fail.
        let _written = write!(text, "{} {:?}", program.len(), program.modified().ok());
    }
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parts of an engine with {} shards", self.shape.shards)
    }
}
