use durable_runtime::activity;

#[activity]
async unsafe fn charge(n: u64) -> u64 {
    n
}

#[activity]
async extern "C" fn refund(n: u64) -> u64 {
    n
}

fn main() {}
