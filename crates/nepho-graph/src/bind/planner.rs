//! In which order a pattern is walked: from each possible start the cheapest next step again and again, and of these
//! walks the one with the fewest rows on the way.

use hashbrown::HashSet;

use super::estimate::{Estimator, KindSet};
use super::{Bound, BoundMatch, Closing, Expand, Gap, Step};
use crate::graph::{Graph, Mark};
use crate::ir::Direction;
use crate::plan::{Expr, Kind, MatchPlan, Program, Relation, Slot};

pub(super) struct Planner<'a> {
    graph: &'a Graph,
    plan: &'a MatchPlan,
    program: &'a Program,
    estimator: Estimator<'a>,
    kinds: Vec<KindSet>,
    /// Relation of the pattern → its types by number.
    types: Vec<Vec<u32>>,
    /// Filters that ask for one value of a property, so often that an index pays.
    indexed: Vec<bool>,
    /// Share of nodes that the conditions on each node of the pattern alone leave.
    shares: Vec<f64>,
}

/// How a node may be looked up.
struct Lookup {
    filter: usize,
    rows: f64,
    is_key: bool,
}

/// A walk as far as it has come.
#[derive(Clone, Default)]
struct Walk {
    steps: Vec<Step>,
    estimates: Vec<f64>,
    known: Vec<bool>,
    walked: Vec<bool>,
    filtered: Vec<bool>,
    slots: HashSet<Slot>,
    rows: f64,
    cost: f64,
}

impl Walk {
    /// Adds a step that leaves so many rows. Going from node to node costs most, since it reads here and there; a scan or
    /// a condition goes through what lies together.
    fn add(&mut self, step: Step, rows: f64) {
        self.cost += match step {
            Step::Scan { .. } => rows * 0.1,
            Step::Filter(_) => self.rows * 0.2,
            _ => self.rows.max(rows),
        };
        self.rows = rows;
        self.steps.push(step);
        self.estimates.push(rows);
    }
}

impl<'a> Planner<'a> {
    pub fn new(graph: &'a Graph, bound: &'a Bound, plan: &'a MatchPlan, program: &'a Program) -> Self {
        let estimator = Estimator { graph, bound };
        let kinds: Vec<KindSet> = plan
            .nodes
            .iter()
            .map(|node| {
                let of = |label: &usize| bound.labels.get(*label).cloned().unwrap_or_default();
                node.labels.iter().map(of).reduce(|all, of| all.iter().zip(&of).map(|(a, b)| *a && *b).collect())
            })
            .collect();
        let shares = plan.nodes.iter().zip(&kinds).map(|(node, kinds)| {
            let own = plan.filters.iter().filter(|filter| filter.reads == [node.slot]);
            own.map(|filter| estimator.share(&filter.expr, node.slot, kinds)).product()
        });
        let shares = shares.collect();
        let types = plan.relations.iter().map(|relation| types(graph, relation)).collect();
        let indexed = plan.filters.iter().map(|filter| {
            let node = plan.nodes.iter().position(|node| filter.reads == [node.slot]);
            let equality = node.and_then(|node| Some((node, Step::equality(&filter.expr, plan.nodes[node].slot)?)));
            equality.is_some_and(|(node, (property, _))| {
                let tables = graph.tables.iter().enumerate().filter(|(kind, table)| {
                    !table.nodes.is_empty() && kinds[node].as_ref().is_none_or(|kinds| kinds[*kind])
                });
                let columns = tables.filter_map(|(kind, table)| Some((table, bound.column(kind as u32, property)?)));
                columns.fold(true, |all, (table, column)| table.wants_index(column) && all)
            })
        });
        let indexed = indexed.collect();
        Self { graph, plan, program, estimator, indexed, kinds, types, shares }
    }

