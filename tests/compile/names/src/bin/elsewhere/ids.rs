pub use uuid::Uuid as Id;

pub fn fresh() -> Id {
    super::ids::made()
}

fn made() -> Id {
    Id::new_v4()
}
