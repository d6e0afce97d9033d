use std::{thread, time::Duration};

pub fn pause(seconds: u64) {
    thread::sleep(Duration::from_secs(seconds));
}
