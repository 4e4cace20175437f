//! The query as written: our own form, free of any parser's types. Names are not yet looked up.

use std::sync::Arc;

use crate::error::Span;
use crate::value::ResultValue;

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub text: Arc<str>,
    pub span: Span,
}

/// Single queries joined by `UNION`.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub parts: Vec<Vec<Clause>>,
    /// `UNION` without `ALL`.
    pub distinct: bool,
    /// Both `UNION` and `UNION ALL` were used.
    pub mixed: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct Clause {
    pub kind: ClauseKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ClauseKind {
    Match {
        optional: bool,
        pattern: Vec<PathPattern>,
        filter: Option<Expr>,
    },
    Unwind {
        list: Expr,
        variable: Name,
    },
    With {
        projection: Projection,
        filter: Option<Expr>,
    },
    Return(Projection),
    /// A bare pattern, as in `EXISTS { (a)-->(b) }`, gets no `RETURN`.
    Create(Vec<PathPattern>),
    Delete(Vec<Expr>),
    Call,
    /// Any other clause that writes, by its word.
    Write(&'static str),
    Unsupported(&'static str),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Projection {
    pub distinct: bool,
    pub all: bool,
    pub items: Vec<Item>,
    pub order: Vec<(Expr, bool)>,
    pub skip: Option<Expr>,
    pub limit: Option<Expr>,
}

#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub expr: Expr,
    pub alias: Option<Name>,
    /// The expression's own text, the column's name where there is no alias.
    pub text: Arc<str>,
}

#[derive(Clone, Debug)]
pub(crate) struct PathPattern {
    pub variable: Option<Name>,
    /// `shortestPath` or `allShortestPaths`.
    pub shortest: Option<Shortest>,
    /// Which of the paths between each two ends, over any pattern.
    pub search: Option<Search>,
    /// One more than relations.
    pub nodes: Vec<NodePattern>,
    pub relations: Vec<RelationPattern>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortest {
    One,
    All,
}

/// `SHORTEST 3`, `SHORTEST 2 GROUPS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    pub count: i64,
    /// Count the different lengths instead of the paths.
    pub groups: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct NodePattern {
    pub variable: Option<Name>,
    pub labels: Option<LabelExpr>,
    pub properties: Option<Expr>,
    pub filter: Option<Expr>,
}

/// A part of a path in parentheses, which stands where a relation does: `((x)-[:R]->(y) WHERE …){1,3}`.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub path: PathPattern,
    pub filter: Option<Expr>,
    /// How often; `None` for once, and then its variables are no lists.
    pub times: Option<(u32, Option<u32>)>,
    pub span: Span,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct RelationPattern {
    pub variable: Option<Name>,
    /// Empty for any.
    pub types: Vec<Name>,
    /// What the type must be, where that is more than one of some names.
    pub labels: Option<LabelExpr>,
    pub direction: Direction,
    /// Lower and upper bound of a variable length.
    pub length: Option<(u32, Option<u32>)>,
    pub properties: Option<Expr>,
    pub filter: Option<Expr>,
    /// Instead of one relation: all else is empty then.
    pub group: Option<Box<Group>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Direction {
    #[default]
    Out,
    In,
    Both,
}

impl Direction {
    /// The same seen from the other end.
    pub fn turned(self) -> Self {
        match self {
            Self::Out => Self::In,
            Self::In => Self::Out,
            Self::Both => Self::Both,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum LabelExpr {
    Name(Name),
    Any,
    Not(Box<LabelExpr>),
    And(Vec<LabelExpr>),
    Or(Vec<LabelExpr>),
}

impl LabelExpr {
    /// The names in it.
    pub fn names(&self) -> Vec<&Name> {
        match self {
            Self::Name(name) => vec![name],
            Self::Any => Vec::new(),
            Self::Not(inner) => inner.names(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::names).collect(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Literal(ResultValue),
    Variable(Arc<str>),
    Parameter(Arc<str>),
    List(Vec<Expr>),
    Map(Vec<(Name, Expr)>),
    MapProjection {
        base: Box<Expr>,
        items: Vec<MapItem>,
    },
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Xor(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    /// One comparison of a chain: `a < b < c` becomes `a < b AND b < c`.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    Negate(Box<Expr>),
    Plus(Box<Expr>),
    IsNull {
        of: Box<Expr>,
        negated: bool,
    },
    HasLabels {
        of: Box<Expr>,
        labels: LabelExpr,
    },
    Property {
        of: Box<Expr>,
        name: Name,
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
    CountAll,
    Call {
        name: Name,
        distinct: bool,
        arguments: Vec<Expr>,
    },
    Case {
        operand: Option<Box<Expr>>,
        arms: Vec<(Vec<Expr>, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    Comprehension {
        variable: Name,
        list: Box<Expr>,
        filter: Option<Box<Expr>>,
        map: Option<Box<Expr>>,
    },
    PatternComprehension {
        pattern: Box<PathPattern>,
        filter: Option<Box<Expr>>,
        map: Box<Expr>,
    },
    Reduce {
        accumulator: Name,
        initial: Box<Expr>,
        variable: Name,
        list: Box<Expr>,
        body: Box<Expr>,
    },
    Quantified {
        kind: Quantifier,
        variable: Name,
        list: Box<Expr>,
        filter: Box<Expr>,
    },
    Exists(Box<Query>),
    Count(Box<Query>),
    Collect(Box<Query>),
    /// A pattern as a predicate.
    Pattern(Vec<PathPattern>),
}

#[derive(Clone, Debug)]
pub(crate) enum MapItem {
    Property(Name),
    All,
    Variable(Name),
    Entry(Name, Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompareOp {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl CompareOp {
    /// The same with the sides exchanged.
    pub fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessEqual => Self::GreaterEqual,
            Self::Greater => Self::Less,
            Self::GreaterEqual => Self::LessEqual,
            same => same,
        }
    }

    /// The comparison of two values of one plain type.
    pub fn test<T: PartialOrd + ?Sized>(self) -> fn(&T, &T) -> bool {
        match self {
            Self::Equal => |left, right| left == right,
            Self::NotEqual => |left, right| left != right,
            Self::Less => |left, right| left < right,
            Self::LessEqual => |left, right| left <= right,
            Self::Greater => |left, right| left > right,
            Self::GreaterEqual => |left, right| left >= right,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Regex,
    In,
    StartsWith,
    EndsWith,
    Contains,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Concat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    All,
    Any,
    None,
    Single,
}
