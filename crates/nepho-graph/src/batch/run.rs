//! The way of batches through the stages, and of morsels through the cores.

use std::ops::Range;
use std::rc::Rc;

use rayon::prelude::*;

use super::expand::BATCH_ROWS;
use super::filter::Tests;
use super::stages::{Reads, Stage, Work, stages};
use super::{Batch, Groups, Vector};
use crate::bind::{BoundMatch, Gap, Step};
use crate::bits::Bits;
use crate::error::Outcome;
use crate::exec::{Exec, Flow, Frame, Gathered};
use crate::graph::NodeId;
use crate::plan::{MatchPlan, Op, Projection, QueryPlan, Slot};
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
    nodes: Option<(usize, Range<u32>)>,
}

/// A piece of work that one core does at a time.
#[derive(Clone, Debug)]
enum Morsel {
    /// The one empty row with which a query begins.
    Unit,
    /// The same, but that the scan at a stage is of these nodes only.
    Nodes(usize, Range<u32>),
    /// Rows of the projection before.
    Rows(Range<usize>),
}

/// The rows that a projection kept.
#[derive(Default)]
struct Kept {
    rows: usize,
    slots: Vec<Slot>,
    /// By slot.
    vectors: Vec<Vector>,
}

/// Nodes that one morsel scans.
const MORSEL_NODES: u32 = 64 * 1024;
/// Rows that one morsel starts with.
const MORSEL_ROWS: usize = 1024;

/// All rows of a query.
pub(crate) fn rows(exec: &Exec<'_>, plan: &QueryPlan) -> Outcome<Vec<Vec<V>>> {
    let mut all: Vec<Vec<V>> = Vec::new();
    let mut seen = hashbrown::HashSet::new();
    for (part, ops) in plan.parts.iter().enumerate() {
        let outputs = plan.outputs.get(part).map_or(&[][..], Vec::as_slice);
        let rows = part_rows(exec, ops, outputs)?;
        if plan.distinct && plan.parts.len() > 1 {
            all.extend(rows.into_iter().filter(|row| seen.insert(crate::value::compare::Key(row.clone()))));
        } else {
            all.extend(rows);
        }
    }
    Ok(all)
}

fn part_rows(exec: &Exec<'_>, ops: &[Op], outputs: &[Slot]) -> Outcome<Vec<Vec<V>>> {
    let mut kept: Option<Kept> = None;
    let mut rest = ops;
    while let Some(at) = rest.iter().position(|op| matches!(op, Op::Project(_))) {
        let Some(Op::Project(projection)) = rest.get(at) else { break };
        let next = gather(exec, &rest[..at], kept.as_ref(), projection)?;
        if let Some(profile) = &exec.profile {
            profile.count_op(&rest[at], next.rows as u64);
        }
        exec.hold(next.rows)?;
        exec.release(kept.map_or(0, |kept| kept.rows));
        kept = Some(next);
        rest = &rest[at + 1..];
    }
    if rest.is_empty()
        && let Some(kept) = kept
    {
        let vectors: Vec<Option<&Vector>> = outputs
            .iter()
            .map(|slot| kept.slots.iter().position(|kept| kept == slot).and_then(|at| kept.vectors.get(at)))
            .collect();
        let value = |vector: &Option<&Vector>, row: usize| vector.map(|vector| vector.get(row)).unwrap_or_default();
        return Ok((0..kept.rows).map(|row| vectors.iter().map(|vector| value(vector, row)).collect()).collect());
    }
    let stages = stages(exec.program, exec.bound, rest, &Reads { exprs: Vec::new(), slots: outputs.to_vec() });
    let mut all = Vec::new();
    drive(
        exec,
        &stages,
        kept.as_ref(),
        Vec::new,
        |worker, rows: &mut Vec<Vec<V>>, batch| {
            worker.exec.hold(batch.rows)?;
            let vectors: Vec<Option<&Vector>> = outputs.iter().map(|slot| batch.slot(*slot)).collect();
            let value = |vector: &Option<&Vector>, row: usize| vector.map(|vector| vector.get(row)).unwrap_or_default();
            let before = rows.len();
            rows.extend((0..batch.rows).map(|row| vectors.iter().map(|vector| value(vector, row)).collect::<Vec<V>>()));
            worker.exec.hold(rows.iter().skip(before).flatten().map(V::weight).sum())?;
            Ok(Flow::Go)
        },
        |_, _| Ok(()),
        |rows| {
            all.extend(rows);
            Ok(Flow::Go)
        },
    )?;
    Ok(all)
}

