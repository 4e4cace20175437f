//! The way of one morsel's batches through the stages.

use std::ops::Range;
use std::rc::Rc;

use super::expand::BATCH_ROWS;
use super::filter::Tests;
use super::stages::{Stage, Work};
use super::{Batch, Vector};
use crate::bind::{BoundMatch, Gap, Step};
use crate::error::Outcome;
use crate::exec::{Exec, Flow, Frame};
use crate::graph::NodeId;
use crate::plan::{MatchPlan, Op, Slot};
use crate::truth::Truth;
use crate::value::ResultValue as V;

/// What takes batches.
pub(super) type Sink<'a, 'g> = &'a mut dyn FnMut(&mut Worker<'g>, Batch) -> Outcome<Flow>;

/// One morsel's run.
pub(super) struct Worker<'g> {
    pub exec: Rc<Exec<'g>>,
    pub frame: Frame,
    pub tests: Tests<'g>,
    /// The nodes of the first scan that are this morsel's.
    pub nodes: Option<(usize, Range<u32>)>,
}

/// Values in the narrowest form.
pub(super) fn vector_of(values: Vec<V>) -> Vector {
    if !values.is_empty() && values.iter().all(|value| matches!(value, V::Node(_))) {
        let node = |value: &V| if let V::Node(node) = value { node.0 } else { u32::MAX };
        return Vector::Nodes(values.iter().map(node).collect());
    }
    Vector::Values(values)
}

/// The node by whose account gaps are judged: the first one bound before the pattern.
pub(super) fn anchor(plan: &MatchPlan, batch: &Batch, row: usize) -> Option<NodeId> {
    let mut bound = plan.nodes.iter().filter(|node| node.bound);
    bound.find_map(|node| batch.slot(node.slot)?.node(row)).map(NodeId)
}

