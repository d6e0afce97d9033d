//! The same name in all the ways in which it can be written.

use std as s;
use std::time as clocks;
use std::time::Instant as I;
use std::{env, time::{self, SystemTime as Wall}};

use durable_runtime::prelude::*;

type Clock = std::time::Instant;

mod ids {
    pub use uuid::Uuid as Id;
    pub mod deep {
        pub use super::Id as Deeper;
    }
}

mod globbed {
    use durable_runtime::prelude::*;
    use std::time::*;

    #[orchestrator]
    async fn under_a_glob() -> bool {
        let started = Instant::now(); //~ D002 Instant::now
        started == started
    }
}

macro_rules! pair {
    ($a:expr => $b:expr) => {
        ($a, $b)
    };
}

#[orchestrator]
async fn renamed() -> bool {
    let a = I::now(); //~ D002 I::now
    let b = Wall::now(); //~ D001 Wall::now
    let c = Clock::now(); //~ D002 Clock::now
    let d = clocks::Instant::now(); //~ D002 clocks::Instant::now
    let e = time::Instant::now(); //~ D002 time::Instant::now
    let f = s::time::Instant::now(); //~ D002 s::time::Instant::now
    let g = ::std::time::Instant::now(); //~ D002 ::std::time::Instant::now
    let h = <I>::now(); //~ D002 <I>::now
    let i = ids::Id::new_v4(); //~ D011 ids::Id::new_v4
    let j = ids::deep::Deeper::now_v7(); //~ D011 ids::deep::Deeper::now_v7
    let k = crate::ids::Id::new_v4(); //~ D011 crate::ids::Id::new_v4
    let l = self::ids::Id::new_v4(); //~ D011 self::ids::Id::new_v4
    let _ = (a, b, c, d, e, f, g, h, i, j, k, l);
    true
}

#[orchestrator]
async fn imported_here() -> bool {
    use std::env::var as read;
    type Local = uuid::Uuid;
    let region = read("REGION"); //~ D032 read
    {
        use uuid::Uuid;
        let _ = Uuid::new_v4(); //~ D011 Uuid::new_v4
    }
    let _ = Local::new_v4(); //~ D011 Local::new_v4
    region.is_ok()
}

#[orchestrator]
async fn as_values() -> usize {
    let keys = ["A", "B"];
    let found = keys.iter().filter_map(|key| env::var(key).ok()).count(); //~ D032 env::var
    let now: fn() -> I = I::now; //~ D002 I::now
    let ids: Vec<_> = std::iter::repeat_with(ids::Id::new_v4).take(1).collect(); //~ D011 ids::Id::new_v4
    let _ = now;
    found + ids.len()
}

#[orchestrator]
async fn in_items() -> bool {
    const NOW: fn() -> I = I::now; //~ D002 I::now
    trait Timed {
        fn start(&self) -> I {
            I::now() //~ D002 I::now
        }
    }
    impl Timed for () {}
    NOW() == ().start()
}

#[orchestrator]
async fn under_a_condition() -> u64 {
    #[cfg(all())]
    let there = I::now(); //~ D002 I::now
    #[cfg(any())]
    let there = Wall::now();
    match there.elapsed().as_secs() {
        #[cfg(any())]
        0 => u64::from(Wall::now() > Wall::UNIX_EPOCH),
        #[cfg(not(any()))]
        0 => u64::from(Wall::now() > Wall::UNIX_EPOCH), //~ D001 Wall::now
        seconds => seconds,
    }
}

#[orchestrator]
async fn in_macros() -> usize {
    let all = vec![I::now()]; //~ D002 I::now
    let text = format!("{:?} {:?}", 1, Wall::now()); //~ D001 Wall::now
    let both = pair!(I::now() => 1); //~ D002 I::now
    assert!(env::args().count() > 0, "{:?}", env::var("A")); //~ D032 env::args; D032 env::var
    let _ = both;
    all.len() + text.len()
}

#[orchestrator]
async fn inside() -> u64 {
    fn nested() -> I {
        I::now() //~ D002 I::now
    }
    struct Own;
    impl Own {
        fn of() -> I {
            I::now() //~ D002 I::now
        }
    }
    let closure = |n: u64| n + u64::from(I::now() == Own::of()); //~ D002 I::now
    let _ = nested();
    let (a, b) = join!(async { env::args().count() }, side_effect(|| 1_u64)); //~ D032 env::args
    select! {
        c = side_effect(|| 1_u64) => c + b + closure(1) + u64::from(I::now() == I::now()), //~ D002 I::now; D002 I::now
        _ = sleep(seconds(a as u64)), if env::var("A").is_ok() => 2, //~ D032 env::var
    }
}

fn main() {}
