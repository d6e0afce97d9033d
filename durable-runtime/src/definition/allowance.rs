//! What authors of deterministic code vouch for.

use std::fmt;

use super::{FunctionDef, OrchestratorDef, Place};

/// A place in the code of an orchestrator or helper where a determinism diagnostic was switched off, and why.
///
/// It is written as `#[nondeterminism(allow(D032), reason = "..")]` on a statement, or as `#[deterministic(reason = "..")]` on
/// a function. The attributes leave it behind in the definition of the function; [`allowances`] lists all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    code: Option<&'static str>,
    reason: &'static str,
    function: &'static str,
    place: Place,
}

impl Allowance {
    /// For expansions.
    #[doc(hidden)]
    pub const fn __new(
        code: Option<&'static str>,
        reason: &'static str,
        function: &'static str,
        place: Place,
    ) -> Self {
        Self {
            code,
            reason,
            function,
            place,
        }
    }

    /// The diagnostic that is not reported there, as `D032`; `None` if a function is vouched for as a whole.
    pub fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// What its author said.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// The function that it stands in: the durable name of an orchestrator, else the name.
    pub fn function(&self) -> &'static str {
        self.function
    }

    /// The file that it stands in, as the compiler was given it.
    pub fn file(&self) -> &'static str {
        self.place.file
    }

    /// The line, from 1.
    pub fn line(&self) -> u32 {
        self.place.line
    }

    /// The column, from 1.
    pub fn column(&self) -> u32 {
        self.place.column
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reason,
            function,
            place,
            ..
        } = self;
        let code = self.code.unwrap_or("deterministic");
        write!(f, "{place}: {code} in `{function}`: {reason}")
    }
}

/// All allowances of this program, ordered by file and line.
///
/// Those of functions that are compiled into it: a library that is never named may be left out by the linker.
///
/// # Examples
///
/// ```standalone_crate
/// use durable_runtime::prelude::*;
///
/// #[orchestrator]
/// async fn rollout(service: String) -> String {
///     #[nondeterminism(allow(D032), reason = "the region of a deployment never changes")]
///     let region = std::env::var("REGION").unwrap_or_default();
///     format!("{service} in {region}")
/// }
///
/// fn main() {
///     let allowances = durable_runtime::allowances();
///     assert_eq!(allowances.len(), 1);
///     assert_eq!(allowances[0].code(), Some("D032"));
///     assert_eq!(allowances[0].function(), "rollout");
///     assert_eq!(allowances[0].reason(), "the region of a deployment never changes");
/// }
/// ```
pub fn allowances() -> Vec<Allowance> {
    let orchestrators = inventory::iter::<&'static OrchestratorDef>.into_iter();
    let functions = inventory::iter::<&'static FunctionDef>.into_iter();
    let mut all: Vec<Allowance> = orchestrators
        .flat_map(|definition| definition.allowances)
        .chain(functions.flat_map(|definition| definition.allowances))
        .copied()
        .collect();
    let place = |allowance: &Allowance| {
        let Place { file, line, column } = allowance.place;
        (file, line, column, allowance.code)
    };
    all.sort_by_key(place);
    all.dedup();
    all
}
