//! `shortestPath` and `allShortestPaths`.
//!
//! Between two known nodes level by level from both ends, always on the side with the smaller frontier; from one node
//! to many breadth first. Only depths are kept; the paths are read back from them, one at a time.

use super::matcher::{Hop, Walk};
use super::{Exec, Flow, Frame, Sink};
use crate::bind::Step;
use crate::error::Outcome;
use crate::graph::{NodeId, RelationId};
use crate::ir::{Direction, Shortest};
use crate::value::ResultValue as V;

/// How far nodes are from one end.
#[derive(Debug, Default)]
pub(super) struct Depths {
    /// One more than the depth; 0 where a node was not reached.
    of: Vec<u32>,
    /// Nodes reached, nearest first.
    order: Vec<u32>,
    /// Where in `order` the last level begins.
    last: usize,
    depth: u32,
}

impl Depths {
    fn start(&mut self, nodes: usize, from: u32) {
        if self.of.len() < nodes {
            self.of = vec![0; nodes];
        }
        for node in &self.order {
            if let Some(depth) = self.of.get_mut(*node as usize) {
                *depth = 0;
            }
        }
        (self.order, self.last, self.depth) = (vec![from], 0, 0);
        if let Some(depth) = self.of.get_mut(from as usize) {
            *depth = 1;
        }
    }

    #[inline]
    fn at(&self, node: u32) -> Option<u32> {
        self.of.get(node as usize)?.checked_sub(1)
    }

    fn frontier(&self) -> &[u32] {
        self.order.get(self.last..).unwrap_or_default()
    }
}

impl Hop<'_> {
    fn all(&self) -> bool {
        self.relation.shortest == Some(Shortest::All)
    }

    /// Least and greatest length.
    fn bounds(&self) -> (u32, u32) {
        let (least, most) = self.relation.length.unwrap_or((1, Some(1)));
        (least, most.unwrap_or(u32::MAX))
    }
}

/// What takes a trail.
type Trails<'a> = &'a mut dyn FnMut(&[RelationId], &mut Frame) -> Outcome<Flow>;