impl<'g> Worker<'g> {
    /// Counts the rows that a stage gave, when someone asks.
    pub(super) fn count(&self, stages: &[Stage<'_>], at: usize, rows: usize) {
        let (Some(profile), Some(stage)) = (&self.exec.profile, stages.get(at)) else { return };
        let by_rows = matches!(stages.get(at + 1).map(|stage| stage.work), Some(Work::RowSteps { .. }));
        match stage.work {
            // Steps done row by row count their own rows, and that of the step before.
            Work::RowSteps { .. } | Work::EndOfMatch => {}
            Work::Step { .. } if by_rows => {}
            Work::Step { matching, at } => profile.count_step(matching, at, rows as u64),
            Work::Op(op) => profile.count_op(op, rows as u64),
        }
    }

    /// Carries out stage `at` and all after it.
    pub(super) fn stage(&mut self, stages: &[Stage<'_>], at: usize, batch: Batch, sink: Sink<'_, 'g>) -> Outcome<Flow> {
        if batch.rows == 0 {
            return Ok(Flow::Go);
        }
        self.exec.tick()?;
        if let Some(before) = at.checked_sub(1) {
            self.count(stages, before, batch.rows);
        }
        let Some(stage) = stages.get(at) else { return sink(self, batch) };
        match stage.work {
            Work::Step { matching, at: step } => self.step(stages, at, (matching, step), batch, sink),
            Work::RowSteps { matching, at: step } => {
                self.row_by_row(stages, at, &batch, sink, |exec, row, frame, out| {
                    exec.match_from(matching, step, batch.is_pending(row), frame, out)
                })
            }
            Work::Op(op @ (Op::Match(_) | Op::Unwind { .. } | Op::Alternatives { .. } | Op::Project(_))) => self
                .row_by_row(stages, at, &batch, sink, |exec, _, frame, out| {
                    exec.stream(std::slice::from_ref(op), frame, out)
                }),
            Work::EndOfMatch => {
                if batch.pending.is_empty() {
                    return self.stage(stages, at + 1, batch, sink);
                }
                let certain: Vec<u32> = (0..batch.rows as u32).filter(|row| !batch.is_pending(*row as usize)).collect();
                if certain.len() < batch.rows {
                    self.exec.set_uncertain();
                }
                let mut batch = batch.gathered(&certain, &stage.live);
                batch.pending.clear();
                self.stage(stages, at + 1, batch, sink)
            }
            Work::Op(Op::Let(items)) => {
                let vectors = items.iter().map(|(expr, _)| self.exec.vector(expr, &batch, &mut self.frame));
                let vectors = vectors.collect::<Outcome<Vec<_>>>()?;
                let mut batch = batch;
                for ((_, slot), vector) in items.iter().zip(vectors) {
                    batch.set(*slot, vector);
                }
                self.stage(stages, at + 1, batch, sink)
            }
            Work::Op(Op::Filter(filter)) => {
                let rows = self.tests.rows(&self.exec, filter, &batch, &mut self.frame)?;
                let certain: Vec<u32> =
                    rows.iter().filter(|(_, truth)| *truth == Truth::True).map(|(row, _)| *row).collect();
                if certain.len() < rows.len() {
                    self.exec.set_uncertain();
                }
                let batch = if certain.len() == batch.rows { batch } else { batch.gathered(&certain, &stage.live) };
                self.stage(stages, at + 1, batch, sink)
            }
        }
    }

    fn step(
        &mut self,
        stages: &[Stage<'_>],
        at: usize,
        (matching, step): (usize, usize),
        batch: Batch,
        sink: Sink<'_, 'g>,
    ) -> Outcome<Flow> {
        let (program, bound) = (self.exec.program, self.exec.bound);
        let (Some(plan), Some(of)) = (program.matches.get(matching), bound.matches.get(matching)) else {
            return Ok(Flow::Go);
        };
        let Some(stage) = stages.get(at) else { return Ok(Flow::Go) };
        match of.steps.get(step) {
            Some(Step::Check { node }) => {
                let batch = self.check(plan, of, *node, batch, stage);
                self.stage(stages, at + 1, batch, sink)
            }
            Some(Step::Scan { node, kinds, gaps }) => {
                self.look_for_gaps_of_scan(plan, &batch, gaps);
                let ranges: Vec<Range<u32>> = match &self.nodes {
                    Some((of, range)) if *of == at => vec![range.clone()],
                    _ => kinds
                        .iter()
                        .filter_map(|kind| Some(self.exec.graph.tables.get(*kind as usize)?.nodes.clone()))
                        .collect(),
                };
                self.each_with(stages, at, &batch, plan.nodes[*node].slot, ranges.into_iter().flatten(), sink)
            }
            Some(Step::Lookup { node, filter, kinds, gaps }) => {
                self.look_for_gaps_of_scan(plan, &batch, gaps);
                let slot = plan.nodes[*node].slot;
                let (mut rows, mut nodes) = (Vec::new(), Vec::new());
                for row in 0..batch.rows {
                    self.exec.tick()?;
                    batch.load(row, &mut self.frame);
                    let found = self.exec.looked_up(plan, *node, *filter, kinds, &mut self.frame)?;
                    rows.extend(found.iter().map(|_| row as u32));
                    nodes.extend(found);
                    if rows.len() < BATCH_ROWS && row + 1 < batch.rows {
                        continue;
                    }
                    let mut next = batch.gathered(&std::mem::take(&mut rows), &stage.live);
                    next.set(slot, Vector::Nodes(std::mem::take(&mut nodes)));
                    if self.stage(stages, at + 1, next, sink)? == Flow::Stop {
                        return Ok(Flow::Stop);
                    }
                }
                Ok(Flow::Go)
            }
            Some(Step::Filter(number)) => {
                let Some(filter) = plan.filters.get(*number) else { return Ok(Flow::Go) };
                let rows = self.tests.rows(&self.exec, &filter.expr, &batch, &mut self.frame)?;
                let unknown = rows.iter().any(|(_, truth)| *truth == Truth::Unknown);
                if rows.len() == batch.rows && !unknown {
                    return self.stage(stages, at + 1, batch, sink);
                }
                let kept: Vec<u32> = rows.iter().map(|(row, _)| *row).collect();
                let mut batch = batch.gathered(&kept, &stage.live);
                if unknown {
                    // A later condition may still be false, which settles it.
                    let now = rows.iter().map(|(_, truth)| *truth == Truth::Unknown);
                    batch.pending = now.enumerate().map(|(row, unknown)| unknown || batch.is_pending(row)).collect();
                }
                self.stage(stages, at + 1, batch, sink)
            }
            Some(Step::Expand(expand)) => self.expand(stages, at, (matching, expand), &batch, sink),
            _ => Ok(Flow::Go),
        }
    }

    /// The rows in which a node bound before is what the pattern asks for.
    fn check(&mut self, plan: &MatchPlan, of: &BoundMatch, node: usize, batch: Batch, stage: &Stage<'_>) -> Batch {
        let kinds = of.kinds.get(node).and_then(Option::as_deref);
        let slot = plan.nodes[node].slot;
        let vector = batch.slot(slot);
        if kinds.is_none() && matches!(vector, Some(Vector::Nodes(_))) {
            return batch;
        }
        let mut rows = Vec::new();
        for row in 0..batch.rows {
            match vector.and_then(|vector| vector.node(row)) {
                Some(node) => {
                    let kind = self.exec.graph.kind_number(NodeId(node)) as usize;
                    if kinds.is_none_or(|kinds| kinds.get(kind).copied().unwrap_or(false)) {
                        rows.push(row as u32);
                    }
                }
                None if vector.is_some_and(|vector| matches!(vector.get(row), V::Unknown)) => self.exec.set_uncertain(),
                None => {}
            }
        }
        batch.gathered(&rows, &stage.live)
    }

    fn look_for_gaps_of_scan(&mut self, plan: &MatchPlan, batch: &Batch, gaps: &[Gap]) {
        for row in 0..batch.rows {
            if gaps.is_empty() || self.exec.was_uncertain() {
                return;
            }
            if self.exec.meets_gap(gaps, anchor(plan, batch, row), None) {
                self.exec.set_uncertain();
            }
        }
    }

    /// Each row with each of the nodes.
    fn each_with(
        &mut self,
        stages: &[Stage<'_>],
        at: usize,
        batch: &Batch,
        slot: Slot,
        nodes: impl Iterator<Item = u32> + Clone,
        sink: Sink<'_, 'g>,
    ) -> Outcome<Flow> {
        let Some(stage) = stages.get(at) else { return Ok(Flow::Go) };
        for row in 0..batch.rows {
            let mut rest = nodes.clone();
            loop {
                let some: Vec<u32> = rest.by_ref().take(BATCH_ROWS).collect();
                if some.is_empty() {
                    break;
                }
                let mut next = batch.gathered(&vec![row as u32; some.len()], &stage.live);
                if stage.live.get(slot).copied().unwrap_or(false) {
                    next.set(slot, Vector::Nodes(some));
                }
                if self.stage(stages, at + 1, next, sink)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
            }
        }
        Ok(Flow::Go)
    }

    /// Work that has no form for batches: each row is put into a frame, and the frames that come out are gathered.
    fn row_by_row(
        &mut self,
        stages: &[Stage<'_>],
        at: usize,
        batch: &Batch,
        sink: Sink<'_, 'g>,
        work: impl Fn(&Exec<'g>, usize, &mut Frame, crate::exec::Sink<'_>) -> Outcome<Flow>,
    ) -> Outcome<Flow> {
        let Some(stage) = stages.get(at) else { return Ok(Flow::Go) };
        let live: Vec<Slot> = (0..stage.live.len()).filter(|slot| stage.live[*slot]).collect();
        let mut out: Vec<Vec<V>> = vec![Vec::new(); live.len()];
        let mut count = 0;
        let exec = self.exec.clone();
        let mut frame = exec.frame();
        for row in 0..batch.rows {
            batch.load(row, &mut frame);
            let flow = work(&exec, row, &mut frame, &mut |frame| {
                for (slot, values) in live.iter().zip(&mut out) {
                    values.push(frame[*slot].clone());
                }
                count += 1;
                if count < BATCH_ROWS {
                    return Ok(Flow::Go);
                }
                let next = batch_of(&live, &mut out, std::mem::take(&mut count), batch.slots.len());
                self.stage(stages, at + 1, next, sink)
            })?;
            if flow == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        let next = batch_of(&live, &mut out, count, batch.slots.len());
        self.stage(stages, at + 1, next, sink)
    }
}

fn batch_of(live: &[Slot], values: &mut [Vec<V>], rows: usize, width: usize) -> Batch {
    let mut batch = Batch { rows, slots: vec![None; width], pending: Vec::new() };
    for (slot, values) in live.iter().zip(values) {
        batch.set(*slot, vector_of(std::mem::take(values)));
    }
    batch
}
