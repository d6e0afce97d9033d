use std::sync::Arc;

use durable_runtime::orchestrator;

#[orchestrator]
async fn compares(name: String) -> bool {
    let (first, second) = (Arc::new(name.clone()), Arc::new(name));
    let address = &*first as *const String;
    let text = format!("{:p} {address:?}", &first);
    Arc::as_ptr(&first).is_null() || Arc::ptr_eq(&first, &second) || text.as_ptr().is_null()
}

fn main() {}
