//! From the nodes of a batch along relations to their neighbours.

use std::ops::Range;

use super::Batch;
use super::closing::{Common, equal};
use super::stages::{Stage, Work};
use super::worker::{Sink, Worker};
use crate::bind::{Expand, Step};
use crate::error::Outcome;
use crate::exec::Flow;
use crate::exec::reach::{Ends, LANES};
use crate::graph::adjacency::Adjacency;
use crate::graph::{NodeId, RelationId};
use crate::ir::Direction;
use crate::plan::{Expr, MatchPlan, Reads, Slot};
use crate::truth::Truth;

/// Rows that are gathered before they go on.
pub(super) const BATCH_ROWS: usize = 4096;

/// Neighbours found and not yet passed on.
#[derive(Default)]
struct Found {
    rows: Vec<u32>,
    targets: Vec<u32>,
    /// Only where anyone asks for them.
    relations: Vec<RelationId>,
}

/// One expansion: what it needs to know for every row.
struct Expansion<'a> {
    stages: &'a [Stage<'a>],
    at: usize,
    plan: &'a MatchPlan,
    expand: &'a Expand,
    batch: &'a Batch,
    relation_slot: Slot,
    to_slot: Slot,
    /// Kinds at the far end that count; `None` where all that the relations lead to do.
    kinds: Option<&'a [bool]>,
    /// The nodes that count, in place of `kinds`, when they are those of one kind.
    only: Option<Range<u32>>,
    keeps_relations: bool,
    /// Positions of each row's neighbours, where they were looked up ahead.
    ahead: Vec<Range<usize>>,
}

/// From a row's node along relations of one type in one direction.
struct Hop<'a> {
    row: usize,
    node: u32,
    of: u32,
    way: Direction,
    adjacency: &'a Adjacency,
    /// Where the closing relations lead, for ends that are still to be looked for there.
    common: Option<&'a Common<'a>>,
}

