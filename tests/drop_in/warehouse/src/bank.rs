//! Payments: a module with an error, and a `Result`, of its own.

use durable_runtime::{Error, activity};
use serde::{Deserialize, Serialize};

use crate::Ledger;

/// The only error of this module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// What was asked for.
    pub cents: u64,
}

impl std::fmt::Display for Declined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cents are too many", self.cents)
    }
}

impl std::error::Error for Declined {}

/// Hides the one of the standard library, as many modules do.
type Result<T, E = Declined> = std::result::Result<T, E>;

/// Takes money; the first attempt fails.
#[activity(retry(max_attempts = 3, initial = "1ms", when = is_temporary))]
pub async fn charge(cents: u64, #[state] ledger: &Ledger) -> Result<String> {
    ledger.note("charge");
    match (cents, activity::attempt()) {
        (1_000_000.., _) => Err(Declined { cents }),
        (_, 1) => Err(Declined { cents: 0 }),
        _ => Ok(format!("{cents} cents")),
    }
}

fn is_temporary(error: &Declined) -> bool {
    error.cents == 0
}

/// Gives money back; any error will do.
#[activity]
pub async fn refund(receipt: String, #[state] ledger: &Ledger) -> Result<(), Error> {
    ledger.note("refund");
    let (cents, _) = receipt.split_once(' ').ok_or(Declined { cents: 0 })?;
    cents.parse::<u64>()?;
    Ok(())
}
