//! Relations of one type as compressed adjacency, in one direction.
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

impl Adjacency {
    /// From the two ends of each relation, in ascending order of `from`; relation numbers are positions.
    pub fn forward(from: &[u32], to: Vec<u32>, kinds: &[Range<u32>]) -> Self {
        let mut adjacency = Self { segment_of_kind: vec![u32::MAX; kinds.len()], ..Self::default() };
        let mut position = 0;
        while let Some(node) = from.get(position) {
            let kind = kinds.partition_point(|range| range.end <= *node);
            let Some(range) = kinds.get(kind).filter(|range| range.contains(node)) else { break };
            let mut offsets = Vec::with_capacity(range.len() + 1);
            offsets.push(position as u32);
            for node in range.clone() {
                while from.get(position).is_some_and(|of| *of == node) {
                    position += 1;
                }
                offsets.push(position as u32);
            }
            adjacency.add(kind, Segment { first: range.start, offsets });
        }
        adjacency.targets = to;
        adjacency
    }

    /// The same relations seen from their other ends: by end, then by relation number.
    pub fn reversed(&self, kinds: &[Range<u32>]) -> Self {
        let nodes = kinds.last().map_or(0, |range| range.end as usize);
        // Only kinds that relations end in get offsets; which those are is not known before the relations are read.
        let mut counts = vec![0u32; nodes + 1];
        for target in &self.targets {
            if let Some(count) = counts.get_mut(*target as usize) {
                *count += 1;
            }
        }
        let mut reversed = Self { segment_of_kind: vec![u32::MAX; kinds.len()], ..Self::default() };
        let mut position = 0;
        for (kind, range) in kinds.iter().enumerate() {
            let counts = counts.get_mut(range.start as usize..range.end as usize).unwrap_or_default();
            if counts.iter().all(|count| *count == 0) {
                continue;
            }
            let mut offsets = Vec::with_capacity(counts.len() + 1);
            for count in counts {
                offsets.push(position);
                // From here on: where the node's next relation goes.
                position += std::mem::replace(count, position);
            }
            offsets.push(position);
            reversed.add(kind, Segment { first: range.start, offsets });
        }
        reversed.targets = vec![0; self.targets.len()];
        reversed.edges = vec![0; self.targets.len()];
        for (source, positions) in self.rows() {
            for edge in positions {
                let Some(next) = self.targets.get(edge).and_then(|target| counts.get_mut(*target as usize)) else {
                    continue;
                };
                let at = *next as usize;
                *next += 1;
                if let (Some(target), Some(number)) = (reversed.targets.get_mut(at), reversed.edges.get_mut(at)) {
                    (*target, *number) = (source, edge as u32);
                }
            }
        }
        reversed
    }

    fn add(&mut self, kind: usize, segment: Segment) {
        if let Some(of) = self.segment_of_kind.get_mut(kind) {
            *of = self.segments.len() as u32;
        }
        self.segments.push(segment);
    }

    /// Every node that takes part, ascending, and the positions of its relations.
    pub fn rows(&self) -> impl Iterator<Item = (u32, Range<usize>)> + '_ {
        self.segments.iter().flat_map(|segment| {
            let pairs = segment.offsets.iter().zip(segment.offsets.iter().skip(1));
            pairs.enumerate().map(|(row, (start, end))| (segment.first + row as u32, *start as usize..*end as usize))
        })
    }

    /// The first node of a kind that takes part, and where the targets of each begin.
    pub fn segment(&self, kind: u32) -> Option<(u32, &[u32])> {
        let segment = self.segments.get(*self.segment_of_kind.get(kind as usize)? as usize)?;
        Some((segment.first, &segment.offsets))
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
    use super::Adjacency;

    #[test]
    fn neighbours_and_owners_agree() {
        let kinds = [0..2, 2..5, 5..6];
        let forward = Adjacency::forward(&[1, 1, 2, 4], vec![2, 5, 0, 4], &kinds);
        assert_eq!(forward.range(0, 0), 0..0);
        assert_eq!(forward.range(1, 0), 0..2);
        assert_eq!(forward.range(3, 1), 3..3);
        assert_eq!(forward.range(5, 2), 0..0);
        assert_eq!((0..4).map(|at| forward.owner(at)).collect::<Vec<_>>(), [Some(1), Some(1), Some(2), Some(4)]);
        let backward = forward.reversed(&kinds);
        let seen: Vec<_> = [(0, 0), (1, 0), (2, 1), (3, 1), (4, 1), (5, 2)]
            .map(|(node, kind)| {
                backward.range(node, kind).map(|at| (backward.targets[at], backward.edge(at))).collect::<Vec<_>>()
            })
            .to_vec();
        assert_eq!(seen, [vec![(2, 2)], vec![], vec![(1, 0)], vec![], vec![(4, 3)], vec![(1, 1)]]);
    }
}
