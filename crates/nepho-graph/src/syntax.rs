//! From text to [`crate::ir`]: the only file that knows the parser crate.
//!
//! [`source`] bounds nesting and length before the parser sees the text, since its tree (and its dropping) is recursive.

use open_cypher::ast as cst;
use open_cypher::ast::ExprKind as E;

use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::ir::*;
use crate::value::ResultValue;

mod diagnostics;
mod pattern;
mod source;

pub(crate) use source::Source;

use diagnostics::from_diagnostics;

/// Deepest expression that the rest of the crate walks recursively.
pub(crate) const MAX_DEPTH: usize = 200;

/// What stands before an expression that is parsed alone.
const PREFIX: &str = "RETURN (";

impl Source {
    fn parse(&self, written: &str) -> Outcome<Query> {
        let text = self.text.as_str();
        let parsed = open_cypher::parse(text).map_err(|errors| from_diagnostics(text, errors.diagnostics()))?;
        match parsed.program.statements.first().map(|statement| &statement.kind) {
            Some(cst::StatementKind::Query(statement)) => {
                if let Some(mode) = &statement.mode {
                    return Err(unsupported("EXPLAIN and PROFILE", mode.span));
                }
                Lowering { source: self, written, depth: 0 }.query(&statement.query)
            }
            _ => Err(QueryError::new(ErrorCode::UnexpectedSyntax, whole_of(text), "the query is empty")),
        }
    }
}

/// Parses a whole query.
pub(crate) fn parse(text: &str) -> Outcome<(Query, Source)> {
    let source = Source::new(text, "", "")?;
    let query = source.parse(text).map_err(|error| source.map(error))?;
    Ok((query, source))
}

/// Parses one expression, such as a rule's condition.
pub(crate) fn parse_expression(text: &str) -> Outcome<(Expr, Source)> {
    // The newline ends a comment at the end of the text.
    let source = Source::new(text, PREFIX, "\n) AS x")?;
    let mut query = source.parse(text).map_err(|error| source.map(error))?;
    let wrong = || QueryError::new(ErrorCode::UnexpectedSyntax, whole_of(text), "one expression is expected");
    let part = query.parts.pop().filter(|part| part.len() == 1 && query.parts.is_empty()).ok_or_else(wrong)?;
    match part.into_iter().next().map(|clause| clause.kind) {
        Some(ClauseKind::Return(mut projection)) if projection.items.len() == 1 && !projection.all => {
            Ok((projection.items.pop().map(|item| item.expr).ok_or_else(wrong)?, source))
        }
        _ => Err(wrong()),
    }
}

fn whole_of(text: &str) -> Span {
    Span { start: 0, end: text.len() as u32 }
}

fn span(of: open_cypher::Span) -> Span {
    Span { start: of.start as u32, end: of.end as u32 }
}

fn name(of: &cst::Name) -> Name {
    Name { text: of.kind.text.as_str().into(), span: span(of.span) }
}

fn unsupported(what: &str, at: open_cypher::Span) -> Box<QueryError> {
    QueryError::new(ErrorCode::Unsupported, span(at), format!("{what} is not supported"))
}

struct Lowering<'a> {
    source: &'a Source,
    /// The text as it was written.
    written: &'a str,
    depth: usize,
}

