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
    assert_recordable, assert_whole, encode_output, finish, retry_when, shape, shared_state, state,
};
pub use self::probe::{
    Details, DetailsProbe, Encode, Fails, FaultProbe, InputCodec, InputProbe, IsRetryable,
    NoDetails, NoFault, NoSay, NotAResult, NotRecordable, NotShared, ResultProbe, RetryProbe,
    Shape, StateProbe, ValueProbe,
};
pub use crate::activity::{States, blocking};
pub use crate::definition::{
    ActivityDef, ActivityFuture, ActivityMarker, ActivityOptions, OrchestratorDef,
    OrchestratorFuture, OrchestratorMarker, OutputCodec, Place, StateRequirement,
};
pub use crate::durable::{DurableOp, Helper, OnlyDurable, StandIn};
pub use crate::orchestration::telling::telling;
pub use crate::orchestration::{ActivityCall, OrchestratorCall};
pub use crate::payload::{Codec, DecodeError, EncodeError, Payload};
pub use crate::retry::RetryPolicy;
