//! Names of the crate `uuid`.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uuid(u128);

impl Uuid {
    pub const NAMESPACE_OID: Self = Self(1);

    pub fn new_v4() -> Self {
        Self(4)
    }

    pub fn now_v7() -> Self {
        Self(7)
    }

    pub fn new_v5(namespace: &Self, name: &[u8]) -> Self {
        Self(namespace.0 + name.len() as u128)
    }

    pub const fn nil() -> Self {
        Self(0)
    }
}
