//! Whether a new build still has the points at which instances in flight were recorded.
//!
//! Asked for once, when a build first opens the store. It tells who needs a closer look; what decides is a replay:
//! [`Engine::verify`](crate::Engine::verify).

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use crate::event::HistoryEvent;
use crate::id::{BuildId, InstanceId, SiteId};
use crate::registry::Registry;
use crate::store::{Reader, Store, StoreError};

/// So many instances are looked at, so that opening is not held up.
const INSTANCES_MAX: usize = 1_000;
/// So many are named.
const NAMED_MAX: usize = 10;
/// The bit that tells the id of a point from the number of a place that has none.
const OF_ROWS: u32 = 1 << 31;

/// What was found of the orchestrators whose points are others than they were.
#[derive(Debug, Default)]
struct Finding {
    /// How many instances of these are in flight, of those that were looked at.
    in_flight: usize,
    /// How many of them were recorded at a point that is gone.
    affected: usize,
    /// The first of those.
    named: Vec<Gone>,
    /// Whether there are instances that were not looked at.
    is_cut: bool,
}

/// An instance, and where it was recorded.
#[derive(Debug)]
struct Gone {
    instance: InstanceId,
    place: Option<String>,
}

/// The ordinal of this build in the store. If it is new there, it is compared with the one before.
pub(super) fn build(
    store: &mut Store,
    registry: &Registry,
    fingerprint: &[u8],
) -> Result<BuildId, StoreError> {
    let (build, is_new) = store.build_of(fingerprint, &registry.points())?;
    if is_new {
        tell(registry, &store.reader(), build)?;
    }
    Ok(build)
}

/// Compares the points of `build`, which is new, with those of the build before it, and tells the log.
fn tell(registry: &Registry, reader: &Reader, build: BuildId) -> Result<(), StoreError> {
    let Some(before) = build.0.checked_sub(1).map(BuildId) else {
        return Ok(());
    };
    let Some(before) = reader.orchestrators(before)? else {
        return Ok(());
    };
    let changed = changed(&before, &registry.points());
    if changed.is_empty() {
        return Ok(());
    }
    let finding = look(registry, reader, &changed)?;
    let orchestrators: Vec<&str> = changed.iter().map(String::as_str).collect();
    let orchestrators = orchestrators.join(", ");
    if finding.affected > 0 {
        tracing::warn!(
            orchestrators,
            instances = finding.affected,
            "this build lacks points at which instances in flight were recorded: {finding}; they may stall. \
             `Engine::verify` says for certain; to be safe, register the change as a new version"
        );
    } else if finding.in_flight > 0 {
        tracing::info!(
            orchestrators,
            instances = finding.in_flight,
            "orchestrators have changed since the build before; every point at which instances in flight were recorded is \
             still there"
        );
    }
    Ok(())
}

/// The names of the orchestrators of the build before that are not the same now.
fn changed(before: &str, now: &str) -> BTreeSet<String> {
    let now: HashSet<&str> = now.lines().collect();
    let others = before.lines().filter(|line| !now.contains(line));
    let names = others.filter_map(|line| line.split_once('\t'));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Looks for points that are gone in the histories of instances of `changed`.
fn look(
    registry: &Registry,
    reader: &Reader,
    changed: &BTreeSet<String>,
) -> Result<Finding, StoreError> {
    let known = registry.site_ids();
    let mut finding = Finding::default();
    let mut unended = reader.unended();
    while let Some(page) = unended.next_page()? {
        for key in page {
            let Some(summary) = reader.shared_summary(key)? else {
                continue;
            };
            let name = Registry::spelled(&summary.name, summary.version.as_deref());
            if summary.has_ended() || !changed.contains(&name) {
                continue;
            }
            if finding.in_flight == INSTANCES_MAX {
                finding.is_cut = true;
                return Ok(finding);
            }
            finding.in_flight += 1;
            // What is wrong with a history is told where the instance is brought to life.
            let Ok(history) = reader.current_history(key, &summary) else {
                continue;
            };
            if let Some((build, site)) = first_gone(&history, &known) {
                finding.affected += 1;
                if finding.named.len() < NAMED_MAX {
                    finding.named.push(Gone {
                        instance: summary.id.clone(),
                        place: reader.spot(build, site)?,
                    });
                }
            }
        }
    }
    Ok(finding)
}

/// The first point of a history that is not `known`.
fn first_gone(history: &[HistoryEvent], known: &HashSet<u32>) -> Option<(BuildId, SiteId)> {
    let mut build = BuildId::default();
    history.iter().find_map(|event| {
        if let HistoryEvent::TurnStarted(turn) = event {
            build = turn.build;
        }
        let site = event.site()?;
        let is_gone = site.0 & OF_ROWS != 0 && !known.contains(&site.0);
        is_gone.then_some((build, site))
    })
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.named.iter().map(|Gone { instance, place }| {
            let place = place.as_deref().unwrap_or("an unknown place");
            let (place, text) = place.split_once('\n').unwrap_or((place, ""));
            let text = text.trim();
            if text.is_empty() {
                format!("`{instance}` at {place}")
            } else {
                format!("`{instance}` at {place} (`{text}`)")
            }
        });
        f.write_str(&named.collect::<Vec<_>>().join(", "))?;
        let more = self.affected - self.named.len();
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        if self.is_cut {
            write!(f, " (of the first {INSTANCES_MAX} in flight)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orchestrator_has_changed_if_its_line_is_another_or_gone() {
        let before = "`a`\t1\n`b`\t2\n`c` version 2\t3\n";
        let now = "`a`\t1\n`b`\t9\n`new`\t4\n";
        let names: Vec<String> = changed(before, now).into_iter().collect();
        assert_eq!(names, ["`b`", "`c` version 2"]);
        assert!(changed(before, before).is_empty());
        assert!(changed("", now).is_empty());
    }

    #[test]
    fn what_is_told_is_bounded() {
        let gone = |id: &str, place: Option<&str>| Gone {
            instance: InstanceId::parse(id).unwrap(),
            place: place.map(str::to_owned),
        };
        let finding = Finding {
            in_flight: 9,
            affected: 5,
            named: vec![
                gone("order-1", Some("src/shop.rs:3:5\n    charge(order).await;")),
                gone("order-2", None),
            ],
            is_cut: true,
        };
        assert_eq!(
            finding.to_string(),
            "`order-1` at src/shop.rs:3:5 (`charge(order).await;`), `order-2` at an unknown place and 3 more \
             (of the first 1000 in flight)"
        );
    }
}
