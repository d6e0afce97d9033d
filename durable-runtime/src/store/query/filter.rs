//! What must hold of an instance for it to be listed.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Order;
use crate::clock::Timestamp;
use crate::store::index::Facts;
use crate::store::summary::{Status, Summary};

/// Times in milliseconds, without the last.
pub(crate) type Span = Range<u64>;

/// What must hold of an instance for it to be listed. An empty set says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Any of them.
    pub(crate) statuses: BTreeSet<Status>,
    /// Any of them.
    pub(crate) names: BTreeSet<String>,
    /// All of them.
    pub(crate) tags: BTreeSet<(String, String)>,
    pub(crate) created: Option<Span>,
    pub(crate) completed: Option<Span>,
    pub(crate) id_prefix: Option<String>,
}

impl Filter {
    pub(crate) fn order(&self) -> Order {
        match self {
            Self {
                id_prefix: Some(_), ..
            } => Order::Id,
            Self {
                completed: Some(_), ..
            } => Order::Completion,
            _ => Order::Creation,
        }
    }

    /// Whether it may hold of an instance with this status.
    pub(super) fn allows(&self, status: Status) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status)
    }

    /// Whether it holds of an instance.
    pub(super) fn holds(&self, instance: &impl Subject) -> bool {
        let within = |span: &Option<Span>, at: &dyn Fn() -> Option<Timestamp>| match span {
            None => true,
            Some(span) => at().is_some_and(|at| span.contains(&at.0)),
        };
        self.allows(instance.status())
            && (self.names.is_empty() || self.names.contains(instance.name()))
            && (self.tags.iter()).all(|(key, value)| instance.has_tag(key, value))
            && (self.id_prefix.as_deref()).is_none_or(|prefix| instance.id().starts_with(prefix))
            && within(&self.created, &|| Some(instance.created_at()))
            && within(&self.completed, &|| instance.completed_at())
    }
}

/// What a filter asks of an instance, wherever that is read; nothing is copied for it.
pub(super) trait Subject {
    fn id(&self) -> &str;
    fn name(&self) -> &str;
    fn status(&self) -> Status;
    fn has_tag(&self, key: &str, value: &str) -> bool;
    fn created_at(&self) -> Timestamp;
    fn completed_at(&self) -> Option<Timestamp>;
}

impl Subject for Summary {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn status(&self) -> Status {
        self.status
    }

    fn has_tag(&self, key: &str, value: &str) -> bool {
        self.tags.get(key).is_some_and(|tag| tag == value)
    }

    fn created_at(&self) -> Timestamp {
        Timestamp::from_system_time(self.created_at)
    }

    fn completed_at(&self) -> Option<Timestamp> {
        self.completed_at.map(Timestamp::from_system_time)
    }
}

impl Subject for Facts<'_> {
    fn id(&self) -> &str {
        self.id
    }

    fn name(&self) -> &str {
        self.name
    }

    fn status(&self) -> Status {
        self.status
    }

    fn has_tag(&self, key: &str, value: &str) -> bool {
        self.tags.contains(&(key, value))
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }

    fn completed_at(&self) -> Option<Timestamp> {
        self.completed_at
    }
}