impl Lowering<'_> {
    fn query(&mut self, query: &cst::Query) -> Outcome<Query> {
        let cst::QueryKind::Regular(regular) = &query.kind else {
            return Err(QueryError::new(ErrorCode::UnexpectedSyntax, span(query.span), "the query does not parse"));
        };
        let mut parts = vec![self.clauses(&regular.head)?];
        let (mut all, mut distinct) = (false, false);
        for branch in &regular.unions {
            match branch.operator.kind {
                cst::UnionOperator::All => all = true,
                _ => distinct = true,
            }
            parts.push(self.clauses(&branch.query)?);
        }
        Ok(Query { parts, distinct, mixed: all && distinct, span: span(query.span) })
    }

    fn clauses(&mut self, query: &cst::SingleQuery) -> Outcome<Vec<Clause>> {
        query.kind.clauses.iter().map(|clause| self.clause(clause)).collect()
    }

    fn clause(&mut self, clause: &cst::Clause) -> Outcome<Clause> {
        use cst::ClauseKind as C;
        let kind = match &clause.kind {
            C::Match(of) => {
                if let Some(mode) = &of.mode
                    && mode.kind != cst::PathMode::Trail
                {
                    return Err(unsupported("a path mode", mode.span));
                }
                ClauseKind::Match {
                    optional: of.optional,
                    pattern: self.pattern(&of.pattern)?,
                    filter: self.optional(of.where_clause.as_ref())?,
                }
            }
            C::Unwind(of) => ClauseKind::Unwind { list: self.expr(&of.expression)?, variable: name(&of.variable) },
            C::With(of) => ClauseKind::With {
                projection: self.projection(&of.projection)?,
                filter: self.optional(of.where_clause.as_ref())?,
            },
            C::Return(of) => ClauseKind::Return(self.projection(&of.projection)?),
            C::Create(of) => ClauseKind::Create(self.pattern(&of.pattern)?),
            C::Delete(of) => {
                ClauseKind::Delete(of.expressions.iter().map(|expr| self.expr(expr)).collect::<Outcome<_>>()?)
            }
            C::Insert(_) => ClauseKind::Write("INSERT"),
            C::Merge(_) => ClauseKind::Write("MERGE"),
            C::Set(_) => ClauseKind::Write("SET"),
            C::Remove(_) => ClauseKind::Write("REMOVE"),
            C::Foreach(_) => ClauseKind::Write("FOREACH"),
            C::Call(_) => ClauseKind::Call,
            C::Use(_) => ClauseKind::Unsupported("USE"),
            C::LoadCsv(_) => ClauseKind::Unsupported("LOAD CSV"),
            C::Let(_) => ClauseKind::Unsupported("LET"),
            C::Select(_) => ClauseKind::Unsupported("SELECT"),
            C::Next(_) => ClauseKind::Unsupported("NEXT"),
            C::Filter(_) => ClauseKind::Unsupported("FILTER"),
            C::Finish => ClauseKind::Unsupported("FINISH"),
            _ => ClauseKind::Unsupported("this clause"),
        };
        Ok(Clause { kind, span: span(clause.span) })
    }

    fn projection(&mut self, of: &cst::ProjectionClause) -> Outcome<Projection> {
        let mut projection = Projection {
            distinct: of.quantifier.as_ref().is_some_and(|of| of.kind == cst::SetQuantifier::Distinct),
            skip: self.optional(of.skip.as_ref().or(of.offset.as_ref()))?,
            limit: self.optional(of.limit.as_ref())?,
            ..Projection::default()
        };
        for item in &of.items {
            match &item.kind {
                cst::ProjectionItemKind::Wildcard => projection.all = true,
                cst::ProjectionItemKind::Expression { expression, alias } => projection.items.push(Item {
                    expr: self.expr(expression)?,
                    alias: alias.as_ref().map(name),
                    text: self.text(expression.span),
                }),
                _ => return Err(unsupported("this projection", item.span)),
            }
        }
        for sort in of.order_by.iter().flat_map(|order| &order.items) {
            if let Some(nulls) = &sort.nulls {
                return Err(unsupported("NULLS FIRST and NULLS LAST", nulls.span)
                    .with_help("nulls come last; order by `x IS NOT NULL, x` to have them first"));
            }
            let descending = sort.direction.as_ref().is_some_and(|of| of.kind == cst::SortDirection::Descending);
            projection.order.push((self.expr(&sort.expression)?, descending));
        }
        Ok(projection)
    }

    /// An expression as it was written.
    fn text(&self, at: open_cypher::Span) -> std::sync::Arc<str> {
        let (start, end) = (self.source.original(at.start), self.source.original(at.end));
        self.written.get(start..end).unwrap_or_default().trim().into()
    }

    fn optional(&mut self, expr: Option<&cst::Expr>) -> Outcome<Option<Expr>> {
        expr.map(|expr| self.expr(expr)).transpose()
    }

    fn boxed(&mut self, expr: &cst::Expr) -> Outcome<Box<Expr>> {
        self.expr(expr).map(Box::new)
    }

    fn optional_boxed(&mut self, expr: Option<&cst::Expr>) -> Outcome<Option<Box<Expr>>> {
        expr.map(|expr| self.boxed(expr)).transpose()
    }

    fn all(&mut self, exprs: &[cst::Expr]) -> Outcome<Vec<Expr>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn deeper<T>(&mut self, at: Span, f: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.depth >= MAX_DEPTH {
            return Err(QueryError::new(ErrorCode::TooComplex, at, "the expression is nested too deeply"));
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }

    fn expr(&mut self, expr: &cst::Expr) -> Outcome<Expr> {
        let at = span(expr.span);
        let kind = self.deeper(at, |lowering| lowering.kind(expr))?;
        Ok(Expr { kind, span: at })
    }

    fn kind(&mut self, expr: &cst::Expr) -> Outcome<ExprKind> {
        Ok(match &expr.kind {
            E::Literal(of) => ExprKind::Literal(literal(of, false)?),
            E::Variable(of) => ExprKind::Variable(of.kind.text.as_str().into()),
            E::Parameter(of) => ExprKind::Parameter(match &of.name {
                cst::ParameterName::Named(text) | cst::ParameterName::Positional(text) => text.as_str().into(),
                _ => return Err(unsupported("this parameter", expr.span)),
            }),
            E::List(items) => ExprKind::List(self.all(items)?),
            E::Map(entries) => ExprKind::Map(self.entries(entries)?),
            E::MapProjection(of) => {
                let base = self.boxed(&of.base)?;
                let mut items = Vec::new();
                for item in &of.items {
                    items.push(match &item.kind {
                        cst::MapProjectionItemKind::Property(of) => MapItem::Property(name(of)),
                        cst::MapProjectionItemKind::AllProperties => MapItem::All,
                        cst::MapProjectionItemKind::Variable(of) => MapItem::Variable(name(of)),
                        cst::MapProjectionItemKind::Entry(of) => MapItem::Entry(name(&of.key), self.expr(&of.value)?),
                        _ => return Err(unsupported("this map projection", item.span)),
                    });
                }
                ExprKind::MapProjection { base, items }
            }
            E::Unary { operator, operand } => match operator.kind {
                cst::UnaryOperator::Not => ExprKind::Not(self.boxed(operand)?),
                cst::UnaryOperator::Plus => ExprKind::Plus(self.boxed(operand)?),
                _ => match &operand.kind {
                    // The smallest whole number can only be written with its sign.
                    E::Literal(of) => ExprKind::Literal(literal(of, true)?),
                    _ => ExprKind::Negate(self.boxed(operand)?),
                },
            },
            E::Binary { left, operator, right } => self.binary(left, operator.kind, right)?,
            E::Is { expression, negated, predicate } => {
                let of = self.boxed(expression)?;
                match predicate {
                    cst::IsPredicate::Null => ExprKind::IsNull { of, negated: *negated },
                    cst::IsPredicate::Label(labels) => {
                        let labels = self.labels(labels)?;
                        let kind = ExprKind::HasLabels { of, labels };
                        if *negated { ExprKind::Not(Box::new(Expr { kind, span: span(expr.span) })) } else { kind }
                    }
                    _ => return Err(unsupported("IS with a type or a normal form", expr.span)),
                }
            }
            E::Property { expression, key } => ExprKind::Property { of: self.boxed(expression)?, name: name(key) },
            E::DynamicProperty { expression, key } | E::Index { expression, index: key } => {
                ExprKind::Index { of: self.boxed(expression)?, index: self.boxed(key)? }
            }
            E::Slice { expression, lower, upper } => ExprKind::Slice {
                of: self.boxed(expression)?,
                from: self.optional_boxed(lower.as_deref())?,
                to: self.optional_boxed(upper.as_deref())?,
            },
            E::Function(of) => self.call(of)?,
            E::Case(of) => ExprKind::Case {
                operand: self.optional_boxed(of.operand.as_deref())?,
                arms: of
                    .alternatives
                    .iter()
                    .map(|arm| Ok((self.all(&arm.when)?, self.expr(&arm.then)?)))
                    .collect::<Outcome<_>>()?,
                otherwise: self.optional_boxed(of.else_expression.as_deref())?,
            },
            E::ListComprehension(of) => ExprKind::Comprehension {
                variable: name(&of.variable),
                list: self.boxed(&of.list)?,
                filter: self.optional_boxed(of.predicate.as_deref())?,
                map: self.optional_boxed(of.projection.as_deref())?,
            },
            E::PatternComprehension(of) => {
                let mut pattern = self.pattern(&of.pattern)?;
                let (Some(mut path), true) = (pattern.pop(), pattern.is_empty()) else {
                    return Err(unsupported("several patterns in a comprehension", expr.span));
                };
                path.variable = of.binding.as_ref().map(name).or(path.variable);
                ExprKind::PatternComprehension {
                    pattern: Box::new(path),
                    filter: self.optional_boxed(of.predicate.as_deref())?,
                    map: self.boxed(&of.projection)?,
                }
            }
            E::Reduce(of) => ExprKind::Reduce {
                accumulator: name(&of.accumulator),
                initial: self.boxed(&of.initial)?,
                variable: name(&of.variable),
                list: self.boxed(&of.list)?,
                body: self.boxed(&of.expression)?,
            },
            E::QuantifiedPredicate(of) => ExprKind::Quantified {
                kind: match of.kind.kind {
                    cst::QuantifiedPredicateKind::All => Quantifier::All,
                    cst::QuantifiedPredicateKind::Any => Quantifier::Any,
                    cst::QuantifiedPredicateKind::None => Quantifier::None,
                    _ => Quantifier::Single,
                },
                variable: name(&of.variable),
                list: self.boxed(&of.list)?,
                filter: self.boxed(&of.predicate)?,
            },
            E::Subquery(of) => {
                let query = Box::new(self.query(&of.query)?);
                match of.kind.kind {
                    cst::SubqueryExpressionKind::Exists => ExprKind::Exists(query),
                    cst::SubqueryExpressionKind::Count => ExprKind::Count(query),
                    _ => ExprKind::Collect(query),
                }
            }
            E::Pattern(of) => ExprKind::Pattern(self.pattern(of)?),
            E::Parenthesized(inner) => self.kind_of_parenthesized(inner)?,
            _ => return Err(unsupported("this expression", expr.span)),
        })
    }

    fn kind_of_parenthesized(&mut self, inner: &cst::Expr) -> Outcome<ExprKind> {
        let span = span(inner.span);
        self.deeper(span, |lowering| lowering.kind(inner))
    }

    fn entries(&mut self, entries: &[cst::MapEntry]) -> Outcome<Vec<(Name, Expr)>> {
        entries.iter().map(|entry| Ok((name(&entry.key), self.expr(&entry.value)?))).collect()
    }

    fn call(&mut self, of: &cst::FunctionInvocation) -> Outcome<ExprKind> {
        let distinct = of.quantifier.as_ref().is_some_and(|of| of.kind == cst::SetQuantifier::Distinct);
        let full = of.name.parts.iter().map(|part| part.kind.text.as_str()).collect::<Vec<_>>().join(".");
        if full.eq_ignore_ascii_case("count")
            && let [cst::Node { kind: E::Wildcard, .. }] = of.arguments.as_slice()
        {
            return Ok(ExprKind::CountAll);
        }
        Ok(ExprKind::Call {
            name: Name { text: full.into(), span: span(of.name.span) },
            distinct,
            arguments: self.all(&of.arguments)?,
        })
    }

    fn binary(&mut self, left: &cst::Expr, operator: cst::BinaryOperator, right: &cst::Expr) -> Outcome<ExprKind> {
        use cst::BinaryOperator as B;
        if matches!(operator, B::And | B::Or) {
            // Long chains are as deep as they are long in the parser's tree: flatten without recursion.
            let mut parts = vec![self.expr(right)?];
            let mut rest = left;
            while let E::Binary { left, operator: of, right } = &rest.kind
                && of.kind == operator
            {
                parts.push(self.expr(right)?);
                rest = left;
            }
            parts.push(self.expr(rest)?);
            parts.reverse();
            return Ok(if operator == B::And { ExprKind::And(parts) } else { ExprKind::Or(parts) });
        }
        if let Some(compare) = compare_op(operator) {
            // `a < b <= c`
            let mut links = vec![(compare, self.expr(right)?)];
            let mut rest = left;
            while let E::Binary { left, operator: of, right } = &rest.kind
                && let Some(compare) = compare_op(of.kind)
            {
                links.push((compare, self.expr(right)?));
                rest = left;
            }
            let mut before = self.expr(rest)?;
            let mut parts = Vec::new();
            for (compare, next) in links.into_iter().rev() {
                let at = Span { start: before.span.start, end: next.span.end };
                let kind = ExprKind::Compare(compare, Box::new(before), Box::new(next.clone()));
                parts.push(Expr { kind, span: at });
                before = next;
            }
            return Ok(match parts.pop() {
                Some(only) if parts.is_empty() => only.kind,
                Some(last) => {
                    parts.push(last);
                    ExprKind::And(parts)
                }
                None => before.kind,
            });
        }
        let op = match operator {
            B::Xor => return Ok(ExprKind::Xor(self.boxed(left)?, self.boxed(right)?)),
            B::RegexMatch => BinaryOp::Regex,
            B::In => BinaryOp::In,
            B::StartsWith => BinaryOp::StartsWith,
            B::EndsWith => BinaryOp::EndsWith,
            B::Contains => BinaryOp::Contains,
            B::Add => BinaryOp::Add,
            B::Subtract => BinaryOp::Subtract,
            B::Multiply => BinaryOp::Multiply,
            B::Divide => BinaryOp::Divide,
            B::Remainder => BinaryOp::Remainder,
            B::Power => BinaryOp::Power,
            B::Concat => BinaryOp::Concat,
            _ => return Err(unsupported("this operator", right.span)),
        };
        Ok(ExprKind::Binary(op, self.boxed(left)?, self.boxed(right)?))
    }
}

