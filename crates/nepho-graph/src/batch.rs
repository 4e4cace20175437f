//! Carrying out a whole query on batches of rows, on all cores.
//!
//! A query part is cut at its gathering projections; what lies between is a list of [`stages::Stage`]s. The first scan
//! (or the rows of the projection before) is cut into morsels, which run through the stages independently and are put
//! together in order, so that the answer does not depend on the number of cores. Within a morsel a batch holds one
//! [`Vector`] for each slot that is still needed. What has no form for batches here (paths, trails, subqueries, optional
//! matches) is done row by row by [`crate::exec`], which also says what every operator means: the two must agree, and
//! the differential test holds them to it.

use crate::graph::{NodeId, RelationId};
use crate::plan::Slot;
use crate::value::ResultValue as V;

mod closing;
mod column_test;
mod expand;
mod filter;
mod group;
mod run;
mod stages;
mod worker;

pub(crate) use filter::nodes_where;
pub(crate) use group::Groups;
pub(crate) use run::rows;

/// The values of one slot.
#[derive(Clone, Debug)]
pub(crate) enum Vector {
    Nodes(Vec<u32>),
    Relations(Vec<RelationId>),
    Values(Vec<V>),
    /// The same in every row.
    Same(V),
}

impl Vector {
    /// The value in a row.
    #[inline]
    pub fn get(&self, row: usize) -> V {
        match self {
            Self::Nodes(nodes) => nodes.get(row).map_or(V::Null, |node| V::Node(NodeId(*node))),
            Self::Relations(relations) => relations.get(row).map_or(V::Null, |relation| V::Relation(*relation)),
            Self::Values(values) => values.get(row).cloned().unwrap_or_default(),
            Self::Same(value) => value.clone(),
        }
    }

    /// The node in a row, when it is one.
    #[inline]
    pub fn node(&self, row: usize) -> Option<u32> {
        match self {
            Self::Nodes(nodes) => nodes.get(row).copied(),
            Self::Values(values) => match values.get(row) {
                Some(V::Node(node)) => Some(node.0),
                _ => None,
            },
            Self::Same(V::Node(node)) => Some(node.0),
            _ => None,
        }
    }

    /// Some rows that lie together.
    fn part(&self, rows: std::ops::Range<usize>) -> Self {
        match self {
            Self::Nodes(nodes) => Self::Nodes(nodes.get(rows).unwrap_or_default().to_vec()),
            Self::Relations(relations) => Self::Relations(relations.get(rows).unwrap_or_default().to_vec()),
            Self::Values(values) => Self::Values(values.get(rows).unwrap_or_default().to_vec()),
            Self::Same(value) => Self::Same(value.clone()),
        }
    }

    fn gathered(&self, rows: &[u32]) -> Self {
        fn pick<T: Clone>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().filter_map(|row| values.get(*row as usize).cloned()).collect()
        }
        match self {
            Self::Nodes(nodes) => Self::Nodes(pick(nodes, rows)),
            Self::Relations(relations) => Self::Relations(pick(relations, rows)),
            Self::Values(values) => Self::Values(pick(values, rows)),
            Self::Same(value) => Self::Same(value.clone()),
        }
    }
}

/// Rows, slot by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub rows: usize,
    /// By slot; `None` where the slot holds nothing or is needed no more.
    pub slots: Vec<Option<Vector>>,
    /// Rows for which a condition of the match at hand was unknown; empty where there are none.
    pub pending: Vec<bool>,
}

impl Batch {
    /// One row without values.
    pub fn unit(width: usize) -> Self {
        Self { rows: 1, slots: vec![None; width], pending: Vec::new() }
    }

    pub fn slot(&self, slot: Slot) -> Option<&Vector> {
        self.slots.get(slot).and_then(Option::as_ref)
    }

    pub fn set(&mut self, slot: Slot, vector: Vector) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(vector);
        }
    }

    /// The rows of these numbers, with the slots that are live.
    pub fn gathered(&self, rows: &[u32], live: &[bool]) -> Self {
        let slots = self
            .slots
            .iter()
            .zip(live)
            .map(|(vector, live)| vector.as_ref().filter(|_| *live).map(|vector| vector.gathered(rows)));
        let pending = match self.pending.as_slice() {
            [] => Vec::new(),
            pending => rows.iter().map(|row| pending.get(*row as usize).copied().unwrap_or(false)).collect(),
        };
        Self { rows: rows.len(), slots: slots.collect(), pending }
    }

    /// Writes a row's values into a frame.
    pub fn load(&self, row: usize, frame: &mut [V]) {
        for (vector, place) in self.slots.iter().zip(frame) {
            *place = vector.as_ref().map_or(V::Null, |vector| vector.get(row));
        }
    }

    pub fn is_pending(&self, row: usize) -> bool {
        self.pending.get(row).copied().unwrap_or(false)
    }
}
