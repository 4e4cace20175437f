//! The reference's own form of a query, and the text that it is for the engine.

use std::fmt::{self, Display, Formatter};

use super::value::Value;

/// Single queries joined by `UNION`.
#[derive(Clone, Debug)]
pub struct Query {
    pub parts: Vec<Vec<Clause>>,
    /// `UNION ALL`.
    pub all: bool,
}

#[derive(Clone, Debug)]
pub enum Clause {
    Match { optional: bool, paths: Vec<Path>, filter: Option<Expr> },
    Unwind { list: Expr, variable: String },
    With { projection: Projection, filter: Option<Expr> },
    Return(Projection),
}

#[derive(Clone, Debug, Default)]
pub struct Projection {
    pub distinct: bool,
    pub items: Vec<(Expr, String)>,
    pub order: Vec<(Expr, bool)>,
    pub skip: Option<usize>,
    pub limit: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct Path {
    pub variable: Option<String>,
    pub shortest: Option<Shortest>,
    /// One more than relations.
    pub nodes: Vec<NodePattern>,
    pub relations: Vec<RelationPattern>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortest {
    One,
    All,
}

#[derive(Clone, Debug, Default)]
pub struct NodePattern {
    pub variable: Option<String>,
    pub labels: Option<Labels>,
    pub properties: Vec<(String, Expr)>,
}

#[derive(Clone, Debug)]
pub struct RelationPattern {
    pub variable: Option<String>,
    /// Empty for any.
    pub types: Vec<String>,
    pub direction: Direction,
    pub length: Option<(Option<usize>, Option<usize>)>,
    pub properties: Vec<(String, Expr)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Out,
    In,
    Both,
}

#[derive(Clone, Debug)]
pub enum Labels {
    Name(String),
    Not(Box<Labels>),
    And(Box<Labels>, Box<Labels>),
    Or(Box<Labels>, Box<Labels>),
}

impl Labels {
    /// Whether a node with these labels fits.
    pub fn hold(&self, labels: &[&str]) -> bool {
        match self {
            Self::Name(name) => labels.contains(&name.as_str()),
            Self::Not(of) => !of.hold(labels),
            Self::And(left, right) => left.hold(labels) && right.hold(labels),
            Self::Or(left, right) => left.hold(labels) || right.hold(labels),
        }
    }
}

/// `=`, `<>`, `<`, `<=`, `>`, `>=`.
pub const COMPARISONS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];

#[derive(Clone, Debug)]
pub enum Expr {
    Literal(Value),
    Variable(String),
    Property(Box<Expr>, String),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Xor(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    /// One of [`COMPARISONS`].
    Compare(&'static str, Box<Expr>, Box<Expr>),
    /// `IN`, `STARTS WITH`, `ENDS WITH`, `CONTAINS`.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    IsNull(Box<Expr>, bool),
    HasLabels(Box<Expr>, Labels),
    List(Vec<Expr>),
    /// `coalesce`, `size`, `length`, `nodes`, `relationships`, `type`, `labels`, `startNode`, `endNode`, `head`.
    Call(&'static str, Vec<Expr>),
    Case(Box<Expr>, Box<Expr>, Box<Expr>),
    Exists(Vec<Path>, Option<Box<Expr>>),
    /// `COUNT { … }`.
    CountOf(Vec<Path>, Option<Box<Expr>>),
    Pattern(Box<Path>),
    PatternList(Box<Path>, Option<Box<Expr>>, Box<Expr>),
    Comprehension(String, Box<Expr>, Option<Box<Expr>>, Box<Expr>),
    /// `any`, `all`, `none`, `single`.
    Quantified(&'static str, String, Box<Expr>, Box<Expr>),
    CountAll,
    /// `count`, `sum`, `min`, `max`, `avg`, `collect`; whether `DISTINCT`.
    Aggregate(&'static str, bool, Box<Expr>),
}

impl Expr {
    pub fn is_aggregate(&self) -> bool {
        matches!(self, Self::CountAll | Self::Aggregate(..))
    }
}

/// A value as a query writes it.
pub fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Unknown => "unknown".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(whole) => whole.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => format!("'{text}'"),
        Value::List(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        other => format!("{other:?}"),
    }
}

fn join<T: Display>(items: impl IntoIterator<Item = T>, between: &str) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(between)
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let between = if self.all { " UNION ALL " } else { " UNION " };
        f.write_str(&join(self.parts.iter().map(|clauses| join(clauses, " ")), between))
    }
}

/// ` WHERE …`, or nothing.
fn filtered(filter: Option<&Expr>) -> String {
    filter.map(|filter| format!(" WHERE {filter}")).unwrap_or_default()
}

impl Display for Clause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Match { optional, paths, filter } => {
                let word = if *optional { "OPTIONAL MATCH" } else { "MATCH" };
                write!(f, "{word} {}{}", join(paths, ", "), filtered(filter.as_ref()))
            }
            Self::Unwind { list, variable } => write!(f, "UNWIND {list} AS {variable}"),
            Self::With { projection, filter } => write!(f, "WITH {projection}{}", filtered(filter.as_ref())),
            Self::Return(projection) => write!(f, "RETURN {projection}"),
        }
    }
}

