//! Expressions: names to slots, functions to numbers, and types as far as they are known.

use std::sync::Arc;

use super::projection::{has_aggregate, is_aggregate_name};
use super::types::Type;
use super::{Aggregation, Resolver, type_conflict};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::functions::{self, Function};
use crate::ir::{self, BinaryOp, CompareOp, ExprKind};
use crate::plan::{Aggregate, AggregateKind, Expr, Kind, Op, QueryPlan, Subquery};
use crate::schema::nearest;
use crate::value::ResultValue;

/// Deepest nesting of queries within queries.
const MAX_SUBQUERIES: usize = 20;

pub(super) fn aggregate_kind(name: &str) -> Option<AggregateKind> {
    Some(match name.to_lowercase().as_str() {
        "count" => AggregateKind::Count,
        "sum" => AggregateKind::Sum,
        "avg" => AggregateKind::Avg,
        "min" => AggregateKind::Min,
        "max" => AggregateKind::Max,
        "collect" => AggregateKind::Collect,
        "stdev" => AggregateKind::StDev,
        "stdevp" => AggregateKind::StDevP,
        "percentilecont" => AggregateKind::PercentileCont,
        "percentiledisc" => AggregateKind::PercentileDisc,
        _ => return None,
    })
}

impl Resolver<'_> {
    /// An expression and what is known of its type.
    pub(super) fn expr(&mut self, expr: &ir::Expr) -> Outcome<(Expr, Type)> {
        if !self.projected.is_empty() && !matches!(expr.kind, ExprKind::Literal(_) | ExprKind::Variable(_)) {
            let text = self.text_of(expr.span);
            if self.scope_is_projected()
                && let Some((_, slot, of)) = self.projected.iter().find(|(known, ..)| *known == text)
            {
                return Ok((Expr { kind: Kind::Slot(*slot), span: expr.span }, *of));
            }
        }
        let predicate = self.predicate;
        self.predicate =
            predicate && matches!(expr.kind, ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Not(_) | ExprKind::Xor(..));
        let may_be_pattern = predicate;
        let result = self.kind(expr, may_be_pattern);
        self.predicate = predicate;
        let (kind, of) = result?;
        Ok((Expr { kind, span: expr.span }, of))
    }

    /// Whether the scope is that of `ORDER BY` (every projected slot is in scope or was computed).
    fn scope_is_projected(&self) -> bool {
        self.projected.iter().any(|(_, slot, _)| self.scope.iter().any(|variable| variable.slot == *slot))
    }

    fn boxed(&mut self, expr: &ir::Expr) -> Outcome<Box<Expr>> {
        Ok(Box::new(self.expr(expr)?.0))
    }

    /// An expression that must not be of another type than `wanted`.
    fn typed(&mut self, expr: &ir::Expr, wanted: Type) -> Outcome<Expr> {
        let (resolved, of) = self.expr(expr)?;
        if of.may_be(wanted) {
            return Ok(resolved);
        }
        let message = format!("{} is expected here; this is {}", wanted.word(), of.word());
        Err(QueryError::new(ErrorCode::InvalidArgumentType, expr.span, message))
    }

    fn all_bool(&mut self, parts: &[ir::Expr]) -> Outcome<Vec<Expr>> {
        parts.iter().map(|part| self.typed(part, Type::Bool)).collect()
    }

    fn kind(&mut self, expr: &ir::Expr, may_be_pattern: bool) -> Outcome<(Kind, Type)> {
        use ExprKind as K;
        Ok(match &expr.kind {
            K::Literal(value) => (Kind::Constant(value.clone()), type_of(value)),
            K::Variable(name) => {
                let Some(variable) = self.lookup(name) else { return Err(self.undefined(name, expr.span)) };
                let (slot, of) = (variable.slot, variable.of);
                self.reads.push(slot);
                (Kind::Slot(slot), of)
            }
            K::Parameter(name) => (Kind::Parameter(name.clone()), Type::Any),
            K::List(items) => {
                let items: Vec<_> = items.iter().map(|item| Ok(self.expr(item)?.0)).collect::<Outcome<_>>()?;
                (fold_list(items), Type::List)
            }
            K::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(name, value)| Ok((name.text.clone(), self.expr(value)?.0)))
                    .collect::<Outcome<_>>()?;
                (Kind::Map(entries), Type::Map)
            }
            K::MapProjection { base, items } => self.map_projection(base, items)?,
            K::And(parts) => (Kind::And(self.all_bool(parts)?), Type::Bool),
            K::Or(parts) => (Kind::Or(self.all_bool(parts)?), Type::Bool),
            K::Xor(left, right) => {
                let (left, right) = (self.typed(left, Type::Bool)?, self.typed(right, Type::Bool)?);
                (Kind::Xor(Box::new(left), Box::new(right)), Type::Bool)
            }
            K::Not(of) => (Kind::Not(Box::new(self.typed(of, Type::Bool)?)), Type::Bool),
            K::Compare(op, left, right) => (self.compare(*op, left, right)?, Type::Bool),
            K::Binary(op, left, right) => self.binary(*op, left, right)?,
            K::Negate(of) | K::Plus(of) => {
                let (inner, is) = self.expr(of)?;
                if !is.may_be(Type::Number) && is != Type::Temporal {
                    let message = format!("a sign goes before a number; this is {}", is.word());
                    return Err(QueryError::new(ErrorCode::InvalidArgumentType, of.span, message));
                }
                let inner = Box::new(inner);
                (if matches!(expr.kind, K::Negate(_)) { Kind::Negate(inner) } else { Kind::Plus(inner) }, is)
            }
            K::IsNull { of, negated } => (Kind::IsNull { of: self.boxed(of)?, negated: *negated }, Type::Bool),
            K::HasLabels { of, labels } => {
                let (inner, is) = self.expr(of)?;
                if !is.may_be(Type::Node) && is != Type::Relation {
                    let message = format!("only a node has labels; this is {}", is.word());
                    return Err(QueryError::new(ErrorCode::InvalidArgumentType, of.span, message));
                }
                let labels = if is == Type::Relation {
                    let labels = super::relation_type(labels);
                    self.program.labels.push(labels);
                    self.program.labels.len() - 1
                } else {
                    self.labels(labels)?.0
                };
                (Kind::HasLabels { of: Box::new(inner), labels }, Type::Bool)
            }
            K::Property { of, name } => (self.property(of, name)?, Type::Any),
            K::Index { of, index } => {
                let (of, is) = self.expr(of)?;
                let (index, by) = self.expr(index)?;
                let _ = (is, by);
                (Kind::Index { of: Box::new(of), index: Box::new(index) }, Type::Any)
            }
            K::Slice { of, from, to } => {
                let of = Box::new(self.typed(of, Type::List)?);
                let from = from.as_ref().map(|part| self.boxed(part)).transpose()?;
                let to = to.as_ref().map(|part| self.boxed(part)).transpose()?;
                (Kind::Slice { of, from, to }, Type::List)
            }
            K::CountAll => self.aggregate("count", false, &[], expr.span)?,
            K::Call { name, distinct, arguments } => {
                if is_aggregate_name(&name.text) {
                    return self.aggregate(&name.text, *distinct, arguments, expr.span);
                }
                return self.call(name, arguments, expr.span);
            }
            K::Case { operand, arms, otherwise } => {
                let operand = operand.as_ref().map(|operand| self.boxed(operand)).transpose()?;
                let mut resolved = Vec::new();
                for (when, then) in arms {
                    let when = when
                        .iter()
                        .map(|when| if operand.is_some() { Ok(self.expr(when)?.0) } else { self.predicate(when) })
                        .collect::<Outcome<Vec<_>>>()?;
                    resolved.push((when, self.expr(then)?.0));
                }
                let otherwise = otherwise.as_ref().map(|part| self.boxed(part)).transpose()?;
                (Kind::Case { operand, arms: resolved, otherwise }, Type::Any)
            }
            K::Comprehension { variable, list, filter, map } => {
                self.no_aggregates(&[filter.as_deref(), map.as_deref()])?;
                let list = Box::new(self.typed(list, Type::List)?);
                let scope = self.scope.len();
                let slot = self.element(&variable.text, &list);
                let filter = filter.as_ref().map(|filter| self.predicate(filter).map(Box::new)).transpose()?;
                let map = map.as_ref().map(|map| self.boxed(map)).transpose()?;
                self.scope.truncate(scope);
                (Kind::Comprehension { slot, list, filter, map }, Type::List)
            }
            K::Quantified { kind, variable, list, filter } => {
                self.no_aggregates(&[Some(filter)])?;
                let list = Box::new(self.typed(list, Type::List)?);
                let scope = self.scope.len();
                let slot = self.element(&variable.text, &list);
                let filter = Box::new(self.predicate(filter)?);
                self.scope.truncate(scope);
                (Kind::Quantified { kind: *kind, slot, list, filter }, Type::Bool)
            }
            K::Reduce { accumulator, initial, variable, list, body } => {
                self.no_aggregates(&[Some(body)])?;
                let initial = self.boxed(initial)?;
                let list = Box::new(self.typed(list, Type::List)?);
                let scope = self.scope.len();
                let accumulator = self.declare(&accumulator.text, Type::Any).slot;
                let slot = self.element(&variable.text, &list);
                let body = self.boxed(body)?;
                self.scope.truncate(scope);
                (Kind::Reduce { accumulator, initial, slot, list, body }, Type::Any)
            }
            K::Exists(query) => (Kind::Exists(self.subquery(query)?), Type::Bool),
            K::Count(query) => (Kind::Count(self.subquery(query)?), Type::Int),
            K::Collect(query) => {
                let subquery = self.subquery(query)?;
                if self.program.subqueries.get(subquery).is_some_and(|of| of.plan.columns.len() != 1) {
                    let message = "COLLECT takes a query that returns one column";
                    return Err(QueryError::new(ErrorCode::InvalidClauseComposition, expr.span, message));
                }
                (Kind::Collect(subquery), Type::List)
            }
            K::Pattern(paths) if may_be_pattern => (Kind::Exists(self.pattern_subquery(paths)?), Type::Bool),
            K::Pattern(_) => {
                let message = "a pattern can only stand where true or false is asked for";
                return Err(QueryError::new(ErrorCode::UnexpectedSyntax, expr.span, message)
                    .with_help("use a pattern comprehension: `[(a)-->(b) | b]`, or `EXISTS { … }`"));
            }
            K::PatternComprehension { pattern, filter, map } => {
                self.no_aggregates(&[filter.as_deref(), Some(map)])?;
                let outer = self.scope.clone();
                let number = self.match_clause(std::slice::from_ref(&**pattern), filter.as_deref(), false)?;
                let map = self.boxed(map)?;
                self.scope = outer;
                (Kind::PatternList { pattern: number, map }, Type::List)
            }
        })
    }

    /// The variable of a comprehension; elements of a list of relations or nodes keep their type.
    fn element(&mut self, name: &Arc<str>, list: &Expr) -> usize {
        let of = match &list.kind {
            Kind::Slot(slot) if self.scope.iter().any(|variable| variable.slot == *slot && variable.relations) => {
                Type::Relation
            }
            Kind::Call(Function::Nodes, _) => Type::Node,
            Kind::Call(Function::Relationships | Function::Rels, _) => Type::Relation,
            Kind::Constant(ResultValue::List(items)) => {
                let mut types = items.iter().map(type_of);
                let first = types.next().unwrap_or(Type::Any);
                if types.all(|of| of == first) && first != Type::Null { first } else { Type::Any }
            }
            _ => Type::Any,
        };
        self.declare(name, of).slot
    }

    fn no_aggregates(&self, parts: &[Option<&ir::Expr>]) -> Outcome<()> {
        match parts.iter().flatten().find(|part| has_aggregate(part)) {
            Some(part) => Err(QueryError::new(
                ErrorCode::InvalidAggregation,
                part.span,
                "an aggregation cannot stand within a list expression",
            )),
            None => Ok(()),
        }
    }

    fn compare(&mut self, op: CompareOp, left: &ir::Expr, right: &ir::Expr) -> Outcome<Kind> {
        for (count, other, op) in [(left, right, op), (right, left, op.turned())] {
            if let ExprKind::Count(query) = &count.kind {
                let subquery = self.subquery(query)?;
                let other = self.boxed(other)?;
                return Ok(Kind::CountCompare(op, subquery, other));
            }
        }
        Ok(Kind::Compare(op, self.boxed(left)?, self.boxed(right)?))
    }

    fn binary(&mut self, op: BinaryOp, left: &ir::Expr, right: &ir::Expr) -> Outcome<(Kind, Type)> {
        use BinaryOp as B;
        let (a, left_is) = self.expr(left)?;
        let (b, right_is) = if op == B::In { (self.typed(right, Type::List)?, Type::List) } else { self.expr(right)? };
        let wrong = |span: Span, is: Type, what: &str| {
            let message = format!("{what}; this is {}", is.word());
            Err(QueryError::new(ErrorCode::InvalidArgumentType, span, message))
        };
        let of = match op {
            B::In | B::StartsWith | B::EndsWith | B::Contains | B::Regex => Type::Bool,
            B::Subtract | B::Multiply | B::Divide | B::Remainder | B::Power => {
                for (span, is) in [(left.span, left_is), (right.span, right_is)] {
                    if !is.may_be(Type::Number) && is != Type::Temporal {
                        return wrong(span, is, "arithmetic takes numbers");
                    }
                }
                match (left_is, right_is) {
                    (Type::Int, Type::Int) if op != B::Power => Type::Int,
                    (Type::Float, Type::Int | Type::Float) | (Type::Int, Type::Float) => Type::Float,
                    (Type::Int, Type::Int) => Type::Float,
                    _ => Type::Any,
                }
            }
            B::Add | B::Concat => match (left_is, right_is) {
                (Type::Int, Type::Int) => Type::Int,
                (Type::List, _) | (_, Type::List) => Type::List,
                (Type::Bool | Type::Map, Type::Int | Type::Float)
                | (Type::Int | Type::Float, Type::Bool | Type::Map) => {
                    return wrong(left.span, left_is, "these two cannot be added");
                }
                (Type::Float, Type::Int | Type::Float) | (Type::Int, Type::Float) => Type::Float,
                _ => Type::Any,
            },
        };
        if op == B::Regex
            && let Kind::Constant(ResultValue::String(pattern)) = &b.kind
        {
            let regex = crate::eval::whole_regex(pattern)
                .map_err(|message| QueryError::new(ErrorCode::InvalidArgumentValue, right.span, message))?;
            return Ok((Kind::Regex(Box::new(a), regex), Type::Bool));
        }
        Ok((Kind::Binary(op, Box::new(a), Box::new(b)), of))
    }

    fn property(&mut self, of: &ir::Expr, name: &ir::Name) -> Outcome<Kind> {
        if let ExprKind::Variable(variable) = &of.kind
            && let Some(found) = self.lookup(variable).cloned()
        {
            match found.of {
                Type::Node => {
                    self.check_property(name, found.kinds.as_deref())?;
                    self.reads.push(found.slot);
                    let property = self.property_number(&name.text);
                    return Ok(Kind::NodeProperty { slot: found.slot, property });
                }
                Type::Relation => self.check_relation_property(name, &found.types)?,
                Type::Path => {
                    let name = ir::Name { text: variable.clone(), span: of.span };
                    return Err(type_conflict_as_argument(&name, found.of));
                }
                _ => {}
            }
        }
        let (inner, is) = self.expr(of)?;
        if matches!(is, Type::Int | Type::Float | Type::Bool | Type::String | Type::List) {
            let message = format!("only a node, relation, map or time has properties; this is {}", is.word());
            return Err(QueryError::new(ErrorCode::InvalidArgumentType, of.span, message));
        }
        Ok(Kind::Property { of: Box::new(inner), name: name.text.clone() })
    }

    fn map_projection(&mut self, base: &ir::Expr, items: &[ir::MapItem]) -> Outcome<(Kind, Type)> {
        let (of, _) = self.expr(base)?;
        let mut all = false;
        let mut resolved = Vec::new();
        for item in items {
            match item {
                ir::MapItem::All => all = true,
                ir::MapItem::Property(name) => {
                    let kind = self.property(base, name)?;
                    resolved.push((name.text.clone(), Some(Expr { kind, span: name.span })));
                }
                ir::MapItem::Variable(name) => {
                    let expr = ir::Expr { kind: ExprKind::Variable(name.text.clone()), span: name.span };
                    resolved.push((name.text.clone(), Some(self.expr(&expr)?.0)));
                }
                ir::MapItem::Entry(name, value) => resolved.push((name.text.clone(), Some(self.expr(value)?.0))),
            }
        }
        Ok((Kind::MapProjection { of: Box::new(of), all, items: resolved }, Type::Map))
    }

    fn aggregate(&mut self, name: &str, distinct: bool, arguments: &[ir::Expr], span: Span) -> Outcome<(Kind, Type)> {
        let kind = aggregate_kind(name).unwrap_or(AggregateKind::Count);
        let mut found = match std::mem::replace(&mut self.aggregation, Aggregation::Inside) {
            Aggregation::Collecting(found) => found,
            other => {
                let inside = matches!(other, Aggregation::Inside);
                self.aggregation = other;
                let (code, message) = if inside {
                    (ErrorCode::NestedAggregation, "an aggregation cannot stand within another")
                } else {
                    (ErrorCode::InvalidAggregation, "an aggregation can only stand in WITH and RETURN")
                };
                return Err(QueryError::new(code, span, message));
            }
        };
        let percentile = matches!(kind, AggregateKind::PercentileCont | AggregateKind::PercentileDisc);
        let wanted = if percentile { 2 } else { 1 };
        let counts_rows = kind == AggregateKind::Count && arguments.is_empty();
        if arguments.len() != wanted && !counts_rows {
            let message = format!("{name} takes {wanted} argument{}", if wanted == 1 { "" } else { "s" });
            return Err(QueryError::new(ErrorCode::InvalidNumberOfArguments, span, message));
        }
        if let Some(argument) = arguments.first()
            && calls_rand(argument)
        {
            let message = "an aggregation cannot be over rand()";
            return Err(QueryError::new(ErrorCode::NonConstantExpression, span, message));
        }
        let mut resolved = arguments.iter().map(|argument| Ok(self.expr(argument)?.0)).collect::<Outcome<Vec<_>>>()?;
        let extra = if percentile { resolved.pop() } else { None };
        let slot = self.slot();
        found.push(Aggregate { kind, distinct, argument: resolved.pop(), extra, slot, span });
        self.aggregation = Aggregation::Collecting(found);
        let of = match kind {
            AggregateKind::Count => Type::Int,
            AggregateKind::Collect => Type::List,
            _ => Type::Any,
        };
        Ok((Kind::Slot(slot), of))
    }

    fn call(&mut self, name: &ir::Name, arguments: &[ir::Expr], span: Span) -> Outcome<(Kind, Type)> {
        if let Some(found) = self.shortest(name, arguments)? {
            return Ok(found);
        }
        let Some(signature) = functions::named(&name.text) else {
            let message = format!("there is no function `{}`", name.text);
            let error = QueryError::new(ErrorCode::UnknownFunction, name.span, message);
            return Err(match nearest(&name.text, functions::names()) {
                Some(near) => error.with_help(format!("did you mean `{near}`?")),
                None => error,
            });
        };
        if arguments.len() < signature.least || arguments.len() > signature.most {
            let message = match (signature.least, signature.most) {
                (least, most) if least == most => format!("`{}` takes {least} arguments", name.text),
                (least, 255) => format!("`{}` takes at least {least} arguments", name.text),
                (least, most) => format!("`{}` takes {least} to {most} arguments", name.text),
            };
            return Err(QueryError::new(ErrorCode::InvalidNumberOfArguments, span, message));
        }
        if signature.function == Function::Exists
            && let [ir::Expr { kind: ExprKind::Pattern(paths), .. }] = arguments
        {
            return Ok((Kind::Exists(self.pattern_subquery(paths)?), Type::Bool));
        }
        let mut resolved = Vec::new();
        let mut first = Type::Any;
        for (at, argument) in arguments.iter().enumerate() {
            let (expr, of) = self.expr(argument)?;
            if !of.may_be(signature.takes) {
                let message = format!("`{}` takes {}; this is {}", name.text, signature.takes.word(), of.word());
                return Err(QueryError::new(ErrorCode::InvalidArgumentType, argument.span, message));
            }
            if at == 0 {
                first = of;
                let graph = matches!(of, Type::Node | Type::Relation | Type::Path);
                let scalar = matches!(of, Type::Int | Type::Float | Type::Bool | Type::String | Type::List);
                let wrong = match signature.function {
                    Function::ToBoolean | Function::ToInteger | Function::ToFloat => graph,
                    Function::Properties | Function::Keys => scalar,
                    _ => false,
                };
                if wrong {
                    let message = format!("`{}` does not take {}", name.text, of.word());
                    return Err(QueryError::new(ErrorCode::InvalidArgumentType, argument.span, message));
                }
            }
            resolved.push(expr);
        }
        let of = match signature.function {
            Function::Reverse => first,
            Function::Abs => first,
            _ => signature.gives,
        };
        Ok((Kind::Call(signature.function, resolved), of))
    }

    /// `shortestPath((a)-[*]->(b))` as a value: the path or null; `allShortestPaths`: a list.
    fn shortest(&mut self, name: &ir::Name, arguments: &[ir::Expr]) -> Outcome<Option<(Kind, Type)>> {
        let shortest = match name.text.to_lowercase().as_str() {
            "shortestpath" => ir::Shortest::One,
            "allshortestpaths" => ir::Shortest::All,
            _ => return Ok(None),
        };
        let path = match arguments {
            [ir::Expr { kind: ExprKind::Pattern(paths), .. }] if paths.len() == 1 => paths.first(),
            _ => None,
        };
        let Some(path) = path else {
            let message = format!("`{}` takes a pattern such as (a)-[*]->(b)", name.text);
            return Err(QueryError::new(ErrorCode::InvalidArgumentType, name.span, message));
        };
        let named = path.nodes.iter().filter_map(|node| node.variable.as_ref());
        let named = named.chain(path.relations.iter().filter_map(|relation| relation.variable.as_ref()));
        for variable in named {
            if self.lookup(&variable.text).is_none() {
                return Err(self.undefined(&variable.text, variable.span));
            }
        }
        let outer = self.scope.clone();
        let variable = super::group::hidden(self.program.width);
        let path = ir::PathPattern { variable: Some(variable.clone()), shortest: Some(shortest), ..path.clone() };
        let pattern = self.match_clause(std::slice::from_ref(&path), None, false)?;
        let slot = self.lookup(&variable.text).map_or(0, |variable| variable.slot);
        self.scope = outer;
        let span = name.span;
        let list = Kind::PatternList { pattern, map: Box::new(Expr { kind: Kind::Slot(slot), span }) };
        Ok(Some(match shortest {
            ir::Shortest::One => (Kind::Call(Function::Head, vec![Expr { kind: list, span }]), Type::Path),
            ir::Shortest::All => (list, Type::List),
        }))
    }

    /// A query within an expression, by number.
    fn subquery(&mut self, query: &ir::Query) -> Outcome<usize> {
        if self.subquery_depth >= MAX_SUBQUERIES {
            return Err(QueryError::new(ErrorCode::TooComplex, query.span, "queries are nested too deeply"));
        }
        self.subquery_depth += 1;
        let (outer, projected) = (self.scope.clone(), std::mem::take(&mut self.projected));
        let aggregation = std::mem::take(&mut self.aggregation);
        let (start, width) = (self.reads.len(), self.program.width);
        let plan = self.query(query, true);
        self.subquery_depth -= 1;
        self.scope = outer;
        self.projected = projected;
        self.aggregation = aggregation;
        let plan = plan?;
        let independent = self.reads.iter().skip(start).all(|slot| *slot >= width);
        let blocking = plan.parts.iter().flatten().any(|op| match op {
            Op::Project(of) => of.grouped.is_some() || of.skip.is_some() || of.limit.is_some(),
            Op::Alternatives { subquery, .. } => self.program.subqueries.get(*subquery).is_some_and(|of| of.blocking),
            _ => false,
        });
        self.program.subqueries.push(Subquery { plan, independent, blocking });
        Ok(self.program.subqueries.len() - 1)
    }

    fn pattern_subquery(&mut self, paths: &[ir::PathPattern]) -> Outcome<usize> {
        let (start, width) = (self.reads.len(), self.program.width);
        let number = self.pattern_predicate(paths)?;
        let independent = self.reads.iter().skip(start).all(|slot| *slot >= width);
        let plan = QueryPlan { parts: vec![vec![Op::Match(number)]], outputs: vec![vec![]], ..QueryPlan::default() };
        self.program.subqueries.push(Subquery { plan, independent, blocking: false });
        Ok(self.program.subqueries.len() - 1)
    }
}

fn type_conflict_as_argument(name: &ir::Name, of: Type) -> Box<QueryError> {
    let mut error = type_conflict(name, of, Type::Map);
    error.code = ErrorCode::InvalidArgumentType;
    error
}

fn calls_rand(expr: &ir::Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call { name, .. } if name.text.eq_ignore_ascii_case("rand"))
}

/// A list of constants is a constant.
fn fold_list(items: Vec<Expr>) -> Kind {
    if items.iter().all(|item| matches!(item.kind, Kind::Constant(_))) {
        let values = items.into_iter().map(|item| match item.kind {
            Kind::Constant(value) => value,
            _ => ResultValue::Null,
        });
        return Kind::Constant(ResultValue::list(values.collect()));
    }
    Kind::List(items)
}

fn type_of(value: &ResultValue) -> Type {
    match value {
        ResultValue::Null => Type::Null,
        ResultValue::Bool(_) => Type::Bool,
        ResultValue::Int(_) => Type::Int,
        ResultValue::Float(_) => Type::Float,
        ResultValue::String(_) => Type::String,
        ResultValue::List(_) => Type::List,
        ResultValue::Map(_) => Type::Map,
        _ => Type::Any,
    }
}
