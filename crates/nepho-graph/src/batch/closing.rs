//! Where the relations lead that close a circle, so that a step goes only to ends that they meet: an intersection of sorted
//! lists of neighbours that costs no more than going through the shortest of them.

use std::ops::Range;

/// The nodes that the closing relations of a step lead to from one row.
#[derive(Default)]
pub(super) struct Common<'g> {
    closings: usize,
    /// Ascending, not empty; each with the number of the closing relation that leads there.
    lists: Vec<(usize, &'g [u32])>,
}

impl<'g> Common<'g> {
    pub fn clear(&mut self, closings: usize) {
        self.closings = closings;
        self.lists.clear();
    }

    pub fn add(&mut self, closing: usize, list: &'g [u32]) {
        if !list.is_empty() {
            self.lists.push((closing, list));
        }
    }

    pub fn leads_anywhere(&self, closing: usize) -> bool {
        self.lists.iter().any(|(of, _)| *of == closing)
    }

    /// Whether all closing relations lead to a node, apart from one of which that is known.
    pub fn all_lead_to(&self, target: u32, known: Option<usize>) -> bool {
        (0..self.closings).all(|closing| known == Some(closing) || leads_to(&self.lists, closing, target))
    }

    /// Where among neighbours (ascending) those are that all closing relations lead to; `None` when it is better to ask
    /// for each, since no closing relation leads to fewer nodes than there are neighbours.
    pub fn within(&self, neighbours: &[u32]) -> Option<Vec<Range<usize>>> {
        let nodes =
            |closing| -> usize { self.lists.iter().filter(|(of, _)| *of == closing).map(|(_, list)| list.len()).sum() };
        let (fewest, closing) = (0..self.closings).map(|closing| (nodes(closing), closing)).min()?;
        if fewest >= neighbours.len() {
            return None;
        }
        let mut parts = Vec::new();
        for (number, (of, list)) in self.lists.iter().enumerate() {
            if *of != closing {
                continue;
            }
            let earlier = self.lists.get(..number).unwrap_or_default();
            let mut from = 0;
            for same in list.chunk_by(|left, right| left == right) {
                let Some(node) = same.first() else { continue };
                let part = equal(neighbours.get(from..).unwrap_or_default(), *node);
                let part = from + part.start..from + part.end;
                from = part.end;
                if !part.is_empty() && !leads_to(earlier, closing, *node) && self.all_lead_to(*node, Some(closing)) {
                    parts.push(part);
                }
            }
        }
        Some(parts)
    }
}

fn leads_to(lists: &[(usize, &[u32])], closing: usize, target: u32) -> bool {
    lists.iter().any(|(of, list)| *of == closing && list.binary_search(&target).is_ok())
}

/// Where a node is among neighbours (ascending).
pub(super) fn equal(neighbours: &[u32], node: u32) -> Range<usize> {
    let start = neighbours.partition_point(|target| *target < node);
    let same = neighbours.iter().skip(start).take_while(|target| **target == node).count();
    start..start + same
}
