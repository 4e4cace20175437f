//! What lies between two gathering projections as a flat list, and which slots are needed after each entry.

use crate::bind::{Bound, Expand, Step};
use crate::plan::{Expr, MatchPlan, Op, Program, Slot};

/// One thing to do with a batch.
#[derive(Debug)]
pub(super) struct Stage<'p> {
    pub work: Work<'p>,
    /// Slots that are needed afterwards.
    pub live: Vec<bool>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Work<'p> {
    /// Step `at` of a match, on the batch.
    Step { matching: usize, at: usize },
    /// Step `at` of a match and all after it, row by row.
    RowSteps { matching: usize, at: usize },
    /// The end of a match whose steps were all done on batches.
    EndOfMatch,
    /// Any other operator.
    Op(&'p Op),
}

/// Slots, or all of them.
#[derive(Clone, Debug)]
struct Slots {
    all: bool,
    of: Vec<bool>,
}

impl Slots {
    fn add(&mut self, slot: Slot) {
        if let Some(place) = self.of.get_mut(slot) {
            *place = true;
        }
    }

    fn remove(&mut self, slot: Slot) {
        if let Some(place) = self.of.get_mut(slot) {
            *place = false;
        }
    }

    /// Adds what an expression reads. Patterns and queries within it may read anything.
    fn read(&mut self, expr: &Expr) {
        let all = expr.slots(&mut |slot| self.add(slot));
        self.all |= !all;
    }

    fn live(&self) -> Vec<bool> {
        if self.all { vec![true; self.of.len()] } else { self.of.clone() }
    }
}

/// The stages of operators none of which gathers; `after`: what is read of their rows.
pub(super) fn stages<'p>(program: &'p Program, bound: &Bound, ops: &'p [Op], after: &After<'_>) -> Vec<Stage<'p>> {
    let mut works: Vec<Work<'p>> = Vec::new();
    for op in ops {
        match op {
            Op::Match(matching) => match (program.matches.get(*matching), bound.matches.get(*matching)) {
                (Some(plan), Some(of)) if !plan.optional => {
                    let batched = of.steps.iter().position(|step| !on_batches(plan, step)).unwrap_or(of.steps.len());
                    works.extend((0..batched).map(|at| Work::Step { matching: *matching, at }));
                    works.push(match batched < of.steps.len() {
                        true => Work::RowSteps { matching: *matching, at: batched },
                        false => Work::EndOfMatch,
                    });
                }
                _ => works.push(Work::Op(op)),
            },
            _ => works.push(Work::Op(op)),
        }
    }
    let mut slots = Slots { all: false, of: vec![false; program.width] };
    after.exprs.iter().for_each(|expr| slots.read(expr));
    after.slots.iter().for_each(|slot| slots.add(*slot));
    let mut stages: Vec<Stage<'p>> = Vec::new();
    for work in works.into_iter().rev() {
        stages.push(Stage { work, live: slots.live() });
        need(program, bound, work, &mut slots);
    }
    stages.reverse();
    stages
}

/// What is read of the rows that come out of stages.
#[derive(Default)]
pub(super) struct After<'e> {
    pub exprs: Vec<&'e Expr>,
    pub slots: Vec<Slot>,
}

/// Whether a step has a form for batches.
fn on_batches(plan: &MatchPlan, step: &Step) -> bool {
    match step {
        Step::Check { .. } | Step::Scan { .. } | Step::Lookup { .. } | Step::Filter(_) => true,
        Step::Path(_) | Step::Fixed { .. } => false,
        Step::Expand(expand) => plan
            .relations
            .get(expand.relation)
            .is_some_and(|relation| (relation.length.is_none() && relation.shortest.is_none()) || expand.ends_only),
    }
}

/// From the slots needed after some work to those needed before it.
fn need(program: &Program, bound: &Bound, work: Work<'_>, slots: &mut Slots) {
    match work {
        Work::EndOfMatch => {}
        Work::Op(Op::Let(items)) => {
            items.iter().for_each(|(_, slot)| slots.remove(*slot));
            items.iter().for_each(|(expr, _)| slots.read(expr));
        }
        Work::Op(Op::Filter(filter)) => slots.read(filter),
        Work::Op(Op::Match(matching)) => everything(program, *matching, slots),
        Work::Op(Op::Unwind { list, slot }) => {
            slots.remove(*slot);
            slots.read(list);
        }
        Work::Op(Op::Project(_) | Op::Alternatives { .. }) => slots.all = true,
        Work::RowSteps { matching, .. } => everything(program, matching, slots),
        Work::Step { matching, at } => {
            let (Some(plan), Some(of)) = (program.matches.get(matching), bound.matches.get(matching)) else { return };
            // The first bound node says whose account a gap must be in.
            plan.nodes.iter().filter(|node| node.bound).take(1).for_each(|node| slots.add(node.slot));
            match of.steps.get(at) {
                Some(Step::Check { node }) => slots.add(plan.nodes[*node].slot),
                Some(Step::Scan { node, .. }) => slots.remove(plan.nodes[*node].slot),
                Some(Step::Lookup { node, filter, .. }) => {
                    let slot = plan.nodes[*node].slot;
                    slots.remove(slot);
                    let equality = plan.filters.get(*filter).and_then(|of| Step::equality(&of.expr, slot));
                    equality.into_iter().for_each(|(_, other)| slots.read(other));
                }
                Some(Step::Filter(filter)) => {
                    if let Some(filter) = plan.filters.get(*filter) {
                        slots.read(&filter.expr);
                    }
                }
                Some(Step::Expand(expand)) => need_expand(plan, expand, slots),
                _ => everything(program, matching, slots),
            }
        }
    }
}

fn need_expand(plan: &MatchPlan, expand: &Expand, slots: &mut Slots) {
    if let Some(relation) = plan.relations.get(expand.relation) {
        slots.remove(relation.slot);
        relation.properties.iter().for_each(|(_, value)| slots.read(value));
    }
    if !expand.closes {
        slots.remove(plan.nodes[expand.to].slot);
    } else {
        slots.add(plan.nodes[expand.to].slot);
    }
    slots.add(plan.nodes[expand.from].slot);
    for other in &expand.unlike {
        slots.add(plan.relations[*other].slot);
    }
}

/// All that a pattern binds and reads.
fn everything(program: &Program, matching: usize, slots: &mut Slots) {
    let Some(plan) = program.matches.get(matching) else { return };
    plan.binds.iter().for_each(|slot| slots.add(*slot));
    plan.nodes.iter().for_each(|node| slots.add(node.slot));
    plan.relations.iter().for_each(|relation| {
        slots.add(relation.slot);
        relation.properties.iter().for_each(|(_, value)| slots.read(value));
    });
    plan.filters.iter().for_each(|filter| slots.read(&filter.expr));
}
