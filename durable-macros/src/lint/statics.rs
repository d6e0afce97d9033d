//! Statics: those that can be changed keep state that no history records.

use quote::ToTokens as _;
use syn::{ItemStatic, StaticMutability, Type};

use super::Lint;
use crate::catalogue::Code;

/// Types that are changed through a shared reference. Those that are set once, as `LazyLock`, hold a constant.
const CHANGING: &[&str] = &[
    "Mutex",
    "RwLock",
    "ReentrantLock",
    "ReentrantMutex",
    "FairMutex",
    "Cell",
    "RefCell",
    "UnsafeCell",
    "AtomicRefCell",
    "AtomicCell",
    "ArcSwap",
    "ArcSwapOption",
    "DashMap",
    "DashSet",
    "SegQueue",
    "ArrayQueue",
    "Sender",
    "Receiver",
    "UnboundedSender",
    "UnboundedReceiver",
    "Notify",
    "Semaphore",
    "Condvar",
    "Barrier",
];

/// Whether the type holds one that is changed through a shared reference.
pub(super) fn is_changing(ty: &Type) -> bool {
    text_is_changing(&ty.to_token_stream().to_string())
}

/// The same, for a type as text.
pub(super) fn text_is_changing(ty: &str) -> bool {
    let words = ty.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words
        .into_iter()
        .any(|word| CHANGING.contains(&word) || is_atomic(word))
}

fn is_atomic(word: &str) -> bool {
    let kind = word.strip_prefix("Atomic").unwrap_or_default();
    matches!(kind, "Bool" | "Ptr") || kind.starts_with(['I', 'U']) && kind.len() > 1
}

impl Lint {
    /// A static of the body itself.
    pub(super) fn static_item(&mut self, item: &ItemStatic) {
        if matches!(item.mutability, StaticMutability::Mut(_)) {
            self.find(
                Code::D050,
                item.static_token,
                &format!("`static mut {}`", item.ident),
            );
        }
    }
}
