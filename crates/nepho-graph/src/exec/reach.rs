//! Which nodes a variable-length relation reaches, each once: breadth first with a bitmap of what was seen.
//!
//! Over directed relations a node that some walk reaches is also reached by a trail no longer than it, so one visit per
//! node gives the same ends as all trails would. The one exception is the way back to the start over undirected
//! relations, which may not use one relation twice; it is looked for apart.

use std::ops::Range;

use hashbrown::HashMap;

use super::{Exec, Flow, Frame};
use crate::bind::Expand;
use crate::error::Outcome;
use crate::graph::adjacency::Adjacency;
use crate::graph::{NodeId, RelationId};
use crate::ir::Direction;
use crate::plan::Relation;

/// Nodes seen, kept from search to search so that a small search costs little in a large graph.
#[derive(Debug, Default)]
pub(super) struct Seen {
    words: Vec<u64>,
    touched: Vec<u32>,
    /// Met on the level at hand, seen before or not; empty between levels.
    met: Vec<u64>,
}

impl Seen {
    /// Makes room for so many nodes, none of them seen.
    fn clear(&mut self, nodes: usize) {
        let length = nodes.div_ceil(64);
        if self.words.len() < length {
            self.words = vec![0; length];
        } else if self.touched.len() > length {
            self.words.fill(0);
        } else {
            for node in &self.touched {
                if let Some(word) = self.words.get_mut(*node as usize >> 6) {
                    *word = 0;
                }
            }
        }
        self.touched.clear();
        self.met.resize(self.words.len(), 0);
    }

    /// Whether this is the first time that the node is seen.
    #[inline]
    fn first(&mut self, node: u32) -> bool {
        let Some(word) = self.words.get_mut(node as usize >> 6) else { return false };
        let bit = 1 << (node & 63);
        if *word & bit != 0 {
            return false;
        }
        if *word == 0 {
            self.touched.push(node);
        }
        *word |= bit;
        true
    }

    /// Notes that a node was met, to be asked for with [`Seen::take_new`].
    #[inline]
    fn meet(&mut self, node: u32) {
        if let Some(word) = self.met.get_mut(node as usize >> 6) {
            *word |= 1 << (node & 63);
        }
    }

    /// Takes the nodes out of a range that were met and not seen before, in ascending order.
    fn take_new(&mut self, nodes: Range<u32>, mut f: impl FnMut(u32)) {
        for index in nodes.start / 64..nodes.end.div_ceil(64) {
            let (Some(met), Some(word)) = (self.met.get_mut(index as usize), self.words.get_mut(index as usize)) else {
                return;
            };
            if *met == 0 {
                continue;
            }
            let first = index * 64;
            let mut mask = u64::MAX << nodes.start.saturating_sub(first);
            if nodes.end - first < 64 {
                mask &= (1 << (nodes.end - first)) - 1;
            }
            let mut new = *met & mask & !*word;
            *met &= !mask;
            if new != 0 && *word == 0 {
                self.touched.push(first);
            }
            *word |= new;
            while new != 0 {
                f(first + new.trailing_zeros());
                new &= new - 1;
            }
        }
    }
}

/// Puts the nodes of a level in ascending order, so that what lies together is read together.
#[derive(Debug, Default)]
pub(super) struct Sorter(Vec<u64>);

impl Sorter {
    pub fn sort(&mut self, level: &mut [u32], nodes: usize) {
        if level.len() * 64 < nodes {
            return level.sort_unstable();
        }
        self.0.resize(nodes.div_ceil(64), 0);
        for node in level.iter() {
            self.0[*node as usize >> 6] |= 1 << (node & 63);
        }
        let mut places = level.iter_mut();
        for (index, word) in self.0.iter_mut().enumerate() {
            let mut rest = std::mem::take(word);
            while rest != 0 {
                if let Some(place) = places.next() {
                    *place = index as u32 * 64 + rest.trailing_zeros();
                }
                rest &= rest - 1;
            }
        }
    }
}

/// A level of more than one node in so many is gone through without asking at each relation whether its end was seen.
const DENSE: usize = 1024;

/// How many searches go through the graph together.
pub(crate) const LANES: usize = 64;

