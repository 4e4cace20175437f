//! From the nodes of a batch along relations to their neighbours.

use super::Batch;
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
    expand: &'a Expand,
    batch: &'a Batch,
    relation_slot: Slot,
    to_slot: Slot,
    /// Kinds at the far end that count; `None` where all that the relations lead to do.
    kinds: Option<&'a [bool]>,
    keeps_relations: bool,
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
        let expansion = Expansion {
            stages,
            at,
            expand,
            batch,
            relation_slot: relation.slot,
            to_slot: plan.nodes[expand.to].slot,
            kinds: of
                .kinds
                .get(expand.to)
                .and_then(Option::as_deref)
                .filter(|kinds| self.leads_elsewhere(expand, kinds)),
            keeps_relations: !expand.ends_only && (live(relation.slot) || !expand.unlike.is_empty()),
        };
        let Some(from) = batch.slot(plan.nodes[expand.from].slot) else { return Ok(Flow::Go) };
        let goals = batch.slot(expansion.to_slot).filter(|_| expand.closes);
        if expand.ends_only && goals.is_none() && batch.rows > 1 {
            let search = Ends { expand, relation, from: NodeId(0), goal: None, kinds: expansion.kinds };
            if let Some(flow) = self.reach_together(&expansion, plan, from, &search, sink)? {
                return Ok(flow);
            }
        }
        let mut found = Found::default();
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
            if self.neighbours_of(&expansion, plan, (row, node, goal), &mut found, sink)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        self.pass_on(&expansion, &mut found, true, sink)
    }

    /// The ends from all rows, many rows at a time; `None` where they must be found one by one.
    fn reach_together(
        &mut self,
        expansion: &Expansion<'_>,
        plan: &MatchPlan,
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
                self.look_for_gaps(plan, expansion.expand, batch, *row as usize, *node);
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

    fn neighbours_of(
        &mut self,
        expansion: &Expansion<'_>,
        plan: &MatchPlan,
        (row, node, goal): (usize, u32, Option<u32>),
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
                let mut positions = adjacency.range(node, kind);
                let all = adjacency.targets.get(positions.clone()).unwrap_or_default();
                if let Some(goal) = goal {
                    // Neighbours are in ascending order.
                    let first = positions.start;
                    positions = first + all.partition_point(|target| *target < goal)
                        ..first + all.partition_point(|target| *target <= goal);
                }
                while !positions.is_empty() {
                    let part = positions.start..positions.end.min(positions.start + BATCH_ROWS);
                    positions.start = part.end;
                    for position in part {
                        let target = adjacency.targets[position];
                        // A loop was walked forwards.
                        if way == Direction::In && expand.direction == Direction::Both && target == node {
                            continue;
                        }
                        if let Some(kinds) = expansion.kinds
                            && !kinds
                                .get(self.exec.graph.kind_number(NodeId(target)) as usize)
                                .copied()
                                .unwrap_or(false)
                        {
                            continue;
                        }
                        if expansion.keeps_relations {
                            let id = RelationId { of: *of, index: adjacency.edge(position) };
                            let same = |other: &usize| {
                                let slot = plan.relations[*other].slot;
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