impl Display for Projection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.distinct {
            f.write_str("DISTINCT ")?;
        }
        let items = self.items.iter().map(|(expr, name)| match expr {
            Expr::Variable(variable) if variable == name => name.clone(),
            _ => format!("{expr} AS {name}"),
        });
        f.write_str(&join(items, ", "))?;
        if !self.order.is_empty() {
            let by = self.order.iter().map(|(expr, down)| format!("{expr}{}", if *down { " DESC" } else { "" }));
            write!(f, " ORDER BY {}", join(by, ", "))?;
        }
        if let Some(skip) = self.skip {
            write!(f, " SKIP {skip}")?;
        }
        if let Some(limit) = self.limit {
            write!(f, " LIMIT {limit}")?;
        }
        Ok(())
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(variable) = &self.variable {
            write!(f, "{variable} = ")?;
        }
        match self.shortest {
            Some(Shortest::One) => f.write_str("shortestPath(")?,
            Some(Shortest::All) => f.write_str("allShortestPaths(")?,
            None => {}
        }
        for (at, node) in self.nodes.iter().enumerate() {
            write!(f, "{node}")?;
            if let Some(relation) = self.relations.get(at) {
                write!(f, "{relation}")?;
            }
        }
        if self.shortest.is_some() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

fn map(properties: &[(String, Expr)]) -> String {
    if properties.is_empty() {
        return String::new();
    }
    format!(" {{{}}}", join(properties.iter().map(|(name, value)| format!("{name}: {value}")), ", "))
}

impl Display for NodePattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let labels = self.labels.as_ref().map(|labels| format!(":{labels}")).unwrap_or_default();
        write!(f, "({}{labels}{})", self.variable.as_deref().unwrap_or_default(), map(&self.properties))
    }
}

impl Display for RelationPattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut inner = self.variable.clone().unwrap_or_default();
        if !self.types.is_empty() {
            inner.push(':');
            inner.push_str(&self.types.join("|"));
        }
        match self.length {
            None => {}
            Some((None, None)) => inner.push('*'),
            Some((least, most)) => {
                let bound = |of: Option<usize>| of.map(|of| of.to_string()).unwrap_or_default();
                inner.push_str(&format!("*{}..{}", bound(least), bound(most)));
            }
        }
        inner.push_str(&map(&self.properties));
        let inner = if inner.is_empty() { inner } else { format!("[{inner}]") };
        match self.direction {
            Direction::Out => write!(f, "-{inner}->"),
            Direction::In => write!(f, "<-{inner}-"),
            Direction::Both => write!(f, "-{inner}-"),
        }
    }
}

impl Display for Labels {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Not(of) => write!(f, "!{of}"),
            Self::And(left, right) => write!(f, "{left}&{right}"),
            Self::Or(left, right) => write!(f, "{left}|{right}"),
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => f.write_str(&literal(value)),
            Self::Variable(name) => f.write_str(name),
            Self::Property(of, name) => write!(f, "{of}.{name}"),
            Self::And(left, right) => write!(f, "({left} AND {right})"),
            Self::Or(left, right) => write!(f, "({left} OR {right})"),
            Self::Xor(left, right) => write!(f, "({left} XOR {right})"),
            Self::Not(of) => write!(f, "(NOT {of})"),
            Self::Compare(sign, left, right) => write!(f, "({left} {sign} {right})"),
            Self::Binary(word, left, right) => write!(f, "({left} {word} {right})"),
            Self::IsNull(of, negated) => write!(f, "({of} IS {}NULL)", if *negated { "NOT " } else { "" }),
            Self::HasLabels(of, labels) => write!(f, "({of}:{labels})"),
            Self::List(items) => write!(f, "[{}]", join(items, ", ")),
            Self::Call(name, arguments) => write!(f, "{name}({})", join(arguments, ", ")),
            Self::Case(when, then, otherwise) => write!(f, "CASE WHEN {when} THEN {then} ELSE {otherwise} END"),
            Self::Exists(paths, filter) => {
                write!(f, "EXISTS {{ MATCH {}{} }}", join(paths, ", "), filtered(filter.as_deref()))
            }
            Self::CountOf(paths, filter) => {
                write!(f, "COUNT {{ MATCH {}{} }}", join(paths, ", "), filtered(filter.as_deref()))
            }
            Self::Pattern(path) => write!(f, "{path}"),
            Self::PatternList(path, filter, map) => write!(f, "[{path}{} | {map}]", filtered(filter.as_deref())),
            Self::Comprehension(variable, list, filter, map) => {
                write!(f, "[{variable} IN {list}{} | {map}]", filtered(filter.as_deref()))
            }
            Self::Quantified(kind, variable, list, filter) => write!(f, "{kind}({variable} IN {list} WHERE {filter})"),
            Self::CountAll => f.write_str("count(*)"),
            Self::Aggregate(name, distinct, of) => {
                write!(f, "{name}({}{of})", if *distinct { "DISTINCT " } else { "" })
            }
        }
    }
}