/// Nodes seen by up to 64 searches at once, a bit each.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    seen: Vec<u64>,
    /// Searches that reached a node on the level at hand, and on the next one.
    now: Vec<u64>,
    next: Vec<u64>,
    touched: Vec<u32>,
}

impl Lanes {
    fn clear(&mut self, nodes: usize) {
        if self.seen.len() < nodes {
            *self = Self { seen: vec![0; nodes], now: vec![0; nodes], next: vec![0; nodes], touched: Vec::new() };
        }
        for node in self.touched.drain(..) {
            self.seen[node as usize] = 0;
        }
    }

    /// Notes that searches have seen a node; gives those that had not.
    #[inline]
    fn see(&mut self, node: u32, lanes: u64) -> u64 {
        let seen = &mut self.seen[node as usize];
        let new = lanes & !*seen;
        if *seen == 0 && new != 0 {
            self.touched.push(node);
        }
        *seen |= new;
        new
    }
}

/// What a search looks for.
pub(crate) struct Ends<'a> {
    pub expand: &'a Expand,
    pub relation: &'a Relation,
    pub from: NodeId,
    /// The one node that counts; `None` for all of the kinds.
    pub goal: Option<NodeId>,
    /// Kinds that count; `None` for all.
    pub kinds: Option<&'a [bool]>,
}

impl Ends<'_> {
    /// The nodes that count, when they are those of one kind.
    fn one_kind(&self, exec: &Exec<'_>) -> Option<Range<u32>> {
        exec.graph.one_kind(self.kinds.filter(|_| self.goal.is_none())?)
    }

    fn counts(&self, exec: &Exec<'_>, node: u32) -> bool {
        match (self.goal, self.kinds) {
            (Some(goal), _) => goal.0 == node,
            (None, Some(kinds)) => kinds.get(exec.graph.kind_number(NodeId(node)) as usize).copied().unwrap_or(false),
            (None, None) => true,
        }
    }
}