impl Exec<'_> {
    pub(super) fn shortest(
        &self,
        walk: &mut Walk<'_>,
        hop: &Hop<'_>,
        frame: &mut Frame,
        sink: Sink<'_>,
    ) -> Outcome<Flow> {
        let expand = hop.expand;
        let mut near = self.near.take();
        let flow = match frame[walk.plan.nodes[expand.to].slot] {
            V::Node(goal) if expand.closes => {
                let mut far = self.far.take();
                let flow = self.to_one(walk, hop, goal, (&mut near, &mut far), frame, sink);
                self.far.replace(far);
                flow
            }
            _ if expand.closes => Ok(Flow::Go),
            _ => self.to_many(walk, hop, &mut near, frame, sink),
        };
        self.near.replace(near);
        flow
    }

    fn to_one(
        &self,
        walk: &mut Walk<'_>,
        hop: &Hop<'_>,
        goal: NodeId,
        (near, far): (&mut Depths, &mut Depths),
        frame: &mut Frame,
        sink: Sink<'_>,
    ) -> Outcome<Flow> {
        let (expand, way) = (hop.expand, hop.expand.direction);
        let (least, most) = hop.bounds();
        if hop.from == goal {
            return if least == 0 { self.arrive(walk, hop, &[], goal, frame, sink) } else { Ok(Flow::Go) };
        }
        near.start(self.graph.node_count(), hop.from.0);
        far.start(self.graph.node_count(), goal.0);
        // From the far end alone an unread relation of a node in between would not be seen.
        let mut tables = expand.types.iter().filter_map(|of| self.graph.relations.get(*of as usize));
        let one_sided = tables.any(|table| !table.unknown.is_empty());
        let mut met = false;
        while !met && near.depth + far.depth < most {
            let (ahead, behind) = (near.frontier().len(), far.frontier().len());
            if ahead == 0 || behind == 0 {
                return Ok(Flow::Go);
            }
            met = if one_sided || ahead <= behind {
                self.advance(hop, way, near, Some(far), frame)?
            } else {
                self.advance(hop, way.turned(), far, Some(near), frame)?
            };
        }
        if !met || near.depth + far.depth < least {
            return Ok(Flow::Go);
        }
        // Every shortest path has exactly one node on the last level of both sides.
        let meets: Vec<u32> = near.frontier().iter().copied().filter(|node| far.at(*node) == Some(far.depth)).collect();
        for meet in meets {
            let mut firsts: Vec<Vec<RelationId>> = Vec::new();
            self.trails(hop, way.turned(), near, meet, frame, &mut |trail, _| {
                self.hold(1)?;
                firsts.push(trail.iter().rev().copied().collect());
                Ok(if hop.all() { Flow::Go } else { Flow::Stop })
            })?;
            let mut flow = Flow::Go;
            self.trails(hop, way, far, meet, frame, &mut |second, frame| {
                for first in &firsts {
                    let trail: Vec<RelationId> = first.iter().chain(second).copied().collect();
                    flow = self.arrive(walk, hop, &trail, goal, frame, sink)?;
                    if flow == Flow::Stop || !hop.all() {
                        return Ok(Flow::Stop);
                    }
                }
                Ok(Flow::Go)
            })?;
            self.release(firsts.len());
            if flow == Flow::Stop || !hop.all() {
                return Ok(flow);
            }
        }
        Ok(Flow::Go)
    }

    fn to_many(
        &self,
        walk: &mut Walk<'_>,
        hop: &Hop<'_>,
        near: &mut Depths,
        frame: &mut Frame,
        sink: Sink<'_>,
    ) -> Outcome<Flow> {
        let way = hop.expand.direction;
        let (least, most) = hop.bounds();
        near.start(self.graph.node_count(), hop.from.0);
        while near.depth < most && !near.frontier().is_empty() {
            self.advance(hop, way, near, None, frame)?;
        }
        for target in self.possible_ends(walk, hop, near, least, frame)?.into_iter().map(NodeId) {
            let mut flow = Flow::Go;
            self.trails(hop, way.turned(), near, target.0, frame, &mut |trail, frame| {
                let trail: Vec<RelationId> = trail.iter().rev().copied().collect();
                flow = self.arrive(walk, hop, &trail, target, frame, sink)?;
                Ok(if hop.all() { flow } else { Flow::Stop })
            })?;
            if flow == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Go)
    }

    /// One level further. Tells whether a node of the other side was met.
    fn advance(
        &self,
        hop: &Hop<'_>,
        way: Direction,
        side: &mut Depths,
        other: Option<&Depths>,
        frame: &mut Frame,
    ) -> Outcome<bool> {
        let Hop { expand, relation, .. } = hop;
        let (from, to) = (side.last, side.order.len());
        side.last = to;
        side.depth += 1;
        let mark = side.depth + 1;
        let mut met = false;
        if self.sweeps(expand, relation) {
            let mut level = side.order.get(from..to).unwrap_or_default().to_vec();
            let mut sorter = self.sorter.take();
            sorter.sort(&mut level, self.graph.node_count());
            self.sorter.replace(sorter);
            let Depths { of, order, .. } = side;
            self.sweep(&level, &expand.types, way, |target| {
                if let Some(depth) = of.get_mut(target as usize).filter(|depth| **depth == 0) {
                    *depth = mark;
                    order.push(target);
                    met |= other.is_some_and(|other| other.at(target).is_some());
                }
            })?;
            return Ok(met);
        }
        for position in from..to {
            self.tick()?;
            let Some(node) = side.order.get(position).copied() else { break };
            self.look_for_unread(expand, NodeId(node));
            let Depths { of, order, .. } = side;
            self.each_neighbour(&expand.types, way, node, |id, target| {
                let Some(depth) = of.get_mut(target as usize).filter(|depth| **depth == 0) else { return Ok(Flow::Go) };
                if !relation.properties.is_empty() && !self.has_properties(relation, id, frame)? {
                    return Ok(Flow::Go);
                }
                *depth = mark;
                order.push(target);
                met |= other.is_some_and(|other| other.at(target).is_some());
                Ok(Flow::Go)
            })?;
        }
        Ok(met)
    }

    /// Every way from a node down to depth 0, without recursion; relations in the order of walking.
    fn trails(
        &self,
        hop: &Hop<'_>,
        way: Direction,
        depths: &Depths,
        start: u32,
        frame: &mut Frame,
        found: Trails<'_>,
    ) -> Outcome<Flow> {
        let mut trail: Vec<RelationId> = Vec::new();
        let mut open: Vec<Vec<(RelationId, u32)>> = Vec::new();
        let mut node = start;
        loop {
            self.tick()?;
            let depth = depths.at(node).unwrap_or(0);
            if depth == 0 {
                if found(&trail, frame)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                open.push(Vec::new());
            } else {
                let mut nearer = Vec::new();
                self.each_neighbour(&hop.expand.types, way, node, |id, next| {
                    if depths.at(next) == Some(depth - 1)
                        && (hop.relation.properties.is_empty() || self.has_properties(hop.relation, id, frame)?)
                    {
                        nearer.push((id, next));
                    }
                    Ok(Flow::Go)
                })?;
                nearer.reverse();
                open.push(nearer);
            }
            loop {
                let Some(level) = open.last_mut() else { return Ok(Flow::Go) };
                if let Some((id, next)) = level.pop() {
                    trail.push(id);
                    node = next;
                    break;
                }
                open.pop();
                trail.pop();
            }
        }
    }

    /// The nodes reached that have the labels, and that the conditions allow that follow at once and read nothing of the
    /// way: ways to others need not be looked for. Nearest first.
    fn possible_ends(
        &self,
        walk: &Walk<'_>,
        hop: &Hop<'_>,
        near: &Depths,
        least: u32,
        frame: &mut Frame,
    ) -> Outcome<Vec<u32>> {
        let fits = |node: &u32| {
            near.at(*node).is_some_and(|depth| depth >= least) && self.is_of(walk, hop.expand.to, NodeId(*node))
        };
        let mut ends: Vec<u32> = near.order.iter().copied().filter(fits).collect();
        let to = walk.plan.nodes[hop.expand.to].slot;
        for step in walk.bound.steps.iter().skip(hop.at + 1) {
            let Step::Filter(number) = step else { break };
            let Some(filter) = walk.plan.filters.get(*number) else { break };
            if !filter.reads.contains(&hop.relation.slot) {
                ends = crate::batch::nodes_where(self, &filter.expr, to, ends, frame)?;
            }
        }
        Ok(ends)
    }

    /// Goes on with the rest of the walk.
    fn arrive(
        &self,
        walk: &mut Walk<'_>,
        hop: &Hop<'_>,
        trail: &[RelationId],
        end: NodeId,
        frame: &mut Frame,
        sink: Sink<'_>,
    ) -> Outcome<Flow> {
        let to = walk.plan.nodes[hop.expand.to].slot;
        let mut list: Vec<V> = trail.iter().map(|id| V::Relation(*id)).collect();
        if hop.expand.from != hop.relation.from {
            list.reverse();
        }
        let before = frame[to].clone();
        frame[hop.relation.slot] = V::list(list);
        frame[to] = V::Node(end);
        let flow = self.step(walk, hop.at + 1, hop.pending, frame, sink);
        frame[to] = before;
        flow
    }
}
