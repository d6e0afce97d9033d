use durable_runtime::activity;

#[activity]
struct Charge;

fn main() {
    let _ = Charge;
}
