//! Looking through resolved expressions.

use super::{Expr, Kind, Op, Program, Projection, Slot};
use crate::functions::Function;

impl Expr {
    /// Calls `f` with this expression and every one within it; patterns and queries within are left out (they are
    /// reached through [`Program::each_expr`]).
    pub(crate) fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        f(self);
        match &self.kind {
            Kind::Constant(_)
            | Kind::Slot(_)
            | Kind::Parameter(_)
            | Kind::NodeProperty { .. }
            | Kind::Exists(_)
            | Kind::Count(_)
            | Kind::Collect(_) => {}
            Kind::Property { of, .. }
            | Kind::Not(of)
            | Kind::Regex(of, _)
            | Kind::Negate(of)
            | Kind::Plus(of)
            | Kind::IsNull { of, .. }
            | Kind::HasLabels { of, .. }
            | Kind::CountCompare(_, _, of)
            | Kind::PatternList { map: of, .. } => of.visit(f),
            Kind::Index { of, index } => {
                of.visit(f);
                index.visit(f);
            }
            Kind::Slice { of, from, to } => {
                of.visit(f);
                from.iter().chain(to).for_each(|part| part.visit(f));
            }
            Kind::And(parts) | Kind::Or(parts) | Kind::List(parts) | Kind::Call(_, parts) => {
                parts.iter().for_each(|part| part.visit(f));
            }
            Kind::Xor(left, right) | Kind::Compare(_, left, right) | Kind::Binary(_, left, right) => {
                left.visit(f);
                right.visit(f);
            }
            Kind::Map(entries) => entries.iter().for_each(|(_, value)| value.visit(f)),
            Kind::MapProjection { of, items, .. } => {
                of.visit(f);
                items.iter().filter_map(|(_, value)| value.as_ref()).for_each(|value| value.visit(f));
            }
            Kind::Case { operand, arms, otherwise } => {
                operand.iter().chain(otherwise).for_each(|part| part.visit(f));
                for (when, then) in arms {
                    when.iter().for_each(|when| when.visit(f));
                    then.visit(f);
                }
            }
            Kind::Comprehension { list, filter, map, .. } => {
                list.visit(f);
                filter.iter().chain(map).for_each(|part| part.visit(f));
            }
            Kind::Quantified { list, filter, .. } => {
                list.visit(f);
                filter.visit(f);
            }
            Kind::Reduce { initial, list, body, .. } => {
                initial.visit(f);
                list.visit(f);
                body.visit(f);
            }
        }
    }
}

/// What an expression reads of the row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Nothing,
    /// One property of the node in one slot.
    Property(Slot, usize),
    /// More than that, or something that is another at each time.
    More,
}

impl Expr {
    /// What it reads of the row, beside the variables that it makes itself.
    pub(crate) fn reads(&self) -> Reads {
        let mut inner: Vec<Slot> = Vec::new();
        self.visit(&mut |part| match &part.kind {
            Kind::Comprehension { slot, .. } | Kind::Quantified { slot, .. } => inner.push(*slot),
            Kind::Reduce { accumulator, slot, .. } => inner.extend([*accumulator, *slot]),
            _ => {}
        });
        let mut found = Reads::Nothing;
        self.visit(&mut |part| match &part.kind {
            Kind::Slot(slot) | Kind::NodeProperty { slot, .. } if inner.contains(slot) => {}
            Kind::NodeProperty { slot, property } => {
                let this = Reads::Property(*slot, *property);
                found = if found == Reads::Nothing || found == this { this } else { Reads::More };
            }
            Kind::Slot(_) | Kind::Call(Function::Rand, _) => found = Reads::More,
            kind if kind.searches() => found = Reads::More,
            _ => {}
        });
        found
    }

    /// Calls `f` with every slot that it names. False where a pattern or query within may read any other.
    pub(crate) fn slots(&self, f: &mut dyn FnMut(Slot)) -> bool {
        let mut all = true;
        self.visit(&mut |part| match &part.kind {
            Kind::Slot(slot) | Kind::NodeProperty { slot, .. } => f(*slot),
            kind => all &= !kind.searches(),
        });
        all
    }
}

impl Kind {
    /// Whether it is a pattern or query, which may read anything of the row.
    fn searches(&self) -> bool {
        matches!(
            self,
            Self::Exists(_) | Self::Count(_) | Self::CountCompare(..) | Self::Collect(_) | Self::PatternList { .. }
        )
    }
}

impl Program {
    /// Calls `f` with the outermost expressions of every pattern and of every query within an expression.
    pub(crate) fn each_expr<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        for plan in &self.matches {
            plan.filters.iter().for_each(|filter| f(&filter.expr));
            plan.relations.iter().flat_map(|relation| &relation.properties).for_each(|(_, value)| f(value));
        }
        for op in self.subqueries.iter().flat_map(|subquery| &subquery.plan.parts).flatten() {
            op.each_expr(f);
        }
    }
}

impl Op {
    /// Calls `f` with the outermost expressions of the operator; those of a pattern are left out.
    pub(crate) fn each_expr<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        match self {
            Self::Match(_) | Self::Alternatives { .. } => {}
            Self::Unwind { list, .. } => f(list),
            Self::Let(items) => items.iter().for_each(|(expr, _)| f(expr)),
            Self::Filter(expr) => f(expr),
            Self::Project(of) => of.each_expr(f),
        }
    }
}

impl Projection {
    /// Calls `f` with the outermost expressions that are computed for each row, or each group.
    pub(crate) fn each_expr<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        self.items.iter().for_each(|(expr, _)| f(expr));
        self.order.iter().for_each(|(expr, _)| f(expr));
        self.skip.iter().chain(&self.limit).for_each(&mut *f);
        if let Some(grouping) = &self.grouped {
            grouping.keys.iter().for_each(|(expr, _)| f(expr));
            grouping.aggregates.iter().flat_map(|of| of.argument.iter().chain(&of.extra)).for_each(&mut *f);
        }
    }
}
