//! What changed between two snapshots: resources, relations and verdicts, by merging what both keep in order.
//!
//! What is not there any more counts as gone only where it would have been seen: where its kind was completely listed in
//! its account and region, in both snapshots. All else that is not seen is told apart. The same the other way round for
//! what is new. Holds the keys of the kinds that differ and one column at a time.

mod cells;
mod known;
mod relations;
mod resources;
mod verdicts;

use std::sync::Arc;

use nepho_model::Verdict;
use serde_json::Value as Json;

use crate::read::Snapshot;
use crate::verdict::VerdictRow;
use resources::Matched;

/// What changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// Resources.
    pub resources: Changes<Resource, ChangedResource>,
    /// Relations.
    pub relations: Changes<Relation, ChangedRelation>,
    /// Verdicts. That a resource is new or gone makes its verdicts new or gone.
    pub verdicts: Changes<VerdictRow, ChangedVerdict>,
    /// What could not be compared, because a file is damaged or missing: one sentence each.
    pub faults: Vec<String>,
    /// What people should know.
    pub notes: Vec<String>,
}

/// Changes of one sort, each in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes<T, C> {
    /// Only in the later one.
    pub added: Vec<T>,
    /// Only in the earlier one.
    pub removed: Vec<T>,
    /// In both, with differences.
    pub changed: Vec<C>,
    /// Seen only in the later one, but not known to be new: it might not have been seen before.
    pub newly_seen: Vec<T>,
    /// Seen only in the earlier one, but not known to be gone.
    pub not_seen: Vec<T>,
}

impl<T, C> Default for Changes<T, C> {
    fn default() -> Self {
        let (added, removed, newly_seen, not_seen) = Default::default();
        Self { added, removed, changed: Vec::new(), newly_seen, not_seen }
    }
}

impl<T, C> Changes<T, C> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
            && [&self.added, &self.removed, &self.newly_seen, &self.not_seen].iter().all(|of| of.is_empty())
    }

    fn push(&mut self, side: Side, known: bool, item: T) {
        let to = match (side, known) {
            (Side::Later, true) => &mut self.added,
            (Side::Later, false) => &mut self.newly_seen,
            (Side::Earlier, true) => &mut self.removed,
            (Side::Earlier, false) => &mut self.not_seen,
        };
        to.push(item);
    }
}

/// In which snapshot alone something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Earlier,
    Later,
}

/// A resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// Its kind.
    pub kind: Arc<str>,
    /// Its key.
    pub key: Arc<str>,
    /// Its account; empty where it is of none.
    pub account: Arc<str>,
    /// Its region.
    pub region: Arc<str>,
}

/// A resource that is not what it was.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedResource {
    /// As it is in the later one.
    pub resource: Resource,
    /// What is different.
    pub properties: Vec<PropertyChange>,
}

/// A property that is not what it was. Unknown is `{"unknown": true}`.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyChange {
    /// Its name.
    pub name: Arc<str>,
    /// In the earlier one.
    pub old: Json,
    /// In the later one.
    pub new: Json,
}

/// A relation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relation {
    /// Its type.
    pub name: Arc<str>,
    /// Where it starts.
    pub from: Resource,
    /// Where it ends.
    pub to: Resource,
}

/// A relation whose properties are not what they were.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedRelation {
    /// The relation.
    pub relation: Relation,
    /// What is different.
    pub properties: Vec<PropertyChange>,
}

/// A verdict that is not what it was.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangedVerdict {
    /// As it was.
    pub old: Verdict,
    /// As it is.
    pub row: VerdictRow,
}

/// What changed from `earlier` to `later`.
pub fn diff(earlier: &Snapshot, later: &Snapshot) -> Diff {
    let mut diff = Diff::default();
    let mut matched = Matched::new(earlier, later, &mut diff.faults);
    resources::compare(&matched, &mut diff);
    relations::compare(&mut matched, &mut diff);
    verdicts::compare(earlier, later, &mut diff);
    if earlier.manifest().schema != later.manifest().schema {
        diff.notes.push(
            "the two were made with different catalogues: what a kind or property means may have changed, too"
                .to_owned(),
        );
    }
    let mut seen = std::collections::BTreeSet::new();
    diff.faults.retain(|fault| seen.insert(fault.clone()));
    diff
}
