pub mod inner;

use std::time::Instant;

pub struct Clock {
    pub seconds: u64,
}

impl Clock {
    pub fn start() -> Self {
        let started = Instant::now();
        Self {
            seconds: u64::from(started == started),
        }
    }
}
