//! Annotated functions as values: from the function item to its definition, its arguments and its result.

use crate::definition::{
    ActivityDef, ActivityMarker, OrchestratorDef, OrchestratorMarker, OutputCodec,
};
use crate::orchestration::{ActivityCall, OrchestratorCall};

/// A function annotated with `#[activity]`, whatever its arguments.
pub trait ActivityFn<Args> {
    /// Its definition.
    fn definition() -> &'static ActivityDef;
}

/// A function annotated with `#[orchestrator]`, whatever its arguments.
pub trait OrchestratorFn<Args> {
    /// What it returns.
    type Output: 'static;
    /// Its definition.
    fn definition() -> &'static OrchestratorDef;
    /// How its result is written and read.
    fn codec() -> &'static OutputCodec<Self::Output>;
}

macro_rules! for_arity {
    ($($arg:ident)*) => {
        impl<F, Out, M, $($arg),*> ActivityFn<(Out, M, $($arg,)*)> for F
        where
            F: Fn($($arg),*) -> ActivityCall<Out, M>,
            Out: 'static,
            M: ActivityMarker<Out>,
        {
            fn definition() -> &'static ActivityDef {
                M::DEF
            }
        }

        impl<F, Out, M, $($arg),*> OrchestratorFn<(Out, M, $($arg,)*)> for F
        where
            F: Fn($($arg),*) -> OrchestratorCall<Out, M>,
            Out: 'static,
            M: OrchestratorMarker<Out>,
        {
            type Output = Out;

            fn definition() -> &'static OrchestratorDef {
                M::DEF
            }

            fn codec() -> &'static OutputCodec<Out> {
                M::OUT
            }
        }
    };
}

for_arity!();
for_arity!(A1);
for_arity!(A1 A2);
for_arity!(A1 A2 A3);
for_arity!(A1 A2 A3 A4);
for_arity!(A1 A2 A3 A4 A5);
for_arity!(A1 A2 A3 A4 A5 A6);
for_arity!(A1 A2 A3 A4 A5 A6 A7);
for_arity!(A1 A2 A3 A4 A5 A6 A7 A8);
