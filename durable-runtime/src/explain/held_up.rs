//! Whether an instance waits for nothing but what is stalled for good.

use super::{Awaited, Explanation, NextTurn, Standing};
use crate::event::StallReason;
use crate::id::InstanceId;

impl Explanation {
    /// The instance that holds it up and the report of that, if all that it awaits are instances whose code is not deterministic, or which
    /// wait for such.
    pub(crate) fn held_up_by(&self) -> Option<(&InstanceId, &str)> {
        let is_still = self.turn == NextTurn::None && self.undelivered == 0 && self.more == 0;
        if self.standing != Standing::Waits || !is_still {
            return None;
        }
        let mut held_up = None;
        for wait in &self.waits {
            let Awaited::Instance(_) = &wait.awaited else {
                return None;
            };
            held_up = Some(wait.awaited.explanation()?.stalled_or_held_up()?);
        }
        held_up
    }

    fn stalled_or_held_up(&self) -> Option<(&InstanceId, &str)> {
        match &self.standing {
            Standing::Stalled {
                reason: StallReason::NonDeterministic | StallReason::ForeignFuture,
                report,
                ..
            } => Some((&self.instance, report)),
            _ => self.held_up_by(),
        }
    }
}
