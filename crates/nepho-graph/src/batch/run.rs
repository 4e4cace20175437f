//! The way of a query's parts through morsels on all cores.

use std::ops::Range;
use std::rc::Rc;

use rayon::prelude::*;

use super::filter::Tests;
use super::stages::{After, Stage, Work, stages};
use super::worker::{Worker, vector_of};
use super::{Batch, Groups, Vector};
use crate::bind::Step;
use crate::bits::Bits;
use crate::error::Outcome;
use crate::exec::{Exec, Flow, Gathered};
use crate::graph::NodeId;
use crate::plan::{Op, Projection, QueryPlan, Slot};
use crate::value::ResultValue as V;

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
    let stages = stages(exec.program, exec.bound, rest, &After { exprs: Vec::new(), slots: outputs.to_vec() });
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
    let mut reads = After::default();
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
