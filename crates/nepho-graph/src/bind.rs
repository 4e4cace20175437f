//! A program beside a graph: which column each property is in each kind, which kinds each label means, and in which
//! order each pattern is walked. Made once per run; cheap beside the run.

use hashbrown::HashSet;

use crate::graph::{Graph, Mark};
use crate::ir::{CompareOp, Direction};
use crate::plan::{Expr, Kind, MatchPlan, Program, Relation, Slot};

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    /// Kind × property → column, `u32::MAX` for none.
    columns: Vec<u32>,
    properties: usize,
    /// Label expression → kind → whether it holds.
    pub labels: Vec<Vec<bool>>,
    pub matches: Vec<BoundMatch>,
}

/// The walk through one pattern.
#[derive(Debug, Default)]
pub(crate) struct BoundMatch {
    pub steps: Vec<Step>,
    /// Node of the pattern → kind → whether its labels hold; `None` for any.
    pub kinds: Vec<Option<Vec<bool>>>,
}

/// One step of a walk.
#[derive(Debug)]
pub(crate) enum Step {
    /// A node bound before: its labels.
    Check { node: usize },
    /// Every node of these kinds.
    Scan { node: usize, kinds: Vec<u32>, gaps: Vec<Gap> },
    /// The node with the key that the filter (by number) asks for.
    ByKey { node: usize, filter: usize, gaps: Vec<Gap> },
    /// From one node along a relation to another.
    Expand(Expand),
    /// A relation bound before.
    Fixed { relation: usize },
    /// A condition whose slots are all bound.
    Filter(usize),
    /// A path's value.
    Path(usize),
}

/// A step along a relation.
#[derive(Debug)]
pub(crate) struct Expand {
    pub relation: usize,
    /// Node of the pattern that it starts at.
    pub from: usize,
    pub to: usize,
    /// Whether `to` has its node already.
    pub closes: bool,
    /// The way to walk, seen from `from`.
    pub direction: Direction,
    pub types: Vec<u32>,
    pub gaps: Vec<Gap>,
}

/// Why a search that finds nothing may have missed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Gap {
    /// The kind that was not completely listed, or whose nodes have unread relations.
    pub kind: u32,
    /// Where.
    pub mark: Mark,
    /// The relation type that could not be read; `None` for a kind not completely listed.
    pub relation: Option<u32>,
}

impl Bound {
    /// Binds a program to a graph.
    pub fn new(program: &Program, graph: &Graph) -> Self {
        let properties = program.properties.len();
        let mut columns = Vec::with_capacity(graph.tables.len() * properties);
        for table in &graph.tables {
            for name in &program.properties {
                columns.push(table.columns.by_name.get(name).copied().unwrap_or(u32::MAX));
            }
        }
        let labels: Vec<Vec<bool>> = program
            .labels
            .iter()
            .map(|labels| {
                graph
                    .tables
                    .iter()
                    .map(|table| {
                        labels.hold(&|name| table.labels.iter().any(|label| **label == *name), !table.labels.is_empty())
                    })
                    .collect()
            })
            .collect();
        let mut bound = Self { columns, properties, labels, matches: Vec::new() };
        for plan in &program.matches {
            let planned = Planner { graph, bound: &bound, plan, program }.plan();
            bound.matches.push(planned);
        }
        bound
    }

    /// The column of a property in a kind.
    #[inline]
    pub fn column(&self, kind: u32, property: usize) -> Option<usize> {
        match self.columns.get(kind as usize * self.properties + property) {
            Some(&u32::MAX) | None => None,
            Some(column) => Some(*column as usize),
        }
    }
}

struct Planner<'a> {
    graph: &'a Graph,
    bound: &'a Bound,
    plan: &'a MatchPlan,
    program: &'a Program,
}

