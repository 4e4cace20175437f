//! The resolved query: every variable a slot of one flat row, every name looked up. Independent of any graph.

use std::sync::Arc;

use regex::Regex;

use crate::error::Span;
use crate::functions::Function;
use crate::ir::{BinaryOp, CompareOp, Direction, Quantifier, Shortest};
use crate::value::ResultValue;

mod settle;
mod visit;

pub(crate) use visit::Reads;

/// A place in the row.
pub(crate) type Slot = usize;

/// Everything that one text compiles to.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// How many slots a row has.
    pub width: usize,
    /// The variable in each slot; empty, or starting with NUL, where it has no name.
    pub names: Vec<Arc<str>>,
    /// Property names read from nodes, by number.
    pub properties: Vec<Arc<str>>,
    pub labels: Vec<Labels>,
    pub matches: Vec<MatchPlan>,
    pub subqueries: Vec<Subquery>,
}

/// A label expression over names.
#[derive(Clone, Debug)]
pub(crate) enum Labels {
    Name(Arc<str>),
    Any,
    Not(Box<Labels>),
    And(Vec<Labels>),
    Or(Vec<Labels>),
}

/// Single queries and how their rows are joined.
#[derive(Debug, Default)]
pub(crate) struct QueryPlan {
    pub parts: Vec<Vec<Op>>,
    pub distinct: bool,
    /// Slots of the result columns of each part; empty where there is no `RETURN`.
    pub outputs: Vec<Vec<Slot>>,
    pub columns: Vec<Arc<str>>,
}

/// A query within an expression.
#[derive(Debug)]
pub(crate) struct Subquery {
    pub plan: QueryPlan,
    /// Whether it reads nothing of the row around it.
    pub independent: bool,
    /// Whether it aggregates or cuts rows, so that one row found proves nothing when something was unknown.
    pub blocking: bool,
}

#[derive(Debug)]
pub(crate) enum Op {
    Match(usize),
    Unwind {
        list: Expr,
        slot: Slot,
    },
    /// `WITH` that only names values.
    Let(Vec<(Expr, Slot)>),
    Filter(Expr),
    /// The rows of a query within, by number: the forms of a pattern whose parts repeat. Its columns go into `slots`;
    /// when it has no row and is optional, they are null (unknown, when something was).
    Alternatives {
        subquery: usize,
        slots: Vec<Slot>,
        optional: bool,
    },
    /// A projection that must see all rows.
    Project(Box<Projection>),
}

#[derive(Debug, Default)]
pub(crate) struct Projection {
    /// Computed for each row (each group, when grouped).
    pub items: Vec<(Expr, Slot)>,
    pub grouped: Option<Grouping>,
    pub distinct: bool,
    pub order: Vec<(Expr, bool)>,
    pub skip: Option<Expr>,
    pub limit: Option<Expr>,
    /// Slots that make up a distinct row.
    pub visible: Vec<Slot>,
    /// Slots that are kept.
    pub kept: Vec<Slot>,
}

impl Projection {
    /// Whether all it does is to keep each of the different rows once.
    pub fn only_different(&self) -> bool {
        self.distinct
            && self.grouped.is_none()
            && self.items.is_empty()
            && self.order.is_empty()
            && self.skip.is_none()
            && self.limit.is_none()
            && self.visible == self.kept
    }
}

#[derive(Debug, Default)]
pub(crate) struct Grouping {
    pub keys: Vec<(Expr, Slot)>,
    pub aggregates: Vec<Aggregate>,
    /// Slots of the rows before that later expressions read; the group's first row stands for all.
    pub carried: Vec<Slot>,
}

#[derive(Debug)]
pub(crate) struct Aggregate {
    pub kind: AggregateKind,
    pub distinct: bool,
    /// `None` for `count(*)`.
    pub argument: Option<Expr>,
    /// The second argument of the percentiles.
    pub extra: Option<Expr>,
    pub slot: Slot,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AggregateKind {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Collect,
    StDev,
    StDevP,
    PercentileCont,
    PercentileDisc,
}

/// One `MATCH`, or one pattern of an expression.
#[derive(Debug, Default)]
pub(crate) struct MatchPlan {
    pub optional: bool,
    pub nodes: Vec<Node>,
    pub relations: Vec<Relation>,
    pub paths: Vec<Path>,
    pub filters: Vec<Filter>,
    /// Slots that this pattern binds.
    pub binds: Vec<Slot>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub slot: Slot,
    /// All must hold.
    pub labels: Vec<usize>,
    /// Bound before.
    pub bound: bool,
}

#[derive(Debug)]
pub(crate) struct Relation {
    pub slot: Slot,
    pub from: usize,
    pub to: usize,
    pub types: Vec<Arc<str>>,
    pub direction: Direction,
    pub length: Option<(u32, Option<u32>)>,
    /// Checked on each relation of a variable length; others become filters.
    pub properties: Vec<(Arc<str>, Expr)>,
    pub bound: bool,
    pub shortest: Option<Shortest>,
    /// A variable length of which only the ends that are reached matter, not over which relations and how often: then
    /// one visit of each node is enough. Set by [`Program::settle`].
    pub ends_only: bool,
}

#[derive(Debug)]
pub(crate) struct Path {
    pub slot: Slot,
    pub nodes: Vec<usize>,
    pub relations: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Filter {
    pub expr: Expr,
    /// Slots of this pattern that it reads.
    pub reads: Vec<Slot>,
}

#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: Kind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Constant(ResultValue),
    Slot(Slot),
    Parameter(Arc<str>),
    /// A property of what is known to be a node.
    NodeProperty {
        slot: Slot,
        property: usize,
    },
    Property {
        of: Box<Expr>,
        name: Arc<str>,
    },
    Index {
        of: Box<Expr>,
        index: Box<Expr>,
    },
    Slice {
        of: Box<Expr>,
        from: Option<Box<Expr>>,
        to: Option<Box<Expr>>,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Xor(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `=~` with a constant pattern.
    Regex(Box<Expr>, Regex),
    Negate(Box<Expr>),
    Plus(Box<Expr>),
    IsNull {
        of: Box<Expr>,
        negated: bool,
    },
    HasLabels {
        of: Box<Expr>,
        labels: usize,
    },
    List(Vec<Expr>),
    Map(Vec<(Arc<str>, Expr)>),
    MapProjection {
        of: Box<Expr>,
        all: bool,
        items: Vec<(Arc<str>, Option<Expr>)>,
    },
    Call(Function, Vec<Expr>),
    Case {
        operand: Option<Box<Expr>>,
        arms: Vec<(Vec<Expr>, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Comprehension {
        slot: Slot,
        list: Box<Expr>,
        filter: Option<Box<Expr>>,
        map: Option<Box<Expr>>,
    },
    Quantified {
        kind: Quantifier,
        slot: Slot,
        list: Box<Expr>,
        filter: Box<Expr>,
    },
    Reduce {
        accumulator: Slot,
        initial: Box<Expr>,
        slot: Slot,
        list: Box<Expr>,
        body: Box<Expr>,
    },
    Exists(usize),
    Count(usize),
    /// `COUNT { … }` beside a number: decided as early as what was found allows, even when something is unknown.
    CountCompare(CompareOp, usize, Box<Expr>),
    Collect(usize),
    PatternList {
        pattern: usize,
        map: Box<Expr>,
    },
}
