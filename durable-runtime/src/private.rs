//! The doorway for expansions of the macros. Not part of the public API: it may change in any release.

mod combine;
mod glue;
mod macros;
mod probe;

pub use durable_macros::{join, select, try_join};
pub use inventory;

pub use self::combine::{
    Child, Join, Select, TryJoin, TryOutput, branch, no_branch_left, try_branch,
};
pub use self::glue::{
    assert_recordable, assert_whole, finish, output, retry_when, running, shared_state, state,
};
pub use self::probe::{
    Details, DetailsProbe, Fails, FaultProbe, InputCodec, InputProbe, IsRetryable, NoDetails,
    NoFault, NoSay, NotAResult, NotRecordable, NotShared, ResultProbe, RetryProbe, Shape,
    StateProbe, ValueProbe,
};
pub use crate::activity::{States, blocking};
pub use crate::definition::{
    About, ActivityDef, ActivityFuture, ActivityMarker, ActivityOptions, Allowance, FunctionDef,
    OrchestratorDef, OrchestratorFuture, OrchestratorMarker, OutputCodec, Place, StateRequirement,
};
pub use crate::durable::argument::{AnyArgument, Argument, Bincode, Json};
pub use crate::durable::iteration::{collection, extended, source};
pub use crate::durable::op::Callee;
pub use crate::durable::{Helper, StandIn};
pub use crate::orchestration::telling::telling;
pub use crate::orchestration::{ActivityCall, OrchestratorCall};
pub use crate::payload::{Codec, DecodeError, EncodeError, Payload};
pub use crate::retry::RetryPolicy;
pub use crate::sites::{Arm, Flow, Site, SiteKind, SiteTable};
pub use crate::warning;

/// The methods that check what is awaited and what is iterated. Every body imports all of them, without their names.
pub mod checks {
    pub use crate::durable::iteration::{AnyOrder as _, InOrder as _, IteratedValue as _};
    pub use crate::durable::op::{DurableOp as _, OfAnybody as _, OnlyDurable as _};
    pub use crate::durable::wanted::{
        OnlyAnswered as _, OnlyQueried as _, OnlyStreamed as _, OnlyTransferred as _, WantedOp as _,
    };
}
