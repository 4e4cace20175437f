//! `WITH` and `RETURN`: columns, grouping, order.

use std::sync::Arc;

use super::types::Type;
use super::{Aggregation, Resolver, Variable};
use crate::error::{ErrorCode, Outcome, QueryError, Span};
use crate::ir::{self, ExprKind};
use crate::plan::{Expr, Grouping, Kind, Op, Projection, Slot};
use crate::value::ResultValue;

/// A column of a projection.
struct Column {
    name: Arc<str>,
    slot: Slot,
    variable: Variable,
}

impl Resolver<'_> {
    pub(super) fn with(
        &mut self,
        projection: &ir::Projection,
        filter: Option<&ir::Expr>,
        span: Span,
        ops: &mut Vec<Op>,
    ) -> Outcome<()> {
        let columns = self.project(projection, span, ops)?;
        for item in &projection.items {
            if item.alias.is_none() && !matches!(item.expr.kind, ExprKind::Variable(_)) {
                let message = "an expression in WITH needs a name: write `AS name`";
                return Err(QueryError::new(ErrorCode::NoExpressionAlias, item.expr.span, message));
            }
        }
        let merged = projection.distinct || projection.items.iter().any(|item| has_aggregate(&item.expr));
        if let Some(filter) = filter {
            // WHERE sees the old variables too, where rows are not merged.
            let outer = self.scope.clone();
            if merged {
                self.scope.clear();
            }
            self.scope.extend(columns.iter().map(|column| column.variable.clone()));
            let start = self.reads.len();
            let filter = self.predicate(filter).map_err(|error| self.merged_away(error, &outer, "WHERE"))?;
            if let Some(Op::Project(last)) = ops.last_mut() {
                for slot in self.reads.iter().skip(start) {
                    if !last.kept.contains(slot) && !merged {
                        last.kept.push(*slot);
                    }
                }
            }
            ops.push(Op::Filter(filter));
        }
        self.projected = Vec::new();
        let before = std::mem::take(&mut self.scope);
        self.scope = columns.into_iter().map(|column| column.variable).collect();
        let dropped = before.into_iter().map(|variable| variable.name);
        self.dropped.extend(dropped.filter(|name| !self.scope.iter().any(|variable| variable.name == *name)));
        Ok(())
    }

    /// Says why a variable that was there a moment ago is not defined.
    fn merged_away(&self, mut error: Box<QueryError>, outer: &[Variable], word: &str) -> Box<QueryError> {
        let name = self.text.get(error.span.clone()).unwrap_or_default();
        if error.code == ErrorCode::UndefinedVariable && outer.iter().any(|variable| *variable.name == *name) {
            error.message = format!(
                "after DISTINCT or an aggregation {word} sees only the columns, and `{name}` is not one of them"
            );
            error.help = Some(format!("make `{name}`, or what is asked of it, a column"));
        }
        error
    }

    pub(super) fn returned(
        &mut self,
        projection: &ir::Projection,
        span: Span,
        ops: &mut Vec<Op>,
    ) -> Outcome<(Vec<Arc<str>>, Vec<Slot>)> {
        if projection.all && !self.scope.iter().any(|variable| !variable.name.starts_with('\0')) {
            let message = "RETURN * has nothing to return: no variable is in scope";
            return Err(QueryError::new(ErrorCode::NoVariablesInScope, span, message));
        }
        let columns = self.project(projection, span, ops)?;
        self.projected = Vec::new();
        Ok(columns.into_iter().map(|column| (column.name, column.slot)).unzip())
    }

    fn project(&mut self, projection: &ir::Projection, span: Span, ops: &mut Vec<Op>) -> Outcome<Vec<Column>> {
        let mut columns: Vec<Column> = Vec::new();
        let mut result = Projection { distinct: projection.distinct, ..Projection::default() };
        let aggregates = projection.items.iter().any(|item| has_aggregate(&item.expr));
        self.aggregation = if aggregates { Aggregation::Collecting(Vec::new()) } else { Aggregation::Forbidden };
        let mut keys: Vec<(Expr, Slot)> = Vec::new();
        if projection.all {
            let mut all: Vec<Variable> = Vec::new();
            for variable in self.scope.iter().rev() {
                if !variable.name.starts_with('\0') && !all.iter().any(|known| known.name == variable.name) {
                    all.push(variable.clone());
                }
            }
            all.sort_by(|left, right| left.name.cmp(&right.name));
            for variable in all {
                let slot = variable.slot;
                keys.push((Expr { kind: Kind::Slot(slot), span }, slot));
                columns.push(Column { name: variable.name.clone(), slot, variable });
            }
        }
        self.projected = Vec::new();
        let simple_keys: Vec<String> = projection
            .items
            .iter()
            .filter(|item| is_simple(&item.expr))
            .map(|item| self.text_of(item.expr.span))
            .collect();
        let first_new = self.program.width;
        let mut carried = Vec::new();
        let mut projected = Vec::new();
        for item in &projection.items {
            let name = item.alias.as_ref().map_or_else(|| item.text.clone(), |alias| alias.text.clone());
            let at = item.alias.as_ref().map_or(item.expr.span, |alias| alias.span);
            if columns.iter().any(|column| column.name == name) {
                let message = format!("column `{name}` is there twice");
                return Err(QueryError::new(ErrorCode::ColumnNameConflict, at, message));
            }
            let start = self.reads.len();
            let (expr, of) = self.expr(&item.expr)?;
            let grouped = has_aggregate(&item.expr);
            if grouped {
                self.check_ambiguity(&item.expr, &simple_keys, None, &mut Vec::new())?;
                carried.extend(self.reads.iter().skip(start).filter(|slot| **slot < first_new));
            }
            let known = match &item.expr.kind {
                ExprKind::Variable(name) => self.lookup(name).cloned(),
                _ => None,
            };
            let mut variable = known.unwrap_or_else(|| Variable {
                name: name.clone(),
                slot: usize::MAX,
                of,
                relations: false,
                kinds: None,
                types: Vec::new(),
            });
            variable.name = name.clone();
            if variable.slot == usize::MAX {
                variable.slot = self.slot();
                if grouped {
                    result.items.push((expr, variable.slot));
                } else {
                    keys.push((expr, variable.slot));
                }
            } else {
                keys.push((expr, variable.slot));
            }
            let text = self.text_of(item.expr.span);
            projected.push((text, variable.slot, of));
            columns.push(Column { name, slot: variable.slot, variable });
        }
        // Only ORDER BY may repeat them: beside each other they are computed from the row before.
        self.projected = projected;
        self.order(projection, &columns, aggregates, &simple_keys, &mut result)?;
        result.skip = self.count(projection.skip.as_ref(), "SKIP")?;
        result.limit = self.count(projection.limit.as_ref(), "LIMIT")?;
        let slots: Vec<Slot> = columns.iter().map(|column| column.slot).collect();
        if let Aggregation::Collecting(found) = std::mem::take(&mut self.aggregation) {
            carried.sort_unstable();
            carried.dedup();
            result.grouped = Some(Grouping { keys, aggregates: found, carried });
        } else {
            // A variable that goes through needs no computing.
            keys.retain(|(expr, slot)| !matches!(expr.kind, Kind::Slot(from) if from == *slot));
            result.items = keys;
        }
        result.visible.clone_from(&slots);
        result.kept = slots;
        let streams = result.grouped.is_none()
            && !result.distinct
            && result.order.is_empty()
            && result.skip.is_none()
            && result.limit.is_none();
        if streams {
            // A slot written here may be read by an item after it only when it is new, so order does not matter.
            ops.push(Op::Let(result.items));
        } else {
            ops.push(Op::Project(Box::new(result)));
        }
        Ok(columns)
    }

    /// `ORDER BY` sees the new columns, and the old variables where rows are not merged.
    fn order(
        &mut self,
        projection: &ir::Projection,
        columns: &[Column],
        aggregates: bool,
        simple_keys: &[String],
        result: &mut Projection,
    ) -> Outcome<()> {
        if projection.order.is_empty() {
            return Ok(());
        }
        let outer = self.scope.clone();
        if aggregates || projection.distinct {
            let mut keys = simple_keys.to_vec();
            keys.extend(columns.iter().map(|column| column.name.to_string()));
            for (expr, _) in projection.order.iter().filter(|(expr, _)| has_aggregate(expr) && aggregates) {
                self.check_ambiguity(expr, &keys, Some(columns), &mut Vec::new())
                    .map_err(|error| self.merged_away(error, &outer, "ORDER BY"))?;
            }
            self.scope.clear();
        }
        self.scope.extend(columns.iter().map(|column| column.variable.clone()));
        for (expr, descending) in &projection.order {
            if has_aggregate(expr) && !aggregates {
                let message = "an aggregation in ORDER BY needs one in the projection";
                return Err(QueryError::new(ErrorCode::InvalidAggregation, expr.span, message));
            }
            let (expr, _) = self.expr(expr).map_err(|error| self.merged_away(error, &outer, "ORDER BY"))?;
            result.order.push((expr, *descending));
        }
        self.scope = outer;
        Ok(())
    }

    fn count(&mut self, expr: Option<&ir::Expr>, word: &str) -> Outcome<Option<Expr>> {
        let Some(expr) = expr else { return Ok(None) };
        let outer = std::mem::take(&mut self.scope);
        let before = std::mem::take(&mut self.aggregation);
        let result = self.expr(expr);
        self.scope = outer;
        self.aggregation = before;
        let (resolved, of) = match result {
            Ok(found) => found,
            Err(error) if error.code == ErrorCode::UndefinedVariable => {
                let message = format!("{word} takes a constant");
                return Err(QueryError::new(ErrorCode::NonConstantExpression, expr.span, message));
            }
            Err(error) => return Err(error),
        };
        match &resolved.kind {
            Kind::Constant(ResultValue::Int(count)) if *count < 0 => {
                let message = format!("{word} takes no negative number");
                Err(QueryError::new(ErrorCode::NegativeIntegerArgument, expr.span, message))
            }
            Kind::Negate(_) => {
                let message = format!("{word} takes no negative number");
                Err(QueryError::new(ErrorCode::NegativeIntegerArgument, expr.span, message))
            }
            _ if !of.may_be(Type::Int) || of == Type::Float => {
                let message = format!("{word} takes a whole number");
                Err(QueryError::new(ErrorCode::InvalidArgumentType, expr.span, message))
            }
            _ => Ok(Some(resolved)),
        }
    }

    /// Beside an aggregation, only what the rows are grouped by (and constants) may stand.
    /// In `ORDER BY` (`columns`), a variable that is no column is not in scope at all.
    fn check_ambiguity(
        &self,
        expr: &ir::Expr,
        keys: &[String],
        columns: Option<&[Column]>,
        local: &mut Vec<Arc<str>>,
    ) -> Outcome<()> {
        let text = self.text_of(expr.span);
        if is_aggregate(expr) || keys.contains(&text) {
            return Ok(());
        }
        let ambiguous = |what: &str| {
            let message = format!("`{what}` stands beside an aggregation, and is not one of the columns grouped by");
            Err(QueryError::new(ErrorCode::AmbiguousAggregationExpression, expr.span, message))
        };
        if columns.is_some() && !has_aggregate(expr) && self.projected.iter().any(|(known, ..)| *known == text) {
            return ambiguous(&text);
        }
        if let ExprKind::Variable(name) = &expr.kind {
            if local.contains(name) {
                return Ok(());
            }
            return match columns {
                Some(columns) if !columns.iter().any(|column| column.name == *name) => {
                    Err(self.undefined(name, expr.span))
                }
                _ => ambiguous(name),
            };
        }
        let names = local.len();
        match &expr.kind {
            ExprKind::Comprehension { variable, .. } | ExprKind::Quantified { variable, .. } => {
                local.push(variable.text.clone());
            }
            ExprKind::Reduce { accumulator, variable, .. } => {
                local.extend([accumulator.text.clone(), variable.text.clone()]);
            }
            _ => {}
        }
        let mut result = Ok(());
        children(expr, &mut |child| {
            if result.is_ok() {
                result = self.check_ambiguity(child, keys, columns, local);
            }
        });
        local.truncate(names);
        result
    }
}