    pub fn plan(self) -> BoundMatch {
        let plan = self.plan;
        let mut walk = Walk {
            known: plan.nodes.iter().map(|node| node.bound).collect(),
            walked: vec![false; plan.relations.len()],
            filtered: vec![false; plan.filters.len()],
            rows: 1.0,
            ..Walk::default()
        };
        for node in (0..plan.nodes.len()).filter(|node| plan.nodes[*node].bound) {
            walk.add(Step::Check { node }, 1.0);
        }
        self.filters(&mut walk);
        // A node that is named by its key is one row: it never hurts to have it first.
        for node in 0..plan.nodes.len() {
            if !walk.known[node] && self.lookup(node, &walk.slots).is_some_and(|lookup| lookup.is_key) {
                self.scan(&mut walk, node);
            }
        }
        let mut walk = if walk.known.iter().any(|known| *known) || plan.nodes.len() > 12 {
            self.finish(walk)
        } else {
            let walks = (0..plan.nodes.len()).map(|start| {
                let mut walk = walk.clone();
                self.scan(&mut walk, start);
                self.finish(walk)
            });
            walks.min_by(|left, right| left.cost.total_cmp(&right.cost)).unwrap_or(walk)
        };
        for (at, path) in plan.paths.iter().enumerate() {
            let rows = walk.rows;
            walk.add(Step::Path(at), rows);
            walk.slots.insert(path.slot);
        }
        self.filters(&mut walk);
        self.closings(&mut walk.steps);
        BoundMatch { steps: walk.steps, estimates: walk.estimates, kinds: self.kinds }
    }

    /// Walks the rest, always along the cheapest relation; to a new start only where none leads on.
    fn finish(&self, mut walk: Walk) -> Walk {
        loop {
            let next = (0..self.plan.relations.len())
                .filter(|at| !walk.walked[*at])
                .map(|at| (self.factor(at, &walk.known), at))
                .filter(|(factor, _)| factor.is_finite())
                .min_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
            if let Some((factor, at)) = next {
                self.relation(&mut walk, at, factor);
            } else if let Some(node) = self.start(&walk) {
                self.scan(&mut walk, node);
            } else {
                return walk;
            }
        }
    }

    fn scan(&self, walk: &mut Walk, node: usize) {
        let all: Vec<u32> = (0..self.graph.tables.len() as u32)
            .filter(|kind| self.kinds[node].as_ref().is_none_or(|kinds| kinds[*kind as usize]))
            .collect();
        let gaps = self.gaps(&all, &[]);
        let (step, rows) = match self.lookup(node, &walk.slots) {
            Some(Lookup { filter, rows, .. }) => (Step::Lookup { node, filter, kinds: all, gaps }, rows),
            None => (Step::Scan { node, kinds: all, gaps }, self.estimator.nodes(&self.kinds[node])),
        };
        let rows = walk.rows * rows;
        walk.add(step, rows);
        walk.known[node] = true;
        walk.slots.insert(self.plan.nodes[node].slot);
        self.filters(walk);
    }

    fn relation(&self, walk: &mut Walk, at: usize, factor: f64) {
        let relation = &self.plan.relations[at];
        let rows = walk.rows * factor;
        let step = if relation.bound && relation.length.is_none() {
            Step::Fixed { relation: at }
        } else {
            Step::Expand(self.expand(at, walk))
        };
        walk.add(step, rows);
        walk.walked[at] = true;
        for node in [relation.from, relation.to] {
            walk.known[node] = true;
            walk.slots.insert(self.plan.nodes[node].slot);
        }
        walk.slots.insert(relation.slot);
        self.filters(walk);
    }

    /// Conditions whose slots are all bound by now.
    fn filters(&self, walk: &mut Walk) {
        for (at, filter) in self.plan.filters.iter().enumerate() {
            if walk.filtered[at] || !filter.reads.iter().all(|slot| walk.slots.contains(slot)) {
                continue;
            }
            walk.filtered[at] = true;
            let node = self.plan.nodes.iter().position(|node| filter.reads == [node.slot]);
            let looked_up = walk.steps.iter().any(|step| matches!(step, Step::Lookup { filter, .. } if *filter == at));
            let share = match node {
                _ if looked_up => 1.0,
                Some(node) => self.estimator.share(&filter.expr, self.plan.nodes[node].slot, &self.kinds[node]),
                None => 0.5,
            };
            let rows = walk.rows * share;
            walk.add(Step::Filter(at), rows);
        }
    }

