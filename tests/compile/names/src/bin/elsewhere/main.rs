//! Names and functions of other files.

mod clock;
mod ids;

use clock::inner::pause;
use durable_runtime::prelude::*;
use ids::Id;

#[orchestrator]
async fn names_it() -> bool {
    Id::new_v4() == ids::fresh() //~ D011 Id::new_v4; D011 ids::fresh
}

#[orchestrator]
async fn waits() -> u64 {
    pause(1); //~ D003 pause
    clock::Clock::start().seconds //~ D002 clock::Clock::start
}

fn main() {}
