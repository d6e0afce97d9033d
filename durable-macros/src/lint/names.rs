//! What a path in the body names, and what the catalogue says of that.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprMethodCall, ExprPath, Path, Type};

use super::locals::Local;
use super::through::{self, Reached};
use super::{Lint, statics};
use crate::catalogue::{self, Code};
use crate::source::{Function, ItemKind, Namespace, Resolved};

/// How often a name may stand for another before the search ends.
const HOPS_MAX: usize = 8;

/// What is found about what a path may name.
#[derive(Debug)]
pub(super) enum Judgement {
    /// It is in the catalogue: by which name.
    Breaks {
        code: Code,
        name: String,
    },
    /// It is a function of this crate, or one of these.
    Calls(Vec<Function>),
    /// A static that can be changed.
    Changes(String),
    /// A glob import may bring something of the catalogue.
    Undecided,
    Fine,
}

/// Judges what `path` may name.
pub(super) fn judge(path: &[String], candidates: &[Resolved], namespace: Namespace) -> Judgement {
    let verdict = |name: &[String]| match namespace {
        Namespace::Macro => catalogue::judge_macro(name),
        Namespace::Type | Namespace::Value => catalogue::judge(name),
    };
    let mut functions = Vec::new();
    let mut brought = Vec::new();
    let mut is_named = false;
    for candidate in candidates {
        is_named |= !matches!(candidate, Resolved::Glob(_));
        match candidate {
            Resolved::Foreign(name) => {
                if let Some(verdict) = verdict(name) {
                    return breaks(verdict.code, name);
                }
            }
            Resolved::Function(function) => functions.push(function.clone()),
            Resolved::Own(item) => {
                if let ItemKind::Static { ty, is_mut } = &item.kind
                    && (*is_mut || statics::text_is_changing(ty))
                {
                    return Judgement::Changes(item.name.clone());
                }
            }
            Resolved::Glob(name) if verdict(name).is_none() && catalogue::has_name(name) => {
                return Judgement::Fine;
            }
            Resolved::Glob(name) => {
                if let Some(verdict) = verdict(name) {
                    if verdict.is_exact {
                        return breaks(verdict.code, name);
                    }
                    brought.push((verdict.code, name));
                }
            }
        }
    }
    // Beside something else that it may be, which is fine, it is not said to break anything.
    if !functions.is_empty() && functions.len() == candidates.len() {
        return Judgement::Calls(functions);
    }
    let is_ours = path.first().is_some_and(|head| catalogue::is_ours(head));
    match brought.as_slice() {
        [] => unresolved(path, candidates, namespace),
        _ if is_named || is_ours => Judgement::Fine,
        // One import is all that can have brought it.
        [(code, name)] if candidates.len() == 1 => breaks(*code, name),
        _ => Judgement::Undecided,
    }
}

/// Nothing is known of the head: its end may say enough.
fn unresolved(path: &[String], candidates: &[Resolved], namespace: Namespace) -> Judgement {
    if !candidates.is_empty() || namespace == Namespace::Macro {
        return Judgement::Fine;
    }
    match catalogue::judge_suffix(path) {
        Some(code) => breaks(code, path),
        None => Judgement::Fine,
    }
}

fn breaks(code: Code, name: &[String]) -> Judgement {
    Judgement::Breaks {
        code,
        name: name.join("::"),
    }
}

impl Lint {
    /// A path in an expression: a function that is called or used, a constant, a variable.
    pub(super) fn path(&mut self, path: &ExprPath) {
        let names = segments(path);
        if let Some(head) = names.first() {
            match self.locals.find(head) {
                Some(Local::Variable(taint)) if names.len() == 1 => {
                    if let Some(code) = *taint {
                        self.mark(code);
                    }
                    return;
                }
                Some(Local::Static { is_changing }) => {
                    if *is_changing {
                        self.find(Code::D050, path, &format!("`{head}`"));
                    }
                    return;
                }
                Some(Local::Own) => return,
                Some(Local::Variable(_) | Local::Alias(_)) | None => {}
            }
        }
        self.named(&names, path, path.span());
    }

    /// A path that names nothing of the body itself.
    pub(super) fn named(&mut self, names: &[String], tokens: impl quote::ToTokens, span: Span) {
        let candidates = self.resolve(names, Namespace::Value, span);
        let shown = shown(names);
        match judge(names, &candidates, Namespace::Value) {
            Judgement::Breaks { code, name } => self.find(code, tokens, &equals(&shown, &name)),
            Judgement::Changes(name) => self.find(Code::D050, tokens, &equals(&shown, &name)),
            Judgement::Calls(functions) => self.calls(&functions, tokens),
            // Of what is awaited the type tells.
            Judgement::Undecided if self.awaited == Some(self.depth) => {}
            Judgement::Undecided => self.warn(Code::D080, span),
            Judgement::Fine => {}
        }
    }

    /// A function of this crate: what it does is done here.
    fn calls(&mut self, functions: &[Function], tokens: impl quote::ToTokens) {
        let Reached {
            mut hazards,
            was_cut,
        } = through::reached(functions);
        self.report.was_cut |= was_cut;
        // Errors first: one is enough.
        hazards.sort_by_key(|hazard| hazard.code.row().level == catalogue::Level::Warning);
        let first = hazards
            .into_iter()
            .find(|hazard| !self.allowed.suppress(hazard.code));
        if let Some(hazard) = first {
            let instead = format!(
                "{}; or take what it gives as an argument",
                hazard.code.row().instead
            );
            self.find_with(hazard.code, tokens, &hazard.chain(), &instead);
        }
    }

