//! Relations of one type as compressed adjacency, in both directions.
//!
//! Offsets are kept only for kinds that take part, so that a type between two kinds costs nothing for the others.

use std::ops::Range;

/// Neighbours of nodes in one direction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Adjacency {
    /// Kind → index into `segments`, `u32::MAX` for kinds that take no part.
    segment_of_kind: Vec<u32>,
    segments: Vec<Segment>,
    /// The other ends.
    pub targets: Vec<u32>,
    /// Relation numbers; empty where they are the positions themselves (the forward direction).
    edges: Vec<u32>,
}

/// The nodes of one kind.
#[derive(Clone, Debug)]
struct Segment {
    first: u32,
    /// One more than nodes; positions in `targets`.
    offsets: Vec<u32>,
}

/// Where each kind's nodes are.
pub(crate) struct Kinds<'a> {
    /// Node → kind.
    pub of: &'a [u32],
    /// Kind → its nodes.
    pub ranges: &'a [Range<u32>],
}

impl Adjacency {
    /// From `(node, other end, relation number)` sorted by node; the numbers are left out when they count up from 0.
    pub fn new(sorted: &[(u32, u32, u32)], kinds: &Kinds<'_>) -> Self {
        let mut adjacency = Self { segment_of_kind: vec![u32::MAX; kinds.ranges.len()], ..Self::default() };
        let mut position = 0;
        while let Some((node, ..)) = sorted.get(position) {
            let Some(kind) = kinds.of.get(*node as usize) else { break };
            let Some(range) = kinds.ranges.get(*kind as usize) else { break };
            let mut offsets = Vec::with_capacity(range.len() + 1);
            offsets.push(position as u32);
            for node in range.clone() {
                while sorted.get(position).is_some_and(|(of, ..)| *of == node) {
                    position += 1;
                }
                offsets.push(position as u32);
            }
            if let Some(segment) = adjacency.segment_of_kind.get_mut(*kind as usize) {
                *segment = adjacency.segments.len() as u32;
            }
            adjacency.segments.push(Segment { first: range.start, offsets });
        }
        adjacency.targets = sorted.iter().map(|(_, target, _)| *target).collect();
        if !sorted.iter().enumerate().all(|(position, (.., edge))| position as u32 == *edge) {
            adjacency.edges = sorted.iter().map(|(.., edge)| *edge).collect();
        }
        adjacency
    }

    /// Whether any node of the kind takes part.
    pub fn has_kind(&self, kind: u32) -> bool {
        self.segment_of_kind.get(kind as usize).is_some_and(|segment| *segment != u32::MAX)
    }

    /// Positions of the relations of a node.
    #[inline]
    pub fn range(&self, node: u32, kind: u32) -> Range<usize> {
        let segment = self.segment_of_kind.get(kind as usize).copied().unwrap_or(u32::MAX);
        let Some(segment) = self.segments.get(segment as usize) else { return 0..0 };
        let local = (node - segment.first) as usize;
        match (segment.offsets.get(local), segment.offsets.get(local + 1)) {
            (Some(start), Some(end)) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }

    /// The relation number at a position.
    #[inline]
    pub fn edge(&self, position: usize) -> u32 {
        self.edges.get(position).copied().unwrap_or(position as u32)
    }

    /// The node that a position belongs to.
    pub fn owner(&self, position: u32) -> Option<u32> {
        let index = self.segments.partition_point(|segment| segment.offsets.first().is_some_and(|at| *at <= position));
        let segment = self.segments.get(index.checked_sub(1)?)?;
        let local = segment.offsets.partition_point(|offset| *offset <= position);
        Some(segment.first + local.checked_sub(1)? as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::{Adjacency, Kinds};

    #[test]
    fn neighbours_and_owners_agree() {
        let kinds = Kinds { of: &[0, 0, 1, 1, 1, 2], ranges: &[0..2, 2..5, 5..6] };
        let adjacency = Adjacency::new(&[(1, 5, 0), (1, 2, 1), (2, 0, 2), (4, 4, 3)], &kinds);
        assert_eq!(adjacency.range(0, 0), 0..0);
        assert_eq!(adjacency.range(1, 0), 0..2);
        assert_eq!(adjacency.range(3, 1), 3..3);
        assert_eq!(adjacency.range(5, 2), 0..0);
        assert_eq!((0..4).map(|at| adjacency.owner(at)).collect::<Vec<_>>(), [Some(1), Some(1), Some(2), Some(4)]);
    }
}
