//! A program beside a graph: which column each property is in each kind, which kinds each label means, and in which
//! order each pattern is walked. Made once per run; cheap beside the run.

use crate::graph::{Graph, Mark};
use crate::ir::{CompareOp, Direction};
use crate::plan::{Expr, Kind, Program, Slot};

mod estimate;
mod planner;

use planner::Planner;

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
    /// About how many rows there are after each step, for one row before the first.
    pub estimates: Vec<f64>,
    /// Node of the pattern → kind → whether its labels hold; `None` for any.
    pub kinds: Vec<Option<Vec<bool>>>,
}

/// One step of a walk.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A node bound before: its labels.
    Check { node: usize },
    /// Every node of these kinds.
    Scan { node: usize, kinds: Vec<u32>, gaps: Vec<Gap> },
    /// The nodes of which a filter (by number) says that a property equals what is known by then.
    Lookup { node: usize, filter: usize, kinds: Vec<u32>, gaps: Vec<Gap> },
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
#[derive(Clone, Debug)]
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
    /// Single relations walked before it that could be the same one.
    pub unlike: Vec<usize>,
    /// Only which ends are reached matters, not how often and over what (see [`crate::plan::Relation::ends_only`]).
    pub ends_only: bool,
    pub gaps: Vec<Gap>,
    /// Relations that close a circle right after: a far end that they do not lead to is of no use.
    pub closings: Vec<Closing>,
}

/// A relation from a node known before to the far end of a step.
#[derive(Clone, Debug)]
pub(crate) struct Closing {
    pub relation: usize,
    /// Node of the pattern.
    pub from: usize,
    /// The way to walk, seen from `from`.
    pub direction: Direction,
    pub types: Vec<u32>,
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

impl Step {
    /// The property that a filter says equals something else, and that other side; the node's slot is `slot`.
    pub fn equality(filter: &Expr, slot: Slot) -> Option<(usize, &Expr)> {
        let Kind::Compare(CompareOp::Equal, left, right) = &filter.kind else { return None };
        let property = |expr: &Expr| match &expr.kind {
            Kind::NodeProperty { slot: of, property } if *of == slot => Some(*property),
            _ => None,
        };
        match (property(left), property(right)) {
            (Some(property), None) => Some((property, right)),
            (None, Some(property)) => Some((property, left)),
            _ => None,
        }
    }
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
            let planned = Planner::new(graph, &bound, plan, program).plan();
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