/// The rows of a projection over what the operators before it give.
fn gather(exec: &Exec<'_>, ops: &[Op], kept: Option<&Kept>, projection: &Projection) -> Outcome<Kept> {
    let mut reads = Reads::default();
    projection.each_expr(&mut |expr| reads.exprs.push(expr));
    // Slots that it passes on unchanged are read too, but for those that it computes.
    let own: Vec<Slot> = projection.items.iter().map(|(_, slot)| *slot).collect();
    reads.slots.extend(projection.kept.iter().chain(&projection.visible).filter(|slot| !own.contains(slot)));
    if let Some(grouping) = &projection.grouped {
        reads.slots.extend(&grouping.carried);
    }
    let stages = stages(exec.program, exec.bound, ops, &reads);
    let mut frame = exec.frame();
    let mut whole = exec.gather(projection, &mut frame)?;
    if !whole.wants_rows() {
        return Ok(Kept::of(projection, whole.finish(exec, &mut frame)?));
    }
    // Different nodes and nothing else: they are kept as they are.
    let different = match projection.visible.as_slice() {
        [slot] if projection.only_different() => Some(*slot),
        _ => None,
    };
    let mut nodes = Different::default();
    drive(
        exec,
        &stages,
        kept,
        Part::default,
        |worker, part: &mut Part<'_>, batch| {
            if let Some(grouping) = &projection.grouped {
                let Worker { exec, frame, .. } = worker;
                part.groups.add(exec, grouping, &batch, frame)?;
                return Ok(Flow::Go);
            }
            if let Some(Vector::Nodes(of)) = different.and_then(|slot| batch.slot(slot)) {
                worker.exec.hold(part.different.add(of, worker.exec.graph.node_count()))?;
                return Ok(Flow::Go);
            }
            let Worker { exec, frame, .. } = worker;
            let gathered = match &mut part.gathered {
                Some(gathered) => gathered,
                None => part.gathered.insert(exec.gather(projection, &mut exec.frame())?),
            };
            for row in 0..batch.rows {
                exec.tick()?;
                batch.load(row, frame);
                if gathered.add(exec, frame)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
            }
            Ok(Flow::Go)
        },
        |worker, part| {
            if let Some(grouping) = &projection.grouped {
                let mut gathered = worker.exec.gather(projection, &mut worker.exec.frame())?;
                std::mem::take(&mut part.groups).give(&worker.exec, grouping, &mut gathered)?;
                part.gathered = Some(gathered);
            }
            Ok(())
        },
        |part| {
            exec.release(part.different.nodes.len());
            exec.hold(nodes.add(&part.different.nodes, exec.graph.node_count()))?;
            match part.gathered {
                Some(gathered) => whole.merge(exec, gathered),
                None => Ok(Flow::Go),
            }
        },
    )?;
    exec.release(nodes.nodes.len());
    let rest = Kept::of(projection, whole.finish(exec, &mut frame)?);
    Ok(if different.is_some() { rest.and_nodes(nodes.nodes) } else { rest })
}

/// What one morsel gives to a projection.
#[derive(Default)]
struct Part<'p> {
    groups: Groups,
    different: Different,
    gathered: Option<Gathered<'p>>,
}

/// Different nodes, as they come.
#[derive(Default)]
struct Different {
    nodes: Vec<u32>,
    seen: Bits,
}

impl Different {
    /// Adds those that are new; gives how many were.
    fn add(&mut self, nodes: &[u32], all: usize) -> usize {
        let before = self.nodes.len();
        self.seen.grow(if nodes.is_empty() { 0 } else { all });
        for node in nodes {
            if !self.seen.get(*node as usize) {
                self.seen.set(*node as usize);
                self.nodes.push(*node);
            }
        }
        self.nodes.len() - before
    }
}

