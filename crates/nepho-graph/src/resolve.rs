//! From [`crate::ir`] to [`crate::plan`]: variables become slots, names are looked up in the schema, and what can never
//! work is refused here, with its place in the text.

use std::sync::Arc;

use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::ir::{self, Clause, ClauseKind, Name};
use crate::plan::{Aggregate, Expr, Labels, Op, Program, QueryPlan, Slot};
use crate::schema::{BUILT_IN_PROPERTIES, Schema, nearest};

mod expression;
mod group;
mod pattern;
mod projection;
mod search;
pub(crate) mod types;

use types::Type;

/// A variable in scope.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub name: Arc<str>,
    pub slot: Slot,
    pub of: Type,
    /// Whether this is the list of relations of a variable-length pattern.
    pub relations: bool,
    /// Schema kinds that a node may be of; `None` for any.
    pub kinds: Option<Vec<usize>>,
    /// Types that a relation may be of; empty for any.
    pub types: Vec<Arc<str>>,
}

/// Operators, names of the columns, and their slots.
type Part = (Vec<Op>, Vec<Arc<str>>, Vec<Slot>);

/// Where aggregations may stand.
#[derive(Default)]
enum Aggregation {
    #[default]
    Forbidden,
    Collecting(Vec<Aggregate>),
    Inside,
}

/// See the module's documentation.
pub(crate) struct Resolver<'s> {
    schema: &'s Schema,
    text: &'s str,
    pub program: Program,
    scope: Vec<Variable>,
    /// Every slot read so far, in order: a stretch of it tells what an expression reads.
    reads: Vec<Slot>,
    aggregation: Aggregation,
    /// Whether a bare pattern may stand here.
    predicate: bool,
    /// Expressions that were projected, by their text: what `ORDER BY` may repeat.
    projected: Vec<(String, Slot, Type)>,
    subquery_depth: usize,
    /// Names that a `WITH` did not pass on.
    dropped: Vec<Arc<str>>,
}

impl<'s> Resolver<'s> {
    /// For a query whose spans refer to `text`.
    pub fn new(schema: &'s Schema, text: &'s str) -> Self {
        Self {
            schema,
            text,
            program: Program::default(),
            scope: Vec::new(),
            reads: Vec::new(),
            aggregation: Aggregation::Forbidden,
            predicate: false,
            projected: Vec::new(),
            subquery_depth: 0,
            dropped: Vec::new(),
        }
    }

    /// A new slot.
    pub fn slot(&mut self) -> Slot {
        self.program.width += 1;
        self.program.width - 1
    }

    /// Puts a variable into scope; a later one of the same name hides it.
    pub fn declare(&mut self, name: &Arc<str>, of: Type) -> &mut Variable {
        let slot = self.slot();
        self.program.names.resize(slot + 1, Arc::default());
        self.program.names[slot] = name.clone();
        self.scope.push(Variable { name: name.clone(), slot, of, relations: false, kinds: None, types: Vec::new() });
        let last = self.scope.len() - 1;
        &mut self.scope[last]
    }

    fn lookup(&self, name: &str) -> Option<&Variable> {
        self.scope.iter().rev().find(|variable| *variable.name == *name)
    }