impl Planner<'_> {
    fn plan(&self) -> BoundMatch {
        let plan = self.plan;
        let kinds: Vec<Option<Vec<bool>>> = plan
            .nodes
            .iter()
            .map(|node| {
                let mut all: Option<Vec<bool>> = None;
                for label in &node.labels {
                    let of = self.bound.labels.get(*label).cloned().unwrap_or_default();
                    all = Some(match all {
                        Some(all) => all.iter().zip(&of).map(|(left, right)| *left && *right).collect(),
                        None => of,
                    });
                }
                all
            })
            .collect();
        let mut steps = Vec::new();
        let mut known: Vec<bool> = plan.nodes.iter().map(|node| node.bound).collect();
        let mut slots: HashSet<Slot> = HashSet::new();
        let mut filtered = vec![false; plan.filters.len()];
        let mut walked = vec![false; plan.relations.len()];
        steps.extend((0..known.len()).filter(|node| known[*node]).map(|node| Step::Check { node }));
        self.filters(&slots, &mut filtered, &mut steps);
        loop {
            let next = (0..plan.relations.len())
                .filter(|at| !walked[*at])
                .map(|at| (self.cost(&plan.relations[at], &known, &kinds), at))
                .filter(|(cost, _)| cost.is_finite())
                .min_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
            if let Some((_, at)) = next {
                let relation = &plan.relations[at];
                walked[at] = true;
                if relation.bound && relation.length.is_none() {
                    steps.push(Step::Fixed { relation: at });
                } else {
                    steps.push(Step::Expand(self.expand(at, &known, &kinds)));
                }
                for node in [relation.from, relation.to] {
                    known[node] = true;
                    slots.insert(plan.nodes[node].slot);
                }
                slots.insert(relation.slot);
            } else if let Some(node) = self.start(&known, &kinds) {
                known[node] = true;
                slots.insert(plan.nodes[node].slot);
                let all: Vec<u32> = (0..self.graph.tables.len() as u32)
                    .filter(|kind| kinds[node].as_ref().is_none_or(|kinds| kinds[*kind as usize]))
                    .collect();
                let gaps = self.gaps(&all, &[]);
                steps.push(match self.key_filter(node) {
                    Some(filter) => Step::ByKey { node, filter, gaps },
                    None => Step::Scan { node, kinds: all, gaps },
                });
            } else {
                break;
            }
            self.filters(&slots, &mut filtered, &mut steps);
        }
        for (at, path) in plan.paths.iter().enumerate() {
            steps.push(Step::Path(at));
            slots.insert(path.slot);
        }
        self.filters(&slots, &mut filtered, &mut steps);
        BoundMatch { steps, kinds }
    }

    fn filters(&self, slots: &HashSet<Slot>, done: &mut [bool], steps: &mut Vec<Step>) {
        for (at, filter) in self.plan.filters.iter().enumerate() {
            if !done[at] && filter.reads.iter().all(|slot| slots.contains(slot)) {
                done[at] = true;
                steps.push(Step::Filter(at));
            }
        }
    }

    fn node_count(&self, kinds: Option<&Vec<bool>>) -> f64 {
        let tables = self.graph.tables.iter().enumerate();
        tables
            .filter(|(kind, _)| kinds.is_none_or(|kinds| kinds[*kind]))
            .map(|(_, table)| table.nodes.len() as f64)
            .sum()
    }

    /// About how many ends a relation leads to; infinite when neither end is known.
    fn cost(&self, relation: &Relation, known: &[bool], kinds: &[Option<Vec<bool>>]) -> f64 {
        if relation.bound && relation.length.is_none() {
            return 0.0;
        }
        let (near, far) = match (known[relation.from], known[relation.to]) {
            (true, true) => return 0.1,
            (true, false) => (relation.from, relation.to),
            (false, true) => (relation.to, relation.from),
            (false, false) => return f64::INFINITY,
        };
        let relations: f64 =
            self.types(relation).iter().map(|of| self.graph.relations[*of as usize].len() as f64).sum();
        let fan = relations / self.node_count(kinds[near].as_ref()).max(1.0);
        let share = self.node_count(kinds[far].as_ref()) / self.node_count(None).max(1.0);
        let steps = if relation.length.is_some() { 100.0 } else { 1.0 };
        fan * share.max(0.01) * self.selectivity(far) * steps + 0.2
    }

    /// The share of nodes that the equality filters on a node alone probably leave.
    fn selectivity(&self, node: usize) -> f64 {
        let slot = self.plan.nodes[node].slot;
        let equalities =
            self.plan.filters.iter().filter(|filter| {
                filter.reads == [slot] && matches!(filter.expr.kind, Kind::Compare(CompareOp::Equal, ..))
            });
        0.1f64.powi(equalities.count().min(3) as i32)
    }

    /// The unknown node with the fewest candidates.
    fn start(&self, known: &[bool], kinds: &[Option<Vec<bool>>]) -> Option<usize> {
        (0..known.len())
            .filter(|node| !known[*node])
            .map(|node| {
                let cost = match self.key_filter(node) {
                    Some(_) => 1.0,
                    None => self.node_count(kinds[node].as_ref()) * self.selectivity(node),
                };
                (cost, node)
            })
            .min_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)))
            .map(|(_, node)| node)
    }

    /// A filter `node.key = …` whose other side is bound before the pattern.
    fn key_filter(&self, node: usize) -> Option<usize> {
        let slot = self.plan.nodes[node].slot;
        self.plan.filters.iter().position(|filter| {
            let Kind::Compare(CompareOp::Equal, left, right) = &filter.expr.kind else { return false };
            let is_key = |expr: &Expr| match &expr.kind {
                Kind::NodeProperty { slot: of, property } => {
                    *of == slot && self.program.properties.get(*property).is_some_and(|name| **name == *"key")
                }
                _ => false,
            };
            filter.reads == [slot]
                && is_key(left)
                && matches!(right.kind, Kind::Constant(_) | Kind::Parameter(_))
                && self.graph.tables.iter().all(|table| table.nodes.is_empty() || !table.kind.starts_with(':'))
        })
    }

    fn types(&self, relation: &Relation) -> Vec<u32> {
        if relation.types.is_empty() {
            return (0..self.graph.relations.len() as u32).collect();
        }
        let mut types: Vec<u32> =
            relation.types.iter().filter_map(|name| self.graph.relation_index.get(name).copied()).collect();
        types.sort_unstable();
        types.dedup();
        types
    }

    fn expand(&self, at: usize, known: &[bool], kinds: &[Option<Vec<bool>>]) -> Expand {
        let relation = &self.plan.relations[at];
        let forward = known[relation.from];
        let (from, to) = if forward { (relation.from, relation.to) } else { (relation.to, relation.from) };
        let direction = match (relation.direction, forward) {
            (Direction::Out, true) | (Direction::In, false) => Direction::Out,
            (Direction::In, true) | (Direction::Out, false) => Direction::In,
            (Direction::Both, _) => Direction::Both,
        };
        let types = self.types(relation);
        let closes = known[to];
        let gaps = if closes && relation.length.is_none() {
            Vec::new()
        } else {
            self.gaps(&self.far_kinds(relation, &types, direction, kinds[to].as_ref()), &types)
        };
        Expand { relation: at, from, to, closes, direction, types, gaps }
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
                let Some(table) = self.graph.relations.get(*of as usize) else { continue };
                for (account, region) in table.unknown_places.get(kind).into_iter().flatten() {
                    let region = (!self.graph.is_global(*region)).then_some(*region);
                    let mark = Mark { account: Some(*account), region };
                    gaps.push(Gap { kind: *kind, mark, relation: Some(*of) });
                }
            }
        }
        gaps
    }
}