    /// What a path may name where it stands.
    pub(super) fn resolve(
        &self,
        path: &[String],
        namespace: Namespace,
        span: Span,
    ) -> Vec<Resolved> {
        match &self.scope {
            Some(scope) => scope.at(span).resolve(path, namespace),
            None => self
                .unaided(path)
                .map(Resolved::Foreign)
                .into_iter()
                .collect(),
        }
    }

    /// What a path names as far as the body itself tells.
    fn unaided(&self, path: &[String]) -> Option<Vec<String>> {
        let mut path = path.to_vec();
        for _ in 0..HOPS_MAX {
            let Some(Local::Alias(target)) = self.locals.find(path.first()?) else {
                break;
            };
            path = target.iter().chain(path.get(1..)?).cloned().collect();
            if path.first() == target.first() && self.locals.find(path.first()?).is_none() {
                break;
            }
        }
        if path.first()?.is_empty() {
            path.remove(0);
        }
        (path.len() > 1 && catalogue::is_root(path.first()?)).then_some(path)
    }

    /// Whether this is the function whose argument is run once and recorded.
    pub(super) fn is_side_effect(&self, path: &ExprPath) -> bool {
        let names = segments(path);
        let is_named_so = names.last().is_some_and(|name| name == "side_effect");
        is_named_so && {
            let candidates = self.resolve(&names, Namespace::Value, path.span());
            let is_own = |candidate: &Resolved| {
                matches!(candidate, Resolved::Function(_) | Resolved::Own(_))
            };
            !candidates.iter().any(is_own)
        }
    }

    /// A method that means one thing whatever it is called on, or by what it is given.
    pub(super) fn method(&mut self, call: &ExprMethodCall) {
        let name = call.method.unraw().to_string();
        let mut code = catalogue::judge_method(&name, call.args.len());
        if code.is_some() && self.is_own_method(&name) {
            code = None;
        }
        if call
            .args
            .iter()
            .any(|argument| self.is_memory_ordering(argument))
        {
            code = Some(Code::D022);
        }
        if let Some(code) = code {
            self.find(code, &call.method, &method(&name, call.args.len()));
        } else if self.is_of_thread(&name, call) {
            self.find(
                Code::D051,
                &call.method,
                &format!("`.{name}(..)` of a `thread_local!`"),
            );
        }
    }

    /// A type of the crate has one as well, and which of them is meant only its type tells.
    pub(super) fn is_own_method(&self, name: &str) -> bool {
        let scope = self.scope.as_ref();
        scope.is_some_and(|scope| scope.is_own_method(name))
    }

    /// `Ordering::SeqCst`, which only atomics take.
    fn is_memory_ordering(&self, argument: &Expr) -> bool {
        let Expr::Path(path) = argument else {
            return false;
        };
        let names = segments(path);
        let is_one = |name: &String| {
            matches!(
                name.as_str(),
                "Relaxed" | "Acquire" | "Release" | "AcqRel" | "SeqCst"
            )
        };
        let candidates = self.resolve(&names, Namespace::Value, path.span());
        let owner = names.iter().rev().nth(1);
        let is_of_atomics = |candidate: &Resolved| {
            matches!(candidate, Resolved::Foreign(name) | Resolved::Glob(name)
                if name.iter().any(|name| name == "atomic"))
        };
        names.last().is_some_and(is_one)
            && (!candidates.is_empty() || owner.is_some_and(|owner| owner == "Ordering"))
            && candidates.iter().all(is_of_atomics)
    }

    /// `KEY.with(|value| ..)`, where `KEY` is no item that can be seen: `thread_local!` wrote it.
    fn is_of_thread(&self, name: &str, call: &ExprMethodCall) -> bool {
        let is_method = matches!(name, "with" | "with_borrow" | "with_borrow_mut");
        let closure = matches!(call.args.first(), Some(Expr::Closure(_))) && call.args.len() == 1;
        let Expr::Path(path) = &*call.receiver else {
            return false;
        };
        let names = segments(path);
        let is_constant = |name: &String| name.chars().all(|letter| !letter.is_lowercase());
        is_method
            && closure
            && names.last().is_some_and(is_constant)
            && names
                .first()
                .is_none_or(|head| self.locals.find(head).is_none())
            && self
                .resolve(&names, Namespace::Value, path.span())
                .iter()
                .all(|candidate| matches!(candidate, Resolved::Own(item) if item.kind == ItemKind::Unseen))
    }
}

/// The segments of a path without generic arguments; a leading `::` is an empty first one. `<T>::f` is `T::f`.
fn segments(path: &ExprPath) -> Vec<String> {
    if let Some(of) = &path.qself
        && of.as_token.is_none()
    {
        let mut names = Vec::new();
        match &*of.ty {
            Type::Path(ty) => names.extend(of_path(&ty.path)),
            _ => return names,
        }
        names.extend(of_path(&path.path).into_iter().skip(1));
        return names;
    }
    of_path(&path.path)
}

/// The same, of a plain path.
pub(super) fn of_path(path: &Path) -> Vec<String> {
    let root = path.leading_colon.map(|_| String::new());
    let names = path
        .segments
        .iter()
        .map(|segment| segment.ident.unraw().to_string());
    root.into_iter().chain(names).collect()
}

/// A method as a user reads it.
pub(super) fn method(name: &str, arguments: usize) -> String {
    let inside = if arguments == 0 { "" } else { ".." };
    format!("`.{name}({inside})`")
}

/// The path as a user reads it.
pub(super) fn shown(names: &[String]) -> String {
    names.join("::")
}

/// A name as written, and what it stands for.
pub(super) fn equals(shown: &str, name: &str) -> String {
    if shown.trim_start_matches(':') == name {
        format!("`{shown}`")
    } else {
        format!("`{shown}` (= `{name}`)")
    }
}