    fn undefined(&self, name: &str, span: Span) -> Box<QueryError> {
        let error = QueryError::new(ErrorCode::UndefinedVariable, span, format!("variable `{name}` is not defined"));
        if self.dropped.iter().any(|dropped| **dropped == *name) {
            return error.with_help(format!("WITH passes on only what it names: add `{name}` to it"));
        }
        match nearest(name, self.scope.iter().map(|variable| &*variable.name)) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    /// A condition over one variable: a program whose slot 0 is the variable.
    pub fn condition(&mut self, variable: &str, kinds: Option<Vec<usize>>, expr: &ir::Expr) -> Outcome<Expr> {
        self.declare(&variable.into(), Type::Node).kinds = kinds;
        self.predicate = true;
        let (resolved, of) = self.expr(expr)?;
        if !of.may_be(Type::Bool) {
            let message = format!("a condition must be true or false; this is {}", of.word());
            return Err(QueryError::new(ErrorCode::InvalidArgumentType, expr.span, message));
        }
        Ok(resolved)
    }

    /// A whole query. Within an expression, a part may end without `RETURN`.
    pub fn query(&mut self, query: &ir::Query, nested: bool) -> Outcome<QueryPlan> {
        if query.mixed {
            return Err(QueryError::new(
                ErrorCode::InvalidClauseComposition,
                query.span,
                "UNION and UNION ALL cannot be mixed in one query",
            ));
        }
        let mut plan = QueryPlan { distinct: query.distinct, ..QueryPlan::default() };
        for (number, clauses) in query.parts.iter().enumerate() {
            let outer = self.scope.clone();
            let (ops, columns, outputs) = self.part(clauses, query.span, nested)?;
            self.scope = outer;
            if number == 0 {
                plan.columns = columns;
            } else if plan.columns != columns {
                return Err(QueryError::new(
                    ErrorCode::DifferentColumnsInUnion,
                    query.span,
                    "all parts of a UNION must return the same columns",
                ));
            }
            plan.parts.push(ops);
            plan.outputs.push(outputs);
        }
        Ok(plan)
    }

    fn part(&mut self, clauses: &[Clause], span: Span, nested: bool) -> Outcome<Part> {
        let mut ops = Vec::new();
        let mut columns = None;
        if !nested {
            self.dropped.clear();
        }
        for clause in clauses {
            if columns.is_some() {
                return Err(QueryError::new(
                    ErrorCode::InvalidClauseComposition,
                    clause.span,
                    "nothing may follow RETURN",
                ));
            }
            match &clause.kind {
                ClauseKind::Match { optional, pattern, filter } => {
                    self.matched(pattern, filter.as_ref(), *optional, &mut ops)?;
                }
                ClauseKind::Unwind { list, variable } => {
                    let (list, of) = self.expr(list)?;
                    if self.lookup(&variable.text).is_some() {
                        return Err(already_bound(variable));
                    }
                    let _ = of;
                    let slot = self.declare(&variable.text, Type::Any).slot;
                    ops.push(Op::Unwind { list, slot });
                }
                ClauseKind::With { projection, filter } => {
                    self.with(projection, filter.as_ref(), clause.span, &mut ops)?;
                }
                ClauseKind::Return(projection) => {
                    columns = Some(self.returned(projection, clause.span, &mut ops)?);
                }
                ClauseKind::Create(_) => return Err(write("CREATE", clause.span, nested)),
                ClauseKind::Delete(_) => return Err(write("DELETE", clause.span, nested)),
                ClauseKind::Write(word) => return Err(write(word, clause.span, nested)),
                ClauseKind::Call => {
                    return Err(QueryError::new(
                        ErrorCode::Unsupported,
                        clause.span,
                        "CALL is not supported: there are no procedures",
                    ));
                }
                ClauseKind::Unsupported(what) => {
                    let message = format!("{what} is not supported");
                    return Err(QueryError::new(ErrorCode::Unsupported, clause.span, message));
                }
            }
        }
        match columns {
            Some((columns, outputs)) => Ok((ops, columns, outputs)),
            None if nested => Ok((ops, Vec::new(), Vec::new())),
            None => Err(QueryError::new(
                ErrorCode::InvalidClauseComposition,
                clauses.last().map_or(span, |clause| clause.span),
                "a query ends with RETURN",
            )),
        }
    }

    /// `MATCH`.
    fn matched(
        &mut self,
        pattern: &[ir::PathPattern],
        filter: Option<&ir::Expr>,
        optional: bool,
        ops: &mut Vec<Op>,
    ) -> Outcome<()> {
        if pattern.iter().any(|path| path.search.is_some()) {
            return self.searched(pattern, filter, optional, ops);
        }
        if group::groups(pattern).next().is_some() {
            return self.repeated(pattern, filter, optional, ops);
        }
        ops.push(Op::Match(self.match_clause(pattern, filter, optional)?));
        Ok(())
    }

    /// The labels of the catalogue, checked, by number.
    fn labels(&mut self, labels: &ir::LabelExpr) -> Outcome<(usize, Option<Vec<usize>>)> {
        let labels = self.check_labels(labels)?;
        let kinds = (!self.schema.is_open()).then(|| {
            (0..self.schema.kinds.len())
                .filter(|kind| {
                    self.schema.kinds.get(*kind).is_some_and(|kind| {
                        labels.hold(&|name| kind.labels.iter().any(|label| **label == *name), !kind.labels.is_empty())
                    })
                })
                .collect()
        });
        self.program.labels.push(labels);
        Ok((self.program.labels.len() - 1, kinds))
    }

    fn check_labels(&self, labels: &ir::LabelExpr) -> Outcome<Labels> {
        let all = |parts: &[ir::LabelExpr]| parts.iter().map(|part| self.check_labels(part)).collect::<Outcome<_>>();
        Ok(match labels {
            ir::LabelExpr::Name(name) => {
                if !self.schema.is_open() && !self.schema.has_label(&name.text) {
                    let near = nearest(&name.text, self.schema.label_names());
                    return Err(unknown_name("label", name, near));
                }
                Labels::Name(name.text.clone())
            }
            ir::LabelExpr::Any => Labels::Any,
            ir::LabelExpr::Not(inner) => Labels::Not(Box::new(self.check_labels(inner)?)),
            ir::LabelExpr::And(parts) => Labels::And(all(parts)?),
            ir::LabelExpr::Or(parts) => Labels::Or(all(parts)?),
        })
    }

    fn check_type(&self, name: &Name) -> Outcome<()> {
        if self.schema.is_open() || self.schema.relation(&name.text).is_some() {
            return Ok(());
        }
        let near = nearest(&name.text, self.schema.relations().map(|relation| &*relation.name));
        Err(unknown_name("relation type", name, near))
    }

    /// Checks a property of a node that may be of these kinds.
    fn check_property(&self, name: &Name, kinds: Option<&[usize]>) -> Outcome<()> {
        if self.schema.is_open() || BUILT_IN_PROPERTIES.contains(&&*name.text) {
            return Ok(());
        }
        let all: Vec<usize>;
        let kinds = match kinds {
            Some(kinds) if !kinds.is_empty() => kinds,
            _ => {
                all = (0..self.schema.kinds.len()).collect();
                &all
            }
        };
        let properties = || {
            let of_kinds = kinds.iter().filter_map(|kind| self.schema.kinds.get(*kind));
            of_kinds.flat_map(|kind| &kind.properties).map(|(name, _)| &**name)
        };
        if properties().any(|known| known == &*name.text) {
            return Ok(());
        }
        let near = nearest(&name.text, properties().chain(BUILT_IN_PROPERTIES));
        let mut error = unknown_name("property", name, near);
        if let [kind] = kinds
            && let Some(kind) = self.schema.kinds.get(*kind)
        {
            error.message = format!("`{}` has no property `{}`", kind.id, name.text);
        }
        Err(error)
    }

    fn check_relation_property(&self, name: &Name, types: &[Arc<str>]) -> Outcome<()> {
        if self.schema.is_open() || types.is_empty() {
            return Ok(());
        }
        let declared = || types.iter().filter_map(|of| self.schema.relation(of)).flat_map(|of| &of.properties);
        if declared().next().is_none() || declared().any(|(known, _)| **known == *name.text) {
            return Ok(());
        }
        let near = nearest(&name.text, declared().map(|(name, _)| &**name));
        Err(unknown_name("relation property", name, near))
    }

    /// The number of a property read from nodes.
    fn property_number(&mut self, name: &Arc<str>) -> usize {
        let properties = &mut self.program.properties;
        properties.iter().position(|known| known == name).unwrap_or_else(|| {
            properties.push(name.clone());
            properties.len() - 1
        })
    }

    /// The text of an expression without its spaces, by which repeated expressions are known.
    fn text_of(&self, span: Span) -> String {
        self.text.get(span.range()).unwrap_or_default().chars().filter(|sign| !sign.is_whitespace()).collect()
    }
}

impl Labels {
    /// Whether the expression holds where `has` says which labels there are.
    pub fn hold(&self, has: &dyn Fn(&str) -> bool, any: bool) -> bool {
        match self {
            Self::Name(name) => has(name),
            Self::Any => any,
            Self::Not(inner) => !inner.hold(has, any),
            Self::And(parts) => parts.iter().all(|part| part.hold(has, any)),
            Self::Or(parts) => parts.iter().any(|part| part.hold(has, any)),
        }
    }
}

/// A type expression of a relation, which has exactly one type.
fn relation_type(labels: &ir::LabelExpr) -> Labels {
    let all = |parts: &[ir::LabelExpr]| parts.iter().map(relation_type).collect();
    match labels {
        ir::LabelExpr::Name(name) => Labels::Name(name.text.clone()),
        ir::LabelExpr::Any => Labels::Any,
        ir::LabelExpr::Not(inner) => Labels::Not(Box::new(relation_type(inner))),
        ir::LabelExpr::And(parts) => Labels::And(all(parts)),
        ir::LabelExpr::Or(parts) => Labels::Or(all(parts)),
    }
}

fn unknown_name(what: &str, name: &Name, near: Option<&str>) -> Box<QueryError> {
    let error = QueryError::new(ErrorCode::UnknownName, name.span, format!("there is no {what} `{}`", name.text));
    match near {
        Some(near) => error.with_help(format!("did you mean `{near}`?")),
        None => error,
    }
}

fn already_bound(name: &Name) -> Box<QueryError> {
    let message = format!("variable `{}` is already bound", name.text);
    QueryError::new(ErrorCode::VariableAlreadyBound, name.span, message)
}

fn type_conflict(name: &Name, is: Type, wanted: Type) -> Box<QueryError> {
    let message = format!("variable `{}` is {}, and cannot be used as {}", name.text, is.word(), wanted.word());
    QueryError::new(ErrorCode::VariableTypeConflict, name.span, message)
}

/// The kit has a name of its own for a clause that writes within an expression.
fn write(word: &str, span: Span, nested: bool) -> Box<QueryError> {
    let code = if nested { ErrorCode::InvalidClauseComposition } else { ErrorCode::Write };
    QueryError::new(code, span, format!("{word} writes, and queries only read the graph"))
        .with_help("use MATCH, WITH, UNWIND and RETURN")
}