/// A variable or a property of one.
fn is_simple(expr: &ir::Expr) -> bool {
    match &expr.kind {
        ExprKind::Variable(_) => true,
        ExprKind::Property { of, .. } => is_simple(of),
        _ => false,
    }
}

/// The aggregation of this name.
pub(super) fn is_aggregate_name(name: &str) -> bool {
    super::expression::aggregate_kind(name).is_some()
}

fn is_aggregate(expr: &ir::Expr) -> bool {
    match &expr.kind {
        ExprKind::CountAll => true,
        ExprKind::Call { name, .. } => is_aggregate_name(&name.text),
        _ => false,
    }
}

/// Whether an aggregation stands anywhere in it (subqueries apart).
pub(super) fn has_aggregate(expr: &ir::Expr) -> bool {
    if is_aggregate(expr) {
        return true;
    }
    let mut found = false;
    children(expr, &mut |child| found = found || has_aggregate(child));
    found
}

/// Calls `f` with each expression directly within; queries and patterns are left out.
fn children(expr: &ir::Expr, f: &mut dyn FnMut(&ir::Expr)) {
    use ExprKind as K;
    match &expr.kind {
        K::Literal(_)
        | K::Variable(_)
        | K::Parameter(_)
        | K::CountAll
        | K::Exists(_)
        | K::Count(_)
        | K::Collect(_)
        | K::Pattern(_)
        | K::PatternComprehension { .. } => {}
        K::List(items) | K::And(items) | K::Or(items) | K::Call { arguments: items, .. } => {
            items.iter().for_each(f);
        }
        K::Map(entries) => entries.iter().for_each(|(_, value)| f(value)),
        K::MapProjection { base, items } => {
            f(base);
            items.iter().for_each(|item| {
                if let ir::MapItem::Entry(_, value) = item {
                    f(value);
                }
            });
        }
        K::Xor(left, right) | K::Compare(_, left, right) | K::Binary(_, left, right) => {
            f(left);
            f(right);
        }
        K::Not(of)
        | K::Negate(of)
        | K::Plus(of)
        | K::IsNull { of, .. }
        | K::HasLabels { of, .. }
        | K::Property { of, .. } => f(of),
        K::Index { of, index } => {
            f(of);
            f(index);
        }
        K::Slice { of, from, to } => {
            f(of);
            from.iter().chain(to).for_each(|part| f(part));
        }
        K::Case { operand, arms, otherwise } => {
            operand.iter().chain(otherwise).for_each(|part| f(part));
            for (when, then) in arms {
                when.iter().for_each(&mut *f);
                f(then);
            }
        }
        K::Comprehension { list, filter, map, .. } => {
            f(list);
            filter.iter().chain(map).for_each(|part| f(part));
        }
        K::Reduce { initial, list, body, .. } => {
            f(initial);
            f(list);
            f(body);
        }
        K::Quantified { list, filter, .. } => {
            f(list);
            f(filter);
        }
    }
}