    /// By how much a relation multiplies the rows; infinite when neither end is known.
    fn factor(&self, at: usize, known: &[bool]) -> f64 {
        let relation = &self.plan.relations[at];
        if relation.bound && relation.length.is_none() {
            return 0.5;
        }
        let (near, far, forward) = match (known[relation.from], known[relation.to]) {
            (true, true) => (relation.from, relation.to, true),
            (true, false) => (relation.from, relation.to, true),
            (false, true) => (relation.to, relation.from, false),
            (false, false) => return f64::INFINITY,
        };
        let way = way(relation.direction, forward);
        let one = self.estimator.fan(&self.types[at], way, &self.kinds[near], &self.kinds[far]);
        let ends = self.estimator.nodes(&self.kinds[far]).max(1.0);
        let fan = match relation.length {
            None => one,
            Some((_, most)) => {
                // Any node may lie on the way.
                let any = self.estimator.fan(&self.types[at], way, &None, &None);
                let trails = one.max(any) * any.max(1.0).powi(most.unwrap_or(8).min(8) as i32 - 1);
                if relation.ends_only || relation.shortest.is_some() { trails.min(ends) } else { trails }
            }
        };
        if known[relation.from] && known[relation.to] {
            return (fan / ends).min(if relation.length.is_some() { fan } else { 1.0 });
        }
        fan * self.shares[far].max(1e-6)
    }