/// Runs morsels through stages on all cores. Each fills a part of its own, seals it, and the parts are merged in the
/// order of the morsels until that asks to stop.
fn drive<P: Send>(
    exec: &Exec<'_>,
    stages: &[Stage<'_>],
    kept: Option<&Kept>,
    new: impl Fn() -> P + Sync,
    add: impl Fn(&mut Worker<'_>, &mut P, Batch) -> Outcome<Flow> + Sync,
    seal: impl Fn(&mut Worker<'_>, &mut P) -> Outcome<()> + Sync,
    mut merge: impl FnMut(P) -> Outcome<Flow>,
) -> Outcome<()> {
    let morsels = morsels(exec, stages, kept);
    let shared = exec.shared();
    let run = |morsel: &Morsel| -> Outcome<(P, bool)> {
        let exec = Rc::new(Exec::of(&shared));
        let (width, mut nodes) = (exec.program.width, None);
        let batch = match morsel {
            Morsel::Unit => Batch::unit(width),
            Morsel::Nodes(at, range) => {
                nodes = Some((*at, range.clone()));
                Batch::unit(width)
            }
            Morsel::Rows(range) => kept.map_or_else(Batch::default, |kept| kept.batch(range.clone(), width)),
        };
        let mut worker = Worker { frame: exec.frame(), exec, tests: Tests::default(), nodes };
        let mut part = new();
        worker.stage(stages, 0, batch, &mut |worker, batch| add(worker, &mut part, batch))?;
        seal(&mut worker, &mut part)?;
        Ok((part, worker.exec.was_uncertain()))
    };
    // The first wave is small: a limit may be reached by then.
    let threads = rayon::current_num_threads().max(1);
    let mut rest = morsels.as_slice();
    let mut wave = 1;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(wave));
        rest = later;
        let results: Vec<Outcome<(P, bool)>> = match now {
            [one] => vec![run(one)],
            many => many.par_iter().map(run).collect(),
        };
        for result in results {
            let (part, uncertain) = result?;
            if uncertain {
                exec.set_uncertain();
            }
            if merge(part)? == Flow::Stop {
                return Ok(());
            }
        }
        wave = threads * 8;
    }
    Ok(())
}

fn morsels(exec: &Exec<'_>, stages: &[Stage<'_>], kept: Option<&Kept>) -> Vec<Morsel> {
    if let Some(kept) = kept {
        let starts = (0..kept.rows).step_by(MORSEL_ROWS);
        return starts.map(|start| Morsel::Rows(start..kept.rows.min(start + MORSEL_ROWS))).collect();
    }
    // The first scan, when only conditions without variables are before it.
    for (at, stage) in stages.iter().enumerate() {
        let Work::Step { matching, at: step } = stage.work else { break };
        match exec.bound.matches.get(matching).and_then(|of| of.steps.get(step)) {
            Some(Step::Filter(_)) => {}
            Some(Step::Scan { kinds, .. }) => {
                let tables = kinds.iter().filter_map(|kind| exec.graph.tables.get(*kind as usize));
                let ranges: Vec<Range<u32>> = tables.map(|table| table.nodes.clone()).collect();
                let total: u32 = ranges.iter().map(|range| range.len() as u32).sum();
                // Small scans are cut finer, since what follows may be large.
                let size = (total / 32).clamp(512, MORSEL_NODES);
                if total <= size {
                    return vec![Morsel::Unit];
                }
                let cut = |range: Range<u32>| {
                    let starts = range.clone().step_by(size as usize);
                    starts.map(move |start| Morsel::Nodes(at, start..range.end.min(start + size)))
                };
                return ranges.into_iter().flat_map(cut).collect();
            }
            _ => break,
        }
    }
    vec![Morsel::Unit]
}

impl Kept {
    fn of(projection: &Projection, rows: Vec<Vec<V>>) -> Self {
        let count = rows.len();
        let mut columns: Vec<Vec<V>> = projection.kept.iter().map(|_| Vec::with_capacity(count)).collect();
        for row in rows {
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        Self { rows: count, slots: projection.kept.clone(), vectors: columns.into_iter().map(vector_of).collect() }
    }

    /// With more rows, which have nodes in their one slot.
    fn and_nodes(mut self, nodes: Vec<u32>) -> Self {
        let before = std::mem::replace(&mut self.rows, nodes.len());
        let rest = (0..before).filter_map(|row| Some(self.vectors.first()?.get(row)));
        let vector = match before {
            0 => Vector::Nodes(nodes),
            _ => Vector::Values(nodes.into_iter().map(|node| V::Node(NodeId(node))).chain(rest).collect()),
        };
        self.rows += before;
        self.vectors = vec![vector];
        self
    }

    fn batch(&self, range: Range<usize>, width: usize) -> Batch {
        let mut batch = Batch { rows: range.len(), slots: vec![None; width], pending: Vec::new() };
        for (slot, vector) in self.slots.iter().zip(&self.vectors) {
            batch.set(*slot, vector.part(range.clone()));
        }
        batch
    }
}

/// Values in the narrowest form.
fn vector_of(values: Vec<V>) -> Vector {
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
