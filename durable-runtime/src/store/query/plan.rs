//! From a filter to the rows that are read for it.

use crate::store::index::Term;
use crate::store::query::Filter;

/// Groups of terms: an instance must have one of each group. Without any, all instances are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan(pub(super) Vec<Vec<Term>>);

impl Plan {
    /// What the index knows of a filter.
    pub(super) fn of(filter: &Filter) -> Self {
        let statuses = filter.statuses.iter().map(|status| Term::status(*status));
        let names = filter.names.iter().map(|name| Term::name(name));
        let tags = filter
            .tags
            .iter()
            .map(|(key, value)| vec![Term::tag(key, value)]);
        let mut groups = vec![statuses.collect(), names.collect()];
        groups.extend(tags);
        groups.retain(|group| !group.is_empty());
        Self(groups)
    }
}