    /// The unknown node with the fewest candidates.
    fn start(&self, walk: &Walk) -> Option<usize> {
        (0..walk.known.len())
            .filter(|node| !walk.known[*node])
            .map(|node| {
                let looked_up = self.lookup(node, &walk.slots).map(|lookup| lookup.rows);
                let rows = looked_up.unwrap_or_else(|| self.estimator.nodes(&self.kinds[node]));
                (rows * self.shares[node], node)
            })
            .min_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)))
            .map(|(_, node)| node)
    }

    /// The filter by which a node is best looked up: an equality of a property of its own with something that is known.
    /// By key it is always worth it; by another property where it is done for each of many rows, or has been done often.
    fn lookup(&self, node: usize, slots: &HashSet<Slot>) -> Option<Lookup> {
        let slot = self.plan.nodes[node].slot;
        let mut best: Option<Lookup> = None;
        for (at, filter) in self.plan.filters.iter().enumerate() {
            let Some((property, other)) = Step::equality(&filter.expr, slot) else { continue };
            let mut reads = filter.reads.iter().filter(|read| **read != slot);
            if reads_slot(other, slot) || !reads.all(|read| slots.contains(read)) {
                continue;
            }
            let is_key = self.program.properties.get(property).is_some_and(|name| **name == *"key")
                && self.graph.tables.iter().all(|table| table.nodes.is_empty() || table.built_in);
            let same_for_all = filter.reads == [slot] && matches!(other.kind, Kind::Constant(_) | Kind::Parameter(_));
            if !is_key && same_for_all && !self.indexed[at] {
                continue;
            }
            let rows = if is_key { 1.0 } else { self.estimator.equal(property, &self.kinds[node]) };
            if !is_key && same_for_all && rows * 20.0 > self.estimator.nodes(&self.kinds[node]) {
                continue;
            }
            if best.as_ref().is_none_or(|best| rows < best.rows) {
                best = Some(Lookup { filter: at, rows, is_key });
            }
        }
        best
    }

    fn expand(&self, at: usize, walk: &Walk) -> Expand {
        let relation = &self.plan.relations[at];
        let known = &walk.known;
        let forward = known[relation.from];
        let (from, to) = if forward { (relation.from, relation.to) } else { (relation.to, relation.from) };
        let direction = way(relation.direction, forward);
        let types = self.types[at].clone();
        let closes = known[to];
        let gaps = if closes && relation.length.is_none() {
            Vec::new()
        } else {
            self.gaps(&self.far_kinds(relation, &types, direction, self.kinds[to].as_ref()), &types)
        };
        let unlike = (0..walk.walked.len()).filter(|other| {
            walk.walked[*other]
                && self.plan.relations[*other].length.is_none()
                && self.types[*other].iter().any(|of| types.contains(of))
        });
        let unlike = unlike.collect();
        Expand {
            relation: at,
            from,
            to,
            closes,
            direction,
            types,
            unlike,
            ends_only: relation.ends_only,
            gaps,
            closings: Vec::new(),
        }
    }

    /// Tells each step along a single relation which single relations close a circle at its far end before the next node
    /// is met, where all relations of these types are known.
    fn closings(&self, steps: &mut [Step]) {
        let single = |expand: &Expand| self.plan.relations[expand.relation].length.is_none();
        for at in 0..steps.len() {
            let (done, later) = steps.split_at_mut(at + 1);
            let Some(Step::Expand(expand)) = done.last_mut() else { continue };
            if expand.closes || !single(expand) {
                continue;
            }
            for step in later {
                let closing = match step {
                    Step::Filter(_) => continue,
                    Step::Expand(closing) if closing.closes && single(closing) => closing,
                    _ => break,
                };
                let (from, direction) = match expand.to {
                    to if to == closing.to => (closing.from, closing.direction),
                    to if to == closing.from => (closing.to, closing.direction.turned()),
                    _ => continue,
                };
                let mut tables = closing.types.iter().filter_map(|of| self.graph.relations.get(*of as usize));
                if from != expand.to && tables.all(|table| table.unknown.is_empty()) {
                    let (relation, types) = (closing.relation, closing.types.clone());
                    expand.closings.push(Closing { relation, from, direction, types });
                }
            }
        }
    }

    /// The kinds that the far end may be of: those of its labels, else those that the schema or the graph has at
    /// that end of the relation.
    fn far_kinds(&self, relation: &Relation, types: &[u32], way: Direction, labels: Option<&Vec<bool>>) -> Vec<u32> {
        let graph = self.graph;
        if let (Some(labels), None) = (labels, relation.length) {
            return (0..graph.tables.len() as u32).filter(|kind| labels[*kind as usize]).collect();
        }
        let mut far: HashSet<u32> = HashSet::new();
        for (kind, of) in labels.into_iter().flatten().enumerate() {
            if *of {
                far.insert(kind as u32);
            }
        }
        for of in types {
            let Some(table) = graph.relations.get(*of as usize) else { continue };
            for pair in &table.pairs {
                if way != Direction::In {
                    far.insert(pair.to);
                }
                if way != Direction::Out {
                    far.insert(pair.from);
                }
            }
        }
        let names = types.iter().filter_map(|of| graph.relations.get(*of as usize)).map(|table| &table.name);
        for (from, to) in names.filter_map(|name| graph.declared_ends.get(name)).flatten() {
            if way != Direction::In {
                far.extend(to);
            }
            if way != Direction::Out {
                far.extend(from);
            }
        }
        let mut far: Vec<u32> = far.into_iter().collect();
        far.sort_unstable();
        far
    }

    fn gaps(&self, kinds: &[u32], types: &[u32]) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for kind in kinds {
            for mark in self.graph.incomplete.get(kind).into_iter().flatten() {
                gaps.push(Gap { kind: *kind, mark: *mark, relation: None });
            }
            for of in types {
                for (account, region) in self.graph.unknown_places(*of, *kind) {
                    let region = (!self.graph.is_global(*region)).then_some(*region);
                    let mark = Mark { account: Some(*account), region };
                    gaps.push(Gap { kind: *kind, mark, relation: Some(*of) });
                }
            }
        }
        gaps
    }
}

fn types(graph: &Graph, relation: &Relation) -> Vec<u32> {
    if relation.types.is_empty() {
        return (0..graph.relations.len() as u32).collect();
    }
    let mut types: Vec<u32> =
        relation.types.iter().filter_map(|name| graph.relation_index.get(name).copied()).collect();
    types.sort_unstable();
    types.dedup();
    types
}

fn reads_slot(expr: &Expr, of: Slot) -> bool {
    let mut found = false;
    let all = expr.slots(&mut |slot| found |= slot == of);
    found || !all
}

/// The way to walk a relation from its start (`forward`) or from its end.
fn way(direction: Direction, forward: bool) -> Direction {
    match (direction, forward) {
        (Direction::Out, true) | (Direction::In, false) => Direction::Out,
        (Direction::In, true) | (Direction::Out, false) => Direction::In,
        (Direction::Both, _) => Direction::Both,
    }
}
