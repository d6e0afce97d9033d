//! Plain functions of the same crate are followed: what they do, the orchestrator does.
//!
//! The search goes from a call through the functions that it reaches, nearest first, so the chain that is shown is the
//! shortest. It ends at what is annotated, at what is `async` (of which the type checker asks whether it is durable), and at
//! its bounds. What a function does itself is kept, as many orchestrators call the same ones.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;

use super::ATTRIBUTES;
use super::names::{Judgement, judge, method};
use crate::catalogue::{self, Code};
use crate::source::{Function, Mention, Namespace, What};

/// How far a search goes from the call.
const DEPTH_MAX: usize = 16;
/// How many functions one search looks at.
const FUNCTIONS_MAX: usize = 500;

/// Something of the catalogue that is reached by a call.
#[derive(Debug, Clone)]
pub(super) struct Hazard {
    pub(super) code: Code,
    /// The functions on the way, each with its place.
    functions: Vec<String>,
    /// What is at the end, with its place.
    end: String,
}

impl Hazard {
    /// The way to it, as a user reads it.
    pub(super) fn chain(&self) -> String {
        let steps = self.functions.iter().chain([&self.end]);
        let steps: Vec<&str> = steps.map(String::as_str).collect();
        steps.join(" -> ")
    }
}

/// What was found by a search.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Of each code the nearest.
    pub(super) hazards: Vec<Hazard>,
    /// The search ended at a bound, and may have missed something.
    pub(super) was_cut: bool,
}

impl Reached {
    /// Adds a hazard, unless one of its code is nearer.
    fn note(&mut self, found: Hazard) {
        if self.hazards.iter().all(|hazard| hazard.code != found.code) {
            self.hazards.push(found);
        }
    }

    /// Adds what a call reaches that comes behind these functions.
    fn add(&mut self, call: Self, before: &[String]) {
        self.was_cut |= call.was_cut;
        for mut hazard in call.hazards {
            hazard.functions = [before, &hazard.functions].concat();
            self.note(hazard);
        }
    }
}

/// What a call reaches that is one of `functions`, whichever of them a `cfg` chooses. Nothing in the runtime's own tests: what they
/// call is what replaces all that is refused.
pub(super) fn reached(functions: &[Function]) -> Reached {
    if std::env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == "durable-runtime") {
        return Reached::default();
    }
    by_all(functions, true)
}

/// What all of `functions` reach.
fn by_all(functions: &[Function], looks_at_choices: bool) -> Reached {
    let Some((first, others)) = functions.split_first() else {
        return Reached::default();
    };
    let mut reached = by_one(first, looks_at_choices);
    for other in others {
        let other = by_one(other, looks_at_choices);
        reached.was_cut |= other.was_cut;
        let has = |code| other.hazards.iter().any(|hazard| hazard.code == code);
        reached.hazards.retain(|hazard| has(hazard.code));
    }
    reached
}

/// What one function reaches; by calls that are one of several functions too if it `looks_at_choices`.
fn by_one(function: &Function, looks_at_choices: bool) -> Reached {
    let mut seen = HashSet::new();
    let mut reached = Reached::default();
    let mut to_do = VecDeque::from([(function.clone(), Vec::new())]);
    while let Some((function, before)) = to_do.pop_front() {
        if !is_followed(&function) || !seen.insert(key(&function)) {
            continue;
        }
        if seen.len() > FUNCTIONS_MAX {
            reached.was_cut = true;
            break;
        }
        let mut functions: Vec<String> = before;
        let name = format!("`{}`", function.name());
        functions.push(place(&name, &function, function.line()));
        let facts = facts(&function);
        reached.was_cut |= function.was_cut();
        for (code, end) in &facts.breaches {
            reached.note(Hazard {
                code: *code,
                functions: functions.clone(),
                end: end.clone(),
            });
        }
        for call in &facts.calls {
            match call.as_slice() {
                [one] if functions.len() < DEPTH_MAX => {
                    to_do.push_back((one.clone(), functions.clone()));
                }
                [one] => reached.was_cut |= is_followed(one),
                several if looks_at_choices => {
                    reached.add(by_all(several, false), &functions);
                }
                _ => {}
            }
        }
    }
    reached
}

/// What a function does itself.
#[derive(Debug, Default)]
struct Facts {
    /// Of each code the first, with its place.
    breaches: Vec<(Code, String)>,
    /// Of each call the functions of which it may be one.
    calls: Vec<Vec<Function>>,
}

impl Facts {
    fn of(function: &Function) -> Self {
        let mut facts = Self::default();
        for mention in function.mentions() {
            if !mention.in_side_effect {
                facts.add(function, &mention);
            }
        }
        facts
    }

    fn add(&mut self, function: &Function, mention: &Mention) {
        let (path, namespace) = match &mention.what {
            What::Path { path, .. } => (path, Namespace::Value),
            What::Macro { path } => (path, Namespace::Macro),
            What::Method { name, arguments } => {
                if let Some(code) = catalogue::judge_method(name, *arguments)
                    && !function.scope().is_own_method(name)
                {
                    self.breach(code, &method(name, *arguments), function, mention);
                }
                return;
            }
            What::Unsafe => return self.breach(Code::D052, "`unsafe`", function, mention),
        };
        match judge(path, &mention.resolve(), namespace) {
            Judgement::Breaks { code, name } => {
                self.breach(code, &format!("`{name}`"), function, mention);
            }
            Judgement::Changes(name) => {
                self.breach(Code::D050, &format!("`{name}`"), function, mention);
            }
            Judgement::Calls(functions) => self.calls.push(functions),
            Judgement::Undecided | Judgement::Fine => {}
        }
    }

    fn breach(&mut self, code: Code, name: &str, function: &Function, mention: &Mention) {
        let is_known = self.breaches.iter().any(|(known, _)| *known == code);
        // A print or a log line in a plain function changes nothing that is recorded.
        if !is_known && code != Code::D062 {
            self.breaches
                .push((code, place(name, function, mention.line)));
        }
    }
}

fn is_followed(function: &Function) -> bool {
    !function.is_async() && !ATTRIBUTES.iter().any(|name| function.has_attribute(name))
}

/// A name and where it is, as rustc would point there.
fn place(name: &str, function: &Function, line: usize) -> String {
    format!("{name} ({}:{line})", function.file().display())
}

type Key = (PathBuf, usize, String);

fn key(function: &Function) -> Key {
    (function.file().to_owned(), function.line(), function.name())
}

/// What `function` does itself, worked out once. The source of a crate does not change while it is compiled; but who asked when
/// there was no room left knows less than the next one may.
fn facts(function: &Function) -> Rc<Facts> {
    thread_local! {
        static KNOWN: RefCell<HashMap<Key, Rc<Facts>>> = RefCell::default();
    }
    let key = key(function);
    let known = KNOWN.with_borrow(|known| known.get(&key).cloned());
    known.unwrap_or_else(|| {
        let facts = Rc::new(Facts::of(function));
        if !function.was_cut() {
            KNOWN.with_borrow_mut(|known| known.insert(key, Rc::clone(&facts)));
        }
        facts
    })
}