impl<'g> Worker<'g> {
    pub(super) fn expand(
        &mut self,
        stages: &[Stage<'_>],
        at: usize,
        (matching, expand): (usize, &Expand),
        batch: &Batch,
        sink: Sink<'_, 'g>,
    ) -> Outcome<Flow> {
        let (program, bound) = (self.exec.program, self.exec.bound);
        let (Some(plan), Some(of)) = (program.matches.get(matching), bound.matches.get(matching)) else {
            return Ok(Flow::Go);
        };
        let Some(relation) = plan.relations.get(expand.relation) else { return Ok(Flow::Go) };
        let live = |slot: Slot| stages.get(at).is_some_and(|stage| stage.live.get(slot).copied().unwrap_or(false));
        let Some(from) = batch.slot(plan.nodes[expand.from].slot) else { return Ok(Flow::Go) };
        let kinds = of.kinds.get(expand.to).and_then(Option::as_deref);
        let kinds = kinds.filter(|kinds| self.leads_elsewhere(expand, kinds));
        let only = kinds.filter(|_| !expand.ends_only).and_then(|kinds| self.exec.graph.one_kind(kinds));
        let expansion = Expansion {
            stages,
            at,
            plan,
            expand,
            batch,
            relation_slot: relation.slot,
            to_slot: plan.nodes[expand.to].slot,
            kinds: kinds.filter(|_| only.is_none()),
            only,
            keeps_relations: !expand.ends_only && (live(relation.slot) || !expand.unlike.is_empty()),
            ahead: if expand.ends_only { Vec::new() } else { self.positions_ahead(expand, from, batch.rows) },
        };
        let goals = batch.slot(expansion.to_slot).filter(|_| expand.closes);
        if expand.ends_only && goals.is_none() && batch.rows > 1 {
            let search = Ends { expand, relation, from: NodeId(0), goal: None, kinds: expansion.kinds };
            if let Some(flow) = self.reach_together(&expansion, from, &search, sink)? {
                return Ok(flow);
            }
        }
        let mut found = Found::default();
        let mut common = Common::default();
        for row in 0..batch.rows {
            self.exec.tick()?;
            let Some(node) = from.node(row) else { continue };
            let goal = goals.map(|goals| goals.node(row));
            if goal == Some(None) {
                continue;
            }
            let goal = goal.flatten();
            self.look_for_gaps(plan, expand, batch, row, node);
            if expand.ends_only {
                if !relation.properties.is_empty() {
                    batch.load(row, &mut self.frame);
                }
                let goal = goal.map(NodeId);
                let search = Ends { expand, relation, from: NodeId(node), goal, kinds: expansion.kinds };
                let ends = self.exec.ends(&search, &mut self.frame)?;
                for chunk in ends.chunks(BATCH_ROWS) {
                    found.rows.extend(chunk.iter().map(|_| row as u32));
                    found.targets.extend(chunk);
                    if self.pass_on(&expansion, &mut found, false, sink)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
                continue;
            }
            self.exec.look_for_unread(expand, NodeId(node));
            if let Some(goal) = goal {
                self.exec.look_for_unread(expand, NodeId(goal));
            }
            if self.meet(&expansion, row, &mut common)
                && self.neighbours_of(&expansion, (row, node, goal), &common, &mut found, sink)? == Flow::Stop
            {
                return Ok(Flow::Stop);
            }
        }
        self.pass_on(&expansion, &mut found, true, sink)
    }

    /// The ends from all rows, many rows at a time; `None` where they must be found one by one.
    fn reach_together(
        &mut self,
        expansion: &Expansion<'_>,
        from: &super::Vector,
        search: &Ends<'_>,
        sink: Sink<'_, 'g>,
    ) -> Outcome<Option<Flow>> {
        let batch = expansion.batch;
        let nodes = (0..batch.rows).filter_map(|row| Some((row as u32, from.node(row)?)));
        let sources: Vec<(u32, u32)> = nodes.collect();
        let mut found = Found::default();
        for some in sources.chunks(LANES) {
            for (row, node) in some {
                self.look_for_gaps(expansion.plan, expansion.expand, batch, *row as usize, *node);
            }
            let starts: Vec<u32> = some.iter().map(|(_, node)| *node).collect();
            let Some(ends) = self.exec.ends_of_many(search, &starts)? else { return Ok(None) };
            for ((row, _), ends) in some.iter().zip(ends) {
                for chunk in ends.chunks(BATCH_ROWS) {
                    found.rows.extend(chunk.iter().map(|_| row));
                    found.targets.extend(chunk);
                    if self.pass_on(expansion, &mut found, false, sink)? == Flow::Stop {
                        return Ok(Some(Flow::Stop));
                    }
                }
            }
        }
        self.pass_on(expansion, &mut found, true, sink).map(Some)
    }

    /// Where the neighbours of all rows are, when they are in one place: looked up one after the other, the processor waits
    /// for memory many times at once. Empty when they are not in one place.
    fn positions_ahead(&self, expand: &Expand, from: &super::Vector, rows: usize) -> Vec<Range<usize>> {
        let [of] = expand.types.as_slice() else { return Vec::new() };
        let Some(table) = self.exec.graph.relations.get(*of as usize) else { return Vec::new() };
        let adjacency = match expand.direction {
            Direction::Out => table.forward(),
            Direction::In => table.backward(),
            Direction::Both => return Vec::new(),
        };
        let range =
            |row| from.node(row).map_or(0..0, |node| adjacency.range(node, self.exec.graph.kind_number(NodeId(node))));
        let ahead: Vec<Range<usize>> = (0..rows).map(range).collect();
        let touched = ahead.iter().filter_map(|range| adjacency.targets.get(range.start)).fold(0, |a, b| a ^ b);
        std::hint::black_box(touched);
        ahead
    }

    fn neighbours_of(
        &mut self,
        expansion: &Expansion<'_>,
        (row, node, goal): (usize, u32, Option<u32>),
        common: &Common<'g>,
        found: &mut Found,
        sink: Sink<'_, 'g>,
    ) -> Outcome<Flow> {
        let expand = expansion.expand;
        let kind = self.exec.graph.kind_number(NodeId(node));
        for of in &expand.types {
            let Some(table) = self.exec.graph.relations.get(*of as usize) else { continue };
            for way in [Direction::Out, Direction::In] {
                if expand.direction == way.turned() {
                    continue;
                }
                let adjacency: &Adjacency = if way == Direction::Out { table.forward() } else { table.backward() };
                let mut positions = expansion.ahead.get(row).cloned().unwrap_or_else(|| adjacency.range(node, kind));
                if let Some(nodes) = &expansion.only {
                    // Neighbours are in ascending order, and the nodes of a kind follow one another.
                    let all = adjacency.targets.get(positions.clone()).unwrap_or_default();
                    let first = all.partition_point(|target| *target < nodes.start);
                    let end = all.partition_point(|target| *target < nodes.end);
                    positions = positions.start + first..positions.start + end;
                }
                let all = adjacency.targets.get(positions.clone()).unwrap_or_default();
                let mut hop = Hop { row, node, of: *of, way, adjacency, common: None };
                let at = |part: Range<usize>| positions.start + part.start..positions.start + part.end;
                let mut visit =
                    |hop: &Hop<'_>, part: Range<usize>| self.neighbours_at(expansion, hop, part, found, sink);
                if let Some(goal) = goal {
                    if visit(&hop, at(equal(all, goal)))? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                    continue;
                }
                let Some(parts) = common.within(all) else {
                    hop.common = (!expand.closings.is_empty()).then_some(common);
                    if visit(&hop, positions)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                    continue;
                };
                for part in parts {
                    if visit(&hop, at(part))? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
            }
        }
        Ok(Flow::Go)
    }

    /// Finds where the closing relations lead from a row, and whether all lead anywhere.
    fn meet(&self, expansion: &Expansion<'_>, row: usize, common: &mut Common<'g>) -> bool {
        common.clear(expansion.expand.closings.len());
        expansion.expand.closings.iter().enumerate().all(|(closing, of)| {
            let node = expansion.batch.slot(expansion.plan.nodes[of.from].slot).and_then(|nodes| nodes.node(row));
            let Some(node) = node else { return false };
            let kind = self.exec.graph.kind_number(NodeId(node));
            for table in of.types.iter().filter_map(|of| self.exec.graph.relations.get(*of as usize)) {
                if of.direction != Direction::In {
                    let forward = table.forward();
                    common.add(closing, forward.targets.get(forward.range(node, kind)).unwrap_or_default());
                }
                if of.direction != Direction::Out {
                    let backward = table.backward();
                    common.add(closing, backward.targets.get(backward.range(node, kind)).unwrap_or_default());
                }
            }
            common.leads_anywhere(closing)
        })
    }

    /// Takes the neighbours at these positions, those only to which the closing relations lead.
    fn neighbours_at(
        &mut self,
        expansion: &Expansion<'_>,
        hop: &Hop<'_>,
        mut positions: Range<usize>,
        found: &mut Found,
        sink: Sink<'_, 'g>,
    ) -> Outcome<Flow> {
        let expand = expansion.expand;
        let Hop { row, node, of, way, adjacency, common } = *hop;
        let loops = way == Direction::In && expand.direction == Direction::Both;
        let plain = !loops && common.is_none() && expansion.kinds.is_none() && !expansion.keeps_relations;
        while !positions.is_empty() {
            let part = positions.start..positions.end.min(positions.start + BATCH_ROWS);
            positions.start = part.end;
            if plain {
                found.rows.extend(part.clone().map(|_| row as u32));
                found.targets.extend_from_slice(adjacency.targets.get(part).unwrap_or_default());
                if self.pass_on(expansion, found, false, sink)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
                continue;
            }
            for position in part {
                let target = adjacency.targets[position];
                // A loop was walked forwards.
                if loops && target == node {
                    continue;
                }
                if let Some(kinds) = expansion.kinds
                    && !kinds.get(self.exec.graph.kind_number(NodeId(target)) as usize).copied().unwrap_or(false)
                {
                    continue;
                }
                if common.is_some_and(|common| !common.all_lead_to(target, None)) {
                    continue;
                }
                if expansion.keeps_relations {
                    let id = RelationId { of, index: adjacency.edge(position) };
                    let same = |other: &usize| {
                        let slot = expansion.plan.relations[*other].slot;
                        matches!(expansion.batch.slot(slot), Some(super::Vector::Relations(ids)) if ids.get(row) == Some(&id))
                    };
                    if expand.unlike.iter().any(same) {
                        continue;
                    }
                    found.relations.push(id);
                }
                found.rows.push(row as u32);
                found.targets.push(target);
            }
            if self.pass_on(expansion, found, false, sink)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Go)
    }

    /// Passes on what was found when it is enough, or all of it.
    fn pass_on(&mut self, of: &Expansion<'_>, found: &mut Found, all: bool, sink: Sink<'_, 'g>) -> Outcome<Flow> {
        if found.rows.is_empty() || (!all && found.rows.len() < BATCH_ROWS) {
            return Ok(Flow::Go);
        }
        let Found { mut rows, mut targets, mut relations } = std::mem::take(found);
        // Conditions on the far end alone are asked before the rest of the row is put together.
        let mut at = of.at;
        while let Some(filter) = self.condition_on(of.stages, at + 1, of.to_slot)
            && !of.expand.closes
        {
            let mut ends = Batch { rows: rows.len(), slots: vec![None; of.batch.slots.len()], pending: Vec::new() };
            ends.set(of.to_slot, super::Vector::Nodes(targets));
            let kept = self.tests.rows(&self.exec, filter, &ends, &mut self.frame)?;
            if let Some(super::Vector::Nodes(nodes)) = ends.slots.get_mut(of.to_slot).and_then(Option::take) {
                targets = nodes;
            } else {
                return Ok(Flow::Go);
            }
            if kept.iter().any(|(_, truth)| *truth != Truth::True) {
                break;
            }
            self.count(of.stages, at, rows.len());
            at += 1;
            if kept.len() < rows.len() {
                rows = kept.iter().map(|(row, _)| rows[*row as usize]).collect();
                if of.keeps_relations {
                    relations = kept.iter().map(|(row, _)| relations[*row as usize]).collect();
                }
                targets = kept.iter().map(|(row, _)| targets[*row as usize]).collect();
            }
        }
        let Some(stage) = of.stages.get(at) else { return Ok(Flow::Go) };
        let live = |slot: Slot| stage.live.get(slot).copied().unwrap_or(false);
        let mut batch = of.batch.gathered(&rows, &stage.live);
        if !of.expand.closes && live(of.to_slot) {
            batch.set(of.to_slot, super::Vector::Nodes(targets));
        }
        if of.keeps_relations && live(of.relation_slot) {
            batch.set(of.relation_slot, super::Vector::Relations(relations));
        }
        self.stage(of.stages, at + 1, batch, sink)
    }

    /// The condition at a stage, when it reads one property of the node in a slot and nothing else.
    fn condition_on(&self, stages: &[Stage<'_>], at: usize, slot: Slot) -> Option<&'g Expr> {
        let Work::Step { matching, at: step } = stages.get(at)?.work else { return None };
        let Step::Filter(number) = self.exec.bound.matches.get(matching)?.steps.get(step)? else { return None };
        let filter = &self.exec.program.matches.get(matching)?.filters.get(*number)?.expr;
        matches!(filter.reads(), Reads::Property(of, _) if of == slot).then_some(filter)
    }

    /// Whether relations of these types lead to kinds other than these.
    fn leads_elsewhere(&self, expand: &Expand, kinds: &[bool]) -> bool {
        if expand.ends_only {
            return true;
        }
        let tables = expand.types.iter().filter_map(|of| self.exec.graph.relations.get(*of as usize));
        tables.flat_map(|table| &table.pairs).any(|pair| {
            let out = expand.direction != Direction::In && !kinds[pair.to as usize];
            let back = expand.direction != Direction::Out && !kinds[pair.from as usize];
            out || back
        })
    }

    fn look_for_gaps(&mut self, plan: &MatchPlan, expand: &Expand, batch: &Batch, row: usize, node: u32) {
        if !expand.gaps.is_empty() && !self.exec.was_uncertain() {
            let anchor = super::worker::anchor(plan, batch, row);
            if self.exec.meets_gap(&expand.gaps, anchor, Some(NodeId(node))) {
                self.exec.set_uncertain();
            }
        }
    }
}