impl Exec<'_> {
    /// The ends, nearest first.
    pub(crate) fn ends(&self, search: &Ends<'_>, frame: &mut Frame) -> Outcome<Vec<u32>> {
        let mut seen = self.seen.take();
        seen.clear(self.graph.node_count());
        let found = self.search(search, &mut seen, frame)?;
        // After an error it is in no state to be used again.
        self.seen.replace(seen);
        Ok(found)
    }

    fn search(&self, search: &Ends<'_>, seen: &mut Seen, frame: &mut Frame) -> Outcome<Vec<u32>> {
        let Ends { expand, relation, from, goal, .. } = search;
        let (least, most) = relation.length.unwrap_or((1, Some(1)));
        let most = most.unwrap_or(u32::MAX);
        let both = expand.direction == Direction::Both;
        let mut ends = Vec::new();
        if least == 0 || both {
            seen.first(from.0);
        }
        if least == 0 && search.counts(self, from.0) {
            ends.push(from.0);
        }
        let mut level = vec![from.0];
        let mut depth = 0;
        let done = |ends: &[u32]| goal.is_some() && !ends.is_empty();
        let one_kind = search.one_kind(self);
        let counts = |node: u32| match &one_kind {
            Some(nodes) => nodes.contains(&node),
            None => search.counts(self, node),
        };
        let sweeps = self.sweeps(expand, relation);
        let mut sorter = self.sorter.take();
        while sweeps && depth < most && !level.is_empty() && !done(&ends) {
            depth += 1;
            let mut next = Vec::new();
            if level.len() * DENSE > self.graph.node_count() {
                self.sweep(&level, &expand.types, expand.direction, |target| seen.meet(target))?;
                for (kind, table) in self.graph.tables.iter().enumerate() {
                    let leads_on = depth < most && self.leads_on(&expand.types, expand.direction, kind as u32);
                    seen.take_new(table.nodes.clone(), |target| {
                        if counts(target) {
                            ends.push(target);
                        }
                        if leads_on && target != from.0 {
                            next.push(target);
                        }
                    });
                }
                level = next;
                continue;
            }
            self.sweep(&level, &expand.types, expand.direction, |target| {
                if seen.first(target) {
                    if counts(target) {
                        ends.push(target);
                    }
                    if target != from.0 {
                        next.push(target);
                    }
                }
            })?;
            sorter.sort(&mut next, self.graph.node_count());
            level = next;
        }
        self.sorter.replace(sorter);
        while !sweeps && depth < most && !level.is_empty() && !done(&ends) {
            depth += 1;
            let mut next = Vec::new();
            for node in &level {
                self.tick()?;
                self.look_for_unread(expand, NodeId(*node));
                self.each_neighbour(&expand.types, expand.direction, *node, |id, target| {
                    if !relation.properties.is_empty() && !self.has_properties(relation, id, frame)? {
                        return Ok(Flow::Go);
                    }
                    if seen.first(target) {
                        if counts(target) {
                            ends.push(target);
                        }
                        if target != from.0 {
                            next.push(target);
                        }
                    }
                    Ok(Flow::Go)
                })?;
            }
            level = next;
        }
        if both && least == 1 && !done(&ends) && search.counts(self, from.0) && self.leads_back(search, most, frame)? {
            ends.push(from.0);
        }
        Ok(ends)
    }

    /// The ends from each of up to [`LANES`] nodes, found together: each relation is walked once for all searches that
    /// stand at its start. `None` where that would not say the same as one search each (undirected relations, conditions
    /// on relations).
    pub(crate) fn ends_of_many(&self, search: &Ends<'_>, sources: &[u32]) -> Outcome<Option<Vec<Vec<u32>>>> {
        let Ends { expand, relation, .. } = search;
        if expand.direction == Direction::Both || !relation.properties.is_empty() || sources.len() > LANES {
            return Ok(None);
        }
        let mut lanes = self.lanes.take();
        lanes.clear(self.graph.node_count());
        let found = self.search_together(search, sources, &mut lanes)?;
        self.lanes.replace(lanes);
        Ok(Some(found))
    }

    fn search_together(&self, search: &Ends<'_>, sources: &[u32], lanes: &mut Lanes) -> Outcome<Vec<Vec<u32>>> {
        let Ends { expand, relation, .. } = search;
        let (least, most) = relation.length.unwrap_or((1, Some(1)));
        let most = most.unwrap_or(u32::MAX);
        let mut ends: Vec<Vec<u32>> = vec![Vec::new(); sources.len()];
        let mut level: Vec<u32> = Vec::new();
        for (lane, source) in sources.iter().enumerate() {
            if lanes.now[*source as usize] == 0 {
                level.push(*source);
            }
            lanes.now[*source as usize] |= 1 << lane;
            if least == 0 {
                lanes.see(*source, 1 << lane);
                if search.counts(self, *source) {
                    ends[lane].push(*source);
                }
            }
        }
        let mut depth = 0;
        while depth < most && !level.is_empty() {
            depth += 1;
            let mut next: Vec<u32> = Vec::new();
            for node in &level {
                self.tick()?;
                self.look_for_unread(expand, NodeId(*node));
                let here = lanes.now[*node as usize];
                self.each_neighbour(&expand.types, expand.direction, *node, |_, target| {
                    let new = lanes.see(target, here);
                    if new != 0 {
                        let reached = &mut lanes.next[target as usize];
                        if *reached == 0 {
                            next.push(target);
                        }
                        *reached |= new;
                    }
                    Ok(Flow::Go)
                })?;
            }
            level.iter().for_each(|node| lanes.now[*node as usize] = 0);
            for node in &next {
                let mut reached = std::mem::take(&mut lanes.next[*node as usize]);
                lanes.now[*node as usize] = reached;
                while search.counts(self, *node) && reached != 0 {
                    ends[reached.trailing_zeros() as usize].push(*node);
                    reached &= reached - 1;
                }
            }
            level = next;
        }
        level.iter().for_each(|node| lanes.now[*node as usize] = 0);
        Ok(ends)
    }

    /// Whether a trail over undirected relations leads back to its start: the shortest one is a cycle, made of two ways
    /// from the start that begin with different relations, and a relation between their ends.
    fn leads_back(&self, search: &Ends<'_>, most: u32, frame: &mut Frame) -> Outcome<bool> {
        let Ends { expand, relation, from, .. } = search;
        let mut reached: HashMap<u32, (Option<RelationId>, u32)> = HashMap::from_iter([(from.0, (None, 0))]);
        let mut level = vec![from.0];
        let mut depth = 0;
        let mut found = false;
        while depth < most && !level.is_empty() && !found {
            let mut next = Vec::new();
            for node in &level {
                self.tick()?;
                let branch = reached.get(node).and_then(|(branch, _)| *branch);
                self.each_neighbour(&expand.types, expand.direction, *node, |id, target| {
                    if !self.has_properties(relation, id, frame)? || (target == from.0 && branch == Some(id)) {
                        return Ok(Flow::Go);
                    }
                    let own = branch.or(Some(id));
                    match reached.get(&target) {
                        Some((other, far)) if *other != own => found |= depth + 1 + far <= most,
                        Some(_) => {}
                        None => {
                            reached.insert(target, (own, depth + 1));
                            next.push(target);
                        }
                    }
                    Ok(Flow::Go)
                })?;
            }
            level = next;
            depth += 1;
        }
        Ok(found)
    }

    /// Whether a level can be gone through with [`Exec::sweep`]: in one direction, without conditions on relations, and
    /// nothing being unread.
    pub(super) fn sweeps(&self, expand: &Expand, relation: &Relation) -> bool {
        let mut tables = expand.types.iter().filter_map(|of| self.graph.relations.get(*of as usize));
        expand.direction != Direction::Both
            && relation.properties.is_empty()
            && tables.all(|table| table.unknown.is_empty())
    }

    /// Whether relations of these types begin at nodes of a kind.
    fn leads_on(&self, types: &[u32], way: Direction, kind: u32) -> bool {
        self.adjacencies(types, way).any(|adjacency| adjacency.segment(kind).is_some())
    }

    fn adjacencies(&self, types: &[u32], way: Direction) -> impl Iterator<Item = &Adjacency> {
        let tables = types.iter().filter_map(|of| self.graph.relations.get(*of as usize));
        tables.map(move |table| if way == Direction::In { table.backward() } else { table.forward() })
    }

    /// Calls `f` with each neighbour of nodes in ascending order, kind by kind and type by type.
    pub(super) fn sweep(&self, level: &[u32], types: &[u32], way: Direction, mut f: impl FnMut(u32)) -> Outcome<()> {
        let adjacencies: Vec<&Adjacency> = self.adjacencies(types, way).collect();
        let mut rest = level;
        while let Some(first) = rest.first() {
            let kind = self.graph.kind_number(NodeId(*first));
            let end = self.graph.tables.get(kind as usize).map_or(u32::MAX, |table| table.nodes.end);
            let (now, later) = rest.split_at(rest.partition_point(|node| *node < end).max(1));
            rest = later;
            for adjacency in &adjacencies {
                let Some((first, offsets)) = adjacency.segment(kind) else { continue };
                for chunk in now.chunks(1024) {
                    self.look_at_limits()?;
                    for node in chunk {
                        let at = (node - first) as usize;
                        let (Some(start), Some(end)) = (offsets.get(at), offsets.get(at + 1)) else { continue };
                        let targets = adjacency.targets.get(*start as usize..*end as usize).unwrap_or_default();
                        targets.iter().for_each(|target| f(*target));
                    }
                }
            }
        }
        Ok(())
    }

    /// Calls `f` with each relation of these types at a node and its other end, until it asks to stop.
    #[inline]
    pub(crate) fn each_neighbour(
        &self,
        types: &[u32],
        way: Direction,
        node: u32,
        mut f: impl FnMut(RelationId, u32) -> Outcome<Flow>,
    ) -> Outcome<Flow> {
        let kind = self.graph.kind_number(NodeId(node));
        for of in types {
            let Some(table) = self.graph.relations.get(*of as usize) else { continue };
            if way != Direction::In {
                let forward = table.forward();
                let positions = forward.range(node, kind);
                let first = positions.start as u32;
                for (at, target) in forward.targets.get(positions).unwrap_or_default().iter().enumerate() {
                    if f(RelationId { of: *of, index: first + at as u32 }, *target)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
            }
            if way != Direction::Out {
                let backward = table.backward();
                let positions = backward.range(node, kind);
                let first = positions.start;
                for (at, source) in backward.targets.get(positions).unwrap_or_default().iter().enumerate() {
                    // A loop was walked forwards.
                    if way == Direction::Both && *source == node {
                        continue;
                    }
                    if f(RelationId { of: *of, index: backward.edge(first + at) }, *source)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
            }
        }
        Ok(Flow::Go)
    }
}