fn compare_op(operator: cst::BinaryOperator) -> Option<CompareOp> {
    use cst::BinaryOperator as B;
    Some(match operator {
        B::Equal => CompareOp::Equal,
        B::NotEqual => CompareOp::NotEqual,
        B::Less => CompareOp::Less,
        B::LessEqual => CompareOp::LessEqual,
        B::Greater => CompareOp::Greater,
        B::GreaterEqual => CompareOp::GreaterEqual,
        _ => return None,
    })
}

fn literal(of: &cst::Literal, negative: bool) -> Outcome<ResultValue> {
    let at = span(of.span);
    Ok(match &of.kind {
        cst::LiteralKind::Null => ResultValue::Null,
        cst::LiteralKind::Boolean(flag) if !negative => ResultValue::Bool(*flag),
        cst::LiteralKind::String(text) if !negative => ResultValue::from(text.value.as_str()),
        cst::LiteralKind::Integer(of) => {
            let (digits, radix) = match of.radix {
                cst::IntegerRadix::Decimal => (of.text.as_str(), 10),
                cst::IntegerRadix::Hexadecimal => (of.text.get(2..).unwrap_or_default(), 16),
                _ => (of.text.trim_start_matches('0').trim_start_matches(['o', 'O']), 8),
            };
            let digits = digits.replace('_', "");
            let digits = if digits.is_empty() { "0" } else { &digits };
            let overflow =
                || QueryError::new(ErrorCode::IntegerOverflow, at, format!("`{}` is beyond 64 bits", of.text));
            let size = i128::from_str_radix(digits, radix).map_err(|_| overflow())?;
            ResultValue::Int(i64::try_from(if negative { -size } else { size }).map_err(|_| overflow())?)
        }
        cst::LiteralKind::Float(of) => {
            let number: f64 =
                of.text.replace('_', "").trim_end_matches(['f', 'F', 'd', 'D']).parse().map_err(|_| {
                    QueryError::new(ErrorCode::InvalidNumberLiteral, at, format!("`{}` is no number", of.text))
                })?;
            if number.is_infinite() {
                let message = format!("`{}` is beyond the floating-point range", of.text);
                return Err(QueryError::new(ErrorCode::FloatingPointOverflow, at, message));
            }
            ResultValue::Float(if negative { 0.0 - number } else { number })
        }
        _ => {
            return Err(QueryError::new(ErrorCode::InvalidArgumentType, at, "only a number has a negative"));
        }
    })
}
